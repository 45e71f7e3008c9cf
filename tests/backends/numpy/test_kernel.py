"""Every shipped model's kernel by value: central differences, autograd, dtypes, no samples."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop.ir.program import Program
from tests.backends.numpy.loading import (
    SHIPPED,
    SLOPES,
    draw,
    extent,
    functions,
    kernel,
    record,
    source,
)

SMALL = (1, 2, 5)
SUMMED = ["three-layer", "three-layer-tanh", "three-layer-outputs"]
AVERAGED = ["softmax-regression", "logistic-regression", "mlp"]


def value_and_grads(model: str, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What the kernel says; of an array, for the sum of its entries times 1, 2, …"""
    k, program = kernel(model), record(model).program
    out, cache = k.forward(**given, **functions(program, k, "forward"))
    slopes = functions(program, k, "backward")
    if np.ndim(out) == 0:
        return out, k.backward(cache, **slopes)
    weight = weights(out)
    return np.sum(weight * out), k.backward(cache, weight, **slopes)


def weights(out: Any) -> Any:
    """A fixed weight for each entry of an output."""
    return np.arange(1.0, np.size(out) + 1).reshape(np.shape(out)).astype(out.dtype)


@pytest.mark.parametrize("model", SHIPPED)
def test_central_differences_at_all_small_sizes(model: str) -> None:
    program = record(model).program
    names = [d.name for d in program.dims]
    choices = product(SMALL, repeat=min(len(names), 3))
    for sizes in choices:
        at = dict(zip(names, cycle(sizes), strict=False))
        if any(extent(program, e, at) < 1 for q in program.equations for e in q.shape):
            continue
        given = draw(program, at, seed=sum(sizes))
        _, grads = value_and_grads(model, given)
        rng = np.random.default_rng(1)
        assert list(grads) == list(program.params)
        for name, grad in grads.items():
            assert np.shape(grad) == given[name].shape
            # A random direction sees every entry; entry by entry is the self-test's way.
            way = rng.standard_normal(given[name].shape)
            up, down = (
                value_and_grads(model, {**given, name: given[name] + s * way})[0]
                for s in (1e-6, -1e-6)
            )
            slope = (up - down) / 2e-6
            assert np.sum(grad * way) == pytest.approx(slope, rel=2e-6, abs=2e-6), (at, name)


def _cross_entropy(np_: Any, Z: Any, Y: Any) -> Any:
    top = np_.max(Z, axis=1, keepdims=True)
    total = np_.log(np_.sum(np_.exp(Z - top), axis=1, keepdims=True))
    return -np_.sum(Y * (Z - top - total)) / len(Y)


def _mlp(np_: Any, g: Any) -> Any:
    H1 = np_.maximum(g["X"] @ g["W1"].T + g["b1"], 0)
    H2 = np_.maximum(H1 @ g["W2"].T + g["b2"], 0)
    return _cross_entropy(np_, H2 @ g["W3"].T + g["b3"], g["Y"])


def _deep(np_: Any, g: Any) -> Any:
    H = g["X"]
    for k in range(1, 11):
        H = np_.tanh(H @ g[f"W{k}"].T + g[f"b{k}"])
    return np_.sum((H - g["Y"]) ** 2)


def _three_layers(np_: Any, g: Any) -> Any:
    yhat = np_.tanh(g["X"] @ g["W"].T + g["b"]) @ g["theta"] + g["c"]
    return np_.sum((yhat - g["y"]) ** 2)


def _scalar(np_: Any, g: Any) -> Any:
    h = np_.tanh(np_.array([1.0]) * (g["W"] @ g["x"] + g["b"]))
    return (np_.sum(g["theta"] * h) + g["c"] - g["y"]) ** 2


def _outputs(np_: Any, g: Any) -> Any:
    return np_.sum((np_.tanh(g["X"] @ g["W"].T + g["b"]) @ g["Theta"].T + g["c"] - g["Y"]) ** 2)


def _logistic(np_: Any, g: Any) -> Any:
    z = g["X"] @ g["w"] + g["b"]
    return np_.sum(np_.logaddexp(0, z) - g["y"] * z) / len(z)


