"""The corpus' expression language on NumPy arrays: the twin of ``corpus/lang.py``, without jax.

It evaluates what the tool answers and what a person expected, and knows nothing of the tool: names
are called with Python's meaning, functions are NumPy's. ``environment(dims, functions)`` is the
table of names, ``run`` executes assignments, ``value`` evaluates one formula. Slopes of abstract
functions come from ``SMOOTH``, written by hand.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tests import window_functions

Array = Any
Names = dict[str, Any]
Slopes = tuple[Callable[[Array], Array], Callable[[Array], Array], Callable[[Array], Array]]

erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-np.asarray(x, float)))


# A function with its first and second derivative; the corpus differentiates the same three.
# fmt: off
SMOOTH: tuple[Slopes, ...] = (
    (np.tanh, lambda x: 1 - np.tanh(x)**2, lambda x: -2*np.tanh(x)*(1 - np.tanh(x)**2)),
    (lambda x: np.sin(1.3*x + 0.2), lambda x: 1.3*np.cos(1.3*x + 0.2),
     lambda x: -1.69*np.sin(1.3*x + 0.2)),
    (lambda x: np.log1p(np.exp(x)) + 0.1*x**2, lambda x: sigmoid(x) + 0.2*x,
     lambda x: sigmoid(x)*(1 - sigmoid(x)) + 0.2),
)
# fmt: on


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    top = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


def softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    return x - logsumexp(x, axis=axis, keepdims=True)


def norm2(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def norm1(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return np.sum(np.abs(x), axis=axis, keepdims=keepdims)


def elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0.0)) - 1))


def leaky_relu(x: Array, alpha: float = 0.01) -> Array:
    return np.where(x > 0, x, alpha * x)


def kron(a: Array, b: Array) -> Array:
    return np.kron(a, b)


def vec(x: Array) -> Array:
    """Column-major, as in the Matrix Cookbook."""
    return np.reshape(np.transpose(x), (-1,))


def onehot(index: Array, n: int) -> Array:
    return np.asarray(np.asarray(index)[..., None] == np.arange(n), float)


# fmt: off
FUNCTIONS: Names = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt,
    "abs": np.abs, "sign": np.sign, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "cosh": np.cosh, "sinh": np.sinh, "erf": erf, "sigmoid": sigmoid,
    "softplus": lambda x: np.logaddexp(0, x), "relu": lambda x: np.maximum(x, 0.0),
    "step": lambda x: np.where(np.asarray(x) > 0, 1.0, 0.0), "elu": elu,
    "leaky_relu": leaky_relu, "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * sigmoid(x), "maximum": np.maximum, "minimum": np.minimum,
    "where": np.where, "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min,
    "prod": np.prod, "var": np.var, "norm2": norm2, "norm1": norm1, "logsumexp": logsumexp,
    "softmax": softmax, "log_softmax": log_softmax, "trace": np.trace, "inv": np.linalg.inv,
    "det": np.linalg.det, "logdet": lambda x: np.linalg.slogdet(x)[1],
    "diag": lambda x: np.diag(x), "outer": np.outer, "dot": np.dot, "kron": kron,
    "eye": lambda n, m=None: np.eye(n, m), "ones": lambda *s: np.ones(s),
    "zeros": lambda *s: np.zeros(s), "arange": np.arange, "matpow": np.linalg.matrix_power,
    "vec": vec, "einsum": lambda s, *a: np.einsum(s, *[np.asarray(x, float) for x in a]),
    "repeat": lambda x, p, axis=-1: np.repeat(x, p, axis=axis),
    "flip": np.flip, "onehot": onehot, "swap": np.swapaxes,
    "reshape": lambda x, *s: np.reshape(x, s),
    "concat": lambda *a, axis=0: np.concatenate(a, axis=axis),
    "stack": lambda *a, axis=0: np.stack(a, axis=axis), "tril": np.tril, "triu": np.triu,
    "pi": np.pi, "inf": np.inf, "cumsum": np.cumsum, "solve": np.linalg.solve,
    "eq": lambda a, b: np.asarray(a == b, float), **window_functions.FUNCTIONS,
}
# fmt: on


def environment(dims: Mapping[str, int], functions: Mapping[str, Slopes]) -> Names:
    """The names that every formula of a problem may use."""
    names = {**FUNCTIONS, **dims, "__builtins__": {}}
    for name, (f, slope, curvature) in functions.items():
        names |= {name: f, f"{name}_prime": slope, f"{name}_pprime": curvature}
    return names


def value(formula: str, names: Mapping[str, Any], given: Names) -> Array:
    """What a formula of the corpus is worth."""
    code = compile(ast.parse(formula.strip(), mode="eval"), formula, "eval")
    return eval(code, {**given, **names})  # noqa: S307 - formulas of our own corpora


def run(assignments: Iterable[str], values: Mapping[str, Array], given: Names) -> Names:
    """Execute ``name = formula`` lines in order."""
    names = dict(values)
    for line in assignments:
        name, formula = line.split("=", 1)
        names[name.strip()] = value(formula, names, given)
    return names
