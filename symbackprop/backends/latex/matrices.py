r"""Products, sums over axes and special arrays → LaTeX: the rules that make matrices of formulas.

Each rule takes a term and the writer of its parts, gives a piece. Vectors are columns, so ``v @ A``
is written ``A^\top v``; a sum over an axis is a product with a column of ones. An operation over
axes without a matrix form keeps its name, and its axes count from 0 as in the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sympy import Expr, Integer, Rational, expand

from symbackprop.backends.latex.index import entry_piece
from symbackprop.backends.latex.pieces import (
    ATOM,
    JUXTAPOSED,
    POWER,
    Piece,
    at_least,
    bracket,
    product,
    quotient,
)
from symbackprop.backends.latex.symbols import Notation, escape_text
from symbackprop.ir.terms import Shape, Term, same_extent


class Writer(Protocol):
    """What the rules need: pieces for the parts, and the notation."""

    @property
    def notation(self) -> Notation: ...

    def __call__(self, term: Term) -> Piece: ...


Rule = Callable[[Term, Writer], Piece]


# A macro that a reader redefines may hold more than one sign, and then needs braces.
PLAIN_TOP = r"\top"


def extent(e: Expr, write: Writer) -> Piece:
    """An extent as a number."""
    return entry_piece(e, write.notation)


def ones(count: Expr, write: Writer) -> Piece:
    return Piece(f"{write.notation.ones}_{{{extent(count, write).text}}}")


def transposed(piece: Piece, write: Writer) -> Piece:
    top = write.notation.transpose
    return Piece(f"{at_least(piece, ATOM)}^{top if top == PLAIN_TOP else f'{{{top}}}'}", POWER)


def row(term: Term, write: Writer) -> Piece:
    """A vector as a row; ``v @ A``, which is written ``A^T v``, becomes ``v^T A``."""
    if term.op == "matmul" and term.args[0].rank == 1:
        return product([row(term.args[0], write), write(term.args[1])])
    return transposed(write(term), write)


def write_transpose(term: Term, write: Writer) -> Piece:
    (a,) = term.args
    return write(a) if a.rank < 2 else row(a, write)


def write_dot(term: Term, write: Writer) -> Piece:
    u, v = term.args
    return product([row(u, write), write(v)])


def write_matmul(term: Term, write: Writer) -> Piece:
    a, b = term.args
    if a.rank == 1 and b.rank == 2:
        return product([_transpose_of(b, write), write(a)])
    left = row(a, write) if a.rank == 1 else write(a)
    return product([left, write(b)])


def _transpose_of(matrix: Term, write: Writer) -> Piece:
    if matrix.op == "transpose":
        return write(matrix.args[0])
    return transposed(write(matrix), write)


def write_outer(term: Term, write: Writer) -> Piece:
    u, v = term.args
    return product([write(u), row(v, write)])


def write_reduction(term: Term, write: Writer) -> Piece:
    (a,) = term.args
    axes, keepdims = term.attrs
    if a.rank > 2 and axes == (a.rank - 1,):
        return product([write(a), ones(a.shape[-1], write)])
    if a.rank > 2 and axes == (a.rank - 2,) and keepdims:
        return product([transposed(ones(a.shape[-2], write), write), write(a)])
    if a.rank > 2 or a.rank == 0:
        return write_named_reduction(term, write)
    piece = write(a)
    if a.rank == 1:
        if _is_square(a):
            base = write(a.args[0])
            return product([transposed(base, write), base])
        return product([transposed(ones(a.shape[0], write), write), piece])
    rows, columns = (ones(e, write) for e in a.shape)
    if axes == (0,) and not keepdims:
        return product([_transpose_of(a, write), rows])
    over = (0, 1) if axes is None else axes
    factors = [transposed(rows, write)] if 0 in over else []
    return product([*factors, piece, *([columns] if 1 in over else [])])


def _is_square(term: Term) -> bool:
    return term.op == "pow" and term.args[1].attrs[:1] == (Rational(2),) and term.args[0].rank == 1


def write_mean(term: Term, write: Writer) -> Piece:
    (a,) = term.args
    axes, _ = term.attrs
    if not a.rank or (a.rank > 2 and axes != (a.rank - 1,)):
        return write_named_reduction(term, write)
    count: Expr = Integer(1)
    for axis in range(a.rank) if axes is None else axes:
        count = count * a.shape[axis]
    summed = write_reduction(Term("sum", term.args, term.shape, term.attrs), write)
    return product([quotient(Piece("1"), extent(count, write)), summed])


_REDUCTION_NAMES: Mapping[str, str] = {
    "max": r"\max", "min": r"\min", "softmax": r"\operatorname{softmax}",
    "log_softmax": r"\log \operatorname{softmax}",
}  # fmt: skip


def write_named_reduction(term: Term, write: Writer) -> Piece:
    """An operation over axes that has no matrix form; axes count from 0, as in the model."""
    (a,) = term.args
    axes = term.attrs[0] if term.op not in ("softmax", "log_softmax") else term.attrs
    word = _REDUCTION_NAMES.get(term.op, rf"\operatorname{{{escape_text(term.op)}}}")
    rowwise = axes == (a.rank - 1,) if term.op in ("softmax", "log_softmax") else axes is None
    if not rowwise and not (axes == (0,) and a.rank == 1):
        word += rf"_{{\mathrm{{axis}}\,{','.join(map(str, axes))}}}"
    return Piece(word + bracket(write(a).text))


def write_norm(term: Term, write: Writer) -> Piece:
    (a,) = term.args
    whole = term.attrs[0] is None or len(term.attrs[0]) == a.rank
    if not whole or a.rank > 2 or (a.rank == 2 and term.op == "norm1"):
        return write_named_reduction(term, write)
    kind = "1" if term.op == "norm1" else "2" if a.rank == 1 else r"\mathrm{F}"
    return Piece(rf"\lVert {write(a).text} \rVert_{{{kind}}}")


# Special arrays


def operator(word: str) -> Rule:
    def rule(term: Term, write: Writer) -> Piece:
        inside = ", ".join(write(a).text for a in term.args)
        return Piece(rf"\operatorname{{{word}}}{bracket(inside)}")

    return rule


def write_all_ones(term: Term, write: Writer) -> Piece:
    if not term.shape:
        return Piece("1")
    return fill([ones(e, write) for e in term.shape], write)


def fill(ones: list[Piece], write: Writer) -> Piece:
    if len(ones) == 2:
        return product([ones[0], transposed(ones[1], write)])
    return product(ones)


def write_zeros(term: Term, write: Writer) -> Piece:
    return Piece(rf"\mathbf{{0}}_{{{times(term.shape, write)}}}") if term.shape else Piece("0")


def write_eye(term: Term, write: Writer) -> Piece:
    n, m = term.shape
    size = extent(n, write).text if same_extent(n, m) else times(term.shape, write)
    return Piece(rf"\mathbf{{I}}_{{{size}}}")


def times(shape: Shape, write: Writer) -> str:
    return r" \times ".join(at_least(extent(e, write), JUXTAPOSED) for e in shape)


def write_arange(term: Term, write: Writer) -> Piece:
    return Piece(rf"\operatorname{{arange}}({extent(term.attrs[0], write).text})")


def write_index(term: Term, write: Writer) -> Piece:
    (a,) = term.args
    items = term.attrs[0]
    if a.rank == 1 and items == (slice(None), None):
        return write(a)
    if a.rank == 1 and items == (None, slice(None)):
        return row(a, write)
    padded = [*items, *[slice(None)] * (a.rank - sum(i is not None for i in items))]
    slots = ",".join(_slot(i, write) for i in padded)
    base = write(a)
    text = base.text if base.level == ATOM and "_" not in base.text else bracket(base.text)
    return Piece(f"{text}_{{{slots}}}")


def _slot(item: Any, write: Writer) -> str:
    r"""An item of an index, counted from 1; ``\ast`` is a new axis."""
    if item is None:
        return r"\ast"
    if isinstance(item, slice):
        start = "" if item.start is None else extent(expand(item.start + 1), write).text
        stop = "" if item.stop is None else extent(item.stop, write).text
        return f"{start}:{stop}" + ("" if item.step in (None, 1) else f":{item.step}")
    return extent(expand(item + 1), write).text


def write_einsum(term: Term, write: Writer) -> Piece:
    subscripts = escape_text(term.attrs[0]).replace("-" + ESCAPED_GREATER, r"\to ")
    inside = ", ".join(write(a).text for a in term.args)
    return Piece(rf"\operatorname{{einsum}}_{{{subscripts}}}({inside})")


ESCAPED_GREATER = escape_text(">")


def write_entries(term: Term, write: Writer) -> Piece:
    indices, body = term.attrs
    inside = entry_piece(body, write.notation, free=indices).text
    letters = ",".join(i.name for i in indices)
    return Piece(rf"\left[ {inside} \right]_{{{letters}}}")
