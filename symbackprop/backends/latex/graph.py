r"""The picture of a network: its equations in order, with what feeds each of them, in TikZ.

Takes a program, gives rows of boxes. Consecutive equations are joined by straight arrows, others by
bent ones; parameters stand above the equation that uses them, data below. A network of more than
``LARGEST`` equations has no picture: nobody would read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.backends.latex.symbols import Notation
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.program import Program

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
class Arrow:
    """From one box to another; ``style`` is a TikZ path operation."""

    start: str
    path: str
    end: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All boxes and arrows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def draw_network(
    program: Program, notation: Notation, shape_text: dict[str, str]
) -> Picture | None:
    """The picture of the program's visible equations; None where there are too many."""
    equations = tuple(program.visible())
    if not equations or len(equations) > LARGEST:
        return None
    place = {e.name: divmod(k, PER_ROW) for k, e in enumerate(equations)}
    key = {e.name: f"q{k}" for k, e in enumerate(equations)}
    boxes, arrows = [], []
    for equation in equations:
        row, column = place[equation.name]
        used = entry_names(equation.rhs)
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
                path = _path(place[other.name], place[equation.name])
                arrows.append(Arrow(key[other.name], path, key[equation.name]))
    return Picture(tuple(boxes), tuple(arrows))


def _listed(names: list[str], notation: Notation) -> str:
    return ", ".join(notation.name(n) for n in names)


def _path(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Straight to the next box, in a bow over skipped ones, and round the corner to a new row."""
    if start[0] == end[0]:
        return "to" if end[1] == start[1] + 1 else "to[bend left=38]"
    return "to[out=-60, in=150]"
