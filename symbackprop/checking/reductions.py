"""Sums over axes of an array, and what is made with them: lengths, sums of exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, Integer, Pow, Rational

from symbackprop.checking.readings import Reading, array, position
from symbackprop.ir.expressions import Apply, Index, IndexSum, substitute


def reduced(r: Reading, over: Sequence[int], keep: bool = False, mean: bool = False) -> Reading:
    """The sum (or mean) over positional axes."""
    bound = tuple(Index(f"_s{k}", r.axes[k].extent) for k in over)
    body = substitute(r.expr, dict(zip((r.axes[k] for k in over), bound, strict=True)))
    total = IndexSum(body, *bound) if bound else body
    if mean:
        for b in bound:
            total = total / b.extent
    one = position(9, Integer(1))
    axes = [a for k, a in enumerate(r.axes) if k not in over or keep]
    axes = [one if keep and r.axes.index(a) in over else a for a in axes]
    return array(total, axes, cost=r.cost, notes=r.notes, guessed=r.guessed)


def normed(r: Reading) -> Reading:
    """The root of the sum of squares of all entries."""
    total = reduced(replace(r, expr=r.expr**2), tuple(range(r.rank)))
    return replace(total, expr=Pow(total.expr, Rational(1, 2)))


def summed_exponentials(r: Reading) -> Expr:
    k = Index("_k", r.axes[-1].extent)
    return IndexSum(Apply("exp", substitute(r.expr, {r.axes[-1]: k})), k)
