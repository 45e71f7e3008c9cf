"""Meaning: what is written has the value and the shape that NumPy gives it; by entries as well."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symbackprop.errors import Malformed
from symbackprop.ir.evaluate import Point, evaluate, run
from symbackprop.ir.expressions import Entry, Index, IndexSum
from symbackprop.matrix.lower import lower
from symbackprop.network.model import parse
from symbackprop.notation.elaborate import Scope, elaborate, elaborate_entry
from symbackprop.notation.text_reader import read_expression
from symbackprop.notation.words import ELEMENTWISE
from tests.notation.random_terms import SCOPE, D, M, N

HEAD = "dims N, D, M\ndata X[N, D], y[N], x[D], c\nparam W[M, D], b[M], A[D, D]\nfunction f\n"
SIZES = {"N": 4, "D": 3, "M": 2}
RANDOM = np.random.default_rng(3)
VALUES = {
    name: RANDOM.normal(size=shape)
    for name, shape in {
        "X": (4, 3), "y": (4,), "x": (3,), "c": (), "W": (2, 3), "b": (2,), "A": (3, 3),
    }.items()
}  # fmt: skip
FUNCTIONS = {"f": np.sin, "f_prime": np.cos, "f_pprime": lambda t: -np.sin(t)}


def _softmax(a: Any, axis: int = -1) -> Any:
    e = np.exp(a)
    return e / e.sum(axis=axis, keepdims=True)


# fmt: off
VALUE_TABLE: dict[str, Callable[[Any], Any]] = {
    "Z = X @ W.T + b":                 lambda v: v.X @ v.W.T + v.b,
    "Z = -c**2 + (-c)**2":             lambda v: 0.0,
    "Z = 2**-c * 3 - 1":               lambda v: 2.0**-v.c * 3 - 1,
    "Z = X - mean(X, axis=0)":         lambda v: v.X - v.X.mean(0),
    "Z = var(X, axis=-1, keepdims=True) + X": lambda v: v.X.var(1, keepdims=True) + v.X,
    "Z = max(X, axis=1)":              lambda v: v.X.max(1),
    "Z = min(X, (0, 1))":              lambda v: v.X.min(),
    "Z = prod(X, axis=0)":             lambda v: v.X.prod(0),
    "Z = norm(X, axis=1) + norm1(X, axis=1)":
        lambda v: np.linalg.norm(v.X, axis=1) + abs(v.X).sum(1),
    "Z = logsumexp(X, axis=0)":        lambda v: np.log(np.exp(v.X).sum(0)),
    "Z = softmax(X, axis=0)":          lambda v: _softmax(v.X, 0),
    "Z = softmax(X)":                  lambda v: _softmax(v.X),
    "Z = log_softmax(X, axis=1)":      lambda v: np.log(_softmax(v.X, 1)),
    "Z = outer(y, x)":                 lambda v: np.outer(v.y, v.x),
    "Z = dot(x, x) * trace(A)":        lambda v: v.x @ v.x * np.trace(v.A),
    "Z = dot(X, W.T)":                 lambda v: v.X @ v.W.T,
    "Z = diag(x) @ A + diag(A)":       lambda v: np.diag(v.x) @ v.A + np.diag(v.A),
    "Z = eye(D) - ones(D, D) / D":     lambda v: np.eye(3) - np.ones((3, 3)) / 3,
    "Z = zeros(N, D) + x":             lambda v: np.zeros((4, 3)) + v.x,
    "Z = arange(N) * (N - 1)":         lambda v: np.arange(4) * 3.0,
    "Z = where(X > 0, X, 0.01 * X)":   lambda v: np.where(v.X > 0, v.X, 0.01 * v.X),
    "Z = (X >= c) * (X != 1) + eq(X, X)": lambda v: (v.c <= v.X) * 1.0 + 1,
    "Z = maximum(X, c) + minimum(y[:, None], X)":
        lambda v: np.maximum(v.X, v.c) + np.minimum(v.y[:, None], v.X),
    "Z = X[0] + X[-1, :]":             lambda v: v.X[0] + v.X[-1],
    "Z = X[1:, :-1]":                  lambda v: v.X[1:, :-1],
    "Z = X[..., None, 0]":             lambda v: v.X[..., None, 0],
    "Z = X[:, 1:D] * y[:, None]":      lambda v: v.X[:, 1:3] * v.y[:, None],
    'Z = einsum("nd,md->nm", X, W)':   lambda v: v.X @ v.W.T,
    'Z = einsum("nd->", X)':           lambda v: v.X.sum(),
    "Z = f(X) + f_prime(X) * f_pprime(X)": lambda v: np.sin(v.X) - np.cos(v.X) * np.sin(v.X),
    "Z = abs(X) + sign(X) * step(X)":  lambda v: abs(v.X) + (v.X > 0),
    "Z = sqrt(abs(X)) / sqrt(D)":      lambda v: np.sqrt(abs(v.X)) / np.sqrt(3),
    "Z = relu(X) + leaky_relu(X, 1/10)":
        lambda v: np.maximum(v.X, 0) + np.where(v.X > 0, v.X, v.X / 10),
    "Z = leaky_relu(X) + elu(X)":
        lambda v: np.where(v.X > 0, v.X, v.X / 100) + np.where(v.X > 0, v.X, np.expm1(v.X)),
    "Z = sigmoid(X) * silu(X)":        lambda v: v.X / (1 + np.exp(-v.X)) ** 2,
    "Z = softplus(X) - log1p(exp(X))": lambda v: 0 * v.X,
    "Z = mse(X, x)":                   lambda v: ((v.X - v.x) ** 2).mean(),
    "Z = huber(X, x, 0.5)":            lambda v: np.where(
        abs(v.X - v.x) <= 0.5, (v.X - v.x) ** 2 / 2, 0.5 * (abs(v.X - v.x) - 0.25)).mean(),
    "Z = N // 2 * c":                  lambda v: 2 * v.c,
    "Z = (N % 3) * c + N*D - D**2":    lambda v: v.c + 12 - 9,
    "Z[n,m] = sum[d](X[n,d]*W[m,d]) + b[m]": lambda v: v.X @ v.W.T + v.b,
    "Z[n] = max[d](X[n,d]) * prod[d](X[n,d])": lambda v: v.X.max(1) * v.X.prod(1),
    "Z[n] = y[n]**2/2 - sqrt(abs(y[n]))": lambda v: v.y**2 / 2 - np.sqrt(abs(v.y)),
    "Z[i] = sum[u](y[i+u]*b[u]) for i in 0..N-M": lambda v: np.correlate(v.y, v.b, "valid"),
    "Z[i] = where(eq(i, 0), y[i], y[i]*(i > 1)) + N": lambda v: v.y * [1, 0, 1, 1] + 4,
    "Z[j,i] = A[i,j]":                 lambda v: v.A.T,
    "Z[n] = f(y[n]) + relu(y[n]) + maximum(y[n], c) + leaky_relu(y[n])":
        lambda v: np.sin(v.y) + np.maximum(v.y, 0) + np.maximum(v.y, v.c)
         + np.where(v.y > 0, 1, 0.01) * v.y,
    "Z = sum[n](y[n]**2) * X":         lambda v: (v.y @ v.y) * v.X,
}
SHAPES = {
    "x @ x": (), "X @ x": (N,), "y @ X": (D,), "X.T": (D, N), "x.T": (D,), "X[None]": (1, N, D),
    "X + c": (N, D), "T @ A": (N, M, D), "sum(T, axis=(0, 2))": (M,), "T @ x": (N, M),
}
# fmt: on


@pytest.mark.parametrize("line", VALUE_TABLE)
def test_value_is_numpys(line: str) -> None:
    model = parse(HEAD + line)
    program = lower(
        dims=model.dims, inputs=model.inputs, functions=model.functions, output="Z",
        statements=[(n, t) for n, t, _ in model.statements], rules=model.rules,
    )  # fmt: skip
    got = run(program, Point(SIZES, VALUES, FUNCTIONS, model.rules)).values["Z"]
    want = np.asarray(VALUE_TABLE[line](SimpleNamespace(**VALUES)))
    assert np.shape(got) == want.shape
    np.testing.assert_allclose(np.asarray(got, dtype=float), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", SHAPES)
def test_shapes(text: str) -> None:
    assert elaborate(read_expression(text), SCOPE).shape == SHAPES[text]


@pytest.mark.parametrize(
    "name", ["exp", "sum", "var", "lambda", "e", "E", "I", "S", "T", "forward"]
)
def test_no_name_of_a_function_is_reserved(name: str) -> None:
    model = parse(f"data {name}\nq = {name} * 2\nL = q**2")
    assert model.statements[0][1].args[0].attrs == (name,)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_abstract_function_shadows_one_of_the_language(name: str) -> None:
    term = elaborate(read_expression(f"{name}(X)"), Scope(SCOPE.dims, SCOPE.shapes, (name,)))
    assert (term.op, term.attrs, len(term.args)) == ("apply", (name,), 1)


def test_entries_with_free_indices() -> None:
    n, d = Index("n", N), Index("d", D)
    scope = Scope(SCOPE.dims, SCOPE.shapes, (), {"n": n})
    e = elaborate_entry(read_expression("sum[d](X[n,d])"), scope)
    assert e == IndexSum(Entry("X", n, d), d)
    value = evaluate(e, Point(SIZES, VALUES), (n,))
    np.testing.assert_allclose(np.asarray(value, dtype=float), VALUES["X"].sum(1))


def test_adjoints_are_read_where_they_may_be_named() -> None:
    assert elaborate(read_expression("grad_X.T @ X"), SCOPE).shape == (D, D)
    with pytest.raises(Malformed, match="unknown name grad_Y"):
        elaborate(read_expression("grad_Y"), SCOPE)
