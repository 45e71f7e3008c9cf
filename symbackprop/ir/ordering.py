"""A total order on expressions that is cheap, deterministic and independent of hashing.

SymPy's own sort keys print and recurse at each call; these are strings built once per node and
cached.
"""

from __future__ import annotations

from functools import lru_cache

from sympy import Add, Basic, Mul

from symbackprop.ir.expressions import Binder, Index


@lru_cache(maxsize=1 << 17)
def order_key(e: Basic) -> str:
    """A string that is equal for equal expressions and orders different ones."""
    if isinstance(e, Index):
        return f"i{e.name}:{e.extent}"
    if not e.args:
        return str(e)
    parts = [order_key(a) for a in e.args]
    if isinstance(e, Add | Mul):
        parts.sort()
    return f"{type(e).__name__}({','.join(parts)})"


@lru_cache(maxsize=1 << 17)
def skeleton(e: Basic, bound: frozenset[Index] = frozenset()) -> str:
    """:func:`order_key` with every free index written ``.``: equal for two instances of one
    pattern.
    """
    if isinstance(e, Index):
        return f"i{e.name}" if e in bound else "."
    if not e.args:
        return str(e)
    inner = bound | frozenset(e.bound) if isinstance(e, Binder) else bound
    parts = [skeleton(a, inner if a.args or isinstance(a, Index) else frozenset()) for a in e.args]
    if isinstance(e, Add | Mul):
        parts.sort()
    return f"{type(e).__name__}({','.join(parts)})"
