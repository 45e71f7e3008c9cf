"""Entries that depend on where they stand: what in-place writes leave behind, and how a loop over a
symbolic range is summed up.

A write ``a[k] = v`` gives ``where(δ(_0, k), v, a)``. After one turn of a loop in which the array
carried into it is a placeholder, :func:`closed` recognises a sum (``a + Σ_n v``) or a row written
at each turn; anything else is a recurrence, which is not followed.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Add, Expr, Integer, Mul, expand

from symbackprop.checking.execution_values import Array, Unfollowed
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexSum,
    InRange,
    Where,
    entry_names,
    free_indices,
    substitute,
)
from symbackprop.ir.terms import same_extent

ZERO, ONE = Integer(0), Integer(1)
GUARDS = (Where, Delta, InRange)


def delta(a: Expr, b: Expr) -> Expr:
    """δ(a, b), worked out where the difference is a number."""
    difference = expand(a - b)
    if difference == 0:
        return ONE
    return ZERO if difference.is_Integer else Delta(a, b)


def inside(e: Expr, extent: Expr) -> Expr:
    """The indicator of ``0 <= e < extent``, worked out where it can be."""
    if isinstance(e, Index) and same_extent(e.extent, extent):
        return ONE
    if e.is_Integer and extent.is_Integer:
        return Integer(int(0 <= int(e) < int(extent)))
    return InRange(e, extent)


def where(condition: Expr, a: Expr, b: Expr) -> Expr:
    """``where``, without the branch that cannot be taken."""
    if condition == 1 or a == b:
        return a
    if condition == 0:
        return b
    if isinstance(b, Where) and b.args[0] == condition:
        b = b.args[2]
    if isinstance(a, Where) and a.args[0] == condition:
        a = a.args[1]
    return Where(condition, a, b)


def compare(op: str, a: Expr, b: Expr) -> Expr:
    """The indicator of a comparison, worked out for numbers and extents."""
    difference = a - b
    if not entry_names(difference) and not difference.has(Apply):
        difference = expand(difference)
    if difference.is_Integer:
        value = int(difference)
        return Integer(int(HOLDS[op](value)))
    if difference.is_positive:
        return Integer(int(HOLDS[op](1)))
    if difference.is_negative:
        return Integer(int(HOLDS[op](-1)))
    return Compare(op, a, b)


HOLDS: dict[str, Callable[[int], bool]] = {
    "<": lambda d: d < 0,
    "<=": lambda d: d <= 0,
    ">": lambda d: d > 0,
    ">=": lambda d: d >= 0,
    "==": lambda d: d == 0,
    "!=": lambda d: d != 0,
}  # fmt: skip


def settled(e: Expr) -> Expr:
    """The entry with guards worked out that a substitution has decided."""
    if not e.args or not e.has(*GUARDS):
        return e
    args = tuple(settled(a) if a.args else a for a in e.args)
    if isinstance(e, Where):
        return where(*args)
    if isinstance(e, Delta):
        return delta(*args)
    if isinstance(e, InRange):
        return inside(*args)
    return e if args == e.args else e.func(*args)


def negated(e: Expr) -> Expr:
    """The indicator that another one is 0."""
    return Compare(OPPOSITE[e.op], *e.args[1:]) if isinstance(e, Compare) else 1 - e


OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def at_last(value: Array, index: Index) -> Array:
    """A name of the loop's own keeps what the last turn gave it."""
    return Array(_at_last(value.expr, index), value.axes, value.boolean, value.guessed)


def closed(after: Array, before: Array, mark: str, index: Index) -> Array:
    """What an array is after a loop: ``after`` is what one turn makes of the placeholder ``mark``;
    ``index`` numbers the turns.
    """
    own = Entry(mark, *(ZERO if i.extent == 1 else i for i in after.axes))
    if not before.axes:
        # A sum that begins with the number 0 takes the shape of what is added.
        own = Entry(mark)
    guessed = after.guessed | before.guessed
    result = _closed(after.expr, before.expr, own, mark, index, after.axes)
    return Array(result, after.axes, False, guessed)


