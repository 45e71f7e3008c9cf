"""Adjoints of stacked families: the backward recursion, with its boundary.

δ(l', l-1) keeps the step l' = l + 1 of the sum over the steps that use a member, and a guard says
where there is such a step. The guards are settled by cases: the last member, the first, and those
between, so that each case is one formula without a condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Integer, expand

from symbackprop.ir.affine import nonnegative
from symbackprop.ir.expressions import Compare, Delta, Entry, Index, InRange, free_indices

ONE = Integer(1)


@dataclass(frozen=True, slots=True)
class Case:
    """Members at the places ``start``, ``start + 1``, … of a stack, ``count`` of them."""

    start: Expr
    count: Expr

    def place(self, letter: str) -> tuple[Index, Expr]:
        """An index that runs through the members, and the place that it means."""
        index = Index(letter, self.count)
        return index, self.start if self.count == 1 else expand(self.start + index)


def splits(count: Expr) -> Iterator[tuple[Case, ...]]:
    """Ways to take a family of ``count`` members apart, the simplest first: whole, without its
    last, without its first, without both. The case that holds for most members comes first.
    """
    zero, last = Integer(0), expand(count - 1)
    yield (Case(zero, count),)
    yield Case(zero, last), Case(last, ONE)
    yield Case(ONE, last), Case(zero, ONE)
    inner = expand(count - 2)
    if nonnegative(inner):
        yield Case(ONE, inner), Case(last, ONE), Case(zero, ONE)


def conditional(e: Expr, index: Index) -> bool:
    """Whether a guard or a δ in ``e`` depends on the member: on ``index``, or on extents alone."""
    if isinstance(e, Delta | InRange | Compare):
        held = _own_indices(e)
        if index in held or not (held or e.has(Entry)):
            return True
    return any(conditional(a, index) for a in e.args if a.args)


def _own_indices(e: Expr) -> frozenset[Index]:
    """Free indices outside the brackets of entries."""
    if isinstance(e, Entry):
        return frozenset()
    if isinstance(e, Index):
        return frozenset((e,))
    if not e.args or not free_indices(e):
        return frozenset()
    return frozenset().union(*(_own_indices(a) for a in e.args))
