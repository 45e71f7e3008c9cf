"""Second derivatives by hand: blocks and entries of the Hessian, derivatives of gradients."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.checking.judge import verify
from tests.checking.fixtures import LAYERS, written

LOGISTIC = """
dims N, D
data X[N, D], y[N]
param w[D], b
z = X @ w + b
p = sigmoid(z)
L = -sum(y*log(p) + (1 - y)*log(1 - p))
"""
ENTRIES = r"$\frac{\partial^2 L}{\partial w_i \partial w_j} = \sum_n p_n (1 - p_n) X_{ni} X_{nj}$"
SQUARE = r"$\frac{\partial^2 L}{\partial w^2} = X^\top \operatorname{diag}(p \odot (1 - p)) X$"
WEIGHED = (
    r"$\nabla_w^2 L = \frac{\partial^2 L}{\partial w \partial w^\top} = X^\top S X$"
    r" where $S_{nn} = p_n (1 - p_n)$"
)
MIXED = (
    r"$\frac{\partial^2 L}{\partial w \, \partial b} = X^\top (p \odot (1 - p))$, "
    r"$\frac{d^2 L}{d b^2} = p^\top (1 - p)$"
)
ON_Z = r"$\frac{\partial^2 L}{\partial z_n \partial z_m} = p_n (1 - p_n) \delta_{nm}$"
TWICE = (
    r"$\frac{\partial}{\partial w_j} \left(\frac{\partial L}{\partial w_i}\right) ="
    r" \sum_n X_{ni} \frac{\partial p_n}{\partial w_j} = \sum_n X_{ni} X_{nj} p_n (1 - p_n)$, "
    r"$\frac{\partial^2 L}{\partial w_i^2} = \sum_n X_{ni}^2 p_n (1 - p_n)$"
)
BLOCK = (
    r"$\frac{\partial^2 L}{\partial v_m \partial W_{kd}} = \sum_n ((p_n - y_n) \delta_{mk}"
    r" + H_{nm} v_k)(1 - H_{nk}^2) X_{nd}$, $\frac{\partial^2 L}{\partial v^2} = H^\top H$"
)

# fmt: off
RIGHT = [(LOGISTIC, ENTRIES), (LOGISTIC, SQUARE), (LOGISTIC, WEIGHED), (LOGISTIC, MIXED),
         (LOGISTIC, ON_Z), (LOGISTIC, TWICE), (LAYERS, BLOCK)]
WRONG = [
    (LOGISTIC, ENTRIES.replace("X_{nj}", "X_{ni}")),
    (LOGISTIC, ENTRIES.replace("p_n (1 - p_n)", "p_n")),
    (LOGISTIC, SQUARE.replace(r"X^\top \op", r"-X^\top \op")),
    (LOGISTIC, SQUARE.replace(r"p \odot (1 - p)", "p - y")),
    (LOGISTIC, WEIGHED.replace("(1 - p_n)", "(1 + p_n)")),
    (LOGISTIC, MIXED.replace(r"X^\top (p", r"2 X^\top (p")),
    (LOGISTIC, MIXED.replace(r"p^\top (1 - p)", r"p^\top p")),
    (LOGISTIC, ON_Z.replace(r" \delta_{nm}", "")),
    (LOGISTIC, TWICE.replace("X_{ni}^2", "X_{ni}")),
    (LOGISTIC, r"$\frac{\partial \nabla_w L}{\partial w} = 0$"),
    (LOGISTIC, r"$\frac{\partial}{\partial w_j} \frac{\partial L}{\partial w_i} = 0$"),
    (LAYERS, BLOCK.replace(r"(p_n - y_n) \delta_{mk} +", "")),
    (LAYERS, BLOCK.replace(r"(p_n - y_n) \delta_{mk}", "(p_n - y_n)")),
    (LAYERS, BLOCK.replace(r"H^\top H", r"H H^\top")),
]
NEVER = [
    (LOGISTIC, r"$\delta = \nabla_z L$, $\frac{\partial \delta}{\partial z} = 0$"),
    (LOGISTIC, r"$\frac{\partial^2 L}{\partial w^2} = \frac{\partial^2 L}{\partial w^2}$"),
    (LOGISTIC, r"$\frac{\partial^2 p}{\partial w^2} = 0$"),
]
# fmt: on


@pytest.mark.parametrize(("model", "text"), RIGHT)
def test_second_derivatives_are_proved(model: str, text: str) -> None:
    report = verify(written(model), text, explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
    assert report.verdict == "proved"


@pytest.mark.parametrize(("model", "text"), WRONG)
def test_wrong_second_derivatives_are_refuted(model: str, text: str) -> None:
    assert verify(written(model), text, explain=False).verdict == "refuted"


@pytest.mark.parametrize(("model", "text"), NEVER)
def test_what_says_nothing_is_never_proved(model: str, text: str) -> None:
    assert verify(written(model), text, explain=False).verdict != "proved"


def test_notes_on_hessians_are_read_back() -> None:
    model = sb.parse(LOGISTIC)
    notes = sb.notes(sb.derive(model, kind="hessian"), fragment=True).source
    report = verify(written(LOGISTIC), notes, format="latex", explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
