"""Exponentials, logarithms, roots, sines and cosines, split into atoms over monomials. For proofs.

* ``exp(Σ c m) = Π exp(g m)^(c/g)``, g the greatest common divisor of all coefficients of the
  monomial m; ``exp(c log u) = u^c`` for u ≥ 0;
* ``log(a^x b) = x log(a) + log(b)`` for positive a and b, numbers by their primes; what is common
  to the terms of a sum is drawn out of its logarithm, root or reciprocal first;
* ``sin`` and ``cos`` of sums by the addition theorems, ``cos² = 1 − sin²``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from sympy import Add, Expr, Integer, Mul, Pow, Rational, factorint, gcd
from sympy import expand as multiply_out

from symbackprop.algebra.atoms import base_and_exponent, together_atoms
from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.algebra.expand import expand
from symbackprop.algebra.naming import primitive
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.signs import is_indicator
from symbackprop.ir.expressions import Apply, Delta, Entry, Index
from symbackprop.ir.ordering import order_key, skeleton

CIRCULAR = ("sin", "cos")
ROUNDS = 6  # functions nested deeper than this in each other are left as they are
ANGLES = 8  # multiples of an angle above this are left as they are
PRIME_LIMIT = 10**6


def split_exponents(e: Expr, context: Context) -> Expr:
    """``e`` with exponentials, logarithms, roots and circular functions split; the value stays."""
    for _ in range(ROUNDS):
        units: dict[tuple[str, str], Expr] = {}
        _gather(e, context, units, set())
        split = normalise(_split(e, units, context, {}), context)
        if split == e:
            break
        e = split
    return e


def _family(name: str) -> str:
    return "circle" if name in CIRCULAR else name


def _gather(x: Expr, context: Context, units: dict[tuple[str, str], Expr], seen: set[Expr]) -> None:
    """The greatest common divisor of the coefficients with which each monomial is an exponent or an
    angle.
    """
    if x in seen:
        return
    seen.add(x)
    if isinstance(x, Apply) and x.name in ("exp", *CIRCULAR) and _is_library(x, context):
        for t in Add.make_args(expand(x.operands[0], context)):
            c, m = t.as_coeff_Mul()
            key = _family(x.name), skeleton(m)
            units[key] = reduce(gcd, (units[key], abs(c))) if key in units else abs(c)
    for a in x.args:
        if a.args:
            _gather(a, context, units, seen)


def _is_library(x: Apply, context: Context) -> bool:
    return x.name not in context.program.functions


def _split(
    x: Expr, units: dict[tuple[str, str], Expr], context: Context, done: dict[Expr, Expr]
) -> Expr:
    if not x.args or isinstance(x, Entry | Index | Delta):
        return x
    if x not in done:
        context.spend(1)
        inner = x.func(*(_split(a, units, context, done) if a.args else a for a in x.args))
        done[x] = _split_root(inner, units, context)
    return done[x]


def _split_root(y: Expr, units: dict[tuple[str, str], Expr], context: Context) -> Expr:
    if isinstance(y, Apply) and y.name in RULES and _is_library(y, context):
        return RULES[y.name](y.operands[0], units, context)
    if isinstance(y, Pow) and y.exp.is_Rational and (not y.exp.is_Integer or y.exp.is_negative):
        return _split_power(y, context)
    return y


def _split_exp(u: Expr, units: dict[tuple[str, str], Expr], context: Context) -> Expr:
    factors = []
    for t in Add.make_args(expand(u, context)):
        c, m = t.as_coeff_Mul()
        if not c.is_Rational:
            factors.append(Apply("exp", t))
        elif isinstance(m, Apply) and m.name == "log" and is_nonnegative(m.operands[0], context):
            factors.append(Pow(m.operands[0], c))
        else:
            unit = units.get(("exp", skeleton(m)), abs(c))
            factors.append(Pow(Apply("exp", unit * m), c / unit))
    return Mul(*factors)


def _split_log(u: Expr, units: dict[tuple[str, str], Expr], context: Context) -> Expr:
    total: Expr = Integer(0)
    doubtful: list[Expr] = []
    for base, exponent in _positive_factors(u, context, doubtful):
        total = total + exponent * _log_of_positive(base, context)
    return total + Apply("log", Mul(*doubtful)) if doubtful else total


def _log_of_positive(b: Expr, context: Context) -> Expr:
    if b.is_Rational and max(b.p, b.q) < PRIME_LIMIT:
        return Add(*(k * Apply("log", p) for p, k in factorint(b).items()))
    if isinstance(b, Apply) and b.name == "exp" and _is_library(b, context):
        return b.operands[0]
    return Apply("log", b)


def _split_power(p: Pow, context: Context) -> Expr:
    """``(a b)^x = a^x b^x`` for a ≥ 0, what is common to the terms of a sum drawn out."""
    doubtful: list[Expr] = []
    known = [Pow(b, x * p.exp) for b, x in _positive_factors(p.base, context, doubtful)]
    return Mul(*known, Pow(Mul(*doubtful), p.exp)) if doubtful else Mul(*known)


def _positive_factors(u: Expr, context: Context, doubtful: list[Expr]) -> list[tuple[Expr, Expr]]:
    """Factors of ``u`` that are known to be ≥ 0, as base and exponent; the others go to
    ``doubtful``, with the sign.
    """
    known: list[tuple[Expr, Expr]] = []
    for f in Mul.make_args(together_atoms(u)):
        base, exponent = base_and_exponent(f)
        if f.is_Number:
            if f.is_negative:
                doubtful.append(Integer(-1))
            known.append((abs(f), Integer(1)))
        elif isinstance(base, Add):
            common, rest = draw_out(base, context)
            for part in Mul.make_args(common):
                b, x = base_and_exponent(part)
                if is_nonnegative(b, context):
                    known.append((b, x * exponent))
                elif exponent.is_Integer:
                    doubtful.append(Pow(part, exponent))
                else:
                    rest = expand(rest * part, context)
            _place(rest, exponent, known, doubtful, context)
        else:
            _place(base, exponent, known, doubtful, context)
    return [(b, x) for b, x in known if b != 1]


def _place(
    base: Expr,
    exponent: Expr,
    known: list[tuple[Expr, Expr]],
    doubtful: list[Expr],
    context: Context,
) -> None:
    if is_nonnegative(base, context):
        inner, power = base_and_exponent(base)
        if isinstance(base, Pow) and power.is_Rational and is_nonnegative(inner, context):
            known.append((inner, power * exponent))
        else:
            known.append((base, exponent))
    elif exponent.is_Integer and exponent % 2 == 0:
        known.append((Apply("abs", base), exponent))
    else:
        doubtful.append(Pow(base, exponent))


def draw_out(e: Add, context: Context) -> tuple[Expr, Expr]:
    """``e`` as what its terms have in common (number and powers) times a primitive rest."""
    content, inner = primitive(e)
    rows: list[dict[Expr, Expr]] = []
    for t in Add.make_args(inner):
        rows.append(dict(base_and_exponent(f) for f in Mul.make_args(t) if not f.is_Number))
    common: list[Expr] = []
    for base in sorted({b for row in rows for b in row}, key=order_key):
        if all(row.get(base, Integer(0)).is_Rational for row in rows):
            lowest = min(row.get(base, Integer(0)) for row in rows)
            if lowest != 0:
                common.append(Pow(base, lowest))
    if common:
        clear = [Pow(f, -1) for f in common]
        inner = expand(Add(*(Mul(t, *clear) for t in Add.make_args(inner))), context)
        if isinstance(inner, Add):
            further, inner = primitive(inner)
            content = content * further
    if content.is_negative:
        content, inner = -content, expand(-inner, context)
    return Mul(content, *common), inner


def _split_sin(u: Expr, units: dict[tuple[str, str], Expr], context: Context) -> Expr:
    return _circle(u, units, context)[0]


def _split_cos(u: Expr, units: dict[tuple[str, str], Expr], context: Context) -> Expr:
    return _circle(u, units, context)[1]


def _circle(u: Expr, units: dict[tuple[str, str], Expr], context: Context) -> tuple[Expr, Expr]:
    """Sine and cosine of a sum of multiples of monomials."""
    sine, cosine = Integer(0), Integer(1)
    for t in Add.make_args(expand(u, context)):
        c, m = t.as_coeff_Mul()
        unit = units.get(("circle", skeleton(m)), abs(c))
        times = c / unit if c.is_Rational and unit != 0 else Rational(1, 2)
        if t == 0:
            continue
        if times.is_Integer and abs(times) <= ANGLES:
            angle = unit * m
        else:
            angle, times = t, Integer(1)
        step = Apply("sin", angle), Apply("cos", angle)
        if times.is_negative:
            step = -step[0], step[1]
        for _ in range(abs(int(times))):
            sine, cosine = (
                multiply_out(sine * step[1] + cosine * step[0]),
                multiply_out(cosine * step[1] - sine * step[0]),
            )
    return sine, cosine


Rule = Callable[[Expr, dict[tuple[str, str], Expr], Context], Expr]
RULES: dict[str, Rule] = {
    "exp": _split_exp,
    "log": _split_log,
    "sin": _split_sin,
    "cos": _split_cos,
}


def reduce_powers(e: Expr) -> Expr:
    """``step(u)ᵏ → step(u)`` and ``cos(u)² → 1 − sin(u)²``."""
    if not e.args or isinstance(e, Entry | Index):
        return e
    if isinstance(e, Pow) and e.exp.is_Integer and e.exp > 1:
        base = reduce_powers(e.base)
        if is_indicator(base):
            return base
        if isinstance(base, Apply) and base.name == "cos":
            whole, odd = divmod(int(e.exp), 2)
            return Pow(1 - Apply("sin", *base.operands) ** 2, whole) * Pow(base, odd)
        return Pow(base, e.exp)
    return e.func(*(reduce_powers(a) if a.args else a for a in e.args))
