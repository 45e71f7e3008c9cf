"""Names of bound indices, so that equal sums are identical objects.

Bound indices are named ``_b{height}_{k}``: names by height are capture-free under nesting. Their
order follows from where each stands: indices are told apart by the factors that bear them, then by
the indices beside them, as the vertices of a graph are (colour refinement, Weisfeiler and Leman).
Where some are still alike, one is singled out in every way and the smallest result is taken, so
that it does not depend on the names that came in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sympy import Add, Expr, Integer, Mul, Pow, Rational, gcd

from symbackprop.algebra.context import Context
from symbackprop.algebra.settled import turned_throughout
from symbackprop.ir.expressions import Binder, Index, IndexSum, free_indices, substitute
from symbackprop.ir.ordering import order_key, skeleton

WAYS = 24  # of singling out; with more, equal sums may go unrecognised
Colours = dict[Index, int]


def name_bound(
    kind: type[Binder], factors: list[Expr], bound: list[Index], context: Context
) -> Expr:
    """``kind`` of the product of ``factors`` over ``bound`` with canonical names."""
    height = 1 + max(_height(f) for f in factors)
    best: tuple[str, Expr] | None = None
    for order in _orders(factors, bound, context):
        context.spend(len(factors))
        names = [Index(f"_b{height}_{k}", v.extent) for k, v in enumerate(order)]
        renaming = dict(zip(order, names, strict=True))
        renamed = [turned_throughout(substitute(f, renaming), context) for f in factors]
        if kind is IndexSum:
            signed = [_resigned(f) for f in renamed]
            coefficient, body = Mul(*(f for _, f in signed)).as_coeff_Mul()
            candidate = Mul(coefficient, *(c for c, _ in signed), kind(body, *names))
        else:  # a number in front of a maximum or a product is not a number inside it
            candidate = kind(Mul(*renamed), *names)
        if len(bound) == 1:
            return candidate
        key = order_key(candidate)
        if best is None or key < best[0]:
            best = (key, candidate)
    assert best is not None, "a binder binds at least one index"
    return best[1]


def _height(e: Expr) -> int:
    """Depth of nested binders in ``e``."""
    inside = max((_height(a) for a in e.args if a.args), default=0)
    return inside + 1 if isinstance(e, Binder) else inside


def _orders(factors: list[Expr], bound: list[Index], context: Context) -> Iterator[list[Index]]:
    """The orders of the bound indices that are tried: one, unless some are alike."""
    if len(bound) == 1:
        yield bound
        return
    bearers = {v: [f for f in factors if v in free_indices(f)] for v in bound}
    pending, found = [dict.fromkeys(bound, 0)], 0
    while pending and found < WAYS:
        colours = _refined(pending.pop(), bearers, context)
        alike = _alike(colours)
        if not alike:
            found += 1
            yield sorted(bound, key=lambda v: colours[v])
        for chosen in alike:
            # Even numbers keep the order of classes; the one singled out goes before its own.
            pending.append({v: 2 * c - (v == chosen) for v, c in colours.items()})


def _alike(colours: Colours) -> list[Index]:
    """The first class of more than one index."""
    classes: dict[int, list[Index]] = {}
    for v, c in colours.items():
        classes.setdefault(c, []).append(v)
    return next((classes[c] for c in sorted(classes) if len(classes[c]) > 1), [])


def _refined(colours: Colours, bearers: dict[Index, list[Expr]], context: Context) -> Colours:
    """Colours told apart by the factors around each index, until that tells no more apart."""
    extents = {v: order_key(v.extent) for v in colours}
    while True:
        # At first an index is told by where it stands itself, whatever stands beside it.
        told = len(set(colours.values())) > 1
        coloured = {v: Index(f"*{c}", v.extent) for v, c in colours.items()} if told else {}
        known = frozenset(coloured.values())
        classes = Counter((extents[v], c) for v, c in colours.items())
        keys = {
            # What is alone in its class is told by that, which is cheap: around it all is spelled.
            v: (extents[v], c, _around(v, coloured, known, bearers[v], context))
            if classes[extents[v], c] > 1
            else (extents[v], c, "")
            for v, c in colours.items()
        }
        ranks = {key: rank for rank, key in enumerate(sorted(set(keys.values())))}
        if len(ranks) in (len(set(colours.values())), len(colours)):
            return {v: ranks[key] for v, key in keys.items()}
        colours = {v: ranks[key] for v, key in keys.items()}


def _around(
    v: Index,
    coloured: dict[Index, Index],
    known: frozenset[Index],
    bearers: list[Expr],
    context: Context,
) -> str:
    """The factors that bear an index, by which it is told apart from those of its class."""
    star = Index("*", v.extent)
    renaming = {**coloured, v: star}
    marks = known | {star}
    context.spend(1)
    around = (
        _unsigned_skeleton(turned_throughout(substitute(f, renaming), context), marks)
        for f in bearers
    )
    return ";".join(sorted(around))


def _unsigned_skeleton(f: Expr, bound: frozenset[Index]) -> str:
    """The skeleton of a factor, the same for ``a - b`` and ``b - a``: a renaming may yet turn its
    sign.
    """
    base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
    if not isinstance(base, Add):
        return skeleton(f, bound)
    turned = Add(*(-t for t in base.args))
    return f"{min(skeleton(base, bound), skeleton(turned, bound))}^{exponent}"


def _resigned(f: Expr) -> tuple[Expr, Expr]:
    """Sign and factor, a sum in it with its canonical sign again after a renaming.

    The two stay apart: SymPy multiplies a number into a sum at once.
    """
    base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
    if isinstance(base, Add) and exponent.is_Integer:
        content, inner = primitive(base)
        if content == -1:
            return content**exponent, Pow(inner, exponent)
    return Integer(1), f


def primitive(e: Add) -> tuple[Expr, Expr]:
    """Content and primitive part of a sum: no common rational factor, and the first term (by order)
    is positive.

    Terms are compared by skeleton first, so that the sign does not depend on how bound indices
    happen to be named.
    """
    coefficients = [t.as_coeff_Mul()[0] for t in e.args]
    rationals = [c for c in coefficients if isinstance(c, Rational)]
    content: Expr = gcd(rationals) if len(rationals) == len(coefficients) else Integer(1)
    if content == 0:
        content = Integer(1)
    lead = min(
        e.args, key=lambda t: (skeleton(t.as_coeff_Mul()[1]), order_key(t.as_coeff_Mul()[1]))
    )
    if lead.as_coeff_Mul()[0].is_negative:
        content = -content
    return content, (e if content == 1 else Add(*(t / content for t in e.args)))
