"""Array notation: a closed vocabulary of terms with axes.

A :class:`Term` is what people write (``X @ W.T + b``) with its shape worked out; text, LaTeX and
NumPy are printed from the same term, so that notes and kernels cannot disagree. Terms hold data
only. Build them through the functions below, which check shapes by NumPy's rules and raise
:class:`ShapeError` with both shapes. :mod:`symbackprop.ir.vocabulary` lists every operation.

An extent is a SymPy expression in extent symbols. Two extents are equal when their expanded
difference is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Add, Expr, Integer, Rational, sympify

from symbackprop.ir.affine import expanded, floor_div, written_close
from symbackprop.ir.expressions import entry_names

Shape = tuple[Expr, ...]
Axes = tuple[int, ...]


class ShapeError(ValueError):
    """Shapes that do not fit; carries what was expected, what came and a remedy, but no place."""

    def __init__(self, expected: str, got: str, hint: str = "") -> None:
        super().__init__(expected, got, hint)
        self.expected, self.got, self.hint = expected, got, hint


@dataclass(frozen=True, slots=True)
class Term:
    """One operation of the vocabulary on smaller terms, with its shape and attributes."""

    op: str
    args: tuple[Term, ...]
    shape: Shape
    attrs: tuple[Any, ...] = ()

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __hash__(self) -> int:
        # A slice has no hash of its own before Python 3.12.
        attrs = tuple(map(str, self.attrs)) if self.op == "index" else self.attrs
        return hash((self.op, self.args, self.shape, attrs))


def show_shape(shape: Sequence[Expr]) -> str:
    """``N×D`` or ``(H-K+1)×C`` for people; a scalar is ``scalar``."""
    brackets = len(shape) > 1
    shown = (f"({_close(e)})" if brackets and e.is_Add else _close(e) for e in shape)
    return "×".join(shown) or "scalar"


def _close(extent: Expr) -> str:
    """``H-K+1``: what is added, what is taken away, and the number last."""
    summands = Add.make_args(extent)
    if any(not s.is_Rational and not s.could_extract_minus_sign() for s in summands):
        key = {s: (s.is_Rational is True, s.could_extract_minus_sign(), str(s)) for s in summands}
        summands = tuple(sorted(summands, key=key.__getitem__))
    return written_close(summands)


def same_extent(a: Expr, b: Expr) -> bool:
    """Whether two extents have the same canonical polynomial."""
    return a == b or expanded(a - b) == 0


def same_shape(a: Sequence[Expr], b: Sequence[Expr]) -> bool:
    return len(a) == len(b) and all(same_extent(x, y) for x, y in zip(a, b, strict=True))


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives.

    Raises
    ------
    ShapeError
        If two extents on one axis differ and neither is 1.
    """
    rank = max((len(s) for s in shapes), default=0)
    out: list[Expr] = [Integer(1)] * rank
    for shape in shapes:
        for axis, extent in enumerate(shape, start=rank - len(shape)):
            if out[axis] == 1:
                out[axis] = extent
            elif extent != 1 and not same_extent(extent, out[axis]):
                raise ShapeError(
                    "shapes that broadcast (compared from the right, equal or 1)",
                    " and ".join(show_shape(s) for s in shapes),
                )
    return tuple(out)


def normal_axes(axes: Axes | int | None, rank: int) -> Axes:
    """Axes as a sorted tuple of non-negative numbers; ``None`` means all."""
    if axes is None:
        return tuple(range(rank))
    listed = (axes,) if isinstance(axes, int) else tuple(axes)
    out = tuple(sorted(a + rank if a < 0 else a for a in listed))
    if any(not 0 <= a < rank for a in out) or len(set(out)) != len(out):
        raise ShapeError(
            f"distinct axes from {-rank} to {rank - 1}", f"axis {axes} of an array of rank {rank}"
        )
    return out


def name(text: str, shape: Iterable[Expr] = ()) -> Term:
    return Term("name", (), tuple(shape), (text,))


def number(value: Any) -> Term:
    return Term("number", (), (), (Rational(value),))


def dim(extent: Expr) -> Term:
    """An extent as a number; a plain integer extent is a number."""
    e = sympify(extent)
    return number(e) if e.is_Integer else Term("dim", (), (), (e,))


