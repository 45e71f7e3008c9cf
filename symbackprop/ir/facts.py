"""What each declarable fact says of an array of numbers: one row a fact, read by sampling and by
tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sympy import Integer

from symbackprop.ir.arithmetic import Array
from symbackprop.ir.evaluate import Point, evaluate
from symbackprop.ir.program import Fact


def _close(a: Array, b: Any) -> bool:
    """Equal, in floating point up to rounding; infinite entries must agree."""
    if a.dtype == object:
        return bool(np.all(a == b))
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9))


def _rows_sum_to_one(a: Array) -> bool:
    return a.ndim > 0 and _close(np.asarray(a.sum(axis=-1)), 1)


def _square(a: Array) -> bool:
    return a.ndim >= 2 and a.shape[-1] == a.shape[-2]


def _transposed(a: Array) -> Array:
    return a.swapaxes(-1, -2)


def _positive_definite(a: Array) -> bool:
    return bool(np.all(np.linalg.eigvalsh(a.astype(float)) > 0))


def _invertible(a: Array) -> bool:
    return bool(np.all(np.linalg.cond(a.astype(float)) < 1e12))


def _causal(a: Array) -> bool:
    below = np.tri(a.shape[-2], a.shape[-1], dtype=bool)
    return bool(np.all(np.where(below, a == 0, a == -np.inf)))


# fmt: off
HOLDS: Mapping[str, Callable[[Array], bool]] = {
    "onehot":      lambda a: bool(np.all((a == 0) | (a == 1))) and _rows_sum_to_one(a),
    "simplex":     lambda a: bool(np.all(a >= 0)) and _rows_sum_to_one(a),
    "binary":      lambda a: bool(np.all((a == 0) | (a == 1))),
    "sign":        lambda a: bool(np.all((a == 1) | (a == -1))),
    "unit":        lambda a: bool(np.all((a > 0) & (a < 1))),
    "positive":    lambda a: bool(np.all(a > 0)),
    "nonnegative": lambda a: bool(np.all(a >= 0)),
    "symmetric":   lambda a: _square(a) and _close(a, _transposed(a)),
    "spd":         lambda a: _square(a) and _close(a, _transposed(a)) and _positive_definite(a),
    "invertible":  lambda a: _square(a) and _invertible(a),
    "orthogonal":  lambda a: _square(a) and _close(a @ _transposed(a), np.eye(a.shape[-1])),
    "causal":      lambda a: a.ndim >= 2 and _causal(a),
}
# fmt: on


def holds(fact: Fact, values: Array, sizes: Mapping[str, int]) -> bool:
    """Whether a fact is true of these values; ``sizes`` are the extents that its value may
    mention.
    """
    if fact.kind != "sum":
        return HOLDS[fact.kind](values)
    value = Integer(0) if fact.value is None else fact.value
    wanted = evaluate(value, Point(sizes, {}, exact=values.dtype == object))
    return _close(np.asarray(values.sum(axis=fact.axis), dtype=values.dtype), wanted)
