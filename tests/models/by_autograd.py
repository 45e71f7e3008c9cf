"""A model's own lines run by Python on HIPS autograd's arrays: this evaluator shares nothing with
the tool.

The language is Python's syntax with NumPy's meaning, so the statements of a model file are Python;
only declarations are left out. Models by entries or with abstract functions are not for this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import autograd
import autograd.numpy as np

DECLARATION = re.compile(r"(dims|data|param|function|assume|index|output)\b")


def _logsumexp(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.sum(total, axis=axis)


def _log_softmax(x: Any, axis: int = -1) -> Any:
    return x - _logsumexp(x, axis, keepdims=True)


def _cross_entropy(z: Any, labels: Any) -> Any:
    chosen = np.reshape(_log_softmax(z), (-1, z.shape[-1]))[np.arange(labels.size), labels.ravel()]
    return -np.mean(chosen)


def _conv2d(x: Any, w: Any) -> Any:
    """One product of channels for each place in the kernel."""
    rows, columns = (n - k + 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True))
    parts = (
        np.einsum("ncij,oc->noij", x[:, :, u : u + rows, v : v + columns], w[:, :, u, v])
        for u, v in np.ndindex(*w.shape[2:])
    )
    return sum(parts)


def _pool2d(reduce: Any) -> Any:
    """Pooling over p×p entries that touch."""

    def pool(x: Any, p: int) -> Any:
        n, c, h, w = x.shape
        return reduce(np.reshape(x, (n, c, h // p, p, w // p, p)), axis=(3, 5))

    return pool


# fmt: off
FUNCTIONS = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "tanh": np.tanh, "pi": np.pi,
    "sigmoid": lambda x: 1/(1 + np.exp(-x)), "relu": lambda x: np.maximum(x, 0),
    "softplus": lambda x: np.logaddexp(0, x), "sum": np.sum, "mean": np.mean,
    "norm2": lambda x, axis=None: np.sqrt(np.sum(x**2, axis=axis)), "trace": np.trace,
    "reshape": lambda x, *shape: np.reshape(x, shape), "cross_entropy": _cross_entropy,
    "swap": np.swapaxes, "conv2d": _conv2d, "maxpool2d": _pool2d(np.max),
    "avgpool2d": _pool2d(np.mean),
    "logsumexp": _logsumexp, "log_softmax": _log_softmax,
    "softmax": lambda x, axis=-1: np.exp(_log_softmax(x, axis)), "outer": np.outer,
    "__builtins__": {},
}
# fmt: on


def output(source: str, given: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """What the last statement of a model is worth."""
    names, value = {**sizes, **given}, None
    for line in source.splitlines():
        statement = line.partition("#")[0].strip()
        if not statement or DECLARATION.match(statement):
            continue
        name, _, formula = statement.partition("=")
        value = eval(formula.strip(), dict(FUNCTIONS), names)  # noqa: S307 - our own models
        names[name.strip()] = value
    return value


def gradient(source: str, wrt: str, given: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The gradient of the output, by autograd."""
    return autograd.grad(lambda x: output(source, {**given, wrt: x}, sizes))(given[wrt])
