r"""Relations → LaTeX: ``Z = X W^\top + b``, ``\nabla_{W} L = …``, any line of a derivation.

A gradient is ``\nabla_W L``, its entry ``\frac{\partial L}{\partial W_{md}}``; a Jacobian is
``\frac{\partial h}{\partial z}``, its entry the same with indices.
"""

from __future__ import annotations

from sympy import Expr

from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.symbols import ADJOINT, Notation
from symbackprop.backends.latex.terms import latex_term
from symbackprop.ir.derivation import Derivative
from symbackprop.ir.expressions import Entry, Partial
from symbackprop.ir.program import Equation
from symbackprop.ir.terms import Term, name

GRADIENT = "gradient"


def latex_form(form: Expr | Term, notation: Notation | None = None) -> str:
    """LaTeX of a term or of an index expression: what a step of a derivation holds."""
    return latex_term(form, notation) if isinstance(form, Term) else latex_entry(form, notation)


def latex_equation(equation: Equation, notation: Notation | None = None) -> str:
    """The relation ``name = term``."""
    left = latex_term(name(equation.name, equation.shape), notation)
    return f"{left} = {latex_term(equation.term, notation)}"


def latex_derivative(derivative: Derivative, notation: Notation | None = None) -> str:
    """The relation ``∇_W L = term``, or ``∂h/∂z = term`` for a Jacobian."""
    notation = notation or Notation(of=derivative.of)
    left = derivative_name(derivative, notation)
    return f"{left} = {latex_term(derivative.equation.term, notation)}"


def derivative_name(derivative: Derivative, notation: Notation) -> str:
    """What stands left of ``=`` when the whole array is meant."""
    wrt = derivative.wrt[0]
    if derivative.kind == GRADIENT:
        return latex_term(name(ADJOINT + wrt, derivative.shape), notation)
    return rf"\frac{{\partial {notation.name(derivative.of)}}}{{\partial {notation.name(wrt)}}}"


def derivative_entry(derivative: Derivative, rank_of: int, notation: Notation) -> str:
    """What stands left of ``=`` when one entry is meant; ``rank_of`` axes belong to ``of``."""
    indices = derivative.equation.indices
    wrt = derivative.wrt[0]
    if derivative.kind == GRADIENT:
        return latex_entry(Entry(ADJOINT + wrt, *indices), notation)
    above, below = Entry(derivative.of, *indices[:rank_of]), Entry(wrt, *indices[rank_of:])
    return latex_entry(Partial(above, below), notation)
