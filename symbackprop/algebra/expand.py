"""The expanded form, for proofs: every product distributed over sums, at every level, under every
Σ.

It is kept apart from the working form: presentation wants products left alone. Expansion is capped,
since a person's formula never needs thousands of terms and a search must be cut short somewhere.
"""

from __future__ import annotations

from itertools import product as cartesian

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.algebra.context import Context, TooLarge
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    Where,
    substitute,
)

TERM_LIMIT = 4000


def expand(e: Expr, context: Context) -> Expr:
    """``e`` as a sum of products, by distributivity and linearity of Σ alone; value is preserved.

    Raises
    ------
    TooLarge
        If more than ``TERM_LIMIT`` terms arise.
    """
    known = context.wide.get(e)
    if known is None:
        known = context.wide[e] = _expanded(e, context)
        context.wide[known] = known
    return known


def _expanded(e: Expr, context: Context) -> Expr:
    pending, done = [normalise(e, context)], []
    count = 0
    while pending:
        term = pending.pop()
        count += 1
        context.spend(1)
        if count > TERM_LIMIT:
            raise TooLarge
        if isinstance(term, Add):
            pending.extend(term.args)
            continue
        inner = _inside(term, context)
        if inner != term:
            pending.append(normalise(inner, context))
            continue
        distributed = _distribute(term)
        if distributed is None:
            done.append(term)
        else:
            if len(pending) + len(distributed) > TERM_LIMIT:
                raise TooLarge
            pending.extend(normalise(t, context) for t in distributed)
    return Add(*done)


def _inside(e: Expr, context: Context) -> Expr:
    """Expand what stands under functions, denominators and maxima; products and sums are left to
    the caller.
    """
    if isinstance(e, Mul | IndexSum):
        return e.func(*(_inside(a, context) if not isinstance(a, Index) else a for a in e.args))
    if isinstance(e, Add):
        return e
    if isinstance(e, Pow):
        base = expand(e.base, context) if e.base.args and not _is_plain(e.base) else e.base
        return Pow(base, e.exp)
    if isinstance(e, Apply | Compare):
        return e.func(e.args[0], *(expand(a, context) if a.args else a for a in e.args[1:]))
    if isinstance(e, Where):
        return Where(*(expand(a, context) if a.args else a for a in e.args))
    if isinstance(e, IndexMax | IndexProduct):
        return e.func(expand(e.body, context), *e.bound)
    return e


def _is_plain(e: Expr) -> bool:
    return not e.args or isinstance(e, Index)


def _factors(e: Expr, depth: int) -> tuple[list[Expr], list[Index]]:
    """Factors of a product with the bound indices of its sums, renamed apart."""
    factors: list[Expr] = []
    bound: list[Index] = []
    for f in Mul.make_args(e):
        copies = 1
        if (
            isinstance(f, Pow)
            and f.exp.is_Integer
            and f.exp > 1
            and isinstance(f.base, IndexSum | Add)
        ):
            f, copies = f.base, int(f.exp)
        for _ in range(copies):
            if isinstance(f, IndexSum):
                fresh = {
                    i: Index(f"_e{depth}_{len(bound) + k}", i.extent) for k, i in enumerate(f.bound)
                }
                bound.extend(fresh.values())
                inner, deeper = _factors(substitute(f.body, fresh), depth + 1)
                factors.extend(inner)
                bound.extend(deeper)
            else:
                factors.append(f)
    return factors, bound


def flat_factors(e: Expr) -> tuple[list[Expr], list[Index]]:
    """The factors of a term with all its sums opened, and their bound indices, renamed apart."""
    return _factors(e, 0)


def _distribute(e: Expr) -> list[Expr] | None:
    """The terms of a product with an Add among its factors, or None if there is none."""
    factors, bound = _factors(e, 0)
    if not any(isinstance(f, Add) for f in factors):
        return None
    choices = [f.args if isinstance(f, Add) else (f,) for f in factors]
    total = 1
    for c in choices:
        total *= len(c)
        if total > TERM_LIMIT:
            raise TooLarge
    return [IndexSum(Mul(*pick), *bound) if bound else Mul(*pick) for pick in cartesian(*choices)]


def numerator(e: Expr, context: Context) -> Expr:
    """The numerator of ``e`` over the common denominator of its terms, expanded.

    Denominators are taken as they stand (a sum that has been expanded is one factor): the product
    of the highest negative powers met, over all terms, is multiplied through. ``e`` is zero
    wherever it is defined iff this is.
    """
    worst: dict[Expr, Expr] = {}
    for term in Add.make_args(e):
        for f in Mul.make_args(term):
            base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
            if exponent.is_Rational and exponent < worst.get(base, 0):
                worst[base] = exponent
    if not worst:
        return e
    clear = Mul(*(Pow(b, -x) for b, x in worst.items()))
    return expand(Add(*(_times(term, clear) for term in Add.make_args(e))), context)


def _times(term: Expr, clear: Expr) -> Expr:
    return Mul(*Mul.make_args(term), *Mul.make_args(clear))


__all__ = ["TERM_LIMIT", "TooLarge", "expand", "flat_factors", "numerator"]
