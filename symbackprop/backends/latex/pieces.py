r"""Pieces of a formula: LaTeX with how tightly it binds, so that brackets stand where they must.

Shared by the printers of terms and of entries. From loose to tight: sums, ⊙ and ⊘, products written
side by side, powers, atoms. A piece is *open* when whatever follows it in a product would be drawn
into it (``\sum_n x_n``, ``\nabla_Z L``): it stands bare only as the last factor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sympy import Rational

SUM, HADAMARD, JUXTAPOSED, POWER, ATOM = range(1, 6)
_TALL = re.compile(r"\\(frac|sum|prod|max_|min_|begin|left|boxed)")
_STARTS_WITH_NUMBER = re.compile(r"[0-9]|\\frac\{[0-9]")


@dataclass(frozen=True, slots=True)
class Piece:
    """LaTeX, how tightly it binds, and whether it is open at its right end."""

    text: str
    level: int = ATOM
    open: bool = False


def bracket(text: str) -> str:
    """The text in round brackets, growing ones where it is tall."""
    return rf"\left( {text} \right)" if _TALL.search(text) else f"({text})"


def at_least(piece: Piece, level: int, *, last: bool = True) -> str:
    """The text of a piece where a certain tightness is asked for, in brackets if it has less."""
    if piece.level < level or (piece.open and not last):
        return bracket(piece.text)
    return piece.text


def product(pieces: Sequence[Piece]) -> Piece:
    r"""Factors side by side; ``\cdot`` where two numbers would run together."""
    if len(pieces) == 1:
        return pieces[0]
    texts = [at_least(p, JUXTAPOSED, last=p is pieces[-1]) for p in pieces]
    out = texts[0]
    for left, right in pairwise(texts):
        out += _between(left, right) + right
    return Piece(out, JUXTAPOSED, pieces[-1].open and texts[-1] == pieces[-1].text)


def _between(left: str, right: str) -> str:
    if _STARTS_WITH_NUMBER.match(right):
        return r" \cdot "
    words = r"\mathit{"
    spaced = left.endswith(")") or right.startswith((words, r"\operatorname")) or words in left
    return r" \, " if spaced and not right.startswith(("(", r"\left")) else " "


def total(pieces: Sequence[tuple[bool, Piece]]) -> Piece:
    """A sum of pieces, each with whether it is subtracted."""
    negative, first = pieces[0]
    out = f"-{at_least(first, HADAMARD)}" if negative else first.text
    for negative, piece in pieces[1:]:
        minus = piece.text.startswith("-") and piece.level == SUM
        if negative:
            out += f" - {at_least(piece, HADAMARD)}"
        else:
            out += f" - {piece.text[1:].lstrip()}" if minus else f" + {piece.text}"
    plain = len(pieces) == 1 and not pieces[0][0]
    return first if plain else Piece(out, SUM)


def quotient(above: Piece, below: Piece) -> Piece:
    return Piece(rf"\frac{{{above.text}}}{{{below.text}}}", POWER)


def number(value: Rational) -> Piece:
    """A rational as people write it: ``2``, ``0.01``, or a fraction with a small denominator."""
    if value < 0:
        return Piece(f"-{number(-value).text}", SUM)
    if value.q == 1:
        return Piece(str(value.p))
    digits = _decimal_places(value.q)
    if value.q > 8 and 0 < digits <= 12:
        scaled = str(value.p * 10**digits // value.q).rjust(digits + 1, "0")
        return Piece(f"{scaled[:-digits]}.{scaled[-digits:]}")
    return Piece(rf"\frac{{{value.p}}}{{{value.q}}}", POWER)


def _decimal_places(denominator: int) -> int:
    """Digits after the point of a terminating decimal; 0 if it does not terminate."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else 0
