"""Sums over windows recognised: correlations, and windows added up where they came from.

Under a sum a place ``z = s·x + d·y - p`` ties three indices together. Where z is the place at which
an array is read and x belongs to the result, the sum is a correlation. Where z belongs to the
result, entries of windows are added up:

* ``Σ_t [0 ≤ l-s·t < K] g[t] w[l-s·t] → fold1d(outer(g, w), L, stride=s)``;
* ``Σ_{t,k} δ(s·t + d·k - p, l) A[t,k] → fold1d(A, L, stride=s, padding=p, dilation=d)``;
* with stride 1 a full correlation: ``conv1d(pad(g, K-1), flip(w))``.

:func:`windowed` gives an equal entry of a fresh name, for which the lifter keeps the term, or None
where there are no windows. One axis or two may be windowed at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Expr

from symbackprop.ir import window_terms
from symbackprop.ir.affine import expanded, inside
from symbackprop.ir.expressions import (
    Entry,
    FloorDiv,
    Index,
    IndexSum,
    InRange,
    Modulo,
    entries,
    free_indices,
)
from symbackprop.ir.terms import ShapeError
from symbackprop.matrix.lift_correlations import View, correlated, full
from symbackprop.matrix.lift_forms import indices_in
from symbackprop.matrix.window_ties import (
    ZERO,
    Lifts,
    Sum,
    Tie,
    by_entries,
    simplicity,
    tied,
)


def windowed(e: IndexSum, lifter: Lifts, view: View, order: Sequence[Index] = ()) -> Expr | None:
    """``e`` as an entry of a correlation or of windows folded up, its axes in this order where that
    is free; None if it is neither.
    """
    if any(i in free_indices(e) for i in _taken_apart(e)):
        return None  # windows are looked for when the index has been taken apart
    whole = Sum.of(e)
    found = tied(whole) if whole.guards or whole.deltas else None
    try:
        if found is None:
            return correlated(whole, lifter)
        inner, ties = found
        at = {i: k for k, i in enumerate(order)}
        ties.sort(key=lambda tie: at.get(tie[0], len(at)))
        return full(inner, ties, lifter, view) or _folded(inner, ties, lifter, view, order)
    except ShapeError:  # windows that do not fit are no windows
        return None


def _taken_apart(e: Expr) -> Iterator[Expr]:
    """The indices of which a quotient or a remainder occurs."""
    if isinstance(e, FloorDiv | Modulo):
        yield e.args[0]
    for a in e.args:
        if a.args:
            yield from _taken_apart(a)


def _folded(
    whole: Sum,
    ties: Sequence[tuple[Index, Tie]],
    lifter: Lifts,
    view: View,
    order: Sequence[Index],
) -> Expr | None:
    whole = _read_padded(whole, ties, view)
    chosen = [_oriented(place, tie) for place, tie in ties]
    places = tuple(place for place, _ in ties)
    positions, windows = tuple(t.position for t in chosen), tuple(t.within for t in chosen)
    summed = tuple(i for i in whole.bound if i not in positions + windows)
    inner = IndexSum(whole.rest, *summed) if summed else whole.rest
    free = [i for i in indices_in(inner) if i not in positions + windows]
    lead = (*(i for i in order if i in free), *(i for i in free if i not in order))
    inside_windows = lifter.lift(inner, (*lead, *positions, *windows))
    if by_entries(inside_windows):
        return None
    exact = all(t.counts(place.extent) for t, place in zip(chosen, places, strict=True))
    term = window_terms.fold(
        inside_windows,
        [place.extent if exact else t.reach for t, place in zip(chosen, places, strict=True)],
        [t.stride for t in chosen],
        [t.padding if exact else ZERO for t in chosen],
        [t.dilation for t in chosen],
    )
    if exact:
        return whole.coefficient * Entry(lifter.named(term), *lead, *places)
    at = [expanded(place + t.padding) for t, place in zip(chosen, places, strict=True)]
    reaches = [(a, t.reach) for a, t in zip(at, chosen, strict=True)]
    guards = [InRange(a, n) for a, n in reaches if not inside(a, n)]
    seen = view(Entry(lifter.named(term), *lead, *at), guards)
    return None if seen is None else whole.coefficient * seen


def _read_padded(whole: Sum, ties: Sequence[tuple[Index, Tie]], view: View) -> Sum:
    """The sum with arrays read padded inside its factors: ``[0 ≤ z < n] (X[z] == P)`` at a place z
    of the windows. What lies outside is dropped when the windows are folded, so the guard may go.
    """
    places = {tie.place for _, tie in ties}
    guards = [g for g in whole.guards if g.args[0] in places]
    direct = [f for f in whole.factors if isinstance(f, Entry)]
    values: dict[Entry, Expr] = {}
    for e in (e for f in whole.factors if not isinstance(f, Entry) for e in entries(f)):
        own = [g for g in guards if g.args[0] in e.indices]
        seen = view(e, own) if own else None
        if seen is not None:
            values[e] = seen
        elif own:
            return whole
    if not values:
        return whole
    kept = tuple(
        g for g in whole.guards if g not in guards or any(g.args[0] in f.indices for f in direct)
    )
    factors = tuple(_exchanged(f, values) for f in whole.factors)
    return replace(whole, factors=factors, guards=kept)


def _exchanged(e: Expr, values: dict[Entry, Expr]) -> Expr:
    if e in values:
        return values[e]
    if not e.args or isinstance(e, Index | Entry):
        return e
    return e.func(*(_exchanged(a, values) if a.args else a for a in e.args))


def _oriented(place: Index, tie: Tie) -> Tie:
    """Which of the two indices counts the windows: that with which they fill the axis, else that
    which leaves the simpler windows.
    """
    both = sorted((tie, tie.turned()), key=lambda t: simplicity(t.within.extent))
    return next((t for t in both if t.counts(place.extent)), both[0])
