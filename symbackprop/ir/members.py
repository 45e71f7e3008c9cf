"""A program with families as it is shown: an equation for each case, over members.

``H[l] = tanh(Z[l])`` is then an ordinary equation whose name is ``H[l]``, so that what prints
ordinary equations prints recurrences too; the steps for which it holds stand beside it.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer, expand

from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.derivation import Step as Line
from symbackprop.ir.families import (
    ADJOINT,
    Family,
    Step,
    displayed,
    family_of,
    letter_symbol,
    member,
)
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.terms import Shape


def step_of(program: Program, equation: Equation) -> Step | None:
    """The step at which an equation of a family is written; None for other equations."""
    family = family_of(equation.name, program.families)
    if family is None or equation.start is None:
        return None
    letter = letter_symbol(equation.step or family.index)
    return Step(letter, equation.indices[0], expand(equation.start + family.first))


def as_member(program: Program, equation: Equation) -> Equation:
    """An equation over members; its step is kept if it holds at more than one."""
    step = step_of(program, equation)
    rhs = displayed(equation.rhs, program.families, step)
    if step is None:
        return replace(equation, rhs=rhs)
    single = equation.indices[0].extent == 1
    label = step.offset if single else step.letter
    return replace(
        equation,
        name=member(equation.name, label),
        indices=equation.indices[1:],
        rhs=_settled(rhs, step) if single else rhs,
        start=None,
        step="" if single else step.letter.name,
    )


def _settled(e: Expr, step: Step) -> Expr:
    """``e`` with the one index of a single member gone."""
    return e.xreplace({step.place: Integer(0)}) if e.has(step.place) else e


def range_of(program: Program, equation: Equation) -> tuple[str, Expr, Expr] | None:
    """The letter, the first and the last step of an equation; None where it holds at one."""
    step = step_of(program, equation)
    if step is None or equation.indices[0].extent == 1:
        return None
    count: Expr = equation.indices[0].extent
    return step.letter.name, step.offset, expand(step.offset + count - 1)


def as_member_derivatives(program: Program, derivative: Derivative) -> tuple[Derivative, ...]:
    """A derivative of each case: the last member, the rule, the first member."""
    if derivative.recurrence is None:
        steps = _shown(program, derivative.equation, derivative.steps)
        return (replace(derivative, equation=as_member(program, derivative.equation), steps=steps),)
    out = []
    for equation in derivative.equations:
        own = as_member(program, equation)
        main = equation is derivative.equation
        steps = _shown(program, equation, derivative.steps) if main else ()
        if not main:
            place = derivative.recurrence.boundary.index(equation)
            steps = _shown(program, equation, derivative.recurrence.lines[place])
        out.append(
            replace(
                derivative,
                wrt=(own.name.removeprefix(ADJOINT),),
                shape=own.shape,
                equation=own,
                steps=steps,
                recurrence=replace(derivative.recurrence, boundary=()) if main else None,
            )
        )
    return (*out[1:2], out[0], *out[2:])


def _shown(program: Program, equation: Equation, steps: tuple[Line, ...]) -> tuple[Line, ...]:
    step = step_of(program, equation)
    return tuple(
        replace(s, form=displayed(s.form, program.families, step))
        if isinstance(s.form, Expr)
        else s
        for s in steps
    )


def as_member_program(program: Program) -> Program:
    """Equations and inputs over members."""
    return replace(
        program,
        inputs=tuple(input_member(q, program.families.get(q.name)) for q in program.inputs),
        equations=tuple(as_member(program, e) for e in program.equations),
        facts=tuple(replace(f, name=_member_name(f.name, program)) for f in program.facts),
    )


def _member_name(name: str, program: Program) -> str:
    family = program.families.get(name)
    return name if family is None else member(name, letter_symbol(family.index))


def input_member(q: Quantity, family: Family | None) -> Quantity:
    """An input over members, at the letter of its family."""
    if family is None:
        return q
    shape: Shape = q.shape[1:]
    return replace(q, name=member(q.name, letter_symbol(family.index)), shape=shape)


def as_members(record: DerivationRecord) -> DerivationRecord:
    """The whole record over members; one without families as it is."""
    program = record.program
    if not program.families:
        return record
    derivatives = (d for whole in record.derivatives for d in as_member_derivatives(program, whole))
    return replace(record, program=as_member_program(program), derivatives=tuple(derivatives))
