"""Lifting products and sums of products: number and scalars in front, divisors behind, the arrays
as a network.

``2 / N * H.T @ r``, ``c * A @ x / s``, ``mean(R, axis=0)`` for a sum that is divided by its extent.
Signs are moved into a factor that is itself a difference, so that ``2 * (yhat - y)`` stands for
``-2 * (y - yhat)``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Mul, Pow

from symbackprop.ir.expressions import (
    Apply,
    Entry,
    Index,
    IndexSum,
    entry_names,
    free_indices,
    fresh_index,
    substitute,
)
from symbackprop.matrix.lift_arithmetic import as_mean, divided, multiplied, negated, times
from symbackprop.matrix.lift_forms import Form, Layout, Recur, natural, number
from symbackprop.matrix.lift_networks import Network, chain, is_divisor

FLATTEN = 8


@natural.register
def _(e: Mul, layout: Layout, recur: Recur) -> Form | None:
    coefficient, rest = e.as_coeff_Mul()
    return product(coefficient, Mul.make_args(rest), (), layout, recur)


@natural.register
def _(e: IndexSum, layout: Layout, recur: Recur) -> Form | None:
    """``Σ_{i} c·f·g``: what does not depend on the bound indices moves out, the rest falls into
    components.
    """
    coefficient, rest = e.body.as_coeff_Mul()
    return product(coefficient, Mul.make_args(rest), e.bound, layout, recur)


def flattened(factors: Sequence[Expr], bound: Sequence[Index]) -> tuple[list[Expr], list[Index]]:
    """Sums that are factors under a sum, opened with their indices renamed apart; left closed where
    too many would meet.

    ``Σ_i f_i Σ_j g_ij h_j → Σ_{i,j} f_i g_ij h_j``
    """
    if not bound and len(factors) == 1:
        return list(factors), []
    taken = set(bound).union(*(free_indices(f) for f in factors))
    opened, inner = _opened(factors, taken)
    if len(opened) > max(FLATTEN, len(factors)):
        return list(factors), list(bound)
    return opened, [*bound, *inner]


def _opened(factors: Sequence[Expr], taken: set[Index]) -> tuple[list[Expr], list[Index]]:
    opened: list[Expr] = []
    indices: list[Index] = []
    for f in factors:
        if not isinstance(f, IndexSum) or isinstance(f.body, Add):
            opened.append(f)
            continue
        apart: dict[Index, Expr] = {}
        for b in f.bound:
            fresh = fresh_index(b, taken) if b in taken else b
            taken.add(fresh)
            apart[b] = fresh
            indices.append(fresh)
        taken |= free_indices(f.body)
        parts, more = _opened(Mul.make_args(substitute(f.body, apart)), taken)
        opened += parts
        indices += more
    return opened, indices


def product(
    coefficient: Expr, factors: Sequence[Expr], bound: Sequence[Index], layout: Layout, recur: Recur
) -> Form | None:
    """``coefficient · Σ_{bound} Π factors`` in ``layout``."""
    coefficient, factors = oriented(coefficient, factors, recur)
    factors, bound = flattened(factors, bound)
    used = frozenset[Index]().union(*(free_indices(f) for f in factors))
    factors = [*factors, *(b.extent for b in bound if b not in used)]
    bound = [b for b in bound if b in used]
    repeated, factors = (
        Mul(*(f for f in factors if f.is_Rational)),
        [f for f in factors if not f.is_Rational],
    )
    coefficient *= repeated
    above: list[Form] = []
    below: list[Form] = []
    arrays: list[Expr] = []
    for scalar in components(in_order(factors, recur), bound):
        if isinstance(scalar, tuple):
            members, inside = scalar
            f = (
                Network(in_order(members, recur), (), recur).solve(())
                if inside
                else recur.get(members[0], ())
            )
            if f is None:
                return None
            above.append(f)
        elif is_divisor(scalar) and not free_indices(scalar):
            f = recur.get(1 / scalar, ())
            if f is None:
                return None
            below.append(f)
        else:
            arrays.append(scalar)
    core = None
    if arrays:
        core = network(arrays, bound, layout, recur)
        if core is None:
            return None
    return scaled(coefficient, above, below, core)


def components(
    factors: Sequence[Expr], bound: Sequence[Index]
) -> list[Expr | tuple[list[Expr], bool]]:
    """Array factors and divisors as they stand; scalars as tuples, a fully summed group of factors
    being one of them.
    """
    inside = set(bound)
    groups: list[tuple[set[Index], list[Expr]]] = []
    for f in factors:
        shared, members = set(free_indices(f) & inside), [f]
        kept = []
        for indices, others in groups:
            if indices & shared:
                shared |= indices
                members = others + members
            else:
                kept.append((indices, others))
        groups = [*kept, (shared, members)]
    out: list[Expr | tuple[list[Expr], bool]] = []
    for shared, members in groups:
        if all(free_indices(f) <= inside for f in members):
            if not shared and is_divisor(members[0]):
                out.append(members[0])
            else:
                out.append((members, bool(shared)))
        else:
            out.extend(members)
    return out


def network(
    arrays: Sequence[Expr], bound: Sequence[Index], layout: Layout, recur: Recur
) -> Form | None:
    """The array part: one entry-by-entry chain where all factors carry the layout's indices, else a
    network.
    """
    ordered = in_order(arrays, recur)
    out = frozenset(i for i in layout if i is not None)
    if not bound and all(free_indices(f) == out for f in ordered):
        return chain(ordered, layout, recur)
    return Network(ordered, out, recur).solve(layout)


def in_order(factors: Sequence[Expr], recur: Recur) -> list[Expr]:
    """Factors as the forward equations order them; else adjoints, entries, functions, sums, and ``1
    - h`` after ``h``.
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
        if isinstance(f, Add) and _reversed(f, recur):
            f, coefficient = -f, -coefficient
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
    signs = [1 if not a.could_extract_minus_sign() else -1 for a in f.args]
    if known is not None:
        return all(s == -sign for s, (_, sign) in zip(signs, known, strict=True))
    constant = f.as_coeff_Add()[0]
    return (bool(constant.is_negative) and any(s > 0 for s in signs)) or all(s < 0 for s in signs)


def _turnable(f: Add) -> bool:
    signs = {a.could_extract_minus_sign() for a in f.args}
    return len(signs) == 2 and f.as_coeff_Add()[0] == 0


def scaled(coefficient: Expr, above: list[Form], below: list[Form], core: Form | None) -> Form:
    """``p / q · scalars · core / scalars``; a sum that is divided by its extents becomes a mean."""
    if core is not None:
        core, below = as_mean(core, below)
    else:
        for k, f in enumerate(above):
            above[k], below = as_mean(f, below)
    p, q = coefficient.as_numer_denom()
    under = ([number(q)] if q != 1 else []) + below
    front = list(above)
    magnitude = abs(p)
    if magnitude != 1 or (core is None and not front):
        front.insert(0, number(magnitude))
    divided_in_front = (
        core is not None and len(front) == 1 and not above and bool(under) and magnitude != 1
    )
    out = multiplied(front)
    if divided_in_front and out is not None:
        out = divided(out, under)
    if core is not None:
        out = core if out is None else times(out, core)
    if out is None:
        raise AssertionError("a product without factors has its coefficient in front")
    if p < 0:
        out = negated(out)
    return out if divided_in_front else divided(out, under)
