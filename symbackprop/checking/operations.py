"""Operations on single readings: transpose, powers, sums of terms, and the table of products.

What two factors side by side mean follows from their kinds: scalar (s), column (c), row (r), matrix
(m). A row of the table gives the meaning, its price and the note that it needs; kinds without a row
do not fit together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sympy import Expr, Integer, Pow, preorder_traversal

from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    clash,
    combined,
    dearer,
    joined,
    position,
    shifted,
    show,
    squeezed,
)  # fmt: skip
from symbackprop.checking.stacked_columns import kronecker_product
from symbackprop.checking.stacks import entrywise, multiplied, turned
from symbackprop.ir.expressions import Delta, Index, IndexSum, substitute
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Node

BY_ENTRIES = Note("a product of equal shapes is taken entry by entry")
STACKED = Note("the Kronecker product of two vectors is a vector")
POWER = Note("a power is taken entry by entry")
MATRIX_POWER = Note("a power of a square matrix is a product of matrices")
MOST_POWER = 6
LARGEST_POWER = 4_000  # nodes of a power written out as a product of matrices
ROWS = Note("a vector is added to each row")
COLUMNS = Note("a vector is added to each column", accepted=False)
CHANNELS = Note("a vector is added to each entry of its channel")
SCALAR = Note("a scalar is added to each entry")
TURNED = Note("a row and a column of one length are taken alike")
SUMMED = Note("1 without transpose, before a vector, is taken as the sum of its entries")
EACH_ROW = Note("a vector multiplies each row")
EACH_COLUMN = Note("a vector multiplies each column")
BY_SAMPLES = Note("a dot between the samples of two arrays is the inner product of each pair")
INNER = Note("a dot between two vectors is their inner product")


def transpose(r: Reading, node: Node | None) -> Reading:
    """The transposed reading; a scalar stays, a column becomes a row."""
    if r.rank == 0:
        return r
    if r.rank == 1:
        return replace(r, row=not r.row)
    if r.rank == 2:
        return array(r.expr, (r.axes[1], r.axes[0]), cost=r.cost, notes=r.notes, guessed=r.guessed)
    return turned(r)


def power(bases: Readings, exponents: Readings, node: Node) -> Readings:
    """Powers of scalars; of arrays entry by entry, with a note."""
    out = []
    for b in bases:
        for x in exponents:
            out.extend(_matrix_power(b, x, node))
            square = b.rank == 2 and same_extent(*b.shape)
            if x.rank == 0 and not (square and x.expr.is_negative):
                notes = (POWER,) if b.rank else ()
                out.append(
                    replace(
                        b,
                        expr=Pow(b.expr, x.expr),
                        **combined(b, x, 0.5 if b.rank else 0.0, *notes),
                    )
                )
    if not out:
        raise Unreadable("notation", "this power is not read", node)
    return cheapest(out)


def _matrix_power(b: Reading, x: Reading, node: Node) -> list[Reading]:
    """``W^n`` of a square matrix as the product of n of them: the dearer reading.

    Powers of powers multiply: what would be too large has no reading at all, since the other one
    alone could refute what is right.
    """
    square = b.rank == 2 and same_extent(*b.shape) and not b.letters
    if not square or x.rank or not x.expr.is_Integer or not 0 <= int(x.expr) <= MOST_POWER:
        return []
    most = LARGEST_POWER // max(1, int(x.expr))
    if sum(1 for _ in islice(preorder_traversal(b.expr), most + 1)) > most:
        raise Unreadable("notation", "too long to decide: powers of powers of matrices", node)
    total = b if x.expr else replace(b, expr=Delta(*b.axes))
    for _ in range(1, int(x.expr)):
        total = contract(total, b, 1, 0, **combined(b, x))
    return [dearer(total, 0.4, MATRIX_POWER)]


def kind(r: Reading) -> str:
    """``s c r m``, or ``t`` for more than two axes."""
    return ("s", "r" if r.row else "c", "m")[r.rank] if r.rank <= 2 else "t"


def contract(a: Reading, b: Reading, i: int, j: int, **rest: Any) -> Reading:
    """Σ over axis ``i`` of ``a`` and axis ``j`` of ``b``."""
    b = shifted(b)
    k = Index("_k", a.axes[i].extent)
    body = substitute(a.expr, {a.axes[i]: k}) * substitute(b.expr, {b.axes[j]: k})
    axes = (
        *(x for n, x in enumerate(a.axes) if n != i),
        *(x for n, x in enumerate(b.axes) if n != j),
    )
    return array(IndexSum(body, k), axes, **rest)


def _scale(a: Reading, b: Reading, **rest: Any) -> Reading:
    wide = a if a.rank else b
    return Reading(a.expr * b.expr, wide.axes, wide.row, **rest)


def _outer(a: Reading, b: Reading, **rest: Any) -> Reading:
    b = shifted(b)
    return array(a.expr * b.expr, (*a.axes, *b.axes), **rest)


def _row_times(a: Reading, b: Reading, **rest: Any) -> Reading:
    return replace(contract(a, b, 0, 0, **rest), row=True)


def _entrywise(a: Reading, b: Reading, **rest: Any) -> Reading:
    return Reading(a.expr * b.expr, a.axes, a.row, **rest)


def _is_ones(r: Reading) -> bool:
    return r.rank == 1 and r.expr == 1


@dataclass(frozen=True, slots=True)
class Row:
    """One meaning of a product: the signs and kinds of factors it is for, the fit it needs, its
    price, its note.
    """

    signs: str
    kinds: str
    make: Callable[..., Reading]
    fit: str
    cost: float
    note: Note | None = None


# fmt: off
JUXT = " ·×@*⊗"
CORRELATION = "⋆"
PRODUCTS = (
    Row(JUXT + "⊙" + CORRELATION, "ss sc sr sm st cs rs ms ts", _scale, "", 0.0),
    Row(" ·×@", "mm",    lambda a, b, **k: contract(a, b, 1, 0, **k), "inner", 0.0),
    Row(" ·×@", "mc",    lambda a, b, **k: contract(a, b, 1, 0, **k), "inner", 0.0),
    Row(" ·×@", "rm",    _row_times, "inner", 0.0),
    Row(" ·×@", "rc",    lambda a, b, **k: contract(a, b, 0, 0, **k), "inner", 0.0),
    Row(" ·×@", "cr",    _outer, "", 0.0),
    Row(" ·×@", "mr",    lambda a, b, **k: _outer(squeezed(a), b, **k), "thin", 0.0),
    Row(" ·×@", "cm",    lambda a, b, **k: _outer(a, squeezed(b), **k), "flat", 0.0),
    Row("⊗",    "cc cr", _outer, "", 0.0),
    Row("@",    "cc",    lambda a, b, **k: contract(a, b, 0, 0, **k), "inner", 0.0),
    Row("@",    "cm",    _row_times, "inner", 0.0),
    Row("·",    "cc",    lambda a, b, **k: contract(a, b, 0, 0, **k), "inner", 0.5, INNER),
    Row(" ·×",  "cc",    lambda a, b, **k: contract(a, b, 0, 0, **k), "ones",  0.5, SUMMED),
    Row("⊙*",   "mm cc rr", _entrywise, "equal", 0.0),
    Row("*",    "mm mc rm rc cr", lambda a, b, **k: _matrix(a, b, **k), "matrix", 1.0),
    Row("·",    "mm",    _entrywise, "equal", 1.0, BY_ENTRIES),
    Row("·",    "mm",    lambda a, b, **k: _by_samples(a, b, **k), "equal", 2.0, BY_SAMPLES),
    Row(" ·×",  "cm",    lambda a, b, **k: _along(b, a, 1, **k), "swor", 2.0, EACH_ROW),
    Row("·",    "mc",    lambda a, b, **k: _by_samples(a, b, **k), "rows", 0.5, BY_SAMPLES),
    Row(" ·×",  "mm cc rr", _entrywise, "equal", 2.0, BY_ENTRIES),
    Row("⊗",    "mm mc mr cm rm", kronecker_product, "", 0.0),
    Row("⊗",    "cc",    kronecker_product, "", 0.4, STACKED),
    Row("⊗",    "mm cc rr", _entrywise, "equal", 2.0, BY_ENTRIES),
    Row("⊙*",   "cr rc", lambda a, b, **k: _unturned(a, b, **k), "equal", 1.0, TURNED),
    Row("⊙*",   "mr mc", lambda a, b, **k: _along(a, b, 1, **k), "rows", 0.5, EACH_ROW),
    Row("⊙*",   "rm cm", lambda a, b, **k: _along(b, a, 1, **k), "swor", 0.5, EACH_ROW),
    Row("⊙*",   "mc",    lambda a, b, **k: _along(a, b, 0, **k), "columns", 1.5, EACH_COLUMN),
    Row("⊙*",   "cm",    lambda a, b, **k: _along(b, a, 0, **k), "snmuloc", 1.5, EACH_COLUMN),
)
# fmt: on


def _matrix(a: Reading, b: Reading, **rest: Any) -> Reading:
    """The matrix product under ``*``, for those who write it so."""
    row = next(r for r in PRODUCTS if "@" in r.signs and kind(a) + kind(b) in r.kinds.split())
    return row.make(a, b, **rest)


def _along(m: Reading, v: Reading, axis: int, **rest: Any) -> Reading:
    """The matrix with each row (or column) multiplied by the vector."""
    return Reading(m.expr * substitute(v.expr, {v.axes[0]: m.axes[axis]}), m.axes, **rest)


def _by_samples(a: Reading, b: Reading, **rest: Any) -> Reading:
    """The inner products of the rows of a matrix with those of another, or with a vector."""
    k, one = Index("_k", a.shape[1]), position(1, Integer(1))
    places = dict(zip(b.axes, (a.axes[0], k)[-b.rank :], strict=True))
    body = substitute(a.expr, {a.axes[1]: k}) * substitute(b.expr, places)
    return Reading(IndexSum(body, k), (a.axes[0], one), **rest)


def _unturned(a: Reading, b: Reading, **rest: Any) -> Reading:
    return replace(_entrywise(a, b, **rest), row=False)


def _same(a: Expr, b: Expr) -> bool:
    return same_extent(a, b)


FITS: dict[str, Callable[[Reading, Reading], bool]] = {
    "": lambda a, b: True,
    "inner": lambda a, b: _same(a.shape[-1], b.shape[0]),
    "ones": lambda a, b: _is_ones(a) and not a.row and _same(a.shape[0], b.shape[0]),
    "equal": lambda a, b: all(_same(x, y) for x, y in zip(a.shape, b.shape, strict=True)),
    "matrix": lambda a, b: kind(a) + kind(b) == "cr" or _same(a.shape[-1], b.shape[0]),
    "rows": lambda a, b: _same(a.shape[1], b.shape[0]),
    "swor": lambda a, b: _same(b.shape[1], a.shape[0]),
    "thin": lambda a, b: a.shape[1] == 1 and a.shape[0] != 1,
    "flat": lambda a, b: b.shape[0] == 1 and b.shape[1] != 1,
    "columns": lambda a, b: _same(a.shape[0], b.shape[0]),
    "snmuloc": lambda a, b: _same(b.shape[0], a.shape[0]),
}


def product(a: Reading, b: Reading, sign: str) -> list[Reading]:
    """Every meaning of two factors with ``sign`` between them (a blank for juxtaposition)."""
    if clash(a, b):
        return []
    kinds = kind(a) + kind(b)
    if "t" in kinds and a.rank and b.rank:
        return _of_stacks(a, b, sign)
    out = [r for x, y in _as_vectors(a, b) for r in product(x, y, sign)] if sign in JUXT else []
    if kinds == "mm" and not FITS["equal"](a, b) and not (sign == "@" or FITS["inner"](a, b)):
        liberty = (0.0,) if sign in "⊙*" else (2.0, BY_ENTRIES)
        for x, y in _stretched(a, b):
            out.append(_entrywise(x, y, **combined(a, b, *liberty)))
    elif kinds == "mm" and sign in "⊙*" and not FITS["equal"](a, b):
        for x, y in _stretched(a, b):
            out.append(_entrywise(x, y, **combined(a, b)))
    for row in PRODUCTS:
        if sign in row.signs and kinds in row.kinds.split() and FITS[row.fit](a, b):
            out.append(
                row.make(a, b, **combined(a, b, row.cost, *((row.note,) if row.note else ())))
            )
    return list(map(joined, out))


def _of_stacks(a: Reading, b: Reading, sign: str) -> list[Reading]:
    """Products with a stack of matrices: matrix by matrix, or entry by entry."""
    if sign in " ·×@":
        return multiplied(a, b)
    return entrywise(a, b, operator.mul) if sign in "⊙*" else []


def _as_vectors(a: Reading, b: Reading) -> list[tuple[Reading, Reading]]:
    """A matrix of one column before a row, or of one row after a column, as the vector it is."""
    kinds = kind(a) + kind(b)
    if kinds == "mr" and a.shape[1] == 1 and b.shape[0] != 1:
        return [(squeezed(a), b)]
    if kinds == "cm" and b.shape[0] == 1 and a.shape[0] != 1:
        return [(a, replace(squeezed(b), row=True))]
    return []


def divide(a: Reading, b: Reading) -> list[Reading]:
    """``a / b``: by a scalar, or entry by entry."""
    over = replace(b, expr=1 / b.expr)
    if b.rank == 0 or a.rank == 0:
        return [] if clash(a, b) else [_scale(a, over, **combined(a, b))]
    return product(a, over, "⊙")


def sum_of(a: Reading, b: Reading) -> list[Reading]:
    """``a + b``: equal shapes, or broadcast with a note."""
    if clash(a, b):
        return []
    if max(a.rank, b.rank) > 2 and a.rank and b.rank and a.shape != b.shape:
        return [*entrywise(a, b, operator.add), *_to_channels(a, b)]
    if a.rank == b.rank:
        if not FITS["equal"](a, b):
            return [Reading(x.expr + y.expr, x.axes, **combined(a, b)) for x, y in _stretched(a, b)]
        turned = a.rank == 1 and a.row != b.row
        return [
            Reading(
                a.expr + b.expr,
                a.axes,
                a.row and b.row,
                **combined(a, b, 1.0 if turned else 0.0, *((TURNED,) if turned else ())),
            )
        ]
    big, small = (a, b) if a.rank > b.rank else (b, a)
    if small.rank == 0:
        notes = () if small.expr.is_number else (SCALAR,)
        return [
            Reading(
                a.expr + b.expr, big.axes, big.row, **combined(a, b, 0.1 if notes else 0.0, *notes)
            )
        ]
    if big.rank != 2:
        return []
    out = []
    for axis, cost, note in ((1, 0.5, ROWS), (0, 1.5, COLUMNS)):
        if _same(big.shape[axis], small.shape[0]) and (axis == 1 or not small.row):
            spread = substitute(small.expr, {small.axes[0]: big.axes[axis]})
            out.append(Reading(big.expr + spread, big.axes, **combined(a, b, cost, note)))
    return out


def _to_channels(a: Reading, b: Reading) -> list[Reading]:
    """A vector added to each channel of images: that is the third axis from the last."""
    big, small = (a, b) if a.rank > b.rank else (b, a)
    if small.rank != 1 or small.row or big.rank < 3:
        return []
    channel = big.axes[big.rank - 3]
    if not same_extent(channel.extent, small.shape[0]):
        return []
    spread = substitute(small.expr, {small.axes[0]: channel})
    return [Reading(big.expr + spread, big.axes, **combined(a, b, 0.5, CHANNELS))]


def sum_of_columns(a: Reading, b: Reading) -> list[Reading]:
    """As ``sum_of``, where a vector is a column, and so one with an N×1 matrix."""
    big, small = (a, b) if a.rank > b.rank else (b, a)
    column = big.rank == 2 and small.rank == 1 and big.shape[1] == 1 and not small.row
    if not column or clash(a, b) or not _same(big.shape[0], small.shape[0]):
        return sum_of(a, b)
    beside = substitute(small.expr, {small.axes[0]: big.axes[0]})
    return [Reading(big.expr + beside, big.axes, **combined(a, b))]


def _stretched(a: Reading, b: Reading) -> list[tuple[Reading, Reading]]:
    """Two matrices of one shape but for axes of extent 1, which are repeated as in NumPy."""
    if a.rank != 2 or b.rank != 2:
        return []
    axes, left, right = [], {}, {}
    for x, y in zip(a.axes, b.axes, strict=True):
        if x.extent != 1 and y.extent != 1 and not _same(x.extent, y.extent):
            return []
        wide = y if x.extent == 1 else x
        axes.append(wide)
        left[x] = Integer(0) if x.extent == 1 and wide.extent != 1 else wide
        right[y] = Integer(0) if y.extent == 1 and wide.extent != 1 else wide
    shape = tuple(axes)
    return [
        (
            replace(a, expr=substitute(a.expr, left), axes=shape),
            replace(b, expr=substitute(b.expr, right), axes=shape),
        )
    ]


def zeros_like(r: Reading) -> Reading:
    """A zero of the shape of a reading."""
    return Reading(Integer(0), tuple(position(k, e) for k, e in enumerate(r.shape)), r.row)


def all_pairs(
    left: Readings, right: Readings, combine: Callable[[Reading, Reading], list[Reading]]
) -> Readings:
    """Every combination, without doubles."""
    return cheapest(joined(r) for a in left for b in right for r in combine(a, b))


def misfit(left: Readings, right: Readings, what: str, node: Node) -> Unreadable:
    """The complaint that no combination fits, with the shapes of the cheapest readings."""
    a, b = left[0], right[0]
    reason = clash(a, b)
    shapes = (show(a), show(b))
    error = Unreadable(
        "notation" if max(a.rank, b.rank) > 2 else "shape",
        f"the index {reason}" if reason else f"{what} of {shapes[0]} and {shapes[1]} does not fit",
        node,
        shapes,
    )
    error.guessed = frozenset().union(*(r.guessed for r in (*left, *right)))
    return error
