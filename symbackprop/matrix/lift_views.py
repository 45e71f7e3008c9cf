"""Entries at other places than plain indices, read as views of arrays before a sum is lifted.

``X[n, 2*i + 1]`` is an entry of the view ``X[:, 1::2]`` at plain indices; so are ``X[n-1-i]``
(``flip``), ``X[j//p]`` (``repeat``), ``X[n, K*h + k]`` and ``X[j//K, j%K]`` (``reshape``),
``E[t[n], d]`` (``take``), ``[0 ≤ i-b < n] X[i-b]`` (``pad``), ``δ(t[n], v)`` (``onehot``),
``[j ≤ i]`` (``tril``) and an index as a number (``arange``). :func:`plain` replaces each by an
entry of a fresh name, for which the lifter keeps the view's term. What is none of these stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.ir import array_terms, terms
from symbackprop.ir.affine import atoms_of, inside, is_affine
from symbackprop.ir.expressions import (
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexSum,
    InRange,
    MatrixFunction,
    Modulo,
    free_indices,
)
from symbackprop.ir.terms import Term
from symbackprop.matrix.lift_matrices import whole_matrix
from symbackprop.matrix.lift_windows import windowed
from symbackprop.matrix.view_steps import ZERO, Views, runs_over, view_entry


def plain(e: Expr, lifter: Views, order: Sequence[Index]) -> Expr:
    """``e`` with every such entry replaced by an entry at plain indices."""
    return _plain(e, lifter, tuple(order)) if needs_views(e, lifter) else e


def needs_views(e: Expr, lifter: Views) -> bool:
    """Whether some entry or indicator in ``e`` has compound indices, or one that runs over a part
    of its axis.
    """
    if isinstance(e, Entry):
        return not _is_plain(e, lifter)
    if isinstance(e, MatrixFunction):
        return not all(isinstance(i, Index) or i.is_Integer for i in e.indices)
    if isinstance(e, Delta):
        return not all(isinstance(i, Index) for i in e.args)
    if isinstance(e, InRange | FloorDiv | Modulo):
        return True
    if isinstance(e, Index):
        return False
    if isinstance(e, Add | Mul | Pow | Compare) and any(isinstance(a, Index) for a in e.args):
        return True
    if isinstance(e, Compare) and any(free_indices(a) and _is_index(a) for a in e.args[1:]):
        return True
    return any(needs_views(a, lifter) for a in e.args if a.args)


def _is_plain(e: Entry, lifter: Views) -> bool:
    if not all(isinstance(i, Index) or i.is_Integer for i in e.indices):
        return False
    shape = lifter.leaf(e.name, e.indices).shape
    return all(
        not isinstance(i, Index) or runs_over(i, n) for i, n in zip(e.indices, shape, strict=True)
    )


def _is_index(e: Expr) -> bool:
    return isinstance(e, Index) or all(isinstance(a, Index) or a == 1 for a in atoms_of(e))


def _plain(e: Expr, lifter: Views, order: tuple[Index, ...]) -> Expr:
    if isinstance(e, Index):
        return Entry(lifter.named(Term("arange", (), (e.extent,), (e.extent,))), e)
    if not e.args or not needs_views(e, lifter):
        return e
    if isinstance(e, Mul):
        return _product(list(e.args), lifter, order)
    if isinstance(e, Entry):
        return view_entry(e, (), lifter) or e
    if isinstance(e, Delta):
        return _delta(e, lifter) or e
    if isinstance(e, Compare):
        mask = _triangle(e, lifter, order)
        if mask is not None:
            return mask
    if isinstance(e, InRange):
        return _range(e, lifter) or e
    if isinstance(e, MatrixFunction):
        leaf = lifter.leaf(e.name, (Index("i", e.extent), Index("j", e.extent)))
        whole = lifter.named(whole_matrix(e.function, leaf))
        return view_entry(Entry(whole, *e.indices), (), lifter) or e
    if isinstance(e, FloorDiv | Modulo):
        return e
    if isinstance(e, IndexSum):
        found = windowed(e, lifter, lambda entry, guards: view_entry(entry, guards, lifter), order)
        if found is not None:
            return found
    if hasattr(e, "bound"):
        return e.func(_plain(e.args[0], lifter, (*order, *e.args[1:])), *e.args[1:])
    return e.func(
        *(_plain(a, lifter, order) if a.args or isinstance(a, Index) else a for a in e.args)
    )


def _product(factors: list[Expr], lifter: Views, order: tuple[Index, ...]) -> Expr:
    """Guards join the entries that they guard: together they are a padded array."""
    guards = [f for f in factors if isinstance(f, InRange)]
    rest = [f for f in factors if not isinstance(f, InRange)]
    out: list[Expr] = []
    for f in rest:
        if isinstance(f, Entry) and guards:
            own = [g for g in guards if g.args[0] in f.indices]
            found = view_entry(f, own, lifter) if own else None
            if found is not None:
                guards = [g for g in guards if g not in own]
                out.append(found)
                continue
        out.append(_plain(f, lifter, order) if f.args or isinstance(f, Index) else f)
    return Mul(*out, *(_range(g, lifter) or g for g in guards))


def _range(e: InRange, lifter: Views) -> Expr | None:
    """``[0 ≤ i - b < n]`` as a padded vector of ones."""
    place, n = e.args
    ones = Entry(lifter.named(terms.ones(n)), place)
    return view_entry(ones, (e,), lifter)


def _delta(e: Delta, lifter: Views) -> Expr | None:
    """``δ(t[n], v) → onehot(t, V)[n, v]``; ``δ(a, j)`` for an affine a is an entry of a view of
    ``eye``.
    """
    for place, j in (e.args, e.args[::-1]):
        if isinstance(j, Index) and isinstance(place, Entry):
            picked = view_entry(place, (), lifter) or place
            if all(isinstance(i, Index) for i in picked.indices):
                leaf = lifter.leaf(picked.name, picked.indices)
                return Entry(lifter.named(array_terms.onehot(leaf, j.extent)), *picked.indices, j)
    for place, j in (e.args, e.args[::-1]):
        if isinstance(j, Index) and j not in free_indices(place):
            whole = Entry(lifter.named(terms.eye(j.extent)), place, j)
            guard = () if inside(place, j.extent) else (InRange(place, j.extent),)
            found = view_entry(whole, guard, lifter)
            if found is not None:
                return found
    return None


def _triangle(e: Compare, lifter: Views, order: tuple[Index, ...]) -> Expr | None:
    """``[j ≤ i + k] → tril(ones(…), k)[i, j]``."""
    op, (a, b) = e.op, e.args[1:]
    if op in (">", ">="):
        op, a, b = {">": "<", ">=": "<="}[op], b, a
    parts = atoms_of(b - a) if op in ("<", "<=") else {}
    ends = [x for x in parts if isinstance(x, Index)]
    if not is_affine(parts) or len(ends) != 2 or sorted(parts[x] for x in ends) != [-1, 1]:
        return None
    shift = parts.get(Integer(1), ZERO) - (1 if op == "<" else 0)
    if not shift.is_Integer or any(x != 1 and x not in ends for x in parts):
        return None
    rows, columns = sorted(ends, key=lambda i: order.index(i) if i in order else len(order))
    # 0 ≤ shift + b - a: below the diagonal where the rows are counted positively.
    lower = parts[rows] == 1
    full = terms.ones(rows.extent, columns.extent)
    mask = (
        array_terms.triangle("tril", full, int(shift))
        if lower
        else (array_terms.triangle("triu", full, -int(shift)))
    )
    return Entry(lifter.named(mask), rows, columns)