def _softmax_layer(np_: Any, g: Any) -> Any:
    e = np_.exp(g["W"] @ g["x"] + g["b"])
    return np_.sum(np.arange(1.0, len(e) + 1) * e / np_.sum(e))


# fmt: off
REFERENCES: dict[str, Callable[[Any, Any], Any]] = {
    "linear-neuron":       lambda n, g: n.dot(g["w"], g["x"]) + g["b"],
    "relu-neuron":         lambda n, g: n.maximum(n.dot(g["w"], g["x"]) + g["b"], 0),
    "sigmoid-neuron":      lambda n, g: 1 / (1 + n.exp(-n.dot(g["w"], g["x"]) - g["b"])),
    "tanh-neuron":         lambda n, g: n.tanh(n.dot(g["w"], g["x"]) + g["b"]),
    "softmax-layer":       _softmax_layer,
    "three-layer-scalar":  _scalar,
    "three-layer":         _three_layers,
    "three-layer-tanh":    _three_layers,
    "three-layer-outputs": _outputs,
    "logistic-regression": _logistic,
    "softmax-regression":  lambda n, g: _cross_entropy(n, g["X"] @ g["W"].T + g["b"], g["Y"]),
    "mlp":                 _mlp,
    "deep-tanh":           _deep,
}
# fmt: on


