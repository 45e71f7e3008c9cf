"""Letters with two meanings: primes on indices, the model's extents, e, steps under a sum."""

from __future__ import annotations

import pytest

from symbackprop.checking.judge import verify
from tests.checking.fixtures import written

LINE = """
dims n, d, k
data X[n, d], t[n]
param w[d]
p = X @ w
J = sum((p - t)**2) / 2
"""
CLASSES = """
dims N, K
data y[N, K]
param Z[N, K]
P = softmax(Z)
L = -sum(y * log(P)) / N
assume y onehot
"""
DEEP = """
dims d1, d2, d3
data a1[d1], y[d3]
param w2[d2, d1], w3[d3, d2]
z2 = w2 @ a1
a2 = tanh(z2)
z3 = w3 @ a2
a3 = tanh(z3)
C = sum((a3 - y)**2) / 2
"""
ERROR = (
    r"$e = p - t$, $J = \frac12 \sum_i e_i^2$, "
    r"$\frac{\partial J}{\partial w_j} = \sum_i e_i X_{ij}$"
)
SQUARE = r"$e = p - t$, $J = \frac12 e^\top e$, $\frac{\partial J}{\partial w} = X^\top e$"
OWN = (
    r"$d = p - t$, $J = \frac12 \sum_d d_d^2$, "
    r"$\frac{\partial J}{\partial w_d} = \sum_i d_i X_{id}$"
)
TOTAL = r"$k = \sum_i p_i - \sum_i t_i$, $\frac{\partial k}{\partial w_d} = \sum_k X_{kd}$"
PRIMED = (
    r"$P_{nk} = \frac{e^{Z_{nk}}}{\sum_{k'=1}^K e^{Z_{nk'}}}$, "
    r"$\frac{\partial P_{nk}}{\partial Z_{nk'}} = P_{nk}(\delta_{kk'} - P_{nk'})$, "
    r"$\frac{\partial L}{\partial Z_{nk}} = \frac{P_{nk} \sum_{k'} y_{nk'} - y_{nk}}{N}$"
)
INNER = (
    r"$\frac{\partial J}{\partial w_d} = \sum_n (\sum_d X_{nd} w_d - t_n) X_{nd}, \quad"
    r" d = 1, \dots, d$"
)
STEPS = (
    r"$z^l = w^l a^{l-1}$, $C = \frac12 \sum_l (y_l - a^L_l)^2$, "
    r"$\frac{\partial C}{\partial a^L_l} = a^L_l - y_l$"
)

# fmt: off
RIGHT = [(LINE, ERROR), (LINE, SQUARE), (LINE, OWN), (LINE, INNER), (CLASSES, PRIMED),
         (DEEP, STEPS)]
WRONG = [
    (LINE, ERROR.replace(r"\frac12", r"\frac13")),
    (LINE, ERROR.replace(r"= \sum_i e_i X", r"= -\sum_i e_i X")),
    (LINE, SQUARE.replace(r"\frac12", "")),
    (LINE, SQUARE.replace(r"X^\top e", "X e")),
    (LINE, OWN.replace("sum_i d_i", "sum_i 2 d_i")),
    (LINE, OWN.replace("d_d^2", "d_d^3")),
    (LINE, TOTAL.replace(r"X_{kd}", "2 X_{kd}")),
    (LINE, INNER.replace("- t_n", "+ t_n")),
    (LINE, r"$d = 2 n$, $\nabla_w J = X^\top (p - t)$"),
    (CLASSES, PRIMED.replace(r"e^{Z_{nk'}}}$", r"e^{Z_{nk}}}$")),
    (CLASSES, PRIMED.replace(r"- P_{nk'})", r"- P_{nk})")),
    (CLASSES, PRIMED.replace(r"\delta_{kk'} -", r"\delta_{kk'} +")),
    (DEEP, STEPS.replace(r"\frac12", "")),
]
NEVER = [
    (DEEP, STEPS.replace("a^L_l - y_l", "y_l - a^L_l")),
    (DEEP, STEPS.replace("{a^L_l}", "{z^L_l}").replace("partial a^L_l", "partial z^L_l")),
    (LINE, INNER.replace("- t_n", "- t_d")),
]
# fmt: on


@pytest.mark.parametrize(("model", "text"), RIGHT)
def test_a_letter_is_what_its_writer_means(model: str, text: str) -> None:
    report = verify(written(model), text, explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
    assert report.verdict == "proved"


@pytest.mark.parametrize(("model", "text"), WRONG)
def test_a_letter_excuses_nothing(model: str, text: str) -> None:
    assert verify(written(model), text, explain=False).verdict == "refuted"


@pytest.mark.parametrize(("model", "text"), NEVER)
def test_a_wrong_letter_is_never_proved(model: str, text: str) -> None:
    assert verify(written(model), text, explain=False).verdict in ("refuted", "undecided")


def test_a_new_meaning_of_an_extent_claims_nothing() -> None:
    """A definition alone proves no document."""
    assert verify(written(LINE), r"$d = p - t$", explain=False).verdict == "undecided"
