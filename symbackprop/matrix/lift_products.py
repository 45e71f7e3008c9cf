"""Lifting products and sums of products: scalars in front, divisors behind, arrays as a network.

``2 / N * H.T @ r``, ``c * A @ x / s``, ``mean(R, axis=0)`` for a sum that is divided by its extent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Mul

from symbackprop.ir.expressions import (
    Index,
    IndexSum,
    free_indices,
    fresh_index,
    substitute,
)
from symbackprop.matrix.lift_arithmetic import as_mean, divided, multiplied, negated, times
from symbackprop.matrix.lift_factors import in_order, oriented
from symbackprop.matrix.lift_forms import Form, Layout, Recur, natural, number
from symbackprop.matrix.lift_networks import Network
from symbackprop.matrix.lift_reductions import chain, is_divisor

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
    coefficient *= Mul(*(f for f in factors if f.is_Rational))
    factors = [f for f in factors if not f.is_Rational]
    above: list[Form] = []
    below: list[Form] = []
    arrays: list[Expr] = []
    for component in components(in_order(factors, recur), bound):
        if isinstance(component, Expr):
            arrays.append(component)
            continue
        f = component.lifted(recur)
        if f is None:
            return None
        (below if component.divides else above).append(f)
    core = network(arrays, bound, layout, recur) if arrays else None
    if arrays and core is None:
        return None
    return scaled(coefficient, above, below, core)


@dataclass(frozen=True, slots=True)
class Scalar:
    """Factors of a product that make a number: one without indices, or some summed over all."""

    factors: tuple[Expr, ...]
    summed: bool

    @property
    def divides(self) -> bool:
        return not self.summed and is_divisor(self.factors[0])

    def lifted(self, recur: Recur) -> Form | None:
        """The form of the number, or of what it divides by."""
        if self.summed:
            return Network(in_order(self.factors, recur), (), recur).solve(())
        (factor,) = self.factors
        return recur.get(1 / factor if self.divides else factor, ())


def components(factors: Sequence[Expr], bound: Sequence[Index]) -> list[Expr | Scalar]:
    """Array factors as they stand, and the numbers that the other factors make."""
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
    out: list[Expr | Scalar] = []
    for shared, members in groups:
        if all(free_indices(f) <= inside for f in members):
            out.append(Scalar(tuple(members), bool(shared)))
        else:
            out.extend(members)
    return out


def network(
    arrays: Sequence[Expr], bound: Sequence[Index], layout: Layout, recur: Recur
) -> Form | None:
    """The arrays: a chain entry by entry where all carry the layout's indices, else a network."""
    ordered = in_order(arrays, recur)
    out = frozenset(i for i in layout if i is not None)
    if not bound and all(free_indices(f) == out for f in ordered):
        return chain(ordered, layout, recur)
    return Network(ordered, out, recur).solve(layout)


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
