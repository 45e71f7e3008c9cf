"""Brackets, and blocks ``[a_1, …, a_M]``."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from symbackprop.checking.extents import extent_of
from symbackprop.checking.operations import product
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    dearer,
)
from symbackprop.checking.reductions import normed
from symbackprop.checking.scope import Scope
from symbackprop.checking.special_names import indicator
from symbackprop.ir.expressions import (
    Apply,
    Index,
    IndexSum,
)
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import (
    Bracket,
    Mark,
    Name,
    Node,
    Number,
    Relation,
    walk,
)

BLOCK = Note("the dots of the block stand for all entries between the first and the last")
LENGTH = Note("bars around a vector are its length")
SPARE = "jkmnpqrstuvw"


@read.register
def _bracket(node: Bracket, scope: Scope) -> Readings:
    if len(node.items) == 2 and node.kind == "<":
        return _inner(node, scope)
    if len(node.items) != 1:
        return _block(node, scope)
    (item,) = node.items
    if node.kind == "‖":
        return tuple(normed(r) for r in read(item, scope))
    if node.kind == "|":
        found = read(item, scope)
        lengths = tuple(dearer(normed(r), 1.0, LENGTH) for r in found if r.rank == 1)
        return tuple(replace(r, expr=Apply("abs", r.expr)) for r in found) + lengths
    if node.kind in "⌊⌈":
        extent = extent_of(node, scope)
        if extent is None:
            raise Unreadable("notation", "a floor or ceiling is read of extents only", node)
        return (Reading(extent),)
    if isinstance(item, Relation):
        return indicator(item, scope)
    if isinstance(item, Mark):
        raise Unreadable("notation", "dots without a function before them", node)
    return read(item, scope)


def _inner(node: Bracket, scope: Scope) -> Readings:
    left, right = read(node.items[0], scope), read(node.items[1], scope)
    out = []
    for a in left:
        for b in right:
            for r in product(a, b, "⊙"):
                if r.axes:
                    bound = tuple(Index(f"_s{k}", i.extent) for k, i in enumerate(r.axes))
                    out.append(
                        Reading(
                            IndexSum(
                                r.expr.xreplace(dict(zip(r.axes, bound, strict=True))), *bound
                            ),
                            cost=r.cost,
                            notes=r.notes,
                            guessed=r.guessed,
                        )
                    )
    if not out:
        raise Unreadable("shape", "the two sides of the inner product do not fit", node)
    return cheapest(out)


def _block(node: Bracket, scope: Scope) -> Readings:
    """``[a_1, …, a_M]``: the columns (or entries) from the first to the last, by their generic
    one.
    """
    dots = [k for k, i in enumerate(node.items) if isinstance(i, Mark) and i.text == "dots"]
    if len(dots) != 1 or dots[0] not in (1, 2) or dots[0] != len(node.items) - 2:
        raise Unreadable("notation", "a list that is no block «first, …, last»", node)
    used = {n.text for item in node.items for n in walk(item) if isinstance(n, Name)}
    letter = next(
        c for c in SPARE if c not in used and c not in scope.dims and c not in scope.letters
    )
    first, last = node.items[0], node.items[-1]
    extents: set[str] = set()
    generic = _generic(first, last, letter, extents, scope)
    if generic is None or len(extents) != 1:
        raise Unreadable(
            "notation", "the first and the last entry of the block do not show what runs", node
        )
    if dots[0] == 2 and _generic(first, node.items[1], letter, set(), scope, step="2") != generic:
        raise Unreadable("notation", "the second entry of the block is not like the first", node)
    (extent,) = extents
    out = []
    for r in read(generic, scope):
        running = [i for i in r.letters if i.name == letter]
        if len(running) != 1 or not same_extent(running[0].extent, scope.dims[extent]):
            raise Unreadable(
                "shape",
                f"the block runs to {extent}, its index does not",
                node,
            )
        if r.rank <= 1 and not r.row:
            out.append(
                array(
                    r.expr,
                    (*r.axes, running[0]),
                    row=r.rank == 0,
                    cost=r.cost,
                    notes=r.notes | {BLOCK},
                    guessed=r.guessed,
                )
            )
    if not out:
        raise Unreadable("shape", "a block of matrices or rows", node)
    return tuple(out)


def _generic(
    a: Node, b: Node, letter: str, extents: set[str], scope: Scope, step: str = ""
) -> Node | None:
    """The tree that is ``a`` at 1 and ``b`` at the last place (or at ``step``); None if they differ
    otherwise.
    """
    if isinstance(a, Number) and a.text == "1":
        if step and isinstance(b, Number) and b.text == step:
            return Name(-1, -1, letter)
        if not step and isinstance(b, Name) and b.text in scope.dims:
            extents.add(b.text)
            return Name(-1, -1, letter)
    if type(a) is not type(b):
        return None
    updates: dict[str, Any] = {"start": -1, "end": -1}
    for f in fields(a):
        if f.name in ("start", "end"):
            continue
        merged = _merged(getattr(a, f.name), getattr(b, f.name), letter, extents, scope, step)
        if merged is None:
            return None
        updates[f.name] = merged
    return replace(a, **updates)


def _merged(
    x: object, y: object, letter: str, extents: set[str], scope: Scope, step: str
) -> object | None:
    if isinstance(x, Node) and isinstance(y, Node):
        return _generic(x, y, letter, extents, scope, step)
    if isinstance(x, tuple) and isinstance(y, tuple):
        if len(x) != len(y):
            return None
        parts = [_merged(p, q, letter, extents, scope, step) for p, q in zip(x, y, strict=True)]
        return None if any(p is None for p in parts) else tuple(parts)
    return x if x == y and x is not None else None
