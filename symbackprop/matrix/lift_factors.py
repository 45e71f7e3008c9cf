"""In which order and with which signs the factors of a product stand before they are lifted.

``h * (1 - h) * x`` and not SymPy's ``x * h * (1 - h)``; ``2 * (yhat - y)`` and not
``-2 * (y - yhat)``, except that a number leads: ``-(1 - h)`` stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm

from sympy import Add, Expr, Mul, Pow, Rational, S

from symbackprop.ir.expressions import Apply, Entry, IndexSum, entry_names
from symbackprop.matrix.lift_forms import Recur

LARGE = 1000


def in_order(factors: Sequence[Expr], recur: Recur) -> list[Expr]:
    """Factors as the forward equations order them; else adjoints, entries, functions, sums.

    ``1 - h`` follows ``h``.
    """
    places = recur.orders.of_product(factors)
    if places is not None:
        return [f for _, f in sorted(zip(places, factors, strict=True), key=lambda p: p[0])]
    ranked = sorted(factors, key=_rank)
    for f in [f for f in ranked if isinstance(f, Add)]:
        partners = [
            g for g in ranked if g is not f and isinstance(g, Entry) and g.name in entry_names(f)
        ]
        if partners:
            ranked.remove(f)
            ranked.insert(ranked.index(partners[-1]) + 1, f)
    return ranked


def _rank(f: Expr) -> int:
    base = f.base if isinstance(f, Pow) else f
    if base.is_Symbol:
        return -1
    if isinstance(base, Entry):
        return 0 if base.name.startswith("grad_") else 1
    if isinstance(base, Add):
        difference = all(isinstance(a.as_coeff_Mul()[1], Entry) for a in base.args)
        return 0 if difference and f is base else 3
    return 2 if isinstance(base, Apply) else 3


def oriented(coefficient: Expr, factors: Sequence[Expr], recur: Recur) -> tuple[Expr, list[Expr]]:
    """Signs and numbers moved between the coefficient and the factors, those under a sum included.

    A difference is turned where it is written the other way in the forward equations or has a
    negative number in it; then a negative coefficient is absorbed by a difference without a number:
    ``-2·(y - ŷ) → 2·(ŷ - y)``.
    """
    turned: list[Expr] = []
    for f in factors:
        if isinstance(f, Add):
            content = content_of(f)
            sign = -1 if _reversed(f, recur) else 1
            content = content * sign if content.is_positive else content
            f, coefficient = Add(*(a / content for a in f.args)), coefficient * content
        elif isinstance(f, IndexSum) and not isinstance(f.body, Add):
            number_part, rest = f.body.as_coeff_Mul()
            inner, parts = oriented(number_part, Mul.make_args(rest), recur)
            f, coefficient = IndexSum(Mul(*parts), *f.bound), coefficient * inner
        turned.append(f)
    if coefficient.is_negative:
        for known in (False, True):
            for k, f in enumerate(turned):
                absorbed = _negated_inside(f, known, recur)
                if absorbed is not None:
                    turned[k] = absorbed
                    return -coefficient, turned
    return coefficient, turned


def _negated_inside(f: Expr, known: bool, recur: Recur) -> Expr | None:
    """``-f`` by turning a difference in it, whose order the forward equations tell (``known``) or
    do not tell.
    """
    if isinstance(f, Add):
        return -f if _turnable(f) and (recur.orders.of_sum(f.args) is not None) == known else None
    if isinstance(f, IndexSum):
        parts = list(Mul.make_args(f.body))
        for k, part in enumerate(parts):
            absorbed = _negated_inside(part, known, recur)
            if absorbed is not None:
                parts[k] = absorbed
                return IndexSum(Mul(*parts), *f.bound)
    return None


def _reversed(f: Add, recur: Recur) -> bool:
    known = recur.orders.of_sum(f.args)
    signs = [-1 if is_negative(a) else 1 for a in f.args]
    if known is not None:
        return all(s == -sign for s, (_, sign) in zip(signs, known, strict=True))
    constant = f.as_coeff_Add()[0]
    return (bool(constant.is_negative) and any(s > 0 for s in signs)) or all(s < 0 for s in signs)


def _turnable(f: Add) -> bool:
    signs = {is_negative(a) for a in f.args}
    return len(signs) == 2 and f.as_coeff_Add()[0] == 0


def is_negative(e: Expr) -> bool:
    """Whether the number in front of ``e`` is negative."""
    return e.as_coeff_Mul()[0].is_negative is True


def content_of(e: Add) -> Expr:
    """The rational in front of a sum, negative where all its coefficients are.

    What remains has small whole coefficients; where decimals have made them large, the number in
    the sum (or its first coefficient) becomes 1: ``1 + 0.13 x²`` and not ``200000 + 26829 x²``.
    """
    coefficients = [a.as_coeff_Mul() for a in e.args]
    if not all(isinstance(c, Rational) for c, _ in coefficients):
        return S.One
    above = gcd(*(int(c.p) for c, _ in coefficients))
    common = Rational(above, lcm(*(int(c.q) for c, _ in coefficients)))
    if max(abs(c / common) for c, _ in coefficients) >= LARGE:
        common = next(
            (abs(c) for c, rest in coefficients if rest is S.One), abs(coefficients[0][0])
        )
    return -common if all(c.is_negative for c, _ in coefficients) else common
