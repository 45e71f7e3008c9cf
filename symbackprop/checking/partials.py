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
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    Index,
    MatrixFunction,
    entry_names,
    substitute,
)
from symbackprop.ir.program import Program, Quantity


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
    held = {e.name: e.shape for e in scope.forward.equations if not e.hidden}
    inputs = tuple(Quantity(name, shape, "data") for name, shape in held.items())
    hidden = tuple(e for e in scope.forward.equations if e.hidden)
    program = replace(scope.forward, inputs=(*scope.forward.inputs, *inputs), equations=hidden)
    return _along(program, expr, by)


def _along(program: Program, expr: Expr, by: Entry) -> Expr:
    """The derivative, in whose making the places of ``by`` bear names that no sum binds."""
    shape = program.shape_of(by.name) if by.indices else ()
    marked = tuple(Index(f"_by{k}", e) for k, e in enumerate(shape))

    def seed(entry: Entry) -> Expr:
        return Mul(*(Delta(i, j) for i, j in zip(entry.indices, marked, strict=True)))

    found = Tangents(program, {by.name: seed}, working_context(program)).of(expr)
    return substitute(found, dict(zip(marked, by.indices, strict=True)))
