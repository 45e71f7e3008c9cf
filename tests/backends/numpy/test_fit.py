"""``fit`` of generated kernels: learns, descends, stops, shuffles by its seed, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backends.numpy.loading import SLOPES, draw, kernel, record

LENET = Path(__file__).parents[2] / "models" / "digits.net"
DESCENDING = {
    "three-layer": 1e-4, "three-layer-tanh": 1e-4, "three-layer-outputs": 1e-4, "deep-tanh": 1e-4,
    "logistic-regression": 0.05, "softmax-regression": 0.05, "mlp": 0.02,
    "three-layer-scalar": 1e-3,
}  # fmt: skip


@lru_cache(maxsize=1)
def digits() -> tuple[dict[str, Any], dict[str, Any]]:
    """scikit-learn's handwritten digits, one in four held out."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    X, Y = (images[order] / 16).astype(np.float32), np.eye(10, dtype=np.float32)[labels[order]]
    held = len(labels) // 4
    return {"X": X[held:], "Y": Y[held:]}, {"X": X[:held], "Y": Y[:held]}


def accuracy(k: Any, data: dict[str, Any], params: dict[str, Any]) -> float:
    """The share of samples whose largest output is the label."""
    _, cache = k.forward(**data, **params)
    return float(np.mean(cache["P"].argmax(axis=1) == data["Y"].argmax(axis=1)))


def test_softmax_regression_learns_digits(require: Callable[..., str]) -> None:
    require("sklearn", package=True)
    train, test = digits()
    k = kernel("softmax-regression")
    start = {"W": np.zeros((10, 64), np.float32), "b": np.zeros(10, np.float32)}
    params, history = k.fit(train, start, rate=0.5, epochs=60, batch=32, seed=1)
    assert accuracy(k, test, params) >= 0.95
    assert history[-1] < 0.2 * history[0]
    assert params["W"].dtype == np.float32
    assert not np.any(start["W"])


def test_mlp_learns_digits(require: Callable[..., str]) -> None:
    require("sklearn", package=True)
    train, test = digits()
    k, rng = kernel("mlp"), np.random.default_rng(0)
    start = {}
    for layer, (inside, out) in enumerate(((64, 64), (64, 32), (32, 10)), start=1):
        start[f"W{layer}"] = rng.normal(0, np.sqrt(2 / inside), (out, inside)).astype(np.float32)
        start[f"b{layer}"] = np.zeros(out, np.float32)
    params, _ = k.fit(train, start, rate=0.2, epochs=80, batch=32, seed=1)
    assert accuracy(k, test, params) >= 0.97


def test_lenet_learns_digits(require: Callable[..., str]) -> None:
    require("sklearn", package=True)
    train, test = (
        {"X": half["X"].reshape(-1, 1, 8, 8) - np.float32(0.3), "t": half["Y"].argmax(axis=1)}
        for half in digits()
    )
    k, rng = kernel(LENET.read_text(encoding="utf-8")), np.random.default_rng(1)
    shapes = {"K1": (12, 1, 3, 3), "K2": (24, 12, 3, 3), "V": (10, 24, 2, 2)}
    start = {
        key: rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        for key, shape in shapes.items()
    }
    start |= {b: np.zeros(n, np.float32) for b, n in (("b1", 12), ("b2", 24), ("d", 10))}
    params, _ = k.fit(train, start, rate=0.12, epochs=30, batch=32, seed=1)
    _, cache = k.forward(**test, **params)
    scores = cache["F"] @ params["V"].reshape(10, -1).T + params["d"]
    assert np.mean(scores.argmax(axis=1) == test["t"]) >= 0.98


@pytest.mark.parametrize("model", DESCENDING)
def test_small_full_steps_only_descend(model: str) -> None:
    k, program = kernel(model), record(model).program
    sizes = {d.name: 12 if d.name == "N" else 3 for d in program.dims}
    given = draw(program, sizes)
    slopes = SLOPES if program.functions else {}
    data, params = _split(program, given)
    _, history = k.fit(data, params, rate=DESCENDING[model], epochs=50, **slopes)
    assert len(history) == 50
    assert all(later < earlier for earlier, later in pairwise(history))


