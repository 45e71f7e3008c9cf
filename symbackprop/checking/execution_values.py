"""What the variables of a NumPy function hold while it is followed: arrays in index notation, and
the Python things around them.

An :class:`Array` is an expression with one canonical index ``_0, _1, …`` for each axis; an axis of
extent 1 has none in the expression. A :class:`Cell` is an array that can be changed in place, with
the views that share its memory. What cannot be followed is :class:`Unknown` and says where; what
NumPy itself would refuse is :class:`Misfit`.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Integer

from symbackprop.ir.expressions import Index, substitute
from symbackprop.ir.terms import Shape, show_shape

Value = Any
ZERO = Integer(0)


class Unfollowed(Exception):
    """Code whose effect is not worked out here; carries the place."""

    def __init__(self, message: str, node: ast.AST | None = None) -> None:
        super().__init__(message)
        self.message, self.node = message, node


class Failing(Unfollowed):
    """Code that Python or NumPy refuses to run, whatever its arrays hold."""


class Misfitting(Exception):
    """An operation that NumPy refuses for the shapes of its operands (for extents that differ)."""

    def __init__(
        self, message: str, shapes: Sequence[Shape] = (), guessed: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(message)
        self.message, self.guessed = message, guessed
        self.shapes = tuple(show_shape(s) for s in shapes)
        self.node: ast.AST | None = None


class Exhausted(Exception):
    """More work than one function is given."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array (or, without axes, a number): its generic entry.

    ``guessed`` names parameters whose meaning was guessed; ``boolean`` tells masks.
    """

    expr: Expr
    axes: tuple[Index, ...] = ()
    boolean: bool = False
    guessed: frozenset[str] = frozenset()

    @property
    def shape(self) -> Shape:
        return tuple(i.extent for i in self.axes)

    @property
    def rank(self) -> int:
        return len(self.axes)


@dataclass(frozen=True, slots=True)
class Labels:
    """The places of the ones in the rows of a one-hot array: ``Y.argmax(axis=1)``."""

    hot: Array

    @property
    def shape(self) -> Shape:
        return self.hot.shape[:-1]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that was not followed: why, and the line."""

    why: str
    line: int


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that NumPy would not compute: shapes clash at ``line``."""

    why: str
    line: int
    shapes: tuple[str, ...] = ()
    guessed: frozenset[str] = frozenset()


@dataclass(eq=False, slots=True)
class Cell:
    """An array in memory: ``value`` changes in place; ``base`` is the cell of which it is a
    view; ``serial`` tells which of two cells is older.
    """

    value: Array | Labels | Unknown | Misfit
    base: Cell | None = None
    views: list[Cell] = field(default_factory=list)
    serial: int = field(default_factory=itertools.count().__next__)


@dataclass(frozen=True, slots=True)
class View:
    """A fresh view of a cell, not yet bound to a name."""

    array: Array
    base: Cell


@dataclass(eq=False, slots=True)
class Record:
    """An object with attributes (``self``), or what stands for a tuple or dict whose contents are
    found by name when they are taken out.
    """

    attributes: dict[str, Value]
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Routine:
    """A function of the file (or a lambda), with the values of ``self`` and the frame around it."""

    node: ast.FunctionDef | ast.Lambda
    outer: dict[str, Value]
    owner: Record | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A function known by name: of NumPy, a method of a value, or of the model."""

    name: str
    owner: Value = None


@dataclass(frozen=True, slots=True)
class Sequence_:
    """``range``, or the rows of arrays side by side, over symbolic extents: ``item(n)`` is what the
    loop variable holds.
    """

    count: Expr
    item: Any
    start: Expr = ZERO
    step: int = 1


def position(k: int, extent: Expr) -> Index:
    """The canonical index of axis ``k``."""
    return Index(f"_{k}", extent)


def positions(shape: Sequence[Expr]) -> tuple[Index, ...]:
    """The canonical indices of a shape."""
    return tuple(position(k, e) for k, e in enumerate(shape))


def array(
    expr: Expr, axes: Sequence[Index], sources: Iterable[Array] = (), boolean: bool = False
) -> Array:
    """An array with its axes renamed to the canonical ones."""
    new = tuple(position(k, i.extent) for k, i in enumerate(axes))
    to: dict[Index, Expr] = {
        old: Integer(0) if i.extent == 1 else i for old, i in zip(axes, new, strict=True)
    }
    guessed: frozenset[str] = frozenset().union(*(s.guessed for s in sources))
    return Array(substitute(expr, to), new, boolean, guessed)


def number(value: Expr | int) -> Array:
    """A number."""
    return Array(Integer(value) if isinstance(value, int) else value)


def integer(value: Value) -> int | None:
    """The Python integer that a value is, if it is one."""
    if isinstance(value, Cell):
        value = value.value
    if isinstance(value, Array) and not value.axes and value.expr.is_Integer:
        return int(value.expr)
    return None
