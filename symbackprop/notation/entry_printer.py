"""Index notation as text: ``sum[d](X[n,d]*W[m,d]) + b[m]``, in an order that people write.

A product shows its coefficient first, then scalars, then factors in the order of the indices left
of ``=``, then the rest, quotients last; a sum shows positive before negative summands and sums over
indices before entries; a coefficient that all summands share is drawn out. Canonical bound indices
(``_b1_0``) get the letter of their extent (N → n), or the next free of i, j, k, … avoiding every
name in sight.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

from sympy import Add, Basic, Expr, Integer, Mul, Pow, Rational, Symbol, oo, pi
from sympy.core.numbers import Infinity, NegativeInfinity, Pi

from symbackprop.ir.cholesky import FACTOR, INVERSE
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    InRange,
    MatrixFunction,
    Modulo,
    Partial,
    Series,
    Where,
    free_indices,
)
from symbackprop.ir.letters import letters
from symbackprop.ir.matrix_functions import exponent
from symbackprop.ir.ordering import order_key
from symbackprop.notation.numbers import show_number
from symbackprop.notation.spelling import RESERVED
from symbackprop.notation.words import CONSTANTS, ELEMENTWISE

COMPARE, SUM, PRODUCT, UNARY, POWER, POSTFIX = range(6)
Shown = tuple[str, int]
Key = tuple[int, tuple[int, ...], int, str]
HALF = Rational(1, 2)


@dataclass(frozen=True, slots=True)
class Letters:
    """The names that indices have where we are, those that must not be used, and the order of free
    indices.
    """

    names: dict[Basic, str]
    taken: frozenset[str]
    order: tuple[Index, ...]


def show_entry(e: Expr, order: Sequence[Index] = (), taken: Collection[str] = ()) -> str:
    """``e`` in index notation; ``order`` are the indices left of ``=``, ``taken`` further names to
    avoid.
    """
    return entry_with_level(e, order, taken)[0]


def entry_with_level(e: Expr, order: Sequence[Index] = (), taken: Collection[str] = ()) -> Shown:
    """The text of ``e`` and how tightly it binds."""
    free = (*order, *sorted(free_indices(e) - set(order), key=lambda i: i.name))
    # SymPy's atoms know no binders: what is no index is a name (or a function's), or an extent.
    named = {s.name for s in e.atoms(Symbol) if not isinstance(s, Index)}
    extents = {s.name for i in (*free, *e.atoms(Index)) for s in i.extent.free_symbols}
    avoid = RESERVED.union(CONSTANTS, taken, named, extents, (i.name for i in free))
    return _show(e, Letters({}, avoid, free))


def _is_plain(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_")


def extent_with_level(e: Expr) -> Shown:
    """An extent: ``H - R + 1``, without the spaces inside brackets."""
    return _show(e, Letters({}, frozenset(), ()))


def show_extent(e: object) -> str:
    """An extent or an affine index, written close: ``H-R+1``."""
    return extent_with_level(e)[0].replace(" ", "")


def _at(e: Expr, level: int, at: Letters) -> str:
    text, own = _show(e, at)
    return text if own >= level else f"({text})"


def _close(e: Expr, at: Letters) -> str:
    return _show(e, at)[0].replace(" ", "")


@singledispatch
def _show(e: Basic, at: Letters) -> Shown:
    raise TypeError(f"no index notation for {type(e).__name__}")


@_show.register
def _(e: Rational, at: Letters) -> Shown:
    text = show_number(e)
    return text, PRODUCT if "/" in text else UNARY if text.startswith("-") else POSTFIX


@_show.register(Pi)
@_show.register(Infinity)
@_show.register(NegativeInfinity)
def _(e: Expr, at: Letters) -> Shown:
    return {pi: ("pi", POSTFIX), oo: ("inf", POSTFIX), -oo: ("-inf", UNARY)}[e]


@_show.register
def _(e: Symbol, at: Letters) -> Shown:
    return at.names.get(e, e.name), POSTFIX


@_show.register
def _(e: Entry, at: Letters) -> Shown:
    if not e.indices:
        return e.name, POSTFIX
    places = ",".join(_close(i, at) for i in e.indices)
    if e.name.endswith("]"):  # a member of a family: W[l] at m, d is W[l,m,d]
        return f"{e.name[:-1]},{places}]", POSTFIX
    return f"{e.name}[{places}]", POSTFIX


@_show.register
def _(e: Series, at: Letters) -> Shown:
    inner = replace(at, taken=at.taken | {e.letter})
    ends = "..".join(_close(x, at) for x in e.args[2:])
    return f"sum[{e.letter} in {ends}]({_show(e.body, inner)[0]})", POSTFIX


@_show.register
def _(e: MatrixFunction, at: Letters) -> Shown:
    place = f"[{','.join(_close(i, at) for i in e.indices)}]" if e.indices else ""
    k = exponent(e.function)
    whole = f"{e.function}({e.name})" if k is None else f"matpow({e.name}, {k})"
    if e.function == INVERSE:
        whole = f"inv({FACTOR}({e.name}))"
    return f"{whole}{place}", POSTFIX


@_show.register(IndexSum)
@_show.register(IndexMax)
@_show.register(IndexProduct)
def _(e: IndexSum | IndexMax | IndexProduct, at: Letters) -> Shown:
    names = dict(at.names)
    taken = {*at.taken, *(at.names.get(i) or str(i.name) for i in free_indices(e))}
    for b in e.bound:
        kept = _is_plain(b.name) and b.name not in taken
        names[b] = b.name if kept else letters((b.extent,), taken)[0].name
        taken.add(names[b])
    inner = replace(at, names=names, taken=frozenset(taken))
    return f"{e.word}[{','.join(names[b] for b in e.bound)}]({_show(e.body, inner)[0]})", POSTFIX


@_show.register
def _(e: Delta, at: Letters) -> Shown:
    a, b = (_close(x, at) for x in e.args)
    return f"eq({a}, {b})", POSTFIX


@_show.register
def _(e: InRange, at: Letters) -> Shown:
    inside, n = e.args
    return f"(0 <= {_at(inside, SUM, at)})*({_at(inside, SUM, at)} < {_at(n, SUM, at)})", PRODUCT


@_show.register
def _(e: FloorDiv, at: Letters) -> Shown:
    return f"{_at(e.args[0], PRODUCT, at)}//{_at(e.args[1], UNARY, at)}", PRODUCT


@_show.register
def _(e: Modulo, at: Letters) -> Shown:
    return f"{_at(e.args[0], PRODUCT, at)}%{_at(e.args[1], UNARY, at)}", PRODUCT


@_show.register
def _(e: Compare, at: Letters) -> Shown:
    return f"{_at(e.args[1], SUM, at)} {e.op} {_at(e.args[2], SUM, at)}", COMPARE


@_show.register
def _(e: Where, at: Letters) -> Shown:
    return f"where({', '.join(_show(a, at)[0] for a in e.args)})", POSTFIX


@_show.register
def _(e: Apply, at: Letters) -> Shown:
    operands = e.operands
    _, defaults = ELEMENTWISE.get(e.name, (0, ()))
    if defaults and len(operands) > 1 and operands[-1] == defaults[-1]:
        operands = operands[:-1]
    return f"{e.name}({', '.join(_show(a, at)[0] for a in operands)})", POSTFIX


@_show.register
def _(e: Partial, at: Letters) -> Shown:
    a, b = (_show(x, at)[0] for x in e.args)
    return f"d({a})/d({b})", PRODUCT


@_show.register
def _(e: Pow, at: Letters) -> Shown:
    if _is_divisor(e):
        return _quotient(Integer(1), [], [e], at)
    base, exponent = e.args
    if exponent == HALF:
        return f"sqrt({_show(base, at)[0]})", POSTFIX
    return f"{_at(base, POSTFIX, at)}**{_at(exponent, UNARY, at)}", POWER


def _is_divisor(e: Basic) -> bool:
    return isinstance(e, Pow) and bool(e.exp.is_Rational and e.exp.is_negative)


@_show.register
def _(e: Mul, at: Letters) -> Shown:
    coefficient, factors = e.as_coeff_Mul()
    top: list[tuple[Key, str]] = []
    over: list[Expr] = []
    coefficient, listed = _without_minus(coefficient, Mul.make_args(factors))
    for f in listed:
        shared, inner = _content(f, at)
        number, extents = shared.as_coeff_Mul()
        coefficient *= number
        over += [g for g in (*Mul.make_args(extents), f) if _is_divisor(g)]
        top += [(_factor_key(g, at), _at(g, POWER, at)) for g in _plain_factors(extents)]
        if not _is_divisor(f):
            top.append((_factor_key(f, at), inner or _at(f, POWER, at)))
    return _quotient(coefficient, [text for _, text in sorted(top)], over, at)


def _without_minus(coefficient: Expr, factors: tuple[Expr, ...]) -> tuple[Expr, tuple[Expr, ...]]:
    """``-2 (y - yhat) x`` as ``2 (yhat - y) x``: a sum of both signs takes the minus in."""
    for k, f in enumerate(factors):
        if coefficient < 0 and isinstance(f, Add):
            signs = {a.as_coeff_Mul()[0] < 0 for a in f.args}
            if len(signs) == 2:
                turned = Add(*(-a for a in f.args))
                return -coefficient, (*factors[:k], turned, *factors[k + 1 :])
    return coefficient, factors


def _plain_factors(e: Expr) -> list[Expr]:
    return [f for f in Mul.make_args(e) if not _is_divisor(f) and f != 1]


def _content(f: Expr, at: Letters) -> tuple[Expr, str]:
    """What all summands of ``f`` share, and the text of the sum without it: ``2a - 2b`` has 2."""
    if not isinstance(f, Add):
        return Integer(1), ""
    parts = [_split(a) for a in f.args]
    shared = _magnitude(parts[0][0])
    if shared == 1 or any(_magnitude(c) != shared for c, _ in parts):
        return Integer(1), ""
    return shared, f"({_sum([(c / shared, rest) for c, rest in parts], at)})"


def _quotient(coefficient: Rational, top: list[str], over: list[Expr], at: Letters) -> Shown:
    """``2*a*b/N``: numerator of the coefficient, factors, one division by all negative powers."""
    text = show_number(coefficient)
    whole = "/" not in text
    p = abs(coefficient) if whole else Integer(abs(coefficient.p))
    powers = sorted((Pow(f.base, -f.exp) for f in over), key=lambda f: _factor_key(f, at))
    below = ([] if whole else [str(coefficient.q)]) + [_at(f, POWER, at) for f in powers]
    above = [show_number(p), *top] if p != 1 or not top else top
    sign = "-" if coefficient < 0 else ""
    product = sign + "*".join(above)
    if not below:
        return product, PRODUCT if len(above) > 1 else UNARY if sign else POWER
    return f"{product}/{below[0] if len(below) == 1 else '(' + '*'.join(below) + ')'}", PRODUCT


def _factor_key(f: Expr, at: Letters) -> Key:
    """Scalars, then by the free indices in their order, then what has bound indices alone.

    Entries stand before functions of them.
    """
    inside = free_indices(f)
    places = tuple(sorted(at.order.index(i) for i in inside if i in at.order))
    family = 0 if not inside else 1 if places else 2
    return family, places, _kind(f), order_key(f)


def _kind(f: Basic) -> int:
    if isinstance(f, Symbol):
        return 0
    if isinstance(f, Entry):
        return 1
    return 2 + (1 if isinstance(f, Pow) else 0)


@_show.register
def _(e: Add, at: Letters) -> Shown:
    shared, inner = _content(e, at)
    if not inner:
        return _sum([_split(a) for a in e.args], at), SUM
    number, extents = shared.as_coeff_Mul()
    top = [_at(f, POWER, at) for f in _plain_factors(extents)]
    over = [f for f in Mul.make_args(extents) if _is_divisor(f)]
    return _quotient(number, [*top, inner], over, at)


def _split(a: Expr) -> tuple[Expr, Expr]:
    """Numbers and extents of a summand, and the rest."""
    factors = Mul.make_args(a)
    outer = [f for f in factors if f.is_Rational or _is_extent(f)]
    if len(outer) == len(factors):  # An extent standing alone is a summand, no coefficient.
        outer = [f for f in factors if f.is_Rational]
    return Mul(*outer), Mul(*(f for f in factors if f not in outer))


def _is_extent(f: Basic) -> bool:
    base = f.base if isinstance(f, Pow) and f.exp.is_Integer else f
    return isinstance(base, Symbol) and not isinstance(base, Index) and base.is_integer is True


def _magnitude(c: Expr) -> Expr:
    """A coefficient of numbers and extents without its sign."""
    return -c if c.could_extract_minus_sign() else c


def _sum(parts: list[tuple[Expr, Expr]], at: Letters) -> str:
    """``a + b - c + 1``: what is added, what is taken away, and a number last, if not alone."""
    summands = [(c.could_extract_minus_sign(), Mul(c, rest)) for c, rest in parts]
    first = any(not negative and not s.is_Rational for negative, s in summands)
    summands.sort(key=lambda s: (first and s[1].is_Rational is True, s[0], *_summand_key(s[1])))
    text = ""
    for negative, summand in summands:
        shown = _at(-summand if negative else summand, PRODUCT, at)
        if text:
            text += f" - {shown}" if negative else f" + {shown}"
        else:
            text = f"-{shown}" if negative else shown
    return text


def _summand_key(summand: Expr) -> tuple[int, str]:
    """Sums over indices stand before plain entries."""
    return 0 if summand.has(IndexSum, IndexMax, IndexProduct) else 1, order_key(summand)
