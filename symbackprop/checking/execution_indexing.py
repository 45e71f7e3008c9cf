"""``a[...]`` read and written: whole numbers, slices, new axes, masks, rows picked by labels.

An item is a number (an array without axes), a slice, None, an ellipsis, an array of places, or the
labels of a one-hot array. What NumPy would do by another rule is not followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer, Mul, expand

from symbackprop.checking.execution_arrays import (
    bound,
    common,
    elementwise,
    misfit,
    spread,
    total,
)
from symbackprop.checking.execution_guards import delta, inside, settled, where
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Failing,
    Labels,
    Sequence_,
    Unfollowed,
    array,
    integer,
    position,
    positions,
)
from symbackprop.ir.expressions import Index, free_indices, substitute
from symbackprop.ir.terms import Shape, same_extent, same_shape

ZERO, ONE = Integer(0), Integer(1)
Item = Any


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an axis: where it starts, how long it is."""

    start: Expr
    count: Expr
    step: int = 1


def plain(item: Item) -> Item:
    """An item without the memory it lives in; a range is the array of its places."""
    if isinstance(item, Cell):
        item = item.value
    if isinstance(item, Sequence_):
        axis = position(0, item.count)
        return Array(item.start + item.step * axis, (axis,))
    return item


def normal(items: Sequence[Item], rank: int) -> list[Item]:
    """The items with the ellipsis written out and missing slices added."""
    out = [plain(i) for i in items]
    used = sum(_takes(i) for i in out)
    if used > rank:
        raise Failing(f"{used} indices for an array of rank {rank}")
    whole = [slice(None)] * (rank - used)
    places = [k for k, i in enumerate(out) if i is Ellipsis]
    if len(places) > 1:
        raise Unfollowed("two ellipses in one index")
    if places:
        return out[: places[0]] + whole + out[places[0] + 1 :]
    return out + whole


def _takes(item: Item) -> int:
    """How many axes an item uses up."""
    if item is None or item is Ellipsis:
        return 0
    return item.rank if isinstance(item, Array) and item.boolean and item.axes else 1


def span_of(item: slice, extent: Expr) -> Span:
    """A slice of an axis of this extent."""
    step = 1 if item.step is None else integer(item.step)
    if step not in (1, -1):
        raise Unfollowed("a slice with a step")
    if step == -1:
        if item.start is not None or item.stop is not None:
            raise Unfollowed("a slice that runs backwards from a place")
        return Span(extent - 1, extent, -1)
    start = _end(item.start, extent, ZERO)
    stop = _end(item.stop, extent, extent)
    count = expand(stop - start)
    if count.is_negative or (count.is_Integer and int(count) <= 0):
        raise Unfollowed("an empty slice")
    return Span(start, count)


def _end(value: Item, extent: Expr, default: Expr) -> Expr:
    value = plain(value)
    if value is None:
        return default
    if not isinstance(value, Array) or value.axes:
        raise Unfollowed("a slice that ends at an array")
    e = value.expr
    if e.is_Integer and int(e) < 0:
        return extent + e
    if e.is_Integer and extent.is_Integer:
        return Integer(min(int(e), int(extent)))
    return e


def place(item: Array, extent: Expr) -> Expr:
    """A single place along an axis."""
    e = item.expr
    if e.is_Integer and int(e) < 0:
        return extent + e
    if e.is_Integer and extent.is_Integer and int(e) >= int(extent):
        raise misfit(f"the index {e} is out of range", Array(ONE, positions((extent,))))
    return e


def get(a: Array, given: Sequence[Item]) -> Array:
    """``a[items]``."""
    items = normal(given, a.rank)
    if any(isinstance(i, Array) and i.boolean for i in items):
        raise Unfollowed("the entries that a mask picks, as a vector")
    picked = [i for i in items if isinstance(i, Labels) or (isinstance(i, Array) and i.axes)]
    if picked:
        return _gather(a, items)
    axes: list[Index] = []
    to: dict[Index, Expr] = {}
    left = iter(a.axes)
    for k, item in enumerate(items):
        if item is None:
            axes.append(Index(f"_n{k}", ONE))
            continue
        axis = next(left)
        if isinstance(item, slice):
            span = span_of(item, axis.extent)
            index = Index(f"_n{k}", span.count)
            axes.append(index)
            to[axis] = ZERO if axis.extent == 1 else span.start + span.step * index
        elif isinstance(item, Array):
            to[axis] = place(item, axis.extent)
        else:
            raise Unfollowed("an index that is neither number, slice nor array")
    return array(settled(substitute(a.expr, to)), axes, (a, *_arrays(items)), a.boolean)


