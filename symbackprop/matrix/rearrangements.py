"""The generic entry of operations that move, join, pick and pad entries of arrays.

Entries are read at affine indices, at floors and remainders, or at entries of integer arrays; what
lies in one part of a joined or padded array only is guarded by ``InRange``.
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul

from symbackprop.ir.affine import expanded, floor_div, inside, modulo, outside
from symbackprop.ir.array_terms import count
from symbackprop.ir.expressions import Compare, IndexSum, InRange
from symbackprop.ir.terms import Shape, Term
from symbackprop.matrix.operations import (
    ONE,
    ZERO,
    At,
    Lowers,
    Place,
    Rule,
    Scope,
    delta,
    operand,
    registrar,
)
from symbackprop.matrix.reductions import bound_places, over

RULES: dict[str, Rule] = {}
_rule = registrar(RULES)


def guard(e: Expr, n: Expr) -> Expr:
    """``[0 ≤ e < n]``, worked out where it is always or never true."""
    if inside(e, n):
        return ONE
    return ZERO if outside(e, n) else InRange(e, n)


# Integer arrays


@_rule("take")
def _take(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``A[…, t[n], …]``."""
    a, picked = t.args
    (axis,) = t.attrs
    place_of = at[axis : axis + picked.rank]
    chosen = operand(run, picked, place_of, scope)
    read = (*at[:axis], chosen, *at[axis + picked.rank :])
    return operand(run, a, read, scope, place)


@_rule("gather")
def _gather(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``A[s[n], t[n], …]``."""
    a, *picked = t.args
    rank = len(t.shape) - (a.rank - len(picked))
    own = at[:rank]
    read = tuple(operand(run, p, own, scope) for p in picked)
    return operand(run, a, (*read, *at[rank:]), scope, place)


@_rule("onehot")
def _onehot(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (picked,) = t.args
    return delta(operand(run, picked, at[:-1], scope), at[-1])


# Axes moved


@_rule("swap")
def _swap(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    read = list(at)
    i, j = t.attrs
    read[i], read[j] = read[j], read[i]
    return run.entry(t.args[0], tuple(read), scope, place.summand())


@_rule("flip")
def _flip(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (axes,) = t.attrs
    read = tuple(
        expanded(e - 1 - i) if k in axes else i
        for k, (i, e) in enumerate(zip(at, t.shape, strict=True))
    )
    return operand(run, t.args[0], read, scope, place)


@_rule("repeat")
def _repeat(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``A[…, i // p, …]``."""
    (a,), (times, axis) = t.args, t.attrs
    read = tuple(floor_div(i, times) if k == axis else i for k, i in enumerate(at))
    return operand(run, a, read, scope, place)


@_rule("reshape")
def _reshape(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """The entry with the same place in row-major order: axes that correspond are matched first."""
    (a,) = t.args
    return operand(run, a, reshaped(a.shape, at, t.shape), scope, place)


def reshaped(old: Shape, at: At, new: Shape) -> At:
    """Where the entry at the place ``at`` of the new shape stands in the old one."""
    read: list[Expr] = []
    for own, wanted in matched(old, new):
        position: Expr = ZERO
        for k in wanted:
            position = expanded(position * new[k]) + at[k]
        read.extend(unravelled(position, tuple(old[k] for k in own)))
    return tuple(read)


def matched(old: Shape, new: Shape) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Groups of axes of two shapes that hold equally many entries, as small as possible."""
    groups = []
    i = j = 0
    while i < len(old) or j < len(new):
        first, second = i, j
        i, j = min(i + 1, len(old)), min(j + 1, len(new))
        best = None
        counts = {q: count(new[second:q]) for q in range(second, len(new) + 1)}
        for p in range(first, len(old) + 1):
            entries = count(old[first:p])
            for q, others in counts.items():
                if (p, q) != (first, second) and entries == others:
                    if best is None or p + q < sum(best):
                        best = (p, q)
        assert best is not None, "the shapes hold equally many entries"
        i, j = best
        groups.append((tuple(range(first, i)), tuple(range(second, j))))
    return groups


def unravelled(position: Expr, shape: Shape) -> list[Expr]:
    """Where the entry at ``position`` in row-major order stands in an array of this shape."""
    out: list[Expr] = []
    rest = position
    for k, e in enumerate(reversed(shape)):
        last = k == len(shape) - 1
        out.append(rest if last else modulo(rest, e))
        rest = floor_div(rest, e)
    return out[::-1]


# Joined and padded


@_rule("concat")
def _concat(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_parts [0 ≤ i - start < length] part[i - start]``."""
    (axis,) = t.attrs
    start: Expr = ZERO
    summands = []
    for part in t.args:
        i = expanded(at[axis] - start)
        read = (*at[:axis], i, *at[axis + 1 :])
        inside_part = guard(i, part.shape[axis])
        if inside_part != 0:
            entry = operand(run, part, read, scope, place)
            summands.append(Mul(inside_part, entry))
        start = expanded(start + part.shape[axis])
    return Add(*summands)


@_rule("stack")
def _stack(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (axis,) = t.attrs
    read = (*at[:axis], *at[axis + 1 :])
    parts = (
        Mul(
            delta(at[axis], Integer(k)),
            operand(run, p, read, scope, place),
        )
        for k, p in enumerate(t.args)
    )
    return Add(*parts)


@_rule("pad")
def _pad(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (a,), (widths,) = t.args, t.attrs
    read = tuple(expanded(i - before) for i, (before, _) in zip(at, widths, strict=True))
    guards = (guard(i, e) for i, e in zip(read, a.shape, strict=True))
    return Mul(*guards, operand(run, a, read, scope, place))


# Triangles


@_rule("tril", "triu")
def _triangle(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``[j ≤ i + k] A[i, j]``, or ``≥``."""
    (a,), (k,) = t.args, t.attrs
    op = "<=" if t.op == "tril" else ">="
    kept = Compare(op, at[-1], at[-2] + k)
    return kept * operand(run, a, at, scope, place)


@_rule("cumsum")
def _cumsum(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_j [j ≤ i] A[…, j, …]``."""
    (a,), (axis,) = t.args, t.attrs
    bound, (j,), scope = bound_places(run, a.shape[axis : axis + 1], scope)
    read = (*at[:axis], j, *at[axis + 1 :])
    kept = Compare("<=", j, at[axis]) if bound else ONE
    return over(IndexSum, kept * operand(run, a, read, scope), bound)
