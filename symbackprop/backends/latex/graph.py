r"""The picture of a network: its equations in order, with what feeds each of them, in TikZ.

Takes a program, gives rows of boxes. Consecutive equations are joined by straight arrows, others by
bent ones; parameters stand above the equation that uses them, data below. A network of more than
``LARGEST`` equations has no picture: nobody would read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.backends.latex.symbols import Notation
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.program import Equation, Program

PER_ROW = 5
LARGEST = 20
ROW_HEIGHT = 3.4
COLUMN_WIDTH = 3.0


@dataclass(frozen=True, slots=True)
class Box:
    """An equation in the picture: its place, its symbol and shape, and the inputs that it uses."""

    key: str
    x: str
    y: str
    symbol: str
    shape: str
    above: str
    below: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All boxes, and arrows as TikZ paths."""

    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]


def draw_network(
    program: Program, notation: Notation, shape_text: dict[str, str]
) -> Picture | None:
    """The picture of the program's visible equations; None where there are too many."""
    equations = tuple(program.visible())
    if not equations or len(equations) > LARGEST:
        return None
    place = {e.name: _place(k) for k, e in enumerate(equations)}
    key = {e.name: f"q{k}" for k, e in enumerate(equations)}
    boxes, arrows = [], []
    for equation in equations:
        row, column = place[equation.name]
        used = _used(equation, program)
        boxes.append(
            Box(
                key[equation.name],
                f"{column * COLUMN_WIDTH:.1f}",
                f"{-row * ROW_HEIGHT:.1f}",
                notation.name(equation.name),
                shape_text[equation.name],
                _listed([p for p in program.params if p in used], notation),
                _listed([d for d in program.data if d in used], notation),
            )
        )
        for other in equations:
            if other.name in used:
                ends = key[other.name], key[equation.name]
                arrows.append(_path(*ends, place[other.name], place[equation.name]))
    return Picture(tuple(boxes), tuple(arrows))


def _place(k: int) -> tuple[int, int]:
    """Row and column of the k-th box; every other row runs backwards, as an ox ploughs."""
    row, column = divmod(k, PER_ROW)
    return row, PER_ROW - 1 - column if row % 2 else column


def _used(equation: Equation, program: Program) -> frozenset[str]:
    """The names that an equation uses, by itself or inside subexpressions that bear no name."""
    hidden = {e.name: e for e in program.equations if e.hidden}
    found = entry_names(equation.rhs)
    for name in found & hidden.keys():
        found |= _used(hidden[name], program)
    return found


def _listed(names: list[str], notation: Notation) -> str:
    return ", ".join(notation.name(n) for n in names)


def _path(a: str, b: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """Straight to the next box, in a bow over skipped ones; down outside the boxes at a turn."""
    if start[0] == end[0]:
        bow = "left" if end[1] > start[1] else "right"
        straight = abs(end[1] - start[1]) == 1
        return f"({a}) to ({b})" if straight else f"({a}) to[bend {bow}=40] ({b})"
    if end == (start[0] + 1, start[1]) and start[1] in (0, PER_ROW - 1):
        side, shift = ("east", "0.7") if start[1] else ("west", "-0.7")
        return f"({a}.{side}) -- ++({shift},0) |- ({b}.{side})"
    return f"({a}) to[out=-60, in=120] ({b})"
