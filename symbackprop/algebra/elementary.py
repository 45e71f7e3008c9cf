"""Scalar functions in their simplest terms: hyperbolic and logistic functions as exponentials, kinks as steps.

For proofs only. After :func:`to_elementary` an expression holds sums, products, powers, ``exp``, ``log``, ``sin``, ``cos``, ``erf``,
``step`` and abstract functions; exponentials are split so that ``exp(u + v) = exp(u) exp(v)`` and ``exp(z)`` is the square of
``exp(z/2)``, logarithms so that ``log(a/b) = log(a) − log(b)`` for positive a, b. Kinks are where a step jumps: identities hold
away from them, by the meaning of equality in the language.
"""

from __future__ import annotations

from functools import reduce

from sympy import Add, Dummy, Expr, Integer, Mul, Pow, Rational, gcd, together

from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.algebra.expand import expand
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.products import primitive
from symbackprop.ir.expressions import Apply, Compare, Delta, Entry, Index, Where
from symbackprop.ir.functions import ALPHA, Z
from symbackprop.ir.ordering import skeleton


def _exp(u: Expr) -> Expr:
    return Apply("exp", u)


def _step(u: Expr) -> Expr:
    return Apply("step", u)


# fmt: off
ELEMENTARY: dict[str, Expr] = {        # textbook definitions; Z and ALPHA stand for the operands
    "tanh":    (_exp(2 * Z) - 1) / (_exp(2 * Z) + 1),
    "sinh":    (_exp(Z) - _exp(-Z)) / 2,
    "cosh":    (_exp(Z) + _exp(-Z)) / 2,
    "sign":    2 * _step(Z) - 1,
    "abs":     Z * (2 * _step(Z) - 1),
    "maximum": ALPHA + (Z - ALPHA) * _step(Z - ALPHA),
    "minimum": Z - (Z - ALPHA) * _step(Z - ALPHA),
}
COMPARISONS: dict[str, Expr] = {       # off the kink, where both sides differ
    ">":  _step(Z - ALPHA), ">=": _step(Z - ALPHA),
    "<":  _step(ALPHA - Z), "<=": _step(ALPHA - Z),
}
# fmt: on


def to_elementary(e: Expr, context: Context) -> Expr:
    """``e`` with every function of the library spelled by ``exp``, ``log`` and ``step``, exponentials and steps split."""
    spelled = normalise(spell(e, context), context)
    return _split_exponentials(spelled, context)


def spell(e: Expr, context: Context) -> Expr:
    """Library functions replaced by their definitions, down to ``exp``, ``log`` and ``step``."""
    if not e.args or isinstance(e, Entry | Index | Delta):
        return e
    args = [spell(a, context) if a.args else a for a in e.args]
    if isinstance(e, Apply):
        return _spell_apply(e.name, args[1:], context)
    if isinstance(e, Compare) and e.op in COMPARISONS:
        return spell(COMPARISONS[e.op].xreplace({Z: args[1], ALPHA: args[2]}), context)
    if isinstance(e, Where):
        return args[1] * args[0] + args[2] * (1 - args[0])
    return e.func(*args)  # type: ignore[no-any-return]


def _spell_apply(name: str, operands: list[Expr], context: Context) -> Expr:
    if name in ELEMENTARY:
        form = ELEMENTARY[name].xreplace(dict(zip((Z, ALPHA), operands, strict=False)))
        return spell(form, context)
    rule = context.rule(name)
    if rule is not None and rule.definition is not None:
        return spell(rule.at(rule.definition, tuple(operands)), context)
    if name == "step":
        return _signed_step(operands[0], context)
    if name == "log":
        return _split_log(operands[0], context)
    if name == "exp":
        return _exp(together_atoms(operands[0]))
    return Apply(name, *operands)


def _signed_step(u: Expr, context: Context) -> Expr:
    """``step(-u) = 1 - step(u)`` and ``step(c u) = step(u)`` for c > 0, so that one argument stands for both signs."""
    u = expand(u, context)
    if u.is_Number:
        return Integer(1) if u > 0 else Integer(0)
    if isinstance(u, Add):
        content, u = primitive(u)
    else:
        content, u = u.as_coeff_Mul()
    positive = [f for f in Mul.make_args(u) if is_nonnegative(f, context)]
    if positive and len(positive) < len(Mul.make_args(u)):
        u = Mul(*(f for f in Mul.make_args(u) if f not in positive))
    elif positive:
        return Integer(1) if content > 0 else Integer(0)
    return _step(u) if content > 0 else 1 - _step(u)


