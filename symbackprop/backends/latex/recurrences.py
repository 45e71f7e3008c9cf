r"""The steps of a recurrence in print: ``l = 1, \dots, K``, ``l = K - 1, \dots, 1``."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr

from symbackprop.backends.latex.index import index_letter, latex_entry
from symbackprop.backends.latex.symbols import Notation, notation_of
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.members import as_member, input_member, range_of
from symbackprop.ir.program import Program


def for_steps(letter: str, first: Expr, last: Expr, downwards: bool, notation: Notation) -> str:
    """The steps for which a rule holds, in the order in which it is applied."""
    ends = [latex_entry(e, notation) for e in (first, last)]
    begin, end = reversed(ends) if downwards else ends
    return rf"{index_letter(letter)} = {begin}, \dots, {end}"


def steps_of(record: DerivationRecord, notation: Notation) -> dict[str, str]:
    """For every member, forward or adjoint, the steps for which it is there; nothing for a record
    without families.
    """
    program = record.program
    out: dict[str, str] = {}
    for q in program.inputs:
        family = program.families.get(q.name)
        if family is not None:
            told = family.index, family.first, family.last
            out[input_member(q, family).name] = for_steps(*told, False, notation)
    adjoints = [
        (e, d.recurrence is not None and d.recurrence.downwards)
        for d in record.derivatives
        for e in d.equations
    ]
    for equation, downwards in (*((e, False) for e in program.equations), *adjoints):
        steps = range_of(program, equation)
        if steps is not None:
            name = as_member(program, equation).name
            out[name] = for_steps(*steps, downwards, notation)
    return out


def after_comma(steps: str) -> str:
    r"""The steps behind a formula: ``, \quad l = 1, \dots, K``."""
    return rf", \quad {steps}" if steps else ""


def notation_over_members(notation: Notation, program: Program) -> Notation:
    """The notation with the names of members among those that are taken."""
    known = notation_of(program, notation.of)
    order = {**known.order, **notation.order}
    return replace(notation, names=notation.names | known.names, order=order)
