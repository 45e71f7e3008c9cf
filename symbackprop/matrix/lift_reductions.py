"""Chains entry by entry, and reductions over some axes of what a smaller expression gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

from sympy import Expr, Integer, Pow

from symbackprop.ir import terms
from symbackprop.ir.expressions import Index
from symbackprop.matrix.lift_arithmetic import divided, times
from symbackprop.matrix.lift_forms import (
    Form,
    Layout,
    Recur,
    axes_asked,
    best,
    build,
    number,
    reduced,
)

Get = Callable[[Layout], Form | None]


def orders(bound: Sequence[Index], layout: Layout) -> Iterator[Layout]:
    """Layouts over the indices of ``layout`` and ``bound`` from which a reduction over ``bound``
    leaves ``layout``.
    """
    if None in layout:
        holes = [k for k, i in enumerate(layout) if i is None]
        if len(holes) == len(bound):
            for chosen in permutations(bound):
                filled = list(layout)
                for k, i in zip(holes, chosen, strict=True):
                    filled[k] = i
                yield tuple(filled)
        return
    if len(bound) > 1 and len(layout) + len(bound) > 2:
        yield (*layout, *bound)
        yield (*bound, *layout)
        return
    found: list[Layout] = [layout]
    for b in bound:
        found = [(*o[:k], b, *o[k:]) for o in found for k in range(len(o), -1, -1)]
    yield from found


def over_orders(
    op: str, body: Get, bound: Sequence[Index], layout: Layout, own: Layout = ()
) -> Form | None:
    """The cheapest reduction ``op`` of what ``body`` gives in any order that leaves ``layout``;
    ``own`` is the order in which the indices stand in the body.
    """
    found = []
    tried = list(orders(bound, layout))
    left = tuple(i for i in own if i not in bound)
    if own not in tried and left == axes_asked(layout) and len(own) == len(left) + len(bound):
        tried.append(own)
    for order in tried:
        f = body(order)
        found.append(None if f is None else reduced(op, f, order, layout))
    return best(found)


def chain(factors: Sequence[Expr], layout: Layout, recur: Recur) -> Form | None:
    """``a * b / c`` of factors that all carry the indices of ``layout``, in their written order."""
    above: Form | None = None
    below: list[Form] = []
    for factor in factors:
        inverse = is_divisor(factor)
        f = recur.get(1 / factor if inverse else factor, layout)
        if f is None:
            return None
        if inverse:
            below.append(f)
        else:
            above = f if above is None else times(above, f)
    if not below:
        return above
    return divided(number(1) if above is None else above, below)


def is_divisor(e: Expr) -> bool:
    return isinstance(e, Pow) and e.exp.is_Rational is True and e.exp.is_negative is True


def inner_product(group: Sequence[Expr], layout: Layout, recur: Recur) -> Form | None:
    """``Σ_k a_k b_k c_k → (a * b) @ c`` and ``Σ_k a_k² → a @ a``."""
    factors: list[Expr] = []
    for f in group:
        even = isinstance(f, Pow) and isinstance(f.exp, Integer) and f.exp > 0 and f.exp % 2 == 0
        factors += [f.base ** (f.exp / 2)] * 2 if even else [f]
    above = [f for f in factors if not is_divisor(f)]
    if len(above) < 2:
        return None
    last = above[-1]
    rest = [*above[:-1], *(f for f in factors if is_divisor(f))]
    a, b = chain(rest, layout, recur), recur.get(last, layout)
    return None if a is None or b is None else build(terms.matmul, a, b)
