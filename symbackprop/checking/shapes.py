r"""Remarks on shapes: ``… \in \mathbb R^{N \times D}``."""

from __future__ import annotations

from sympy import Expr, Integer

from symbackprop.checking.extents import dim_of, whole_number_of
from symbackprop.checking.readings import Reading, Readings, show
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import scripts_of
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Binary, Bracket, Name, Node, Number


def is_shape(node: Node) -> bool:
    """Whether a node is ``R`` with or without a power, in braces or in brackets."""
    base = scripts_of(node).base
    return isinstance(base, Name) and base.text == "R"


def shape_step(lefts: Readings | None, node: Node, scope: Scope) -> tuple[str, str]:
    """The verdict on a remark; ``mention`` where it concerns no quantity that was read."""
    if lefts is None:
        return "mention", ""
    scripts = scripts_of(node)
    powers = scripts.powers or scripts.layers  # in brackets, it is read as a layer
    reading = lefts[0]
    learnt = dict(scope.extents)
    claimed = _extents(powers[0], reading, learnt, scope) if powers else ()
    if claimed is None:
        return "undecided", "this shape is not read"
    actual = [e for e in reading.shape if e != 1]
    said = [e for e in claimed if e != 1]
    if len(actual) == len(said) and all(
        same_extent(a, b) for a, b in zip(actual, said, strict=True)
    ):
        return "proved", ""
    numbers = any(e.is_number for e in said)
    if numbers and len(actual) == len(said):
        return "undecided", "the extents of the model are symbols"
    return "refuted", f"the shape is {show(reading)}"


def _extents(
    node: Node, reading: Reading, learnt: dict[str, Expr], scope: Scope
) -> tuple[Expr, ...] | None:
    """The extents of ``N × D``; a letter that is none of the model's stands for the extent at
    its place, from its first use on.
    """
    parts = _parts(node)
    if len(parts) != reading.rank and not all(_is_one(p) for p in parts[reading.rank :]):
        known = [_extent(p, learnt, scope) for p in parts]
        return None if any(e is None for e in known) else tuple(e for e in known if e is not None)
    out: list[Expr] = []
    for part, actual in zip(parts, (*reading.shape, Integer(1), Integer(1)), strict=False):
        found = _extent(part, learnt, scope)
        if found is None and isinstance(part, Name) and part.text.isalpha():
            found = learnt[part.text] = actual
        if found is None:
            return None
        out.append(found)
    scope.extents.update(learnt)
    return tuple(out)


def _parts(node: Node) -> tuple[Node, ...]:
    r"""The extents between the signs; ``2 S`` is one, beside its neighbours in ``N \times 2 S``."""
    if isinstance(node, Bracket) and len(node.items) == 1 and node.kind not in "⌊⌈":
        return _parts(node.items[0])
    if isinstance(node, Bracket) and node.kind == "(":
        return node.items
    if isinstance(node, Binary) and node.op in "×*":
        return _parts(node.left) + _parts(node.right)
    return (node,)


def _is_one(node: Node) -> bool:
    return isinstance(node, Number) and node.text == "1"


def _extent(node: Node, learnt: dict[str, Expr], scope: Scope) -> Expr | None:
    def meaning(n: Node) -> Expr | None:
        known = dim_of(n, scope)
        return learnt.get(n.text) if known is None and isinstance(n, Name) else known

    return whole_number_of(node, meaning)
