"""What a written formula may mean: readings in index notation, with the price of each and the notes
it needs.

A :class:`Reading` is an expression with named free indices (the writer's letters), up to two
positional axes (matrix notation; more inside Jacobians) and a flag for a vector written as a row.
One type thus covers matrix notation, entries and mixtures. Every operator maps lists of readings to
a list; the cheapest reading is the natural one. ``guessed`` holds names that were taken from a
guess: a difference that rests on one is no refutation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Integer

from symbackprop.ir.expressions import Index, extent_symbol, free_indices, substitute
from symbackprop.ir.ordering import order_key
from symbackprop.ir.terms import same_extent, show_shape
from symbackprop.notation.written import Node

KEPT = 12
OPEN = extent_symbol("?")  # the extent of a letter that is not told yet


@dataclass(frozen=True, slots=True)
class Note:
    """A liberty taken in reading; ``accepted`` tells whether a proof may rest on it."""

    text: str
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of a piece of a formula."""

    expr: Expr
    axes: tuple[Index, ...] = ()
    row: bool = False
    cost: float = 0.0
    notes: frozenset[Note] = frozenset()
    guessed: frozenset[str] = frozenset()

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def shape(self) -> tuple[Expr, ...]:
        return tuple(i.extent for i in self.axes)

    @property
    def letters(self) -> frozenset[Index]:
        """The named free indices."""
        return free_indices(self.expr) - frozenset(self.axes)


class Unreadable(Exception):
    """A piece of a formula without a reading. ``kind`` is ``name``, ``shape`` or ``notation``."""

    def __init__(self, kind: str, message: str, node: Node, shapes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind, self.message, self.node, self.shapes = kind, message, node, shapes
        self.guessed: frozenset[str] = frozenset()


Readings = tuple[Reading, ...]


def position(k: int, extent: Expr) -> Index:
    """The canonical index of positional axis ``k``; no writer's letter begins with an
    underscore.
    """
    return Index(f"_{k}", extent)


def array(expr: Expr, axes: Iterable[Index], **rest: Any) -> Reading:
    """A reading whose positional axes are renamed to the canonical ones."""
    old = tuple(axes)
    new = tuple(position(k, i.extent) for k, i in enumerate(old))
    return Reading(substitute(expr, dict(zip(old, new, strict=True))), new, **rest)


def combined(a: Reading, b: Reading, cost: float = 0.0, *notes: Note) -> dict[str, Any]:
    """Price, notes and guesses of something made of two readings."""
    return {
        "cost": a.cost + b.cost + cost,
        "notes": a.notes | b.notes | frozenset(notes),
        "guessed": a.guessed | b.guessed,
    }


def dearer(r: Reading, cost: float, *notes: Note) -> Reading:
    """The same reading at a higher price, with further notes."""
    return replace(r, cost=r.cost + cost, notes=r.notes | frozenset(notes))


def shifted(r: Reading, prefix: str = "_t") -> Reading:
    """The reading with its positional indices renamed apart from the canonical ones."""
    new = tuple(Index(f"{prefix}{k}", i.extent) for k, i in enumerate(r.axes))
    return replace(r, expr=substitute(r.expr, dict(zip(r.axes, new, strict=True))), axes=new)


def joined(r: Reading) -> Reading:
    """The reading with each letter whose extent is open where another factor tells it."""
    found = r.letters
    open_ = [i for i in found if i.extent == OPEN]
    if not open_:
        return r
    known = {i.name: i for i in found if i.extent != OPEN}
    return closed(r, known.values())


def closed(r: Reading, known: Iterable[Index]) -> Reading:
    """The reading with open letters of these names as these."""
    by_name = {i.name: i for i in known}
    told = {i: by_name[i.name] for i in r.letters if i.extent == OPEN and i.name in by_name}
    return replace(r, expr=substitute(r.expr, told)) if told else r


def clash(*readings: Reading) -> str:
    """Why the named indices of several readings cannot be the same letters; empty if they can."""
    seen: dict[str, Index] = {}
    for r in readings:
        for letter in sorted(r.letters, key=order_key):
            if letter.extent == OPEN:
                continue
            other = seen.setdefault(letter.name, letter)
            if not same_extent(other.extent, letter.extent):
                return f"{letter.name} runs over {other.extent} and over {letter.extent}"
    return ""


def squeezed(r: Reading) -> Reading:
    """The reading without axes of extent 1."""
    ones = {i: Integer(0) for i in r.axes if i.extent == 1}
    if not ones:
        return r
    kept = tuple(i for i in r.axes if i not in ones)
    return array(substitute(r.expr, ones), kept, cost=r.cost, notes=r.notes, guessed=r.guessed)


def show(r: Reading) -> str:
    """The shape of a reading, for people."""
    if r.rank == 1 and r.row:
        return f"1×{r.shape[0]}"
    return show_shape(r.shape)


def cheapest(readings: Iterable[Reading]) -> Readings:
    """The readings without doubles, cheapest first, the dearest dropped when there are many."""
    best: dict[tuple[object, ...], Reading] = {}
    for r in sorted(readings, key=lambda r: r.cost):
        best.setdefault((r.expr, r.axes, r.row), r)
    return tuple(best.values())[:KEPT]
