"""The model that code is followed against: its quantities and gradients, their values at a few
points, and what was proved so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, Integer

from symbackprop.algebra.prove import decide
from symbackprop.checking.execution_joins import stacked
from symbackprop.checking.execution_values import (
    Array,
    Unfollowed,
    positions,
)
from symbackprop.checking.truth import Values
from symbackprop.checking.work import nodes
from symbackprop.ir import terms
from symbackprop.ir.evaluate import evaluate
from symbackprop.ir.expressions import Entry, Index, entry_names, free_indices
from symbackprop.ir.program import Equation, Fact, Program
from symbackprop.ir.terms import same_shape
from symbackprop.ir.verdict import Equal

LARGE, VERY_LARGE = 40, 400


OPEN = ("_carried", "_empty")


FIRST_NUMBER = 100_000


MOST_NESTED = 30


@dataclass(slots=True)
class Setting:
    """The model with its gradients, the values of everything at a few points, and what was proved
    so far.
    """

    forward: Program
    program: Program
    values: Values
    named: dict[tuple[Expr, tuple[Index, ...]], Equation] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    proofs: dict[tuple[Expr, Expr], bool] = field(default_factory=dict)
    facts: dict[Fact, None] = field(default_factory=dict)
    read_as: dict[str, str] = field(default_factory=dict)
    # Of a model written out: the members of each family, and how many steps an extent is.
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def extents(self) -> tuple[Expr, ...]:
        """The extents of the model's arrays that are no single dim or number."""
        shapes = [q.shape for q in self.forward.inputs] + [e.shape for e in self.forward.equations]
        return tuple(dict.fromkeys(e for shape in shapes for e in shape if not e.is_Atom))

    @property
    def whole(self) -> frozenset[str]:
        """The inputs that hold whole numbers: labels, places."""
        return frozenset(q.name for q in self.forward.inputs if q.role == "index")

    def extended(self) -> Program:
        """The program with the arrays that got a name of their own."""
        return self.program.extended(tuple(self.named.values()))

    def entry(self, name: str) -> Array:
        """A quantity of the program as an array."""
        shape = self.program.shape_of(name)
        at = positions(shape)
        places = (Integer(0) if i.extent == 1 else i for i in at)
        return Array(Entry(name, *places), at)

    def stacked(self) -> dict[str, Array]:
        """The families of a model written out, each as one array, and the extents that count
        steps.
        """
        out = {n: Array(Integer(k)) for n, k in self.counts.items()}
        for family, names in self.members.items():
            out[family] = stacked([self.entry(k) for k in names], 0)
        return out

    def equal(self, a: Expr, b: Expr, prove: bool) -> bool:
        """Whether two entries are equal: in value, and if asked by proof."""
        if a == b:
            return True
        if not self.values.agree(a, b):
            return False
        return not prove or self.proved(a, b)

    def proved(self, a: Expr, b: Expr) -> bool:
        """Whether a proof is found that two entries are equal."""
        if a == b:
            return True
        if (a, b) not in self.proofs:
            verdict = decide(a, b, self.extended())
            self.proofs[a, b] = isinstance(verdict, Equal)
            if isinstance(verdict, Equal):
                self.facts.update(dict.fromkeys(verdict.facts))
        return self.proofs[a, b]

    def keeper(self, prove: bool) -> Any:
        """How arrays are kept."""
        return lambda a: self.keep(a, prove)

    def keep(self, a: Array, prove: bool) -> Array:
        """An array under the name of the quantity that it is; a large one under a name of its
        own.
        """
        e = a.expr
        if isinstance(e, Entry) or not e.args or is_open(e) or a.boolean:
            return a
        found = self.known(a, prove)
        if found is not None:
            return replace(a, expr=found)
        return replace(a, expr=self.shorter(a)) if nodes(e, LARGE) >= LARGE else a

    def brief(self, a: Array) -> Array:
        """An array under a name of its own if it is very large."""
        if nodes(a.expr, VERY_LARGE) < VERY_LARGE or is_open(a.expr) or a.boolean:
            return a
        return replace(a, expr=self.shorter(a))

    def known(self, a: Array, prove: bool) -> Expr | None:
        """The entry of the program's quantity that an array equals."""
        free = free_indices(a.expr) - set(a.axes)
        if free or not a.axes:
            return None
        for equation in self.program.equations:
            if equation.hidden or not same_shape(equation.shape, a.shape):
                continue
            entry = self.entry(equation.name).expr
            if entry.xreplace(dict(zip(positions(equation.shape), a.axes, strict=True))) == a.expr:
                continue
            if self.equal(a.expr, entry, prove):
                return entry
        return None

    def shorter(self, a: Array) -> Expr:
        """A name for an array, with its values at all points."""
        free = sorted(free_indices(a.expr) - set(a.axes), key=lambda i: i.name)
        indices = (*free, *(i for i in a.axes if i.extent != 1))
        key = a.expr, indices
        if key not in self.named:
            within = entry_names(a.expr)
            depth = 1 + max((self.depths.get(n, 0) for n in within), default=0)
            if depth > MOST_NESTED:
                raise Unfollowed("values that rest on each other this deep")
            name = f"_{FIRST_NUMBER + len(self.named)}"
            term = terms.name(name, [i.extent for i in indices])
            self.depths[name] = depth
            self.named[key] = Equation(name, indices, a.expr, term, True)
            for k, point in enumerate(self.values.points):
                value = evaluate(a.expr, point, indices)
                self.values.points[k] = replace(point, values={**point.values, name: value})
        return Entry(self.named[key].name, *indices)


def is_open(e: Expr) -> bool:
    """Whether an entry mentions memory without a value, or a placeholder of a loop."""
    return any(n.startswith(OPEN) for n in entry_names(e))
