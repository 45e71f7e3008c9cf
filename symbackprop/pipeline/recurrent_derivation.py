"""A derivation in which quantities recur: each derivative at a generic step, its range, and its
boundary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from sympy import Expr

from symbackprop.backends.latex.recurrences import for_steps
from symbackprop.ir.derivation import Step
from symbackprop.ir.families import displayed, label_text, letter_symbol
from symbackprop.ir.members import as_member, as_members, range_of, step_of
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import Term, show_shape
from symbackprop.matrix.relabelling import Definition, put_in
from symbackprop.notation.text_printer import show, show_extent
from symbackprop.pipeline.derivation import Derivation, DerivativeResult
from symbackprop.pipeline.labels import show_generic
from symbackprop.pipeline.readable import Readable
from symbackprop.pipeline.recurrent_check import RecurrentChecker
from symbackprop.pipeline.recurrent_closed import RecurrentClosing


class RecurrentResult(DerivativeResult):
    """One derivative; of a family, at a generic step."""

    _owner: RecurrentDerivation

    @property
    def label(self) -> str:
        """``grad_H[l]``, or ``grad_U`` outside of families."""
        return self._member.name

    @cached_property
    def _member(self) -> Equation:
        return self._owner.shown(self._derivative.equation)

    @cached_property
    def boundary(self) -> tuple[str, ...]:
        """The equations of the members that the rule leaves out: ``grad_H[K] = …``."""
        shown = (self._owner.shown(e) for e in self._derivative.equations[1:])
        return tuple(f"{e.name} = {show(e.term)}" for e in shown)

    @property
    def boundary_lines(self) -> tuple[tuple[str, Callable[[], tuple[Step, ...]]], ...]:
        """The boundary, each with how to get the steps that lead to it."""
        told = self._derivative.recurrence
        lines = told.lines if told is not None else ()
        equations = self._derivative.equations[1:]
        return tuple(
            (text, lambda e=e, own=own: self._owner.shown_steps(e, own))
            for text, e, own in zip(self.boundary, equations, lines, strict=True)
        )

    @property
    def is_of_family(self) -> bool:
        return self._derivative.recurrence is not None

    @property
    def shape_text(self) -> str:
        return show_shape(self._derivative.shape[1 if self.is_of_family else 0 :])

    @property
    def steps_text(self) -> str:
        """For which steps the rule holds: ``for l in 1..K-1``; nothing outside of families."""
        told = range_of(self._owner.program, self._derivative.equation)
        if told is None:
            return ""
        letter, first, last = told
        return f"for {letter} in {label_text(first)}..{label_text(last)}"

    @property
    def closed_reason(self) -> str | None:
        if self.closed_term is None and self._owner.closing.recurs(self.name):
            told, named = self._derivative.recurrence, ""
            if told is not None and told.last.is_Integer:
                named = f"; ask for a member, such as {self.wrt}[{told.last}]"
            return f"it follows from a recurrence{named}"
        return super().closed_reason

    @cached_property
    def index(self) -> str:
        """The generic entry in index notation, with the steps for which it holds."""
        return f"{show_generic(self._owner.in_text(self._member))} {self.steps_text}".rstrip()

    @cached_property
    def latex(self) -> str:
        """The relation with its range, then those of the boundary."""
        parts = [self._relation(self._derivative.equation)]
        parts += [self._relation(e) for e in self._derivative.equations[1:]]
        return r", \qquad ".join(parts)

    def _relation(self, equation: Equation) -> str:
        owner, recurrence = self._owner, self._derivative.recurrence
        relation = owner.latex_relation(owner.shown(equation))
        told = range_of(owner.program, equation)
        if told is None:
            return relation
        downwards = recurrence is not None and recurrence.downwards
        return rf"{relation}, \quad {for_steps(*told, downwards, owner.notation)}"

    @property
    def steps(self) -> tuple[Step, ...]:
        """How it was reached, over members, hidden forward quantities written out."""
        owner, derivative = self._owner, self._derivative
        return owner.shown_steps(derivative.equation, derivative.steps)

    def as_json(
        self, *, closed: bool = True, steps: bool = True, checked: bool = True
    ) -> dict[str, Any]:
        out = super().as_json(closed=closed, steps=steps, checked=checked)
        told = range_of(self._owner.program, self._derivative.equation)
        if told is not None:
            letter, first, last = told
            out["recurrence"] = {
                "index": letter,
                "from": label_text(first),
                "to": label_text(last),
                "boundary": "; ".join(self.boundary) or None,
            }
        return out

    def __repr__(self) -> str:
        lines = [f"{self.label} = {self.text} {self.steps_text}".rstrip(), *self.boundary]
        return "\n".join(lines)


class RecurrentReadable(Readable):
    """What the hidden equations of a program with recurrences stand for, at each step."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        families = program.families.values()
        letters = (*(f.index for f in families), *program.loops)
        self._letters: Mapping[str, Expr] = {x: letter_symbol(x) for x in letters}
        self._definitions = {e.name: Definition(e.term, e.step) for e in self.hidden}

    def term(self, term: Term) -> Term:
        """``term`` with hidden quantities written out, at the step at which they stand."""
        return put_in(term, self._definitions, self._letters) if self._definitions else term


