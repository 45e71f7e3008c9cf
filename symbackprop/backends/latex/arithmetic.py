r"""Sums, products and powers of entries → LaTeX, in the order in which people write them.

SymPy keeps sums and products in an order of its own and multiplies numbers into sums; here
``2a − 2b`` is written ``2 (a - b)``, positive summands come first, factors by kind, negative powers
below a line. Takes a node and the writer of its parts (``index.Writer``), gives a piece.
"""

from __future__ import annotations

from typing import Protocol

from sympy import Add, Basic, Expr, Integer, Mul, Pow, Rational, Symbol, gcd_list

from symbackprop.backends.latex.display import width
from symbackprop.backends.latex.pieces import (
    ATOM,
    HADAMARD,
    POWER,
    SUM,
    Piece,
    at_least,
    product,
    quotient,
    total,
)
from symbackprop.backends.latex.symbols import ADJOINT, Notation
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
    Partial,
)


class Writer(Protocol):
    """What the rules need: pieces for the parts, and the notation."""

    @property
    def notation(self) -> Notation: ...

    def __call__(self, node: Basic) -> Piece: ...


# How wide a numerator may be, in signs; a wider one stands after 1 over the denominator.
ABOVE_THE_LINE = 27.0
# fmt: off
# The order of factors in print: numbers, extents, adjoints, derivatives, all else, δ; sums last.
_KINDS: tuple[tuple[type[Basic], int], ...] = (
    (Rational, 0), (Index, 4), (Symbol, 1), (Partial, 3), (Delta, 6), (InRange, 6), (Compare, 6),
    (IndexSum, 7), (IndexProduct, 7), (IndexMax, 7),
)
# fmt: on


def write_power(node: Pow, writer: Writer) -> Piece:
    base, exponent = node.as_base_exp()
    if exponent.is_Rational and exponent < 0:
        return quotient(Piece("1"), writer(Pow(base, -exponent)))
    if exponent == Rational(1, 2):
        return Piece(rf"\sqrt{{{writer(base).text}}}")
    return Piece(f"{at_least(writer(base), ATOM)}^{{{exponent_text(exponent, writer)}}}", POWER)


def exponent_text(e: Expr, writer: Writer) -> str:
    """An exponent, where a fraction is written ``z/2``: another line would be too small to read."""
    coefficient, rest = e.as_coeff_Mul()
    if not coefficient.is_Rational or coefficient.q == 1 or isinstance(rest, Mul | Add):
        return writer(e).text
    above = writer(coefficient.p * rest).text
    return f"{above}/{coefficient.q}"


def write_sum(node: Add, writer: Writer) -> Piece:
    content, summands = _content(node)
    if content != 1:
        return write_product(Mul(content, Add(*summands), evaluate=False), writer)
    return total([(False, p) for p in _ordered_summands(list(summands), writer)])


def _content(node: Add) -> tuple[Expr, tuple[Expr, ...]]:
    """``2a − 2b`` as 2 and ``a, −b``: what all summands share and people write in front.

    That is a whole number, a sign where every summand has it, and a common power of an extent.
    """
    split = [a.as_coeff_Mul() for a in node.args]
    shared: Expr = gcd_list([abs(c) for c, _ in split])
    if not (shared.is_Integer and shared > 1):
        shared = Integer(1)
    if all(bool(c < 0) for c, _ in split):
        shared = -shared
    for factor in Mul.make_args(split[0][1]):
        base, exponent = factor.as_base_exp()
        if isinstance(base, Symbol) and not isinstance(base, Index) and exponent.is_Rational:
            if all(factor in Mul.make_args(rest) for _, rest in split):
                shared = shared * factor
    return shared, tuple(a / shared for a in node.args)


