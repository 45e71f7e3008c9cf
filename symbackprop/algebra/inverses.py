"""Products of a matrix with its inverse, and of orthogonal matrices, under a sum.

``Σ_k inv(A)[i,k] A[k,j] → δ(i,j)`` and in the other order; ``Σ_k Q[k,i] Q[k,j] → δ(i,j)`` for
orthogonal Q, over columns too. The index k occurs nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symbackprop.algebra.context import Context
from symbackprop.ir.expressions import Delta, Entry, Index, MatrixFunction, free_indices


def cancel_inverses(factors: list[Expr], bound: list[Index], context: Context) -> bool:
    """One of the laws, once, in place; True if one was applied."""
    for k in bound:
        bearers = [f for f in factors if k in free_indices(f)]
        if len(bearers) != 2:
            continue
        for first, second in (bearers, bearers[::-1]):
            for i, j in _meetings(first, second, k, context):
                factors.remove(first)
                factors.remove(second)
                factors.append(Delta(i, j))
                bound.remove(k)
                return True
    return False


def _meetings(a: Expr, b: Expr, k: Index, context: Context) -> Iterator[tuple[Expr, Expr]]:
    """The outer indices of ``Σ_k a b`` where that is δ."""
    inverse = isinstance(a, MatrixFunction) and a.function == "inv" and isinstance(b, Entry)
    if inverse and a.name == b.name:
        own = [x for x in a.indices if x != k]
        other = [x for x in b.indices if x != k]
        # Of a symmetric matrix any two indices may meet, else the last of one and the first of
        # the other.
        chained = (a.indices[1] == b.indices[0] == k) or (a.indices[0] == b.indices[1] == k)
        if len(own) == len(other) == 1 and (chained or _symmetric(a.name, context)):
            yield own[0], other[0]
    elif isinstance(a, Entry) and isinstance(b, Entry) and a.name == b.name and len(a.indices) == 2:
        if "orthogonal" not in context.kinds.get(a.name, ()):
            return
        for axis in (0, 1):
            i, j = a.indices[1 - axis], b.indices[1 - axis]
            if a.indices[axis] == b.indices[axis] == k and k not in (i, j):
                context.knows(a.name, "orthogonal")
                yield i, j


def _symmetric(name: str, context: Context) -> bool:
    return "symmetric" in context.kinds.get(name, ()) and context.knows(name, "symmetric")
