"""What sums over windows are made of: a product under bound indices, and indices tied together.

A :class:`Tie` says ``place = stride·position + dilation·within - padding``: how windows lie on an
axis. A :class:`Sum` is a product with its guards and deltas apart. :func:`tied` finds the places of
the result that a sum reaches through windows, and gives the sum in which every array is read at
plain indices of its windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sympy import Expr, Integer, Mul, preorder_traversal

from symbackprop.ir import window_terms
from symbackprop.ir.affine import atoms_of, expanded, inside, nonnegative
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    Index,
    IndexSum,
    InRange,
    free_indices,
    substitute,
)
from symbackprop.ir.terms import Term, same_extent
from symbackprop.matrix.lift_products import flattened

ZERO, ONE = Integer(0), Integer(1)
AXES = 2  # the most axes that windows have: conv2d


class Lifts(Protocol):
    """What the rules need of the lifter: terms of arrays and of smaller expressions, and names for
    them.
    """

    def leaf(self, name: str, indices: tuple[Expr, ...]) -> Term: ...

    def lift(self, e: Expr, indices: tuple[Index, ...]) -> Term: ...

    def named(self, term: Term) -> str: ...


@dataclass(frozen=True, slots=True)
class Tie:
    """``place = stride·position + dilation·within - padding``."""

    position: Index
    within: Index
    stride: Expr
    dilation: Expr
    padding: Expr

    @property
    def place(self) -> Expr:
        return expanded(self.stride * self.position + self.dilation * self.within - self.padding)

    @property
    def reach(self) -> Expr:
        """How many places lie between the first window's first and the last one's last."""
        covered = self.stride * (self.position.extent - 1)
        return expanded(covered + self.dilation * (self.within.extent - 1) + 1)

    def counts(self, length: Expr) -> bool:
        """Whether exactly these windows fit into an axis of this length."""
        told = (self.within.extent, self.stride, self.padding, self.dilation)
        return same_extent(window_terms.window_count(length, *told), self.position.extent)

    def turned(self) -> Tie:
        """The same place with the two indices exchanged."""
        return Tie(self.within, self.position, self.dilation, self.stride, self.padding)


@dataclass(frozen=True, slots=True)
class Sum:
    """``coefficient · Σ_bound Π factors · Π guards · Π deltas``; sums that were inside are open."""

    coefficient: Expr
    factors: tuple[Expr, ...]
    guards: tuple[InRange, ...]
    deltas: tuple[Delta, ...]
    bound: tuple[Index, ...]

    @classmethod
    def of(cls, e: IndexSum) -> Sum:
        coefficient, rest = e.body.as_coeff_Mul()
        factors, bound = flattened(Mul.make_args(rest), e.bound)
        return cls(
            coefficient,
            tuple(f for f in factors if not isinstance(f, InRange | Delta)),
            tuple(f for f in factors if isinstance(f, InRange)),
            tuple(f for f in factors if isinstance(f, Delta)),
            tuple(bound),
        )

    @property
    def rest(self) -> Expr:
        """The product without its deltas."""
        return Mul(*self.factors, *self.guards)


def simplicity(extent: Expr) -> int:
    """How much there is to an extent: that of a window is simple, that of its positions is not."""
    return 0 if extent.is_Integer else sum(1 for _ in preorder_traversal(extent))


def by_entries(term: Term) -> bool:
    """Whether some part of a term has no array notation."""
    return term.op == "entries" or any(by_entries(a) for a in term.args)


def is_positive(coefficient: Expr) -> bool:
    return nonnegative(expanded(coefficient - 1))


Parts = tuple[tuple[Index, Expr], tuple[Index, Expr], Expr]


def two_indices(e: Expr) -> Parts | None:
    """``e`` as ``a·x + b·y + c``; None if it is not of that form."""
    if isinstance(e, Index) or e.is_Integer:
        return None
    parts = atoms_of(e)
    constant = parts.pop(ONE, ZERO)
    if len(parts) != 2 or any(free_indices(c) for c in parts.values()):
        return None
    (x, a), (y, b) = parts.items()
    if not isinstance(x, Index) or not isinstance(y, Index):
        return None
    return (x, a), (y, b), constant


def tied(whole: Sum) -> tuple[Sum, list[tuple[Index, Tie]]] | None:
    """The sum with every window at plain indices, and for each index of the result that it reaches
    through windows how; None where there is none, or more than can be told.
    """
    ties: list[tuple[Index, Tie]] = []
    for delta in whole.deltas:
        found = _by_delta(delta, whole.bound, len(ties))
        if found is None:
            return None
        ties.append(found)
    ones = tuple(tie.within for _, tie in ties if tie.within.extent == 1)
    whole = replace(whole, deltas=(), bound=(*whole.bound, *ones))
    for _, tie in ties:
        if any(i not in whole.bound for i in (tie.position, tie.within)):
            return None
    for place, tie in ties:
        whole = _read_through(whole, place, tie)
    for guard in whole.guards:
        known = _by_guard(guard, whole.bound, len(ties))
        if known is not None:
            place, tie, value = known
            kept = tuple(g for g in whole.guards if g != guard)
            whole = replace(whole, guards=kept, bound=(*whole.bound, tie.within))
            whole = _with(whole, guard.args[0], value)
            whole = _read_through(whole, place, tie)
            ties.append((place, tie))
    names = [i for place, tie in ties for i in (place, tie.position, tie.within)]
    return (whole, ties) if 0 < len(ties) <= AXES and len(set(names)) == len(names) else None


def _by_delta(delta: Delta, bound: Sequence[Index], number: int) -> tuple[Index, Tie] | None:
    """``δ(s·t + d·k - p, l)`` with t and k bound."""
    atoms = atoms_of(delta.args[0] - delta.args[1])
    constant = atoms.pop(ONE, ZERO)
    parts = {i: c for i, c in atoms.items() if isinstance(i, Index)}
    places = [i for i in parts if i not in bound]
    if len(atoms) == len(parts) == 2:  # a window of one place
        parts[Index(f"_o{number}", ONE)] = -sum(parts[i] for i in places)
    elif len(atoms) != 3 or len(parts) != 3:
        return None
    if len(places) != 1 or abs(parts[places[0]]) != 1:
        return None
    (place,) = places
    sign = -parts.pop(place)
    (t, s), (k, d) = ((i, expanded(sign * c)) for i, c in parts.items())
    if not (is_positive(s) and is_positive(d)):
        return None
    return place, Tie(t, k, s, d, expanded(-sign * constant))


def _by_guard(
    guard: InRange, bound: Sequence[Index], number: int
) -> tuple[Index, Tie, Expr] | None:
    """``[0 ≤ l + p - s·t < K]`` with t bound, l not: the tie ``l = s·t + k - p`` with a new k, and
    what the guarded place is in terms of k.
    """
    place, n = guard.args
    parts = two_indices(place)
    if parts is None:
        return None
    for (x, a), (y, b) in (parts[:2], parts[1::-1]):
        if x in bound or y not in bound or abs(a) != 1 or not is_positive(-a * b):
            continue
        within = Index(f"_k{number}", n)
        if a == 1:
            return x, Tie(y, within, -b, ONE, parts[2]), within
        return x, Tie(y, within, b, ONE, expanded(n - 1 - parts[2])), expanded(n - 1 - within)
    return None


def _read_through(whole: Sum, place: Index, tie: Tie) -> Sum:
    """The sum with ``place`` written as the place of the windows. What is read outside the axis
    lies in no window of it and may be anything: it is read as 0.
    """
    values, guard = {place: tie.place}, InRange(tie.place, place.extent)
    always = inside(tie.place, place.extent)

    def guarded(e: Expr) -> Expr:
        if isinstance(e, Entry):
            return e if always or tie.place not in e.indices else Mul(guard, e)
        if not e.args or isinstance(e, Index):
            return e
        return e.func(*(guarded(a) if a.args else a for a in e.args))

    factors = (substitute(f, values) for f in whole.factors)
    guards = (InRange(expanded(substitute(g.args[0], values)), g.args[1]) for g in whole.guards)
    kept = tuple(g for g in guards if g != guard)
    return replace(whole, factors=tuple(guarded(f) for f in factors), guards=kept)


def _with(whole: Sum, old: Expr, new: Expr) -> Sum:
    """The sum with one index expression in the place of another."""

    def exchanged(e: Expr) -> Expr:
        if e == old:
            return new
        if not e.args or isinstance(e, Index):
            return e
        return e.func(*(exchanged(a) if a.args else a for a in e.args))

    return replace(whole, factors=tuple(exchanged(f) for f in whole.factors))
