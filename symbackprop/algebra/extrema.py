"""Maxima and products over an index: what does not depend on the index is drawn out.

* ``max_i max_j u_ij = max_{i,j} u_ij``
* ``max_i (a + u_i) = a + max_i u_i``; ``max_i (c u_i) = c max_i u_i`` for c ≥ 0
* ``Π_i (a u_i^k) = a^n (Π_i u_i)^k`` for n values of i and a whole number k
"""

from __future__ import annotations

from functools import singledispatch

from sympy import Add, Expr, Mul, Pow

from symbackprop.algebra.atoms import base_and_exponent
from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.algebra.expand import expand
from symbackprop.algebra.naming import primitive
from symbackprop.ir.expressions import Entry, Index, IndexMax, IndexProduct, free_indices


def draw_out_of_extrema(e: Expr, context: Context) -> Expr:
    """``e`` with constants drawn out of its maxima and products, at every depth."""
    if not e.args or isinstance(e, Entry | Index) or not e.has(IndexMax, IndexProduct):
        return e
    inner: Expr = e.func(*(draw_out_of_extrema(a, context) if a.args else a for a in e.args))
    return _draw_out(inner, context)


@singledispatch
def _draw_out(e: Expr, context: Context) -> Expr:
    return e


@_draw_out.register
def _max(e: IndexMax, context: Context) -> Expr:
    if isinstance(e.body, IndexMax) and not set(e.bound) & set(e.body.bound):
        e = IndexMax(e.body.body, *e.bound, *e.body.bound)
    bound = frozenset(e.bound)
    body = expand(e.body, context)
    fixed = Add(*(t for t in Add.make_args(body) if not free_indices(t) & bound))
    body = body - fixed
    content = primitive(body)[0] if isinstance(body, Add) else body.as_coeff_Mul()[0]
    common = {abs(content)} if content.is_Rational else set()
    rows = [set(Mul.make_args(t)) for t in Add.make_args(body)]
    for f in set.intersection(*rows):
        if not free_indices(f) & bound and is_nonnegative(f, context) and not f.is_Number:
            common.add(f)
    scale = Mul(*common)
    if body == 0:
        return fixed
    body = expand(Add(*(t / scale for t in Add.make_args(body))), context)
    if not free_indices(body) & bound:
        return fixed + scale * body
    live = tuple(i for i in e.bound if i in free_indices(body))
    return fixed + scale * IndexMax(body, *live)


@_draw_out.register
def _product(e: IndexProduct, context: Context) -> Expr:
    bound = frozenset(e.bound)
    count = Mul(*(i.extent for i in e.bound))
    out = []
    for f in Mul.make_args(e.body):
        base, exponent = base_and_exponent(f)
        if not free_indices(f) & bound:
            out.append(Pow(f, count))
        elif exponent.is_Integer:
            out.append(Pow(IndexProduct(base, *e.bound), exponent))
        else:
            out.append(IndexProduct(f, *e.bound))
    return Mul(*out)
