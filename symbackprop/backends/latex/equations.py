r"""Relations → LaTeX: ``Z = X W^\top + b``, ``\nabla_{W} L = …``, any line of a derivation.

A gradient is ``\nabla_W L``, its entry ``\frac{\partial L}{\partial W_{md}}``; a Jacobian is
``\frac{\partial h}{\partial z}``, its entry the same with indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sympy import Expr

from symbackprop.backends.latex.index import index_letter, latex_entry
from symbackprop.backends.latex.symbols import ADJOINT, Notation, notation_of
from symbackprop.backends.latex.terms import latex_term
from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.expressions import Entry, Partial, entry_names
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import Term, name

GRADIENT = "gradient"
NO_DIRECTIONS: Mapping[str, str] = MappingProxyType({})


def notation_for(record: DerivationRecord, **commands: str) -> Notation:
    r"""The notation for everything about a record, subexpressions without a name included.

    Where an array is differentiated its gradients are those of any scalar, written ``\\ell``.
    """
    program = record.program
    notation = with_hidden(notation_of(program, record.of, **commands), program)
    if record.kind != "jacobian":
        notation = replace(notation, immediate=_several_ways(program))
    any_scalar = record.kind in (GRADIENT, "vjp") and bool(program.shape_of(record.of))
    notation = notation.of_any_scalar() if any_scalar else notation
    return with_tangents(notation, record) if record.kind in ("hvp", "jvp") else notation


def with_tangents(notation: Notation, record: DerivationRecord) -> Notation:
    r"""The notation, with ``v_{Z}`` and ``v_{\nabla_Z L}`` for the tangents of a record."""
    spelling = dict(notation.spelling)
    for d in record.derivatives:
        adjoint = latex_term(name(ADJOINT + d.wrt[0], d.shape), notation)
        if d.kind == "jvp":
            spelling[d.equation.name] = f"v_{{{notation.name(d.of)}}}"
        elif d.kind == "hvp":
            spelling[d.equation.name] = f"v_{{{adjoint}}}"
        elif d.equation.name != ADJOINT + d.wrt[0]:
            spelling[d.equation.name] = adjoint
    return replace(notation, spelling=spelling)


def _several_ways(program: Program) -> frozenset[tuple[str, str]]:
    """Quantities, each with one that its equation uses and that also reaches it through another:
    in a recurrence also through an earlier step.
    """
    reached: dict[str, frozenset[str]] = {}
    out: set[tuple[str, str]] = set()
    for equation in program.equations * (2 if program.families else 1):
        used = entry_names(equation.rhs)
        behind = frozenset[str]().union(*(reached.get(n, frozenset()) for n in used))
        out |= {(equation.name, n) for n in used & behind}
        reached[equation.name] = reached.get(equation.name, frozenset()) | used | behind
    return frozenset(out)


def with_hidden(notation: Notation, program: Program) -> Notation:
    """The notation, with letters for subexpressions that the model gives no name.

    They are ``U_1, U_2, …`` (``u_1`` where there are less than two axes), or the next pair of
    letters that the model does not use.
    """
    heads = {name[0].lower() for name in notation.names if name[1:].strip("0123456789_") == ""}
    letter = next((c for c in "usqgar" if c not in heads), "u")
    spelling = dict(notation.spelling)
    hidden = (e for e in program.equations if e.hidden)
    for k, equation in enumerate(hidden, start=1):
        symbol = letter.upper() if len(equation.indices) > 1 else letter
        spelling[equation.name] = f"{symbol}_{{{k}}}"
    return replace(notation, spelling=spelling)


def latex_form(form: Expr | Term, notation: Notation | None = None) -> str:
    """LaTeX of a term or of an index expression: what a step of a derivation holds."""
    return latex_term(form, notation) if isinstance(form, Term) else latex_entry(form, notation)


def latex_equation(equation: Equation, notation: Notation | None = None) -> str:
    """The relation ``name = term``."""
    left = latex_term(name(equation.name, equation.shape), notation)
    return f"{left} = {latex_term(equation.term, notation)}"


def latex_derivative(
    derivative: Derivative,
    notation: Notation | None = None,
    directions: Mapping[str, str] = NO_DIRECTIONS,
) -> str:
    """The relation ``∇_W L = term``, or ``∂h/∂z = term`` for a Jacobian."""
    notation = notation or Notation(of=derivative.of)
    left = derivative_name(derivative, notation, directions)
    return f"{left} = {latex_term(derivative.equation.term, notation)}"


def derivative_name(
    derivative: Derivative, notation: Notation, directions: Mapping[str, str] = NO_DIRECTIONS
) -> str:
    """What stands left of ``=`` when the whole array is meant.

    A direction stands in square brackets: after the derivative that is multiplied with it from the
    right, before the one that is multiplied from the left.
    """
    if derivative.kind == GRADIENT:
        return latex_term(name(ADJOINT + derivative.wrt[0], derivative.shape), notation)
    if _on_the_way(derivative, notation, directions):
        return latex_term(name(derivative.equation.name, derivative.shape), notation)
    of, wrt = notation.name(derivative.of), [notation.name(n) for n in derivative.wrt]
    along = [(notation.name(x), notation.name(v)) for x, v in directions.items()]
    if derivative.kind == "hessian":
        below = rf"\partial {wrt[0]}^2"
        if len(wrt) == 2:
            below = rf"\partial {wrt[0]} \, \partial {wrt[1]}"
        return rf"\frac{{\partial^2 {of}}}{{{below}}}"
    if derivative.kind == "hvp":
        above = rf"\partial^2 {of}"
        terms = [(rf"\partial {wrt[0]} \, \partial {x}", v) for x, v in along]
        return " + ".join(rf"\frac{{{above}}}{{{below}}}[{v}]" for below, v in terms)
    if derivative.kind == "jvp":
        return " + ".join(rf"\frac{{\partial {of}}}{{\partial {x}}}[{v}]" for x, v in along)
    jacobian = rf"\frac{{\partial {of}}}{{\partial {wrt[0]}}}"
    if derivative.kind == "vjp":
        return f"[{notation.name(directions[derivative.of])}] {jacobian}"
    return jacobian


def _on_the_way(derivative: Derivative, notation: Notation, directions: Mapping[str, str]) -> bool:
    """Whether a tangent was derived on the way to a product with a direction: other equations
    name it.
    """
    if derivative.kind == "hvp":
        return derivative.wrt[0] not in directions
    return derivative.kind == "jvp" and derivative.of != notation.of


def derivative_entry(
    derivative: Derivative,
    rank_of: int,
    notation: Notation,
    directions: Mapping[str, str] = NO_DIRECTIONS,
) -> str:
    """What stands left of ``=`` when one entry is meant; ``rank_of`` axes belong to ``of``."""
    indices = derivative.equation.indices
    wrt = derivative.wrt[0]
    if derivative.kind == GRADIENT:
        return latex_entry(Entry(ADJOINT + wrt, *indices), notation)
    if derivative.kind == "jacobian":
        above, below = Entry(derivative.of, *indices[:rank_of]), Entry(wrt, *indices[rank_of:])
        return latex_entry(Partial(above, below), notation)
    if _on_the_way(derivative, notation, directions):
        return latex_entry(Entry(derivative.equation.name, *indices), notation)
    whole = derivative_name(derivative, notation, directions)
    if not indices:
        return whole
    return rf"\left( {whole} \right)_{{{','.join(index_letter(i.name) for i in indices)}}}"
