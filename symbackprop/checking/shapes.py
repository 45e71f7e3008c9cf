r"""Remarks on shapes: ``… \in \mathbb R^{N \times D}``."""

from __future__ import annotations

from sympy import Expr, Integer

from symbackprop.checking.readings import Readings, show
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import scripts_of
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Binary, Name, Node, Number


def is_shape(node: Node) -> bool:
    """Whether a node is ``R`` with or without a power."""
    base = scripts_of(node).base
    return isinstance(base, Name) and base.text == "R"


def shape_step(lefts: Readings | None, node: Node, scope: Scope) -> tuple[str, str]:
    """The verdict on a remark; ``mention`` where it concerns no quantity that was read."""
    if lefts is None:
        return "mention", ""
    powers = scripts_of(node).powers
    claimed = _extents(powers[0], scope) if powers else ()
    if claimed is None:
        return "undecided", "this shape is not read"
    reading = lefts[0]
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


def _extents(node: Node, scope: Scope) -> tuple[Expr, ...] | None:
    if isinstance(node, Binary) and node.op in "×*":
        left, right = _extents(node.left, scope), _extents(node.right, scope)
        return None if left is None or right is None else left + right
    if isinstance(node, Number) and node.text.isdigit():
        return (Integer(int(node.text)),)
    if isinstance(node, Name) and node.text in scope.dims:
        return (scope.dims[node.text],)
    return None
