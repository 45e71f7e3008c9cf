"""Are two members of a relation equal? By value first, then by proof, over all pairs of their
readings.

The cheapest pair of readings counts. A dearer one is accepted only if every liberty it takes is one
that may be noted; a difference refutes only if no name in it was guessed. Shapes that fit under no
reading refute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr

from symbackprop.algebra.prove import NOWHERE_DEFINED
from symbackprop.checking.operations import zeros_like
from symbackprop.checking.readings import Note, Reading, Readings, clash, show, squeezed
from symbackprop.checking.truth import Values
from symbackprop.ir.expressions import free_indices, substitute
from symbackprop.ir.program import Fact, Program
from symbackprop.ir.terms import same_shape
from symbackprop.ir.verdict import Different, Equal, Witness

ROW_OR_COLUMN = Note("a vector written as a row, taken as the column that it is")
SPREAD = Note("0 is taken as an array of zeros")
TRIED = 24


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing two members: a verdict, the pair of readings it rests on, and why."""

    verdict: str
    left: Reading
    right: Reading
    why: str = ""
    witness: Witness | None = None
    shapes: tuple[str, str] | None = None
    facts: tuple[Fact, ...] = ()
    guessed: frozenset[str] = frozenset()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(
            sorted(
                {n.text for n in self.left.notes | self.right.notes}
                | ({self.why} if self.why else set())
            )
        )


def compare(
    lefts: Readings, rights: Readings, program: Program, values: Values, *, prove: bool = True
) -> Comparison:
    """The verdict on ``left = right``."""
    pairs = sorted(((a, b) for a in lefts for b in rights), key=lambda p: p[0].cost + p[1].cost)[
        :TRIED
    ]
    fitting = [f for f in (fit(a, b) for a, b in pairs) if f is not None]
    if not fitting:
        return _misfit(pairs)
    refused = None
    for a, b in fitting:
        if not values.agree(a.expr, b.expr):
            continue
        bad = sorted(n.text for n in a.notes | b.notes if not n.accepted)
        if bad:
            refused = refused or Comparison(
                "undecided", a, b, f"it would be true if {'; '.join(bad)}"
            )
            continue
        return _decided(a, b, program, values) if prove else Comparison("proved", a, b)
    if refused is not None:
        return refused
    a, b = fitting[0]
    guessed: frozenset[str] = frozenset().union(*(x.guessed | y.guessed for x, y in pairs))
    if guessed:
        said = ", ".join(sorted(guessed))
        why = f"it differs, but {said} is a guess at what was meant"
        return Comparison("undecided", a, b, why, guessed=guessed)
    if not any(values.apart(x.expr, y.expr) for x, y in fitting) and not any(
        values.apart_somewhere(x.expr, y.expr) for x, y in fitting
    ):
        return Comparison("undecided", a, b, NOWHERE_DEFINED)
    return Comparison("refuted", a, b)


def _decided(a: Reading, b: Reading, program: Program, values: Values) -> Comparison:
    """The verdict on what agrees in value."""
    verdict = values.decide(a.expr, b.expr, program)
    if isinstance(verdict, Equal):
        return Comparison("proved", a, b, facts=verdict.facts)
    if isinstance(verdict, Different):
        return Comparison("refuted", a, b, witness=verdict.witness)
    return Comparison("undecided", a, b, verdict.why)


def fit(a: Reading, b: Reading) -> tuple[Reading, Reading] | None:
    """The two with the same positional axes; None if they cannot be compared."""
    if clash(a, b):
        return None
    if same_shape(a.shape, b.shape):
        aligned = replace(
            b, expr=substitute(b.expr, dict(zip(b.axes, a.axes, strict=True))), axes=a.axes
        )
        turned = a.rank == 1 and a.row != b.row
        return a, replace(aligned, notes=b.notes | {ROW_OR_COLUMN}) if turned else aligned
    if b.rank == 0 and b.expr == 0:
        return a, replace(zeros_like(a), notes=b.notes | {SPREAD})
    x, y = squeezed(a), squeezed(b)
    if (x.rank, y.rank) != (a.rank, b.rank):
        return fit(x, y)
    return None


def _misfit(pairs: list[tuple[Reading, Reading]]) -> Comparison:
    a, b = pairs[0]
    reason = clash(a, b)
    why = (
        f"the index {reason}" if reason else f"the left side is {show(a)}, the right side {show(b)}"
    )
    shapes = (show(b), show(a))
    guessed: frozenset[str] = frozenset().union(*(x.guessed | y.guessed for x, y in pairs))
    if guessed:
        why = f"the shapes differ, but {', '.join(sorted(guessed))} is a guess at what was meant"
        return Comparison("undecided", a, b, why, shapes=shapes, guessed=guessed)
    return Comparison("refuted", a, b, why, shapes=shapes)


def tautology(a: Expr, b: Expr) -> bool:
    """Whether both sides are the same entry, so that the relation says nothing."""
    return a == b and free_indices(a) == free_indices(b)
