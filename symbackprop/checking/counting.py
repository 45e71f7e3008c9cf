r"""What a document leaves to convention about places and stars: whether letters count from 1 or
from 0 (``x_{i+k-1}``, ``x_{i+k}``), and whether a star between arrays flips the kernel.

Both are found out by values: that convention is taken under which fewest lines are wrong, and it is
one for the whole document. Where it made no difference there is nothing to find out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Big, Node, Number, Relation, Script, Terms, walk


@dataclass(frozen=True, slots=True)
class Counting:
    """From where letters count, and whether a star means convolution."""

    base: int = 1
    flipped: bool = False


def usual_counting(statements: Sequence[Statement]) -> Counting:
    """Counting from 0 where all sums of a document with places such as ``i + k`` begin there."""
    nodes = [n for s in statements if s.tree is not None for n in walk(s.tree)]
    firsts = {f for n in nodes if isinstance(n, Big) for b in n.below if (f := _first(b))}
    scripts = (i for n in nodes if isinstance(n, Script) for i in n.subs)
    if firsts == {"0"} and any(map(_is_place, scripts)):
        return Counting(base=0)
    return Counting()


def _first(below: Node) -> str:
    """The number with which a sum begins, as it is written; empty if it is none."""
    if not isinstance(below, Relation) or below.relations[0] not in ("=", "<="):
        return ""
    first = below.members[1] if below.relations[0] == "=" else below.members[0]
    return first.text if isinstance(first, Number) else ""


def _is_place(item: Node) -> bool:
    """Whether a subscript adds letters."""
    return isinstance(item, Terms) and sum(is_letter(n) for n in walk(item)) > 1


def other_countings(scope: Scope, tried: Counting) -> Iterator[Counting]:
    """The conventions left to try, where a document met what depends on them."""
    bases = (tried.base, 1 - tried.base) if scope.counted else (tried.base,)
    flips = (tried.flipped, not tried.flipped) if scope.starred else (tried.flipped,)
    for flipped in flips:
        for base in bases:
            if (base, flipped) != (tried.base, tried.flipped):
                yield Counting(base, flipped)
