"""What stands left of ``=`` before a derivative, in text and in LaTeX.

A gradient goes by its name, ``grad_W``; a Jacobian, a Hessian block and a product with a direction
by what was differentiated, by what and along what: ``d2(L)/d(W)d(b)[v_b]``.
"""

from __future__ import annotations

from symbackprop.backends.latex.symbols import Notation
from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.expressions import Entry
from symbackprop.ir.program import Equation
from symbackprop.notation.text_printer import show_entry

MOST_DIRECTIONS = 4  # beyond it a label that names them all cannot be read


def label(derivative: Derivative, record: DerivationRecord) -> str:
    """``grad_W``, or ``d(yhat)/d(theta)`` for a Jacobian."""
    of, wrt, kind = derivative.of, derivative.wrt, derivative.kind
    directions = record.directions
    on_the_way = not record.is_asked_for(derivative)
    if directions and (on_the_way or len(directions) > MOST_DIRECTIONS):
        return derivative.equation.name
    jacobian = f"d({of})/d({wrt[0]})"
    if kind == "hessian":
        return f"d2({of})/d({wrt[0]})d({wrt[-1]})"
    if kind == "hvp":
        return " + ".join(f"d2({of})/d({wrt[0]})d({x})[{v}]" for x, v in directions.items())
    if kind == "jvp":
        return " + ".join(f"d({of})/d({x})[{directions[x]}]" for x in wrt)
    if kind == "vjp":
        return f"[{directions[of]}]{jacobian}"
    return derivative.equation.name if kind == "gradient" else jacobian


def indexed(text: str, equation: Equation) -> str:
    """A label as indices may follow it: what ends in the bracket of a direction is put in
    parentheses.
    """
    is_named = text == equation.name or not equation.indices
    return f"({text})" if text.endswith("]") and not is_named else text


def show_generic(equation: Equation) -> str:
    """``Z[n,m] = sum[d](X[n,d]*W[m,d]) + b[m]``: an equation by its generic entry."""
    left = show_entry(Entry(equation.name, *equation.indices))
    return f"{left} = {show_entry(equation.rhs)}"


def latex_label(derivative: Derivative, record: DerivationRecord, notation: Notation) -> str:
    """The same in LaTeX; a direction is applied in square brackets."""
    written = notation.name
    of, kind = written(derivative.of), derivative.kind
    wrt = [written(n) for n in derivative.wrt]
    directions = {x: written(v) for x, v in record.directions.items()}
    jacobian = rf"\frac{{\partial {of}}}{{\partial {wrt[0]}}}"
    if kind == "hessian":
        below = (
            rf"\partial {wrt[0]}^2" if len(wrt) == 1 else rf"\partial {wrt[0]} \, \partial {wrt[1]}"
        )
        return rf"\frac{{\partial^2 {of}}}{{{below}}}"
    if kind == "hvp":
        second = rf"\frac{{\partial^2 {of}}}{{\partial {wrt[0]} \, \partial "
        return " + ".join(rf"{second}{written(x)}}}[{v}]" for x, v in directions.items())
    if kind == "jvp":
        return " + ".join(
            rf"\frac{{\partial {of}}}{{\partial {written(x)}}}[{v}]" for x, v in directions.items()
        )
    return f"[{directions[derivative.of]}] {jacobian}" if kind == "vjp" else jacobian
