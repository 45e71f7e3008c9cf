"""Whether an expanded expression vanishes as a rational function of its atoms.

Terms are put over one denominator; sums over one range are taken together, so that fractions under
a Σ cancel as well; steps are taken case by case.
"""

from __future__ import annotations

from itertools import islice, permutations, product

from sympy import Add, Expr, Integer, Mul, Pow, cancel, fraction

from symbackprop.algebra.atoms import hide_atoms, together_atoms
from symbackprop.algebra.cases import vanishes_by_cases
from symbackprop.algebra.context import Context
from symbackprop.algebra.expand import expand, flat_factors, numerator
from symbackprop.algebra.exponents import reduce_powers
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.expressions import Index, IndexSum, free_indices, substitute
from symbackprop.ir.ordering import order_key

MERGE_DEPTH = 3
FRACTIONS = 8  # fractions under one Σ above this number are not cancelled
ALIGNMENTS = 24  # ways of laying the bound indices of several sums over each other that are tried

Group = tuple[Expr, tuple[Index, ...], list[Expr]]  # what stands outside, bound indices, bodies


def vanishing(e: Expr, context: Context, depth: int = MERGE_DEPTH) -> Expr:
    """0 if ``e`` vanishes as a rational function of its atoms; else some equal form, up to a factor
    that is not 0.
    """
    if e == 0:
        return Integer(0)
    e = cancel_shares(expand(reduce_powers(e), context), context)
    e = _numerator(e, context)
    e = expand(reduce_powers(e), context)
    if e == 0 or vanishes_by_cases(e, context):
        return Integer(0)
    if depth == 0:
        return e
    groups: dict[tuple[str, ...], Group] = {}
    for term in Add.make_args(e):
        outside, bound, body = _split_sum(term, depth)
        key = (order_key(outside), *(order_key(i.extent) for i in bound))
        groups.setdefault(key, (outside, bound, []))[2].append(body)
    if all(not bound for _, bound, _ in groups.values()):
        return e
    left = [g for g in groups.values() if not g[1] or not _sum_vanishes(g[1], g[2], context, depth)]
    cancelled = expand(Add(*(_cancelled(*g) for g in left)), context)
    return cancelled if cancelled in (0, e) else vanishing(cancelled, context, depth - 1)


def cancel_shares(e: Expr, context: Context) -> Expr:
    """``Σ_j a_j / Σ_k a_k → 1`` within the terms of ``e``, where nothing else depends on j."""
    return Add(*(_without_shares(t, context) for t in Add.make_args(e)))


def _without_shares(term: Expr, context: Context) -> Expr:
    if not any(isinstance(f, IndexSum) for f in Mul.make_args(term)):
        return term
    factors, bound = flat_factors(term)
    totals = {f.base: f for f in factors if isinstance(f, Pow) and isinstance(f.base, IndexSum)}
    for j in bound if totals else ():
        share = [f for f in factors if j in free_indices(f)]
        total = normalise(IndexSum(Mul(*share), j), context)
        found = totals.get(total)
        if found is not None and bool(found.exp.is_negative) and found not in share:
            rest = [f for f in factors if f not in share and f is not found]
            body = Mul(*rest, Pow(total, found.exp + 1))
            left = [i for i in bound if i != j]
            new = normalise(IndexSum(body, *left) if left else body, context)
            return cancel_shares(new, context)
    return term


def _cancelled(outside: Expr, bound: tuple[Index, ...], bodies: list[Expr]) -> Expr:
    """Sums over one range under one Σ, their fractions cancelled against each other."""
    if not bound:
        return Add(*(outside * body for body in bodies))
    if 1 < len(bodies) <= FRACTIONS and any(_is_fraction(body) for body in bodies):
        hidden, shown = hide_atoms(Add(*bodies))
        bodies = list(Add.make_args(cancel(hidden).xreplace(shown)))
    return Add(*(outside * IndexSum(body, *bound) for body in bodies))


def _is_fraction(e: Expr) -> bool:
    return any(isinstance(f, Pow) and bool(f.exp.is_negative) for f in Mul.make_args(e))


def _sum_vanishes(
    bound: tuple[Index, ...], bodies: list[Expr], context: Context, depth: int
) -> bool:
    """Whether sums over one range cancel, their indices laid over each other in some way."""
    orders = [
        order
        for order in permutations(bound)
        if all(a.extent == b.extent for a, b in zip(order, bound, strict=True))
    ]
    for choice in islice(product(orders, repeat=len(bodies) - 1), ALIGNMENTS):
        laid = [bodies[0]]
        for body, order in zip(bodies[1:], choice, strict=True):
            laid.append(substitute(body, dict(zip(bound, order, strict=True))))
        if vanishing(expand(Add(*laid), context), context, depth - 1) == 0:
            return True
    return False


def _split_sum(term: Expr, depth: int) -> tuple[Expr, tuple[Index, ...], Expr]:
    """A term as (factors outside, bound indices, coefficient times body) of its widest sum."""
    coefficient, rest = term.as_coeff_Mul()
    sums = [f for f in Mul.make_args(rest) if isinstance(f, IndexSum)]
    if not sums:
        return Integer(1), (), term
    widest = max(sums, key=lambda s: (len(s.bound), order_key(s)))
    outside = Mul(*(f for f in Mul.make_args(rest) if f is not widest))
    fresh = tuple(Index(f"_m{depth}_{k}", i.extent) for k, i in enumerate(widest.bound))
    body = substitute(widest.body, dict(zip(widest.bound, fresh, strict=True)))
    return outside, fresh, coefficient * body


def _numerator(e: Expr, context: Context) -> Expr:
    if _has_nested_fraction(e, inside=False):
        top, _ = fraction(together_atoms(e))
        return expand(top, context)
    return numerator(e, context)


def _has_nested_fraction(e: Expr, inside: bool) -> bool:
    """Whether a denominator holds a denominator, outside functions and sums, which are atoms
    here.
    """
    if isinstance(e, Pow) and e.exp.is_negative:
        return inside or _has_nested_fraction(e.base, inside=True)
    return isinstance(e, Add | Mul) and any(_has_nested_fraction(a, inside) for a in e.args)
