"""Exact and 50-digit numbers: rational stays rational, undefined is nan, never an exception."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from symbackprop.ir.arithmetic import FLOATING, PRECISE, Array, boxed, exactly, to_precise

# fmt: off
POWERS = (
    (Fraction(2, 3),  Fraction(3),     Fraction(8, 27)),
    (Fraction(2, 3),  Fraction(-2),    Fraction(9, 4)),
    (Fraction(9, 4),  Fraction(1, 2),  Fraction(3, 2)),
    (Fraction(9, 4),  Fraction(-3, 2), Fraction(8, 27)),
    (Fraction(0),     Fraction(0),     1),
    (Fraction(0),     Fraction(1, 2),  0),
)
# fmt: on


def power(x: Any, e: Any) -> Any:
    return PRECISE.power(boxed(x), boxed(e))[()]


@pytest.mark.parametrize(("x", "e", "expected"), POWERS, ids=str)
def test_rational_powers_stay_rational(x: Fraction, e: Fraction, expected: Any) -> None:
    assert power(x, e) == expected
    assert isinstance(power(x, e), Fraction)


@pytest.mark.parametrize(("x", "e"), [(0, -1), (-1, Fraction(1, 2)), (0, Fraction(-1, 2))], ids=str)
def test_undefined_powers_are_nan_or_infinite(x: int, e: Any) -> None:
    assert not mpmath.isfinite(power(Fraction(x), Fraction(e)))
    with np.errstate(all="ignore"):
        assert not np.isfinite(FLOATING.power(np.asarray(float(x)), np.asarray(float(e))))


def array(*values: Any) -> Array:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def test_fractions_and_fifty_digit_numbers_compare() -> None:
    third = to_precise(Fraction(1, 3))
    mixed = array(Fraction(1, 2), third, Fraction(-1))
    assert PRECISE.compare("<", mixed, boxed(Fraction(2, 5))).tolist() == [0, 1, 1]
    assert PRECISE.maximum(mixed, (0,))[()] == Fraction(1, 2)
    undefined = PRECISE.maximum(array(Fraction(1), mpmath.nan), (0,))[()]
    assert undefined != undefined


def test_machine_numbers_are_the_fractions_that_they_are() -> None:
    a = exactly(np.array([0.5, -2.0, np.inf]))
    assert a[0] == Fraction(1, 2)
    assert isinstance(a[1], Fraction)
    assert mpmath.isinf(a[2])
