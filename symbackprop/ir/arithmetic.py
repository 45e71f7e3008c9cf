"""The kinds of number that the evaluator computes with, behind one face.

``FLOATING`` is float64. ``ANALYTIC`` is complex128, for the complex step: every function is
continued analytically from the real axis, and what decides (a comparison, a maximum, a sign) looks
at real parts. ``PRECISE`` is arrays of objects: fractions as long as everything is
rational, 50-digit numbers from the first irrational value on; what is undefined (a division by
zero, the logarithm of a negative number) is ``nan``, as in floating point, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from numbers import Rational as AnyRational
from typing import Any

import mpmath
import numpy as np

from symbackprop.ir.functions import Primitive

DIGITS = 50
MOST_BITS = 10_000  # of an exact power, and of the operand of a function
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How numbers are made and combined; sums and products are NumPy's ``+`` and ``*`` in both
    kinds.

    ``selecting`` names the reductions and comparisons that NumPy cannot do on mixed objects.
    """

    name: str
    number: Callable[[int, int], Array]
    pi: Callable[[], Array]
    infinity: Callable[[int], Array]
    power: Callable[[Array, Array], Array]
    primitive: Callable[[Primitive, tuple[Array, ...]], Array]
    abstract: Callable[[Callable[..., Any], Array], Array]
    compare: Callable[[str, Array, Array], Array]
    maximum: Callable[[Array, tuple[int, ...]], Array]


def boxed(value: Any) -> Array:
    """A number as an array of rank 0: NumPy's functions unwrap their results of rank 0."""
    if isinstance(value, np.ndarray | np.generic | float):
        return np.asarray(value)
    out = np.empty((), dtype=object)
    out[()] = value
    return out


def exactly(a: Array) -> Array:
    """Machine numbers as the fractions that they are; infinities and nan as 50-digit numbers."""
    return _entrywise(lambda x: Fraction(x) if np.isfinite(x) else mpmath.mpf(x), a)


def is_rational(x: Any) -> bool:
    return isinstance(x, AnyRational | np.integer)


def to_precise(x: Any) -> Any:
    """One number as a 50-digit number."""
    return mpmath.mpf(x.numerator) / x.denominator if is_rational(x) else mpmath.mpf(x)


def is_finite(x: Any) -> bool:
    """Whether one number of either kind is neither infinite nor undefined."""
    return True if is_rational(x) else bool(mpmath.isfinite(x))


def far_out(x: Any) -> bool:
    """Whether a number is finite but so large that a function of it takes mpmath for ever."""
    return bool(mpmath.isfinite(x)) and x != 0 and bool(mpmath.mag(x) > MOST_BITS)


def _real(x: Any) -> Any:
    """Complex results are undefined here: the meaning of the language is real numbers."""
    if isinstance(x, mpmath.mpc):
        return x.real if x.imag == 0 else mpmath.nan
    return Fraction(x) if isinstance(x, int) else x


def _root(x: Fraction) -> Fraction | None:
    """The square root where it is rational."""
    if x < 0:
        return None
    p, q = isqrt(x.numerator), isqrt(x.denominator)
    return Fraction(p, q) if p * p == x.numerator and q * q == x.denominator else None


def _bits(x: Fraction) -> int:
    return max(abs(x.numerator).bit_length(), x.denominator.bit_length())


def _power(x: Any, e: Any) -> Any:
    """``x ** e`` of two numbers, exact where the result is rational and easily seen to be."""
    if is_rational(e) and e.denominator == 1:
        if x == 0 and e <= 0:
            return Fraction(1) if e == 0 else mpmath.nan
        if not is_rational(x) or _bits(x) * abs(e.numerator) <= MOST_BITS:
            return x ** int(e)
    if is_rational(e) and e.denominator == 2 and is_rational(x):
        root = _root(Fraction(x))
        if root is not None:
            return _power(root, e * 2)
    try:
        return _real(mpmath.power(to_precise(x), to_precise(e)))
    except (ZeroDivisionError, OverflowError):
        return mpmath.nan


