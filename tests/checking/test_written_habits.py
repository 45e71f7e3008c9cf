"""Habits of notes and posts: arguments, updates, words, paths added up, columns, optima, shapes."""

from __future__ import annotations

import pytest

import symbackprop as sb

LINE = """
dims N, D
data X[N, D], t[N]
param w[D]
p = X @ w
J = sum((p - t)**2) / 2
"""
ONE = """
dims N
data u[N], t[N]
param w_0, w_1
h = sigmoid(w_0 + w_1*u)
J = -sum(t*log(h) + (1 - t)*log(1 - h)) / N
"""
NORM = """
dims n
data g[n], eps
param x[n]
assume eps positive
m = sum(x) / n
v = sum((x - m)**2) / n
u = (x - m) / sqrt(v + eps)
L = sum(g * u**2)
"""
FACTORS = """
dims I, J, K
data R[I, J]
param P[I, K], Q[K, J]
S = P @ Q
L = sum((R - S)**2)
"""
NET = """
dims d, h, q
data x[d], y[q]
param A[h, d], B[q, h]
z = A @ x
s = tanh(z)
o = B @ s
L = sum((o - y)**2)
"""
PATHS = (
    r"$$\frac{\partial L}{\partial x_i} = \frac{\partial L}{\partial u_i}\frac{\partial u_i}"
    r"{\partial x_i} + \frac{\partial L}{\partial m}\frac{\partial m}{\partial x_i}"
    r" + \frac{\partial L}{\partial v}\frac{\partial v}{\partial x_i}$$"
)

# fmt: off
RIGHT = [
    ("arguments", ONE, r"$h_w(u^{(i)}) = \sigma(w_0 + w_1 u^{(i)})$ and $$\frac{\partial J}"
     r"{\partial w_1} = \frac1N \sum_{i=1}^N (h_w(u^{(i)}) - t^{(i)}) u^{(i)}$$"),
    ("the loss of its parameters", LINE, r"$\nabla_w J(w) = X^T (X w - t)$"),
    ("an operator on the loss", LINE, r"$\frac{\partial}{\partial w} J(w) = X^T X w - X^T t$"),
    ("words", ONE, r"$J = -\frac1N \sum_i (t_i log(h_i) + (1-t_i) log(1 - h_i))$"),
    ("an expression", ONE, r"$$\frac{\partial}{\partial w_0} \left(log(h(u^{(i)}))\right) ="
     r" 1 - h(u^{(i)})$$"),
    ("of all that follows", ONE, r"$\frac{\partial}{\partial w_1} w_0 + w_1 u_i = u_i$"),
    ("cancelled terms", LINE, r"$J = \frac12 \sum_i (p_i \cancel{+ t_i} \cancel{- t_i} - t_i)^2$"),
    ("paths", NORM, PATHS),
    ("a path by itself, as in the line that adds them", NORM,
     PATHS + r" where $\frac{\partial u_i}{\partial x_i} = \frac{1}{\sqrt{v + \epsilon}}$"),
    ("a column", FACTORS, r"$S_{ij} = P_i^T Q_j$"),
    ("an optimum", LINE, r"$\nabla_w J = X^T (X w - t) = 0$"),
    ("shapes in other letters", NET, r"$x \in \mathbb{R}^{n}$, $B \in \mathbb{R}^{k \times m}$,"
     r" $s \in \mathbb{R}^m$"),
    ("factors of the chain rule", NET, r"$\frac{\partial L}{\partial s} = \text{prod}\left("
     r"\frac{\partial L}{\partial o}, \frac{\partial o}{\partial s}\right) = B^\top"
     r" \frac{\partial L}{\partial o}$"),
    ("an error in the chain rule", NET, r"$\delta = \frac{\partial L}{\partial z}$, $"
     r"\frac{\partial L}{\partial A} = \delta \frac{\partial z}{\partial A}$"),
    ("a chain over formulas", LINE, r"$$\nabla_w J = X^T(p - t) =$$ $$= X^T p - X^T t$$ which is"
     r" $$= X^T X w - X^T t$$"),
    ("sigma for a sum", ONE, r"$\nabla_{w_0} J = \frac1N \Sigma_{i=1}^N (h_i - t_i)$"),
    ("a sum without index", LINE, r"$\frac{\partial J}{\partial w_d} = \sum (p_n - t_n) X_{nd}$"),
]
WRONG = [
    ("arguments", ONE, r"$$\frac{\partial J}{\partial w_1} = \frac1N \sum_{i=1}^N"
     r" (h_w(u^{(i)}) - t^{(i)})$$"),
    ("an expression", ONE, r"$\frac{\partial}{\partial w_0} log(h(u_i)) = h(u_i)$"),
    ("of all that follows", ONE, r"$\frac{\partial}{\partial w_1} w_0 + w_1 u_i = w_1$"),
    ("paths without one", NORM, PATHS.replace(r" + \frac{\partial L}{\partial m}\frac{\partial m}"
                                              r"{\partial x_i}", " + 1")),
    ("a column", FACTORS, r"$S_{ij} = Q_j^T P_j$"),
    ("no optimum before a gradient that holds", LINE, r"$\nabla_w J = 0$"),
    ("shapes in other letters", NET, r"$s \in \mathbb{R}^m$, $x \in \mathbb{R}^{m}$"),
    ("a symbol twice", NET, r"$\delta = \frac{\partial L}{\partial z}$. $\delta = 2 (o - y)$"),
    ("a chain over formulas", LINE, r"$$\nabla_w J = X^T(p - t) =$$ $$= X^T p - X^T w$$"),
]
# fmt: on


@pytest.mark.parametrize(("model", "text"), [c[1:] for c in RIGHT], ids=[c[0] for c in RIGHT])
def test_a_habit_is_read(model: str, text: str) -> None:
    assert {s.verdict for s in sb.verify(sb.parse(model), text).steps} == {"proved"}


@pytest.mark.parametrize(("model", "text"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_a_habit_excuses_nothing(model: str, text: str) -> None:
    assert sb.verify(sb.parse(model), text).verdict == "refuted"


def test_a_lone_derivative_with_the_rest_held_is_undecided() -> None:
    text = r"$\frac{\partial u_i}{\partial x_i} = \frac{1}{\sqrt{v + \epsilon}}$"
    (step,) = sb.verify(sb.parse(NORM), text).steps
    assert step.verdict == "undecided"
    assert any("held constant" in n for n in step.notes)


def test_an_update_is_no_equation() -> None:
    text = r"$w = w - \eta \nabla_w J$, $w := w - \eta X^T (Xw - t)$, $\nabla_w J = X^T(Xw - t)$"
    steps = sb.verify(sb.parse(LINE), text).steps
    assert [s.verdict for s in steps] == ["proved"]


def test_what_follows_from_an_optimum_is_not_judged() -> None:
    text = r"$\nabla_w J = X^T X w - X^T t = 0$, hence $X^T X w = X^T t$"
    assert [s.verdict for s in sb.verify(sb.parse(LINE), text).steps] == ["proved", "undecided"]
