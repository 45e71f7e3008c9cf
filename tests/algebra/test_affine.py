"""Laws of affine indices, guards and whole matrices: each keeps the value, for random expressions
and for the textbook cases.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from sympy import Expr, Integer, Mul, expand

from symbackprop.algebra.context import Context
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.affine import inside
from symbackprop.ir.evaluate import Point, evaluate
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexSum,
    InRange,
    MatrixFunction,
    Modulo,
    extent_symbol,
)
from symbackprop.ir.program import Fact, Program, Quantity
from symbackprop.ir.sample import draw

N, M = extent_symbol("N"), extent_symbol("M")
ARRAYS = {"u": (N,), "v": (M,), "A": (N, M), "w": (N * M,), "S": (N, N), "Q": (N, N), "C": (N, N)}
FREE = (Index("n", N), Index("m", M), Index("j", N * M))
PROGRAM = Program(
    (N, M),
    (
        *(Quantity(name, shape, "param") for name, shape in ARRAYS.items()),
        Quantity("t", (M,), "index", N),
    ),
    (),
    (Fact("S", "invertible"), Fact("Q", "orthogonal"), Fact("C", "symmetric")),
    (),
    "",
)


def index(rng: random.Random, scope: tuple[Index, ...]) -> Expr:
    """A random index expression, possibly outside every axis."""
    kind = rng.choice(("plain", "plain", "shift", "turn", "scale", "tile", "floor", "look-up"))
    i = rng.choice(scope)
    if kind == "shift":
        return i + rng.choice((1, -1, M, -N))
    if kind == "turn":
        return i.extent - 1 - i
    if kind == "scale":
        return 2 * i + rng.choice((0, 1))
    if kind == "tile":
        return M * rng.choice(scope) + i
    if kind == "floor":
        return rng.choice((FloorDiv, Modulo))(i, rng.choice((Integer(2), M, N)))
    if kind == "look-up":
        return Entry("t", rng.choice([k for k in scope if k.extent == M]))
    return i


def factor(rng: random.Random, scope: tuple[Index, ...]) -> Expr:
    """A guarded entry, a delta of affine indices, or a guard."""
    kind = rng.choice(("entry", "entry", "delta", "delta", "guard"))
    if kind == "delta":
        return Delta(index(rng, scope), rng.choice(scope))
    if kind == "guard":
        return InRange(index(rng, scope), rng.choice((N, M, N * M)))
    name = rng.choice(("u", "v", "A", "w"))
    places = [index(rng, scope) for _ in ARRAYS[name]]
    pairs = zip(places, ARRAYS[name], strict=True)
    guards = [InRange(i, n) for i, n in pairs if not inside(i, n)]
    return Mul(*guards, Entry(name, *places))


def expression(rng: random.Random) -> Expr:
    bound = tuple(Index(f"b{k}", rng.choice((N, M, N * M))) for k in range(rng.choice((1, 2, 2))))
    scope = (*FREE, *bound)
    return IndexSum(Mul(*(factor(rng, scope) for _ in range(3))), *bound)


def value(e: Expr, seed: int) -> np.ndarray:
    point: Point = draw(PROGRAM, np.random.default_rng(seed), dims={"N": 3, "M": 2})
    return evaluate(e, point, FREE)


def context(proving: bool = False) -> Context:
    return Context(PROGRAM, folding=False, proving=proving)


@pytest.mark.parametrize("proving", [False, True])
@pytest.mark.parametrize("seed", range(180))
def test_working_form_keeps_the_value_and_is_idempotent(seed: int, proving: bool) -> None:
    e = expression(random.Random(seed))
    form = normalise(e, context(proving))
    np.testing.assert_allclose(value(form, seed), value(e, seed), rtol=1e-9, atol=1e-9)
    assert normalise(form, context(proving)) == form


@pytest.mark.parametrize("seed", range(120))
def test_in_a_proof_a_range_may_be_written_from_either_end(seed: int) -> None:
    rng = random.Random(seed)
    bound = Index("b0", rng.choice((N, M, N * M)))
    scope = (*FREE, bound)
    place, n = index(rng, scope), rng.choice((N, M, N * M))
    rest = Mul(*(factor(rng, scope) for _ in range(2)))
    ways = [IndexSum(InRange(e, n) * rest, bound) for e in (place, n - 1 - place)]
    one, other = (normalise(e, context(proving=True)) for e in ways)
    assert one == other
    np.testing.assert_allclose(value(one, seed), value(ways[1], seed), rtol=1e-9, atol=1e-9)


n, m, j = FREE
k, p, q = Index("k", N), Index("p", M), Index("q", N * M)
INV: Callable[..., Expr] = lambda *at: MatrixFunction("inv", "S", N, *at)  # noqa: E731

# fmt: off
LAWS = {
    "a shift with a guard":       (IndexSum(Delta(k + 1, n) * Entry("u", k), k),
                                   InRange(n - 1, N) * Entry("u", n - 1)),
    "a reflection without":       (IndexSum(Delta(N - 1 - k, n) * Entry("u", k), k),
                                   Entry("u", N - 1 - n)),
    "a tiling":                   (IndexSum(Delta(M * k + p, j) * Entry("A", k, p), k, p),
                                   Entry("A", FloorDiv(j, M), Modulo(j, M))),
    "quotient and remainder":     (IndexSum(Delta(FloorDiv(q, M), n) * Delta(Modulo(q, M), m)
                                            * Entry("w", q), q),
                                   Entry("w", expand(M * n + m))),
    "a repeated vector":          (IndexSum(Delta(FloorDiv(q, M), n) * Entry("w", q), q),
                                   IndexSum(Entry("w", M * n + p), p)),
    "a look-up":                  (IndexSum(Delta(Entry("t", m), k) * Entry("u", k), k),
                                   Entry("u", Entry("t", m))),
    "a guard narrows a sum":      (IndexSum(InRange(q - N, M) * InRange(q, N * M)
                                            * Entry("w", q), q),
                                   None),
    "a guard that always holds":  (InRange(M * n + m, N * M), Integer(1)),
    "a guard that never holds":   (InRange(n - N, N), Integer(0)),
    "a tile that may be none":    (IndexSum(InRange(j + 1 - M * k, M) * Entry("u", k), k),
                                   InRange(j + 1, N * M) * Entry("u", FloorDiv(j + 1, M))),
    "the same from its end":      (IndexSum(InRange(M * k - j + M - 2, M) * Entry("u", k), k),
                                   InRange(j + 1, N * M) * Entry("u", FloorDiv(j + 1, M))),
    "inverse times matrix":       (IndexSum(INV(n, k) * Entry("S", k, Index("i", N)), k),
                                   Delta(Index("i", N), n)),
    "matrix times inverse":       (IndexSum(Entry("S", n, k) * INV(k, Index("i", N)), k),
                                   Delta(Index("i", N), n)),
    "orthogonal rows":            (IndexSum(Entry("Q", n, k) * Entry("Q", Index("i", N), k), k),
                                   Delta(Index("i", N), n)),
    "a symmetric array":          (Entry("C", n, Index("i", N)) - Entry("C", Index("i", N), n),
                                   Integer(0)),
}
# fmt: on


@pytest.mark.parametrize("law", LAWS)
def test_laws(law: str) -> None:
    e, expected = LAWS[law]
    form = normalise(e, context(proving=True))
    if expected is not None:
        assert form == normalise(expected, context(proving=True))
    order = (*FREE, Index("i", N))
    point = draw(PROGRAM, np.random.default_rng(1), dims={"N": 3, "M": 2})
    np.testing.assert_allclose(
        evaluate(form, point, order), evaluate(e, point, order), rtol=1e-9, atol=1e-9
    )
