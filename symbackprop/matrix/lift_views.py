"""Entries at other places than plain indices, read as views of arrays before a sum is lifted.

``X[n, 2*i + 1]`` is an entry of the view ``X[:, 1::2]`` at plain indices; so are ``X[n-1-i]``
(``flip``), ``X[j//p]`` (``repeat``), ``X[n, K*h + k]`` and ``X[j//K, j%K]`` (``reshape``),
``E[t[n], d]`` (``take``), ``[0 ≤ i-b < n] X[i-b]`` (``pad``), ``δ(t[n], v)`` (``onehot``),
``[j ≤ i]`` (``tril``) and an index as a number (``arange``). :func:`plain` replaces each by an
entry of a fresh name, for which the lifter keeps the view's term. What is none of these stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sympy import Add, Expr, Integer, Mul, Pow, expand

from symbackprop.ir import array_terms, terms, window_terms
from symbackprop.ir.affine import atoms_of, inside, is_affine, nonnegative
from symbackprop.ir.expressions import (
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexSum,
    InRange,
    MatrixFunction,
    Modulo,
    free_indices,
)
from symbackprop.ir.terms import ShapeError, Term
from symbackprop.matrix.lift_matrices import whole_matrix
from symbackprop.matrix.lift_windows import windowed
from symbackprop.matrix.window_ties import Tie, is_positive, simplicity, two_indices

ZERO = Integer(0)


class Views(Protocol):
    """What the rules need of the lifter: leaves, and fresh names for terms."""

    def leaf(self, name: str, indices: tuple[Expr, ...]) -> Term: ...

    def lift(self, e: Expr, indices: tuple[Index, ...]) -> Term: ...

    def named(self, term: Term) -> str:
        """The name that stands for ``term`` from now on."""


def plain(e: Expr, lifter: Views, order: Sequence[Index]) -> Expr:
    """``e`` with every such entry replaced by an entry at plain indices."""
    return _plain(e, lifter, tuple(order)) if needs_views(e, lifter) else e


def needs_views(e: Expr, lifter: Views) -> bool:
    """Whether some entry or indicator in ``e`` has compound indices, or one that runs over a part
    of its axis.
    """
    if isinstance(e, Entry):
        return not _is_plain(e, lifter)
    if isinstance(e, MatrixFunction):
        return not all(isinstance(i, Index) or i.is_Integer for i in e.indices)
    if isinstance(e, Delta):
        return not all(isinstance(i, Index) for i in e.args)
    if isinstance(e, InRange | FloorDiv | Modulo):
        return True
    if isinstance(e, Index):
        return False
    if isinstance(e, Add | Mul | Pow | Compare) and any(isinstance(a, Index) for a in e.args):
        return True
    if isinstance(e, Compare) and any(free_indices(a) and _is_index(a) for a in e.args[1:]):
        return True
    return any(needs_views(a, lifter) for a in e.args if a.args)


def _is_plain(e: Entry, lifter: Views) -> bool:
    if not all(isinstance(i, Index) or i.is_Integer for i in e.indices):
        return False
    shape = lifter.leaf(e.name, e.indices).shape
    return all(
        not isinstance(i, Index) or _runs_over(i, n) for i, n in zip(e.indices, shape, strict=True)
    )


def _runs_over(i: Index, n: Expr) -> bool:
    return i.extent == n or terms.same_extent(i.extent, n)


def _is_index(e: Expr) -> bool:
    return isinstance(e, Index) or all(isinstance(a, Index) or a == 1 for a in atoms_of(e))


def _plain(e: Expr, lifter: Views, order: tuple[Index, ...]) -> Expr:
    if isinstance(e, Index):
        return Entry(lifter.named(Term("arange", (), (e.extent,), (e.extent,))), e)
    if not e.args or not needs_views(e, lifter):
        return e
    if isinstance(e, Mul):
        return _product(list(e.args), lifter, order)
    if isinstance(e, Entry):
        return _entry(e, (), lifter) or e
    if isinstance(e, Delta):
        return _delta(e, lifter) or e
    if isinstance(e, Compare):
        mask = _triangle(e, lifter, order)
        if mask is not None:
            return mask
    if isinstance(e, InRange):
        return _range(e, lifter) or e
    if isinstance(e, MatrixFunction):
        leaf = lifter.leaf(e.name, (Index("i", e.extent), Index("j", e.extent)))
        whole = lifter.named(whole_matrix(e.function, leaf))
        return _entry(Entry(whole, *e.indices), (), lifter) or e
    if isinstance(e, FloorDiv | Modulo):
        return e
    if isinstance(e, IndexSum):
        found = windowed(e, lifter, lambda entry, guards: _entry(entry, guards, lifter), order)
        if found is not None:
            return found
    if hasattr(e, "bound"):
        return e.func(_plain(e.args[0], lifter, (*order, *e.args[1:])), *e.args[1:])
    return e.func(
        *(_plain(a, lifter, order) if a.args or isinstance(a, Index) else a for a in e.args)
    )


def _product(factors: list[Expr], lifter: Views, order: tuple[Index, ...]) -> Expr:
    """Guards join the entries that they guard: together they are a padded array."""
    guards = [f for f in factors if isinstance(f, InRange)]
    rest = [f for f in factors if not isinstance(f, InRange)]
    out: list[Expr] = []
    for f in rest:
        if isinstance(f, Entry) and guards:
            own = [g for g in guards if g.args[0] in f.indices]
            found = _entry(f, own, lifter) if own else None
            if found is not None:
                guards = [g for g in guards if g not in own]
                out.append(found)
                continue
        out.append(_plain(f, lifter, order) if f.args or isinstance(f, Index) else f)
    return Mul(*out, *(_range(g, lifter) or g for g in guards))


def _range(e: InRange, lifter: Views) -> Expr | None:
    """``[0 ≤ i - b < n]`` as a padded vector of ones."""
    place, n = e.args
    ones = Entry(lifter.named(terms.ones(n)), place)
    return _entry(ones, (e,), lifter)


def _delta(e: Delta, lifter: Views) -> Expr | None:
    """``δ(t[n], v) → onehot(t, V)[n, v]``; ``δ(a, j)`` for an affine a is an entry of a view of
    ``eye``.
    """
    for place, j in (e.args, e.args[::-1]):
        if isinstance(j, Index) and isinstance(place, Entry):
            picked = _entry(place, (), lifter) or place
            if all(isinstance(i, Index) for i in picked.indices):
                leaf = lifter.leaf(picked.name, picked.indices)
                return Entry(lifter.named(array_terms.onehot(leaf, j.extent)), *picked.indices, j)
    for place, j in (e.args, e.args[::-1]):
        if isinstance(j, Index) and j not in free_indices(place):
            whole = Entry(lifter.named(terms.eye(j.extent)), place, j)
            guard = () if inside(place, j.extent) else (InRange(place, j.extent),)
            found = _entry(whole, guard, lifter)
            if found is not None:
                return found
    return None


def _triangle(e: Compare, lifter: Views, order: tuple[Index, ...]) -> Expr | None:
    """``[j ≤ i + k] → tril(ones(…), k)[i, j]``."""
    op, (a, b) = e.op, e.args[1:]
    if op in (">", ">="):
        op, a, b = {">": "<", ">=": "<="}[op], b, a
    parts = atoms_of(b - a) if op in ("<", "<=") else {}
    ends = [x for x in parts if isinstance(x, Index)]
    if not is_affine(parts) or len(ends) != 2 or sorted(parts[x] for x in ends) != [-1, 1]:
        return None
    shift = parts.get(Integer(1), ZERO) - (1 if op == "<" else 0)
    if not shift.is_Integer or any(x != 1 and x not in ends for x in parts):
        return None
    rows, columns = sorted(ends, key=lambda i: order.index(i) if i in order else len(order))
    # 0 ≤ shift + b - a: below the diagonal where the rows are counted positively.
    lower = parts[rows] == 1
    full = terms.ones(rows.extent, columns.extent)
    mask = (
        array_terms.triangle("tril", full, int(shift))
        if lower
        else (array_terms.triangle("triu", full, -int(shift)))
    )
    return Entry(lifter.named(mask), rows, columns)


@dataclass(slots=True)
class _View:
    """A term in the making, with what stands on each of its axes."""

    term: Term
    at: list[Expr]
    padded: set[int]


def _entry(e: Entry, guards: Sequence[InRange], lifter: Views) -> Entry | None:
    """The entry at plain indices of a view that has the value of ``e`` times the guards; None if
    there is none.
    """
    view = _View(lifter.leaf(e.name, e.indices), list(e.indices), set())
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


def _is_done(view: _View, axis: int) -> bool:
    i = view.at[axis]
    return isinstance(i, Index) and _runs_over(i, view.term.shape[axis])


def _number(view: _View, axis: int, lifter: Views) -> bool:
    """``X[…, 3, …]``: the axis is taken at a place."""
    if free_indices(view.at[axis]) or isinstance(view.at[axis], Entry) or axis in view.padded:
        return False
    items = tuple(slice(None) if k != axis else view.at[axis] for k in range(axis + 1))
    view.term = terms.index(view.term, items)
    del view.at[axis]
    view.padded = {k - (k > axis) for k in view.padded}
    return True


def _looked_up(view: _View, axis: int, lifter: Views) -> bool:
    """``E[t[n], d] → E[t]``."""
    place = view.at[axis]
    if not isinstance(place, Entry) or axis in view.padded:
        return False
    picked = (
        place if all(isinstance(i, Index) for i in place.indices) else _entry(place, (), lifter)
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


def _gathered(view: _View, axis: int, lifter: Views) -> bool:
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


def _slice(view: _View, axis: int, lifter: Views) -> bool:
    """``X[i + c]``, ``X[c - i]``, ``X[p*i + c]``, padded or not."""
    parts = atoms_of(view.at[axis])
    indices = [a for a in parts if a != 1]
    if len(indices) != 1 or not isinstance(indices[0], Index):
        return False
    (i,) = indices
    step, start = parts[i], parts.get(Integer(1), ZERO)
    if step == -1:
        view.term = array_terms.flip(view.term, axis)
        start, step = expand(view.term.shape[axis] - 1 - start), Integer(1)
    if not (step.is_Integer and step > 0):
        return False
    if axis in view.padded:
        return step == 1 and _padded(view, axis, i, start)
    _cut(view, axis, start, i.extent, int(step))
    view.at[axis] = i
    return True


def _cut(view: _View, axis: int, start: Expr, count: Expr, step: int = 1) -> None:
    """``count`` entries of an axis from ``start`` on, by steps."""
    extent = view.term.shape[axis]
    stop = expand(start + step * (count - 1) + 1)
    last = nonnegative(expand(stop + step - 1 - extent))
    if step == 1 and start == 0 and terms.same_extent(stop, extent):
        return
    cut = slice(None if start == 0 else start, None if last else stop, None if step == 1 else step)
    items: tuple[object, ...] = tuple(
        slice(None) if k != axis else cut for k in range(axis + 1)
    )
    if view.term.op == "index" and _cuts_before(view.term, axis):
        items = (*view.term.attrs[0], *items[len(view.term.attrs[0]) :])
        view.term = view.term.args[0]
    view.term = terms.index(view.term, items)


def _cuts_before(term: Term, axis: int) -> bool:
    """Whether a term is cut along axes before this one, and nothing else is done to it."""
    (items,) = term.attrs
    return len(items) <= axis and all(isinstance(i, slice) for i in items)


def _padded(view: _View, axis: int, i: Index, start: Expr) -> bool:
    """``[0 ≤ i + start < n] X[i + start]`` over all i."""
    extent = view.term.shape[axis]
    before: Expr = ZERO
    if nonnegative(-start):
        before = -start
    elif nonnegative(start) and nonnegative(expand(extent - start - 1)):
        _cut(view, axis, start, expand(extent - start))
    else:
        return False
    after = expand(i.extent - before - view.term.shape[axis])
    if nonnegative(-after) and after != 0:
        _cut(view, axis, ZERO, expand(view.term.shape[axis] + after))
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


def _tiled(view: _View, axis: int, lifter: Views) -> bool:
    """``X[K*h + k] → reshape(X, …, H, K, …)[h, k]``."""
    parts = atoms_of(view.at[axis])
    if axis in view.padded or not all(isinstance(a, Index) for a in parts):
        return False
    chain: list[Index] = []
    places: Expr = Integer(1)
    while len(chain) < len(parts):
        following = next(
            (a for a in parts if a not in chain and expand(parts[a] - places) == 0), None
        )
        if not isinstance(following, Index):
            return False
        chain.append(following)
        places = expand(places * following.extent)
    if not terms.same_extent(places, view.term.shape[axis]):
        return False
    new = [i.extent for i in reversed(chain)]
    shape = (*view.term.shape[:axis], *new, *view.term.shape[axis + 1 :])
    view.term = array_terms.reshape(view.term, shape)
    view.at[axis : axis + 1] = list(reversed(chain))
    view.padded = {k + (len(chain) - 1) * (k > axis) for k in view.padded}
    return True


def _repeated(view: _View, axis: int, lifter: Views) -> bool:
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
        if not inside(e, expand(count * p)):
            return False
        view.term = array_terms.repeat(view.term, p, axis)
        view.at[axis] = e
        return True
    else:
        return False
    view.at[axis : axis + 2] = [e]
    view.padded = {k - (k > axis) for k in view.padded}
    return True


def _unfolded(view: _View, axis: int, lifter: Views) -> bool:
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


def _tie(view: _View, axis: int) -> Tie | None:
    """How windows lie on an axis: those that fill it, else those with the simpler extent."""
    parts = two_indices(view.at[axis])
    if parts is None or not all(is_positive(c) for _, c in parts[:2]):
        return None
    (x, a), (y, b), constant = parts
    one = Tie(x, y, a, b, -constant)
    both = sorted((one, one.turned()), key=lambda t: simplicity(t.within.extent))
    return next((t for t in both if t.counts(view.term.shape[axis])), both[0])


def _reached(view: _View, axis: int, tie: Tie) -> bool:
    """The axis cut or padded to the places that its windows reach."""
    run = Index("_z", tie.reach)
    start = -tie.padding
    if axis in view.padded:
        if not _padded(view, axis, run, start):
            return False
    else:
        _cut(view, axis, start, tie.reach)
    view.at[axis] = expand(tie.place + tie.padding)
    return True


STEPS = (_number, _looked_up, _slice, _tiled, _unfolded, _repeated)
