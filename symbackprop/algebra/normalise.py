"""The working form: δ collapsed, sums split and hoisted, bound indices named by height, known
quantities folded.

``normalise`` takes any index expression and gives an equal one in which equal sums are identical
objects, so that SymPy's ``Add`` collects by itself. Products are left unexpanded: the expanded
form, for proofs, is :mod:`symbackprop.algebra.expand`.
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul, Number, Symbol

from symbackprop.algebra.context import Context
from symbackprop.algebra.fold import fold
from symbackprop.algebra.naming import name_bound
from symbackprop.algebra.products import Product, collapse
from symbackprop.algebra.settled import settled
from symbackprop.ir.expressions import (
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexProduct,
    InRange,
    MatrixFunction,
    Modulo,
    Where,
    substitute,
)

SINGLE = (Entry, MatrixFunction, InRange, FloorDiv, Modulo)


def normalise(e: Expr, context: Context) -> Expr:
    """The working form of ``e`` under the facts and patterns of ``context``."""
    known = context.memo.get(e)
    if known is None:
        context.spend(1)
        known = _normalise(e, context)
        context.memo[e] = known
        context.memo[known] = known
    return known


def _normalise(e: Expr, context: Context) -> Expr:
    if isinstance(e, Number | Symbol) or not e.args:
        return e
    if isinstance(e, SINGLE):
        return settled(e, context)
    if isinstance(e, Add):
        return _sum_of_terms(e, context)
    if isinstance(e, Where):
        settled_where = _where(*(normalise(a, context) for a in e.args))
        return (
            settled_where if isinstance(settled_where, Where) else normalise(settled_where, context)
        )
    if isinstance(e, Compare):
        sides = (_window_maximum(normalise(a, context), context) for a in e.args[1:])
        return settled(Compare(e.args[0], *sides), context)
    if isinstance(e, IndexMax | IndexProduct):
        return _other_binder(e, context)
    return collapse(Product.of(e), context, normalise)


def _window_maximum(e: Expr, context: Context) -> Expr:
    """A maximum over a window by its name: it has no short formula, as one over an axis has."""
    if not isinstance(e, IndexMax) or not context.folding:
        return e
    places = (i for entry in e.body.atoms(Entry) for i in entry.indices)
    if all(isinstance(i, Index) or i.is_Integer for i in places):
        return e
    factors: list[Expr] = [e]
    fold(factors, context)
    return Mul(*factors)


def _sum_of_terms(e: Add, context: Context) -> Expr:
    total = Add(*(normalise(a, context) for a in e.args))
    return (
        collapse(Product.of(total), context, normalise)
        if isinstance(total, Add) and context.folding
        else total
    )


def _where(c: Expr, a: Expr, b: Expr) -> Expr:
    """``where(c, a, b)`` with a constant condition or equal branches settled, and common deltas
    drawn out.
    """
    if a == b or c == 1:
        return a
    if c == 0:
        return b
    common = [f for f in Mul.make_args(a) if isinstance(f, Delta) and f in Mul.make_args(b)]
    if b == 0:
        common = [f for f in Mul.make_args(a) if isinstance(f, Delta)]
    elif a == 0:
        common = [f for f in Mul.make_args(b) if isinstance(f, Delta)]
    if common:
        ones = dict.fromkeys(common, Integer(1))
        strip = lambda x: Mul(*(f for f in Mul.make_args(x) if f not in ones))  # noqa: E731
        return Mul(*common, _where(c, strip(a) if a != 0 else a, strip(b) if b != 0 else b))
    return Where(c, a, b)


def _other_binder(e: Expr, context: Context) -> Expr:
    """``max`` and ``prod``: the body normalised, bound indices named by height."""
    context.depth += 1
    bound = tuple(Index(f"_t{context.depth}_{k}", i.extent) for k, i in enumerate(e.bound))
    body = normalise(substitute(e.body, dict(zip(e.bound, bound, strict=True))), context)
    context.depth -= 1
    return name_bound(e.func, [body], list(bound), context)
