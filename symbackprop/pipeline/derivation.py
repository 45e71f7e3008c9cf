"""A derivation as its user sees it: derivatives by name, each with text, closed form, index form,
LaTeX and steps.

What is dear (closed forms, LaTeX, checks) is worked out when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from symbackprop.algebra.context import Context
from symbackprop.backends.latex.equations import notation_for
from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.symbols import Notation
from symbackprop.backends.latex.terms import latex_term
from symbackprop.calculus.reverse import PREFIX
from symbackprop.errors import Malformed
from symbackprop.ir.derivation import DerivationRecord, Derivative, Step
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import Term, show_shape
from symbackprop.ir.terms import name as name_term
from symbackprop.matrix.substitution import scale_in_front
from symbackprop.network.model import Model
from symbackprop.notation.text_printer import show, show_extent
from symbackprop.pipeline.check import Check, Checker
from symbackprop.pipeline.closed import SIZE_LIMIT, Closing
from symbackprop.pipeline.kronecker import kronecker_form
from symbackprop.pipeline.labels import indexed, label, latex_label, show_generic
from symbackprop.pipeline.presentation import FormMaker
from symbackprop.pipeline.readable import Readable
from symbackprop.pipeline.second_order import gauss_newton_steps

SCHEMA = 1
NOT_MATRIX_NOTATION = ("einsum", "index", "entries", "broadcast")


class DerivativeResult:
    """One derivative: its shape, array form, closed form, index form, LaTeX and steps."""

    def __init__(self, owner: Derivation, derivative: Derivative) -> None:
        self._owner, self._derivative = owner, derivative

    @property
    def wrt(self) -> str:
        """The name, or the comma-separated pair of names, by which was differentiated; what was
        derived on the way to a product with a direction goes by its own name, ``v_Z``.
        """
        if self._derivative.kind == "gradient" and self._owner.kind == "gradient":
            return self._derivative.wrt[0]
        if not self._owner.record.is_asked_for(self._derivative):
            return self.name
        return ",".join(self._derivative.wrt)

    @property
    def name(self) -> str:
        """What this derivative is called in the other ones: ``grad_W``."""
        return self._derivative.equation.name

    @property
    def label(self) -> str:
        """What stands left of ``=``: ``grad_W``, or ``d(yhat)/d(theta)`` for a Jacobian."""
        return label(self._derivative, self._owner.record)

    @property
    def shape(self) -> tuple[str, ...]:
        """Extents as text."""
        return tuple(show_extent(e) for e in self._derivative.shape)

    @property
    def shape_text(self) -> str:
        """The shape for people: ``N×M``; of a member, where it is a family."""
        return show_shape(self._derivative.shape)

    @property
    def term(self) -> Term:
        """The right side as a term, hidden forward quantities written out."""
        return self._owner.readable(self._derivative.equation.term)

    @cached_property
    def text(self) -> str:
        """The right side of one equation; it may name forward quantities and other adjoints."""
        return show(self.term)

    @cached_property
    def closed_term(self) -> Term | None:
        """The derivative in forward quantities alone; None above ``SIZE_LIMIT`` nodes."""
        term = self._owner.closing.term(self.name)
        return None if term is None else self._owner.readable(term)

    @property
    def closed(self) -> str | None:
        """:attr:`closed_term` as text."""
        return None if self.closed_term is None else show(self.closed_term)

    @property
    def closed_reason(self) -> str | None:
        """Why there is no closed form; None if there is one."""
        return (
            None
            if self.closed_term is not None
            else f"the closed form has more than {SIZE_LIMIT} nodes"
        )

    @property
    def closed_in_matrix_notation(self) -> bool:
        """Whether the closed form needs neither einsum nor subscripts nor entries."""
        return self.closed_term is not None and not _has_operation(
            self.closed_term, NOT_MATRIX_NOTATION
        )

    @cached_property
    def kronecker(self) -> str | None:
        """A Jacobian of a matrix by a matrix as ``d vec(Y) / d vec(X)``, columns stacked, by
        Kronecker products; None where there is no such form.
        """
        maker = FormMaker(self._owner.program)
        term = kronecker_form(self._derivative, maker)
        return None if term is None else show(scale_in_front(self._owner.readable(term)))

    @cached_property
    def index(self) -> str:
        """The generic entry in index notation."""
        equation = self._owner.readable_equation(self._derivative.equation)
        name = indexed(self.label, equation)
        return show_generic(self._owner.in_text(replace(equation, name=name)))

    @cached_property
    def latex(self) -> str:
        """The whole relation ``∇_W L = …`` in LaTeX."""
        if not self._owner.record.is_asked_for(self._derivative) or self._owner.kind == "gradient":
            return self._owner.latex_relation(replace(self._derivative.equation, term=self.term))
        left = latex_label(self._derivative, self._owner.record, self._owner.notation)
        return f"{left} = {latex_term(self.term, self._owner.notation)}"

    @property
    def steps(self) -> tuple[Step, ...]:
        """How it was reached, hidden forward quantities written out; by entries down to forward
        quantities if short.
        """
        steps = list(self._derivative.steps)
        whole = self._owner.closing.entry(self.name)
        if whole is not None and whole != self._derivative.equation.rhs:
            steps.insert(len(steps) - 1, Step(whole, "with the adjoints put in"))
        wrt = self._derivative.wrt
        structure = self._owner.gauss_newton_steps.get((wrt[0], wrt[-1]))
        if structure is not None:
            steps.insert(len(steps) - 1, structure)
        return self._owner.reader.steps(tuple(steps))

    def how(self) -> tuple[Step, ...]:
        """The steps, when they are asked for."""
        return self.steps

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts that were used on the way."""
        return tuple(dict.fromkeys(str(f) for f in self._derivative.facts))

    @cached_property
    def checked(self) -> Check:
        """The lifted form proved against the entry, and the whole against central differences."""
        return self._owner.checker.check(self._derivative)

    def as_json(
        self, *, closed: bool = True, steps: bool = True, checked: bool = True
    ) -> dict[str, Any]:
        """The fields of the language page."""
        out: dict[str, Any] = {"wrt": self.wrt, "shape": list(self.shape), "text": self.text}
        if closed:
            out["closed"] = self.closed
            if self.closed is None:
                out["closed_reason"] = self.closed_reason
            out["closed_in_matrix_notation"] = self.closed_in_matrix_notation
        out |= {"index": self.index, "latex": self.latex}
        if steps:
            out["steps"] = [_step_json(s, self._owner) for s in self.steps]
        out["facts"] = list(self.facts)
        if checked:
            out["checked"] = self.checked.as_json()
        return out

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        return f"{self.label} = {self.text}"


