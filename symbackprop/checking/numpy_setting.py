"""The model that code is followed against: its quantities and gradients, their values at a few
points, and what was proved so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sympy import Expr, Integer

from symbackprop.algebra.prove import Effort, prove
from symbackprop.checking.execution_joins import stacked
from symbackprop.checking.execution_values import (
    Array,
    Unfollowed,
    positions,
)
from symbackprop.checking.truth import TOLERANCE, Values
from symbackprop.checking.work import nodes
from symbackprop.ir import terms
from symbackprop.ir.evaluate import evaluate
from symbackprop.ir.expressions import Entry, Index, entry_names, free_indices
from symbackprop.ir.program import Equation, Fact, Program
from symbackprop.ir.terms import same_shape

LARGE, VERY_LARGE = 40, 400
PROVING, ONE_PROOF = 5_000, 2_000  # steps of work for the proofs of a function, and for one


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
    # Whether proofs are asked for: what holds in one of many nets is none, and values will do.
    proves: bool = True
    effort: Effort = field(default_factory=lambda: Effort(PROVING))
    # What arrays were found to be: a function is followed again and again with little changed.
    recognised: dict[tuple[Expr, tuple[Index, ...], bool], Expr | None] = field(
        default_factory=dict
    )
    of_shape: dict[tuple[Expr, ...], list[tuple[Equation, Expr]]] = field(default_factory=dict)
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
        """Whether a proof is found that two entries of the same values are equal, where one is
        asked for.
        """
        if a == b or not self.proves:
            return True
        if (a, b) not in self.proofs:
            own = Effort(max(0, min(ONE_PROOF, self.effort.budget - self.effort.spent)))
            found = prove(a, b, self.extended(), own)
            self.effort.spent += own.spent
            self.proofs[a, b] = found is not None
            if found is not None:
                self.facts.update(dict.fromkeys(found.facts))
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
        key = a.expr, a.axes, prove
        if key not in self.recognised:
            self.recognised[key] = self._known(a, prove)
        return self.recognised[key]

    def _known(self, a: Array, prove: bool) -> Expr | None:
        free = free_indices(a.expr) - set(a.axes)
        if free or not a.axes:
            return None
        for equation, entry in self._shaped(a.shape):
            if entry != a.expr and self._may_agree(a, equation):
                if self.equal(a.expr, entry, prove):
                    return entry
        return None

    def _shaped(self, shape: tuple[Expr, ...]) -> list[tuple[Equation, Expr]]:
        """The program's quantities of a shape, each with its entry."""
        if shape not in self.of_shape:
            self.of_shape[shape] = [
                (e, self.entry(e.name).expr)
                for e in self.program.equations
                if not e.hidden and same_shape(e.shape, shape)
            ]
        return self.of_shape[shape]

    def _may_agree(self, a: Array, equation: Equation) -> bool:
        """Whether one number of an array is what it is in a quantity, a cheap first look."""
        point = self.values.points[0]
        left, right = self.values.of(a.expr, a.axes, 0), point.values[equation.name]
        x, y = (float(np.asarray(v).flat[0]) for v in (left, right))
        return not abs(x - y) > TOLERANCE * (1 + abs(y))

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
