"""Symmetry that follows from a definition: ``Xᵀ C X`` is symmetric where C is."""

from __future__ import annotations

from sympy import Expr

from symbackprop.algebra.context import Context
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.expressions import substitute
from symbackprop.ir.program import Equation, Fact


def may_be_symmetric(equation: Equation, context: Context) -> bool:
    """Whether a quantity is square, and its symmetry not known yet."""
    if len(equation.indices) != 2 or "symmetric" in context.kinds.get(equation.name, ()):
        return False
    i, j = equation.indices
    return bool(i.extent == j.extent != 1)


def derived_symmetry(equation: Equation, body: Expr, context: Context) -> list[Fact]:
    """The fact that a square quantity is symmetric, where exchanging its indices leaves its
    definition as it is; ``body`` is that definition with hidden quantities written out.
    """
    i, j = equation.indices
    exchanged = substitute(body, {i: j, j: i})
    if normalise(exchanged, context) != normalise(body, context):
        return []
    return [Fact(equation.name, "symmetric", derived=True)]
