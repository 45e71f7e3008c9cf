r"""Inverses and determinants as written: ``X^{-1}``, ``X^{-\top}``, ``\det X``.

Index notation has them of a named array only; of an expression they are read where the model names
a quantity of that value.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr

from symbackprop.checking.readings import Reading, Readings, Unreadable, position, show
from symbackprop.checking.scope import Scope
from symbackprop.ir.expressions import Entry, MatrixFunction
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Node

SQUARE = "this is asked of a square matrix"


def is_square(r: Reading) -> bool:
    """Whether a reading is a square matrix."""
    return r.rank == 2 and same_extent(*r.shape)


def inverse(r: Reading, node: Node, scope: Scope) -> Reading:
    """The inverse of a square matrix.

    Raises
    ------
    Unreadable
        If the model has no quantity of that value.
    """
    name, turned = _named(r, node, scope)
    i, j = reversed(r.axes) if turned else r.axes
    return replace(r, expr=MatrixFunction("inv", name, r.shape[0], i, j))


def inverted(readings: Readings, node: Node, scope: Scope) -> Readings:
    """The inverses of the square matrices among readings."""
    return tuple(inverse(r, node, scope) for r in _square(readings, node))


def determinants(readings: Readings, node: Node, scope: Scope, function: str) -> Readings:
    """The determinants (or the logarithms of their absolute values) of the square matrices."""
    named = ((r, _named(r, node, scope)) for r in _square(readings, node))
    return tuple(
        replace(r, expr=MatrixFunction(function, name, r.shape[0]), axes=())
        for r, (name, _) in named
    )


def _square(readings: Readings, node: Node) -> Readings:
    found = tuple(filter(is_square, readings))
    if not found:
        raise Unreadable("shape", SQUARE, node, tuple(map(show, readings[:1])))
    return found


def _named(r: Reading, node: Node, scope: Scope) -> tuple[str, bool]:
    """The array that a reading is, and whether it is transposed."""
    if not is_square(r):
        raise Unreadable("shape", SQUARE, node, (show(r),))
    expr: Expr = r.expr
    if isinstance(expr, Entry) and expr.indices in (r.axes, r.axes[::-1]):
        return expr.name, expr.indices != r.axes
    i, j = (position(k, e) for k, e in enumerate(r.shape))
    for equation in scope.forward.equations:
        if len(equation.shape) == 2 and all(map(same_extent, equation.shape, r.shape)):
            for turned, entry in enumerate(
                (Entry(equation.name, i, j), Entry(equation.name, j, i))
            ):
                if scope.same_value(expr, entry):
                    return equation.name, bool(turned)
    raise Unreadable("notation", "an inverse or determinant of what has no name in the model", node)
