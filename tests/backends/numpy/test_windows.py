"""Kernels that read arrays through windows: the helpers against loops, whole kernels by central
differences, and ties of pooling, whose gradient goes to the first maximum in row-major order.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from symbackprop.backends.numpy.windows import NEEDS
from symbackprop.backends.templates import environment
from tests.backends.numpy.loading import draw, kernel, module, record, source
from tests.backends.numpy.test_lookups import worst

HELPERS = module(
    "import numpy as np\n\nArray = np.ndarray\n"
    + "".join(
        environment("py").get_template(f"numpy/{name}.py.jinja").render()
        for name in (*NEEDS, "taps", "padded")
    )
)
# fmt: off
MODELS = {
    "two layers": (
        "dims N, C, H, W, O, Q, R\ndata X[N, C, 2*H, 2*W], h[H], w[W]\nindex t[N] < R\n"
        "param K1[O, C, 3, 3], b1[O], K2[Q, O, 3, 3], V[R, Q*H*W]\n"
        "Z = conv2d(X, K1, padding=1) + b1[:, None, None]\nP = maxpool2d(relu(Z), 2)\n"
        "A = tanh(conv2d(P, K2, padding=1))\nL = cross_entropy(reshape(A, N, Q*H*W) @ V.T, t)\n",
        {"N": 2, "C": 2, "H": 3, "W": 2, "O": 2, "Q": 1, "R": 3}),
    "stride and padding": (
        "dims N, C, O\ndata X[N, C, 7, 6], Y[N, O, 4, 3]\nparam K[O, C, 3, 3], S[C, C, 3, 3]\n"
        "H = tanh(conv2d(X, S, padding=1))\nL = sum((conv2d(H, K, stride=2, padding=1) - Y)**2)\n",
        {"N": 2, "C": 2, "O": 2}),
    "dilation and groups": (
        "dims N, C\ndata X[N, 2*C, 7, 8], Y[N, 4, 3, 4]\nparam K[4, C, 3, 3]\n"
        "L = sum((conv2d(X, K, dilation=2, groups=2) - Y)**2)\n", {"N": 2, "C": 1}),
    "signals": (
        "dims N, C, L, O, K\nassume K <= L\ndata X[N, C, L], Y[N, O, L-K+1]\nparam w[O, C, K]\n"
        "E = sum((conv1d(X, w) - Y)**2)\n", {"N": 2, "C": 2, "L": 6, "O": 2, "K": 3}),
    "a filter": (
        "dims L, K\nassume K <= L\ndata x[L], y[L-K+1]\nparam w[K]\n"
        "E = sum((conv1d(x, w) - y)**2)\n", {"L": 5, "K": 5}),
    "overlapping pools": (
        "dims N, C\ndata Y[N, C, 4, 3]\nparam X[N, C, 7, 6]\n"
        "P = maxpool2d(X, 3, stride=2, padding=1)\nL = sum((P - Y)**2)\n", {"N": 2, "C": 2}),
    "means": (
        "dims N, C, H, W\ndata Y[N, C, H, W]\nparam X[N, C, 2*H, 2*W]\n"
        "L = sum((avgpool2d(X, 2) - Y)**2)\n", {"N": 1, "C": 2, "H": 2, "W": 3}),
}
# fmt: on


def correlated(a: Any, w: Any, stride: int, padding: int, dilation: int, groups: int) -> Any:
    """Cross-correlation of images, entry by entry."""
    a = np.pad(a, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out, each, k, j = w.shape
    rows, columns = (
        (n - dilation * (m - 1) - 1) // stride + 1 for n, m in zip(a.shape[2:], (k, j), strict=True)
    )
    made = np.zeros((len(a), out, rows, columns))
    for o, x, y in np.ndindex(out, rows, columns):
        first = o // (out // groups) * each
        seen = a[:, first : first + each, x * stride :, y * stride :]
        seen = seen[:, :, : dilation * k : dilation, : dilation * j : dilation]
        made[:, o, x, y] = np.sum(seen[:, :, :k, :j] * w[o], axis=(1, 2, 3))
    return made


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_correlation_by_entries(window: int) -> None:
    rng = np.random.default_rng(0)
    for stride, padding, dilation, groups in product((1, 2, 3), (0, 1, 2), (1, 2), (1, 2)):
        a, w = rng.standard_normal((2, 4, 8, 7)), rng.standard_normal((6, 4 // groups, window, 2))
        made = HELPERS._conv(a, w, (stride,) * 2, (padding,) * 2, (dilation,) * 2, groups)
        want = correlated(a, w, stride, padding, dilation, groups)
        np.testing.assert_allclose(made, want, rtol=1e-12, atol=1e-12)


def test_a_kernel_as_large_as_the_image() -> None:
    rng = np.random.default_rng(0)
    a, w = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((2, 3, 5, 4))
    made = HELPERS._conv(a, w, (1, 1), (0, 0), (1, 1), 1)
    np.testing.assert_allclose(made[:, :, 0, 0], np.einsum("nchw,ochw->no", a, w))


def test_folding_is_the_adjoint_of_unfolding() -> None:
    rng = np.random.default_rng(0)
    for stride, padding, dilation, window in product((1, 2, 3), (0, 1), (1, 2), (1, 2, 3)):
        how = ((stride,) * 2, (padding,) * 2, (dilation,) * 2)
        a = rng.standard_normal((2, 7, 6))
        seen = HELPERS._windows(a, (window, 2), *how)
        b = rng.standard_normal(seen.shape)
        back = HELPERS._fold(b, (7, 6), *how)
        assert np.sum(seen * b) == pytest.approx(np.sum(a * back), rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_by_central_differences(name: str) -> None:
    text, sizes = MODELS[name]
    given, made = draw(record(text).program, sizes, seed=5), kernel(text)
    assert worst(made, given) < 1e-6
    loss, grads = made.loss_and_grad(**given)
    workspace = made.Workspace(**{d.name: sizes[d.name] for d in record(text).program.dims})
    for _ in range(2):
        again, same = made.loss_and_grad(**given, workspace=workspace)
        assert again == pytest.approx(loss, rel=1e-12)
        for key, grad in grads.items():
            np.testing.assert_allclose(same[key], grad, rtol=1e-10, atol=1e-12)


def test_columns_are_computed_once() -> None:
    text = source(MODELS["two layers"][0])
    backward = text[text.index("def backward") : text.index("def loss_and_grad")]
    assert "columns_X" in backward
    assert "_columns(X" not in backward
    assert "einsum" not in text


def test_a_tie_in_a_touching_pool_goes_to_the_first() -> None:
    text = "dims H, W\ndata G[H, W]\nparam X[2*H, 2*W]\nL = sum(G*maxpool2d(X, 2))\n"
    X = np.array([[1.0, 1, 0, 2], [1, 1, 2, 2]])
    _, grads = kernel(text).loss_and_grad(G=np.array([[3.0, 5]]), X=X)
    np.testing.assert_array_equal(grads["X"], [[3, 0, 0, 5], [0, 0, 0, 0]])


def test_a_tie_in_overlapping_pools_goes_to_the_first_of_each() -> None:
    text = "dims N, C\ndata G[N, C, 2, 2]\nparam X[N, C, 4, 4]\n" + (
        "L = sum(G*maxpool2d(X, 3, stride=2, padding=1))\n"
    )
    G = np.array([[[[1.0, 2], [3, 4]]]])
    _, grads = kernel(text).loss_and_grad(G=G, X=np.zeros((1, 1, 4, 4)))
    want = np.zeros((4, 4))
    # Windows begin at -1, -1 and at 1: their first places inside the array.
    want[0, 0], want[0, 1], want[1, 0], want[1, 1] = 1, 2, 3, 4
    np.testing.assert_array_equal(grads["X"][0, 0], want)


def test_helpers_are_those_of_torch(require: Any) -> None:
    require("torch", package=True)
    import torch

    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, (2, 3, 7, 6)).astype(float)  # with ties
    for window, stride, padding in ((2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0)):
        how = ((window,) * 2, (stride,) * 2, (padding,) * 2)
        image = torch.tensor(a, requires_grad=True)
        pooled = torch.nn.functional.max_pool2d(image, window, stride, padding)
        best = HELPERS._maxpool(a, *how)
        np.testing.assert_array_equal(best, pooled.detach().numpy())
        grad = rng.standard_normal(best.shape)
        pooled.backward(torch.tensor(grad))
        np.testing.assert_allclose(HELPERS._unpool(grad, a, best, *how), image.grad.numpy())
        mean = torch.nn.functional.avg_pool2d(torch.tensor(a), window, stride, padding)
        np.testing.assert_allclose(HELPERS._avgpool(a, *how), mean.numpy())
