"""The functions of NumPy, and the methods of arrays, lists and dicts, that are followed: one row
each.

A rule takes the call's operands (values as they are, cells included) and its keyword operands. An
operand that no rule uses makes the call unfollowed: nothing is ignored silently but a ``dtype`` of
floating point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Expr, Integer, Rational, pi

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import Machine, an_array, content, describe, loose
from symbackprop.checking.execution_guards import compare, negated, where
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
from symbackprop.ir.expressions import Apply, Entry, Index, substitute

Operands = list[Value]
Keywords = dict[str, Value]
Rule = Callable[[Machine, Operands, Keywords], Value]
ZERO, ONE, HALF = Integer(0), Integer(1), Rational(1, 2)
FLOATING = frozenset(("float", "float32", "float64", "double", "float_"))


def scalar_rule(f: Callable[..., Expr], count: int = 1, boolean: bool = False) -> Rule:
    """A function that acts entry by entry."""

    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        if len(given) != count or named:
            raise Unfollowed(f"a call with {len(given)} operands and {', '.join(named) or 'none'}")
        return ops.elementwise(f, *map(an_array, given), boolean=boolean)

    return rule


def _f(name: str) -> Rule:
    return scalar_rule(lambda x: Apply(name, x))


def axes_of(value: Value, rank: int) -> list[int]:
    """The operand ``axis``: None (all), a number, or a tuple of numbers."""
    value = loose(value)
    if value is None:
        return list(range(rank))
    items = value if isinstance(value, tuple | list) else (value,)
    out = []
    for item in items:
        k = integer(item)
        if k is None or not -rank <= k < rank:
            raise Unfollowed("an axis that the array does not have")
        out.append(k % rank)
    return out


def truth(value: Value) -> bool:
    """An operand that must be plainly true or false."""
    k = integer(value)
    if k is None:
        raise Unfollowed("a condition that is not known")
    return bool(k)


def _reduction(name: str) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        a = an_array(given[0])
        over = axes_of(given[1] if len(given) > 1 else named.pop("axis", None), a.rank)
        keep = truth(named.pop("keepdims", number(0)))
        ddof = named.pop("ddof", None)
        _dtype(named)
        if named or len(given) > 2 or (ddof is not None and integer(ddof) != 0):
            raise Unfollowed(f"{name} with {', '.join(named) or 'these operands'}")
        return ops.reduce(name, a, over, keep)

    return rule


def _dtype(named: Keywords) -> None:
    """Use up a ``dtype`` of floating point; another one rounds, which is not followed."""
    kind = named.pop("dtype", None)
    said = kind.name if isinstance(kind, Named) else kind
    if said is not None and said not in FLOATING:
        raise Unfollowed("a dtype that is not floating point")


def _matmul(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 2)
    return ops.matmul(an_array(given[0]), an_array(given[1]))


def _dot(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 2)
    return ops.dot(an_array(given[0]), an_array(given[1]))


def _outer(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 2)
    return ops.outer(an_array(given[0]), an_array(given[1]))


def _inner(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 2)
    a, b = an_array(given[0]), an_array(given[1])
    return ops.tensordot(a, b, [a.rank - 1], [b.rank - 1]) if a.axes and b.axes else ops.dot(a, b)


def _only(given: Operands, named: Keywords, *counts: int) -> None:
    if named or len(given) not in counts:
        raise Unfollowed(f"{len(given)} operands and {', '.join(named) or 'no keyword'}")


def _einsum(m: Machine, given: Operands, named: Keywords) -> Value:
    named.pop("optimize", None)
    if not given or not isinstance(given[0], str) or named:
        raise Unfollowed("einsum without subscripts")
    return ops.einsum(given[0], [an_array(v) for v in given[1:]])


def _tensordot(m: Machine, given: Operands, named: Keywords) -> Value:
    over = loose(given[2] if len(given) > 2 else named.pop("axes", number(2)))
    _only(given[:2], named, 2)
    a, b = an_array(given[0]), an_array(given[1])
    count = integer(over)
    if count is not None:
        return ops.tensordot(a, b, list(range(a.rank - count, a.rank)), list(range(count)))
    if not isinstance(over, tuple | list) or len(over) != 2:
        raise Unfollowed("tensordot over these axes")
    return ops.tensordot(a, b, axes_of(over[0], a.rank), axes_of(over[1], b.rank))


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


def _filled(fill: Expr) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        shape = shape_of(given[0] if given else named.pop("shape", None))
        if len(given) == 2:
            named["dtype"] = given[1]
        _dtype(named)
        _only(given, named, 0, 1, 2)
        return array(fill, positions(shape))

    return rule


def _filled_like(fill: Expr) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        _dtype(named)
        _only(given, named, 1)
        value = content(given[0])
        shape = value.shape if isinstance(value, Labels) else an_array(value).shape
        return array(fill, positions(shape))

    return rule


def _empty(m: Machine, given: Operands, named: Keywords) -> Value:
    """Memory with anything in it: a name without a value, so that only what is written counts."""
    return _nothing(m, shape_of(given[0] if given else named.pop("shape", None)), named)


def _empty_like(m: Machine, given: Operands, named: Keywords) -> Value:
    return _nothing(m, an_array(given[0]).shape, named)


def _nothing(m: Machine, shape: tuple[Expr, ...], named: Keywords) -> Value:
    _dtype(named)
    m.fresh += 1
    at = positions(shape)
    return array(Entry(f"_empty{m.fresh}", *at), at)


def _full(m: Machine, given: Operands, named: Keywords) -> Value:
    _dtype(named)
    _only(given, named, 2)
    shape = shape_of(given[0])
    return ops.broadcast(an_array(given[1]), shape)


def _eye(m: Machine, given: Operands, named: Keywords) -> Value:
    _dtype(named)
    _only(given, named, 1, 2)
    sizes = [shape_of(g)[0] for g in given]
    return ops.eye(sizes[0], sizes[-1])


def _arange(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 1, 2)
    ends = [shape_of(g)[0] for g in given]
    start, stop = (ZERO, ends[0]) if len(ends) == 1 else ends
    return Sequence_(stop - start, lambda n: number(n), start)


def _diag(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 1)
    return ops.diag(an_array(given[0]))


def _diagflat(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 1)
    return ops.diag(ops.flatten(an_array(given[0])))


def _trace(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 1)
    return ops.reduce("sum", ops.diag(an_array(given[0])), [0], False)


def _where(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 3)
    mask = an_array(given[0])
    if not mask.boolean:
        mask = ops.elementwise(lambda x: compare("!=", x, ZERO), mask, boolean=True)
    return ops.elementwise(where, mask, an_array(given[1]), an_array(given[2]))


def _maximum(name: str) -> Rule:
    return scalar_rule(lambda x, y: Apply(name, x, y), 2)


def _clip(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 3)
    a, low, high = given
    out = an_array(a)
    if loose(low) is not None:
        out = ops.elementwise(lambda x, y: Apply("maximum", x, y), out, an_array(low))
    if loose(high) is not None:
        out = ops.elementwise(lambda x, y: Apply("minimum", x, y), out, an_array(high))
    return out


def _heaviside(x: Expr, y: Expr) -> Expr:
    return where(compare("==", x, ZERO), y, compare(">", x, ZERO))


def _reshape(m: Machine, given: Operands, named: Keywords) -> Value:
    shape = given[1:] if len(given) > 2 else given[1] if len(given) == 2 else named.pop("newshape")
    if named:
        raise Unfollowed(f"reshape with {', '.join(named)}")
    return viewed(given[0], ops.reshape(an_array(given[0]), shape_of(shape)))


def viewed(source: Value, result: Array) -> Value:
    """A result that shares the memory of its source."""
    if isinstance(source, Cell):
        return View(result, source)
    return View(result, source.base) if isinstance(source, View) else result


def _transpose(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    axes = given[1:] if len(given) > 2 else given[1] if len(given) == 2 else named.pop("axes", None)
    if named:
        raise Unfollowed(f"transpose with {', '.join(named)}")
    axes = loose(axes)
    order = list(reversed(range(a.rank))) if axes is None else axes_of(axes, a.rank)
    if sorted(order) != list(range(a.rank)):
        raise Unfollowed("a transpose that does not name each axis once")
    return viewed(given[0], ops.permute(a, order))


def _swapaxes(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 3)
    a = an_array(given[0])
    x, y = axes_of((given[1], given[2]), a.rank)
    order = list(range(a.rank))
    order[x], order[y] = y, x
    return viewed(given[0], ops.permute(a, order))


def _ravel(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 1)
    return viewed(given[0], ops.flatten(an_array(given[0])))


def _squeeze(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    axis = given[1] if len(given) > 1 else named.pop("axis", None)
    over = [k for k, e in enumerate(a.shape) if e == 1]
    if loose(axis) is not None:
        over = axes_of(axis, a.rank)
        if any(a.shape[k] != 1 for k in over):
            raise ops.misfit("squeeze of a long axis", a)
    kept = [i for k, i in enumerate(a.axes) if k not in over]
    return viewed(given[0], array(a.expr, kept, (a,)))


def _expand_dims(m: Machine, given: Operands, named: Keywords) -> Value:
    axis = integer(given[1] if len(given) > 1 else named.pop("axis", None))
    a = an_array(given[0])
    if axis is None or named or not -a.rank - 1 <= axis <= a.rank:
        raise Unfollowed("expand_dims at this axis")
    axes = list(a.axes)
    axes.insert(axis % (a.rank + 1), Index("_new", ONE))
    return viewed(given[0], array(a.expr, axes, (a,)))


def _atleast_2d(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 1)
    a = an_array(given[0])
    missing = [Index(f"_new{k}", ONE) for k in range(2 - a.rank)]
    return viewed(given[0], array(a.expr, [*missing, *a.axes], (a,)))


def _copy(m: Machine, given: Operands, named: Keywords) -> Value:
    for word in ("dtype", "copy", "order"):
        if word == "dtype":
            _dtype(named)
        else:
            named.pop(word, None)
    _only(given, named, 1)
    value = content(given[0])
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, Labels):
        return value
    return Array(*_fields(an_array(value)))


def _fields(a: Array) -> tuple[Any, ...]:
    return a.expr, a.axes, a.boolean, a.guessed


def _same(m: Machine, given: Operands, named: Keywords) -> Value:
    _dtype(named)
    _only(given, named, 1)
    return given[0] if isinstance(content(given[0]), Array) else an_array(given[0])


def _astype(m: Machine, given: Operands, named: Keywords) -> Value:
    kind = given[1] if len(given) > 1 else named.pop("dtype", None)
    named.pop("copy", None)
    a = an_array(given[0])
    said = kind.name if isinstance(kind, Named) else kind
    if said not in FLOATING and not (a.boolean and said in ("int", "int32", "int64", "dtype")):
        raise Unfollowed("astype of another kind than floating point")
    return Array(a.expr, a.axes, False, a.guessed)


def _argmax(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    axis = given[1] if len(given) > 1 else named.pop("axis", None)
    known = m.abstract("onehot " + a.expr.name) if isinstance(a.expr, Entry) else None
    k = integer(axis)
    if named or k is None or k not in (-1, a.rank - 1) or known is None:
        raise Unfollowed("argmax of what is not declared one-hot along its last axis")
    if a.expr.indices != a.axes:
        raise Unfollowed("argmax of a part of a one-hot array")
    return Labels(a)


def _stack(m: Machine, given: Operands, named: Keywords) -> Value:
    axis = integer(given[1] if len(given) > 1 else named.pop("axis", number(0)))
    items = content(given[0])
    if axis is None or named or not isinstance(items, list | tuple):
        raise Unfollowed("stack of these")
    return stacked([an_array(v) for v in items], axis)


def _concatenate(m: Machine, given: Operands, named: Keywords) -> Value:
    axis = integer(given[1] if len(given) > 1 else named.pop("axis", number(0)))
    items = content(given[0])
    if axis is None or named or not isinstance(items, list | tuple):
        raise Unfollowed("concatenate of these")
    return joined([an_array(v) for v in items], axis)


def _joined_by(axis: int) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        _only(given, named, 1)
        items = content(given[0])
        if not isinstance(items, list | tuple):
            raise Unfollowed("a join of these")
        arrays = [an_array(v) for v in items]
        if all(a.rank == 1 for a in arrays):
            return stacked(arrays, 0) if axis == 0 else joined(arrays, 0)
        return joined(arrays, axis)

    return rule


def _add_at(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 3)
    cell = given[0]
    if not isinstance(cell, Cell):
        raise Unfollowed("add.at on something without memory of its own")
    at = content(given[1])
    items = list(at) if isinstance(at, tuple) else [at]
    m.mutate(cell, indexing.scatter_add(an_array(cell), items, an_array(given[2])))
    return None


def _fill(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 2)
    cell = given[0]
    if not isinstance(cell, Cell):
        raise Unfollowed("fill of something without memory of its own")
    m.mutate(cell, ops.broadcast(an_array(given[1]), an_array(cell).shape))
    return None


def _logic(name: str) -> Rule:
    return scalar_rule(LOGIC[name], 1 if name == "not" else 2, True)


LOGIC: dict[str, Callable[..., Expr]] = {
    "and": lambda x, y: x * y,
    "or": lambda x, y: x + y - x * y,
    "not": negated,
}


def _softmax(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    axis = given[1] if len(given) > 1 else named.pop("axis", None)
    over = axes_of(axis, a.rank)
    if named or len(over) != 1:
        raise Unfollowed("softmax over several axes")
    return ops.softmax(a, over[0])


def _logsumexp(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    over = axes_of(given[1] if len(given) > 1 else named.pop("axis", None), a.rank)
    keep = truth(named.pop("keepdims", number(0)))
    if named:
        raise Unfollowed("logsumexp with other operands")
    powers = ops.elementwise(lambda x: Apply("exp", x), a)
    return ops.elementwise(lambda x: Apply("log", x), ops.reduce("sum", powers, over, keep))


def _sigmoid(x: Expr) -> Expr:
    return Apply("sigmoid", x)


def _flip(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    over = axes_of(given[1] if len(given) > 1 else named.pop("axis", None), a.rank)
    if named:
        raise Unfollowed("flip with other operands")
    to: dict[Index, Expr] = {a.axes[k]: a.shape[k] - 1 - a.axes[k] for k in over}
    return array(substitute(a.expr, to), a.axes, (a,))


def _tile_columns(m: Machine, given: Operands, named: Keywords) -> Value:
    a, reps = an_array(given[0]), shape_of(given[1])
    _only(given, named, 2)
    rank = max(a.rank, len(reps))
    old = (ONE,) * (rank - a.rank) + a.shape
    new = (ONE,) * (rank - len(reps)) + reps
    if any(x != 1 and y != 1 for x, y in zip(old, new, strict=True)):
        raise Unfollowed("tile along an axis that is already long")
    return ops.broadcast(a, tuple(x * y for x, y in zip(old, new, strict=True)))


def _broadcast_to(m: Machine, given: Operands, named: Keywords) -> Value:
    _only(given, named, 2)
    a, shape = an_array(given[0]), shape_of(given[1])
    if ops.common("broadcast_to", (a, Array(ONE, positions(shape)))) != shape:
        raise ops.misfit("broadcast_to", a, Array(ONE, positions(shape)))
    return ops.broadcast(a, shape)


# fmt: off
NUMPY: dict[str, Rule] = {
    **{name: _f(name) for name in "exp log sin cos tanh sinh cosh abs sign".split()},
    **{name: _reduction(name) for name in "sum mean max min prod var std".split()},
    "absolute": _f("abs"), "fabs": _f("abs"), "amax": _reduction("max"), "amin": _reduction("min"),
    "sqrt": scalar_rule(lambda x: x**HALF), "square": scalar_rule(lambda x: x**2),
    "log1p": scalar_rule(lambda x: Apply("log", 1 + x)),
    "expm1": scalar_rule(lambda x: Apply("exp", x) - 1),
    "log2": scalar_rule(lambda x: Apply("log", x) / Apply("log", Integer(2))),
    "reciprocal": scalar_rule(lambda x: 1 / x), "negative": scalar_rule(lambda x: -x),
    "power": scalar_rule(lambda x, y: x**y, 2), "add": scalar_rule(lambda x, y: x + y, 2),
    "subtract": scalar_rule(lambda x, y: x - y, 2), "multiply": scalar_rule(lambda x, y: x * y, 2),
    "divide": scalar_rule(lambda x, y: x / y, 2), "true_divide": scalar_rule(lambda x, y: x / y, 2),
    "maximum": _maximum("maximum"), "minimum": _maximum("minimum"), "fmax": _maximum("maximum"),
    "greater": scalar_rule(lambda x, y: compare(">", x, y), 2, True),
    "greater_equal": scalar_rule(lambda x, y: compare(">=", x, y), 2, True),
    "less": scalar_rule(lambda x, y: compare("<", x, y), 2, True),
    "less_equal": scalar_rule(lambda x, y: compare("<=", x, y), 2, True),
    "equal": scalar_rule(lambda x, y: compare("==", x, y), 2, True),
    "heaviside": scalar_rule(_heaviside, 2), "clip": _clip, "where": _where,
    "logical_and": _logic("and"), "logical_or": _logic("or"), "logical_not": _logic("not"),
    "matmul": _matmul, "dot": _dot, "outer": _outer, "inner": _inner, "vdot": _inner,
    "einsum": _einsum, "tensordot": _tensordot, "trace": _trace,
    "zeros": _filled(ZERO), "ones": _filled(ONE), "zeros_like": _filled_like(ZERO),
    "ones_like": _filled_like(ONE), "empty": _empty, "empty_like": _empty_like, "full": _full,
    "eye": _eye, "identity": _eye, "arange": _arange, "diag": _diag, "diagflat": _diagflat,
    "reshape": _reshape, "transpose": _transpose, "swapaxes": _swapaxes, "ravel": _ravel,
    "squeeze": _squeeze, "expand_dims": _expand_dims, "atleast_2d": _atleast_2d, "flip": _flip,
    "copy": _copy, "array": _copy, "asarray": _same, "ascontiguousarray": _same, "float64": _same,
    "float32": _same, "argmax": _argmax, "stack": _stack, "concatenate": _concatenate,
    "vstack": _joined_by(0), "hstack": _joined_by(1), "row_stack": _joined_by(0), "add.at": _add_at,
    "tile": _tile_columns, "broadcast_to": _broadcast_to, "linalg.norm": _reduction("norm"),
    "special.expit": scalar_rule(_sigmoid), "special.softmax": _softmax,
    "special.logsumexp": _logsumexp,
}
METHODS: dict[str, Rule] = {
    **{name: NUMPY[name] for name in "sum mean max min prod var std dot reshape transpose swapaxes "
       "ravel squeeze copy argmax trace clip".split()},
    "flatten": _ravel, "astype": _astype, "fill": _fill,
}
CONSTANTS: dict[str, Value] = {"pi": number(pi), "newaxis": None}
IMPORTED: dict[str, str] = {
    "expit": "special.expit", "softmax": "special.softmax", "logsumexp": "special.logsumexp",
}
# fmt: on


def call_numpy(m: Machine, name: str, given: Operands, named: Keywords) -> Value:
    """The result of a function of NumPy."""
    rule = NUMPY.get(name)
    if rule is None:
        raise Unfollowed(f"np.{name} is not followed")
    if not given and not named:
        raise Unfollowed(f"np.{name} without operands")
    return rule(m, given, dict(named))


def call_method(m: Machine, owner: Value, name: str, given: Operands, named: Keywords) -> Value:
    """The result of a method of an array, list or dict."""
    inner = content(owner)
    if isinstance(inner, Array | Labels):
        rule = METHODS.get(name)
        if rule is None:
            raise Unfollowed(f"the method {name} of an array")
        return rule(m, [owner, *given], dict(named))
    if isinstance(inner, dict):
        return _dict_method(m, inner, name, given)
    if isinstance(inner, list) and name == "append" and len(given) == 1:
        m.put(inner, len(inner), m.held(given[0]))
        return None
    raise Unfollowed(f"the method {name} of {describe(inner)}")


def _dict_method(m: Machine, owner: dict[str, Value], name: str, given: Operands) -> Value:
    if name == "items" and not given:
        return list(owner.items())
    if name == "values" and not given:
        return list(owner.values())
    if name == "keys" and not given:
        return list(owner)
    if name == "get" and given and isinstance(given[0], str):
        return owner.get(given[0], given[1] if len(given) > 1 else None)
    if name == "update" and len(given) == 1 and isinstance(content(given[0]), dict):
        for k, v in content(given[0]).items():
            m.put(owner, k, v)
        return None
    raise Unfollowed(f"the method {name} of a dict")
