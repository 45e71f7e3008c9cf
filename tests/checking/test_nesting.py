"""Formulas nested as deep as the language allows are judged, deeper ones refused with a place."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import Malformed
from symbackprop.notation.nesting import DEEPEST_NESTING

MODEL = "dims N\nparam x[N]\nparam w[N]\nL = sum(x * w)"
HEAD = {"latex": r"\nabla_x L = ", "text": "dx = ", "numpy": "def f(x, w):\n    dx = "}
ROOM = DEEPEST_NESTING - 5  # the outermost levels are the formula's own

# fmt: off
PIECES = (  # opening, innermost, closing: each is w
    ("latex", "(",             "w",     ")"),
    ("latex", "{",             "w",     "}"),
    ("latex", r"\left[ 0 + 1", "w",     r"\right]"),
    ("latex", r"\frac{",       "w",     "}{1}"),
    ("latex", "(",             "w",     ")^T"),
    ("latex", r"- \bigl( -",   "w",     r"\bigr)"),
    ("text",  "(",             "w",     ")"),
    ("text",  "1*(0 + ",       "w",     ")"),
    ("text",  "-(-",           "w",     ")"),
    ("numpy", "(",             "w",     ")"),
)
# fmt: on


def verdict(form: str, formula: str) -> str:
    given = {"call": "f(x, w)", "returns": "x"} if form == "numpy" else {}
    tail = "\n    return dx" if form == "numpy" else ""
    return sb.verify(sb.parse(MODEL), HEAD[form] + formula + tail, format=form, **given).verdict


@pytest.mark.parametrize(("form", "opening", "inner", "closing"), PIECES)
def test_deep_nesting_is_judged(form: str, opening: str, inner: str, closing: str) -> None:
    assert verdict(form, inner.join((opening * ROOM, closing * ROOM))) == "proved"


def test_what_is_wrong_deep_inside_is_found() -> None:
    for form in ("latex", "text", "numpy"):
        assert verdict(form, "(" * ROOM + "2*w" + ")" * ROOM) == "refuted"


@pytest.mark.parametrize(("form", "opening", "inner", "closing"), PIECES)
def test_deeper_nesting_is_refused(form: str, opening: str, inner: str, closing: str) -> None:
    levels = DEEPEST_NESTING + 1
    with pytest.raises(Malformed) as refused:
        verdict(form, inner.join((opening * levels, closing * levels)))
    assert "nest" in str(refused.value)
    assert refused.value.span is not None


def test_what_doubles_at_each_level_ends_undecided() -> None:
    assert verdict("text", "softmax(" * 50 + "w" + ")" * 50) == "undecided"
    assert verdict("latex", r"\frac{w}{w + " * 120 + "w" + "}" * 120) == "undecided"


def test_accents_upon_accents_are_no_name() -> None:
    assert verdict("latex", "w + " + r"\hat{" * 60 + "x" + "}" * 60) == "unreadable"
