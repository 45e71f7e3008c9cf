"""What is known of signs and zeros: strictly positive expressions, and expressions that vanish only
by accident.

An expression *vanishes only by accident* if its zeros have no interior, whatever the extents and
the values of discrete data: ``x - y`` does, ``relu(x)`` does not, nor does ``x[n] - mean(x)``,
which is 0 for one sample. Laws that fail on a kink, such as ``step(-u) = 1 - step(u)``, hold away
from kinks for the former alone.
"""

from __future__ import annotations

from functools import singledispatch

from sympy import Add, Expr, Mul, Pow, Symbol

from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexMax,
    IndexSum,
    InRange,
    Where,
    entry_names,
)

# Facts that leave an array free to move in every direction.
OPEN_FACTS = frozenset({"positive", "nonnegative", "unit", "invertible", "symmetric", "spd"})
# Functions that are analytic where they are defined, and constant nowhere.
ANALYTIC = frozenset({"exp", "log", "sin", "cos", "tanh", "sinh", "cosh", "erf"})


def is_positive(e: Expr, context: Context) -> bool:
    """Whether ``e`` is known to be > 0 wherever it is defined."""
    if e.is_Number:
        return bool(e > 0)
    return _positive(e, context)


@singledispatch
def _positive(e: Expr, context: Context) -> bool:
    return e.is_positive is True


@_positive.register
def _symbol(e: Symbol, context: Context) -> bool:
    return e.is_positive is True and not isinstance(e, Index)


@_positive.register
def _entry(e: Entry, context: Context) -> bool:
    return context.knows(e.name, "positive")


@_positive.register
def _apply(e: Apply, context: Context) -> bool:
    rule = context.rule(e.name)
    if rule is not None and e.name == "log":
        return is_positive(e.operands[0] - 1, context)
    return rule is not None and rule.sign == "positive"


@_positive.register
def _power(e: Pow, context: Context) -> bool:
    # A denominator is not 0 where the whole is defined.
    return is_positive(e.base, context) or (bool(e.exp.is_negative) and is_nonnegative(e, context))


@_positive.register
def _sum(e: Add, context: Context) -> bool:
    terms = e.args
    return any(is_positive(t, context) for t in terms) and all(
        is_nonnegative(t, context) for t in terms
    )


@_positive.register
def _product(e: Mul, context: Context) -> bool:
    return all(is_positive(f, context) for f in e.args)


@_positive.register(IndexSum)
@_positive.register(IndexMax)
def _bound(e: Expr, context: Context) -> bool:
    return is_positive(e.args[0], context)


def is_indicator(e: Expr) -> bool:
    """Whether the values of ``e`` are 0 and 1 alone, by its form."""
    if isinstance(e, Mul):
        return all(is_indicator(f) for f in e.args)
    if isinstance(e, Pow):
        return bool(e.exp.is_positive) and is_indicator(e.base)
    return isinstance(e, Compare | Delta | InRange) or (isinstance(e, Apply) and e.name == "step")


def has_cases(e: Expr, context: Context) -> bool:
    """Whether ``e`` holds something whose values are 0 and 1: it may be 0 in whole cases."""
    if isinstance(e, Entry):
        return context.knows(e.name, "binary")
    if isinstance(e, Where) or (is_indicator(e) and e != 1):
        return True
    return any(has_cases(a, context) for a in e.args if a.args)


def moves_freely(name: str, context: Context) -> bool:
    """Whether ``name`` is an input whose entries fill an open set."""
    declared = {q.name: q.role for q in context.program.inputs}
    if declared.get(name, "index") == "index":
        return False
    return all(f.kind in OPEN_FACTS for f in context.program.facts if f.name == name)


def vanishes_by_accident(u: Expr, context: Context) -> bool:
    """Whether the zeros of ``u`` have no interior; False where that is not known."""
    if u.is_Number:
        return u != 0
    if is_positive(u, context):
        return True
    if isinstance(u, Entry) and context.knows(u.name, "sign"):
        return True
    names = entry_names(u)
    if any(q.name in names for q in context.program.equations):
        return False  # what it is defined by is not seen
    if isinstance(u, Mul) and not any(_varies(u, x, context) for x in sorted(names)):
        return all(vanishes_by_accident(f, context) for f in u.args)
    if isinstance(u, Pow):
        return bool(u.exp.is_Rational) and vanishes_by_accident(u.base, context)
    return any(_varies(u, x, context) for x in sorted(names))


def _varies(u: Expr, x: str, context: Context) -> bool:
    """Whether ``u`` depends on the free input ``x`` in a way that cannot cancel: ``x`` occurs in
    one term alone, in one factor of it, and what stands beside it vanishes only by accident.
    """
    if not moves_freely(x, context):
        return False
    bearers = [t for t in Add.make_args(u) if x in entry_names(t)]
    if len(bearers) != 1:
        return False
    factors = Mul.make_args(bearers[0])
    inside = [f for f in factors if x in entry_names(f)]
    if len(inside) != 1 or not _factor_varies(inside[0], x, context):
        return False
    return all(f is inside[0] or vanishes_by_accident(f, context) for f in factors)


def _factor_varies(f: Expr, x: str, context: Context) -> bool:
    if isinstance(f, Entry):
        return f.name == x and not any(x in entry_names(i) for i in f.indices)
    if isinstance(f, Pow):
        return bool(f.exp.is_Rational) and _varies(f.base, x, context)
    if isinstance(f, Apply):
        smooth = f.name in ANALYTIC or f.name in context.program.functions
        return smooth and _varies(f.operands[0], x, context)
    if isinstance(f, IndexSum):
        # A polynomial whose monomials all have coefficient 1 is not 0.
        return all(_is_free_monomial(g, context) for g in Mul.make_args(f.body))
    return False


def _is_free_monomial(f: Expr, context: Context) -> bool:
    if isinstance(f, Pow):
        return (
            bool(f.exp.is_Integer)
            and bool(f.exp.is_positive)
            and _is_free_monomial(f.base, context)
        )
    return isinstance(f, Entry) and moves_freely(f.name, context)
