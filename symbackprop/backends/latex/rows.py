r"""Lines of an aligned derivation: what stands left and right of ``=``, why, and the label.

Takes formulas as LaTeX, gives rows that fit the page: long formulas are broken, and where a formula
leaves no room for its reason the reason gets a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symbackprop.backends.latex.display import broken, width

# In signs of eleven point type: a line of the page, and what a reason leaves of it.
LINE = 72.0
BESIDE_REASON = 50.0
CONTINUED = r"\qquad"
NO_TAG = r"\notag"
# A left side of more signs than this stands on a line of its own.
WIDE_LEFT = 13.0


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
    r"""Rows ``left = formula₁ = formula₂ = …``, the left side in the first alone.

    A wide left side stands on a line of its own, and the formulas are set in below it.
    """
    rows: list[Row] = []
    lines = tuple(lines)
    if not lines:
        return ()
    first, offset, relation = left, width(left), "="
    if offset > WIDE_LEFT:
        rows.append(Row("", left, "", "", NO_TAG))
        first, offset, relation = "", 4.0, r"\quad ="
    for line in lines:
        rows += _rows(first, relation, line, offset)
        first = ""
    return tuple(rows)


def set_definitions(definitions: Iterable[str]) -> tuple[Row, ...]:
    """A row for each relation that defines a name for a part of a formula."""
    rows: list[Row] = []
    for text in definitions:
        left, right = text.split(" = ", 1)
        rows += set_rows(left, [Line(right, "")])
    return tuple(rows)


def _rows(left: str, relation: str, line: Line, offset: float) -> list[Row]:
    tag = rf"\label{{{line.label}}}" if line.label else NO_TAG
    room = (BESIDE_REASON if line.why else LINE) - offset
    parts = broken(line.formula, room)
    beside = all(width(p) <= room for p in parts)
    if not beside:
        parts = broken(line.formula, LINE - offset)
    why = rf"\text{{\sbwhy{{{line.why}}}}}" if line.why else ""
    rows = [Row(left, relation, parts[0], "", NO_TAG)]
    rows += [Row("", CONTINUED, part, "", NO_TAG) for part in parts[1:]]
    last = rows.pop()
    if beside and line.why:
        return [*rows, Row(last.left, last.relation, last.right, why, tag)]
    rows.append(Row(last.left, last.relation, last.right, "", tag))
    if why:
        rows.append(Row("", "", "", why, NO_TAG))
    # A long formula reaches under the column of reasons and must not push it aside.
    return [replace(r, right=rf"\mathrlap{{{r.right}}}") if r.right else r for r in rows]
