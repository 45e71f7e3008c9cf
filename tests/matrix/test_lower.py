"""Lowering: which equations come out (text cases), and that their values are NumPy's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Integer

from symbackprop.errors import NotSupported
from symbackprop.ir import terms
from symbackprop.ir.evaluate import evaluate, run
from symbackprop.ir.expressions import Entry, Index, IndexSum, extent_symbol
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.sample import draw
from symbackprop.matrix.lower import entry, lower
from tests.small_programs import program, term

CASES = (Path(__file__).parents[1] / "cases" / "matrix" / "lower.txt").read_text("utf-8")
N, D, M = (extent_symbol(x) for x in "NDM")


def show(e: Equation) -> str:
    """``name[indices] = entry``."""
    indices = f"[{','.join(i.name for i in e.indices)}]" if e.indices else ""
    return f"{e.name}{indices} = {e.rhs}"


@pytest.mark.parametrize("block", CASES.strip().split("\n\n"), ids=lambda b: b.split("\n")[0][2:])
def test_equations(block: str) -> None:
    given, _, expected = block.partition("\n=>\n")
    _, declarations, *statements = given.split("\n")
    made = program(declarations, *statements)
    assert "\n".join(show(e) for e in made.equations) == expected


def softmax(z: Any, axis: int) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


DECLARED = (
    "data X[N,D], Y[N,D], u[N,1], r[1,D], x[D], y[N], s, T[N,N,D]; param W[M,D], A[N,N], q[N]; "
    "assume q positive; assume Y onehot"
)
# fmt: off
TABLE: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("X @ W.T",                                  lambda v: v.X @ v.W.T),
    ("W @ x",                                    lambda v: v.W @ v.x),
    ("y @ A",                                    lambda v: v.y @ v.A),
    ("y @ A @ y",                                lambda v: v.y @ v.A @ v.y),
    ("x @ x",                                    lambda v: v.x @ v.x),
    ("A @ A @ X @ W.T",                          lambda v: v.A @ v.A @ v.X @ v.W.T),
    ("T @ x",                                    lambda v: v.T @ v.x),
    ("T @ W.T",                                  lambda v: v.T @ v.W.T),
    ("A @ T",                                    lambda v: v.A @ v.T),
    ("y @ T",                                    lambda v: v.y @ v.T),
    ("dot(x, x) * y",                            lambda v: (v.x @ v.x) * v.y),
    ("outer(y, x) - X",                          lambda v: np.outer(v.y, v.x) - v.X),
    ("X * u + r / (2 + s**2)",                   lambda v: v.X * v.u + v.r / (2 + v.s**2)),
    ("u @ r + u.T @ X",                          lambda v: v.u @ v.r + v.u.T @ v.X),
    ("(X - mean(X)) / sqrt(var(X) + 1)",
     lambda v: (v.X - v.X.mean()) / np.sqrt(v.X.var() + 1)),
    ("(X - mean(X, axis=0)) @ x",                lambda v: (v.X - v.X.mean(0)) @ v.x),
    ("X - mean(X, axis=1, keepdims=True)",       lambda v: v.X - v.X.mean(1, keepdims=True)),
    ("var(X @ W.T, axis=1)",                     lambda v: (v.X @ v.W.T).var(1)),
    ("sum(T, axis=(0, 2))",                      lambda v: v.T.sum((0, 2))),
    ("sum(T, axis=-1, keepdims=True) * T",       lambda v: v.T.sum(-1, keepdims=True) * v.T),
    ("sum(X @ W.T)",                             lambda v: (v.X @ v.W.T).sum()),
    ("max(X, axis=1) - min(A)",                  lambda v: v.X.max(1) - v.A.min()),
    ("max(T, axis=(0, 1))",                      lambda v: v.T.max((0, 1))),
    ("prod(X, axis=0)",                          lambda v: v.X.prod(0)),
    ("norm1(X) + norm2(X, axis=0)",
     lambda v: np.abs(v.X).sum() + np.sqrt((v.X**2).sum(0))),
    ("X / norm2(X, axis=1, keepdims=True)",
     lambda v: v.X / np.linalg.norm(v.X, axis=1, keepdims=True)),
    ("logsumexp(X, axis=1)",                     lambda v: np.log(np.exp(v.X).sum(1))),
    ("softmax(A @ X, axis=0)",                   lambda v: softmax(v.A @ v.X, 0)),
    ("softmax(T / sqrt(D), axis=1) * 2",
     lambda v: softmax(v.T / np.sqrt(v.T.shape[2]), 1) * 2),
    ("sum(Y * log_softmax(X, axis=1))",          lambda v: (v.Y * np.log(softmax(v.X, 1))).sum()),
    ("trace(A @ A.T) + trace(A)",                lambda v: np.trace(v.A @ v.A.T) + np.trace(v.A)),
    ("diag(y) @ X",                              lambda v: v.y[:, None] * v.X),
    ("diag(A @ A)",                              lambda v: np.diag(v.A @ v.A)),
    ("eye(N) - ones(N, N) / N",                  lambda v: np.eye(len(v.y)) - 1 / len(v.y)),
    ("exp(-s) * tanh(X) ** 3",                   lambda v: np.exp(-v.s) * np.tanh(v.X) ** 3),
    ("relu(X @ W.T) @ W",                        lambda v: np.maximum(v.X @ v.W.T, 0) @ v.W),
    ("maximum(X, r) + where(X > u, X, 2 * u)",
     lambda v: np.maximum(v.X, v.r) + np.where(v.u < v.X, v.X, 2 * v.u)),
    ("abs(X) * sign(X) - step(X)",               lambda v: v.X - (v.X > 0)),
    ("log(q) * sqrt(q) + q ** s",                lambda v: np.log(v.q) * np.sqrt(v.q) + v.q ** v.s),
    ("X[1:] - X[:-1]",                           lambda v: v.X[1:] - v.X[:-1]),
    ("X[0] + X[-1] + x[0]",                      lambda v: v.X[0] + v.X[-1] + v.x[0]),
    ("y[:, None] * x[None, :] * A[:, :, None]",
     lambda v: v.y[:, None] * v.x[None, :] * v.A[:, :, None]),
    ("(X @ W.T)[0].T",                           lambda v: (v.X @ v.W.T)[0]),
    ("pi * y / N",                               lambda v: np.pi * v.y / len(v.y)),
)
# fmt: on


class Values:
    """Arrays as attributes."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


