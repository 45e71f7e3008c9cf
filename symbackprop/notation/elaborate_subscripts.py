"""Subscripts of array notation: ``X[0]``, ``X[:, 1:-1]``, ``x[::2]``, ``v[:, None]``, ``E[t]``,
``P[arange(N), t]``.

Numbers, extents, slices and new axes make a term ``index``; an array of integers makes ``take``,
several of them, one for each axis from the first on, ``gather``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, Integer

from symbackprop.errors import Malformed
from symbackprop.ir import array_terms, terms
from symbackprop.ir.affine import nonnegative
from symbackprop.ir.terms import Term
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate_operators import checked, elaborate, shape_phrase
from symbackprop.notation.elaborate_recurrences import member_of
from symbackprop.notation.extents import extent
from symbackprop.notation.integers import require_integers
from symbackprop.notation.scope import Scope

LARGEST_STEP = 1_000_000


@elaborate.register
def subscript(tree: s.Subscript, scope: Scope) -> Term:
    """An array with some of its axes taken at places, cut, added or looked up."""
    member = member_of(tree, scope) if scope.families or scope.steps else None
    if member is None:
        return _cut(tree, elaborate(tree.base, scope), scope)
    further = replace(tree, items=tree.items[1:])
    return _cut(further, member, scope) if further.items else member


def _cut(tree: s.Subscript, base: Term, scope: Scope) -> Term:
    """``base`` with the items of ``tree`` applied."""
    items = _complete(tree, base)
    looked_up = {k: t for k, t in enumerate(items) if t is not None and _is_array(t, scope)}
    if looked_up:
        return _look_up(tree, base, items, looked_up, scope)
    return checked(tree.span, terms.index, base, _items(items, base, scope))


def _complete(tree: s.Subscript, base: Term) -> list[s.Tree | None]:
    """An item for each axis named, ``...`` written out; None adds an axis."""
    axes = sum(1 for i in tree.items if not isinstance(i, s.Literal))
    dots = [i for i in tree.items if isinstance(i, s.Literal) and i.text == "..."]
    if axes > base.rank or len(dots) > 1:
        got = f"{axes}: {shape_phrase(tree.base, base)}" if len(dots) < 2 else "two ellipses"
        raise Malformed(f"at most {base.rank} indices", got, tree.span, "drop one")
    out: list[s.Tree | None] = []
    for item in tree.items:
        if isinstance(item, s.Literal) and item.text == "...":
            out.extend([s.Slice(item.span, None, None, None)] * (base.rank - axes))
        else:
            is_new = isinstance(item, s.Literal) and item.text == "None"
            out.append(None if is_new else item)
    return out


def _is_array(item: s.Tree, scope: Scope) -> bool:
    """Whether an item is an array of integers rather than a number, an extent or a slice."""
    if isinstance(item, s.Name):
        return item.text in scope.shapes or item.text in scope.bound
    if isinstance(item, s.Call):
        return True
    if isinstance(item, s.Slice):
        return False
    return any(_is_array(c, scope) for c in s.children(item))


def _look_up(
    tree: s.Subscript,
    base: Term,
    items: Sequence[s.Tree | None],
    looked_up: dict[int, s.Tree],
    scope: Scope,
) -> Term:
    if len(looked_up) == 1:
        ((place, item),) = looked_up.items()
        cut = [
            s.Slice(item.span, None, None, None) if k == place else i for k, i in enumerate(items)
        ]
        rest = _items(cut, base, scope)
        axis = sum(1 for i in rest[:place] if i is None or isinstance(i, slice))
        array = base if all(i == slice(None) for i in rest) else terms.index(base, rest)
        picked = require_integers(elaborate(item, scope), item, scope)
        return checked(tree.span, array_terms.take, array, picked, axis)
    arrays = [i for i in items if i is not None and not _is_whole(i)]
    first = list(items[: len(arrays)])
    if first != arrays or any(isinstance(i, s.Slice) for i in arrays):
        raise Malformed(
            "arrays of integers for the first axes",
            "arrays, slices and new axes mixed",
            tree.span,
            "take one axis after the other: take(x, t, axis=1)",
        )
    picked_all = [require_integers(elaborate(i, scope), i, scope) for i in arrays]
    return checked(tree.span, array_terms.gather, base, *picked_all)


def _is_whole(item: s.Tree) -> bool:
    return isinstance(item, s.Slice) and item.start is item.stop is item.step is None


def _items(items: Sequence[s.Tree | None], base: Term, scope: Scope) -> tuple[object, ...]:
    out: list[object] = []
    axis = 0
    for item in items:
        if item is None:
            out.append(None)
            continue
        size = base.shape[axis]
        axis += 1
        out.append(
            _slice(item, size, scope) if isinstance(item, s.Slice) else _at(item, size, scope)
        )
    return tuple(out)


def _at(item: s.Tree, size: Expr, scope: Scope) -> Expr:
    """A place on an axis; a negative one counts from the end."""
    at = _place(item, size, scope)
    if (at - size).is_nonnegative or at.is_negative:
        raise Malformed(f"an index from 0 to {size - 1}", str(at), item.span, "indices are 0-based")
    return at


def _slice(item: s.Slice, size: Expr, scope: Scope) -> slice:
    """A slice whose ends are counted from the start; ends beyond the axis are refused."""
    step = Integer(1) if item.step is None else extent(item.step, scope)
    if not step.is_Integer or step == 0 or abs(step) > LARGEST_STEP:
        where = item.step or item
        raise Malformed(
            "a whole number other than 0 as step", str(step), where.span, "write x[::2]"
        )
    ends = [None if p is None else _place(p, size, scope) for p in (item.start, item.stop)]
    for tree, end in zip((item.start, item.stop), ends, strict=True):
        beyond = end is not None and (nonnegative(end - size - 1) or nonnegative(-1 - end))
        if tree is not None and beyond:
            raise Malformed(f"an end from 0 to {size}", str(end), tree.span, "the axis is shorter")
    start, stop = ends
    cut = slice(start, stop, None if step == 1 else int(step))
    length = terms.slice_length(cut, size)
    if nonnegative(-length):
        raise Malformed(
            "a slice with entries", f"one of length {length}", item.span, "turn its ends"
        )
    return cut


def _place(item: s.Tree, size: Expr, scope: Scope) -> Expr:
    at = extent(item, scope)
    return at + size if at.is_negative else at
