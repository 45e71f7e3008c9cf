"""Kernels of second order and of products with a direction, by value and by count of products."""

from __future__ import annotations

import re
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from tests.backends.numpy.loading import module

PENALISED = """
dims N = 5, D = 2, M = 3, K = 2
data X[N, D], Y[N, K]
param W1[M, D], W2[K, M]
H = tanh(X @ W1.T)
L = sum((H @ W2.T - Y)**2) + sum(W1**2)/2
"""
UNSHARED = """
dims n = 3
data A[n, n]
param x[n]
assume A spd
L = log(x @ A @ x) + sum(exp(x))
"""
RAYLEIGH = """
dims n = 3
data A[n, n]
param x[n], s
L = (x @ A @ x) / (x @ x) * s
"""
NETS = ("three-layer", "three-layer-tanh", "logistic-regression", "softmax-regression")
TEXTS = {"penalised": PENALISED, "unshared": UNSHARED, "rayleigh": RAYLEIGH}


@lru_cache(maxsize=32)
def source(model: str, kind: str, of: str | None = None) -> str:
    text = TEXTS.get(model)
    loaded = sb.load(model) if text is None else sb.parse(text)
    return str(sb.kernel(sb.derive(loaded, kind=kind, of=of)).source)


def kernel(model: str, kind: str, of: str | None = None) -> ModuleType:
    return module(source(model, kind, of))


@pytest.mark.parametrize("model", [*NETS, *TEXTS])
@pytest.mark.parametrize("kind", ["hessian", "hvp"])
def test_self_tests_pass(model: str, kind: str) -> None:
    assert kernel(model, kind)._self_test() < 1e-6


@pytest.mark.parametrize(("kind", "of"), [("jvp", None), ("jvp", "yhat"), ("vjp", "H")])
def test_first_order_products(kind: str, of: str | None) -> None:
    assert kernel("three-layer", kind, of)._self_test() < 1e-6


@pytest.mark.parametrize("model", NETS[1:])
def test_hessian_times_direction_is_the_product(model: str) -> None:
    rng = np.random.default_rng(0)
    given, ways = _drawn(model, rng, np.float64)
    blocks = kernel(model, "hessian").hessian(**given)
    products = kernel(model, "hvp").hvp(**given, **{f"v_{k}": v for k, v in ways.items()})
    for a, product in products.items():
        total = sum(np.tensordot(blocks[a, b], v, axes=np.ndim(v)) for b, v in ways.items())
        np.testing.assert_allclose(product, total, rtol=1e-10, atol=1e-12)
        for b in ways:
            turned = (*range(np.ndim(ways[b]), blocks[b, a].ndim), *range(np.ndim(ways[b])))
            np.testing.assert_allclose(blocks[a, b], np.transpose(blocks[b, a], turned))


@pytest.mark.parametrize("model", NETS[1:])
def test_agreement_with_jax(model: str) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    given, ways = _drawn(model, np.random.default_rng(1), np.float64)
    rest = {k: v for k, v in given.items() if k not in ways}

    def loss(params: dict[str, Any]) -> Any:
        return _LOSSES[model](jax, {**rest, **params})

    truth = jax.hessian(loss)(dict(ways := {k: given[k] for k in ways}))
    blocks = kernel(model, "hessian").hessian(**given)
    for a in ways:
        for b in ways:
            np.testing.assert_allclose(blocks[a, b], truth[a][b], rtol=1e-9, atol=1e-9)


def test_dtype_is_kept_and_errors_name_the_argument() -> None:
    given, ways = _drawn("three-layer-tanh", np.random.default_rng(2), np.float32)
    blocks = kernel("three-layer-tanh", "hessian").hessian(**given)
    assert {block.dtype for block in blocks.values()} == {np.dtype(np.float32)}
    hvp = kernel("three-layer-tanh", "hvp").hvp
    along = {f"v_{k}": v for k, v in ways.items()}
    assert {np.asarray(v).dtype for v in hvp(**given, **along).values()} == {np.dtype(np.float32)}
    with pytest.raises(ValueError, match="v_b must have shape"):
        hvp(**given, **{**along, "v_b": np.zeros(9, np.float32)})


def test_a_hessian_has_one_square_and_no_einsum_of_sums() -> None:
    for model in NETS:
        text = source(model, "hessian")
        body = text[text.index("def hessian") : text.index("def _side_by_side")]
        assert body.count("J.T @ J") == 1
        # Diagonals are views by einsum of one operand; nothing is summed by it.
        views = re.findall(r'np\.einsum\("[a-z]+->[a-z]+", blocks\["\w+", "\w+"\]\)', body)
        assert len(views) == body.count("einsum")


NAMED = "Z{k} = H{above} @ W{k}.T + b{k}\nH{k} = tanh(Z{k})"
UNNAMED = "H{k} = tanh(H{above} @ W{k}.T + b{k})"
MET_AGAIN = "H{k} = silu(H{above} @ W{k}.T + b{k})"


