"""Terms computed by NumPy, one line an operation: an independent reference for lifting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sympy import Expr

from symbackprop.ir.terms import Term

Array = np.ndarray[Any, Any]
Env = Mapping[str, Any]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "tanh": np.tanh,
    "log": np.log,
    "abs": np.abs,
    "sign": np.sign,
    "f": lambda x: np.sin(x) + x,
    "maximum": np.maximum,
}


def extents(shape: tuple[Expr, ...], dims: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(int(e.subs({s: dims[s.name] for s in e.free_symbols})) for e in shape)


def value(t: Term, values: Env, dims: Mapping[str, int]) -> Any:
    """The array that ``t`` denotes."""
    a = [value(x, values, dims) for x in t.args]
    (first, *_) = (*t.attrs, None)
    axes = keep = None
    if t.op in REDUCTIONS:
        axes, keep = t.attrs
    rules: dict[str, Callable[[], Any]] = {
        "name": lambda: values[first],
        "number": lambda: float(first),
        "dim": lambda: extents((first,), dims)[0],
        "constant": lambda: {"pi": np.pi, "inf": np.inf}[first],
        "add": lambda: a[0] + a[1],
        "sub": lambda: a[0] - a[1],
        "mul": lambda: a[0] * a[1],
        "div": lambda: a[0] / a[1],
        "pow": lambda: a[0] ** a[1],
        "neg": lambda: -a[0],
        "matmul": lambda: a[0] @ a[1],
        "transpose": lambda: a[0].T,
        "apply": lambda: FUNCTIONS[first](*a),
        "compare": lambda: COMPARISONS[first](*a) * 1.0,
        "where": lambda: np.where(a[0] != 0, a[1], a[2]),
        "outer": lambda: np.outer(a[0], a[1]),
        "diag": lambda: np.diag(a[0]),
        "trace": lambda: np.trace(a[0]),
        "ones": lambda: np.ones(extents(t.shape, dims)),
        "zeros": lambda: np.zeros(extents(t.shape, dims)),
        "eye": lambda: np.eye(*extents(t.shape, dims)),
        "arange": lambda: np.arange(extents(t.shape, dims)[0]),
        "index": lambda: a[0][
            tuple(i if i is None or isinstance(i, slice) else int(i) for i in first)
        ],
        "broadcast": lambda: np.broadcast_to(a[0], extents(t.shape, dims)),
        "einsum": lambda: np.einsum(first, *a),
        **{op: lambda op=op: REDUCTIONS[op](a[0], axis=axes, keepdims=keep) for op in REDUCTIONS},
    }
    return rules[t.op]()


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "prod": np.prod,
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