def constant(text: str) -> Term:
    return Term("constant", (), (), (text,))


def _elementwise(op: str, *args: Term, attrs: tuple[Any, ...] = ()) -> Term:
    return Term(op, args, broadcast_shapes(*(a.shape for a in args)), attrs)


def add(a: Term, b: Term) -> Term:
    return _elementwise("add", a, b)


def sub(a: Term, b: Term) -> Term:
    return _elementwise("sub", a, b)


def mul(a: Term, b: Term) -> Term:
    return _elementwise("mul", a, b)


def div(a: Term, b: Term) -> Term:
    return _elementwise("div", a, b)


def power(a: Term, b: Term) -> Term:
    return _elementwise("pow", a, b)


def neg(a: Term) -> Term:
    return Term("neg", (a,), a.shape)


def apply(function: str, *args: Term) -> Term:
    return _elementwise("apply", *args, attrs=(function,))


def compare(op: str, a: Term, b: Term) -> Term:
    return _elementwise("compare", a, b, attrs=(op,))


def where(c: Term, a: Term, b: Term) -> Term:
    return _elementwise("where", c, a, b)


def matmul(a: Term, b: Term) -> Term:
    if a.rank == 0 or b.rank == 0:
        raise ShapeError(
            "arrays on both sides of @",
            f"{show_shape(a.shape)} @ {show_shape(b.shape)}",
            "write * to scale",
        )
    left, right = a.shape[-1], b.shape[0] if b.rank == 1 else b.shape[-2]
    if not same_extent(left, right):
        raise ShapeError(
            "equal inner extents in a product @",
            f"{show_shape(a.shape)} @ {show_shape(b.shape)}",
            _transpose_hint(a, b),
        )
    stack = (
        broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if a.rank > 1 and b.rank > 1
        else a.shape[:-2] or b.shape[:-2]
    )
    rows = a.shape[-2:-1] if a.rank > 1 else ()
    columns = b.shape[-1:] if b.rank > 1 else ()
    return Term("matmul", (a, b), stack + rows + columns)


def _transpose_hint(a: Term, b: Term) -> str:
    if a.rank == 2 and b.rank == 2:
        if same_extent(a.shape[1], b.shape[1]):
            return "transpose the right operand: A @ B.T"
        if same_extent(a.shape[0], b.shape[0]):
            return "transpose the left operand: A.T @ B"
    if a.rank == 2 and same_extent(a.shape[0], b.shape[0]):
        return "transpose the left operand: A.T @ B"
    if b.rank == 2 and a.rank == 1 and same_extent(a.shape[0], b.shape[1]):
        return "transpose the right operand: a @ B.T"
    return ""


def transpose(a: Term) -> Term:
    if a.rank > 2:
        raise ShapeError(
            "a matrix or vector before .T",
            f"rank {a.rank}: {show_shape(a.shape)}",
            "name the axes: swap(x, a, b)",
        )
    return Term("transpose", (a,), tuple(reversed(a.shape)))


def reduce(op: str, a: Term, axes: Axes | int | None = None, keepdims: bool = False) -> Term:
    """``sum mean var max min prod norm1 norm2 logsumexp`` over axes."""
    over = normal_axes(axes, a.rank)
    if keepdims:
        shape = tuple(Integer(1) if k in over else e for k, e in enumerate(a.shape))
    else:
        shape = tuple(e for k, e in enumerate(a.shape) if k not in over)
    return Term(op, (a,), shape, (None if axes is None else over, keepdims))


def along(op: str, a: Term, axis: int = -1) -> Term:
    """``softmax`` or ``log_softmax`` along one axis."""
    if a.rank == 0:
        raise ShapeError(f"an array in {op}", "a scalar")
    return Term(op, (a,), a.shape, normal_axes(axis, a.rank))


def dot(a: Term, b: Term) -> Term:
    if a.rank != 1 or b.rank != 1 or not same_extent(a.shape[0], b.shape[0]):
        raise ShapeError(
            "two vectors of one length in dot",
            f"{show_shape(a.shape)} and {show_shape(b.shape)}",
            "write @ for matrices",
        )
    return Term("dot", (a, b), ())


