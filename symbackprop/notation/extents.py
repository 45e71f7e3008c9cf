"""Trees as extents: ``N``, ``L-K+1``, ``p*T``, ``(L-K)//2+1``, and as index expressions, which also
name indices.

The result is a SymPy expression in extent symbols (and indices); ``//`` becomes the guard
language's floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr, Integer, Rational, expand

from symbackprop.errors import Malformed
from symbackprop.ir.expressions import Entry, FloorDiv, Modulo
from symbackprop.notation import syntax as s
from symbackprop.notation.numbers import check_power
from symbackprop.notation.scope import Scope, unknown

LARGEST_EXTENT_POWER = 16


def extent(tree: s.Tree, scope: Scope) -> Expr:
    """The extent that ``tree`` says."""
    return _walk(tree, scope, {}, "an extent: dims, whole numbers, + - * //")


def index_expression(tree: s.Tree, scope: Scope, indices: Mapping[str, Any]) -> Expr:
    """The index that ``tree`` says, in terms of ``indices``, extents and integer data."""
    return _walk(
        tree, scope, indices, "an index: names of indices, dims, whole numbers, + - * // %"
    )


def _walk(tree: s.Tree, scope: Scope, indices: Mapping[str, Any], expected: str) -> Expr:
    def again(t: s.Tree) -> Expr:
        return _walk(t, scope, indices, expected)

    match tree:
        case s.Number(value=value) if value.q == 1:
            return Integer(value.p)
        case s.Name(text=text) if text in indices:
            return indices[text]
        case s.Name(text=text) if text in scope.dims:
            return scope.dims[text]
        case s.Name(text=text) if not scope.declares(text):
            raise unknown(text, tree.span, scope, expected)
        case s.Unary(op=op, operand=operand):
            return -again(operand) if op == "-" else again(operand)
        case s.Binary(op=op, left=left, right=right):
            return _operate(op, again(left), again(right), tree, expected)
        case s.Subscript(base=s.Name(text=text), items=items) if indices and text in scope.shapes:
            return Entry(text, *(again(i) for i in items))
    raise Malformed(expected, "something else", tree.span, "name the extent on a `dims` line")


def _operate(op: str, a: Expr, b: Expr, tree: s.Tree, expected: str) -> Expr:
    if op == "**" and isinstance(b, Integer) and b.p >= 0:
        if isinstance(a, Rational):
            check_power(a, b, tree.span)
        if b.p <= LARGEST_EXTENT_POWER:
            return expand(a**b)
    if op in ("+", "-", "*"):
        return expand({"+": a + b, "-": a - b, "*": a * b}[op])
    if op in ("//", "%"):
        if b.is_positive is not True:
            raise Malformed(
                "division by a positive extent",
                f"{op} {b}",
                tree.span,
                "divide by a dim or a whole number",
            )
        if isinstance(a, Integer) and isinstance(b, Integer):
            return Integer(a.p // b.p if op == "//" else a.p % b.p)
        return FloorDiv(a, b) if op == "//" else Modulo(a, b)
    raise Malformed(
        expected, f"the operator {op}", tree.span, "extents are whole: write // to divide"
    )
