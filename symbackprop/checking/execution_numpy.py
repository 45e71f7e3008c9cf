"""The functions of NumPy, and the methods of arrays, lists and dicts, that are followed: one row
each.

A rule takes the call's operands (values as they are, cells included) and its keyword operands. An
operand that no rule uses makes the call unfollowed: nothing is ignored silently but a ``dtype`` of
floating point.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Integer, Rational, pi

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import Machine, an_array, content, describe, loose
from symbackprop.checking.execution_creation import (
    Keywords,
    Operands,
    Rule,
    arange,
    axes_of,
    diag,
    diagflat,
    empty,
    empty_like,
    eye,
    filled,
    filled_like,
    full,
    only,
    scalar_rule,
    trace,
    truth,
    use_dtype,
)
from symbackprop.checking.execution_guards import compare, negated, where
from symbackprop.checking.execution_text import text_filled
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Labels,
    Unfollowed,
    Value,
    integer,
    number,
)
from symbackprop.checking.execution_views import (
    astype,
    atleast_2d,
    broadcast_to,
    concatenate,
    copy,
    expand_dims,
    flip,
    joined_by,
    ravel,
    reshape,
    same,
    squeeze,
    stack,
    swapaxes,
    tile_columns,
    transpose,
)
from symbackprop.checking.execution_windows import WINDOWS
from symbackprop.ir.expressions import Apply, Entry

ZERO, ONE, HALF = Integer(0), Integer(1), Rational(1, 2)


def _f(name: str) -> Rule:
    return scalar_rule(lambda x: Apply(name, x))


def _reduction(name: str) -> Rule:
    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        a = an_array(given[0])
        over = axes_of(given[1] if len(given) > 1 else named.pop("axis", None), a.rank)
        keep = truth(named.pop("keepdims", number(0)))
        ddof = named.pop("ddof", None)
        use_dtype(named)
        if named or len(given) > 2 or (ddof is not None and integer(ddof) != 0):
            raise Unfollowed(f"{name} with {', '.join(named) or 'these operands'}")
        return ops.reduce(name, a, over, keep)

    return rule


def _matmul(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 2)
    return ops.matmul(an_array(given[0]), an_array(given[1]))


def _dot(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 2)
    return ops.dot(an_array(given[0]), an_array(given[1]))


def _outer(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 2)
    return ops.outer(an_array(given[0]), an_array(given[1]))


def _inner(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 2)
    a, b = an_array(given[0]), an_array(given[1])
    return ops.tensordot(a, b, [a.rank - 1], [b.rank - 1]) if a.axes and b.axes else ops.dot(a, b)


def _einsum(m: Machine, given: Operands, named: Keywords) -> Value:
    named.pop("optimize", None)
    if not given or not isinstance(given[0], str) or named:
        raise Unfollowed("einsum without subscripts")
    return ops.einsum(given[0], [an_array(v) for v in given[1:]])


def _tensordot(m: Machine, given: Operands, named: Keywords) -> Value:
    over = loose(given[2] if len(given) > 2 else named.pop("axes", number(2)))
    only(given[:2], named, 2)
    a, b = an_array(given[0]), an_array(given[1])
    count = integer(over)
    if count is not None:
        return ops.tensordot(a, b, list(range(a.rank - count, a.rank)), list(range(count)))
    if not isinstance(over, tuple | list) or len(over) != 2:
        raise Unfollowed("tensordot over these axes")
    return ops.tensordot(a, b, axes_of(over[0], a.rank), axes_of(over[1], b.rank))


def _where(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 3)
    mask = an_array(given[0])
    if not mask.boolean:
        mask = ops.elementwise(lambda x: compare("!=", x, ZERO), mask, boolean=True)
    return ops.elementwise(where, mask, an_array(given[1]), an_array(given[2]))


def _maximum(name: str) -> Rule:
    return scalar_rule(lambda x, y: Apply(name, x, y), 2)


def _clip(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 3)
    a, low, high = given
    out = an_array(a)
    if loose(low) is not None:
        out = ops.elementwise(lambda x, y: Apply("maximum", x, y), out, an_array(low))
    if loose(high) is not None:
        out = ops.elementwise(lambda x, y: Apply("minimum", x, y), out, an_array(high))
    return out


def _heaviside(x: Expr, y: Expr) -> Expr:
    return where(compare("==", x, ZERO), y, compare(">", x, ZERO))


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


def _whole(m: Machine, given: Operands, named: Keywords) -> Value:
    """``np.int64(mask)``: a mask as numbers; other numbers it would cut off."""
    a = an_array(given[0])
    if not a.boolean or len(given) > 1 or named:
        raise Unfollowed("whole numbers of what may be broken")
    return Array(a.expr, a.axes, False, a.guessed)


def _add_reduce(m: Machine, given: Operands, named: Keywords) -> Value:
    """``np.add.reduce`` sums over the first axis, where ``np.sum`` sums over all."""
    if len(given) < 2 and "axis" not in named:
        named = {**named, "axis": number(0)}
    return NUMPY["sum"](m, given, named)


def _add_at(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 3)
    cell = given[0]
    if not isinstance(cell, Cell):
        raise Unfollowed("add.at on something without memory of its own")
    at = content(given[1])
    items = list(at) if isinstance(at, tuple) else [at]
    m.mutate(cell, indexing.scatter_add(an_array(cell), items, an_array(given[2])))
    return None


def _fill(m: Machine, given: Operands, named: Keywords) -> Value:
    only(given, named, 2)
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
    "einsum": _einsum, "tensordot": _tensordot, "trace": trace,
    "zeros": filled(ZERO), "ones": filled(ONE), "zeros_like": filled_like(ZERO),
    "ones_like": filled_like(ONE), "empty": empty, "empty_like": empty_like, "full": full,
    "eye": eye, "identity": eye, "arange": arange, "diag": diag, "diagflat": diagflat,
    "reshape": reshape, "transpose": transpose, "swapaxes": swapaxes, "ravel": ravel,
    "squeeze": squeeze, "expand_dims": expand_dims, "atleast_2d": atleast_2d, "flip": flip,
    "copy": copy, "array": copy, "asarray": same, "ascontiguousarray": same, "float64": same,
    "float32": same, "int64": _whole, "int32": _whole, "argmax": _argmax, "stack": stack,
    "concatenate": concatenate,
    "vstack": joined_by(0), "hstack": joined_by(1), "row_stack": joined_by(0), "add.at": _add_at,
    "add.reduce": _add_reduce,
    "tile": tile_columns, "broadcast_to": broadcast_to, "linalg.norm": _reduction("norm"),
    "special.expit": scalar_rule(_sigmoid), "special.softmax": _softmax,
    "special.logsumexp": _logsumexp, **WINDOWS,
}
METHODS: dict[str, Rule] = {
    **{name: NUMPY[name] for name in "sum mean max min prod var std dot reshape transpose swapaxes "
       "ravel squeeze copy argmax trace clip repeat".split()},
    "flatten": ravel, "astype": astype, "fill": _fill,
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
    if isinstance(inner, str) and name == "format" and not named:
        return text_filled(inner, "{}", given)
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
