r"""Extents and places as written: ``2S``, ``O S T``, ``L - K + 1``, ``\lfloor i / 2 \rfloor``.

A tree becomes a whole number in terms of extents and letters; what its names mean is the caller's
to say. None where it is no such number: a quotient must come out, or stand between floors.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Integer, cancel, expand, together

from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import item_text, scripts_of
from symbackprop.ir.affine import floor_div, modulo
from symbackprop.notation.written import (
    Binary,
    Bracket,
    Fraction,
    Juxt,
    Name,
    Node,
    Number,
    Script,
    Terms,
)

Meaning = Callable[[Node], Expr | None]


def extent_of(node: Node, scope: Scope) -> Expr | None:
    """The extent that a tree says, in the model's dims."""
    return whole_number_of(node, lambda n: dim_of(n, scope))


def dim_of(node: Node, scope: Scope) -> Expr | None:
    """The dim that a symbol is: ``N``, or ``N_1`` for one called ``N1`` or ``N_1``."""
    scripts = scripts_of(node)
    if not isinstance(scripts.base, Name) or scripts.powers or scripts.turned or scripts.primes:
        return None
    parts = [item_text(i) for i in scripts.items]
    if not all(parts):
        return None
    base = scripts.base.text
    names = (base + "".join(parts), f"{base}_{''.join(parts)}" if parts else base)
    return next((scope.dims[n] for n in names if n in scope.dims), None)


def whole_number_of(node: Node, meaning: Meaning) -> Expr | None:
    """The whole number that a tree says; ``meaning`` gives that of its symbols."""
    found = _value(node, meaning)
    if found is None:
        return None
    numerator, denominator = together(found).as_numer_denom()
    if denominator == 1:
        return expand(found)
    exact = cancel(numerator / denominator)
    return expand(exact) if exact.as_numer_denom()[1] == 1 else None


def _value(node: Node, meaning: Meaning) -> Expr | None:
    match node:
        case Number(text=text):
            return Integer(int(text)) if text.isdigit() else None
        case Name() | Script():
            return meaning(node)
        case Bracket(kind=kind, items=(item,)):
            return _rounded(kind, _value(item, meaning))
        case Juxt(factors=factors):
            return _product([_value(f, meaning) for f in factors])
        case Terms(terms=terms):
            return _total([(t.sign, _value(t.body, meaning)) for t in terms])
        case Fraction(top=top, bottom=bottom):
            return _quotient(_value(top, meaning), _value(bottom, meaning))
        case Binary(op=op, left=left, right=right):
            return _operated(op, _value(left, meaning), _value(right, meaning))
    return None


def _total(parts: list[tuple[str, Expr | None]]) -> Expr | None:
    out: Expr = Integer(0)
    for sign, part in parts:
        if part is None:
            return None
        out = out - part if sign == "-" else out + part
    return out


def _product(parts: list[Expr | None]) -> Expr | None:
    out: Expr = Integer(1)
    for part in parts:
        if part is None:
            return None
        out = out * part
    return out


def _quotient(a: Expr | None, b: Expr | None) -> Expr | None:
    return None if a is None or b is None or b == 0 else a / b


def _operated(op: str, a: Expr | None, b: Expr | None) -> Expr | None:
    if a is None or b is None:
        return None
    if op in "*·×":
        return a * b
    if op == "/":
        return _quotient(a, b)
    return modulo(expand(a), b) if op == "mod" else None


def _rounded(kind: str, e: Expr | None) -> Expr | None:
    """What stands in brackets; ``⌈a / b⌉ = ⌊(a + b - 1) / b⌋``."""
    if e is None or kind not in "([{⌊⌈":
        return None
    if kind in "([{":
        return e
    a, b = together(e).as_numer_denom()
    return floor_div(expand(a + b - 1 if kind == "⌈" else a), expand(b))
