"""How an array is viewed so that an entry at compound indices stands at plain ones: step by step.

A :class:`View` is a term in the making with what stands on each of its axes. A step sees an axis
at a number, an entry of integers, an affine index, a floor or a remainder, changes the term
(``index``, ``take``, ``flip``, ``pad``, ``reshape``, ``repeat``, ``unfold``) and leaves simpler
indices. :func:`view_entry` takes steps until every axis has an index of its own, or gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sympy import Expr, Integer

from symbackprop.ir import array_terms, terms, window_terms
from symbackprop.ir.affine import atoms_of, expanded, inside, nonnegative
from symbackprop.ir.expressions import (
    Entry,
    FloorDiv,
    Index,
    InRange,
    Modulo,
    free_indices,
)
from symbackprop.ir.terms import ShapeError, Term
from symbackprop.matrix.window_ties import Tie, is_positive, simplicity, two_indices

ZERO = Integer(0)


class Views(Protocol):
    """What the rules need of the lifter: leaves, and fresh names for terms."""

    def leaf(self, name: str, indices: tuple[Expr, ...]) -> Term: ...

    def lift(self, e: Expr, indices: tuple[Index, ...]) -> Term: ...

    def named(self, term: Term) -> str:
        """The name that stands for ``term`` from now on."""


def runs_over(i: Index, n: Expr) -> bool:
    return i.extent == n or terms.same_extent(i.extent, n)


@dataclass(slots=True)
class View:
    """A term in the making, with what stands on each of its axes."""

    term: Term
    at: list[Expr]
    padded: set[int]


def view_entry(e: Entry, guards: Sequence[InRange], lifter: Views) -> Entry | None:
    """The entry at plain indices of a view that has the value of ``e`` times the guards; None if
    there is none.
    """
    view = View(lifter.leaf(e.name, e.indices), list(e.indices), set())
    waiting = {g.args[0]: g.args[1] for g in guards}
    for axis, place in enumerate(view.at):
        if place in waiting and terms.same_extent(waiting[place], view.term.shape[axis]):
            view.padded.add(axis)
            del waiting[place]
    if waiting:
        return None
    while True:
        odd = next((k for k in range(len(view.at)) if not _is_done(view, k)), None)
        if odd is None:
            return Entry(lifter.named(view.term), *view.at)
        if not any(step(view, odd, lifter) for step in STEPS):
            return None


def _is_done(view: View, axis: int) -> bool:
    i = view.at[axis]
    return isinstance(i, Index) and runs_over(i, view.term.shape[axis])


def _number(view: View, axis: int, lifter: Views) -> bool:
    """``X[…, 3, …]``: the axis is taken at a place."""
    if free_indices(view.at[axis]) or isinstance(view.at[axis], Entry) or axis in view.padded:
        return False
    items = tuple(slice(None) if k != axis else view.at[axis] for k in range(axis + 1))
    view.term = terms.index(view.term, items)
    del view.at[axis]
    view.padded = {k - (k > axis) for k in view.padded}
    return True


def _looked_up(view: View, axis: int, lifter: Views) -> bool:
    """``E[t[n], d] → E[t]``."""
    place = view.at[axis]
    if not isinstance(place, Entry) or axis in view.padded:
        return False
    picked = (
        place if all(isinstance(i, Index) for i in place.indices) else view_entry(place, (), lifter)
    )
    if picked is None:
        return False
    if any(i in view.at for i in picked.indices):
        return _gathered(view, axis, lifter)
    leaf = lifter.leaf(picked.name, picked.indices)
    view.term = array_terms.take(view.term, leaf, axis)
    view.at[axis : axis + 1] = picked.indices
    view.padded = {k + (len(picked.indices) - 1) * (k > axis) for k in view.padded}
    return True


def _gathered(view: View, axis: int, lifter: Views) -> bool:
    """``P[n, t[n]] → P[arange(N), t]``: the first axes by one and the same index."""
    shared = free_indices(view.at[axis])
    first = [i for i in view.at if free_indices(i) and free_indices(i) <= shared]
    if len(shared) != 1 or view.at[: len(first)] != first or view.padded:
        return False
    (n,) = shared
    picked = []
    for i in first:
        if i == n:
            picked.append(Term("arange", (), (n.extent,), (n.extent,)))
        elif isinstance(i, Entry) and i.indices == (n,):
            picked.append(lifter.leaf(i.name, i.indices))
        else:
            return False
    view.term = array_terms.gather(view.term, *picked)
    view.at[: len(first)] = [n]
    return True


def _slice(view: View, axis: int, lifter: Views) -> bool:
    """``X[i + c]``, ``X[c - i]``, ``X[p*i + c]``, padded or not."""
    parts = atoms_of(view.at[axis])
    indices = [a for a in parts if a != 1]
    if len(indices) != 1 or not isinstance(indices[0], Index):
        return False
    (i,) = indices
    step, start = parts[i], parts.get(Integer(1), ZERO)
    if step == -1:
        view.term = array_terms.flip(view.term, axis)
        start, step = expanded(view.term.shape[axis] - 1 - start), Integer(1)
    if not (step.is_Integer and step > 0):
        return False
    if axis in view.padded:
        return step == 1 and _padded(view, axis, i, start)
    _cut(view, axis, start, i.extent, int(step))
    view.at[axis] = i
    return True


def _cut(view: View, axis: int, start: Expr, count: Expr, step: int = 1) -> None:
    """``count`` entries of an axis from ``start`` on, by steps."""
    extent = view.term.shape[axis]
    stop = expanded(start + step * (count - 1) + 1)
    last = nonnegative(expanded(stop + step - 1 - extent))
    if step == 1 and start == 0 and terms.same_extent(stop, extent):
        return
    cut = slice(None if start == 0 else start, None if last else stop, None if step == 1 else step)
    items: tuple[object, ...] = tuple(slice(None) if k != axis else cut for k in range(axis + 1))
    if view.term.op == "index" and _cuts_before(view.term, axis):
        items = (*view.term.attrs[0], *items[len(view.term.attrs[0]) :])
        view.term = view.term.args[0]
    view.term = terms.index(view.term, items)


def _cuts_before(term: Term, axis: int) -> bool:
    """Whether a term is cut along axes before this one, and nothing else is done to it."""
    (items,) = term.attrs
    return len(items) <= axis and all(isinstance(i, slice) for i in items)


def _padded(view: View, axis: int, i: Index, start: Expr) -> bool:
    """``[0 ≤ i + start < n] X[i + start]`` over all i."""
    extent = view.term.shape[axis]
    before: Expr = ZERO
    if nonnegative(-start):
        before = -start
    elif nonnegative(start) and nonnegative(expanded(extent - start - 1)):
        _cut(view, axis, start, expanded(extent - start))
    else:
        return False
    after = expanded(i.extent - before - view.term.shape[axis])
    if nonnegative(-after) and after != 0:
        _cut(view, axis, ZERO, expanded(view.term.shape[axis] + after))
        after = ZERO
    if not nonnegative(after):
        return False
    widths = [(ZERO, ZERO)] * view.term.rank
    widths[axis] = (before, after)
    if (before, after) != (ZERO, ZERO):
        view.term = array_terms.pad(view.term, widths)
    view.at[axis] = i
    view.padded.discard(axis)
    return True


def _tiled(view: View, axis: int, lifter: Views) -> bool:
    """``X[K*h + k] → reshape(X, …, H, K, …)[h, k]``."""
    parts = atoms_of(view.at[axis])
    if axis in view.padded or not all(isinstance(a, Index) for a in parts):
        return False
    chain: list[Index] = []
    places: Expr = Integer(1)
    while len(chain) < len(parts):
        following = next(
            (a for a in parts if a not in chain and expanded(parts[a] - places) == 0), None
        )
        if not isinstance(following, Index):
            return False
        chain.append(following)
        places = expanded(places * following.extent)
    if not terms.same_extent(places, view.term.shape[axis]):
        return False
    new = [i.extent for i in reversed(chain)]
    shape = (*view.term.shape[:axis], *new, *view.term.shape[axis + 1 :])
    view.term = array_terms.reshape(view.term, shape)
    view.at[axis : axis + 1] = list(reversed(chain))
    view.padded = {k + (len(chain) - 1) * (k > axis) for k in view.padded}
    return True


def _repeated(view: View, axis: int, lifter: Views) -> bool:
    """``X[j // p] → repeat(X, p)[j]``; ``X[j // p, j % p] → reshape(X, …)[j]``, or ``vec`` in the
    other order.
    """
    place = view.at[axis]
    if axis in view.padded or not isinstance(place, FloorDiv | Modulo):
        return False
    e, p = place.args
    pair = tuple(view.at[axis : axis + 2])
    extents = view.term.shape[axis : axis + 2]
    rest = view.term.shape[axis + 2 :]
    if pair == (FloorDiv(e, p), Modulo(e, p)) and terms.same_extent(extents[1], p):
        view.term = array_terms.reshape(
            view.term, (*view.term.shape[:axis], array_terms.count(extents), *rest)
        )
    elif pair == (Modulo(e, p), FloorDiv(e, p)) and terms.same_extent(extents[0], p):
        if view.term.rank == 2:
            view.term = array_terms.vec(view.term)
        else:
            turned = array_terms.swap(view.term, axis, axis + 1)
            shape = (*view.term.shape[:axis], array_terms.count(extents), *rest)
            view.term = array_terms.reshape(turned, shape)
    elif isinstance(place, FloorDiv):
        count = view.term.shape[axis]
        if not inside(e, expanded(count * p)):
            return False
        view.term = array_terms.repeat(view.term, p, axis)
        view.at[axis] = e
        return True
    else:
        return False
    view.at[axis : axis + 2] = [e]
    view.padded = {k - (k > axis) for k in view.padded}
    return True


def _unfolded(view: View, axis: int, lifter: Views) -> bool:
    """``X[s*i + d*k - p] → unfold1d(X, K)[i, k]``; two such axes beside each other at once."""
    axes = [axis]
    if axis + 1 < len(view.at) and _tie(view, axis + 1) is not None:
        axes.append(axis + 1)
    ties = [tie for k in axes if (tie := _tie(view, k)) is not None]
    if len(ties) < len(axes):
        return False
    for k, tie in zip(axes, ties, strict=True):
        if not tie.counts(view.term.shape[k]) or (tie.padding != 0 and k not in view.padded):
            return _reached(view, k, tie)
    moved, last = view.term, view.term.rank - len(axes)
    order = [i for k, i in enumerate(view.at) if k not in axes]
    for k in reversed(axes):
        for j in range(k, last + axes.index(k)):
            moved = array_terms.swap(moved, j, j + 1)
    told = [(t.within.extent, t.stride, t.padding, t.dilation) for t in ties]
    try:
        view.term = window_terms.unfold(moved, *zip(*told, strict=True))
    except ShapeError:
        return False
    view.padded = {k - sum(a < k for a in axes) for k in view.padded if k not in axes}
    view.at = [*order, *(t.position for t in ties), *(t.within for t in ties)]
    return True


def _tie(view: View, axis: int) -> Tie | None:
    """How windows lie on an axis: those that fill it, else those with the simpler extent."""
    parts = two_indices(view.at[axis])
    if parts is None or not all(is_positive(c) for _, c in parts[:2]):
        return None
    (x, a), (y, b), constant = parts
    one = Tie(x, y, a, b, -constant)
    both = sorted((one, one.turned()), key=lambda t: simplicity(t.within.extent))
    return next((t for t in both if t.counts(view.term.shape[axis])), both[0])


def _reached(view: View, axis: int, tie: Tie) -> bool:
    """The axis cut or padded to the places that its windows reach."""
    run = Index("_z", tie.reach)
    start = -tie.padding
    if axis in view.padded:
        if not _padded(view, axis, run, start):
            return False
    else:
        _cut(view, axis, start, tie.reach)
    view.at[axis] = expanded(tie.place + tie.padding)
    return True


STEPS = (_number, _looked_up, _slice, _tiled, _unfolded, _repeated)