@pytest.mark.parametrize("layer", [NAMED, UNNAMED, MET_AGAIN])
def test_hvp_costs_at_most_four_gradients_of_a_deep_net(layer: str) -> None:
    lines = ["dims N, M", "data X[N, M], Y[N, M]", "H0 = X"]
    lines += [f"param W{k}[M, M], b{k}[M]" for k in range(1, 13)]
    lines += [layer.format(k=k, above=k - 1) for k in range(1, 13)]
    model = sb.parse("\n".join([*lines, "L = sum((H12 - Y)**2)"]))
    text = str(sb.kernel(sb.derive(model, kind="hvp")).source)
    hvp = _body(text, "def hvp", "\n\n\ndef ")
    gradient = _body(text, "def forward", "\n\n\ndef ") + _body(text, "def backward", "\n\n\ndef ")
    assert _products(hvp) <= 4 * _products(gradient)
    assert _products(gradient) == 12 + 12 + 11


def test_adjoints_of_unnamed_products_are_named_checked_and_written_out_when_closed() -> None:
    text = "dims N, D, M\ndata X[N, D]\nparam W[M, D], V[M], delta_y[M]\n"
    text += "H = tanh(X @ W.T + delta_y)\ny = tanh(H @ V) * tanh(H @ delta_y)\nL = sum(y**2)\n"
    derivation = sb.derive(sb.parse(text), kind="hvp")
    names = {d.name for d in derivation.values()}
    assert {"delta_y_2", "delta_y_3", "v_delta_y_2", "v_delta_H"} <= names
    for d in derivation.values():
        assert d.checked.passed, (d, d.checked)
        assert "_1" not in d.text
        assert not re.search("delta_(H|y_)", str(d.closed))
    assert r"\nabla_{u_{2}}" in "".join(d.latex for d in derivation.values())
    assert not re.search(r"delta.{0,2}(H|y.{0,2}_)", sb.notes(derivation).source)
    assert module(str(sb.kernel(derivation).source))._self_test() < 1e-6


def _body(text: str, start: str, end: str) -> str:
    rest = text[text.index(start) :]
    return rest[: rest.index(end)]


def _products(code: str) -> int:
    """How many matrix products lines of code make."""
    return sum(line.partition("#")[0].count(" @ ") for line in code.splitlines())


def _drawn(model: str, rng: Any, dtype: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    N, D, M = 6, 3, 4
    X = rng.standard_normal((N, D))
    if model == "three-layer-tanh":
        given = {
            "X": X, "y": rng.standard_normal(N), "W": rng.standard_normal((M, D)),
            "b": rng.standard_normal(M), "theta": rng.standard_normal(M),
            "c": rng.standard_normal(),
        }  # fmt: skip
    elif model == "logistic-regression":
        given = {"X": X, "y": rng.integers(2, size=N), "w": rng.standard_normal(D), "b": 0.3}
    else:
        given = {
            "X": X, "Y": np.eye(M)[rng.integers(M, size=N)], "W": rng.standard_normal((M, D)),
            "b": rng.standard_normal(M),
        }  # fmt: skip
    cast = {k: np.asarray(v).astype(dtype) for k, v in given.items()}
    params = [k for k in cast if k not in ("X", "y", "Y")]
    return cast, {
        k: rng.standard_normal(cast[k].shape).astype(dtype)
        if cast[k].shape
        else np.asarray(rng.standard_normal(), dtype)
        for k in params
    }


def _tanh_net(jax: Any, g: dict[str, Any]) -> Any:
    jnp = jax.numpy
    H = jnp.tanh(g["X"] @ g["W"].T + g["b"])
    return jnp.sum((H @ g["theta"] + g["c"] - g["y"]) ** 2)


def _logistic(jax: Any, g: dict[str, Any]) -> Any:
    jnp = jax.numpy
    z = g["X"] @ g["w"] + g["b"]
    return jnp.mean(jax.nn.softplus(z) - g["y"] * z)


def _softmax(jax: Any, g: dict[str, Any]) -> Any:
    logits = g["X"] @ g["W"].T + g["b"]
    return -jax.numpy.sum(g["Y"] * jax.nn.log_softmax(logits, axis=1)) / len(g["X"])


_LOSSES = {
    "three-layer-tanh": _tanh_net,
    "logistic-regression": _logistic,
    "softmax-regression": _softmax,
}


def test_double_backprop_agrees_with_jax() -> None:
    """The gradient that the model writes out is that of its scores, and so are its own gradients
    those of a loss in which jax takes the gradient itself.
    """
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, rng = jax.numpy, np.random.default_rng(3)
    X, W = rng.standard_normal((6, 3)), rng.standard_normal((4, 3))
    params = {"W": W, "b": rng.standard_normal(4), "theta": rng.standard_normal(4)}

    def score(x: Any, p: dict[str, Any]) -> Any:
        return jnp.tanh(p["W"] @ x + p["b"]) @ p["theta"]

    def loss(p: dict[str, Any]) -> Any:
        slopes = jax.vmap(jax.grad(score), (0, None))(X, p)
        scores = jax.vmap(score, (0, None))(X, p)
        return jnp.mean((jnp.linalg.norm(slopes, axis=1) - 1) ** 2) - jnp.mean(scores)

    kernel = module(str(sb.kernel(sb.derive(sb.load("gradient-penalty"))).source))
    value, grads = kernel.loss_and_grad(X=X, **params)
    truth = jax.grad(loss)(params)
    np.testing.assert_allclose(value, loss(params), rtol=1e-12)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, truth[name], rtol=1e-9, atol=1e-12)
