"""A library function without a spelling of its own in NumPy, written out by its definition.

The library defines every activation in primitives, so a new row needs nothing here: ``silu(z)``
arrives as ``z*sigmoid(z)`` in placeholders and leaves as a term at the operands.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce, singledispatch

from sympy import Add, Expr, Integer, Mul, Number, NumberSymbol, Pow, Rational, Symbol

from symbackprop.errors import NotSupported
from symbackprop.ir import terms
from symbackprop.ir.expressions import Apply, Compare, Where
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.terms import Term


def written_out(rule: FunctionRule, operands: tuple[Term, ...]) -> Term:
    """``f(u, …) → definition of f at u, …``; operands left out take their defaults."""
    given = len(rule.defaults) - (len(rule.parameters) - len(operands))
    filled = operands + tuple(terms.number(d) for d in rule.defaults[given:])
    if rule.definition is None or len(filled) != len(rule.parameters):
        raise NotSupported(
            f"a function with a definition for {len(operands)} operand(s)",
            f"{rule.name}",
            hint="write its formula out in the model",
        )
    at = {p.name: u for p, u in zip(rule.parameters, filled, strict=True)}
    return as_term(rule.definition, at)


@singledispatch
def as_term(e: Expr, at: Mapping[str, Term]) -> Term:
    """A scalar formula as a term, with placeholders replaced."""
    raise NotSupported("a formula in primitives", f"{type(e).__name__}: {e}")


@as_term.register
def _(e: Number, at: Mapping[str, Term]) -> Term:
    return terms.number(e)


@as_term.register
def _(e: NumberSymbol, at: Mapping[str, Term]) -> Term:
    return terms.constant(str(e))


@as_term.register
def _(e: Symbol, at: Mapping[str, Term]) -> Term:
    return at[e.name]


@as_term.register
def _(e: Apply, at: Mapping[str, Term]) -> Term:
    return terms.apply(e.name, *(as_term(u, at) for u in e.operands))


@as_term.register
def _(e: Compare, at: Mapping[str, Term]) -> Term:
    return terms.compare(e.op, as_term(e.args[1], at), as_term(e.args[2], at))


@as_term.register
def _(e: Where, at: Mapping[str, Term]) -> Term:
    return terms.where(*(as_term(a, at) for a in e.args))


@as_term.register
def _(e: Pow, at: Mapping[str, Term]) -> Term:
    return terms.power(as_term(e.base, at), as_term(e.exp, at))


@as_term.register
def _(e: Add, at: Mapping[str, Term]) -> Term:
    """Positive summands first, so that the others are subtracted: ``1 - z``, not ``-z + 1``."""
    plus = [a for a in e.args if not a.could_extract_minus_sign()]
    minus = [-a for a in e.args if a.could_extract_minus_sign()]
    if not plus:
        return terms.neg(reduce(terms.add, (as_term(a, at) for a in minus)))
    total = reduce(terms.add, (as_term(a, at) for a in plus))
    return reduce(terms.sub, (as_term(a, at) for a in minus), total)


@as_term.register
def _(e: Mul, at: Mapping[str, Term]) -> Term:
    coefficient, rest = e.as_coeff_Mul()
    if coefficient == -1:
        return terms.neg(as_term(rest, at))
    if coefficient.is_Rational and coefficient.q != 1:
        top = as_term(Integer(coefficient.p) * rest, at)
        return terms.div(top, terms.number(Rational(coefficient.q)))
    above = [f for f in e.args if not _is_below(f)]
    below = [f.base ** (-f.exp) for f in e.args if _is_below(f)]
    top = reduce(terms.mul, (as_term(f, at) for f in above)) if above else terms.number(1)
    return reduce(terms.div, (as_term(f, at) for f in below), top)


def _is_below(f: Expr) -> bool:
    return isinstance(f, Pow) and bool(f.exp.is_Rational) and f.exp.is_negative
