"""Single factors in canonical form: index expressions worked out, entries of symmetric arrays
oriented, indicators settled where they are always or never 1.

Laws: ``C[j,i] → C[i,j]`` for symmetric C, and for its inverse; ``inv(Q)[i,j] → Q[j,i]`` for
orthogonal Q; ``(p*t + s) // p → t`` where s < p; ``[0 ≤ e < n] → 1`` where that always holds.
"""

from __future__ import annotations

from functools import lru_cache

from sympy import Add, Basic, Expr, Integer, Pow

from symbackprop.algebra.context import Context
from symbackprop.ir.affine import (
    bounds,
    expanded,
    inside,
    nonnegative,
    outside,
    plainer,
    worked_out,
)
from symbackprop.ir.cholesky import FACTOR, INVERSE
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    InRange,
    MatrixFunction,
    Modulo,
    Node,
)
from symbackprop.ir.ordering import order_key

FACTORS = (Entry, MatrixFunction, Delta, InRange, FloorDiv, Modulo)
ZERO, ONE = Integer(0), Integer(1)


def settled(e: Expr, context: Context) -> Expr:
    """The canonical form of one factor; other expressions as they stand."""
    if isinstance(e, Entry):
        return _entry(e, context)
    if isinstance(e, MatrixFunction):
        return _matrix_function(e, context)
    if isinstance(e, InRange):
        return _in_range(e, context)
    if isinstance(e, FloorDiv | Modulo):
        return worked_out(e)
    if isinstance(e, Pow) and isinstance(e.base, FACTORS):
        base = settled(e.base, context)
        return e if base == e.base else Pow(base, e.exp)
    return _comparison(e, context) if isinstance(e, Compare) else e


def _plain(indices: tuple[Expr, ...]) -> bool:
    return all((isinstance(i, Index) and i.extent != 1) or i.is_Integer for i in indices)


def _entry(e: Entry, context: Context) -> Entry:
    if not _plain(e.indices):
        e = Entry(e.args[0], *(worked_out(i) for i in e.indices))
    if _turned(e, context):
        return Entry(e.args[0], *e.indices[::-1])
    return e


def _matrix_function(e: MatrixFunction, context: Context) -> Expr:
    if not e.indices:
        return e
    if not _plain(e.indices):
        e = MatrixFunction(*e.args[:3], *(worked_out(i) for i in e.indices))
    orthogonal = e.function == "inv" and "orthogonal" in context.kinds.get(e.name, ())
    if orthogonal and context.knows(e.name, "orthogonal"):
        return settled(Entry(e.args[1], *e.indices[::-1]), context)
    return MatrixFunction(*e.args[:3], *e.indices[::-1]) if _turned(e, context) else e


def _turned(e: Entry | MatrixFunction, context: Context) -> bool:
    """Whether the two indices of a symmetric array should be exchanged."""
    if isinstance(e, MatrixFunction) and e.function in (FACTOR, INVERSE):
        return False
    if len(e.indices) != 2 or "symmetric" not in context.kinds.get(e.name, ()):
        return False
    first, second = (order_key(i) for i in e.indices)
    return second < first and context.knows(e.name, "symmetric")


def _in_range(e: InRange, context: Context) -> Expr:
    """``[0 ≤ e < n]`` where the range of ``e`` tells; in a proof in one of its ways of writing."""
    place, n = worked_out(e.args[0]), e.args[1]
    if inside(place, n):
        return ONE
    if outside(place, n):
        return ZERO
    return InRange(plainer(place, n) if context.proving else place, n)


# What ``a op b`` says of ``b - a``: (true if it is at least, false if it is at most).
_GAPS = {"<": (1, 0), "<=": (0, -1)}


def _comparison(e: Compare, context: Context) -> Expr:
    """``a < b`` of indices, where their ranges tell; in a proof in one of its ways of writing."""
    op, (a, b) = e.op, e.args[1:]
    if op in (">", ">="):
        op, a, b = {">": "<", ">=": "<="}[op], b, a
    if op not in _GAPS or a.has(Apply) or b.has(Apply):
        return e
    gap = bounds(b - a) if not isinstance(b - a, Entry) else None
    if gap is None:
        return e
    true_from, false_to = _GAPS[op]
    if nonnegative(expanded(gap[0] - true_from)):
        return ONE
    if nonnegative(expanded(false_to - gap[1])):
        return ZERO
    return e if context.folding else _one_way(op, a, b)


def _one_way(op: str, a: Expr, b: Expr) -> Expr:
    """``a < b`` for ``a ≤ b - 1``, and integers elsewhere on the right."""
    shift = (b - a).as_coeff_Add()[0]
    if not shift.is_Integer or (b - a).has(Node):  # a quantity may be no integer
        return Compare(op, a, b)
    terms = Add.make_args(expanded(b - a - shift))
    left = Add(*(-t for t in terms if t.could_extract_minus_sign()))
    right = expanded(b - a - shift + left)
    shift -= int(op == "<")
    return Compare("<", left, right) if shift == -1 else Compare("<=", left, right + shift)


def turned_throughout(e: Expr, context: Context) -> Expr:
    """``e`` with every entry of a symmetric array and every range oriented, at every depth: needed
    after indices are renamed.
    """
    symmetric = any("symmetric" in kinds for kinds in context.kinds.values())
    if not symmetric and not (context.proving and _has_ranges(e)):
        return e
    return _throughout(e, context)


@lru_cache(maxsize=1 << 15)
def _has_ranges(e: Basic) -> bool:
    return isinstance(e, InRange) or any(_has_ranges(a) for a in e.args)


def _throughout(e: Expr, context: Context) -> Expr:
    if isinstance(e, Entry | MatrixFunction | InRange):
        return settled(e, context)
    if not e.args or isinstance(e, Index):
        return e
    args = tuple(_throughout(a, context) if a.args else a for a in e.args)
    return e if args == e.args else e.func(*args)
