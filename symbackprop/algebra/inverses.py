"""Products of a matrix with its inverse, of its powers, and of orthogonal matrices, under a sum.

``Σ_k inv(A)[i,k] A[k,j] → δ(i,j)`` and in the other order; ``Σ_k Q[k,i] Q[k,j] → δ(i,j)`` for
orthogonal Q, over columns too; ``Σ_k A^p[i,k] A^q[k,j] → A^(p+q)[i,j]`` where high powers of A
are about, and with the inverse for q = -1. The index k occurs nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symbackprop.algebra.context import Context
from symbackprop.ir.expressions import Delta, Entry, Index, MatrixFunction, free_indices
from symbackprop.ir.matrix_functions import exponent, power_entry


def cancel_inverses(factors: list[Expr], bound: list[Index], context: Context) -> bool:
    """One of the laws, once, in place; True if one was applied."""
    for k in bound:
        bearers = [f for f in factors if k in free_indices(f)]
        if len(bearers) != 2:
            continue
        for first, second in (bearers, bearers[::-1]):
            for met in _meetings(first, second, k, context):
                factors.remove(first)
                factors.remove(second)
                factors.append(met)
                bound.remove(k)
                return True
    return False


def _meetings(a: Expr, b: Expr, k: Index, context: Context) -> Iterator[Expr]:
    """``Σ_k a b`` where that is δ or a power."""
    inverse = isinstance(a, MatrixFunction) and a.function == "inv" and isinstance(b, Entry)
    if inverse and a.name == b.name:
        own = [x for x in a.indices if x != k]
        other = [x for x in b.indices if x != k]
        # Of a symmetric matrix any two indices may meet, else the last of one and the first of
        # the other.
        chained = (a.indices[1] == b.indices[0] == k) or (a.indices[0] == b.indices[1] == k)
        if len(own) == len(other) == 1 and (chained or _symmetric(a.name, context)):
            yield Delta(own[0], other[0])
        return
    power = _power_of(a, b, k, context)
    if power is not None:
        yield power
    elif isinstance(a, Entry) and isinstance(b, Entry) and a.name == b.name and len(a.indices) == 2:
        if "orthogonal" not in context.kinds.get(a.name, ()):
            return
        for axis in (0, 1):
            i, j = a.indices[1 - axis], b.indices[1 - axis]
            if a.indices[axis] == b.indices[axis] == k and k not in (i, j):
                context.knows(a.name, "orthogonal")
                yield Delta(i, j)


def _power_of(a: Expr, b: Expr, k: Index, context: Context) -> Expr | None:
    """``A^p[i,k] A^q[k,j]`` as a power, where at least one is a power already or powers of A are
    about.
    """
    if not (isinstance(a, Entry | MatrixFunction) and isinstance(b, Entry | MatrixFunction)):
        return None
    p, q = _exponent(a), _exponent(b)
    if a.name != b.name or p is None or q is None or p + q < 1:
        return None
    if a.name not in context.powered and isinstance(a, Entry) and isinstance(b, Entry):
        return None
    extent = a.extent if isinstance(a, MatrixFunction) else k.extent
    if a.indices[1] == b.indices[0] == k and k not in (a.indices[0], b.indices[1]):
        return power_entry(a.name, extent, p + q, a.indices[0], b.indices[1])
    if k in a.indices and k in b.indices and _symmetric(a.name, context):
        ends = [x for x in (*a.indices, *b.indices) if x != k]
        return power_entry(a.name, extent, p + q, *ends) if len(ends) == 2 else None
    return None


def _exponent(e: Entry | MatrixFunction) -> int | None:
    if isinstance(e, Entry):
        return 1 if len(e.indices) == 2 else None
    return -1 if e.function == "inv" else exponent(e.function)


def _symmetric(name: str, context: Context) -> bool:
    return "symmetric" in context.kinds.get(name, ()) and context.knows(name, "symmetric")
