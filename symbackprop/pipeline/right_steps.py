"""The right step beside a wrong one: how it is derived entry by entry.

Takes a report, gives it with the derivation of every step that is wrong in itself: of a gradient
the chain rule and what becomes of it, of a forward quantity its definition. The lines are those of
``derive --steps``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.checking.hints import hinted
from symbackprop.checking.report import Report, StepReport
from symbackprop.errors import Malformed
from symbackprop.ir.expressions import Entry
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Term
from symbackprop.network.model import Model
from symbackprop.notation.text_printer import show, show_entry
from symbackprop.pipeline.compilation import derive, program_of


def presented(report: Report, model: Model, *, hint: bool, explain: bool) -> Report:
    """The report as it is asked for: without the answers, or with their derivations."""
    if hint:
        return hinted(report)
    return with_right_steps(report, model) if explain else report


def with_right_steps(report: Report, model: Model) -> Report:
    """The report, each wrong step with its derivation."""
    program = program_of(model)
    return replace(report, steps=tuple(_explained(s, model, program) for s in report.steps))


def _explained(step: StepReport, model: Model, program: Program) -> StepReport:
    if step.verdict != "refuted" or step.follows_from:
        return step
    return replace(step, derivation=tuple(_lines(step, model, program)))


def _lines(step: StepReport, model: Model, program: Program) -> Iterator[str]:
    equations = {e.name: e for e in program.equations if not e.hidden}
    known = {q.name for q in program.inputs} | equations.keys()
    if step.of in equations and step.kind not in ("gradient", "chain-rule"):
        own = equations[step.of]
        left = show_entry(Entry(own.name, *own.indices))
        yield f"{left} = {show_entry(own.rhs)}   (its definition)"
    elif step.of in known and not program.shape_of(program.output):
        yield from _gradient(step.of, model)


def _gradient(name: str, model: Model) -> Iterator[str]:
    try:
        found = derive(model, wrt=[name]).record.derivatives
    except Malformed:  # an input that the output does not depend on
        yield f"grad_{name} = 0   (the output does not depend on it)"
        return
    for d in found:
        if d.wrt == (name,):
            left = show_entry(Entry(d.equation.name, *d.equation.indices))
            for k, line in enumerate(d.steps):
                whole = isinstance(line.form, Term)
                shown = show(line.form) if isinstance(line.form, Term) else show_entry(line.form)
                head = d.equation.name if whole else left if k == 0 else " " * len(left)
                yield f"{head} = {shown}   ({line.because})"
