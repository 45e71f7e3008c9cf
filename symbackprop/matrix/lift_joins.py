"""Joined arrays recognised in sums: each summand lives in a range of one index of its own.

``[0 ≤ i < K] A[i] + [0 ≤ i-K < M] B[i-K] → concat(A, B)[i]``, ``δ(i,0) a + δ(i,1) b → stack(a,
b)[i]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sympy import Add, Expr, Integer, Mul, cancel

from symbackprop.ir import array_terms
from symbackprop.ir.affine import atoms_of, expanded, nonnegative, worked_out_throughout
from symbackprop.ir.expressions import (
    Delta,
    FloorDiv,
    Index,
    InRange,
    Modulo,
    free_indices,
    substitute,
)
from symbackprop.ir.terms import Term, same_extent
from symbackprop.matrix.lift_contractions import reshape

ZERO = Integer(0)
Lift = Callable[[Expr, tuple[Index, ...]], Term]
Part = tuple[Expr, Expr, Expr]  # start, length, body


def joined(e: Expr, order: Sequence[Index], lift: Lift) -> tuple[Term, tuple[Index, ...]] | None:
    """The joined array of a sum and the indices at which its entry is read; None if it is none."""
    if not isinstance(e, Add):
        return None
    free = free_indices(e)
    axes = tuple(i for i in order if i in free)
    if len(axes) < len(free):
        axes = (*axes, *sorted(free - set(axes), key=lambda i: i.name))
    for axis, i in enumerate(axes):
        parts = _in_ranges(e, i)
        if parts is not None:
            made = []
            for start, length, body in parts:
                own = Index(f"{i.name}_", length)
                inner = substitute(body, {i: own + start})
                made.append(lift(inner, (*axes[:axis], own, *axes[axis + 1 :])))
            return array_terms.concat(made, axis), axes
        bodies = _at_numbers(e, i)
        if bodies is not None:
            rest = (*axes[:axis], *axes[axis + 1 :])
            return array_terms.stack([lift(b, rest) for b in bodies], axis), axes
    return None


def _in_ranges(e: Add, i: Index) -> list[Part] | None:
    """The summands by their ranges of ``i``, if these follow each other from 0 to the extent."""
    found = []
    for t in e.args:
        guard = next((g for g in _guards(t) if _start(g, i) is not None), None)
        if guard is None:
            return None
        start = _start(guard, i)
        assert start is not None, "the guard was chosen by its start"
        body = Mul(*(f for f in Mul.make_args(t) if f != guard))
        found.append((start, guard.args[1], body))
    ordered: list[Part] = []
    place: Expr = ZERO
    while found:
        following = next((p for p in found if same_extent(p[0], place)), None)
        if following is None:
            return None
        same = [p for p in found if p[:2] == following[:2]]
        ordered.append((following[0], following[1], Add(*(p[2] for p in same))))
        found = [p for p in found if p not in same]
        place = expanded(place + following[1])
    return ordered if same_extent(place, i.extent) and len(ordered) > 1 else None


def _guards(t: Expr) -> Iterator[Expr]:
    return (f for f in Mul.make_args(t) if isinstance(f, InRange))


def _start(guard: Expr, i: Index) -> Expr | None:
    """``b`` of the guard ``[0 ≤ i - b < n]``."""
    parts = atoms_of(guard.args[0])
    if parts.get(i) != 1 or any(a not in (i, 1) for a in parts):
        return None
    return -parts.get(Integer(1), ZERO)


def _at_numbers(e: Add, i: Index) -> list[Expr] | None:
    """The summands that belong to ``i = 0, 1, …``, if each number up to the extent has one."""
    if not i.extent.is_Integer:
        return None
    bodies: dict[int, Expr] = {}
    for t in e.args:
        place = next(
            (
                (f, int(x))
                for f in Mul.make_args(t)
                if isinstance(f, Delta) and i in f.args
                for x in f.args
                if x.is_Integer
            ),
            None,
        )
        if place is None:
            return None
        body = Mul(*(f for f in Mul.make_args(t) if f != place[0]))
        bodies[place[1]] = bodies.get(place[1], ZERO) + body
    if set(bodies) != set(range(int(i.extent))) or len(bodies) < 2:
        return None
    return [bodies[k] for k in sorted(bodies)]


def refolded(e: Expr, indices: Sequence[Index], lift: Lift) -> Term | None:
    """``e`` over the quotient and the remainder of one of its indices, reshaped; None if no index
    is taken apart by its extent.
    """
    for axis, i in enumerate(indices):
        for p in _divisors(e, i):
            count = cancel(i.extent / p)
            if not nonnegative(count - 1):
                continue
            a, b = Index(f"{i.name}a", count), Index(f"{i.name}b", p)
            inner = worked_out_throughout(substitute(e, {i: p * a + b}))
            term = lift(inner, (*indices[:axis], a, b, *indices[axis + 1 :]))
            if term.op != "entries":
                return reshape(term, tuple(j.extent for j in indices))
    return None


def _divisors(e: Expr, i: Index) -> Iterator[Expr]:
    """By what ``i`` is divided in ``e``."""
    if isinstance(e, FloorDiv | Modulo) and e.args[0] == i:
        yield e.args[1]
    for a in e.args:
        if a.args:
            yield from _divisors(a, i)