def _arrays(items: Sequence[Item]) -> list[Array]:
    return [i.hot if isinstance(i, Labels) else i for i in items if isinstance(i, Array | Labels)]


def _gather(a: Array, items: list[Item]) -> Array:
    """Arrays of places: their axes together take the place of the axes that they pick from."""
    if any(i is None for i in items):
        raise Unfollowed("new axes together with arrays of places")
    shape, at, choice = _picked(a, items)
    axes: list[Index] = []
    to: dict[Index, Expr] = {}
    body = a.expr
    done = False
    for k, (axis, item) in enumerate(zip(a.axes, items, strict=True)):
        if isinstance(item, slice):
            span = span_of(item, axis.extent)
            index = Index(f"_n{k}", span.count)
            axes.append(index)
            to[axis] = span.start + span.step * index
            continue
        if not done:
            axes.extend(at)
            done = True
        if isinstance(item, Labels):
            continue
        to[axis] = _spread_at(item, shape, at)
    body = substitute(body, to)
    if choice is not None:
        axis, hot = choice
        c = bound(axis.extent, body, hot)
        body = total(substitute(body, {axis: c}) * substitute(hot, {axis: c}), c)
    return array(settled(body), axes, (a, *_arrays(items)))


def _picked(a: Array, items: list[Item]) -> tuple[Shape, list[Index], tuple[Index, Expr] | None]:
    """The common shape of the arrays of places, its indices, and the one-hot choice among them as
    an entry at those indices and the axis that it picks from.
    """
    advanced = [k for k, i in enumerate(items) if not isinstance(i, slice)]
    if advanced != list(range(advanced[0], advanced[-1] + 1)):
        raise Unfollowed("arrays of places with a slice between them")
    ones = [Array(ONE, positions(i.shape)) for i in items if isinstance(i, Array | Labels)]
    shape = common("the index arrays", ones)
    at = [Index(f"_g{k}", e) for k, e in enumerate(shape)]
    labels = [(axis, i) for axis, i in zip(a.axes, items, strict=True) if isinstance(i, Labels)]
    if not labels:
        return shape, at, None
    if len(labels) > 1:
        raise Unfollowed("two arrays of labels in one index")
    axis, found = labels[0]
    if not same_extent(found.hot.shape[-1], axis.extent):
        raise misfit("labels of another number of classes", a, found.hot)
    rank = found.hot.rank - 1
    to: dict[Index, Expr] = {
        old: ZERO if old.extent == 1 else new
        for old, new in zip(found.hot.axes, [*at[len(at) - rank :], axis], strict=True)
    }
    return shape, at, (axis, substitute(found.hot.expr, to))


