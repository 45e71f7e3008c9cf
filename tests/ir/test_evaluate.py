"""The evaluator: each node against NumPy or by hand, in floating point and exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import Expr, Integer, Pow, Rational, Symbol, floor, nan, oo, pi, sqrt, zoo

from symbackprop.errors import Malformed
from symbackprop.ir.evaluate import Point, evaluate, extent_value, run
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    InRange,
    Modulo,
    Where,
    extent_symbol,
)
from symbackprop.ir.functions import PRIMITIVES, FunctionRule, Z
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import name as term_name

N, D, K = (extent_symbol(x) for x in "NDK")
n, m, d, k = Index("n", N), Index("m", N), Index("d", D), Index("k", K)
SIZES = {"N": 2, "D": 3, "K": 2}
X = np.array([[1, -2, 4], [3, 0, 9]])
W = np.array([[2, 1], [-1, 5], [0, -3]])
T = np.array([2, 0])
VALUES = {"X": X, "W": W, "t": T, "s": np.asarray(2)}
FLOATS = Point(SIZES, VALUES)
EXACT = Point(SIZES, VALUES, exact=True)
x, w = Entry("X", n, d), Entry("W", d, k)
s = Entry("s")

# fmt: off
TABLE: tuple[tuple[Expr, tuple[Index, ...], Any], ...] = (
    (x,                                                (d, n), X.T),
    (Entry("X", n, 2),                                 (n,),   X[:, 2]),
    (Entry("X", n, D - 1),                             (n,),   X[:, -1]),
    (Entry("X", n, Entry("t", n)),                     (n,),   [4, 3]),
    (Entry("X", n, n + 1),                             (n,),   [-2, 9]),
    (Entry("X", FloorDiv(d, 2), Modulo(d, 2)),         (d,),   [1, -2, 3]),
    (IndexSum(x * w, d),                               (n, k), X @ W),
    (IndexSum(x, n, d) * s,                            (),     30),
    (IndexSum(s, n, d),                                (),     12),
    (IndexSum(Entry("X", n, d) * IndexSum(x, d), n),   (d,),   X.T @ X.sum(1)),
    (IndexMax(x, d),                                   (n,),   [4, 9]),
    (IndexMax(x - s, n, d),                            (),     7),
    (IndexProduct(x, d),                               (n,),   [-8, 0]),
    (IndexProduct(s, d),                               (),     8),
    (Delta(n, m) * Entry("X", m, 0),                   (n, m), [[1, 0], [0, 3]]),
    (Delta(Entry("t", n), d),                          (n, d), [[0, 0, 1], [1, 0, 0]]),
    (InRange(d - 1, D) * Entry("X", n, d - 1),         (n, d), [[0, 1, -2], [0, 3, 0]]),
    (Entry("X", n, d + 1) * InRange(d + 1, D)**2 + 1,  (n, d), [[-1, 5, 1], [1, 10, 1]]),
    (Delta(d, n + 1) * Entry("X", n, d - 1),           (n, d), [[0, 1, 0], [0, 0, 0]]),
    (Compare(">", x, 0),                               (n, d), X > 0),
    (Compare("<=", d, n),                              (n, d), [[1, 0, 0], [1, 1, 0]]),
    (Compare("==", x, IndexMax(x, d)),                 (n, d), [[0, 0, 1], [0, 0, 1]]),
    (Compare("!=", x, 0) * x**-2 * x**2,               (n, d), X != 0),
    (Where(Compare("==", x, 0), 7, 6 / x),             (n, d), [[6, -3, 1.5], [2, 7, 6 / 9]]),
    (Where(Compare(">", x, 0), sqrt(x * x), -x),       (n, d), abs(X)),
    (x**2 / N - D,                                     (n, d), X**2 / 2 - 3),
    (sqrt(Entry("X", n, 2)),                           (n,),   [2, 3]),
    (Pow(Entry("X", n, 2), Rational(-3, 2)),           (n,),   [1 / 8, 1 / 27]),
    (Pow(s, x),                                        (n, d), 2.0**X),
    (Pow(x, s),                                        (n, d), X**2),
    (d + 2 * n,                                        (n, d), [[0, 1, 2], [2, 3, 4]]),
    (Apply("maximum", x, s) + Apply("minimum", x, 1),  (n, d), np.maximum(X, 2) + np.minimum(X, 1)),
    (Apply("step", x) + Apply("sign", x),              (n, d), (X > 0) + np.sign(X)),
    (s,                                                (n,),   [2, 2]),
)
# fmt: on


@pytest.mark.parametrize(("e", "order", "expected"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_rational_values(e: Expr, order: tuple[Index, ...], expected: Any) -> None:
    np.testing.assert_allclose(evaluate(e, FLOATS, order), expected, rtol=1e-15)
    exact = evaluate(e, EXACT, order)
    assert all(isinstance(v, Fraction | int) for v in exact.flat)
    np.testing.assert_allclose(exact.astype(float), expected, rtol=1e-15)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitives_agree_in_both_arithmetics(name: str) -> None:
    operands = (Entry("X", n, d) / 7 + Rational(1, 3), s / 5)
    e = Apply(name, *operands[: len(PRIMITIVES[name].rule.parameters)])
    floating, precise = evaluate(e, FLOATS, (n, d)), evaluate(e, EXACT, (n, d))
    np.testing.assert_allclose(floating, precise.astype(float), rtol=1e-14)


def test_irrational_values_have_fifty_digits() -> None:
    two = evaluate(sqrt(s) ** 2 - Pow(s, Rational(1, 2)) * Pow(s, Rational(1, 2)), EXACT)[()]
    assert two == 0
    e = Apply("exp", s) + pi
    with mpmath.workdps(60):
        assert abs(evaluate(e, EXACT)[()] - mpmath.exp(2) - mpmath.pi) < mpmath.mpf(10) ** -48


# fmt: off
UNDEFINED = (
    s / (s - 2),
    Pow(s - 2, Rational(-1, 2)),
    sqrt(s - 3),
    Apply("log", s - 3),
    Entry("X", 0, 5),
    Entry("X", 0, 5) * s,
    zoo * s,
    nan,
)
# fmt: on


@pytest.mark.parametrize("e", UNDEFINED, ids=str)
@pytest.mark.parametrize("point", [FLOATS, EXACT], ids=["floating", "exact"])
def test_what_is_undefined_is_not_finite(e: Expr, point: Point) -> None:
    assert not mpmath.isfinite(evaluate(e, point)[()])


def test_infinity_is_a_value() -> None:
    masked = Apply("exp", Where(Compare("<=", d, n), Entry("X", n, d), -oo))
    expected = np.where(np.arange(3) <= np.arange(2)[:, None], np.exp(X), 0)
    np.testing.assert_allclose(evaluate(masked, FLOATS, (n, d)), expected)
    np.testing.assert_allclose(evaluate(masked, EXACT, (n, d)).astype(float), expected)


def test_bound_indices_may_shadow() -> None:
    inner = IndexSum(Entry("X", n, d), n)
    e = IndexSum(Entry("X", n, d) * inner, n, d)
    assert evaluate(e, FLOATS) == (X.sum(0) * X.sum(0)).sum()


def test_definitions_and_abstract_functions() -> None:
    u = Symbol("u")
    rules = {"sigmoid": FunctionRule("sigmoid", (Z,), 1 / (1 + Apply("exp", -Z)), (Z,))}
    e = Apply("sigmoid", Apply("f", s))
    point = Point(SIZES, VALUES, {"f": lambda z: z * z}, rules)
    assert evaluate(e, point) == pytest.approx(1 / (1 + np.exp(-4)))
    with pytest.raises(Malformed, match="sigmoid"):
        evaluate(e, Point(SIZES, VALUES, {"f": lambda z: z * z}))
    assert evaluate(e, Point(SIZES, VALUES, {"f": abs}), rules=rules) == pytest.approx(
        1 / (1 + np.exp(-2))
    )
    # A declared name shadows the library.
    shadow = Point(SIZES, VALUES, {"exp": lambda z: z + 1})
    assert evaluate(Apply("exp", s), shadow) == 3
    with pytest.raises(Malformed, match="u"):
        evaluate(s + u, point)


def test_no_warning_for_large_and_small_numbers() -> None:
    e = Apply("exp", 1000 * s) ** -1 + Apply("exp", -1000 * s)
    assert evaluate(e, FLOATS) == 0


# fmt: off
EXTENTS = (
    (N, 7), (N - K + 1, 5), (2 * N * K, 42), (floor((N - K) / 2) + 1, 3), (FloorDiv(N - K, 3), 1),
    (Integer(4), 4),
)
# fmt: on


@pytest.mark.parametrize(("e", "value"), EXTENTS, ids=[str(e) for e, _ in EXTENTS])
def test_extents(e: Expr, value: int) -> None:
    assert extent_value(e, {"N": 7, "K": 3}) == value


def test_run_computes_equations_in_order() -> None:
    first = Equation("a", (n,), IndexSum(x, d), term_name("a", (N,)))
    second = Equation("b", (), IndexSum(Entry("a", n) ** 2, n), term_name("b"))
    program = Program((N, D), (), (), (), (first, second), "b")
    assert run(program, FLOATS).values["b"] == 9 + 144
    assert isinstance(run(program, EXACT).values["b"][()], Fraction | int)


# fmt: off
REFUSED = (
    (Entry("Q", n), (n,), "Q"),
    (Entry("X", n), (n,), "indices for X"),
    (x,             (n,), "d"),
    (Symbol("B"),   (),   "B"),
)
# fmt: on


@pytest.mark.parametrize(("e", "order", "message"), REFUSED, ids=[str(r[0]) for r in REFUSED])
def test_refuses(e: Expr, order: tuple[Index, ...], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        evaluate(e, FLOATS, order)


def test_an_empty_axis_sums_to_nothing() -> None:
    point = Point({"N": 0, "D": 3}, {"X": np.zeros((0, 3))})
    assert evaluate(IndexSum(x, n), point, (d,)).tolist() == [0, 0, 0]