def outer(a: Term, b: Term) -> Term:
    if a.rank != 1 or b.rank != 1:
        raise ShapeError("two vectors in outer", f"{show_shape(a.shape)} and {show_shape(b.shape)}")
    return Term("outer", (a, b), a.shape + b.shape)


def diag(a: Term) -> Term:
    if a.rank == 1:
        return Term("diag", (a,), a.shape * 2)
    if a.rank == 2 and same_extent(*a.shape):
        return Term("diag", (a,), a.shape[:1])
    raise ShapeError("a vector or a square matrix in diag", show_shape(a.shape))


def trace(a: Term) -> Term:
    if a.rank != 2 or not same_extent(*a.shape):
        raise ShapeError("a square matrix in trace", show_shape(a.shape))
    return Term("trace", (a,), ())


def ones(*shape: Expr) -> Term:
    return Term("ones", (), tuple(sympify(e) for e in shape), (tuple(sympify(e) for e in shape),))


def zeros(*shape: Expr) -> Term:
    return Term("zeros", (), tuple(sympify(e) for e in shape), (tuple(sympify(e) for e in shape),))


def eye(n: Expr, m: Expr | None = None) -> Term:
    rows, columns = sympify(n), sympify(n if m is None else m)
    return Term("eye", (), (rows, columns), (rows, columns))


def broadcast(a: Term, shape: Shape) -> Term:
    if same_shape(a.shape, shape):
        return a
    if not same_shape(broadcast_shapes(a.shape, shape), shape):
        raise ShapeError(f"a shape that broadcasts to {show_shape(shape)}", show_shape(a.shape))
    return Term("broadcast", (a,), tuple(shape), (tuple(shape),))


def index(a: Term, items: tuple[Any, ...]) -> Term:
    """``a[items]``; an item is None (a new axis), a ``slice`` of extents or None, or an extent
    (which drops the axis).
    """
    shape, axis = [], 0
    for item in items:
        if item is None:
            shape.append(Integer(1))
            continue
        if axis >= a.rank:
            raise ShapeError(
                f"at most {a.rank} indices",
                f"{len([i for i in items if i is not None])} for {show_shape(a.shape)}",
            )
        if isinstance(item, slice):
            shape.append(slice_length(item, a.shape[axis]))
        axis += 1
    return Term("index", (a,), (*shape, *a.shape[axis:]), (items,))


def slice_of(item: slice, extent: Expr) -> tuple[Expr, int]:
    """First place and step of a slice of an axis of this extent; places below 0 count from the
    end.
    """
    step = 1 if item.step is None else int(item.step)
    if item.start is None:
        return (Integer(0) if step > 0 else extent - 1), step
    start = sympify(item.start)
    return (start + extent if start.is_negative else start), step


def slice_length(item: slice, extent: Expr) -> Expr:
    """How many places a slice of an axis of this extent takes; its ends must lie inside."""
    start, step = slice_of(item, extent)
    if item.stop is None:
        stop = extent if step > 0 else Integer(-1)
    else:
        stop = sympify(item.stop)
        stop = stop + extent if stop.is_negative else stop
    span = expanded(stop - start if step > 0 else start - stop)
    return span if abs(step) == 1 else floor_div(expanded(span + abs(step) - 1), Integer(abs(step)))


def series(a: Term, letter: str, first: Expr, last: Expr) -> Term:
    """``Σ_{letter=first}^{last} a``, where ``a`` names members of families at the letter."""
    return Term("series", (a,), a.shape, (letter, sympify(first), sympify(last)))


def entries(indices: tuple[Any, ...], body: Expr) -> Term:
    """The array with generic entry ``body`` at ``indices``."""
    return Term("entries", (), tuple(i.extent for i in indices), (indices, body))


def size(term: Term) -> int:
    """Nodes of the printed formula: operations, names and numbers."""
    return 1 + sum(size(a) for a in term.args)


def names_in(term: Term) -> frozenset[str]:
    """The names that occur in a term."""
    own: frozenset[str] = frozenset(term.attrs[:1]) if term.op == "name" else frozenset()
    if term.op == "entries":
        own = entry_names(term.attrs[1])
    return own.union(*(names_in(a) for a in term.args))