def _spread_at(item: Array, shape: Shape, at: list[Index]) -> Expr:
    entry = spread(item, shape)
    return substitute(entry, dict(zip(positions(shape), at, strict=True)))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a write goes: an indicator at the canonical indices, the shape of the region, and the
    index of the region at which each place of the array gets its value.
    """

    condition: Expr
    shape: Shape
    back: dict[Index, Expr]
    soft: bool = False


def target(a: Array, given: Sequence[Item]) -> Target:
    """The places that ``a[items] = …`` writes."""
    items = normal(given, a.rank)
    if any(isinstance(i, Array) and i.boolean and i.axes for i in items):
        return _masked(a, items)
    picked = [i for i in items if isinstance(i, Labels) or (isinstance(i, Array) and i.axes)]
    if picked:
        return _scattered(a, items)
    guards: list[Expr] = []
    shape: list[Expr] = []
    back: dict[Index, Expr] = {}
    left = iter(a.axes)
    for item in items:
        if item is None:
            shape.append(ONE)
            continue
        axis = next(left)
        if isinstance(item, slice):
            span = span_of(item, axis.extent)
            back[position(len(shape), span.count)] = expand(span.step * (axis - span.start))
            shape.append(span.count)
            guards.append(inside(expand(span.step * (axis - span.start)), span.count))
        elif isinstance(item, Array):
            at = place(item, axis.extent)
            guards.append(ONE if axis.extent == 1 else delta(axis, at))
        else:
            raise Unfollowed("an index that is neither number, slice nor array")
    return Target(Mul(*guards), tuple(shape), back)


def _masked(a: Array, items: list[Item]) -> Target:
    mask = items[0]
    if any(not (isinstance(i, slice) and i == slice(None)) for i in items[1:]):
        raise Unfollowed("a mask among other indices")
    if not same_shape(mask.shape, a.shape[: mask.rank]):
        raise misfit("a mask of another shape", a, mask)
    return Target(mask.expr, (), {})


def _scattered(a: Array, items: list[Item]) -> Target:
    """Rows 0, 1, … each with its own column: places that no two rows share."""
    if any(i is None or isinstance(i, slice) for i in items):
        raise Unfollowed("a write at an array of places, which may name a place twice")
    shape, at, choice = _picked(a, items)
    guard: Expr = ONE
    back: dict[Index, Expr] = {}
    order = dict(zip(at, positions(shape), strict=True))
    for axis, item in zip(a.axes, items, strict=True):
        if isinstance(item, Labels):
            continue
        entry = _spread_at(item, shape, at)
        if entry in order and same_extent(entry.extent, axis.extent):
            back[order[entry]] = axis
        else:
            guard = guard * delta(axis, entry)
    if set(back) != {i for i in positions(shape) if i.extent != 1}:
        raise Unfollowed("a write at an array of places, which may name a place twice")
    to = {i: back.get(p, ZERO) for i, p in order.items()}
    guard = substitute(guard, to)
    if choice is not None:
        guard = guard * substitute(choice[1], to)
    return Target(guard, shape, back, soft=choice is not None)


def put(a: Array, given: Sequence[Item], value: Array) -> Array:
    """The array after ``a[items] = value``."""
    where_to = target(a, given)
    new = _value_at(value, where_to)
    if where_to.soft:
        expr = a.expr * (1 - where_to.condition) + where_to.condition * new
    else:
        expr = where(where_to.condition, new, a.expr)
    return array(expr, a.axes, (a, value, *_arrays([plain(i) for i in given])))


def increase(a: Array, given: Sequence[Item], value: Array, sign: int) -> Array:
    """The array after ``a[items] += value`` (or ``-=``)."""
    where_to = target(a, given)
    new = sign * _value_at(value, where_to)
    if where_to.soft:
        expr = a.expr + where_to.condition * new
    else:
        expr = where(where_to.condition, a.expr + new, a.expr)
    return array(expr, a.axes, (a, value, *_arrays([plain(i) for i in given])))


def _value_at(value: Array, where_to: Target) -> Expr:
    """The entry that each place of the array gets."""
    if value.rank > len(where_to.shape):
        extra = value.rank - len(where_to.shape)
        if any(e != 1 for e in value.shape[:extra]):
            raise misfit("a write", Array(ONE, positions(where_to.shape)), value)
        value = array(value.expr, value.axes[extra:], (value,))
    region = Array(ONE, positions(where_to.shape))
    if not same_shape(common("a write", (region, value)), where_to.shape):
        raise misfit("a write", region, value)
    entry = spread(value, where_to.shape)
    return substitute(entry, where_to.back)


def scatter_add(a: Array, given: Sequence[Item], value: Array) -> Array:
    """``np.add.at(a, places, value)`` with one array of places for the first axis."""
    items = normal(given, a.rank)
    first = items[0]
    whole = all(isinstance(i, slice) and i == slice(None) for i in items[1:])
    if not whole or not isinstance(first, Array | Labels):
        raise Unfollowed("add.at with this index")
    shape = (*first.shape, *a.shape[1:])
    entry = spread(value, shape)
    sources = positions(shape)[: len(first.shape)]
    letters = [Index(f"_t{k}", i.extent) for k, i in enumerate(sources)]
    moved: dict[Index, Expr] = dict(zip(sources, letters, strict=True))
    kept = zip(positions(shape)[len(letters) :], a.axes[1:], strict=True)
    moved |= dict(kept)
    body = substitute(entry, moved)
    if isinstance(first, Labels):
        hot = dict(zip(first.hot.axes, [*letters, a.axes[0]], strict=True))
        body = body * substitute(first.hot.expr, hot)
    else:
        at = substitute(first.expr, dict(zip(first.axes, letters, strict=True)))
        body = body * delta(a.axes[0], at)
    for letter in letters:
        body = total(body, letter)
    return array(a.expr + body, a.axes, (a, value, *_arrays([first])))


def mask_where(mask: Array, a: Array, b: Array) -> Array:
    """``np.where``."""
    return elementwise(where, mask, a, b)


def depends_on(a: Array, index: Index) -> bool:
    """Whether an entry mentions a loop's index."""
    return index in free_indices(a.expr)
