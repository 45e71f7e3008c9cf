r"""Derivatives of written expressions, and derivatives with the other named quantities held.

``\frac{\partial}{\partial\mu}(x-\mu)/s`` is differentiated as it stands, through everything that
depends on ``μ``. Where a text adds up paths, ``∂x̂/∂x`` beside ``∂x̂/∂μ · ∂μ/∂x`` means the direct
dependence alone: the same derivative with every other named quantity held constant.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr

from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.tangents import TANGENT, by_entry
from symbackprop.ir.expressions import Entry, MatrixFunction, entry_names
from symbackprop.ir.program import Quantity


def differentiable(expr: Expr, scope: Scope) -> bool:
    """Whether an expression is one of forward quantities, which can be differentiated."""
    names = entry_names(expr)
    forward = not any(n.startswith((GRADIENT, TANGENT)) for n in names)
    return bool(names) and forward and not expr.atoms(MatrixFunction)


def total(expr: Expr, by: Entry, scope: Scope) -> Expr:
    """``d expr / d by`` through everything that depends on ``by``."""
    return by_entry(scope.forward, expr, by)


def direct(expr: Expr, by: Entry, scope: Scope) -> Expr:
    """The same with all other named quantities held constant."""
    held = {e.name: e.shape for e in scope.forward.equations if not e.hidden}
    inputs = tuple(Quantity(name, shape, "data") for name, shape in held.items())
    hidden = tuple(e for e in scope.forward.equations if e.hidden)
    program = replace(scope.forward, inputs=(*scope.forward.inputs, *inputs), equations=hidden)
    return by_entry(program, expr, by)
