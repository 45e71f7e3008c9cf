"""Sums over axes of an array, and what is made with them: norms, logsumexp.

``ALONG`` is a table: the name of a function, what is made of every entry, what is made of the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import Expr, Integer, Pow, Rational

from symbackprop.checking.readings import Reading, Readings, Unreadable, array, position
from symbackprop.ir.expressions import Apply, Index, IndexSum, substitute
from symbackprop.notation.written import Name, Node, Number


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


def told_axes(items: Sequence[Node]) -> tuple[int, ...]:
    r"""The axes in ``\operatorname{logsumexp}_{\mathrm{axis}\,0,1}``, counted from 0."""
    if len(items) < 2 or not isinstance(items[0], Name) or items[0].text != "axis":
        return ()
    numbers = [i.text for i in items[1:] if isinstance(i, Number) and i.text.isdigit()]
    return tuple(map(int, numbers)) if len(numbers) == len(items) - 1 else ()


def along(name: str, axes: tuple[int, ...], readings: Readings, node: Node) -> Readings:
    """A sum over some axes of what is made of every entry, and what is made of the sum."""
    inside, outside = ALONG[name]
    found = [r for r in readings if max(axes) < r.rank]
    if not found or len(set(axes)) < len(axes):
        raise Unreadable("shape", "an axis that the array does not have", node)
    sums = (reduced(replace(r, expr=inside(r.expr)), axes) for r in found)
    return tuple(replace(r, expr=outside(r.expr)) for r in sums)


# fmt: off
ALONG: dict[str, tuple[Callable[[Expr], Expr], Callable[[Expr], Expr]]] = {
    "sum":       (lambda u: u, lambda s: s),
    "norm2":     (lambda u: u**2, lambda s: Pow(s, Rational(1, 2))),
    "logsumexp": (lambda u: Apply("exp", u), lambda s: Apply("log", s)),
}
# fmt: on