def _ordered_summands(summands: list[Expr], writer: Writer) -> list[Piece]:
    """Positive before negative; a number first unless only extents and letters are added."""
    letters_only = not any(a.has(Entry, Apply) for a in summands)

    def rank(e: Expr) -> tuple[bool, int, int]:
        sign = bool(e.as_coeff_Mul()[0] < 0)
        if e.is_Rational:
            return sign, 9 if letters_only else 0, 0
        return sign, 1, -_kind(e)

    pieces = [writer(e) for e in summands]
    # Of two alike, the one with fewer minus signs inside comes first: e^z before e^{-z}.
    keyed = sorted(
        (rank(e), p.text.count("-"), p.text, k)
        for k, (e, p) in enumerate(zip(summands, pieces, strict=True))
    )
    return [pieces[k] for *_, k in keyed]


def _kind(e: Expr) -> int:
    if isinstance(e, Mul):
        return max(_kind(a) for a in e.args)
    if isinstance(e, Entry) and e.name.startswith(ADJOINT):
        return 2
    return next((k for kind, k in _KINDS if isinstance(e, kind)), 5 if isinstance(e, Add) else 4)


def write_product(node: Mul, writer: Writer) -> Piece:
    coefficient, above, below = _fraction(node)
    if coefficient < 0:
        return Piece(f"-{at_least(_assemble(-coefficient, above, below, writer), HADAMARD)}", SUM)
    return _assemble(coefficient, above, below, writer)


def scalar_content(e: Expr) -> Expr:
    """The number and the powers of extents that are a factor of ``e`` and of each of its sums."""
    if isinstance(e, Add):
        return _content(e)[0]
    content: Expr = Integer(1)
    for factor in Mul.make_args(e):
        base = factor.as_base_exp()[0]
        if isinstance(factor, Add):
            content *= _content(factor)[0]
        elif factor.is_Rational or (isinstance(base, Symbol) and not isinstance(base, Index)):
            content *= factor
    return content


def _fraction(node: Mul) -> tuple[Rational, list[Expr], list[Expr]]:
    """Coefficient, factors above the line and factors below it; contents of sums are pulled out."""
    coefficient, above, below = Integer(1), [], []
    todo = list(reversed(node.args))
    while todo:
        factor = todo.pop()
        base, exponent = factor.as_base_exp()
        if factor.is_Rational:
            coefficient *= factor
        elif isinstance(factor, Add):
            content, summands = _content(factor)
            if content == 1:
                above.append(factor)
            else:
                todo += [Add(*summands), *reversed(Mul.make_args(content))]
        elif exponent.is_Rational and exponent < 0:
            below.append(Pow(base, -exponent))
        elif isinstance(factor, Mul):
            todo += list(reversed(factor.args))
        else:
            above.append(factor)
    return coefficient, above, below


def _assemble(coefficient: Rational, above: list[Expr], below: list[Expr], writer: Writer) -> Piece:
    pieces = [writer(e) for e in _ordered_factors(above, writer)]
    under = [writer(e) for e in _ordered_factors(below, writer)]
    if coefficient.q != 1:
        under.insert(0, Piece(str(coefficient.q)))
    front = [Piece(str(coefficient.p))] if coefficient.p != 1 or not pieces else []
    if not under:
        return product(front + pieces)
    divisor = product(under)
    whole = product(front + pieces)
    if not any(p.open for p in pieces) and _is_short(whole):
        return quotient(whole, divisor)
    return product([quotient(front[0] if front else Piece("1"), divisor), *pieces])


def _is_short(piece: Piece) -> bool:
    """Whether a numerator may stand above the line as it is."""
    return r"\frac" not in piece.text and width(piece.text) <= ABOVE_THE_LINE


def _ordered_factors(factors: list[Expr], writer: Writer) -> list[Expr]:
    order = writer.notation.order

    def rank(e: Expr) -> tuple[int, int, str]:
        base = e.as_base_exp()[0]
        named = order.get(base.name, len(order)) if isinstance(base, Entry) else len(order)
        return _kind(base), named, writer(e).text

    return sorted(factors, key=rank)
