"""Scalar functions in their simplest terms: library functions by their definitions, hyperbolic and
logistic ones as exponentials, kinks as steps.

For proofs only. After :func:`to_elementary` an expression holds sums, products, powers, ``exp``,
``log``, ``sin``, ``cos``, ``erf``, ``step`` and abstract functions, each over canonical arguments.
A law that fails on a kink is used only where the kink is an accident
(:func:`symbackprop.algebra.signs.vanishes_by_accident`): identities hold away from kinks, by the
meaning of equality in the language.
"""

from __future__ import annotations

from functools import singledispatch

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.algebra.atoms import hide_atoms, together_atoms
from symbackprop.algebra.comparisons import outside_branches
from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.algebra.expand import expand
from symbackprop.algebra.exponents import split_exponents
from symbackprop.algebra.extrema import draw_out_of_extrema
from symbackprop.algebra.naming import primitive
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.signs import (
    has_cases,
    is_indicator,
    is_positive,
    vanishes_by_accident,
)
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    InRange,
    Where,
    entries,
)
from symbackprop.ir.functions import Z

ROUNDS = 4
SIGN_FACTORS = 3  # a step of a product of more factors than this is left whole


def _exp(u: Expr) -> Expr:
    return Apply("exp", u)


# fmt: off
EXPONENTIAL: dict[str, Expr] = {       # textbook definitions; Z stands for the operand
    "tanh": (_exp(2 * Z) - 1) / (_exp(2 * Z) + 1),
    "sinh": (_exp(Z) - _exp(-Z)) / 2,
    "cosh": (_exp(Z) + _exp(-Z)) / 2,
}
ODD, EVEN = ("sin", "erf"), ("cos",)
KINKED = ("abs", "sign", "step", "maximum", "minimum")
# fmt: on


def to_elementary(e: Expr, context: Context) -> Expr:
    """``e`` with every function of the library spelled out, exponents, steps and extrema split.

    What is split may show what can be drawn out of a step, a root or a maximum, so that all is done
    until it changes nothing.
    """
    e = _split(normalise(spell(e, context), context), context)
    for _ in range(ROUNDS):
        if not (e.has(IndexMax, IndexProduct) or _has_kink(e)):
            break
        before, e = e, _split(normalise(_resettled(e, context), context), context)
        if e == before:
            break
    return e


def _split(e: Expr, context: Context) -> Expr:
    return split_exponents(normalise(draw_out_of_extrema(e, context), context), context)


def _resettled(e: Expr, context: Context) -> Expr:
    """Functions with a kink by steps of canonical arguments, once more. Branches and guards stay as
    the first round left them: it saw what was divided by before that was spelled out.
    """
    if not e.args or isinstance(e, Entry | Index | Delta):
        return e
    inner = e.func(*(_resettled(a, context) if a.args else a for a in e.args))
    if isinstance(inner, Apply) and inner.name in KINKED and context.rule(inner.name) is not None:
        return _kinked(inner.name, inner.operands, context)
    return inner


def _has_kink(e: Expr) -> bool:
    return any(a.name in KINKED for a in e.atoms(Apply))


def spell(e: Expr, context: Context) -> Expr:
    """Library functions replaced by their definitions, down to ``exp``, ``log`` and ``step``."""
    if not e.args or isinstance(e, Entry | Index | Delta):
        return e
    return _spell(e, context)


@singledispatch
def _spell(e: Expr, context: Context) -> Expr:
    return e.func(*(spell(a, context) if a.args else a for a in e.args))


@_spell.register
def _where(e: Where, context: Context) -> Expr:
    """``where(c, a, b) = c a + (1 − c) b`` for an indicator ``c``; any other condition is made one.

    A branch that divides by what is 0 in whole cases stays guarded: there ``0 · (1/0)`` is 0.
    """
    condition, a, b = e.args
    if not is_indicator(condition):
        condition = Compare("!=", condition, 0)
    guarded = _divides_by_cases(a, context) or _divides_by_cases(b, context)
    c, a, b = (spell(x, context) for x in (condition, a, b))
    return Where(c, a, b) if guarded else a * c + b * (1 - c)


