"""Arrays joined: stacked along a new axis, or one after the other along an axis that they have."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Integer

from symbackprop.checking.execution_arrays import misfit, spread
from symbackprop.checking.execution_guards import delta, inside, where
from symbackprop.checking.execution_values import Array, Unfollowed, array
from symbackprop.ir.expressions import Index, substitute
from symbackprop.ir.terms import same_extent, same_shape

MOST = 64


def stacked(arrays: Sequence[Array], axis: int) -> Array:
    """``np.stack`` of arrays of one shape."""
    if not arrays or len(arrays) > MOST:
        raise Unfollowed(f"{len(arrays)} arrays stacked")
    first = arrays[0]
    if not all(same_shape(a.shape, first.shape) for a in arrays):
        raise misfit("arrays stacked", *arrays[:3])
    axis = axis % (first.rank + 1)
    place = Index("_new", Integer(len(arrays)))
    axes = [*first.axes[:axis], place, *first.axes[axis:]]
    entry = spread(arrays[-1], first.shape)
    for k, a in reversed(list(enumerate(arrays[:-1]))):
        entry = where(delta(place, Integer(k)), spread(a, first.shape), entry)
    return array(entry, axes, arrays)


def joined(arrays: Sequence[Array], axis: int) -> Array:
    """``np.concatenate`` along an axis."""
    if not arrays or len(arrays) > MOST:
        raise Unfollowed(f"{len(arrays)} arrays joined")
    first = arrays[0]
    if not first.axes:
        raise Unfollowed("numbers joined")
    axis = axis % first.rank
    for a in arrays:
        if a.rank != first.rank or not all(
            same_extent(x, y)
            for k, (x, y) in enumerate(zip(a.shape, first.shape, strict=True))
            if k != axis
        ):
            raise misfit("arrays joined", first, a)
    place = Index("_join", Add(*(a.shape[axis] for a in arrays)))
    axes = [*first.axes[:axis], place, *first.axes[axis + 1 :]]
    entry: Expr = Integer(0)
    start: Expr = Integer(0)
    for a in arrays:
        extent = a.shape[axis]
        to: dict[Index, Expr] = {
            old: (place - start if k == axis and extent != 1 else new)
            for k, (old, new) in enumerate(zip(a.axes, axes, strict=True))
        }
        entry = where(inside(place - start, extent), substitute(a.expr, to), entry)
        start = start + extent
    return array(entry, axes, arrays)
