"""Functions of a whole matrix: their values, and their derivatives in index notation, one row each.

The inverse and the determinant have no finite formula in entries, so they are nodes
(:class:`MatrixFunction`) with a rule here instead of a definition; so are high powers, whose
formula is long. ``slope`` is the coefficient of ``dA[k,l]``, summed over k and l. A singular matrix
has undefined (``nan``) values. The k-th power is the function ``matpow k``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
from sympy import Add, Expr

from symbackprop.ir import cholesky
from symbackprop.ir.arithmetic import Array, boxed, is_rational, to_precise
from symbackprop.ir.expressions import Delta, Entry, MatrixFunction


@dataclass(frozen=True, slots=True)
class MatrixRule:
    """A function of a square matrix.

    Parameters
    ----------
    name : str
        Its name in the language.
    rank : int
        Of its value: 2 for a matrix, 0 for a number.
    floating, precise : callable
        Its value for an array of float64, and of fractions or 50-digit numbers.
    slope : callable
        The coefficient of ``dA[k,l]`` in the differential of an entry.
    """

    name: str
    rank: int
    floating: Callable[[Array], Array]
    precise: Callable[[Array], Array]
    slope: Callable[[MatrixFunction, Expr, Expr], Expr]


LARGEST_CONDITION = 1e13  # beyond it floating point cannot tell a matrix from a singular one


def _is_singular(a: Array) -> bool:
    return not np.all(np.isfinite(a)) or not np.linalg.cond(a) < LARGEST_CONDITION


def _floating_inverse(a: Array) -> Array:
    return np.full(a.shape, np.nan) if _is_singular(a) else np.asarray(np.linalg.inv(a))


def _floating_logdet(a: Array) -> Array:
    return np.asarray(np.nan if _is_singular(a) else np.linalg.slogdet(a)[1])


def _defined(a: Array) -> bool:
    return all(is_rational(x) or bool(mpmath.isfinite(x)) for x in a.flat)


def eliminate(a: Array) -> tuple[Array, Any] | None:
    """Inverse and determinant by Gauss and Jordan, exact for fractions; None if ``a`` is singular
    or has an undefined entry.
    """
    n = a.shape[0]
    if not _defined(a):
        return None
    number = Fraction if all(map(is_rational, a.flat)) else to_precise
    rows = [
        [*map(number, row), *(number(int(i == j)) for j in range(n))] for i, row in enumerate(a)
    ]
    determinant: Any = number(1)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(to_precise(rows[i][k])))
        if rows[pivot][k] == 0:
            return None
        if pivot != k:
            rows[k], rows[pivot] = rows[pivot], rows[k]
            determinant = -determinant
        head = rows[k][k]
        determinant = determinant * head
        rows[k] = [x / head for x in rows[k]]
        for i in range(n):
            factor = rows[i][k]
            if i != k and factor != 0:
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    inverse = np.empty((n, n), dtype=object)
    for i, row in enumerate(rows):
        inverse[i, :] = row[n:]
    return inverse, determinant


def _precise_inverse(a: Array) -> Array:
    found = eliminate(a)
    return np.full(a.shape, mpmath.nan, dtype=object) if found is None else found[0]


def _precise_det(a: Array) -> Array:
    if not _defined(a):
        return boxed(mpmath.nan)
    found = eliminate(a)
    return boxed(Fraction(0) if found is None else found[1])


def _precise_logdet(a: Array) -> Array:
    value = _precise_det(a)[()]
    return boxed(mpmath.nan if value == 0 or value != value else mpmath.log(abs(to_precise(value))))


def _inverse(e: MatrixFunction, i: Expr, j: Expr) -> MatrixFunction:
    return MatrixFunction("inv", e.name, e.extent, i, j)


def _slope_of_inverse(e: MatrixFunction, k: Expr, l: Expr) -> Expr:  # noqa: E741
    """``d inv(A)[i,j] = -Σ inv(A)[i,k] dA[k,l] inv(A)[l,j]``."""
    i, j = e.indices
    return -_inverse(e, i, k) * _inverse(e, l, j)


# fmt: off
MATRIX_FUNCTIONS: Mapping[str, MatrixRule] = {rule.name: rule for rule in (
    MatrixRule("inv",    2, _floating_inverse, _precise_inverse, _slope_of_inverse),
    MatrixRule("det",    0, lambda a: np.asarray(np.linalg.det(a)), _precise_det,
               lambda e, i, j: e * _inverse(e, j, i)),
    MatrixRule("logdet", 0, _floating_logdet, _precise_logdet,
               lambda e, i, j: _inverse(e, j, i)),
    MatrixRule(cholesky.FACTOR,  2, cholesky.floating_factor, cholesky.precise_factor,
               cholesky.slope_of_factor),
    MatrixRule(cholesky.INVERSE, 2, cholesky.floating_inverse, cholesky.precise_inverse,
               cholesky.slope_of_inverse),
)}
# fmt: on
POWER = "matpow "


def matrix_rule(function: str) -> MatrixRule:
    """The row of a function, that of a power made when it is met."""
    return _power_rule(function) if function.startswith(POWER) else MATRIX_FUNCTIONS[function]


def power_entry(name: str, extent: Expr, k: int, i: Expr, j: Expr) -> Expr:
    """The entry ``A^k[i,j]`` for k ≥ 0."""
    if k == 0:
        return Delta(i, j)
    return Entry(name, i, j) if k == 1 else MatrixFunction(f"{POWER}{k}", name, extent, i, j)


def exponent(function: str) -> int | None:
    """The k of the function ``matpow k``; None of another."""
    return int(function.removeprefix(POWER)) if function.startswith(POWER) else None


@lru_cache(maxsize=128)
def _power_rule(function: str) -> MatrixRule:
    k = exponent(function)
    assert k is not None, "asked of powers only"

    def value(a: Array) -> Array:
        out = a
        for _ in range(k - 1):
            out = np.asarray(np.dot(out, a))
        return out

    def slope(e: MatrixFunction, row: Expr, column: Expr) -> Expr:
        """``d A^k = Σ_r A^r dA A^(k-1-r)``."""
        i, j = e.indices
        return Add(
            *(
                power_entry(e.name, e.extent, r, i, row)
                * power_entry(e.name, e.extent, k - 1 - r, column, j)
                for r in range(k)
            )
        )

    return MatrixRule(function, 2, value, value, slope)