@_spell.register
def _product(e: Mul, context: Context) -> Expr:
    guards = [f for f in e.args if isinstance(f, Compare | InRange | Delta)]
    rest = Mul(*(f for f in e.args if f not in guards))
    if guards and _divides_by_cases(rest, context):
        return Where(Mul(*guards), spell(rest, context), 0)
    return Mul(*(spell(f, context) for f in e.args))


def _divides_by_cases(e: Expr, context: Context) -> bool:
    """Whether a denominator, root or logarithm in ``e`` may be 0 in whole cases."""
    if isinstance(e, Entry | Index | Delta) or not e.args:
        return False
    inside: Expr | None = None
    if isinstance(e, Pow) and not (e.exp.is_Integer and e.exp.is_positive):
        inside = e.base
    elif isinstance(e, Apply):
        rule = context.rule(e.name)
        if rule is not None and rule.definition is not None:
            return _divides_by_cases(rule.at(rule.definition, e.operands), context)
        inside = e.operands[0] if e.name == "log" else None
    if inside is not None and not is_positive(inside, context):
        if has_cases(spell(inside, context), context):
            return True
    return any(_divides_by_cases(a, context) for a in e.args if a.args)


@_spell.register
def _compare(e: Compare, context: Context) -> Expr:
    branches = outside_branches(e, context)
    if branches is not None:
        return spell(branches, context)
    a, b = (spell(x, context) for x in e.args[1:])
    if a.is_infinite or b.is_infinite:
        return Compare(e.op, a, b)
    by_cases = _by_values(Compare(e.op, a, b), context)
    if by_cases is not None:
        return by_cases
    if e.op in ("==", "!="):
        same = _coincidence(expand(a - b, context))
        return same if e.op == "==" else 1 - same
    difference = a - b if e.op in (">", "<=") else b - a
    above = step_of(difference, context)
    return above if e.op in (">", "<") else 1 - above


def _coincidence(difference: Expr) -> Expr:
    if difference.is_Number:
        return Integer(int(bool(difference == 0)))
    if isinstance(difference, Add):
        _, difference = primitive(difference)
    return Compare("==", difference, 0)


@_spell.register
def _apply(e: Apply, context: Context) -> Expr:
    operands = tuple(spell(u, context) for u in e.operands)
    rule = context.rule(e.name)
    if rule is None:
        return Apply(e.name, *(expand(u, context) for u in operands))
    if e.name in EXPONENTIAL:
        return EXPONENTIAL[e.name].xreplace({Z: operands[0]})
    if rule.definition is not None:
        return spell(rule.at(rule.definition, operands), context)
    if e.name in KINKED:
        by_cases = _by_values(Apply(e.name, *operands), context)
        return by_cases if by_cases is not None else _kinked(e.name, operands, context)
    u = together_atoms(operands[0]) if e.name == "exp" else expand(operands[0], context)
    if e.name in ODD + EVEN:
        content, _ = _signed(u)
        if content.is_negative:
            turned = Apply(e.name, expand(-u, context))
            return -turned if e.name in ODD else turned
    return Apply(e.name, u)


def _kinked(name: str, operands: tuple[Expr, ...], context: Context) -> Expr:
    """Functions with a kink by the step of what vanishes there, its sign chosen once and for all,
    so that ``max(a, b)`` and ``max(b, a)`` are the same even where they tie.
    """
    if name == "step":
        return step_of(operands[0], context)
    a, b = operands if len(operands) == 2 else (operands[0], Integer(0))
    u = expand(a - b, context)
    if name == "sign":
        return step_of(u, context) - step_of(-u, context)
    content, _ = _signed(u)
    if content.is_negative:
        a, b, u = b, a, -u
    above = step_of(u, context)
    if name == "abs":
        return u * (2 * above - 1)
    return b + u * above if name == "maximum" else a - u * above


