"""Lifting what is entry by entry: entries themselves, numbers and extents, functions, powers,
comparisons, deltas.

Each rule answers in the asked layout or gives None; transposes and new axes are added by the caller
at their price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sympy import Expr, Integer, Number, Pow, Rational, Symbol
from sympy.core.numbers import Infinity, Pi

from symbackprop.ir import array_terms, terms
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexProduct,
    Where,
    free_indices,
)
from symbackprop.ir.terms import Term
from symbackprop.matrix.lift_forms import (
    Form,
    Layout,
    Recur,
    build,
    form,
    indices_in,
    natural,
    number,
    restrict,
)
from symbackprop.matrix.lift_reductions import over_orders


def children(parts: Sequence[Expr], layout: Layout, recur: Recur) -> list[Form] | None:
    """Each part in the layout restricted to its own indices; None if one has no form."""
    found = []
    for part in parts:
        f = recur.get(part, restrict(layout, free_indices(part)))
        if f is None:
            return None
        found.append(f)
    return found


def elementwise(
    make: Callable[..., Term], parts: Sequence[Expr], layout: Layout, recur: Recur
) -> Form | None:
    found = children(parts, layout, recur)
    return None if found is None else build(make, *found)


@natural.register
def _(e: Number, layout: Layout, recur: Recur) -> Form | None:
    if not isinstance(e, Rational):
        return None
    if isinstance(e, Integer):
        return number(e)
    return build(terms.div, number(e.p), number(e.q))


@natural.register(Pi)
def _(e: Pi, layout: Layout, recur: Recur) -> Form | None:
    return form(terms.constant("pi"))


@natural.register(Infinity)
def _(e: Infinity, layout: Layout, recur: Recur) -> Form | None:
    return form(terms.constant("inf"))


@natural.register
def _(e: Symbol, layout: Layout, recur: Recur) -> Form | None:
    return form(terms.dim(e))


@natural.register
def _(e: FloorDiv, layout: Layout, recur: Recur) -> Form | None:
    return None if free_indices(e) else form(terms.dim(e))


@natural.register
def _(e: Index, layout: Layout, recur: Recur) -> Form | None:
    return None


@natural.register
def _(e: Entry, layout: Layout, recur: Recur) -> Form | None:
    """``X[n,d] → X``, ``X[n,n] → diag(X)``, ``mu[n,0] → mu`` (a column as it stands) or ``mu[:,
    0]``.
    """
    leaf = recur.leaf(e.name, e.indices)
    if all(isinstance(i, Index) for i in e.indices):
        if e.indices == layout or (e.indices[::-1] == layout and recur.is_symmetric(e.name)):
            return form(leaf)
        if layout == e.indices[:1] and e.indices == e.indices[:1] * 2:
            return build(terms.diag, form(leaf))
        return permuted(form(leaf), e.indices, layout) if len(layout) > 2 else None
    if not all(isinstance(i, Index | Integer) for i in e.indices):
        return None
    own = tuple(i if isinstance(i, Index) else None for i in e.indices)
    if own == layout and all(leaf.shape[k] == 1 for k, i in enumerate(own) if i is None):
        return form(leaf)
    if tuple(i for i in own if i is not None) != layout:
        return None
    return form(
        terms.index(leaf, tuple(slice(None) if isinstance(i, Index) else i for i in e.indices)),
        form(leaf),
    )


def permuted(f: Form, own: Layout, layout: Layout) -> Form | None:
    """``swap(X, 0, 2)``: axes exchanged until they stand in the order of ``layout``."""
    if len(set(own)) < len(own) or sorted(map(str, own)) != sorted(map(str, layout)):
        return None
    at = list(own)
    for axis, i in enumerate(layout):
        other = at.index(i)
        if other != axis:
            f = build(lambda t, p=axis, q=other: array_terms.swap(t, p, q), f)
            at[axis], at[other] = at[other], at[axis]
    return f


@natural.register
def _(e: Delta, layout: Layout, recur: Recur) -> Form | None:
    """``δ(i,j) → eye(n)``."""
    a, b = e.args
    if not (isinstance(a, Index) and isinstance(b, Index)) or layout not in ((a, b), (b, a)):
        return None
    rows, columns = (a, b) if layout == (a, b) else (b, a)
    return form(terms.eye(rows.extent, columns.extent))


@natural.register
def _(e: Apply, layout: Layout, recur: Recur) -> Form | None:
    return elementwise(lambda *u: terms.apply(e.name, *u), e.operands, layout, recur)


@natural.register
def _(e: Compare, layout: Layout, recur: Recur) -> Form | None:
    _, a, b = e.args
    return elementwise(partial(terms.compare, e.op), (a, b), layout, recur)


@natural.register
def _(e: Where, layout: Layout, recur: Recur) -> Form | None:
    return elementwise(terms.where, e.args, layout, recur)


@natural.register
def _(e: Pow, layout: Layout, recur: Recur) -> Form | None:
    """``x**(1/2) → sqrt(x)``, ``x**(-k) → 1 / x**k``, ``x**(3/2) → sqrt(x)**3``."""
    base, exponent = e.as_base_exp()
    if isinstance(exponent, Rational):
        if exponent < 0:
            below = positive_power(base, -exponent, layout, recur)
            return None if below is None else build(terms.div, number(1), below)
        return positive_power(base, exponent, layout, recur)
    return elementwise(terms.power, (base, exponent), layout, recur)


def positive_power(base: Expr, exponent: Rational, layout: Layout, recur: Recur) -> Form | None:
    """``base ** exponent`` for an exponent above 0."""
    f = recur.get(base, layout)
    if f is None or exponent == 1:
        return f
    if exponent.q == 2:
        f = build(lambda u: terms.apply("sqrt", u), f)
        exponent = Integer(exponent.p)
    elif exponent.q != 1:
        return build(terms.power, f, build(terms.div, number(exponent.p), number(exponent.q)))
    return f if exponent == 1 else build(terms.power, f, number(exponent))


@natural.register(IndexMax)
@natural.register(IndexProduct)
def _(e: IndexMax | IndexProduct, layout: Layout, recur: Recur) -> Form | None:
    if not free_indices(e.body) >= set(e.bound):
        return None
    own = indices_in(e.body)
    return over_orders(e.word, lambda order: recur.get(e.body, order), e.bound, layout, own)
