"""One row an array operation of the language, with NumPy's word for it: shared by the tests of
lowering, of derivatives and of kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
DECLARED = """dims N, D, K
param X[N, D], Y[N, D], Z[N, K], S[D, D], V[N, D, K], W[N, D*K], a[N]
index t[N] < N
index u[N] < D
assume S invertible
assume 1 < D
assume 1 < K
"""


def _eye(n: int) -> Array:
    return np.eye(n)


def _logsumexp(x: Array, axis: tuple[int, ...]) -> Array:
    return np.log(np.sum(np.exp(x), axis=axis))


Reference = Callable[[Any], Any]

# fmt: off
#: What stands in a model, and the same by NumPy: ``v`` holds the arrays and the extents by name.
OPERATIONS: Mapping[str, Reference] = {
    "reshape(X, N*D)":                lambda v: v.X.reshape(-1),
    "reshape(X, D, N)":               lambda v: v.X.reshape(v.D, v.N),
    "reshape(X, (D, -1))":            lambda v: v.X.reshape(v.D, -1),
    "reshape(V, N, D*K)":             lambda v: v.V.reshape(v.N, -1),
    "reshape(W, N, D, K)":            lambda v: v.W.reshape(v.N, v.D, v.K),
    "reshape(X, N, D, 1) * V":        lambda v: v.X[:, :, None] * v.V,
    "flatten(V)":                     lambda v: v.V.ravel(),
    "swap(V, 0, 2)":                  lambda v: v.V.swapaxes(0, 2),
    "swap(reshape(W, N, D, K), 1, -1)": lambda v: v.W.reshape(v.N, v.D, v.K).swapaxes(1, 2),
    "concat(X, Y)":                   lambda v: np.concatenate((v.X, v.Y)),
    "concatenate([X, Z], axis=1)":    lambda v: np.concatenate((v.X, v.Z), axis=1),
    "tanh(concat(X, Z, axis=1)) @ ones(D + K)":
                                      lambda v: np.tanh(np.concatenate((v.X, v.Z), axis=1)).sum(1),
    "stack(X, Y)":                    lambda v: np.stack((v.X, v.Y)),
    "stack([X, Y, X], axis=2)":       lambda v: np.stack((v.X, v.Y, v.X), axis=2),
    "repeat(X, 3)":                   lambda v: np.repeat(v.X, 3, axis=-1),
    "repeat(X, K, axis=0)":           lambda v: np.repeat(v.X, v.K, axis=0),
    "flip(X)":                        lambda v: np.flip(v.X),
    "flip(X, axis=0)":                lambda v: np.flip(v.X, 0),
    "pad(X, 2)":                      lambda v: np.pad(v.X, ((0, 0), (2, 2))),
    "pad(X, (1, 0))":                 lambda v: np.pad(v.X, ((0, 0), (1, 0))),
    "pad2d(X, 1, K)":                 lambda v: np.pad(v.X, ((1, 1), (v.K, v.K))),
    "pad(V, 1)[..., 1:-1]":           lambda v: v.V,
    "tril(S)":                        lambda v: np.tril(v.S),
    "triu(S, 1)":                     lambda v: np.triu(v.S, 1),
    "tril(X, -1)":                    lambda v: np.tril(v.X, -1),
    "tril(S @ S)":                    lambda v: np.tril(v.S @ v.S),
    "vec(X)":                         lambda v: v.X.reshape(-1, order="F"),
    "kron(X, Z)":                     lambda v: np.kron(v.X, v.Z),
    "X[1:]":                          lambda v: v.X[1:],
    "X[:, ::2]":                      lambda v: v.X[:, ::2],
    "X[::-1]":                        lambda v: v.X[::-1],
    "X[:, :-1]":                      lambda v: v.X[:, :-1],
    "X[-1]":                          lambda v: v.X[-1],
    "X[0, 1:]":                       lambda v: v.X[0, 1:],
    "X[..., None]":                   lambda v: v.X[..., None],
    "V[..., 0]":                      lambda v: v.V[..., 0],
    "V[:, None, 1:, :]":              lambda v: v.V[:, None, 1:, :],
    "X[t]":                           lambda v: v.X[v.t],
    "X[:, u]":                        lambda v: v.X[:, v.u],
    "X[arange(N), u]":                lambda v: v.X[np.arange(v.N), v.u],
    "take(V, u, axis=1)":             lambda v: np.take(v.V, v.u, axis=1),
    "onehot(t, N) @ X":               lambda v: _eye(v.N)[v.t] @ v.X,
    "eq(t, 1)[:, None] * X":          lambda v: (v.t == 1)[:, None] * v.X,
    "arange(N)[:, None] * X":         lambda v: np.arange(v.N)[:, None] * v.X,
    "inv(S)":                         lambda v: np.linalg.inv(v.S),
    "inv(X.T @ X + eye(D))":          lambda v: np.linalg.inv(v.X.T @ v.X + _eye(v.D)),
    "inv(S @ S.T)":                   lambda v: np.linalg.inv(v.S @ v.S.T),
    "inv(2 * S).T":                   lambda v: np.linalg.inv(2 * v.S).T,
    "matpow(S, 3)":                   lambda v: np.linalg.matrix_power(v.S, 3),
    "matpow(S, -2)":                  lambda v: np.linalg.matrix_power(v.S, -2),
    "matpow(S, 0) @ S":               lambda v: v.S,
    "det(S) * S":                     lambda v: np.linalg.det(v.S) * v.S,
    "det(S @ S + eye(D)) * S":        lambda v: np.linalg.det(v.S @ v.S + _eye(v.D)) * v.S,
    "logdet(S) * S":                  lambda v: np.log(np.abs(np.linalg.det(v.S))) * v.S,
    "logdet(matpow(S, 3)) * S":       lambda v: 3 * np.log(np.abs(np.linalg.det(v.S))) * v.S,
    "trace(S) * X":                   lambda v: np.trace(v.S) * v.X,
    "dot(a, a) * X":                  lambda v: np.dot(v.a, v.a) * v.X,
    "max(X, axis=1)":                 lambda v: v.X.max(1),
    "min(V, axis=(0, 2))":            lambda v: v.V.min((0, 2)),
    "prod(X, axis=0)":                lambda v: v.X.prod(0),
    "var(V, axis=(0, 1), keepdims=True)": lambda v: v.V.var((0, 1), keepdims=True),
    "norm1(X, axis=1)":               lambda v: np.abs(v.X).sum(1),
    "norm2(X, axis=0, keepdims=True)": lambda v: np.sqrt((v.X**2).sum(0, keepdims=True)),
    "mean(V, axis=(1, 2))":           lambda v: v.V.mean((1, 2)),
    "logsumexp(V, axis=(0, 2))":      lambda v: _logsumexp(v.V, (0, 2)),
    "cumsum(X, axis=0)":              lambda v: np.cumsum(v.X, 0),
    "cumsum(a)":                      lambda v: np.cumsum(v.a),
    "sum(reshape(W, N, D, K) * V, axis=1)":
                                      lambda v: (v.W.reshape(v.N, v.D, v.K) * v.V).sum(1),
    "softmax(where(tril(ones(D, D)) > 0, S, -3), axis=1)":
                                      lambda v: _causal_softmax(v.S),
    'einsum("nd,nk->dk", X, Z)':      lambda v: v.X.T @ v.Z,
    "diag(S)":                        lambda v: np.diag(v.S),
    "diag(a)":                        lambda v: np.diag(v.a),
}
# fmt: on


def _causal_softmax(s: Array) -> Array:
    masked = np.exp(np.where(np.tri(len(s)) > 0, s, -3))
    return np.asarray(masked / masked.sum(1, keepdims=True))


def reference(operation: str, values: Mapping[str, Array], dims: Mapping[str, int]) -> Array:
    """The value of an operation by NumPy."""
    integers = {"t", "u"}
    arrays = {k: a.astype(int) if k in integers else a for k, a in values.items()}
    return np.asarray(OPERATIONS[operation](SimpleNamespace(**arrays, **dims)), dtype=float)
