"""Exact numbers as text, and a bound on those that may arise.

A fraction with a small denominator prints as ``1/2``, other terminating ones as decimals:
``0.044715``.
"""

from __future__ import annotations

from sympy import Rational

from symbackprop.errors import Malformed, Span

SMALL_DENOMINATOR = 64
LONGEST_DECIMAL = 15
LARGEST_POWER_BITS = 4096


def show_number(value: Rational) -> str:
    """``3``, ``-1/2`` or ``0.044715``."""
    if value.q == 1:
        return str(value.p)
    if value.q > SMALL_DENOMINATOR:
        rest, digits = value.q, 0
        while rest % 10 == 0:
            rest, digits = rest // 10, digits + 1
        for prime in (2, 5):
            while rest % prime == 0:
                rest, digits = rest // prime, digits + 1
        if rest == 1 and digits <= LONGEST_DECIMAL:
            return _decimal(value, digits)
    return f"{value.p}/{value.q}"


def _decimal(value: Rational, digits: int) -> str:
    shifted = str(abs(value.p) * 10**digits // value.q).rjust(digits + 1, "0")
    text = f"{shifted[:-digits]}.{shifted[-digits:]}".rstrip("0")
    return f"-{text}" if value.p < 0 else text


def check_power(base: Rational, exponent: Rational, span: Span) -> None:
    """Refuses a power of numbers too large to be written out (SymPy would compute it at once)."""
    bits = max(abs(base.p).bit_length(), base.q.bit_length()) * abs(exponent)
    if bits > LARGEST_POWER_BITS:
        raise Malformed(
            "a power of numbers of moderate size",
            "one of thousands of digits",
            span,
            "give it a name as data",
        )
    if base == 0 and exponent < 0:
        raise division_by_zero(span)


def division_by_zero(span: Span) -> Malformed:
    """The error for a literal denominator 0."""
    return Malformed("a denominator that is not 0", "division by 0", span, "remove this quotient")