@pytest.mark.parametrize("batch", [None, 1, 4, 5, 100])
def test_batches_cover_each_sample_once_and_nothing_is_changed(batch: int | None) -> None:
    model = "three-layer-tanh"
    k, program = kernel(model), record(model).program
    data, params = _split(program, draw(program, {"N": 10, "D": 2, "M": 3}))
    before = {n: np.array(v) for n, v in (data | params).items()}
    seen = []
    one, history = k.fit(
        data, params, rate=1e-3, epochs=3, batch=batch, seed=5,
        callback=lambda epoch, loss, now: seen.append((epoch, loss)),
    )  # fmt: skip
    two, again = k.fit(data, params, rate=1e-3, epochs=3, batch=batch, seed=5)
    assert history == again
    assert seen == list(enumerate(history))
    for name in params:
        np.testing.assert_array_equal(one[name], two[name])
        assert one[name] is not params[name]
        assert not np.shares_memory(one[name], params[name])
        assert not np.array_equal(one[name], params[name])
    for name, value in (data | params).items():
        np.testing.assert_array_equal(value, before[name])


def test_one_step_is_the_gradient_step_and_batches_sum_to_the_whole() -> None:
    model = "three-layer-tanh"
    k, program = kernel(model), record(model).program
    given = draw(program, {"N": 6, "D": 2, "M": 3})
    data, params = _split(program, given)
    loss, grads = k.loss_and_grad(**given)
    after, history = k.fit(data, params, rate=0.01, epochs=1)
    assert history == [pytest.approx(loss)]
    for name in params:
        np.testing.assert_allclose(after[name], params[name] - 0.01 * grads[name], rtol=1e-12)
    _, tiny = k.fit(data, params, rate=1e-300, epochs=1, batch=2)
    assert 3 * tiny[0] == pytest.approx(loss)


def test_it_stops_at_the_tolerance_or_when_told_and_says_when_it_diverges() -> None:
    model = "logistic-regression"
    k, program = kernel(model), record(model).program
    data, params = _split(program, draw(program, {"N": 20, "D": 2}))
    _, history = k.fit(data, params, rate=0.1, epochs=10_000, tolerance=1e-4)
    assert 2 < len(history) < 10_000
    assert abs(history[-1] - history[-2]) < 1e-4 <= abs(history[-2] - history[-3])
    _, told = k.fit(data, params, rate=0.1, epochs=99, callback=lambda epoch, *_: epoch == 6)
    assert len(told) == 7
    assert k.fit(data, params, rate=0.1, epochs=0)[1] == []
    deep = kernel("three-layer-outputs")
    data, params = _split(record("three-layer-outputs").program, draw(
        record("three-layer-outputs").program, {"N": 9, "D": 2, "M": 3, "K": 2}
    ))  # fmt: skip
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(FloatingPointError, match="lower the rate"),
    ):
        deep.fit(data, params, rate=1e200, epochs=9, **SLOPES)


def test_arguments_are_named() -> None:
    k = kernel("three-layer-scalar")
    program = record("three-layer-scalar").program
    data, params = _split(program, draw(program, {"D": 2, "M": 3}))
    with pytest.raises(ValueError, match="batch must be left out"):
        k.fit(data, params, rate=0.1, epochs=1, batch=1, **SLOPES)
    with pytest.raises(TypeError, match="callback must be callable, got int"):
        k.fit(data, params, rate=0.1, epochs=1, callback=3, **SLOPES)
    with pytest.raises(KeyError, match="theta"):
        k.fit(data, {"W": params["W"], "b": params["b"]}, rate=0.1, epochs=1, **SLOPES)
    k = kernel("three-layer")
    with pytest.raises(ValueError, match="batch must be at least 1"):
        k.fit({}, {}, rate=0.1, epochs=1, batch=0, **SLOPES)


def _split(program: Any, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    data = {n: given[n] for n in program.data}
    return data, {n: given[n] for n in program.params}