def _ordered(x: Any, y: Any) -> tuple[Any, Any]:
    return (x, y) if is_rational(x) and is_rational(y) else (to_precise(x), to_precise(y))


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}


def _larger(x: Any, y: Any) -> Any:
    a, b = _ordered(x, y)
    return x if a >= b or a != a else y


def _entrywise(f: Callable[..., Any], *operands: Array) -> Array:
    return boxed(np.frompyfunc(f, len(operands), 1)(*operands))


def _precise_primitive(primitive: Primitive, operands: tuple[Array, ...]) -> Array:
    # Selecting functions keep fractions; analytic ones leave them, and know their own exact value
    # at 0.
    several = len(operands) > 1

    def one(*x: Any) -> Any:
        if any(not is_rational(v) and (v != v or far_out(v)) for v in x):
            return mpmath.nan
        numbers = _ordered(*x) if several else x
        try:
            return _real(primitive.precise(*numbers))
        except (
            ZeroDivisionError,
            ValueError,
            OverflowError,
        ):  # mpmath's words for a pole, or far out
            return mpmath.nan

    return _entrywise(one, *operands)


def _nearest(p: int, q: int) -> Array:
    """The machine number nearest to ``p / q``; infinite where it is beyond their range."""
    try:
        return np.asarray(p / q)
    except OverflowError:
        return np.asarray(np.inf if p > 0 else -np.inf)


def _continued(primitive: Primitive, operands: tuple[Array, ...]) -> Array:
    """A function near the real axis: those with kinks are linear on either side of them."""
    by_parts = _BY_PARTS.get(primitive.rule.name)
    return np.asarray(primitive.floating(*operands) if by_parts is None else by_parts(*operands))


_BY_PARTS: dict[str, Callable[..., Any]] = {
    "abs": lambda z: np.where(z.real < 0, -z, z),
    "sign": lambda z: np.sign(z.real),
    "step": lambda z: (z.real > 0) * 1.0,
    "maximum": lambda a, b: np.where(a.real >= b.real, a, b),
    "minimum": lambda a, b: np.where(a.real <= b.real, a, b),
}


def _precise_number(p: int, q: int) -> Array:
    return boxed(Fraction(p, q))


def _precise_compare(op: str, a: Array, b: Array) -> Array:
    holds = _COMPARE[op]
    return _entrywise(lambda x, y: Fraction(int(bool(holds(*_ordered(x, y))))), a, b)


def _precise_maximum(a: Array, axes: tuple[int, ...]) -> Array:
    larger = np.frompyfunc(_larger, 2, 1)
    for axis in sorted(axes, reverse=True):
        a = boxed(larger.reduce(a, axis=axis))
    return a


FLOATING = Arithmetic(
    "floating",
    number=_nearest,
    pi=lambda: np.asarray(np.pi),
    infinity=lambda sign: np.asarray(sign * np.inf),
    power=lambda a, b: np.asarray(np.power(a, b)),
    primitive=lambda primitive, operands: np.asarray(primitive.floating(*operands)),
    abstract=lambda f, a: np.asarray(f(a), dtype=float),
    compare=lambda op, a, b: np.asarray(_COMPARE[op](a, b), dtype=float),
    maximum=lambda a, axes: np.asarray(np.max(a, axis=axes)),
)
ANALYTIC = replace(
    FLOATING,
    name="analytic",
    primitive=_continued,
    abstract=lambda f, a: np.asarray(f(a)),
    compare=lambda op, a, b: np.asarray(_COMPARE[op](a.real, b.real), dtype=float),
)
PRECISE = Arithmetic(
    "precise",
    number=_precise_number,
    pi=lambda: boxed(+mpmath.pi),
    infinity=lambda sign: boxed(sign * mpmath.inf),
    power=lambda a, b: _entrywise(_power, a, b),
    primitive=_precise_primitive,
    abstract=lambda f, a: _entrywise(lambda x: _real(f(x)), a),
    compare=_precise_compare,
    maximum=_precise_maximum,
)
