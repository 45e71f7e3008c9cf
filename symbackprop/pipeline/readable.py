"""A derivation as people read it: hidden forward quantities are written out, never named.

Lowering names what the user did not (``_1`` for ``X.T @ X`` inside ``inv``); here such names give
way to their formulas, in terms, in entries and in steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Expr

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import inline_in_turn
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.reverse import PREFIX
from symbackprop.ir.derivation import DerivationRecord, Step
from symbackprop.ir.expressions import MatrixFunction, entry_names
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import Term
from symbackprop.matrix.substitution import replace_names
from symbackprop.notation.text_printer import show, show_entry


class Readable:
    """What the hidden equations of one program stand for."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._terms: dict[str, Term] = {}
        for equation in program.equations:
            if equation.hidden:
                self._terms[equation.name] = replace_names(equation.term, self._terms)
        self.hidden = tuple(e for e in program.equations if e.hidden)
        """The equations that the user did not write, in order."""

    def term(self, term: Term) -> Term:
        """``term`` with hidden quantities written out."""
        return replace_names(term, self._terms) if self._terms else term

    def _entry(self, e: Expr) -> Expr:
        return inline_in_turn(e, self.hidden[::-1])

    def equation(self, equation: Equation) -> Equation:
        """``equation`` with hidden quantities written out, in both notations."""
        if not self.hidden:
            return equation
        plain = Context(self._program, folding=False)
        rhs = normalise(self._entry(equation.rhs), plain)
        return replace(equation, rhs=rhs, term=self.term(equation.term))

    def spelled(self, equation: Equation) -> Equation:
        """``equation`` with the formulas of hidden matrices in the place of their names."""
        return replace(equation, rhs=_spelled(equation.rhs, self._terms))

    def step_text(self, step: Step) -> str:
        """What a step says, as text."""
        if isinstance(step.form, Term):
            return show(step.form)
        return show_entry(_spelled(step.form, self._terms))

    def steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Steps in which no hidden quantity is named; those that speak of the adjoint of one are
        left out.
        """
        if not self.hidden:
            return steps
        adjoints = frozenset(PREFIX + e.name for e in self.hidden)
        out = []
        for s in steps:
            if isinstance(s.form, Term):
                out.append(Step(self.term(s.form), s.because))
            elif not entry_names(s.form) & adjoints:
                out.append(Step(self._entry(s.form), s.because))
        return tuple(out)

    def record(self, record: DerivationRecord) -> DerivationRecord:
        """The record without hidden equations and without their names."""
        equations = tuple(self.equation(e) for e in record.program.visible())
        derivatives = tuple(
            replace(d, equation=self.equation(d.equation), steps=self.steps(d.steps))
            for d in record.derivatives
        )
        program = replace(record.program, equations=equations)
        return replace(record, program=program, derivatives=derivatives)


def _spelled(e: Expr, hidden: Mapping[str, Term]) -> Expr:
    """``inv(_1)[i,j]`` with the formula of the hidden matrix for its name, in text."""
    if not (entry_names(e) & hidden.keys()):
        return e
    if isinstance(e, MatrixFunction) and e.name in hidden:
        return MatrixFunction(e.args[0], show(hidden[e.name]), *e.args[2:])
    return e.func(*(_spelled(a, hidden) if a.args else a for a in e.args))
