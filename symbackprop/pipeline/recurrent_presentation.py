"""Adjoints of a recurrence as derivatives: a family's cases become one derivative with its range
and its boundaries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Integer, expand

from symbackprop.algebra.context import Context
from symbackprop.calculus.reverse import PREFIX, Adjoint
from symbackprop.ir.derivation import Derivative, Recurrence, Step
from symbackprop.ir.expressions import Entry, Index, entries, entry_names, substitute
from symbackprop.ir.families import Family
from symbackprop.ir.program import Equation, Program
from symbackprop.pipeline.presentation import presented
from symbackprop.pipeline.recurrent_forms import MemberForms, step_of


def present_recurrent(
    adjoints: Sequence[Adjoint], of: str, program: Program, wrt: Sequence[str], context: Context
) -> tuple[Derivative, ...]:
    """Derivatives with lifted terms and complete steps; hidden adjoints are written out."""
    adjoints = [_trimmed(a, adjoints, program, wrt) for a in adjoints if _wanted(a, adjoints, wrt)]
    maker = MemberForms(program, context.symmetric)
    hidden: dict[str, Equation] = {}
    done: dict[str, Equation] = {}
    derivatives: dict[str, list[Derivative]] = {}
    waiting = {a.name: a for a in adjoints if a.hidden}

    def finish(adjoint: Adjoint) -> None:
        for name in sorted(entry_names(adjoint.entry) & waiting.keys()):
            finish(waiting.pop(name))
        context.used.clear()
        maker.at(step_of(program, adjoint.name, adjoint.indices, adjoint.start))
        derivative = presented(adjoint, of, done, hidden, maker, context)
        family = program.families.get(adjoint.of)
        if family is not None:
            start = Integer(0) if adjoint.start is None else adjoint.start
            equation = replace(derivative.equation, start=start, step=family.index)
            derivative = replace(derivative, equation=equation)
        if adjoint.start is None:
            done[adjoint.name] = derivative.equation
        if adjoint.hidden:
            hidden[adjoint.name] = derivative.equation
        else:
            derivatives.setdefault(adjoint.name, []).append(derivative)

    for adjoint in adjoints:
        if not adjoint.hidden:
            finish(adjoint)
    return tuple(
        _together(cases, program.families.get(name.removeprefix(PREFIX)), program)
        for name, cases in derivatives.items()
    )


def _wanted(adjoint: Adjoint, adjoints: Sequence[Adjoint], wrt: Sequence[str]) -> bool:
    """Whether a case of a family is asked for: the adjoint of the first member often is not."""
    if adjoint.start != 0 or adjoint.of in wrt or adjoint.indices[0].extent != 1:
        return True
    return _first_used(adjoint.name, adjoints)


def _first_used(name: str, adjoints: Sequence[Adjoint]) -> bool:
    return any(
        e.name == name and e.indices and e.indices[0] == 0
        for a in adjoints
        for e in entries(a.entry)
    )


def _trimmed(
    adjoint: Adjoint, adjoints: Sequence[Adjoint], program: Program, wrt: Sequence[str]
) -> Adjoint:
    """A case without the first member of a family, where that is a boundary nobody asks for."""
    family = program.families.get(adjoint.of)
    if family is None or adjoint.of in wrt or adjoint.indices[0].extent == 1:
        return adjoint
    bounded = any(e.name == adjoint.of and e.start != 0 for e in program.equations if e.start)
    begins = adjoint.start is None or adjoint.start == 0
    if not bounded or not begins or _first_used(adjoint.name, adjoints):
        return adjoint
    old = adjoint.indices[0]
    index = Index(old.name, expand(old.extent - 1))
    shift: dict[Index, Expr] = {old: Integer(1) if index.extent == 1 else index + 1}
    return replace(
        adjoint,
        indices=(index, *adjoint.indices[1:]),
        entry=substitute(adjoint.entry, shift),
        steps=tuple(
            Step(substitute(s.form, shift), s.because) if isinstance(s.form, Expr) else s
            for s in adjoint.steps
        ),
        start=Integer(1),
    )


def _together(cases: Sequence[Derivative], family: Family | None, program: Program) -> Derivative:
    """One derivative of several cases."""
    main = cases[0]
    if family is None:
        return main
    equation = main.equation
    assert equation.start is not None, "a case of a family has a start"
    first = expand(equation.start + family.first)
    last = expand(first + equation.indices[0].extent - 1)
    recurrence = Recurrence(
        family.index,
        first,
        last,
        tuple(c.equation for c in cases[1:]),
        _reaches_up(equation, program),
        tuple(c.steps for c in cases[1:]),
    )
    facts = tuple(dict.fromkeys(f for c in cases for f in c.facts))
    return replace(main, shape=program.shape_of(family.name), recurrence=recurrence, facts=facts)


def _reaches_up(equation: Equation, program: Program) -> bool:
    """Whether an adjoint uses one of a later step."""
    for e in entries(equation.rhs):
        if e.name.startswith(PREFIX) and _is_later(e, equation, program.families):
            return True
    return False


def _is_later(e: Entry, equation: Equation, families: Mapping[str, Family]) -> bool:
    family = families.get(e.name.removeprefix(PREFIX))
    mine = families.get(equation.name.removeprefix(PREFIX))
    if family is None or mine is None or not e.indices or equation.start is None:
        return False
    gap = expand(e.indices[0] + family.first - equation.indices[0] - equation.start - mine.first)
    return bool(gap.is_Integer and gap > 0)
