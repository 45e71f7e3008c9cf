"""Is it equal? A canonical form proves, an evaluation refutes, the rest is undecided.

The proof goes from cheap to dear: working form, multiplied out, defined quantities written out one
after the other, declared facts that relate entries, functions written by exponentials and steps,
one common denominator, cases. It stops at the first form in which the difference vanishes.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, preorder_traversal

from symbackprop.algebra.arguments import unify_arguments
from symbackprop.algebra.atoms import together_atoms
from symbackprop.algebra.context import Context, TooLarge
from symbackprop.algebra.declared import use_declared
from symbackprop.algebra.domain import known_nonnegative
from symbackprop.algebra.elementary import spell, to_elementary
from symbackprop.algebra.expand import expand
from symbackprop.algebra.exponents import split_exponents
from symbackprop.algebra.knowledge import inline, proof_context
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.rational import vanishing
from symbackprop.algebra.reflection import reflect
from symbackprop.algebra.refute import search
from symbackprop.algebra.whole_matrices import relate_matrices
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.program import Program
from symbackprop.ir.verdict import Different, Equal, Undecided, Verdict

NOT_FOUND = "equal at every point tried, but no proof was found"
NOWHERE_DEFINED = "no point was found at which both sides are defined"
CUT_SHORT = "equal at every point tried, but the proof was cut short: too many terms"


SHOWN = 60  # nodes of a side that is worth showing spelled out
BUDGET = 60_000  # steps of work before a proof is given up: a few seconds


def _nodes(e: Expr) -> int:
    return sum(1 for _ in preorder_traversal(e))


def decide(lhs: Expr, rhs: Expr, program: Program, *, seed: int = 0) -> Verdict:
    """Whether two entries with the same free indices are equal for all sizes, under the program's
    facts.

    Value first: a difference at a point is cheap to find and settles the matter. Then proof.
    """
    found = search(lhs, rhs, program, seed=seed)
    if found.witness is not None:
        return Different(found.witness)
    if not found.judged:
        return Undecided(NOWHERE_DEFINED)
    try:
        return _proof(lhs, rhs, program) or Undecided(NOT_FOUND)
    except TooLarge:
        return Undecided(CUT_SHORT)


def prove(lhs: Expr, rhs: Expr, program: Program) -> Equal | None:
    """A proof that ``lhs = rhs``, or None if none was found."""
    try:
        return _proof(lhs, rhs, program)
    except TooLarge:
        return None


def _proof(lhs: Expr, rhs: Expr, program: Program) -> Equal | None:
    context = proof_context(program)
    context.budget = BUDGET
    by: list[str] = []
    before: Expr = lhs - rhs
    for sentence, difference in _forms(lhs, rhs, program, context):
        if difference != before:
            by.append(sentence)
        before = difference
        if difference == 0:
            steps = tuple(by)
            return Equal(steps, tuple(context.used), _display(lhs, rhs, steps, context))
    return None


def _forms(lhs: Expr, rhs: Expr, program: Program, context: Context) -> Iterator[tuple[str, Expr]]:
    """The difference in ever more explicit forms, each with the sentence that leads to it."""
    difference = normalise(lhs - rhs, context)
    yield "order factors, split sums and collapse δ", difference
    difference = expand(difference, context)
    yield "multiply out", difference
    yield "one common denominator", vanishing(difference, context)
    sides = [lhs, rhs]
    for equation in reversed(program.equations):
        sides = [inline(side, (equation,)) for side in sides]
        if equation.name in entry_names(difference):
            difference = expand(inline(difference, (equation,)), context)
            label = "a subexpression" if equation.hidden else equation.name
            yield f"write {label} out", difference
    related = use_declared(difference, context)
    if related != difference:
        difference = related
        yield "use what is declared of its entries", difference
    related = relate_matrices(difference, program, context)
    if related != difference:
        difference = related
        yield "inverses and determinants of products by those of their factors", difference
    yield "one common denominator", vanishing(difference, context)
    reflected = expand(reflect(difference, context), context)
    if reflected != difference:
        difference = reflected
        yield "f(-u) by f(u)", difference
        yield "one common denominator", vanishing(difference, context)
    context.domain = known_nonnegative((sides[0], sides[1]), context)
    context.forget()
    yield from _elementary(difference, context)
    spelled = normalise(spell(difference, context), context)
    unified = unify_arguments(spelled, context)
    if unified != spelled:
        yield "compare the arguments of functions", unified
        yield from _elementary(unified, context)


def _elementary(difference: Expr, context: Context) -> Iterator[tuple[str, Expr]]:
    difference = expand(to_elementary(difference, context), context)
    yield "write functions by exp, log and step", difference
    related = use_declared(difference, context)
    if related != difference:
        difference = expand(split_exponents(related, context), context)
        yield "use what is declared of its entries", difference
    yield "one common denominator", vanishing(difference, context)


def _display(
    lhs: Expr, rhs: Expr, by: tuple[str, ...], context: Context
) -> tuple[tuple[Expr, Expr, str], ...]:
    """Both sides as a person would write them on the way: as given, definitions put in, one
    fraction.
    """
    lines = [(lhs, rhs, "as given")]
    spelled = normalise(spell(lhs, context), context), normalise(spell(rhs, context), context)
    explained = any("exp, log" in sentence for sentence in by)
    if explained and spelled != (lhs, rhs) and max(map(_nodes, spelled)) <= SHOWN:
        lines.append((*spelled, "by the definitions"))
        single = (
            together_atoms(to_elementary(lhs, context)),
            together_atoms(to_elementary(rhs, context)),
        )
        if single != spelled:
            lines.append((*single, "one fraction on each side"))
    return tuple(lines)


__all__ = ["decide", "inline", "prove"]
