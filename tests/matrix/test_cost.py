"""The cost table: what it prefers, one line a preference, the better form first."""

from __future__ import annotations

import pytest
from sympy import Symbol

from symbackprop.matrix.cost import cost, degree
from tests.small_programs import program, term

DECLARED = (
    "data A[N,M], B[M,D], C[D,K], H[N,M], X[N,D], P[N,K], Y[N,K], r[N], v[M], s[N], x[D], Q[N,N]; "
    "function f"
)


# fmt: off
PREFERENCES = (
    ("A @ (B @ x)",                "A @ B @ x"),
    ("H.T @ r",                    "r @ H"),
    ("A @ B @ C",                  "A @ (B @ C)"),
    ("A.T @ Q",                    "(Q.T @ A).T"),
    ("B.T @ A.T",                  "(A @ B).T"),
    ("(P - Y).T @ X",              "(P.T - Y.T) @ X"),
    ("outer(r, v) * H",            "r[:, None] * H * v"),
    ("outer(r, v)",                "r[:, None] * v"),
    ("diag(r) @ H",                "r[:, None] * H"),
    ("X.T @ diag(s) @ X",          "(X.T * s) @ X"),
    ("H * v",                      "H @ diag(v)"),
    ("sum(A * H)",                 "trace(A @ H.T)"),
    ("A @ v",                      "sum(A * v, axis=1)"),
    ("A.T @ r",                    "sum(A * r[:, None], axis=0)"),
    ("A.T @ r * v",                "sum(outer(r, v) * A, axis=0)"),
    ("sum(A * v, axis=1, keepdims=True)", "(A @ v)[:, None]"),
    ("P - Y",                      "P + -1 * Y"),
    ("2 * (P - Y)",                "2 * P - 2 * Y"),
    ("2 * X.T",                    "(2 * X).T"),
)
# fmt: on


@pytest.mark.parametrize(("better", "worse"), PREFERENCES)
def test_preferences(better: str, worse: str) -> None:
    given = program(DECLARED)
    assert cost(term(better, given)) < cost(term(worse, given))


def test_degree_of_an_extent() -> None:
    h, r = (Symbol(x, integer=True, positive=True) for x in "HR")
    assert [degree(e) for e in (h, h * r, h - r + 1, h**2 * r, h / h)] == [1, 2, 1, 3, 0]
