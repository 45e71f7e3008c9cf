"""What must be ≥ 0 wherever both sides of an identity are defined.

``log(u)`` and ``sqrt(u)`` that stand unconditionally on a side say that u ≥ 0 there: not under
a ``where``, nor beside an indicator that may be 0. Under a sum they say it for every value of the
bound indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Basic, Expr, Mul, Pow

from symbackprop.algebra.context import Context
from symbackprop.algebra.fold import match
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.signs import is_indicator
from symbackprop.ir.expressions import Apply, Entry, Index, IndexMax, IndexProduct, IndexSum, Where
from symbackprop.ir.ordering import skeleton

Region = dict[str, list[tuple[Expr, frozenset[Index]]]]


def known_nonnegative(sides: tuple[Expr, ...], context: Context) -> Callable[[Expr], bool] | None:
    """A test of what is ≥ 0 wherever all ``sides`` are defined; None if they say nothing of it."""
    region: Region = {}
    for side in sides:
        for u, bound in _arguments(side, frozenset()):
            for part in {u, normalise(u, context)}:
                region.setdefault(skeleton(part), []).append((part, bound))
    if not region:
        return None

    def holds(e: Expr) -> bool:
        stated = region.get(skeleton(e), ())
        return any(next(match(u, e, bound, {}), None) is not None for u, bound in stated)

    return holds


def _arguments(e: Basic, bound: frozenset[Index]) -> Iterator[tuple[Expr, frozenset[Index]]]:
    """Arguments of unconditional logarithms and even roots, with the indices bound around them."""
    if isinstance(e, Apply) and e.name == "log":
        yield e.operands[0], bound
    if isinstance(e, Pow) and e.exp.is_Rational and e.exp.q % 2 == 0:
        yield e.base, bound
    if isinstance(e, Where):
        yield from _arguments(e.args[0], bound)
        return
    if isinstance(e, Entry) or (isinstance(e, Mul) and any(is_indicator(f) for f in e.args)):
        return
    if isinstance(e, IndexSum | IndexMax | IndexProduct):
        bound |= frozenset(e.bound)
    for a in e.args:
        if a.args:
            yield from _arguments(a, bound)
