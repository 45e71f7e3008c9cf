"""Inverse and determinant: exact elimination against NumPy, singular matrices, derivatives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symbackprop.ir.evaluate import Point, evaluate
from symbackprop.ir.expressions import Index, MatrixFunction, extent_symbol
from symbackprop.ir.matrix_functions import MATRIX_FUNCTIONS, eliminate

N = extent_symbol("N")
I, J, K, L = (Index(c, N) for c in "ijkl")  # noqa: E741


def fractions(rng: np.random.Generator, n: int) -> np.ndarray:
    whole = rng.integers(-4, 5, size=(n, n))
    return np.array([[Fraction(int(x), 3) for x in row] for row in whole], dtype=object)


@pytest.mark.parametrize("seed", range(20))
def test_elimination_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = fractions(rng, 1 + seed % 4)
    found = eliminate(a)
    determinant = np.linalg.det(a.astype(float))
    if found is None:
        assert abs(determinant) < 1e-9
        return
    inverse, exact = found
    assert np.all(a @ inverse == np.eye(len(a), dtype=int))
    assert float(exact) == pytest.approx(determinant)


@pytest.mark.parametrize("exact", [False, True], ids=["float64", "fractions"])
def test_a_singular_matrix_has_no_inverse_and_determinant_0(exact: bool) -> None:
    a = np.array([[1, 2], [2, 4]], dtype=object if exact else float)
    point = Point({"N": 2}, {"A": a})
    inverse = evaluate(MatrixFunction("inv", "A", N, I, J), point, (I, J)).astype(float)
    assert np.all(np.isnan(inverse))
    assert float(evaluate(MatrixFunction("det", "A", N), point)) == pytest.approx(0)
    assert np.isnan(float(evaluate(MatrixFunction("logdet", "A", N), point)))


@pytest.mark.parametrize("name", MATRIX_FUNCTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_slopes_agree_with_differences(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    rule = MATRIX_FUNCTIONS[name]
    own = (I, J)[: rule.rank]
    e = MatrixFunction(name, "A", N, *own)
    slope = evaluate(rule.slope(e, K, L), Point({"N": 3}, {"A": a}), (*own, K, L))
    for place in np.ndindex(3, 3):
        move = np.zeros((3, 3))
        move[place] = 1e-6
        ahead, behind = (rule.floating(a + s * move) for s in (1, -1))
        numeric = (ahead - behind) / 2e-6
        np.testing.assert_allclose(slope[(..., *place)], numeric, rtol=1e-6, atol=1e-7)
