"""Kernels of look-ups and labels: gradients by central differences, labels that repeat, one sample,
labels that are refused; nothing is multiplied with a one-hot array.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symbackprop.backends.numpy import economy
from symbackprop.backends.numpy.kernel import kernel_source
from tests.backends.numpy.loading import draw, kernel, module, record, source

# fmt: off
MODELS = {
    "tied embedding":
        "dims N, T, V, D\nindex t[N, T] < V\nindex u[N, T] < V\nparam E[V, D], P[T, D]\n"
        "H = E[t] + P\nL = cross_entropy(H @ E.T, u)\n",
    "two embeddings":
        "dims N, V, D\nindex s[N] < V\nindex t[N] < V\ndata y[N]\nparam E[V, D], F[V, D]\n"
        "z = sum(E[s] * F[t], axis=1)\nL = sum(softplus(z) - y*z)\n",
    "bag of words":
        "dims N, T, V, D\nindex t[N, T] < V\ndata Y[N, D]\nparam E[V, D]\n"
        "L = sum((mean(E[t], axis=1) - Y)**2)\n",
    "labels by look-up":
        "dims N, D, V\ndata X[N, D]\nindex u[N] < V\nparam W[V, D]\n"
        "P = softmax(X @ W.T, axis=1)\nL = -mean(log(P[arange(N), u]))\n",
    "labels of log-softmax":
        "dims N, D, V\ndata X[N, D]\nindex u[N] < V\nparam W[V, D]\n"
        "Z = X @ W.T\nL = -sum(log_softmax(Z, axis=1)[arange(N), u])/N\n",
    "a table of numbers":
        "dims N, V\nindex t[N] < V\ndata y[N]\nparam b[V]\nL = sum((b[t] - y)**2)\n",
    "concatenated words":
        "dims N, T, V, D, K\nindex t[N, T] < V\ndata Y[N, K]\nparam E[V, D], W[T*D, K]\n"
        "L = sum((reshape(E[t], N, T*D) @ W - Y)**2)\n",
}
# fmt: on
SIZES = ({"N": 4, "T": 3, "V": 3, "D": 2, "K": 2}, {"N": 1, "T": 2, "V": 5, "D": 3, "K": 2})


def worst(made: ModuleType, given: dict[str, Any], step: float = 1e-6) -> float:
    """The largest difference between gradients and central differences of the loss."""
    _, grads = made.loss_and_grad(**given)
    error = 0.0
    for key, grad in grads.items():
        for at in np.ndindex(given[key].shape):
            up, down = (dict(given) for _ in range(2))
            for side, sign in ((up, 1), (down, -1)):
                side[key] = side[key].copy()
                side[key][at] += sign * step
            slope = (made.forward(**up)[0] - made.forward(**down)[0]) / (2 * step)
            error = max(error, abs(slope - grad[at]))
    return error


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sizes", SIZES, ids=["labels repeat", "one sample"])
def test_gradients_by_central_differences(name: str, sizes: dict[str, int]) -> None:
    text = MODELS[name]
    given = draw(record(text).program, sizes, seed=3)
    assert worst(kernel(text), given) < 1e-7


@pytest.mark.parametrize("name", MODELS)
def test_a_workspace_changes_nothing(name: str) -> None:
    text, made = MODELS[name], kernel(MODELS[name])
    sizes = {d.name: SIZES[0][d.name] for d in record(text).program.dims}
    workspace = made.Workspace(**sizes)
    for seed in (1, 2):
        given = draw(record(text).program, sizes, seed=seed)
        loss, grads = made.loss_and_grad(**given)
        again, same = made.loss_and_grad(**given, workspace=workspace)
        assert again == pytest.approx(loss, rel=1e-12)
        for key, grad in grads.items():
            np.testing.assert_allclose(same[key], grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", MODELS)
def test_no_one_hot_array_is_formed(name: str) -> None:
    assert "== np.arange" not in source(MODELS[name])
    assert "einsum" not in source(MODELS[name])


def test_all_labels_alike() -> None:
    text = MODELS["a table of numbers"]
    b, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 6.0, 5.0])
    _, grads = kernel(text).loss_and_grad(t=np.array([1, 1, 1]), y=y, b=b)
    np.testing.assert_array_equal(grads["b"], [0, 2 * ((2 - 4) + (2 - 6) + (2 - 5)), 0])


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_outside_the_table_are_refused(label: int) -> None:
    made = kernel(MODELS["a table of numbers"])
    with pytest.raises(ValueError, match="t must hold integers from 0 to V - 1"):
        made.loss_and_grad(t=np.array([0, label]), y=np.zeros(2), b=np.zeros(3))


def test_single_precision_is_kept() -> None:
    text = MODELS["tied embedding"]
    given = draw(record(text).program, SIZES[0], np.float32)
    _, grads = kernel(text).loss_and_grad(**given)
    assert {g.dtype for g in grads.values()} == {np.dtype(np.float32)}


def test_a_spoilt_law_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = MODELS["two embeddings"]
    right = economy.scatter

    def spoilt(values: Any, labels: Any, count: Any) -> Any:
        return right(values, type(labels)("name", (), labels.shape, ("s",)), count)

    monkeypatch.setattr(economy, "scatter", spoilt)
    made = module(kernel_source(record(text), title="spoilt", source_text=text))
    assert worst(made, draw(record(text).program, SIZES[0], seed=3)) > 1e-3
