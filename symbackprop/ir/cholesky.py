"""The factor of Cholesky: ``A = C Cᵀ`` with C lower triangular and positive on its diagonal.

Value and differential of C and of its inverse, as functions of ``(A + Aᵀ) / 2``, so that the
derivative by an entry of A does not ask which triangle a program reads. With ``Φ`` that keeps what
is below the diagonal and half of the diagonal, ``dC = C Φ(C⁻¹ dA C⁻ᵀ)`` (Murray, Differentiation
of the Cholesky decomposition, 2016). A matrix that is not positive definite has no value (``nan``).
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from sympy import Add, Expr, Rational

from symbackprop.ir.arithmetic import Array, is_rational, to_precise
from symbackprop.ir.expressions import Compare, Index, IndexSum, MatrixFunction

FACTOR = "cholesky"
INVERSE = "inverse cholesky"
HALF = Rational(1, 2)


def floating_factor(a: Array) -> Array:
    """C in floating point."""
    if not np.all(np.isfinite(a)):
        return np.full(a.shape, np.nan)
    try:
        return np.asarray(np.linalg.cholesky((a + a.T) / 2))
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan)


def floating_inverse(a: Array) -> Array:
    """C⁻¹ in floating point."""
    c = floating_factor(a)
    return np.asarray(np.linalg.inv(c)) if np.all(np.isfinite(c)) else c


def precise_factor(a: Array) -> Array:
    """C in 50 digits."""
    n = a.shape[0]
    if not all(is_rational(x) or bool(mpmath.isfinite(x)) for x in a.flat):
        return _undefined(n)
    m = [[(to_precise(a[i, j]) + to_precise(a[j, i])) / 2 for j in range(n)] for i in range(n)]
    c = np.full((n, n), mpmath.mpf(0), dtype=object)
    for j in range(n):
        pivot = m[j][j] - _dot(c[j, :j], c[j, :j])
        if not pivot > 0:
            return _undefined(n)
        c[j, j] = mpmath.sqrt(pivot)
        for i in range(j + 1, n):
            c[i, j] = (m[i][j] - _dot(c[i, :j], c[j, :j])) / c[j, j]
    return c


def precise_inverse(a: Array) -> Array:
    """C⁻¹ in 50 digits, by forward substitution."""
    n, c = a.shape[0], precise_factor(a)
    if n and mpmath.isnan(c[0, 0]):
        return c
    out = np.full((n, n), mpmath.mpf(0), dtype=object)
    for j in range(n):
        for i in range(j, n):
            out[i, j] = (int(i == j) - _dot(c[i, :i], out[:i, j])) / c[i, i]
    return out


def _dot(u: Array, v: Array) -> Any:
    return sum((x * y for x, y in zip(u, v, strict=True)), mpmath.mpf(0))


def _undefined(n: int) -> Array:
    return np.full((n, n), mpmath.nan, dtype=object)


def slope_of_factor(e: MatrixFunction, k: Expr, l: Expr) -> Expr:  # noqa: E741
    """``dC[i,j] = Σ_p C[i,p] Φ(C⁻¹ dA C⁻ᵀ)[p,j]``."""
    i, j = e.indices
    p = Index("_p", e.extent)
    factor = MatrixFunction(FACTOR, e.name, e.extent, i, p)
    return Add(*(IndexSum(factor * part, p) for part in _lower_half(e, p, j, k, l)))


def slope_of_inverse(e: MatrixFunction, k: Expr, l: Expr) -> Expr:  # noqa: E741
    """``dC⁻¹[i,j] = -Σ_p Φ(C⁻¹ dA C⁻ᵀ)[i,p] C⁻¹[p,j]``."""
    i, j = e.indices
    p = Index("_p", e.extent)
    parts = _lower_half(e, i, p, k, l)
    return -Add(*(IndexSum(part * _inverse(e, p, j), p) for part in parts))


def _lower_half(
    e: MatrixFunction,
    p: Expr,
    q: Expr,
    k: Expr,
    l: Expr,  # noqa: E741
) -> tuple[Expr, Expr]:
    """The coefficient of ``dA[k,l]`` in ``Φ(C⁻¹ dA C⁻ᵀ)[p,q]`` for the symmetric part of A, whose
    halves meet on the diagonal: ``([q ≤ p] C⁻¹[p,k] C⁻¹[q,l] + [q < p] C⁻¹[p,l] C⁻¹[q,k]) / 2``.
    """
    return (
        HALF * Compare("<=", q, p) * _inverse(e, p, k) * _inverse(e, q, l),
        HALF * Compare("<", q, p) * _inverse(e, p, l) * _inverse(e, q, k),
    )


def _inverse(e: MatrixFunction, i: Expr, j: Expr) -> MatrixFunction:
    return MatrixFunction(INVERSE, e.name, e.extent, i, j)
