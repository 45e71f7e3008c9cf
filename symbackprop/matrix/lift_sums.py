"""Lifting sums: what all summands share stands in front, positive summands first, the forward order
where it is known.

``2·ŷ - 2·y → 2 * (yhat - y)``, ``P/N - Y/N → (P - Y) / N``, ``G·S - S·Σ → S * (G - sum(...))``, ``1
- h**2``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Integer, Mul, S, Symbol

from symbackprop.ir import terms
from symbackprop.ir.expressions import free_indices
from symbackprop.ir.terms import Term
from symbackprop.matrix.lift_arithmetic import negated
from symbackprop.matrix.lift_factors import content_of, is_negative
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
    content = content_of(e)
    powers = [rest.as_powers_dict() for _, rest in parts]
    common: dict[Expr, Expr] = {}
    for base, exponent in powers[0].items():
        if base is S.One or not all(base in p for p in powers):
            continue
        exponents = [p[base] for p in powers]
        if all(x.is_Rational for x in exponents) and all(
            (x > 0) == (exponent > 0) for x in exponents
        ):
            common[base] = min(exponents, key=abs)
    if content == 1 and not common:
        return S.One, [], e
    factors = [b**x for b, x in common.items()]
    divisor = Mul(*factors)
    rest = Add(*(Mul(c / content, r / divisor) for c, r in parts))
    if not isinstance(rest, Add):
        return S.One, [], e
    return content, factors, rest


def summed(operands: Sequence[Expr], layout: Layout, recur: Recur) -> Form | None:
    """``a + b - c``, each operand in the layout restricted to its indices."""
    parts: list[tuple[bool, Form]] = []
    for operand in operands:
        negative = is_negative(operand)
        positive = -operand if negative else operand
        f = recur.get(positive, restrict(layout, free_indices(positive)))
        if f is None:
            return None
        parts.append((negative, f))
    (negative, out), *rest = in_order(operands, parts, recur)
    out = negated(out) if negative else out
    for negative, f in rest:
        out = build(terms.sub if negative else terms.add, out, f)
    return out


def in_order(
    operands: Sequence[Expr], parts: Sequence[tuple[bool, Form]], recur: Recur
) -> Sequence[tuple[bool, Form]]:
    """The forward order; else positive numbers, positive summands, negative summands and numbers.

    Of one sign, ``A @ x`` comes before ``b``, ``A`` before ``A.T``, and ``c * eye(n)`` late.
    """
    places = recur.orders.of_sum(operands)
    if places is not None:
        keyed = sorted(zip(places, parts, strict=True), key=lambda p: p[0][0])
        if not keyed[0][1][0] or all(negative for negative, _ in parts):
            return [part for _, part in keyed]
    return sorted(parts, key=_place)


def _place(part: tuple[bool, Form]) -> tuple[bool, int]:
    negative, f = part
    if f.term.op in ("number", "dim"):
        return negative, 3 if negative else 0
    return negative, 1 if is_product(f.term) else 3 if _comes_late(f.term) else 2


def is_product(term: Term) -> bool:
    """Whether ``term`` is a product of matrices, up to scalars."""
    if term.op in ("mul", "div"):
        return any(is_product(a) for a in term.args)
    return term.op == "matmul"


def _comes_late(term: Term) -> bool:
    return term.op == "transpose" or (term.op == "mul" and term.args[1].op == "eye")
