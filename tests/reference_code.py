"""The corpora's reference code, run by NumPy and differentiated by central differences.

``numpy_ref`` is written for jax, which compiles every operation for every shape anew: a minute for
a hundred small problems. Their values need no more than NumPy, with stand-ins for the few functions
that it lacks, and their derivatives come from differences of fourth order, whose error is about
1e-11 for first derivatives and 1e-8 for second ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests import corpus_language as language

Array = Any
STEP = 1e-3
OFFSETS = ((1, 8 / 12), (-1, -8 / 12), (2, -1 / 12), (-2, 1 / 12))


def _cdf(x: Array) -> Array:
    return (1 + language.erf(np.asarray(x) / math.sqrt(2))) / 2


def _logpdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
    return -(((x - loc) / scale) ** 2) / 2 - np.log(scale) - math.log(2 * math.pi) / 2


def _gelu(x: Array, approximate: bool = True) -> Array:
    if not approximate:
        return x * _cdf(x)
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def _windows(x: Array, shape: tuple[int, ...]) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, shape, axis=tuple(range(2, x.ndim)))


def _convolution(x: Array, w: Array, strides: Any, padding: str) -> Array:
    """Cross-correlation of ``[N, C, …]`` with ``[O, C, …]``, no padding, unit strides."""
    assert padding == "VALID", padding
    assert all(s == 1 for s in strides), strides
    seen = _windows(x, w.shape[2:])
    axes = tuple(range(x.ndim, seen.ndim))
    return np.moveaxis(np.tensordot(seen, w, axes=((1, *axes), tuple(range(1, w.ndim)))), -1, 1)


_linalg = SimpleNamespace(
    **{name: getattr(np.linalg, name) for name in ("inv", "det", "slogdet", "norm", "solve")},
    matrix_power=np.linalg.matrix_power,
    cholesky=lambda a: np.linalg.cholesky((a + a.T) / 2),
)
_special = SimpleNamespace(logsumexp=language.logsumexp, erf=language.erf)
_norm = SimpleNamespace(cdf=_cdf, logpdf=_logpdf)
_jax = SimpleNamespace(
    grad=lambda f: lambda x: _jacobian(f, x),
    nn=SimpleNamespace(
        **{name: language.FUNCTIONS[name] for name in ("sigmoid", "relu", "softplus", "silu")},
        softmax=language.softmax,
        log_softmax=language.log_softmax,
        logsumexp=language.logsumexp,
        log_sigmoid=lambda x: -np.logaddexp(0, -np.asarray(x)),
        gelu=_gelu,
    ),
    scipy=SimpleNamespace(special=_special, stats=SimpleNamespace(norm=_norm)),
    lax=SimpleNamespace(conv_general_dilated=_convolution),
)


class _NumPy:
    """NumPy under the name of ``jax.numpy``."""

    linalg = _linalg

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def reference(p: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Array]:
    """The reference code of a problem, as a function of the table of its variables."""
    names: dict[str, Any] = {"jnp": _NumPy(), "jax": _jax, "np": np}
    exec(p["numpy_ref"], names)
    return lambda values: np.asarray(names["f"](values), dtype=float)


def derivative(
    p: Mapping[str, Any], f: Callable[[Mapping[str, Any]], Array], given: Mapping[str, Any],
    key: str, at: Mapping[str, Array],
) -> Array:  # fmt: skip
    """The derivative that ``key`` of ``expected`` speaks of, of ``f`` at ``given`` and ``at``."""
    names = key.split(",")
    first, second = names[0], names[-1]

    def gradient(moved: Mapping[str, Array]) -> Array:
        here = moved.get(first, at[first])
        return _jacobian(lambda x: f({**given, **moved, first: x}), here)

    if p["kind"] in ("gradient", "jacobian"):
        return gradient({})
    if p["kind"] == "hessian":
        return _jacobian(lambda x: gradient({second: x}), at[second])
    return _along(lambda x: gradient({first: x}), at[first], given[p["direction"]])


def _along(f: Callable[[Array], Array], x: Array, direction: Array) -> Array:
    parts = (c * f(x + k * STEP * direction) for k, c in OFFSETS)
    return sum(parts) / STEP


def _jacobian(f: Callable[[Array], Array], x: Array) -> Array:
    """The axes of the value, then those of ``x``."""
    x = np.asarray(x, float)
    columns = []
    for place in itertools.product(*map(range, x.shape)):
        unit = np.zeros(x.shape)
        unit[place] = 1
        columns.append(_along(f, x, unit))
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape((*stacked.shape[:-1], *x.shape))
