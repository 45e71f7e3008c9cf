"""Names of gradients that stand for multiples of them by the writer's own definition."""

from __future__ import annotations

import pytest

import symbackprop as sb

NET = """
dims n0, n1, n2, m
data X[n0, m], Y[n2, m]
param W1[n1, n0], b1[n1, 1], W2[n2, n1], b2[n2, 1]
Z1 = W1 @ X + b1
A1 = tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y * log(A2) + (1 - Y) * log(1 - A2)) / m
"""
SQUARES = """
dims N, D, H, C
data X[N, D], Y[N, C]
param W1[D, H], W2[H, C]
S = tanh(X @ W1)
P = S @ W2
J = sum((P - Y)**2) / N
"""
TEXT = """dZ2 = A2 - Y
dW2 = (1/m) dZ2 @ A1.T
db2 = (1/m) np.sum(dZ2, axis=1, keepdims=True)
dZ1 = W2.T @ dZ2 * (1 - A1**2)
dW1 = (1/m) dZ1 @ X.T
db1 = (1/m) np.sum(dZ1, axis=1, keepdims=True)
"""
LATEX = r"""
$$dZ^{[2]} = A^{[2]} - Y$$
$$dW^{[2]} = \frac1m dZ^{[2]} A^{[1]T}$$
$$dZ^{[1]} = W^{[2]T} dZ^{[2]} * (1 - A^{[1]} * A^{[1]})$$
$$dW^{[1]} = \frac1m dZ^{[1]} X^T$$
"""
HALVED = """dP = P - Y
dW2 = 2/N * S.T @ dP
dS = dP @ W2.T
dW1 = 2/N * X.T @ (dS * (1 - S**2))
dX = (dS * (1 - S**2)) @ W1.T
"""
SCALED = """dP = 2*(P - Y)/N
dW2 = 2*S.T @ dP
"""
CODE = """import numpy as np

def backward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    dZ2 = A2 - Y
    dW2 = (1 / m) * dZ2 @ A1.T
    db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    dW1 = (1 / m) * dZ1 @ X.T
    db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2
"""
NET_BY_NAMES = {"call": "backward(X, Y, W1, b1, W2, b2)", "returns": "W1,b1,W2,b2"}

# fmt: off
WRONG = [  # the model, what is written, the change, the step to blame and its category
    (NET, TEXT, ("dW1 = (1/m) ", "dW1 = "), 4, "mean-for-sum"),
    (NET, TEXT, ("dW2 = (1/m) ", "dW2 = "), 1, "mean-for-sum"),
    (NET, TEXT, ("(1 - A1**2)", "A1"), 3, None),
    (NET, TEXT.replace("(1/m) ", ""), ("", ""), 0, "mean-for-sum"),
    (NET, LATEX, (r"dW^{[1]} = \frac1m", r"dW^{[1]} ="), 3, "mean-for-sum"),
    (NET, LATEX, (r"dZ^{[2]} =", r"\frac{\partial J}{\partial Z^{[2]}} ="), 0, None),
    (NET, TEXT.split("\n")[0], ("", ""), 0, "mean-for-sum"),
    (SQUARES, HALVED, ("dW2 = 2/N", "dW2 = 1/N"), 1, "factor"),
    (SQUARES, SCALED, ("= 2*(P - Y)/N", "= (P - Y)/N"), 0, "factor"),
]
# fmt: on


@pytest.mark.parametrize(
    ("model", "text", "times"),
    [(NET, TEXT, "m"), (NET, LATEX, "m"), (SQUARES, HALVED, "N/2")],
    ids=["text", "latex", "halved"],
)
def test_multiples_that_the_claims_put_right(model: str, text: str, times: str) -> None:
    report = sb.verify(sb.parse(model), text)
    assert report.verdict == "proved", str(report)
    notes = [n for s in report.steps for n in s.notes if f"{times} times the gradient here" in n]
    assert len(notes) >= 2
    assert all(v == "proved" for v in report.claims.values())
    assert not any(name.startswith("Z") for name in report.claims)


@pytest.mark.parametrize(("model", "text", "change", "at", "category"), WRONG)
def test_wrong_factors_are_refuted_where_they_are(
    model: str, text: str, change: tuple[str, str], at: int, category: str | None
) -> None:
    changed = text.replace(*change, 1) if change[0] else text
    report = sb.verify(sb.parse(model), changed)
    assert (report.verdict, report.first_wrong_step) == ("refuted", at), str(report)
    found = report.steps[at].diagnosis
    assert found is not None
    assert category in (None, found.category)


def test_what_rests_on_a_wrong_multiple_is_no_claim_that_holds() -> None:
    report = sb.verify(sb.parse(NET), TEXT.replace("(1 - A1**2)", "A1"))
    assert report.claims["W2"] == "proved"
    assert report.claims["W1"] == "refuted"


def test_code_in_which_the_division_comes_late() -> None:
    model = sb.parse(NET)
    assert sb.verify(model, CODE, **NET_BY_NAMES).verdict == "proved"
    late = CODE.replace("dW1 = (1 / m) * ", "dW1 = ")
    report = sb.verify(model, late, **NET_BY_NAMES)
    assert report.verdict == "refuted"
    assert report.first_wrong_step is not None
    assert report.steps[report.first_wrong_step].of == "W1"
