"""Widths, line breaks, names for parts of long formulas, and reasons as text."""

from __future__ import annotations

import pytest

from symbackprop.backends.latex.abbreviations import Abbreviator
from symbackprop.backends.latex.display import broken, width
from symbackprop.backends.latex.reasons import typeset_reason
from symbackprop.backends.latex.rows import LINE, Line, set_rows
from symbackprop.backends.latex.symbols import Notation
from symbackprop.ir import terms as t
from tests.backends.latex.cases import N


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("x", "xy"),
        (r"\frac{ab}{c}", r"ab c"),
        (r"\sum_{n=1}^{N} x", r"\sum_{n=1}^{N} xyz"),
        (r"x_{n}", "xn"),
        (r"\mathbf{1}", r"\operatorname{softmax}"),
    ],
)
def test_widths_are_ordered_as_on_paper(narrow: str, wide: str) -> None:
    assert width(narrow) < width(wide)


def test_lines_break_outside_brackets_alone() -> None:
    text = r"\left( a + b \right) + \frac{c - d}{e} - f(x + y)"
    lines = broken(text, 8)
    assert lines == [r"\left( a + b \right)", r"+ \frac{c - d}{e}", "- f(x + y)"]
    assert broken(text, 1000) == [text]


def test_a_reason_without_room_gets_its_own_line() -> None:
    long = " ".join(["x"] * 60)
    rows = set_rows("y", [Line(long, "because", "eq:1"), Line("z", "so", "eq:2")])
    assert [r.why for r in rows] == ["", r"\text{\sbwhy{because}}", r"\text{\sbwhy{so}}"]
    assert [r.tag for r in rows] == [r"\label{eq:1}", r"\notag", r"\label{eq:2}"]
    assert set_rows("y", []) == ()


def test_long_terms_get_names_for_their_parts() -> None:
    y = t.name("y", (N,))
    term = y
    for _ in range(6):
        term = t.apply("tanh", t.mul(t.add(term, y), t.add(term, y)))
    abbreviator = Abbreviator(Notation(names=frozenset({"y"})))
    text, definitions = abbreviator.term(term, 40)
    assert width(text) <= 40
    assert all(width(d) <= LINE for d in definitions)
    used = [d.split(" = ")[0] for d in definitions]
    assert used[0] in text
    assert all(name in text + "".join(definitions) for name in used)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chain rule through yhat", r"chain rule through $\hat{y}$"),
        ("put ∇yhat in and simplify", r"put $\nabla_{\hat{y}} L$ in and simplify"),
        ("δ keeps one term of each sum", r"$\delta$ keeps one term of each sum"),
        (r"\write18{id} & 100%", r"\textbackslash{}write18\{id\} \& 100\%"),
        ("a row of sum", "a row of sum"),
    ],
)
def test_reasons(text: str, expected: str) -> None:
    assert typeset_reason(text, frozenset({"yhat", "a", "sum"}), Notation()) == expected