@pytest.mark.parametrize("model", REFERENCES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_and_gradients_agree_with_autograd(
    model: str, dtype: str, require: Callable[..., str]
) -> None:
    require("autograd", package=True)
    import autograd
    import autograd.numpy as anp

    program = record(model).program
    given = draw(program, {d.name: 3 + k for k, d in enumerate(program.dims)}, dtype)
    value, grads = value_and_grads(model, given)
    exact = {k: v.astype(np.float64) for k, v in given.items()}
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    assert value == pytest.approx(REFERENCES[model](anp, exact), rel=tolerance, abs=tolerance)
    for name, grad in grads.items():
        assert grad.dtype == np.dtype(dtype), name

        def at(v: Any, name: str = name) -> Any:
            return REFERENCES[model](anp, {**exact, name: v})

        want = autograd.grad(at)(exact[name])
        np.testing.assert_allclose(grad, want, rtol=tolerance, atol=tolerance * 10)


def small(program: Program) -> dict[str, int]:
    """Extents that differ, unless there are many; those that windows run along come first."""
    sizes = {d.name: 2 + j % 5 for j, d in enumerate(program.dims)}
    if all(extent(program, e, sizes) > 0 for q in program.inputs for e in q.shape):
        return sizes
    return {d.name: 7 - j for j, d in enumerate(program.dims)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("model", SHIPPED)
def test_workspace_gives_the_same_and_is_overwritten(model: str, dtype: str) -> None:
    k, program = kernel(model), record(model).program
    if not hasattr(k, "Workspace"):
        assert np.ndim(value_and_grads(model, draw(program, {"D": 2, "K": 3}))[1]["W"]) == 2
        return
    sizes = small(program)
    slopes = functions(program, k, "loss_and_grad")
    workspace = k.Workspace(**sizes, dtype=np.dtype(dtype))
    seen = []
    for seed in (0, 1):
        given = draw(program, sizes, dtype, seed=seed)
        want, wanted = k.loss_and_grad(**given, **slopes)
        got, grads = k.loss_and_grad(**given, **slopes, workspace=workspace)
        assert got == pytest.approx(want, rel=1e-6)
        assert got.dtype == np.dtype(dtype)
        for name in wanted:
            np.testing.assert_allclose(grads[name], wanted[name], rtol=2e-6, atol=1e-6)
            assert grads[name].dtype == np.dtype(dtype)
        seen.append(grads)
    matrices = [n for n in seen[0] if np.ndim(seen[0][n])]
    assert all(np.shares_memory(seen[0][n], seen[1][n]) for n in matrices)


@pytest.mark.parametrize("model", ["three-layer-tanh", "mlp", "softmax-regression"])
def test_workspace_allocates_nothing_big(model: str) -> None:
    k, program = kernel(model), record(model).program
    sizes = {d.name: 256 + j for j, d in enumerate(program.dims)}
    given, workspace = draw(program, sizes), k.Workspace(**sizes)

    def peak(**options: Any) -> int:
        k.loss_and_grad(**given, **options)
        gc.collect()
        tracemalloc.start()
        k.loss_and_grad(**given, **options)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(workspace=workspace) < 0.5 * peak()
    if model == "three-layer-tanh":  # softmax's helpers need a little room of their own
        assert peak(workspace=workspace) < 256 * 256 * 8 / 4


@pytest.mark.parametrize("model", SUMMED)
def test_no_samples_give_no_loss_and_no_gradient(model: str) -> None:
    k, program = kernel(model), record(model).program
    given = draw(program, {d.name: 0 if d.name == "N" else 3 for d in program.dims})
    slopes = functions(program, k, "loss_and_grad")
    workspace = k.Workspace(**{d.name: 0 if d.name == "N" else 3 for d in program.dims})
    for options in ({}, {"workspace": workspace}):
        loss, grads = k.loss_and_grad(**given, **slopes, **options)
        assert loss == 0
        assert all(not np.any(g) for g in grads.values())
        assert {n: np.shape(g) for n, g in grads.items()} == {
            n: given[n].shape for n in program.params
        }


@pytest.mark.parametrize("model", AVERAGED)
def test_a_mean_over_no_samples_is_an_error(model: str) -> None:
    k, program = kernel(model), record(model).program
    given = draw(program, {d.name: 0 if d.name == "N" else 3 for d in program.dims})
    with pytest.raises(ValueError, match="N is 0"):
        k.forward(**given)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("model", AVERAGED)
def test_huge_logits_neither_overflow_nor_warn(model: str, dtype: str) -> None:
    k, program = kernel(model), record(model).program
    sizes = {d.name: 4 for d in program.dims}
    for scale in (1e2, 1e4):
        given = draw(program, sizes, dtype, scale=scale)
        for options in ({}, {"workspace": k.Workspace(**sizes, dtype=np.dtype(dtype))}):
            loss, grads = k.loss_and_grad(**given, **options)
            assert np.isfinite(loss)
            assert loss > 0
            assert all(np.all(np.isfinite(g)) for g in grads.values())
    with np.errstate(over="ignore", invalid="ignore"):
        reference = REFERENCES[model](np, {n: v.astype(np.float64) for n, v in given.items()})
    assert loss == pytest.approx(reference, rel=1e-5)


def test_inputs_that_do_not_fit_are_named() -> None:
    k = kernel("three-layer")
    given = draw(record("three-layer").program, {"N": 2, "D": 3, "M": 4})
    f = {"f": np.tanh}
    for change, error, message in (
        ({"W": np.zeros((3, 4))}, ValueError, r"W must have shape \(M, D\), here \(any, 3\), got"),
        ({"b": np.zeros(5)}, ValueError, r"b must have shape \(M,\), here \(4\), got \(5,\)"),
        ({"X": np.zeros(3)}, ValueError, r"X must have shape \(N, D\)"),
        ({"c": np.zeros(1)}, ValueError, "c must have shape"),
        ({"y": np.zeros(2, np.float32)}, TypeError, "y must have dtype float64"),
        ({"theta": np.array(list("abcd"))}, TypeError, "theta must hold real numbers"),
        ({"f": 3}, TypeError, "f must be callable, got int"),
    ):
        with pytest.raises(error, match=message):
            k.forward(**{**given, **f, **change})
    with pytest.raises(TypeError, match="f_prime must be callable"):
        k.backward(k.forward(**given, **f)[1], f_prime=None)
    with pytest.raises(ValueError, match=r"workspace was made for \(N, D, M\) = \(2, 3, 5\)"):
        k.loss_and_grad(**given, **SLOPES, workspace=k.Workspace(N=2, D=3, M=5))


def test_scalars_and_lists_do_not_change_the_dtype() -> None:
    k = kernel("three-layer-tanh")
    given = draw(record("three-layer-tanh").program, {"N": 2, "D": 3, "M": 4}, np.float32)
    for c in (1, 0.5, np.float64(0.5), np.float32(0.5)):
        loss, grads = k.loss_and_grad(**{**given, "c": c, "y": [0, 1]})
        assert loss.dtype == np.float32
        assert {g.dtype for g in grads.values()} == {np.dtype(np.float32)}


def test_a_fixed_dtype_converts_what_comes() -> None:
    k = kernel("three-layer-tanh", "float32")
    given = draw(record("three-layer-tanh").program, {"N": 2, "D": 3, "M": 4}, np.float64)
    loss, grads = k.loss_and_grad(**given)
    assert loss.dtype == grads["W"].dtype == np.float32
    assert k.Workspace(N=1, D=1, M=1).Z.dtype == np.float32
    assert k._self_test() < 1e-2


@pytest.mark.parametrize(("of", "wrt"), [("yhat", "theta"), ("H", "b"), ("Z", "W"), ("yhat", "W")])
def test_jacobians_agree_with_central_differences(of: str, wrt: str) -> None:
    k = kernel("three-layer", of=of, wrt=wrt, kind="jacobian")
    assert k._self_test() < 1e-6
    assert list(k.jacobian.__annotations__)[-1] == "return"


def test_jacobian_of_the_softmax_layer() -> None:
    k = kernel("softmax-layer", wrt="b", kind="jacobian")
    given = draw(record("softmax-layer").program, {"D": 3, "K": 4})
    p, _ = k.forward(**given)
    np.testing.assert_allclose(k.jacobian(**given)["b"], np.diag(p) - np.outer(p, p), atol=1e-15)


@pytest.mark.parametrize("model", SHIPPED)
def test_the_file_checks_itself(model: str, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(source(model), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(file)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("ok: max relative error")


@pytest.mark.parametrize("model", ["cnn", "three-layer-tanh"])
def test_kinks_and_rounding_do_not_trouble_the_self_test_in_float32(model: str) -> None:
    k = kernel(model, dtype="float32")
    assert k._self_test() < 1e-4
    assert np.dtype(k.DTYPE) == np.float32


def test_the_self_test_notices_a_wrong_gradient(tmp_path: Path) -> None:
    right = source("three-layer-tanh")
    wrong = right.replace("grad_yhat = 2 * yhat_minus_y", "grad_yhat = 3 * yhat_minus_y")
    assert wrong != right
    file = tmp_path / "net.py"
    file.write_text(wrong, encoding="utf-8")
    run = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stdout.startswith("wrong")


def test_gradients_by_data_and_by_what_lies_between() -> None:
    everything = kernel("three-layer-tanh", wrt="all")
    assert everything._self_test() < 1e-6
    given = draw(record("three-layer-tanh").program, {"N": 2, "D": 3, "M": 4})
    _, grads = everything.loss_and_grad(**given)
    assert list(grads) == ["X", "y", "W", "b", "theta", "c"]
    between = kernel("three-layer-tanh", wrt="Z")
    _, cache = between.forward(**given)
    grad = between.backward(cache)["Z"]
    np.testing.assert_allclose(grad.T @ given["X"], grads["W"])
    assert not hasattr(between, "fit")


def test_a_jacobian_by_what_lies_between() -> None:
    k = kernel("sigmoid-neuron", wrt="z", kind="jacobian")
    h, _ = k.forward(x=[1.0], w=[2.0], b=3.0)
    assert k.jacobian(x=[1.0], w=[2.0], b=3.0)["z"] == pytest.approx(h * (1 - h))


def test_the_seed_of_a_product_is_checked() -> None:
    k = kernel("softmax-layer")
    _, cache = k.forward(x=np.ones(2), W=np.ones((3, 2)), b=np.ones(3))
    with pytest.raises(ValueError, match=r"grad_h must have shape \(K,\), here \(3\), got \(2,\)"):
        k.backward(cache, np.ones(2))
