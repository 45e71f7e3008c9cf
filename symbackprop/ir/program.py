"""What a program is: quantities, facts, and a list of small equations, each defining one quantity
by its generic entry.

A :class:`Program` is the meeting point of the rooms: ``network`` wires it, ``calculus``
differentiates it, ``checking`` judges against it, ``backends`` print it. It is plain data;
equations come in order, each uses only what stands above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr, Symbol, expand

from symbackprop.ir.expressions import Entry, Index
from symbackprop.ir.families import Family, Loop
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.terms import Shape, Term

DECLARABLE_FACTS = (
    "onehot", "simplex", "binary", "sign", "unit", "positive", "nonnegative",
    "symmetric", "spd", "invertible", "orthogonal", "causal",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A declared input: its name, shape and role (``data``, ``param`` or ``index``).

    The values of an index are integers from 0 to ``bound - 1``.
    """

    name: str
    shape: Shape
    role: str
    bound: Expr | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known to be true: ``name kind`` (``Y onehot``), or that sums over ``axis`` have the
    value ``value``.

    ``kind`` is one of ``DECLARABLE_FACTS`` or ``sum``. ``derived`` tells facts that the tool worked
    out from declared ones.
    """

    name: str
    kind: str
    axis: int | None = None
    value: Expr | None = None
    derived: bool = False

    def __str__(self) -> str:
        if self.kind == "sum":
            over = "" if self.axis is None else f", axis={self.axis}"
            return f"sum({self.name}{over}) == {self.value}"
        return f"{self.name} {self.kind}"


@dataclass(frozen=True, slots=True)
class Equation:
    """``name[indices] = rhs``, with the array notation ``term`` in which it was written or to which
    it was lifted.

    A hidden equation was made when a heavy operation inside an expression was lowered; people see
    its term, not its name.

    An equation with a ``start`` defines a part of a stacked family: at its first index ``i`` the
    member at place ``start + i``. Its term speaks of members (``H[l-1]``), ``step`` is the letter.
    """

    name: str
    indices: tuple[Index, ...]
    rhs: Expr
    term: Term
    hidden: bool = False
    start: Expr | None = None
    step: str = ""

    @property
    def shape(self) -> Shape:
        return tuple(i.extent for i in self.indices)

    def entry_at(self, places: Sequence[Expr], prefix: str = "") -> Entry:
        """The entry that the right side at ``places`` is, or the adjoint's with a prefix."""
        if self.start is None:
            return Entry(prefix + self.name, *places)
        return Entry(prefix + self.name, expand(self.start + places[0]), *places[1:])

    def own_places(self, indices: Sequence[Expr]) -> tuple[Expr, ...]:
        """What the equation's own indices are where the entry at ``indices`` is meant."""
        if self.start is None:
            return tuple(indices)
        return (expand(indices[0] - self.start), *indices[1:])


@dataclass(frozen=True, slots=True)
class Program:
    """Inputs, facts and equations in order; ``output`` is the name of the quantity that is
    differentiated by default.

    ``functions`` are abstract elementwise functions; ``rules`` has a row for every other function
    that is no primitive. ``sizes`` are default extents by name; ``conditions`` are declared
    relations between extents (``K <= L``). ``families`` are the stacked arrays, ``loops`` the
    ranges of the letters of steps; both are empty where nothing recurs.
    """

    dims: tuple[Symbol, ...]
    inputs: tuple[Quantity, ...]
    functions: tuple[str, ...]
    facts: tuple[Fact, ...]
    equations: tuple[Equation, ...]
    output: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    conditions: tuple[tuple[Expr, str, Expr], ...] = ()
    rules: Mapping[str, FunctionRule] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    loops: Mapping[str, Loop] = field(default_factory=dict)

    def shape_of(self, name: str) -> Shape:
        """Shape of an input or of a defined quantity; KeyError if there is none of that name."""
        for q in self.inputs:
            if q.name == name:
                return q.shape
        shape = self.equation(name).shape
        return (self.families[name].count, *shape[1:]) if name in self.families else shape

    def equation(self, name: str) -> Equation:
        """The equation that defines ``name``; KeyError if there is none."""
        for e in self.equations:
            if e.name == name:
                return e
        raise KeyError(name)

    def visible(self) -> Iterator[Equation]:
        """The equations that the user wrote."""
        return (e for e in self.equations if not e.hidden)

    @property
    def params(self) -> tuple[str, ...]:
        return tuple(q.name for q in self.inputs if q.role == "param")

    @property
    def data(self) -> tuple[str, ...]:
        return tuple(q.name for q in self.inputs if q.role != "param")

    def extended(self, equations: tuple[Equation, ...]) -> Program:
        """The program with further equations at its end."""
        return replace(self, equations=self.equations + equations)
