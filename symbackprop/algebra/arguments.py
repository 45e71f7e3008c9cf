"""Functions of equal arguments: ``f(u) → f(v)`` where u and v are the same rational function.

The last resort of a proof, for functions of which nothing is known but that equal arguments give
equal values; maxima over one range, roots and steps are taken in the same way.
"""

from __future__ import annotations

from itertools import combinations

from sympy import Expr, Pow

from symbackprop.algebra.context import Context
from symbackprop.algebra.elementary import to_elementary
from symbackprop.algebra.expand import expand
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.rational import vanishing
from symbackprop.ir.expressions import Apply, Entry, Index, IndexMax, free_indices
from symbackprop.ir.ordering import order_key

PAIR_LIMIT = 40


def unify_arguments(e: Expr, context: Context) -> Expr:
    """``e`` with functions of equal arguments made the same, inner ones first."""
    tried = 0
    settled: set[tuple[Expr, Expr]] = set()
    while tried < PAIR_LIMIT:
        pair = next((p for p in _pairs(e) if p not in settled), None)
        if pair is None:
            break
        settled.add(pair)
        tried += 1
        first, second = pair
        u, v = (
            x.body if isinstance(x, IndexMax) else x.base if isinstance(x, Pow) else x.args[1]
            for x in pair
        )
        difference = expand(to_elementary(u - v, context), context)
        if vanishing(difference, context) == 0:
            e = _replaced(e, second, first)
    return normalise(e, context)


def _pairs(e: Expr) -> list[tuple[Expr, Expr]]:
    """Pairs of one function with different arguments over the same indices, small ones first."""
    groups: dict[tuple[object, ...], list[Expr]] = {}
    for x in sorted(e.atoms(Apply, IndexMax, Pow), key=lambda x: (len(order_key(x)), order_key(x))):
        if isinstance(x, Pow) and x.exp.is_Integer:
            continue
        if isinstance(x, Apply) and len(x.operands) != 1:
            continue
        kind = x.name if isinstance(x, Apply) else x.bound if isinstance(x, IndexMax) else x.exp
        groups.setdefault((type(x).__name__, kind, free_indices(x)), []).append(x)
    return [pair for group in groups.values() for pair in combinations(group, 2)]


def _replaced(e: Expr, old: Expr, new: Expr) -> Expr:
    """``e`` with one subexpression in place of an equal one over the same indices."""
    if e == old:
        return new
    if not e.args or isinstance(e, Entry | Index):
        return e
    return e.func(*(_replaced(a, old, new) if a.args else a for a in e.args))
