"""Sums recognised as correlations, in the order of axes that ``conv1d`` and ``conv2d`` have.

* ``Σ_{c,u} X[n,c,i+u] w[o,c,u] → conv1d(X, w)``, and ``Σ_i G[i] x[i+k] → conv1d(x, G)``; where
  windows began two places apart, so are the entries of G: ``conv1d(x, G, dilation=2)``;
* ``Σ_u [0 ≤ l-u < T] g[l-u] w[u] → conv1d(pad(g, K-1), flip(w))``, the full correlation, where the
  kernel is what has the simpler extent.

An index is a *channel* if both arrays bear it and it is summed, *out* if the kernel alone bears it,
*batch* if the array under it alone does, and a *group* if both do and it is not summed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sympy import Expr, Mul

from symbackprop.ir import array_terms, terms, window_terms
from symbackprop.ir.affine import expanded, inside, nonnegative
from symbackprop.ir.expressions import Entry, Index, InRange, free_indices
from symbackprop.ir.terms import Term, same_extent
from symbackprop.matrix.lift_forms import indices_in
from symbackprop.matrix.window_ties import (
    AXES,
    ZERO,
    Lifts,
    Sum,
    Tie,
    by_entries,
    is_positive,
    simplicity,
    two_indices,
)

View = Callable[[Entry, Sequence[InRange]], Expr | None]
Indices = tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """What the indices beside the windows' are to a correlation."""

    batch: Indices
    channels: Indices
    groups: Indices
    out: Indices

    @property
    def of_array(self) -> Indices:
        return (*self.batch, *self.channels, *self.groups)

    @property
    def of_kernel(self) -> Indices:
        return (*self.out, *self.channels, *self.groups)

    @property
    def of_result(self) -> Indices:
        return (*self.batch, *self.groups, *self.out)


def roles(array: Expr, kernel: Expr, windows: Indices, summed: Indices) -> Roles | None:
    """The roles of all indices but the windows'; None where a correlation has no such roles."""
    mine = tuple(i for i in indices_in(array) if i not in windows)
    others = tuple(i for i in indices_in(kernel) if i not in windows)
    shared = tuple(i for i in mine if i in others)
    found = Roles(
        batch=tuple(i for i in mine if i not in shared),
        channels=tuple(i for i in shared if i in summed),
        groups=tuple(i for i in shared if i not in summed),
        out=tuple(i for i in others if i not in shared),
    )
    if set(summed) != set(found.channels):
        return None
    counted = tuple(map(len, (found.channels, found.groups, found.out)))
    if counted == (0, 0, 0):
        return found
    return found if counted in ((1, 0, 1), (0, 1, 0)) and len(found.batch) <= 1 else None


def _built(array: Term, kernel: Term, paddings: Sequence[Expr], ties: list[Tie], r: Roles) -> Term:
    """The correlation of terms whose axes stand in the order of their roles."""
    if r.groups:
        every = (slice(None),) * (kernel.rank - 1)
        kernel = terms.index(kernel, (slice(None), None, *every))
    return window_terms.correlation(
        array,
        kernel,
        [t.stride for t in ties],
        paddings,
        [t.dilation for t in ties],
        groups=r.groups[0].extent if r.groups else 1,
        axes=len(ties),
    )


# An array read at places of the result plus places in the kernel


@dataclass(frozen=True, slots=True)
class Slide:
    """An axis of an array along which a kernel slides."""

    axis: int
    tie: Tie  # position: an index of the result; within: summed, an index of the kernel


def correlated(whole: Sum, lifter: Lifts) -> Expr | None:
    """``Σ A[…, s·i + d·u - p, …] B[…, u, …]``, where nothing but A is read at windows."""
    if whole.deltas:
        return None
    for k, array in enumerate(whole.factors):
        if not isinstance(array, Entry):
            continue
        rest = whole.factors[:k] + whole.factors[k + 1 :]
        slides = list(_slides(array, rest, whole.bound))
        guarded = {array.indices[s.axis] for s in slides}
        if not 0 < len(slides) <= AXES or any(g.args[0] not in guarded for g in whole.guards):
            continue
        fits = all(_is_kernel(s, array, lifter) for s in slides)
        if fits and not any(_reads_windows(f) for f in rest):
            return _correlation(whole, array, Mul(*rest), slides, lifter)
    return None


def _slides(array: Entry, rest: Sequence[Expr], bound: Sequence[Index]) -> Iterator[Slide]:
    others = frozenset[Index]().union(*(free_indices(f) for f in rest))
    for axis, place in enumerate(array.indices):
        parts = two_indices(place)
        if parts is None or not all(is_positive(c) for _, c in parts[:2]):
            continue
        for (x, a), (y, b) in (parts[:2], parts[1::-1]):
            if x not in bound and x not in others and y in bound and y in others:
                yield Slide(axis, Tie(x, y, a, b, -parts[2]))


def _reads_windows(e: Expr) -> bool:
    """Whether some entry in ``e`` is read at a place that two indices make."""
    if isinstance(e, Entry):
        return any(two_indices(i) is not None for i in e.indices)
    return any(_reads_windows(a) for a in e.args if a.args)