def _step_json(step: Step, owner: Derivation) -> dict[str, str]:
    latex = latex_term if isinstance(step.form, Term) else latex_entry
    return {
        "text": owner.step_text(step),
        "latex": latex(step.form, owner.notation),
        "because": step.because,
    }


def _has_operation(term: Term, operations: tuple[str, ...]) -> bool:
    return term.op in operations or any(_has_operation(a, operations) for a in term.args)


class Derivation(Mapping[Any, DerivativeResult]):
    """All derivatives of one quantity, by name: ``derivation["W"].text``; a Hessian block by
    pair.
    """

    result = DerivativeResult

    def __init__(
        self,
        model: Model,
        record: DerivationRecord,
        context: Context,
        later: Callable[[], DerivationRecord] | None = None,
    ) -> None:
        self.model, self.outline = model, record
        self._later = later
        self._context = context

    @cached_property
    def record(self) -> DerivationRecord:
        """The derivation as data; where ``outline`` has no derivatives yet they are derived now."""
        return self.outline if self._later is None else self._later()

    @cached_property
    def derivatives(self) -> tuple[DerivativeResult, ...]:
        """All of them, in order of derivation."""
        return tuple(self.result(self, d) for d in self.record.derivatives)

    @cached_property
    def _by_name(self) -> dict[str, DerivativeResult]:
        return {d.wrt: d for d in self.derivatives}

    @property
    def of(self) -> str:
        """The quantity that was differentiated."""
        return self.outline.of

    @property
    def kind(self) -> str:
        return self.outline.kind

    @property
    def layout(self) -> str:
        return self.outline.layout

    @property
    def program(self) -> Program:
        return self.outline.program

    @cached_property
    def closing(self) -> Closing:
        """Closed forms, made on demand and shared."""
        turned = (
            {d.equation.name for d in self.record.derivatives if len(d.shape) == 2}
            if self.layout == "jacobian"
            else ()
        )
        maker = FormMaker(self.record.program, turned, self._context.symmetric)
        return Closing(self.record.derivatives, maker, self._context, self.reader.hidden)

    @cached_property
    def gauss_newton_steps(self) -> Mapping[tuple[str, str], Step]:
        """How each block of a Hessian falls into ``Jᵀ J`` and curvature, by pair."""
        return gauss_newton_steps(self.record) if self.kind == "hessian" else {}

    @cached_property
    def checker(self) -> Checker:
        """Checks by proof and by value, made on demand; the points are shared."""
        return Checker(self.record)

    @cached_property
    def notation(self) -> Notation:
        """How formulas about this program are written in LaTeX."""
        return notation_for(self.record)

    def latex_relation(self, equation: Equation) -> str:
        """``name = term`` in LaTeX."""
        left = latex_term(name_term(equation.name, equation.shape), self.notation)
        return f"{left} = {latex_term(equation.term, self.notation)}"

    @cached_property
    def reader(self) -> Readable:
        """What hidden forward quantities stand for."""
        return Readable(self.program)

    def readable(self, term: Term) -> Term:
        """``term`` with hidden forward quantities written out."""
        return self.reader.term(term)

    def readable_equation(self, equation: Equation) -> Equation:
        """``equation`` with hidden forward quantities written out, in both notations."""
        return self.reader.equation(equation)

    def in_text(self, equation: Equation) -> Equation:
        """``equation`` with the formulas of hidden matrices in the place of their names."""
        return self.reader.spelled(equation)

    def step_text(self, step: Step) -> str:
        """What a step says, as text."""
        return self.reader.step_text(step)

    def readable_record(self) -> DerivationRecord:
        """The record as people read it: no hidden equations, none of their names."""
        return self.reader.record(self.record)

    def __getitem__(self, key: str | tuple[str, ...]) -> DerivativeResult:
        names = (key,) if isinstance(key, str) else key
        name = ",".join(self.model.member(n) for n in names)
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name)
            raise Malformed(f"one of the derivatives {known}", repr(name)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def equations_json(self) -> list[dict[str, Any]]:
        """The forward equations, as fields of the language page."""
        equations = []
        for equation in self.record.program.visible():
            shown = self.readable_equation(equation)
            equations.append(
                {
                    "name": equation.name,
                    "shape": [show_extent(e) for e in equation.shape],
                    "text": show(equation.term),
                    "index": show_generic(self.in_text(shown)),
                    "latex": self.latex_relation(shown),
                }
            )
        return equations

    def as_json(self, form: str | None = None) -> dict[str, Any]:
        """The document of ``derive --json``; ``form`` index or array leaves closed forms out."""
        wanted = form in (None, "closed")
        return {
            "schema": SCHEMA,
            "of": self.of,
            "kind": self.kind,
            "layout": self.layout,
            "equations": self.equations_json(),
            "derivatives": [
                d.as_json(closed=wanted)
                | ({"kronecker": d.kronecker} if form == "kronecker" else {})
                for d in self.derivatives
            ],
        }

    def as_text(self, form: str = "array", steps: bool = False) -> str:
        """The derivatives for a terminal, one a line, with shapes; ``steps`` adds how each was
        reached.
        """
        lines = self.as_lines(form)
        width = min(max((len(b) for b, _, _ in lines), default=0), 78)
        out = []
        for body, shape, how in lines:
            out.append(f"{body:<{width}}   # {shape}")
            if steps:
                out.extend(f"    = {self.step_text(s):<{width}}   ({s.because})" for s in how())
        return "\n".join(out)

    def as_lines(self, form: str) -> list[tuple[str, str, Callable[[], tuple[Step, ...]]]]:
        """Each derivative on a line, its shape, and how to get the steps that lead to it."""
        lines: list[tuple[str, str, Callable[[], tuple[Step, ...]]]] = []
        for d in self.derivatives:
            shape = d.shape_text
            if form == "index":
                body = d.index
            elif form == "kronecker":
                body = f"d vec({self.of})/d vec({d.wrt}) = {d.kronecker or '(no such form)'}"
                shape = "columns stacked"
            elif form == "closed":
                body = f"{d.label} = {d.closed or f'({d.closed_reason})'}"
            else:
                body = f"{d.label} = {d.text}"
            lines.append((body, shape, d.how))
        return lines

    def __str__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = r" \\ ".join(d.latex.replace("=", "&=", 1) for d in self.derivatives)
        return {
            "text/plain": str(self),
            "text/latex": rf"$\begin{{aligned}} {rows} \end{{aligned}}$",
        }


__all__ = ["PREFIX", "Derivation", "DerivativeResult"]
