r"""Array notation → LaTeX: matrix formulas as the notes write them; takes a term, gives LaTeX.

Vectors are columns: ``v @ A`` is ``A^\top v``, ``outer(u, v)`` is ``u v^\top``, sums are products
with 𝟏. The entrywise product is ⊙, the entrywise quotient ⊘; an entrywise
square is ``A \odot A``, another power ``A^{\odot 3}``.
A vector of length M stands for each row where it meets an N×M matrix, as NumPy has it; a column
that is repeated is written as the product with ``\mathbf{1}_M^\top``.

>>> from symbackprop.ir import terms as t
>>> from symbackprop.ir.expressions import extent_symbol
>>> X = t.name("X", (extent_symbol("N"), extent_symbol("D")))
>>> latex_term(t.reduce("sum", X, 0)), latex_term(t.mul(t.name("grad_X", X.shape), X))
('X^\\top \\mathbf{1}_{N}', '\\nabla_{X} L \\odot X')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Rational

from symbackprop.backends.latex import arrays, windows
from symbackprop.backends.latex.index import call, cases, indicator
from symbackprop.backends.latex.matrices import (
    Rule,
    Writer,
    extent,
    fill,
    ones,
    operator,
    row,
    transposed,
    write_all_ones,
    write_arange,
    write_dot,
    write_einsum,
    write_entries,
    write_eye,
    write_index,
    write_matmul,
    write_mean,
    write_named_reduction,
    write_norm,
    write_outer,
    write_reduction,
    write_transpose,
    write_zeros,
)
from symbackprop.backends.latex.pieces import (
    ATOM,
    HADAMARD,
    JUXTAPOSED,
    POWER,
    Piece,
    at_least,
    bracket,
    number,
    product,
    quotient,
    total,
)
from symbackprop.backends.latex.symbols import ADJOINT, Notation
from symbackprop.ir.terms import Shape, Term


def latex_term(term: Term, notation: Notation | None = None) -> str:
    """LaTeX of a term; what it refuses is a term outside the vocabulary, an internal error."""
    return term_piece(term, notation).text


def term_piece(term: Term, notation: Notation | None = None) -> Piece:
    """As :func:`latex_term`, with how tightly it binds."""
    return TermWriter(notation or Notation())(term)


@dataclass(frozen=True, slots=True)
class TermWriter:
    """The rules of the table, with the notation they write in."""

    notation: Notation

    def __call__(self, term: Term) -> Piece:
        return RULES[term.op](term, self)


def _name(term: Term, write: Writer) -> Piece:
    text: str = term.attrs[0]
    if not text.startswith(ADJOINT):
        spelled = write.notation.name(text)
        return Piece(
            spelled, POWER if text.endswith("]") else JUXTAPOSED if " " in spelled else ATOM
        )
    by = write.notation.name(text.removeprefix(ADJOINT))
    return Piece(
        rf"\nabla_{{{by}}} {write.notation.name(write.notation.of)}", JUXTAPOSED, open=True
    )


def _constant(term: Term, write: Writer) -> Piece:
    return Piece({"pi": r"\pi", "inf": r"\infty"}[term.attrs[0]])


# Sums and entrywise operations


def _broadcast_operand(term: Term, shape: Shape, write: Writer) -> Piece:
    """An operand of an entrywise operation; a column or a row that is repeated says so."""
    piece = write(term)
    if term.rank < 2:
        return piece
    rows, columns = (a == 1 and b != 1 for a, b in zip(term.shape[-2:], shape[-2:], strict=True))
    if columns:
        piece = product([piece, transposed(ones(shape[-1], write), write)])
    if rows:
        piece = product([ones(shape[-2], write), piece])
    return piece


def _sum(term: Term, write: Writer) -> Piece:
    a, b = (_broadcast_operand(x, term.shape, write) for x in term.args)
    return total([(False, a), (term.op == "sub", b)])


def _without_sign(term: Term) -> tuple[bool, Term]:
    """``-a/b`` as a minus and ``a/b``: a sign in front of a product is written once, before it."""
    if term.op == "neg":
        negative, rest = _without_sign(term.args[0])
        return not negative, rest
    if term.op in ("mul", "div", "matmul", "outer", "dot"):
        negative, first = _without_sign(term.args[0])
        if negative:
            return True, Term(term.op, (first, *term.args[1:]), term.shape, term.attrs)
    return False, term


def _neg(term: Term, write: Writer) -> Piece:
    negative, rest = _without_sign(term)
    return total([(negative, write(rest))])


def _product(rule: Rule) -> Rule:
    """A rule for products and quotients, with the sign of the first operand in front."""

    def signed(term: Term, write: Writer) -> Piece:
        negative, rest = _without_sign(term)
        return total([(negative, rule(rest, write))])

    return signed


def _mul(term: Term, write: Writer) -> Piece:
    a, b = term.args
    if a.rank and b.rank:
        left, right = (
            at_least(_broadcast_operand(x, term.shape, write), HADAMARD) for x in term.args
        )
        return Piece(f"{left} {write.notation.hadamard} {right}", HADAMARD)
    if a.rank or (b.op == "number" and a.op != "number"):
        a, b = b, a
    scalar, other = write(a), write(b)
    if b.rank and a.op in _CONTRACTIONS:
        scalar = Piece(bracket(scalar.text))
    return _scaled(scalar, other)


def _scaled(scalar: Piece, other: Piece) -> Piece:
    """A number before an array; before ``A ⊙ B`` it needs no brackets, since it means the same."""
    if other.level == HADAMARD:
        return Piece(product([scalar, Piece(other.text)]).text, HADAMARD)
    return product([scalar, other])


# Scalars that are matrix products: beside another array they need brackets to read as scalars.
_CONTRACTIONS = frozenset({"matmul", "dot", "sum", "mean"})


def _div(term: Term, write: Writer) -> Piece:
    a, b = term.args
    if b.rank:
        above, below = (_broadcast_operand(x, term.shape, write) for x in term.args)
        left, right = at_least(above, HADAMARD), at_least(below, POWER)
        return Piece(f"{left} {write.notation.divide} {right}", HADAMARD)
    return _over(a, b, write)


def _over(a: Term, b: Term, write: Writer) -> Piece:
    above, below = write(a), write(b)
    if a.rank == 0 and not above.open and a.op not in _CONTRACTIONS and len(above.text) < 40:
        return quotient(above, below)
    return _scaled(quotient(Piece("1"), below), above)


def _pow(term: Term, write: Writer) -> Piece:
    base, exponent = term.args
    if term.rank and exponent.attrs[:1] == (Rational(2),):
        factor = at_least(write(base), HADAMARD)
        return Piece(f"{factor} {write.notation.hadamard} {factor}", HADAMARD)
    raised = write(exponent).text
    if exponent.op == "number" and exponent.attrs[0].q != 1:
        raised = f"{exponent.attrs[0].p}/{exponent.attrs[0].q}"
    if term.rank:
        raised = f"{write.notation.hadamard} {raised}"
    return Piece(f"{at_least(write(base), ATOM)}^{{{raised}}}", POWER)


def _apply(term: Term, write: Writer) -> Piece:
    return call(term.attrs[0], [write(a) for a in term.args])


def _compare(term: Term, write: Writer) -> Piece:
    a, b = (_broadcast_operand(x, term.shape, write) for x in term.args)
    return indicator(term.attrs[0], a, b)


def _where(term: Term, write: Writer) -> Piece:
    condition, a, b = (_broadcast_operand(x, term.shape, write) for x in term.args)
    return cases(a, condition, b)


def _series(term: Term, write: Writer) -> Piece:
    """A sum over steps, with its range."""
    letter, first, last = term.attrs
    below, above = (extent(e, write).text for e in (first, last))
    body = at_least(write(term.args[0]), JUXTAPOSED)
    return Piece(rf"\sum_{{{letter}={below}}}^{{{above}}} {body}", JUXTAPOSED, open=True)


def _broadcast(term: Term, write: Writer) -> Piece:
    (a,) = term.args
    piece = write(a)
    if a.rank == 0:
        return product([piece, fill([ones(e, write) for e in term.shape], write)])
    if a.rank == 1 and term.rank == 2:
        return product([ones(term.shape[0], write), row(a, write)])
    return _broadcast_operand(a, term.shape, write)


# fmt: off
RULES: Mapping[str, Rule] = {
    "name":        _name,
    "number":      lambda term, write: number(term.attrs[0]),
    "dim":         lambda term, write: extent(term.attrs[0], write),
    "constant":    _constant,
    "add":         _sum,
    "sub":         _sum,
    "mul":         _product(_mul),
    "div":         _product(_div),
    "pow":         _pow,
    "neg":         _neg,
    "matmul":      _product(write_matmul),
    "transpose":   write_transpose,
    "apply":       _apply,
    "compare":     _compare,
    "where":       _where,
    "sum":         write_reduction,
    "mean":        write_mean,
    "var":         write_named_reduction,
    "max":         write_named_reduction,
    "min":         write_named_reduction,
    "prod":        write_named_reduction,
    "norm1":       write_norm,
    "norm2":       write_norm,
    "logsumexp":   write_named_reduction,
    "softmax":     write_named_reduction,
    "log_softmax": write_named_reduction,
    "dot":         _product(write_dot),
    "outer":       _product(write_outer),
    "diag":        operator("diag"),
    "trace":       operator("tr"),
    "ones":        write_all_ones,
    "zeros":       write_zeros,
    "eye":         write_eye,
    "arange":      write_arange,
    "index":       write_index,
    "broadcast":   _broadcast,
    "einsum":      write_einsum,
    "entries":     write_entries,
    "series":      _series,
    **arrays.RULES,
    **windows.RULES,
}
# fmt: on
