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
from symbackprop.ir.expressions import Entry, Index, free_indices, substitute
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
    found = entry_of(build, [(r.expr, r.axes) for r in operands])
    if found is None:
        return None
    return Reading(
        *found,
        cost=sum(r.cost for r in operands),
        notes=frozenset().union(*(r.notes for r in operands)),
        guessed=frozenset().union(*(r.guessed for r in operands)),
    )


Entries = tuple[Expr, tuple[Index, ...]]


def entry_of(build: Build, operands: Sequence[Entries]) -> Entries | None:
    """The entry of an operation on arrays, given by their entries and axes; None where their shapes
    do not fit.
    """
    stand_ins = [
        terms.name(f"_a{k}", [i.extent for i in axes]) for k, (_, axes) in enumerate(operands)
    ]
    try:
        term = build(*stand_ins)
    except ShapeError:
        return None
    axes = tuple(position(k, e) for k, e in enumerate(term.shape))
    scope = frozenset(i.name for i in axes)
    entry = Lowering((), (), {}).entry(term, places(axes), scope, Place.WHOLE)
    letters = (free_indices(expr) - frozenset(own) for expr, own in operands)
    entry = rename_apart(entry, frozenset[Index]().union(*letters))
    return replace_entries(entry, {f"_a{k}": _reader(o) for k, o in enumerate(operands)}), axes


def _reader(operand: Entries) -> Callable[[Entry], Expr]:
    """The entry of an operand at the places at which its stand-in is read."""
    expr, axes = operand
    return lambda e: substitute(expr, dict(zip(axes, e.indices, strict=True)))
