"""The forms that a proof goes through, from cheap to dear: each is the difference of the two sides,
written more explicitly than the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Expr, Integer, nan, oo, preorder_traversal

from symbackprop.algebra.arguments import unify_arguments
from symbackprop.algebra.context import Context, TooLarge
from symbackprop.algebra.declared import use_declared
from symbackprop.algebra.domain import known_nonnegative
from symbackprop.algebra.elementary import spell, to_elementary
from symbackprop.algebra.expand import expand
from symbackprop.algebra.exponents import split_exponents
from symbackprop.algebra.knowledge import inline, inline_in_turn
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.rational import vanishing
from symbackprop.algebra.reflection import reflect
from symbackprop.algebra.whole_matrices import relate_matrices
from symbackprop.ir.expressions import Apply, FloorDiv, entry_names
from symbackprop.ir.program import Equation, Program

ELEMENTARY = "write functions by exp, log and step"
LOOKS = 3  # writings out before which it is tried whether another one alone suffices
SHORT, MOST_NAMES = 200, 10  # nodes and names of a difference for which that is cheap


def _tried(work: Callable[[Expr, Context], Expr], e: Expr, context: Context) -> Expr:
    """The result of a step, or ``e`` as it is where the step alone would take too much: a later,
    more explicit form may yet be short.
    """
    try:
        return work(e, context)
    except TooLarge:
        if context.exhausted:
            raise
        context.cut = True
        return e


def explicit_forms(
    lhs: Expr, rhs: Expr, program: Program, context: Context
) -> Iterator[tuple[str, Expr]]:
    """The difference in ever more explicit forms, each with the sentence that leads to it."""
    difference = normalise(lhs - rhs, context)
    yield "order factors, split sums and collapse δ", difference
    difference = _tried(expand, difference, context)
    yield "multiply out", difference
    yield "one common denominator", _tried(vanishing, difference, context)
    looks = LOOKS
    for equation in reversed(program.equations):
        if equation.name not in entry_names(difference):
            continue
        if looks:
            looks -= 1
            for sentence in _settled_early(difference, equation, program, context):
                yield sentence, Integer(0)
        difference = _tried(expand, inline(difference, (equation,)), context)
        yield _written(equation), difference
    related = use_declared(difference, context)
    if related != difference:
        difference = related
        yield "use what is declared of its entries", difference
    related = relate_matrices(difference, program, context)
    if related != difference:
        difference = related
        yield "inverses and determinants of products by those of their factors", difference
    yield "one common denominator", _tried(vanishing, difference, context)
    reflected = _tried(expand, reflect(difference, context), context)
    if reflected != difference:
        difference = reflected
        yield "f(-u) by f(u)", difference
        yield "one common denominator", _tried(vanishing, difference, context)
    sides = (inline_in_turn(side, reversed(program.equations)) for side in (lhs, rhs))
    context.domain = known_nonnegative(tuple(sides), context)
    context.forget()
    yield from _elementary(difference, context)
    spelled = normalise(spell(difference, context), context)
    unified = unify_arguments(spelled, context)
    if unified != spelled:
        yield "compare the arguments of functions", unified
        yield from _elementary(unified, context)


def node_count(e: Expr) -> int:
    """How many nodes an expression has; a floor, as in the height of an image that was halved again
    and again, counts as one.
    """
    count, walk = 0, preorder_traversal(e)
    for node in walk:
        count += 1
        if isinstance(node, FloorDiv):
            walk.skip()
    return count


def _written(equation: Equation) -> str:
    return f"write {'a subexpression' if equation.hidden else equation.name} out"


def _settled_early(
    difference: Expr, usual: Equation, program: Program, context: Context
) -> Iterator[str]:
    """What makes a short difference vanish, so that everything else may stay named: one equation
    other than the usual one written out, as that of a mean is in ``Σ (x - μ)``, or functions
    written by exp and log.
    """
    names = entry_names(difference)
    if len(names) > MOST_NAMES or node_count(difference) > SHORT:
        return
    cut, used = context.cut, dict(context.used)
    for equation in program.equations:
        # What brings in a new name does not cancel.
        if equation.name in names - {usual.name} and entry_names(equation.rhs) <= names:
            if _tried(expand, inline(difference, (equation,)), context) == 0:
                yield _written(equation)
            context.cut, context.used = cut, dict(used)
    if difference.atoms(Apply) and _is_finite(difference):
        spelled = _tried(expand, to_elementary(difference, context), context)
        if spelled == 0 or _tried(vanishing, spelled, context) == 0:
            yield ELEMENTARY
        context.cut, context.used = cut, dict(used)


def _is_finite(difference: Expr) -> bool:
    """Whether arithmetic may touch it: outside a padded window a maximum is of -∞."""
    return not difference.has(oo, -oo, nan)


def _elementary(difference: Expr, context: Context) -> Iterator[tuple[str, Expr]]:
    if not _is_finite(difference):
        return
    difference = _tried(expand, to_elementary(difference, context), context)
    yield ELEMENTARY, difference
    related = use_declared(difference, context)
    if related != difference:
        difference = expand(split_exponents(related, context), context)
        yield "use what is declared of its entries", difference
    yield "one common denominator", _tried(vanishing, difference, context)
