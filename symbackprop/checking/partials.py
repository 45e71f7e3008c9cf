r"""Derivatives of written expressions, and derivatives with the other named quantities held.

``\frac{\partial}{\partial\mu}(x-\mu)/s`` is differentiated as it stands, through everything that
depends on ``μ``. Where a text adds up paths, ``∂x̂/∂x`` beside ``∂x̂/∂μ · ∂μ/∂x`` means the direct
dependence alone: the same derivative with every other named quantity held constant.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Mul

from symbackprop.algebra.knowledge import working_context
from symbackprop.calculus.directional import Tangents
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.tangents import TANGENT
from symbackprop.ir.expressions import Delta, Entry, MatrixFunction, entry_names, substitute
from symbackprop.ir.program import Program


def differentiable(expr: Expr, scope: Scope) -> bool:
    """Whether an expression is one of forward quantities, which can be differentiated."""
    names = entry_names(expr)
    forward = not any(n.startswith((GRADIENT, TANGENT)) for n in names)
    return bool(names) and forward and not expr.atoms(MatrixFunction)


def total(expr: Expr, by: Entry, scope: Scope) -> Expr:
    """``d expr / d by`` through everything that depends on ``by``."""
    return _along(scope.forward, expr, by)


def direct(expr: Expr, by: Entry, scope: Scope) -> Expr:
    """The same with all other named quantities held constant."""
    of = scope.forward.equation(expr.name) if isinstance(expr, Entry) else None
    if isinstance(expr, Entry) and expr.name != by.name and of is not None:
        expr = substitute(of.rhs, dict(zip(of.indices, expr.indices, strict=True)))
    hidden = tuple(e for e in scope.forward.equations if e.hidden)
    return _along(replace(scope.forward, equations=hidden), expr, by)


def _along(program: Program, expr: Expr, by: Entry) -> Expr:
    def seed(entry: Entry) -> Expr:
        return Mul(*(Delta(i, j) for i, j in zip(entry.indices, by.indices, strict=True)))

    return Tangents(program, {by.name: seed}, working_context(program)).of(expr)