def _signed(u: Expr) -> tuple[Expr, Expr]:
    """Content with sign, and primitive part, of a sum or a term."""
    return primitive(u) if isinstance(u, Add) else u.as_coeff_Mul()


def step_of(u: Expr, context: Context) -> Expr:
    """``step(u)`` by steps of canonical arguments.

    ``step(c u) = step(u)`` for c > 0; off the kink ``step(-u) = 1 − step(u)``, and the step of a
    product follows from those of its factors.
    """
    u = expand(together_atoms(expand(u, context)), context)
    if u.is_Number:
        return Integer(int(bool(u > 0)))
    content, u = _signed(u)
    up = bool(content.is_positive) or not content.is_number
    kept: list[Expr] = []
    for f in Mul.make_args(together_atoms(u)):
        if is_positive(f, context):
            continue
        if is_nonnegative(f, context) and vanishes_by_accident(f, context):
            continue
        kept.append(f.base if isinstance(f, Pow) and f.exp.is_Integer and f.exp % 2 else f)
    if not kept:
        return Integer(int(up))
    if len(kept) == 1 or len(kept) > SIGN_FACTORS:
        return _one_step(Mul(*kept), up, context)
    if not all(vanishes_by_accident(f, context) for f in kept):
        return _one_step(Mul(*kept), up, context)
    above: Expr = Integer(int(up))
    for f in kept:
        one = step_of(f, context)
        above = above * one + (1 - above) * (1 - one)
    return above


def _exponents(u: Expr) -> tuple[Expr, Expr] | None:
    """``v`` and ``w`` of ``exp(v) − exp(w)``, of which one may be 1."""
    terms = [t.as_coeff_Mul() for t in Add.make_args(u)]
    if sorted(c for c, _ in terms) != [-1, 1]:
        return None
    (_, low), (_, high) = sorted(terms, key=lambda term: term[0])
    pair = tuple(
        m.operands[0]
        if isinstance(m, Apply) and m.name == "exp"
        else Integer(0)
        if m == 1
        else None
        for m in (high, low)
    )
    return None if None in pair else (pair[0], pair[1])


def _one_step(u: Expr, up: bool, context: Context) -> Expr:
    u = expand(u, context)
    content, rest = _signed(u)
    pair = _exponents(rest)
    if pair is not None and context.rule("exp") is not None:
        return step_of((pair[0] - pair[1]) * (content if up else -content), context)
    up = up == bool(content.is_positive)
    # What is ≥ 0 is never below 0, wherever it vanishes.
    if not up and is_nonnegative(rest, context):
        return Integer(0)
    if up:
        return Apply("step", rest)
    return (
        1 - Apply("step", rest)
        if vanishes_by_accident(rest, context)
        else Apply("step", expand(-rest, context))
    )


def _by_values(e: Expr, context: Context) -> Expr | None:
    """A function of one discrete entry alone, by its values: ``g(y) = y g(1) + (1 − y) g(0)`` for
    binary y, ``(1 + y)/2 g(1) + (1 − y)/2 g(−1)`` for signs.
    """
    found = entries(e)
    if len(found) != 1 or e.has(IndexSum, IndexMax, IndexProduct):
        return None
    (y,) = found
    low = 0 if context.knows(y.name, "binary") else -1 if context.knows(y.name, "sign") else None
    if low is None:
        return None
    values = [normalise(spell(e.xreplace({y: Integer(v)}), context), context) for v in (1, low)]
    if not all(v.is_Number for v in values):
        return None
    share = (y - low) / (1 - low)
    return share * values[0] + (1 - share) * values[1]


__all__ = ["hide_atoms", "spell", "step_of", "to_elementary", "together_atoms"]