def hide_atoms(u: Expr) -> tuple[Expr, dict[Dummy, Expr]]:
    """``u`` as a rational function of symbols that stand for our nodes, and what each stands for."""
    atoms: dict[Expr, Dummy] = {}

    def hide(x: Expr) -> Expr:
        if isinstance(x, Add | Mul) or (isinstance(x, Pow) and x.exp.is_Integer):
            return x.func(*(hide(a) for a in x.args))  # type: ignore[no-any-return]
        if not x.args and not isinstance(x, Index):
            return x
        return atoms.setdefault(x, Dummy(f"a{len(atoms)}"))

    return hide(u), {d: a for a, d in atoms.items()}


def together_atoms(u: Expr) -> Expr:
    """SymPy's ``together`` with our nodes as opaque symbols."""
    hidden, shown = hide_atoms(u)
    return together(hidden).xreplace(shown)  # type: ignore[no-any-return]


def _split_log(u: Expr, context: Context) -> Expr:
    """``log`` of a quotient or power of positive things, exponentials drawn out of sums."""
    terms = []
    for f in Mul.make_args(together_atoms(u)):
        base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        terms.append((base, exponent))
    doubtful = [(b, x) for b, x in terms if not is_nonnegative(b, context)]
    sure = [(b, x) for b, x in terms if is_nonnegative(b, context)]
    total = Add(*(x * _log_of_positive(b, context) for b, x in sure))
    if doubtful:
        total = total + Apply("log", Mul(*(Pow(b, x) for b, x in doubtful)))
    return total


def _log_of_positive(b: Expr, context: Context) -> Expr:
    if isinstance(b, Apply) and b.name == "exp":
        return b.operands[0]
    if isinstance(b, Pow) and b.exp.is_Rational:
        return b.exp * _log_of_positive(b.base, context)
    if isinstance(b, Add):
        split = _split_exponentials(expand(b, context), context)
        lowest: dict[Expr, Expr] = {}
        rows = []
        for t in Add.make_args(split):
            row = {}
            for f in Mul.make_args(t):
                base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
                if isinstance(base, Apply) and base.name == "exp":
                    row[base] = exponent
            rows.append(row)
        for base in {x: None for row in rows for x in row}:
            lowest[base] = min(row.get(base, Integer(0)) for row in rows)
        drawn = {base: x for base, x in lowest.items() if x != 0}
        if drawn:
            rest = expand(Mul(split, *(Pow(base, -x) for base, x in drawn.items())), context)
            return Apply("log", rest) + Add(*(x * base.operands[0] for base, x in drawn.items()))
    if b == 1:
        return Integer(0)
    return Apply("log", b)


def _split_exponentials(e: Expr, context: Context) -> Expr:
    """``exp(Σ c m) = Π exp(g m)^(c/g)``, g the greatest common divisor of all coefficients of the monomial m."""
    units: dict[str, Expr] = {}

    def gather(x: Expr) -> None:
        if isinstance(x, Apply) and x.name == "exp":
            for t in Add.make_args(expand(x.operands[0], context)):
                c, m = t.as_coeff_Mul()
                key = skeleton(m)
                units[key] = reduce(gcd, (units[key], abs(c))) if key in units else abs(c)
        for a in x.args:
            if a.args:
                gather(a)

    gather(e)
    if not units:
        return e

    def split(x: Expr) -> Expr:
        if not x.args or isinstance(x, Entry | Index):
            return x
        y = x.func(*(split(a) if a.args else a for a in x.args))
        if isinstance(y, Apply) and y.name == "exp":
            factors = []
            for t in Add.make_args(expand(y.operands[0], context)):
                c, m = t.as_coeff_Mul()
                unit = units.get(skeleton(m), abs(c))
                factors.append(Pow(_exp(unit * m), Rational(c) / unit) if c.is_Rational else _exp(t))
            return Mul(*factors)
        return y  # type: ignore[no-any-return]

    return normalise(split(e), context)


def square_steps(e: Expr) -> Expr:
    """``step(u)ᵏ → step(u)``: an indicator is its own square."""
    if not e.args or isinstance(e, Entry | Index):
        return e
    if isinstance(e, Pow) and e.exp.is_Integer and e.exp > 1 and _is_indicator(e.base):
        return e.base
    new = e.func(*(square_steps(a) if a.args else a for a in e.args))
    return new  # type: ignore[no-any-return]


def _is_indicator(e: Expr) -> bool:
    return isinstance(e, Compare) or (isinstance(e, Apply) and e.name == "step")


__all__ = ["hide_atoms", "spell", "square_steps", "to_elementary", "together_atoms"]
