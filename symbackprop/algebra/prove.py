"""Is it equal? A canonical form proves, an evaluation refutes, the rest is undecided.

The proof goes from cheap to dear: working form, multiplied out, defined quantities written out one
after the other, declared facts that relate entries, functions written by exponentials and steps,
one common denominator, cases. It stops at the first form in which the difference vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr

from symbackprop.algebra.atoms import together_atoms
from symbackprop.algebra.context import Context, TooLarge, powered_arrays
from symbackprop.algebra.elementary import spell, to_elementary
from symbackprop.algebra.forms import explicit_forms, node_count
from symbackprop.algebra.knowledge import inline, proof_context
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.operators import vanishes_by_inverses
from symbackprop.algebra.refute import search
from symbackprop.ir.expressions import Apply
from symbackprop.ir.functions import PRIMITIVES
from symbackprop.ir.program import Program
from symbackprop.ir.verdict import Different, Equal, Undecided, Verdict

NOT_FOUND = "equal at every point tried, but no proof was found"
NOWHERE_DEFINED = "no point was found at which both sides are defined"
CUT_SHORT = "equal at every point tried, but the proof was cut short: too many terms"


BY_INVERSES = "products of matrices in order, with M M⁻¹ = M⁻¹ M = 1 of every inverse"
SLOPES = ("", "_prime", "_pprime")
SHOWN = 60  # nodes of a side that is worth showing spelled out
BUDGET = 60_000  # steps of work before a proof is given up: a few seconds


@dataclass(slots=True)
class Effort:
    """How many steps of work a proof may take, and how many it took."""

    budget: int = BUDGET
    spent: int = 0


def decide(lhs: Expr, rhs: Expr, program: Program, *, seed: int = 0) -> Verdict:
    """Whether two entries with the same free indices are equal for all sizes, under the program's
    facts.

    Value first: a difference at a point is cheap to find and settles the matter. Then proof.
    """
    refuted = _searched(lhs, rhs, program, seed)
    return refuted or _tried(lhs, rhs, program, Effort())


def confirm(lhs: Expr, rhs: Expr, program: Program, effort: Effort) -> Verdict:
    """The same of entries that agree at a few points: proof first, since it is what is to be
    expected, and exact values only where none is found.
    """
    found = _tried(lhs, rhs, program, effort)
    if isinstance(found, Equal):
        return found
    return _searched(lhs, rhs, program, 0) or found


def _searched(lhs: Expr, rhs: Expr, program: Program, seed: int) -> Verdict | None:
    """What evaluation settles; None where both sides agree wherever they were computed."""
    found = search(lhs, rhs, program, seed=seed)
    if found.witness is not None:
        return Different(found.witness)
    return None if found.judged else Undecided(NOWHERE_DEFINED)


def _tried(lhs: Expr, rhs: Expr, program: Program, effort: Effort) -> Verdict:
    """What the search for a proof comes to."""
    try:
        return _proof(lhs, rhs, program, effort) or Undecided(NOT_FOUND)
    except TooLarge:
        return Undecided(CUT_SHORT)


def prove(lhs: Expr, rhs: Expr, program: Program, effort: Effort | None = None) -> Equal | None:
    """A proof that ``lhs = rhs``, or None if none was found."""
    found = _tried(lhs, rhs, program, effort or Effort())
    return found if isinstance(found, Equal) else None


def _told_apart(lhs: Expr, rhs: Expr, program: Program) -> tuple[Expr, Expr, Program]:
    """The same question with abstract functions renamed that bear the name of a library function,
    so that no law of that function is used.
    """
    library = {*PRIMITIVES, *program.rules}
    clashing = {f + s: f"{f}°{s}" for f in program.functions if f in library for s in SLOPES}
    if not clashing:
        return lhs, rhs, program

    def renamed(e: Expr) -> Expr:
        return e.replace(
            lambda x: isinstance(x, Apply) and x.name in clashing,
            lambda x: Apply(clashing[x.name], *x.operands),
        )

    equations = tuple(replace(q, rhs=renamed(q.rhs)) for q in program.equations)
    functions = tuple(clashing.get(f, f) for f in program.functions)
    return renamed(lhs), renamed(rhs), replace(program, equations=equations, functions=functions)


def _proof(lhs: Expr, rhs: Expr, program: Program, effort: Effort) -> Equal | None:
    given = ((lhs, rhs, "as given"),)
    lhs, rhs, apart = _told_apart(lhs, rhs, program)
    shadowed, program = apart is not program, apart
    context = proof_context(program)
    context.budget = effort.budget
    context.powered |= powered_arrays((lhs, rhs))
    by: list[str] = []
    before: Expr = lhs - rhs
    try:
        for sentence, difference in explicit_forms(lhs, rhs, program, context):
            if difference != before:
                by.append(sentence)
            before = difference
            if difference == 0:
                steps = tuple(by)
                lines = given if shadowed else _display(lhs, rhs, steps, context)
                return Equal(steps, tuple(context.used), lines)
        if not shadowed and vanishes_by_inverses(lhs - rhs, context):
            return Equal((BY_INVERSES,), tuple(context.used), given)
    finally:
        effort.spent += context.work
    if context.cut:
        raise TooLarge
    return None


def _display(
    lhs: Expr, rhs: Expr, by: tuple[str, ...], context: Context
) -> tuple[tuple[Expr, Expr, str], ...]:
    """Both sides as a person would write them on the way: as given, definitions put in, one
    fraction.
    """
    lines = [(lhs, rhs, "as given")]
    spelled = normalise(spell(lhs, context), context), normalise(spell(rhs, context), context)
    explained = any("exp, log" in sentence for sentence in by)
    if explained and spelled != (lhs, rhs) and max(map(node_count, spelled)) <= SHOWN:
        lines.append((*spelled, "by the definitions"))
        single = (
            together_atoms(to_elementary(lhs, context)),
            together_atoms(to_elementary(rhs, context)),
        )
        if single != spelled:
            lines.append((*single, "one fraction on each side"))
    return tuple(lines)


__all__ = ["confirm", "decide", "inline", "prove"]
