"""Operations of the model language on what was read: the entry of a term, with readings in place
of its arrays.

Windows, rearrangements and pooling mean in a derivation what they mean in a model, so that their
generic entries come from :mod:`symbackprop.matrix` and are said once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import Expr

from symbackprop.checking.readings import Note, Reading, Readings, cheapest, clash, position
from symbackprop.ir import terms
from symbackprop.ir.expressions import Entry, substitute
from symbackprop.ir.replacement import rename_apart, replace_entries
from symbackprop.ir.terms import ShapeError, Term
from symbackprop.matrix.lower import Lowering, places
from symbackprop.matrix.operations import Place

Build = Callable[..., Term]
MOST = 8  # combinations of readings that are tried


def apply_term(
    build: Build, operands: Sequence[Readings], cost: float = 0.0, *notes: Note
) -> Readings:
    """The readings of an operation on arrays; none where no shapes fit."""
    combinations = itertools.islice(itertools.product(*operands), MOST)
    found = (built(build, each) for each in combinations)
    return cheapest(
        replace(r, cost=r.cost + cost, notes=r.notes | frozenset(notes))
        for r in found
        if r is not None
    )


def built(build: Build, operands: Sequence[Reading]) -> Reading | None:
    """The operation on these readings; None where their shapes do not fit, or their letters."""
    if any(clash(a, b) for a, b in itertools.combinations(operands, 2)):
        return None
    stand_ins = [terms.name(f"_a{k}", r.shape) for k, r in enumerate(operands)]
    try:
        term = build(*stand_ins)
    except ShapeError:
        return None
    axes = tuple(position(k, e) for k, e in enumerate(term.shape))
    lowering = Lowering((), (), {})
    scope = frozenset(i.name for i in axes)
    entry = lowering.entry(term, places(axes), scope, Place.WHOLE)
    entry = rename_apart(entry, frozenset().union(*(r.letters for r in operands)))
    rules = {f"_a{k}": _reader(r) for k, r in enumerate(operands)}
    return Reading(
        replace_entries(entry, rules),
        axes,
        cost=sum(r.cost for r in operands),
        notes=frozenset().union(*(r.notes for r in operands)),
        guessed=frozenset().union(*(r.guessed for r in operands)),
    )


def _reader(r: Reading) -> Callable[[Entry], Expr]:
    """The entry of a reading at the places at which its stand-in is read."""
    return lambda e: substitute(r.expr, dict(zip(r.axes, e.indices, strict=True)))