@pytest.mark.parametrize(("text", "reference"), TABLE, ids=[text for text, _ in TABLE])
@pytest.mark.parametrize("sizes", [{"N": 3, "D": 4, "M": 2}, {"N": 2, "D": 1, "M": 3}], ids=str)
def test_value_is_numpys(text: str, reference: Callable[[Any], Any], sizes: dict[str, int]) -> None:
    made = program(DECLARED, f"out = {text}")
    point = draw(made, np.random.default_rng(5), dims=sizes)
    got = run(made, point).values["out"]
    expected = np.asarray(reference(Values(dict(point.values))))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_einsum() -> None:
    X, W = terms.name("X", (N, D)), terms.name("W", (M, D))
    made = terms.Term("einsum", (X, W), (M, N), ("nd,md->mn",))
    inputs = (Quantity("X", X.shape, "data"), Quantity("W", W.shape, "param"))
    p = lower(dims=(N, D, M), inputs=inputs, statements=[("G", made)])
    assert show(p.equations[0]) == "G[m,n] = sum[d](W[m,d]*X[n,d])"


def test_entries_keep_the_letters_of_the_user() -> None:
    a, b = Index("a", N), Index("b", D)
    made = terms.entries((a,), IndexSum(Entry("X", a, b), b))
    inputs = (Quantity("X", (N, D), "data"),)
    inner = terms.apply("tanh", made)
    p = lower(dims=(N, D), inputs=inputs, statements=[("s", made), ("t", inner)])
    assert [show(e) for e in p.equations] == [
        "s[a] = sum[b](X[a,b])",
        "_1[n] = sum[b](X[n,b])",
        "t[n] = tanh(_1[n])",
    ]


def test_a_fixed_extent_of_one_is_never_summed() -> None:
    u = terms.name("u", (N, Integer(1)))
    made = terms.reduce("sum", u, 1)
    p = lower(dims=(N,), inputs=(Quantity("u", u.shape, "data"),), statements=[("s", made)])
    assert show(p.equations[0]) == "s[n] = u[n,0]"


def test_entry_numbers_on_and_finds_what_is_there() -> None:
    p = program("data X[N,D]; param W[M,D]", "P = softmax(2 * X @ W.T, axis=1)")
    n, m = Index("n", N), Index("m", M)
    same, none = entry(term("tanh(2 * X @ W.T)", p), (n, m), p)
    assert str(same) == "tanh(_1[n,m])"
    assert none == ()
    other, more = entry(term("tanh(W @ X.T)", p), (m, n), p)
    assert str(other) == "tanh(_2[m,n])"
    assert [e.name for e in more] == ["_2"]
    x, y = evaluate_both(p.extended(more), same, other, (n, m))
    np.testing.assert_allclose(x, np.tanh(2 * np.arctanh(y)))


def evaluate_both(p: Program, a: Any, b: Any, order: tuple[Index, ...]) -> tuple[Any, Any]:
    point = run(p, draw(p, np.random.default_rng(0), dims={"N": 2, "D": 1, "M": 3}))
    return evaluate(a, point, order), evaluate(b, point, order)


def test_what_has_no_entry_is_refused() -> None:
    X = terms.name("X", (N, N))
    with pytest.raises(NotSupported, match="generic entry"):
        lower(dims=(N,), inputs=(), statements=[("Y", terms.Term("eigenvalues", (X,), X.shape))])


def test_cost_is_linear_in_depth() -> None:
    def seconds(layers: int) -> float:
        X = terms.name("X", (N, D))
        statements = []
        for k in range(layers):
            W, b = terms.name(f"W{k}", (D, D)), terms.name(f"b{k}", (D,))
            statements.append((f"Z{k}", terms.add(terms.matmul(X, terms.transpose(W)), b)))
            statements.append((f"H{k}", terms.apply("tanh", terms.name(f"Z{k}", (N, D)))))
            X = terms.name(f"H{k}", (N, D))
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            lower(dims=(N, D), inputs=(), statements=statements)
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds(200) / 200 < 2 * seconds(20) / 20
