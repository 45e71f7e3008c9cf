"""Directions that a document states, and products of a Hessian with them: notes and by hand."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.checking.judge import verify
from tests.checking.fixtures import LAYERS, written

LOGISTIC = """
dims N, D
data X[N, D], y[N]
param w[D]
z = X @ w
p = sigmoid(z)
L = -sum(y*log(p) + (1 - y)*log(1 - p))
"""
LET = r"Let $v_{\mathrm{w}} \in \mathbb{R}^{D}$. "
MOVED = LET + r"$v_{z} = X v_{\mathrm{w}}$, $(v_{p})_{n} = p_n (1 - p_n) (v_{z})_{n}$"
SLOPE = LET + r"$\frac{\partial L}{\partial w}[v_{\mathrm{w}}] = (p - y)^\top X v_{\mathrm{w}}$"
PRODUCT = LET + (
    r"$v_{z} = X v_{\mathrm{w}}$, $v_{\nabla_{z} L} = p \odot (1 - p) \odot v_{z}$, "
    r"$\frac{\partial^2 L}{\partial w^2}[v_{\mathrm{w}}] = X^\top v_{\nabla_{z} L}$"
)

# fmt: off
RIGHT = [SLOPE, PRODUCT]
WRONG = [
    MOVED.replace(r"X v_{\mathrm{w}}", r"2 X v_{\mathrm{w}}"),
    MOVED.replace("(1 - p_n) ", ""),
    SLOPE.replace("(p - y)", "(y - p)"),
    SLOPE.replace(r"X v_{\mathrm{w}}$", r"X w$"),
    PRODUCT.replace(r"\odot (1 - p)", ""),
    PRODUCT.replace(r"X^\top v_", r"-X^\top v_"),
    PRODUCT.replace(r"X^\top v_{\nabla_{z} L}", r"X^\top v_{z}"),
]
# fmt: on


@pytest.mark.parametrize("text", RIGHT)
def test_what_moves_along_a_direction_is_read(text: str) -> None:
    report = verify(written(LOGISTIC), text, explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
    assert report.verdict == "proved"


@pytest.mark.parametrize("text", WRONG)
def test_what_moves_otherwise_is_refuted(text: str) -> None:
    assert verify(written(LOGISTIC), text, explain=False).verdict == "refuted"


def test_changes_alone_claim_no_derivative() -> None:
    report = verify(written(LOGISTIC), MOVED, explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
    assert report.verdict == "undecided"


def test_what_is_defined_is_no_direction() -> None:
    text = LET + r"$v_{\mathrm{w}} = w / 2$, $\nabla_w L = X^\top (p - y)$"
    assert verify(written(LOGISTIC), text, explain=False).verdict != "refuted"


def test_a_direction_that_nobody_states_is_unread() -> None:
    text = r"$\frac{\partial L}{\partial w}[v_{\mathrm{w}}] = (p - y)^\top X v_{\mathrm{w}}$"
    assert verify(written(LOGISTIC), text, explain=False).verdict == "unreadable"


@pytest.mark.parametrize("kind", ["jvp", "hvp"])
def test_notes_are_read_back_and_what_is_wrong_in_them_is_found(kind: str) -> None:
    notes = sb.notes(sb.derive(sb.parse(LAYERS), kind=kind), fragment=True).source
    report = verify(written(LAYERS), notes, format="latex", explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
    assert report.verdict == "proved"
    spoilt = notes.replace(r"v_{p} = v_{H} v + H", r"v_{p} = v_{H} v - H")
    assert spoilt != notes
    assert verify(written(LAYERS), spoilt, format="latex", explain=False).verdict == "refuted"
