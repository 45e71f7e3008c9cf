"""Lifting sums: what all summands share stands in front, positive summands first, the forward order where it is known.

``2·ŷ - 2·y → 2 * (yhat - y)``, ``P/N - Y/N → (P - Y) / N``, ``G·S - S·Σ → S * (G - sum(...))``, ``1 - h**2``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Add, Expr, Integer, Mul, Rational, S, Symbol, gcd

from symbackprop.ir import terms
from symbackprop.ir.expressions import free_indices
from symbackprop.matrix.lift_arithmetic import negated
from symbackprop.matrix.lift_forms import Form, Layout, Recur, best, build, form, natural, restrict
from symbackprop.matrix.lift_products import product


@natural.register
def _(e: Add, layout: Layout, recur: Recur) -> Form | None:
    if all(_is_extent(a) for a in e.args):
        return form(terms.dim(e))
    content, common, rest = shared(e)
    plain = summed(e.args, layout, recur)
    if content == 1 and not common:
        return plain
    front = product(content, [*common, rest], (), layout, recur)
    return best((front, plain))


def _is_extent(e: Expr) -> bool:
    coefficient, rest = e.as_coeff_Mul()
    return isinstance(coefficient, Integer) and (rest is S.One or type(rest) is Symbol)


def shared(e: Add) -> tuple[Expr, list[Expr], Expr]:
    """Content, common factors and the remaining sum: ``e = content · Π common · rest``."""
    parts = [a.as_coeff_Mul() for a in e.args]
    content = _content([c for c, _ in parts])
    powers = [rest.as_powers_dict() for _, rest in parts]
    common: dict[Expr, Expr] = {}
    for base, exponent in powers[0].items():
        if base is S.One or not all(base in p for p in powers):
            continue
        exponents = [p[base] for p in powers]
        if all(x.is_Rational for x in exponents) and all((x > 0) == (exponent > 0) for x in exponents):
            common[base] = min(exponents, key=abs)
    if content == 1 and not common:
        return S.One, [], e
    factors = [b**x for b, x in common.items()]
    divisor = Mul(*factors)
    rest = Add(*(Mul(c / content, r / divisor) for c, r in parts))
    if not isinstance(rest, Add):
        return S.One, [], e
    return content, factors, rest


def _content(coefficients: Sequence[Expr]) -> Expr:
    """The greatest rational that leaves integers, negative where all coefficients are."""
    if not all(isinstance(c, Rational) for c in coefficients):
        return S.One
    common = coefficients[0]
    for c in coefficients[1:]:
        common = gcd(common, c)
    common = abs(common)
    return -common if all(c.is_negative for c in coefficients) else common


def summed(operands: Sequence[Expr], layout: Layout, recur: Recur) -> Form | None:
    """``a + b - c``, each operand in the layout restricted to its indices."""
    out: Form | None = None
    for operand in in_order(operands, recur):
        negative = operand.could_extract_minus_sign() and operand.as_coeff_Mul()[0].is_negative is True
        positive = -operand if negative else operand
        f = recur.get(positive, restrict(layout, free_indices(positive)))
        if f is None:
            return None
        if out is None:
            out = negated(f) if negative else f
        else:
            out = build(terms.sub if negative else terms.add, out, f)
    return out


def in_order(operands: Sequence[Expr], recur: Recur) -> Iterable[Expr]:
    """The forward order; else positive numbers, positive summands, negative summands, negative numbers."""
    places = recur.orders.of_sum(operands)
    if places is not None and any(not _negative(a) for a in operands):
        ordered = [a for _, a in sorted(zip(places, operands, strict=True), key=lambda p: p[0][0])]
        if not _negative(ordered[0]):
            return ordered
    return sorted(operands, key=lambda a: (_negative(a), not a.is_Number if not _negative(a) else bool(a.is_Number)))


def _negative(e: Expr) -> bool:
    return e.as_coeff_Mul()[0].is_negative is True
