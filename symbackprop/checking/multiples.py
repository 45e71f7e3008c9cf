"""By which constant is one side a multiple of the other? Extents, products of two, 2 and ½, with
each other and upside down.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from sympy import Expr, Integer, Rational

from symbackprop.checking.truth import TOLERANCE, Values
from symbackprop.ir.expressions import free_indices

NUMBERS = (Integer(1), Integer(2), Rational(1, 2))


def multiple_of(left: Expr, right: Expr, values: Values, *, signed: bool = False) -> Expr | None:
    """The constant c with ``right = c left`` at every point, other than 1; None if there is none.
    A negative one only where it is asked for.
    """
    ratios = _ratios(left, right, values)
    if ratios is None:
        return None
    for factor in _constants(values):
        known = np.array([float(values.of(factor, (), at)) for at in range(len(ratios))])
        if factor != 1 and np.allclose(known, ratios, rtol=TOLERANCE, atol=0.0):
            return factor
        if signed and np.allclose(-known, ratios, rtol=TOLERANCE, atol=0.0):
            return -factor
    return None


def _ratios(left: Expr, right: Expr, values: Values) -> list[float] | None:
    """``right / left`` at each point, where it is the same in all entries."""
    if not free_indices(right) <= free_indices(left):
        return None
    order = tuple(sorted(free_indices(left), key=lambda i: i.name))
    out = []
    for at in range(len(values.points)):
        x, y = values.of(left, order, at), values.of(right, order, at)
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            return None
        square = float(np.sum(x * x))
        ratio = float(np.sum(x * y)) / square if square > 0 else np.nan
        if not np.isfinite(ratio) or not np.allclose(y, ratio * x, rtol=1e-6, atol=1e-9):
            return None
        if ratio == 0:
            return None
        out.append(ratio)
    return out


def _constants(values: Values) -> Iterator[Expr]:
    extents: list[Expr] = list(values.program.dims)
    pairs = [a * b for a, b in combinations(extents, 2)]
    for number in NUMBERS:
        for extent in (Integer(1), *extents, *pairs):
            yield number * extent
            yield number / extent
