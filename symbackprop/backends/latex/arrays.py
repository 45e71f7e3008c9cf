r"""Look-ups, rearrangements and functions of whole matrices → LaTeX: rules for the term printer.

What mathematics has a sign for is written with it (``A^{-1}``, ``\det(A)``, ``A \otimes B``); other
operations keep their names, with what they are told in the subscript: axes counted from 0 as in the
model, extents as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sympy import Expr, sympify

from symbackprop.backends.latex.matrices import Rule, Writer, extent, operator, times, transposed
from symbackprop.backends.latex.pieces import ATOM, HADAMARD, POWER, Piece, at_least, bracket
from symbackprop.backends.latex.symbols import escape_text
from symbackprop.ir.terms import Term

Subscript = Callable[[Term, Writer], str]


def inverse(term: Term, write: Writer) -> Piece:
    return Piece(f"{at_least(write(term.args[0]), ATOM)}^{{-1}}", POWER)


def determinant(term: Term, write: Writer) -> Piece:
    return Piece(rf"\det{bracket(write(term.args[0]).text)}")


def log_determinant(term: Term, write: Writer) -> Piece:
    return Piece(rf"\log \lvert {determinant(term, write).text} \rvert")


def matrix_power(term: Term, write: Writer) -> Piece:
    return Piece(f"{at_least(write(term.args[0]), ATOM)}^{{{term.attrs[0]}}}", POWER)


def kronecker(term: Term, write: Writer) -> Piece:
    left, right = (at_least(write(a), POWER) for a in term.args)
    return Piece(rf"{left} \otimes {right}", HADAMARD)


def gather(term: Term, write: Writer) -> Piece:
    """``a[s, t]`` with whole arrays of positions: one entry for each place."""
    array, *places = (write(a) for a in term.args)
    return Piece(f"{at_least(array, ATOM)}[{', '.join(p.text for p in places)}]", POWER)


def triangle(word: str) -> Rule:
    """``tril`` and ``triu``; the main diagonal is not mentioned."""
    return named(word, lambda term, write: "" if term.attrs[0] == 0 else str(term.attrs[0]))


def named(word: str, subscript: Subscript) -> Rule:
    """An operation by name, with what it is told in the subscript."""

    def rule(term: Term, write: Writer) -> Piece:
        inside = ", ".join(write(a).text for a in term.args)
        told = subscript(term, write)
        script = f"_{{{told}}}" if told else ""
        return Piece(rf"\operatorname{{{escape_text(word)}}}{script}{bracket(inside)}")

    return rule


def axis(term: Term, write: Writer) -> str:
    return rf"\mathrm{{axis}}\,{term.attrs[0]}"


def axes(term: Term, write: Writer) -> str:
    return "" if term.attrs[0] is None else rf"\mathrm{{axis}}\,{_listed(term.attrs[0])}"


def two_axes(term: Term, write: Writer) -> str:
    return rf"\mathrm{{axis}}\,{_listed(term.attrs)}"


def swap(term: Term, write: Writer) -> Piece:
    """Two axes exchanged; of the last two this is the transpose of each matrix of a stack."""
    (a,) = term.args
    if sorted(term.attrs) == [a.rank - 2, a.rank - 1]:
        return transposed(write(a), write)
    return named("swap", two_axes)(term, write)


def count_and_axis(term: Term, write: Writer) -> str:
    count = extent(sympify(term.attrs[0]), write).text
    return rf"{count},\, \mathrm{{axis}}\,{term.attrs[1]}"


def one_extent(term: Term, write: Writer) -> str:
    return extent(sympify(term.attrs[0]), write).text


def shape(term: Term, write: Writer) -> str:
    return times(term.shape, write)


def widths(term: Term, write: Writer) -> str:
    def side(e: Any) -> str:
        return extent(sympify(e), write).text

    pairs: Iterable[tuple[Expr, Expr]] = term.attrs[0]
    return ",".join(f"({side(before)},{side(after)})" for before, after in pairs)


def _listed(items: Iterable[Any]) -> str:
    return ",".join(map(str, items))


# fmt: off
RULES: dict[str, Rule] = {
    "inv":     inverse,
    "det":     determinant,
    "logdet":  log_determinant,
    "cholesky": operator("chol"),
    "matpow":  matrix_power,
    "kron":    kronecker,
    "vec":     operator("vec"),
    "gather":  gather,
    "take":    named("take",    axis),
    "onehot":  named("onehot",  one_extent),
    "tril":    triangle("tril"),
    "triu":    triangle("triu"),
    "cumsum":  named("cumsum",  axis),
    "swap":    swap,
    "reshape": named("reshape", shape),
    "flip":    named("flip",    axes),
    "repeat":  named("repeat",  count_and_axis),
    "pad":     named("pad",     widths),
    "concat":  named("concat",  axis),
    "stack":   named("stack",   axis),
}
# fmt: on