class RecurrentDerivation(Derivation):
    """All derivatives of one quantity, of families at a generic step."""

    result = RecurrentResult

    @cached_property
    def closing(self) -> RecurrentClosing:  # type: ignore[override]
        """Closed forms, where there are any."""
        return RecurrentClosing(self.record.derivatives, self.program)

    @cached_property
    def checker(self) -> RecurrentChecker:
        """Checks by proof and by value at drawn sizes."""
        return RecurrentChecker(self.record)

    @cached_property
    def reader(self) -> RecurrentReadable:
        return RecurrentReadable(self.program)

    def shown(self, equation: Equation) -> Equation:
        """An equation over members, hidden forward quantities written out."""
        return as_member(self.program, self.readable_equation(equation))

    def shown_steps(self, equation: Equation, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Lines of a derivation over members."""
        step = step_of(self.program, equation)
        return tuple(
            replace(s, form=displayed(s.form, self.program.families, step))
            if isinstance(s.form, Expr)
            else s
            for s in self.reader.steps(steps)
        )

    def readable_record(self) -> Any:
        """The record as people read it, over members."""
        return as_members(super().readable_record())

    def equations_json(self) -> list[dict[str, Any]]:
        """Forward equations, those of a recurrence at a generic step."""
        out = []
        for equation in self.program.visible():
            shown = self.shown(equation)
            told = range_of(self.program, equation)
            index, latex = show_generic(self.in_text(shown)), self.latex_relation(shown)
            item: dict[str, Any] = {
                "name": shown.name,
                "shape": [show_extent(e) for e in shown.shape],
                "text": show(equation.term),
                "index": index,
                "latex": latex,
            }
            if told is not None:
                letter, first, last = told
                item["index"] = f"{index} for {letter} in {label_text(first)}..{label_text(last)}"
                item["latex"] = rf"{latex}, \quad {for_steps(*told, False, self.notation)}"
                item["recurrence"] = {
                    "index": letter,
                    "from": label_text(first),
                    "to": label_text(last),
                }
            out.append(item)
        return out

    def as_lines(self, form: str) -> list[tuple[str, str, Callable[[], tuple[Step, ...]]]]:
        """A line for each rule and each boundary, from the last step down."""
        out: list[tuple[str, str, Callable[[], tuple[Step, ...]]]] = []
        for d, (body, shape, how) in zip(self.derivatives, super().as_lines(form), strict=True):
            assert isinstance(d, RecurrentResult), "a derivation has results of its own kind"
            rule = (body if form == "index" else f"{body} {d.steps_text}".rstrip(), shape, how)
            cases = [(line, shape, own) for line, own in d.boundary_lines]
            cases = cases if form == "array" else []
            out += [*cases[:1], rule, *cases[1:]]
        return out
