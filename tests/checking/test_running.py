"""Lines with a letter for any layer or time step, against a concrete net."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.checking.running import put, shifted_letter
from symbackprop.notation.latex_tokens import lex_latex
from symbackprop.notation.written_reader import read_formula

NET = """
dims d0, d1, d2, d3
data a0[d0], y[d3]
param W1[d1, d0], b1[d1], W2[d2, d1], b2[d2], W3[d3, d2], b3[d3]
z1 = W1 @ a0 + b1
a1 = tanh(z1)
z2 = W2 @ a1 + b2
a2 = tanh(z2)
z3 = W3 @ a2 + b3
a3 = tanh(z3)
C = sum((a3 - y)**2) / 2
"""
CHAIN = """
dims M, D
data u_1[D], u_2[D], u_3[D], s_0[M], g[M]
param A[M, M], B[M, D]
s_1 = A @ s_0 + B @ u_1
s_2 = A @ s_1 + B @ u_2
s_3 = A @ s_2 + B @ u_3
J = sum(g * s_3**2)
"""
LET = r"$\delta^{(l)} = \frac{\partial C}{\partial z^{(l)}}$. "

# fmt: off
RIGHT = [
    (NET, r"$z^l = W^l a^{l-1} + b^l$ and $a^l = \tanh(z^l)$"),
    (NET, LET + r"$\delta^{(L)} = (a^{(L)} - y) \odot \tanh'(z^{(L)})$"),
    (NET, LET + r"$\delta^{(l)} = ((W^{(l+1)})^T \delta^{(l+1)}) \odot \tanh'(z^{(l)})$"),
    (NET, LET + r"$\frac{\partial C}{\partial W^{(l)}_{jk}} = a^{(l-1)}_k \delta^{(l)}_j$"),
    (NET, LET + r"$\nabla_{W^{(l)}} C = \delta^{(l)} (a^{(l-1)})^\top$"),
    (CHAIN, r"$s_t = A s_{t-1} + B u_t$"),
    (CHAIN, r"$\frac{\partial J}{\partial s_T} = 2 g \odot s_T$"),
    (CHAIN, r"$\frac{\partial J}{\partial s_t} = A^\top \frac{\partial J}{\partial s_{t+1}}$"),
    (CHAIN, r"$\frac{\partial J}{\partial B} = \sum_{t=1}^T \nabla_{s_t} J \, u_t^\top$"),
    (CHAIN, r"$\frac{\partial J}{\partial A} = \sum_{t=1}^{T} \nabla_{s_t} J \, s_{t-1}^\top$"),
]
WRONG = [
    (NET, r"$z^l = W^l a^{l-1} + b^{l-1}$"),
    (NET, LET + r"$\delta^{(l)} = ((W^{(l)})^T \delta^{(l+1)}) \odot \tanh'(z^{(l)})$"),
    (NET, LET + r"$\delta^{(l)} = (W^{(l+1)} \delta^{(l+1)}) \odot \tanh'(z^{(l)})$"),
    (NET, LET + r"$\nabla_{W^{(l)}} C = \delta^{(l)} (a^{(l)})^\top$"),
    (CHAIN, r"$\frac{\partial J}{\partial s_t} = A \frac{\partial J}{\partial s_{t+1}}$"),
    (CHAIN, r"$\frac{\partial J}{\partial B} = \sum_{t=2}^T \nabla_{s_t} J \, u_t^\top$"),
    (CHAIN, r"$\frac{\partial J}{\partial A} = \sum_{t=1}^T \nabla_{s_t} J \, s_t^\top$"),
]
# fmt: on


@pytest.mark.parametrize(("model", "text"), RIGHT)
def test_a_line_for_any_layer_holds_at_each(model: str, text: str) -> None:
    assert {s.verdict for s in sb.verify(sb.parse(model), text).steps} == {"proved"}


@pytest.mark.parametrize(("model", "text"), WRONG)
def test_a_line_that_fails_at_one_layer_is_refuted(model: str, text: str) -> None:
    assert sb.verify(sb.parse(model), text).verdict == "refuted"


def test_the_report_says_for_which_layers() -> None:
    (step,) = sb.verify(sb.parse(NET), r"$z^l = W^l a^{l-1} + b^l$").steps
    assert "read for l = 1; l = 2; l = 3" in step.notes


def test_numbers_are_put_in_scripts_only() -> None:
    tree = read_formula(lex_latex(r"l a^{l-1} + \sum_{t=1}^T b_t^T"), "", "")
    at = put(tree, {"l": 3, "T": 4})
    assert "text='2'" in repr(at)
    assert "text='4'" in repr(at)
    assert repr(at).count("text='l'") == 1
    assert repr(at).count("text='T'") == 1


def test_shifts() -> None:
    assert shifted_letter(read_formula(lex_latex("l-1"), "", "")) == ("l", -1)
    assert shifted_letter(read_formula(lex_latex("2 l"), "", "")) is None


def test_nothing_runs_without_numbered_names() -> None:
    model = sb.parse("dims N\ndata x[N]\nparam w[N]\nL = sum(w * x)")
    report = sb.verify(model, r"$\frac{\partial L}{\partial w_l} = x_l$")
    assert [s.verdict for s in report.steps] == ["proved"]
    assert not any("read for" in n for s in report.steps for n in s.notes)
