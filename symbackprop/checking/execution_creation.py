"""NumPy functions that make arrays, and how rules read their operands.

A rule takes the operands of a call (values as they are, cells included) and its keyword operands;
an operand that no rule uses makes the call unfollowed.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Integer

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.execution import Machine, an_array, content, loose
from symbackprop.checking.execution_values import (
    Array,
    Failing,
    Labels,
    Named,
    Sequence_,
    Unfollowed,
    Value,
    array,
    integer,
    number,
    positions,
)
from symbackprop.ir.expressions import Entry

ZERO, ONE = Integer(0), Integer(1)


Operands = list[Value]


Keywords = dict[str, Value]


Rule = Callable[[Machine, Operands, Keywords], Value]


FLOATING = frozenset(("float", "float32", "float64", "double", "float_"))


def scalar_rule(f: Callable[..., Expr], count: int = 1, boolean: bool = False) -> Rule:
    """A function that acts entry by entry."""

    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        if len(given) != count or named:
            raise Unfollowed(f"a call with {len(given)} operands and {', '.join(named) or 'none'}")
        return ops.elementwise(f, *map(an_array, given), boolean=boolean)

    return rule


def axes_of(value: Value, rank: int) -> list[int]:
    """The operand ``axis``: None (all), a number, or a tuple of numbers."""
    value = loose(value)
    if value is None:
        return list(range(rank))
    items = value if isinstance(value, tuple | list) else (value,)
    out = []
    for item in items:
        k = integer(item)
        if k is None:
            raise Unfollowed("an axis that is not known")
        if not -rank <= k < rank:
            raise Failing("an axis that the array does not have")
        out.append(k % rank)
    return out


def truth(value: Value) -> bool:
    """An operand that must be plainly true or false."""
    k = integer(value)
    if k is None:
        raise Unfollowed("a condition that is not known")
    return bool(k)


def use_dtype(named: Keywords) -> None:
    """Use up a ``dtype`` of floating point; another one rounds, which is not followed."""
    kind = named.pop("dtype", None)
    said = kind.name if isinstance(kind, Named) else kind
    if said is not None and said not in FLOATING:
        raise Unfollowed("a dtype that is not floating point")


def only(given: Operands, named: Keywords, *counts: int) -> None:
    if named or len(given) not in counts:
        raise Unfollowed(f"{len(given)} operands and {', '.join(named) or 'no keyword'}")


def shape_of(value: Value) -> tuple[Expr, ...]:
    """A shape given as a number or as a tuple of numbers."""
    value = loose(value)
    items = value if isinstance(value, tuple | list) else (value,)
    out = []
    for item in items:
        item = content(item)
        if not isinstance(item, Array) or item.axes or not ops.is_extent(item.expr):
            raise Unfollowed("a shape that is not made of extents")
        out.append(item.expr)
    return tuple(out)


def filled(fill: Expr) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        shape = shape_of(given[0] if given else named.pop("shape", None))
        if len(given) == 2:
            named["dtype"] = given[1]
        use_dtype(named)
        only(given, named, 0, 1, 2)
        return array(fill, positions(shape))

    return rule


def filled_like(fill: Expr) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        use_dtype(named)
        only(given, named, 1)
        value = content(given[0])
        shape = value.shape if isinstance(value, Labels) else an_array(value).shape
        return array(fill, positions(shape))

    return rule


def empty(m: Machine, given: Operands, named: Keywords) -> Value:
    """Memory with anything in it: a name without a value, so that only what is written counts."""
    return _nothing(m, shape_of(given[0] if given else named.pop("shape", None)), named)


def empty_like(m: Machine, given: Operands, named: Keywords) -> Value:
    return _nothing(m, an_array(given[0]).shape, named)


def _nothing(m: Machine, shape: tuple[Expr, ...], named: Keywords) -> Value:
    use_dtype(named)
    m.fresh += 1
    at = positions(shape)
    return array(Entry(f"_empty{m.fresh}", *at), at)


def full(m: Machine, given: Operands, named: Keywords) -> Value:
    use_dtype(named)
    only(given, named, 2)
    shape = shape_of(given[0])
    return ops.broadcast(an_array(given[1]), shape)


def eye(m: Machine, given: Operands, named: Keywords) -> Value:
    use_dtype(named)
    only(given, named, 1, 2)
    sizes = [shape_of(g)[0] for g in given]
    return ops.eye(sizes[0], sizes[-1])


def arange(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 1, 2)
    ends = [shape_of(g)[0] for g in given]
    start, stop = (ZERO, ends[0]) if len(ends) == 1 else ends
    return Sequence_(stop - start, lambda n: number(n), start)


def diag(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 1)
    return ops.diag(an_array(given[0]))


def diagflat(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 1)
    return ops.diag(ops.flatten(an_array(given[0])))


def trace(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 1)
    return ops.reduce("sum", ops.diag(an_array(given[0])), [0], False)