def _is_kernel(slide: Slide, array: Entry, lifter: Lifts) -> bool:
    """Whether the summed factor is read without gaps, is smaller than the result, as kernels are,
    or reaches over the whole axis. Else it holds adjoints of strided places that leave some entries
    over, and unfolded windows say that better.
    """
    tie = slide.tie
    if tie.dilation == 1 or simplicity(tie.within.extent) < simplicity(tie.position.extent):
        return True
    length = lifter.leaf(array.name, array.indices).shape[slide.axis]
    return nonnegative(tie.padding) and tie.counts(length)


def _correlation(
    whole: Sum, array: Entry, kernel: Expr, slides: list[Slide], lifter: Lifts
) -> Expr | None:
    ties = [s.tie for s in slides]
    windows, places = tuple(t.within for t in ties), tuple(t.position for t in ties)
    summed = tuple(i for i in whole.bound if i not in windows)
    found = roles(array, kernel, windows + places, summed)
    if found is None or len(set(places)) < len(places):
        return None
    read, paddings = _under_kernel(whole, array, slides, found.of_array, lifter)
    weights = lifter.lift(kernel, (*found.of_kernel, *windows))
    if by_entries(read) or by_entries(weights):
        return None
    term = _built(read, weights, paddings, ties, found)
    return whole.coefficient * Entry(lifter.named(term), *found.of_result, *places)


def _under_kernel(
    whole: Sum, array: Entry, slides: list[Slide], lead: Indices, lifter: Lifts
) -> tuple[Term, list[Expr]]:
    """The array under the kernel, its windows' axes last, and the paddings with which it is read:
    whole where all windows of the axis are meant, else cut or padded to what they reach.
    """
    shape = lifter.leaf(array.name, array.indices).shape
    guarded = {g.args[0] for g in whole.guards}
    indices, paddings, runs = list(array.indices), [], []
    guards: list[Expr] = []
    for k, slide in enumerate(slides):
        tie, length, place = slide.tie, shape[slide.axis], array.indices[slide.axis]
        if nonnegative(tie.padding) and tie.counts(length):
            runs.append(Index(f"_z{k}", length))
            indices[slide.axis] = runs[-1]
            paddings.append(tie.padding)
            continue
        runs.append(Index(f"_z{k}", tie.reach))
        at = expanded(runs[-1] - tie.padding)
        indices[slide.axis] = at
        paddings.append(ZERO)
        if place in guarded and not inside(at, length):
            guards.append(InRange(at, length))
    read = Mul(Entry(array.args[0], *indices), *guards)
    return lifter.lift(read, (*lead, *runs)), paddings


# An array read at places of the result minus places in the kernel


def full(whole: Sum, ties: Sequence[tuple[Index, Tie]], lifter: Lifts, view: View) -> Expr | None:
    """``Σ_{t,u} δ(t + d·u - p, l) A[…, t, …] B[…, u, …] → conv(pad(A, d(K-1) - p), flip(B))``."""
    oriented = [_kernel_within(tie) for _, tie in ties]
    if None in oriented:
        return None
    places = tuple(place for place, _ in ties)
    turned = [t for t in oriented if t is not None]
    positions, windows = tuple(t.position for t in turned), tuple(t.within for t in turned)
    array, kernel = list[Expr](), list[Expr]()
    for f in (*whole.factors, *whole.guards):
        free = free_indices(f)
        of_array, of_kernel = bool(free & set(positions)), bool(free & set(windows))
        if free & set(places) or (of_array and of_kernel):
            return None
        (kernel if of_kernel else array).append(f)
    summed = tuple(i for i in whole.bound if i not in positions + windows)
    found = roles(Mul(*array), Mul(*kernel), positions + windows, summed)
    if found is None:
        return None
    read = lifter.lift(Mul(*array), (*found.of_array, *positions))
    weights = lifter.lift(Mul(*kernel), (*found.of_kernel, *windows))
    if by_entries(read) or by_entries(weights):
        return None
    last = tuple(range(weights.rank - len(windows), weights.rank))
    flipped = weights if weights.op == "ones" else array_terms.flip(weights, last)
    widths, at, guards = [], list[Expr](), []
    for place, tie in zip(places, turned, strict=True):
        margin = expanded(tie.dilation * (tie.within.extent - 1))
        width = expanded(margin - tie.padding)
        if nonnegative(width) and same_extent(place.extent, expanded(tie.reach - 2 * tie.padding)):
            widths.append((width, width))
            at.append(place)
            continue
        widths.append((margin, margin))
        at.append(expanded(place + tie.padding))
        if not inside(at[-1], tie.reach):
            guards.append(InRange(at[-1], tie.reach))
    padded = array_terms.pad(read, widths) if any(w != (0, 0) for w in widths) else read
    term = _built(padded, flipped, [ZERO] * len(turned), turned, found)
    result = Entry(lifter.named(term), *found.of_result, *at)
    seen = view(result, guards) if guards or list(places) != at else result
    return None if seen is None else whole.coefficient * seen


def _kernel_within(tie: Tie) -> Tie | None:
    """The tie with the kernel as what is within the windows; None where that is no correlation of
    stride 1. The simpler extent is the kernel's.
    """
    for t in sorted((tie, tie.turned()), key=lambda t: simplicity(t.within.extent)):
        simpler = simplicity(t.within.extent) < simplicity(t.position.extent)
        if t.stride == 1 and (t.dilation == 1 or simpler):
            return t
    return None
