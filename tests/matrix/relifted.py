"""A formula lowered to index notation, normalised, and lifted again: lifting tested on text."""

from __future__ import annotations

from symbackprop.algebra.context import Context
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.prove import inline
from symbackprop.ir.expressions import Index
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Term
from symbackprop.matrix.lift import lift
from symbackprop.matrix.lower import entry
from symbackprop.notation.text_printer import show
from tests.small_programs import program, term


def relift(given: Program, formula: Term) -> Term:
    """``formula`` by way of its generic entry; hidden quantities that it needs are written out."""
    indices = tuple(Index(f"o{k}", extent) for k, extent in enumerate(formula.shape))
    e, further = entry(formula, indices, given)
    for equation in reversed(further):
        e = inline(e, (equation,))
    e = normalise(e, Context(given.extended(further), folding=False))
    shapes = {q.name: q.shape for q in given.inputs} | {q.name: q.shape for q in given.equations}
    written = {q.name: q.term for q in given.equations if q.hidden}
    return lift(e, indices, shapes, hints=[q.term for q in given.equations], written=written)


def relifted(declarations: str, *lines: str) -> str:
    """The last of ``lines`` as text, lifted against a program of the others."""
    *statements, formula = lines
    given = program(declarations, *statements)
    return show(relift(given, term(formula, given)))
