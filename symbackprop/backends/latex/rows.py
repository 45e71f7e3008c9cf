r"""Lines of an aligned derivation: what stands left and right of ``=``, why, and the label.

Takes formulas as LaTeX, gives rows that fit the page: long formulas are broken, and where a formula
leaves no room for its reason the reason gets a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.backends.latex.display import broken, width

# In signs of eleven point type: a line of the page, and what a reason leaves of it.
LINE = 72.0
BESIDE_REASON = 50.0
CONTINUED = r"\qquad"


@dataclass(frozen=True, slots=True)
class Row:
    """One line; ``relation`` is ``=`` or the space before a continued formula."""

    left: str
    relation: str
    right: str
    why: str
    tag: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a row is made of: a formula, the reason (TeX text, may be empty) and the label."""

    formula: str
    why: str
    label: str = ""


def set_rows(left: str, lines: Iterable[Line]) -> tuple[Row, ...]:
    r"""Rows ``left = formula₁ = formula₂ = …``, the left side in the first alone."""
    rows: list[Row] = []
    for k, line in enumerate(lines):
        rows += _rows(left if k == 0 else "", line, width(left))
    return tuple(rows)


def _rows(left: str, line: Line, offset: float) -> list[Row]:
    tag = rf"\label{{{line.label}}}" if line.label else r"\notag"
    room = (BESIDE_REASON if line.why else LINE) - offset
    parts = broken(line.formula, room)
    beside = all(width(p) <= room for p in parts)
    if not beside:
        parts = broken(line.formula, LINE - offset)
    why = rf"\sbwhy{{{line.why}}}" if line.why else ""
    rows = [Row(left, "=", parts[0], "", r"\notag")]
    rows += [Row("", CONTINUED, part, "", r"\notag") for part in parts[1:]]
    last = rows.pop()
    if beside:
        return [*rows, Row(last.left, last.relation, last.right, why, tag)]
    return [
        *rows,
        Row(last.left, last.relation, last.right, "", tag),
        Row("", "", "", why, r"\notag"),
    ]
