"""Convolution and pooling: adjoints by value against loops and PyTorch, and in the form of books.

The printed formula is evaluated by an evaluator of its own (``corpus_language``). One derivation
with symbolic sizes serves many sizes: kernels as large as the image, single samples, kernels of one
entry, and padding that no window needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import Malformed
from tests import corpus_language as language
from tests import window_functions as windows

Array = Any
Told = tuple[int, int, int, int]  # stride, padding, dilation, groups
GRID: tuple[Told, ...] = tuple(product((1, 2, 3), (0, 1, 2), (1, 2), (1, 2)))
# Each value of each option, and the pairs in which one changes the form of the other.
FEW: tuple[Told, ...] = (
    (1, 0, 1, 1), (1, 1, 1, 1), (1, 2, 2, 1), (2, 1, 1, 1), (2, 1, 2, 2), (3, 2, 2, 1),
)  # fmt: skip
DECLARED = """dims N, C, O, H, W, K, J
param X[N, {g}*C, H, W], V[{g}*O, C, K, J]
Y = conv2d(X, V, stride={s}, padding={p}, dilation={d}, groups={g})
L = sum(Y**2)
"""


@cache
def texts(told: Told) -> tuple[str, str]:
    """The adjoints of image and kernel, in terms of that of the result."""
    s, p, d, g = told
    derivation = sb.derive(sb.parse(DECLARED.format(s=s, p=p, d=d, g=g)))
    return derivation["X"].text, derivation["V"].text


def sizes(told: Told, kernels: int) -> Iterator[dict[str, int]]:
    """Images that are not square, among them one that the window just fills."""
    _, p, d, _ = told
    for k in range(1, kernels + 1):
        j = (k + 1) % kernels + 1
        reach = (d * (k - 1) + 1, d * (j - 1) + 1)
        for n, (h, w) in enumerate(((7, 5), (6, 9), reach)):
            if h + 2 * p >= reach[0] and w + 2 * p >= reach[1]:
                yield {"N": 1 + n % 2, "C": 2, "O": 1 + k % 2, "H": h, "W": w, "K": k, "J": j}


def case(told: Told, dims: dict[str, int]) -> dict[str, Array]:
    rng = np.random.default_rng(sum(dims.values()))
    g, n = told[3], dims
    return {
        "X": rng.normal(size=(n["N"], g * n["C"], n["H"], n["W"])),
        "V": rng.normal(size=(g * n["O"], n["C"], n["K"], n["J"])),
    }


@pytest.mark.parametrize("told", FEW, ids=str)
def test_adjoints_are_those_of_the_loops(told: Told) -> None:
    for dims in list(sizes(told, 3))[:6]:
        given = case(told, dims)
        y = windows.correlation_by_loops(given["X"], given["V"], *told)
        wanted = windows.slopes_by_loops(given["X"], given["V"], 2 * y, *told)
        same_values(told, dims, {**given, "Y": y, "grad_Y": 2 * y}, wanted)


@pytest.mark.parametrize("told", GRID, ids=str)
def test_adjoints_are_those_of_torch(told: Told, require: Callable[..., str]) -> None:
    require("torch", package=True)
    import torch

    s, p, d, g = told
    for dims in sizes(told, 4):
        given = case(told, dims)
        x, v = (torch.tensor(given[n], requires_grad=True) for n in "XV")
        y = torch.nn.functional.conv2d(x, v, stride=s, padding=p, dilation=d, groups=g)
        (y**2).sum().backward()
        value = y.detach().numpy()
        given |= {"Y": value, "grad_Y": 2 * value}
        same_values(told, dims, given, (x.grad.numpy(), v.grad.numpy()))


def same_values(
    told: Told, dims: dict[str, int], given: dict[str, Array], wanted: tuple[Array, Array]
) -> None:
    for text, want in zip(texts(told), wanted, strict=True):
        assert "sum[" not in text
        got = language.value(text, given, language.environment(dims, {}))
        assert got.shape == want.shape, (dims, text)
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10, err_msg=text)


HEAD = """dims N, C, O, L, K, T, p, H, W, J
data G[N, O, L-K+1], g[L-K+1], E[N, T], U[N, O, H-K+1, W-J+1]
"""
# fmt: off
#: What is declared and defined, by what is differentiated, and the closed form wanted.
FORMS = (
    ("param x[L], w[K]", "g @ conv1d(x, w)", "w", "conv1d(x, g)"),
    ("param x[L], w[K]", "g @ conv1d(x, w)", "x", "conv1d(pad(g, K-1), flip(w))"),
    ("param X[N, C, L], w[O, C, K]", "sum(G * conv1d(X, w))", "w",
     "swap(conv1d(swap(X, 0, 1), swap(G, 0, 1)), 0, 1)"),
    ("param X[N, C, L], w[O, C, K]", "sum(G * conv1d(X, w))", "X",
     "conv1d(pad(G, K-1), flip(swap(w, 0, 1), axis=2))"),
    ("param X[N, C, H, W], w[O, C, K, J]", "sum(U * conv2d(X, w))", "X",
     "conv2d(pad2d(U, K-1, J-1), flip(swap(w, 0, 1), axis=(2, 3)))"),
    ("param x[L], w[K], y[(L-K)//2+1]", "y @ conv1d(x, w, stride=2)", "w",
     "unfold1d(x, K, stride=2).T @ y"),
    ("param x[2*T+K-2], w[K], y[T]", "y @ conv1d(x, w, stride=2)", "w",
     "conv1d(x, y, dilation=2)"),
    ("param x[L], w[K], y[(L-K)//2+1]", "y @ conv1d(x, w, stride=2)", "x",
     "fold1d(outer(y, w), L, stride=2)"),
    ("param x[L], w[K], y[L-2*K+2]", "y @ conv1d(x, w, dilation=2)", "w", "conv1d(x, y, stride=2)"),
    ("param X[N, p*T]", "sum(E * avgpool1d(X, p))", "X", "repeat(E, p) / p"),
    ("param x[L]", "g @ unfold1d(x, K) @ ones(K)", "x", "conv1d(pad(g, K-1), ones(K))"),
    ("param B[L-K+1, K], y[L]", "y @ fold1d(B, L)", "B", "unfold1d(y, K)"),
)
# fmt: on


@pytest.mark.parametrize(("declared", "loss", "wrt", "wanted"), FORMS)
def test_forms_are_those_of_books(declared: str, loss: str, wrt: str, wanted: str) -> None:
    model = sb.parse(f"{HEAD}{declared}\nS = {loss}\n")
    assert sb.derive(model, wrt=[wrt])[wrt].closed == wanted


# fmt: off
IDENTITIES = {
    "conv1d(pad(g, K-1), flip(w)) == fold1d(outer(g, w), L)":      "proved",
    "conv1d(x, w) == unfold1d(x, K) @ w":                          "proved",
    "flip(conv1d(x, w)) == conv1d(flip(x), flip(w))":              "proved",
    "conv1d(x, w) == conv1d(x, flip(w))":                          "refuted",
    "conv1d(x, w, stride=2) == conv1d(x, w)[::2]":                 "proved",
}
# fmt: on


@pytest.mark.parametrize("identity", IDENTITIES)
def test_identities_of_windows_are_decided(identity: str) -> None:
    model = sb.parse("dims L, K\ndata x[L], w[K], g[L-K+1]\nassume K < L\ny = g * 2\n")
    assert sb.prove(identity, model).verdict == IDENTITIES[identity]


# fmt: off
ERRORS = {
    "conv1d(x, w, stride=0)":     "a stride of at least 1",
    "conv1d(X, V)":               "conv1d of L by K, or of",
    "conv2d(X, V)":               "as many channels as the kernel reads",
    "conv2d(A, V, groups=2)":     "as many channels as the kernel reads times 2 groups",
    "conv1d(z, u)":               "a window that fits into 2 entries",
    "maxpool2d(X, (2, 2, 2))":    "a number or a pair as p",
    "fold1d(A, L)":               "windows of",
    "conv1d(x)":                  "conv1d(x, w, stride, padding, dilation, groups)",
    "unfold2d(x, 2, 2)":          "an array with 2 axes or more in unfold2d",
}
# fmt: on


@pytest.mark.parametrize("call", ERRORS)
def test_shapes_that_do_not_fit_are_told(call: str) -> None:
    arrays = "x[L], w[K], X[N, C, L], A[C, L, L], V[O, K, 3, 3], z[2], u[3]"
    head = f"dims N, C, O, L, K\ndata {arrays}\n"
    with pytest.raises(Malformed) as problem:
        sb.parse(f"{head}y = {call}\n")
    assert ERRORS[call] in str(problem.value)
    assert "^" in str(problem.value)


@pytest.mark.parametrize("stride", [1, 2])
def test_windows_of_a_pool_may_overlap(stride: int) -> None:
    """Away from ties the slope is 1 at the largest entry of each window; padding is never it."""
    model = sb.parse(f"dims N, L\nparam X[N, L]\nY = maxpool1d(X, 3, stride={stride}, padding=1)\n"
                     "S = sum(Y**2)\n")  # fmt: skip
    text = sb.derive(model)["X"].text
    x = -np.random.default_rng(0).random((2, 8))
    y, want = language.FUNCTIONS["maxpool1d"](x, 3, stride, 1), np.zeros_like(x)
    for n, t in np.ndindex(*y.shape):
        window = range(max(0, stride * t - 1), min(8, stride * t + 2))
        want[n, max(window, key=lambda i: x[n, i])] += 2 * y[n, t]
    given = {"X": x, "Y": y, "grad_Y": 2 * y}
    got = language.value(text, given, language.environment({"N": 2, "L": 8}, {}))
    assert "sum[" not in text
    np.testing.assert_allclose(got, want)


def test_every_largest_entry_counts_in_formulas() -> None:
    """At a tie the formula gives each of the equal entries the adjoint; kernels take the first."""
    model = sb.parse("dims T\nparam x[2*T]\nY = maxpool1d(x, 2)\nS = sum(Y)\n")
    text, x = sb.derive(model)["x"].closed, np.array([1.0, 1.0, 0.0, 2.0])
    given = {"x": x, "Y": np.array([1.0, 2.0])}
    got = language.value(text, given, language.environment({"T": 2}, {}))
    np.testing.assert_array_equal(got, [1, 1, 0, 1])


def test_references_agree_with_each_other() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(2, 4, 6, 5)), rng.normal(size=(6, 2, 3, 2))
    got = windows.FUNCTIONS["conv2d"](x, w, stride=2, padding=1, dilation=2, groups=2)
    np.testing.assert_allclose(got, windows.correlation_by_loops(x, w, 2, 1, 2, 2))
