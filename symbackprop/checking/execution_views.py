"""NumPy functions that show arrays in another shape, copy or join them.

A result that shares memory with its source is a view of it.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.execution import Machine, an_array, content, loose
from symbackprop.checking.execution_creation import (
    FLOATING,
    Keywords,
    Operands,
    Rule,
    axes_of,
    only,
    shape_of,
    use_dtype,
)
from symbackprop.checking.execution_joins import joined, stacked
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Labels,
    Named,
    Sequence_,
    Unfollowed,
    Value,
    View,
    array,
    integer,
    number,
    positions,
)
from symbackprop.ir.expressions import Index, substitute

ONE = Integer(1)


def reshape(m: Machine, given: Operands, named: Keywords) -> Value:
    shape = given[1:] if len(given) > 2 else given[1] if len(given) == 2 else named.pop("newshape")
    if named:
        raise Unfollowed(f"reshape with {', '.join(named)}")
    return viewed(given[0], ops.reshape(an_array(given[0]), shape_of(shape)))


def viewed(source: Value, result: Array) -> Value:
    """A result that shares the memory of its source."""
    if isinstance(source, Cell):
        return View(result, source)
    return View(result, source.base) if isinstance(source, View) else result


def transpose(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    axes = given[1:] if len(given) > 2 else given[1] if len(given) == 2 else named.pop("axes", None)
    if named:
        raise Unfollowed(f"transpose with {', '.join(named)}")
    axes = loose(axes)
    order = list(reversed(range(a.rank))) if axes is None else axes_of(axes, a.rank)
    if sorted(order) != list(range(a.rank)):
        raise Unfollowed("a transpose that does not name each axis once")
    return viewed(given[0], ops.permute(a, order))


def swapaxes(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 3)
    a = an_array(given[0])
    x, y = axes_of((given[1], given[2]), a.rank)
    order = list(range(a.rank))
    order[x], order[y] = y, x
    return viewed(given[0], ops.permute(a, order))


def ravel(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 1)
    return viewed(given[0], ops.flatten(an_array(given[0])))


def squeeze(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    axis = given[1] if len(given) > 1 else named.pop("axis", None)
    over = [k for k, e in enumerate(a.shape) if e == 1]
    if loose(axis) is not None:
        over = axes_of(axis, a.rank)
        if any(a.shape[k] != 1 for k in over):
            raise ops.misfit("squeeze of a long axis", a)
    kept = [i for k, i in enumerate(a.axes) if k not in over]
    return viewed(given[0], array(a.expr, kept, (a,)))


def expand_dims(m: Machine, given: Operands, named: Keywords) -> Value:
    axis = integer(given[1] if len(given) > 1 else named.pop("axis", None))
    a = an_array(given[0])
    if axis is None or named or not -a.rank - 1 <= axis <= a.rank:
        raise Unfollowed("expand_dims at this axis")
    axes = list(a.axes)
    axes.insert(axis % (a.rank + 1), Index("_new", ONE))
    return viewed(given[0], array(a.expr, axes, (a,)))


def atleast_2d(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 1)
    a = an_array(given[0])
    missing = [Index(f"_new{k}", ONE) for k in range(2 - a.rank)]
    return viewed(given[0], array(a.expr, [*missing, *a.axes], (a,)))


def copy(m: Machine, given: Operands, named: Keywords) -> Value:
    for word in ("dtype", "copy", "order"):
        if word == "dtype":
            use_dtype(named)
        else:
            named.pop(word, None)
    only(given, named, 1)
    value = content(given[0])
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, Labels):
        return value
    return Array(*_fields(an_array(value)))


def _fields(a: Array) -> tuple[Any, ...]:
    return a.expr, a.axes, a.boolean, a.guessed


def same(m: Machine, given: Operands, named: Keywords) -> Value:
    use_dtype(named)
    only(given, named, 1)
    return given[0] if isinstance(content(given[0]), Array) else an_array(given[0])


def astype(m: Machine, given: Operands, named: Keywords) -> Value:
    kind = given[1] if len(given) > 1 else named.pop("dtype", None)
    named.pop("copy", None)
    a = an_array(given[0])
    said = kind.name if isinstance(kind, Named) else kind
    if said not in FLOATING and not (a.boolean and said in ("int", "int32", "int64", "dtype")):
        raise Unfollowed("astype of another kind than floating point")
    return Array(a.expr, a.axes, False, a.guessed)


def stack(m: Machine, given: Operands, named: Keywords) -> Value:
    axis = integer(given[1] if len(given) > 1 else named.pop("axis", number(0)))
    items = content(given[0])
    if isinstance(items, Sequence_) and axis == 0 and not named:
        return an_array(items)
    if axis is None or named or not isinstance(items, list | tuple):
        raise Unfollowed("stack of these")
    return stacked([an_array(v) for v in items], axis)


def concatenate(m: Machine, given: Operands, named: Keywords) -> Value:
    axis = integer(given[1] if len(given) > 1 else named.pop("axis", number(0)))
    items = content(given[0])
    if axis is None or named or not isinstance(items, list | tuple):
        raise Unfollowed("concatenate of these")
    return joined([an_array(v) for v in items], axis)


def joined_by(axis: int) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        only(given, named, 1)
        items = content(given[0])
        if not isinstance(items, list | tuple):
            raise Unfollowed("a join of these")
        arrays = [an_array(v) for v in items]
        if all(a.rank == 1 for a in arrays):
            return stacked(arrays, 0) if axis == 0 else joined(arrays, 0)
        return joined(arrays, axis)

    return rule


def flip(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    over = axes_of(given[1] if len(given) > 1 else named.pop("axis", None), a.rank)
    if named:
        raise Unfollowed("flip with other operands")
    to: dict[Index, Expr] = {a.axes[k]: a.shape[k] - 1 - a.axes[k] for k in over}
    return array(substitute(a.expr, to), a.axes, (a,))


def tile_columns(m: Machine, given: Operands, named: Keywords) -> Value:
    a, reps = an_array(given[0]), shape_of(given[1])
    only(given, named, 2)
    rank = max(a.rank, len(reps))
    old = (ONE,) * (rank - a.rank) + a.shape
    new = (ONE,) * (rank - len(reps)) + reps
    if any(x != 1 and y != 1 for x, y in zip(old, new, strict=True)):
        raise Unfollowed("tile along an axis that is already long")
    return ops.broadcast(a, tuple(x * y for x, y in zip(old, new, strict=True)))


def broadcast_to(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 2)
    a, shape = an_array(given[0]), shape_of(given[1])
    if ops.common("broadcast_to", (a, Array(ONE, positions(shape)))) != shape:
        raise ops.misfit("broadcast_to", a, Array(ONE, positions(shape)))
    return ops.broadcast(a, shape)
