"""Is it equal? A canonical form proves, an evaluation refutes, and what neither settles is undecided.

The proof goes from cheap to dear: working form, multiplied out, defined quantities written out one after the other, functions
written by exponentials and steps, one common denominator. It stops at the first form in which the difference vanishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Add, Expr, Integer, Mul, Pow, fraction

from symbackprop.algebra.context import Context
from symbackprop.algebra.elementary import spell, square_steps, to_elementary, together_atoms
from symbackprop.algebra.expand import TooLarge, expand, numerator
from symbackprop.algebra.knowledge import inline, proof_context
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.refute import refute
from symbackprop.ir.expressions import Entry, Index, IndexSum, entry_names, replace_entries, substitute
from symbackprop.ir.ordering import order_key
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.verdict import Different, Equal, Undecided, Verdict

MERGE_DEPTH = 3


def decide(lhs: Expr, rhs: Expr, program: Program, *, seed: int = 0) -> Verdict:
    """Whether two entries with the same free indices are equal for all sizes, under the program's facts.

    Value first: a difference at a point is cheap to find and settles the matter. Then proof.
    """
    witness = refute(lhs, rhs, program, seed=seed)
    if witness is not None:
        return Different(witness)
    return prove(lhs, rhs, program) or Undecided("equal at every point tried, but no proof was found")


def prove(lhs: Expr, rhs: Expr, program: Program) -> Equal | None:
    """A proof that ``lhs = rhs``, or None if none was found."""
    context = proof_context(program)
    by: list[str] = []
    before: Expr = lhs - rhs
    try:
        for sentence, difference in _forms(lhs, rhs, program, context):
            if difference != before:
                by.append(sentence)
            before = difference
            if difference == 0:
                return Equal(tuple(by), tuple(context.used), _display(lhs, rhs, tuple(by), program, context))
    except TooLarge:
        return None
    return None


def _forms(lhs: Expr, rhs: Expr, program: Program, context: Context) -> Iterator[tuple[str, Expr]]:
    """The difference in ever more explicit forms, each with the sentence that leads to it."""
    difference = normalise(lhs - rhs, context)
    yield "order factors, split sums and collapse δ", difference
    difference = expand(difference, context)
    yield "multiply out", difference
    yield "one common denominator", _vanishing(difference, context)
    for equation in reversed(program.equations):
        if equation.name in entry_names(difference):
            difference = expand(inline(difference, (equation,)), context)
            label = "a subexpression" if equation.hidden else equation.name
            yield f"write {label} out", difference
    yield "one common denominator", _vanishing(difference, context)
    difference = expand(to_elementary(difference, context), context)
    yield "write functions by exp, log and step", difference
    yield "one common denominator", _vanishing(difference, context)


def _vanishing(e: Expr, context: Context, depth: int = MERGE_DEPTH) -> Expr:
    """0 if ``e`` vanishes as a rational function of its atoms, sums with one range taken together; else some non-zero form."""
    if e == 0:
        return Integer(0)
    e = square_steps(e)
    e = _numerator(expand(e, context), context)
    e = expand(square_steps(e), context)
    if e == 0 or depth == 0:
        return e
    groups: dict[tuple[str, ...], tuple[Expr, tuple[Index, ...], list[Expr]]] = {}
    for term in Add.make_args(e):
        outside, bound, body = _split_sum(term)
        key = (order_key(outside), *(order_key(i) for i in bound))
        groups.setdefault(key, (outside, bound, []))[2].append(body)
    if all(not bound for _, bound, _ in groups.values()):
        return e
    for _, bound, bodies in groups.values():
        if not bound or len(bodies) < 2 or _vanishing(expand(Add(*bodies), context), context, depth - 1) != 0:
            return e
    return Integer(0)


def _split_sum(term: Expr) -> tuple[Expr, tuple[Index, ...], Expr]:
    """A term as (factors outside, bound indices, coefficient times body) of its widest sum."""
    coefficient, rest = term.as_coeff_Mul()
    sums = [f for f in Mul.make_args(rest) if isinstance(f, IndexSum)]
    if not sums:
        return Integer(1), (), term
    widest = max(sums, key=lambda s: (len(s.bound), order_key(s)))
    outside = Mul(*(f for f in Mul.make_args(rest) if f is not widest))
    return outside, widest.bound, coefficient * widest.body


def _numerator(e: Expr, context: Context) -> Expr:
    if _has_nested_fraction(e, inside=False):
        top, _ = fraction(together_atoms(e))
        return expand(top, context)
    return numerator(e, context)


def _has_nested_fraction(e: Expr, inside: bool) -> bool:
    """Whether a denominator holds a denominator, outside functions and sums, which are atoms here."""
    if isinstance(e, Pow) and e.exp.is_negative:
        return inside or _has_nested_fraction(e.base, inside=True)
    return isinstance(e, Add | Mul) and any(_has_nested_fraction(a, inside) for a in e.args)


def _display(
    lhs: Expr, rhs: Expr, by: tuple[str, ...], program: Program, context: Context
) -> tuple[tuple[Expr, Expr, str], ...]:
    """Both sides as a person would write them on the way: as given, definitions put in, one fraction."""
    lines = [(lhs, rhs, "as given")]
    spelled = normalise(spell(lhs, context), context), normalise(spell(rhs, context), context)
    if spelled != (lhs, rhs) and any("exp, log" in sentence for sentence in by):
        lines.append((*spelled, "by the definitions"))
        single = together_atoms(to_elementary(lhs, context)), together_atoms(to_elementary(rhs, context))
        if single != spelled:
            lines.append((*single, "one fraction on each side"))
    return tuple(lines)
