"""Forward mode, equation by equation: a tangent is an equation too.

``v_Z[n,m] = Σ_A ∂Z[n,m]/∂A · v_A`` names the tangents of what ``Z`` is made of, as an adjoint names
the adjoints of what uses it, so that the cost is linear in the number of equations. Over the
forward equations it is a Jacobian–vector product; over these and the adjoints of a scalar it is a
Hessian–vector product, forward over reverse, and no Hessian is formed (Pearlmutter, "Fast exact
multiplication by the Hessian", Neural Computation 6, 1994).
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Integer

from symbackprop.algebra.context import Context
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.differential import differential
from symbackprop.ir.expressions import Entry, entry_names
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.program import Equation

PREFIX = "v_"


def tangent_entry(
    equation: Equation,
    tangents: Mapping[str, str],
    rules: Mapping[str, FunctionRule],
    context: Context,
) -> Expr | None:
    """The generic entry of the tangent of ``equation``; None if it does not move.

    Parameters
    ----------
    equation : Equation
        A forward equation or an adjoint.
    tangents : mapping
        The name of the tangent of every array that moves.
    rules : mapping
        Of the functions that are no primitives.
    context : Context
        Facts and fold patterns.
    """
    moving = frozenset(tangents)
    if not entry_names(equation.rhs) & moving:
        return None

    def tangent(entry: Entry) -> Expr:
        name = tangents.get(entry.name)
        return Integer(0) if name is None else Entry(name, *entry.indices)

    entry = normalise(differential(equation.rhs, tangent, moving, rules), context)
    return None if entry == 0 else entry
