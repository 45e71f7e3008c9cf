r"""Over what the letters below a ``Σ`` run, where more than a number stands there.

``\sum_{k=\max(1,\,l-T+1)}^{\min(K,\,l)}``, ``\max_{1 \le u \le 2}``, ``\sum_{m=i}^{i+K-1}``: a part
of the range of a letter is an indicator in the body; a letter that stands only in places (see
:mod:`symbackprop.checking.places`) runs over what its bounds say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Integer, expand

from symbackprop.checking.places import value_of
from symbackprop.checking.readings import OPEN, Reading, Unreadable
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.ir.affine import bounds, nonnegative
from symbackprop.ir.expressions import Compare, Index, InRange, free_indices, substitute
from symbackprop.notation.written import Call, Name, Node, Number, Relation

UPWARDS = {"<=": 0, "<": 1}  # how much the side that is greater exceeds the other at least


@dataclass(frozen=True, slots=True)
class Limits:
    """What is said of a letter: its first and its last value, with what a strict sign adds."""

    first: Node | None = None
    last: Node | None = None
    above_first: int = 0
    below_last: int = 0


def limits_of(relation: Relation) -> tuple[str, Limits] | None:
    """The letter of ``1 ≤ u ≤ R``, ``u < R`` or ``m = i`` and its limits; None if it is another
    relation.
    """
    members, signs = relation.members, relation.relations
    if signs == ("=",) and is_letter(members[0]) and not isinstance(members[1], Number):
        return item_text(members[0]), Limits(first=members[1])
    if not all(s in UPWARDS for s in signs):
        return None
    steps = [UPWARDS[s] for s in signs]
    if len(members) == 3 and is_letter(members[1]):
        return item_text(members[1]), Limits(members[0], members[2], *steps)
    if len(members) == 2 and is_letter(members[0]):
        return item_text(members[0]), Limits(last=members[1], below_last=steps[0])
    return None


def over_limits(
    r: Reading, index: Index, limits: Limits, base: int, node: Node, scope: Scope
) -> tuple[Reading, Index, Expr]:
    """The body of a sum (or maximum) over ``index`` within its limits: the reading, the index
    whose extent is known, and the indicator of the part over which it runs.
    """
    lows = [v + limits.above_first for v in _values(limits.first, "max", node, scope)]
    highs = [v - limits.below_last for v in _values(limits.last, "min", node, scope)]
    if index.extent != OPEN:
        return r, index, _part(index, base, lows, highs)
    first = lows[0] if lows else Integer(base)
    if len(lows) > 1 or len(highs) != 1 or free_indices(first) or free_indices(highs[0]):
        raise Unreadable("notation", f"over what {index.name} runs is not said", node)
    known = Index(index.name, expand(highs[0] - first + 1))
    moved = {index: expand(known + first - base)}
    return replace(r, expr=substitute(r.expr, moved)), known, Integer(1)


def _values(limit: Node | None, word: str, node: Node, scope: Scope) -> list[Expr]:
    """The values of a bound, of each argument of a ``max`` below or a ``min`` above."""
    match limit:
        case None:
            return []
        case Call(function=Name(text=text), arguments=parts) if text == word:
            pass
        case _:
            parts = (limit,)
    found = [value_of(p, scope) for p in parts]
    if any(v is None for v in found):
        raise Unreadable("notation", "this bound of a sum is not read", node)
    return [v for v in found if v is not None]


def _part(index: Index, base: int, lows: list[Expr], highs: list[Expr]) -> Expr:
    """The indicator of ``max(lows) ≤ value ≤ min(highs)``, as ``[0 ≤ e < n]`` where two bounds are
    a fixed number of places apart.
    """
    value, first, last = index + base, Integer(base), index.extent + base - 1
    lows = [e for e in lows if not _never_less(first, e)]
    highs = [e for e in highs if not _never_less(e, last)]
    out: Expr = Integer(1)
    for low in lows:
        width, high = next(
            ((w, h) for h in (*highs, last) if not free_indices(w := expand(h - low + 1))),
            (None, None),
        )
        if width is None:
            out = out * Compare(">=", expand(value - low), 0)
            continue
        out = out * InRange(expand(value - low), width)
        highs = [h for h in highs if h != high]
    for high in highs:
        width = expand(high - first + 1)
        if free_indices(width):
            out = out * Compare(">=", expand(high - value), 0)
        else:
            out = out * InRange(expand(high - value), width)
    return out


def _never_less(a: Expr, b: Expr) -> bool:
    """Whether ``a ≥ b`` always."""
    own = bounds(expand(a - b))
    return own is not None and nonnegative(own[0])