def _closed(
    e: Expr, before: Expr, own: Expr, mark: str, index: Index, axes: tuple[Index, ...]
) -> Expr:
    if e == own:
        return before
    if mark not in entry_names(e):
        return _at_last(e, index)
    added = _increment(e, own, mark)
    if added is not None:
        return before + _summed(added, index)
    if isinstance(e, Where) and mark not in entry_names(e.args[0]):
        return _written(e, before, own, mark, index, axes)
    raise Unfollowed("each turn of the loop depends on the turn before")


def _at_last(e: Expr, index: Index) -> Expr:
    """What is assigned anew at each turn keeps what the last turn gave it."""
    if index not in free_indices(e):
        return e
    if not (index.extent.is_Symbol or (index.extent.is_Integer and index.extent > 0)):
        raise Unfollowed("it holds what the last turn of the loop left, if there is one")
    return substitute(e, {index: index.extent - 1})


def _increment(e: Expr, own: Expr, mark: str) -> Expr | None:
    """What one turn adds to the placeholder, in one place or several; None if it does more."""
    if e == own:
        return ZERO
    if isinstance(e, Add):
        carried = [t for t in e.args if mark in entry_names(t)]
        if len(carried) != 1:
            return None
        inner = _increment(carried[0], own, mark)
        return None if inner is None else inner + (e - carried[0])
    if isinstance(e, Where) and mark not in entry_names(e.args[0]) and _binary(e.args[0]):
        held, other = (_increment(a, own, mark) for a in e.args[1:])
        if held is not None and other is not None:
            return other + e.args[0] * (held - other)
    return None


def _binary(e: Expr) -> bool:
    """Whether a condition is 0 or 1, so that it can be multiplied by."""
    return all(isinstance(f, Delta | InRange | Compare) for f in Mul.make_args(e))


def _summed(body: Expr, index: Index) -> Expr:
    """``Σ_index body``, in which a δ that fixes the index is used up."""
    if index not in free_indices(body):
        return body * index.extent
    if isinstance(body, Add):
        return Add(*(_summed(t, index) for t in body.args))
    for factor in Mul.make_args(body):
        if isinstance(factor, Delta):
            place = _solved(factor, index)
            if place is not None:
                left = substitute(body / factor, {index: place})
                return left * inside(place, index.extent)
    return IndexSum(body, index)


def _solved(guard: Delta, index: Index) -> Expr | None:
    """The value of the index at which δ is 1, if it occurs there plainly."""
    a, b = guard.args
    difference = expand(a - b)
    slope = difference.coeff(index)
    if slope not in (1, -1):
        return None
    place = expand(index - difference / slope)
    return None if index in free_indices(place) else place


def _written(
    e: Where, before: Expr, own: Expr, mark: str, index: Index, axes: tuple[Index, ...]
) -> Expr:
    """A row written at each turn."""
    condition, new, old = e.args
    if index not in free_indices(condition):
        first = _closed(new, before, own, mark, index, axes)
        second = _closed(old, before, own, mark, index, axes)
        return where(condition, first, second)
    if old != own:
        raise Unfollowed("several places are written at each turn of the loop")
    guards = Mul.make_args(condition)
    found = [(g, _solved(g, index)) for g in guards if isinstance(g, Delta)]
    fixed = next(((g, place) for g, place in found if place is not None), None)
    if fixed is None:
        raise Unfollowed("where the loop writes is not worked out")
    guard, place = fixed
    rest = Mul(*(g for g in guards if g is not guard))
    # Each place is written at one turn, so what it held before is what the loop began with. No
    # binder binds a canonical index, so the replacement captures nothing.
    new = substitute(new, {index: place}).xreplace({own: before})
    if mark in entry_names(new):
        raise Unfollowed("each turn of the loop reads what an earlier turn wrote")
    covered = inside(place, index.extent)
    return settled(where(covered * substitute(rest, {index: place}), new, before))
