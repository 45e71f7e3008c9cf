"""Terms that move, join, pick and pad entries of arrays, and terms of whole matrices.

The builders of :mod:`symbackprop.ir.terms` for these families: they check shapes by NumPy's rules
and raise :class:`ShapeError` with both shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from sympy import Expr, Integer, sympify

from symbackprop.ir.affine import expanded, floor_div
from symbackprop.ir.terms import (
    Axes,
    Shape,
    ShapeError,
    Term,
    broadcast_shapes,
    normal_axes,
    same_extent,
    show_shape,
)

# Whole matrices


def _square(word: str, a: Term) -> Expr:
    if a.rank != 2 or not same_extent(*a.shape):
        raise ShapeError(f"a square matrix in {word}", show_shape(a.shape))
    return a.shape[0]


def inv(a: Term) -> Term:
    _square("inv", a)
    return Term("inv", (a,), a.shape)


def det(a: Term) -> Term:
    _square("det", a)
    return Term("det", (a,), ())


def logdet(a: Term) -> Term:
    _square("logdet", a)
    return Term("logdet", (a,), ())


def cholesky(a: Term) -> Term:
    _square("cholesky", a)
    return Term("cholesky", (a,), a.shape)


def matpow(a: Term, power: int) -> Term:
    _square("matpow", a)
    return Term("matpow", (a,), a.shape, (power,))


def kron(a: Term, b: Term) -> Term:
    if a.rank != 2 or b.rank != 2:
        raise ShapeError("two matrices in kron", f"{show_shape(a.shape)} and {show_shape(b.shape)}")
    shape = tuple(expanded(m * n) for m, n in zip(a.shape, b.shape, strict=True))
    return Term("kron", (a, b), shape)


def vec(a: Term) -> Term:
    if a.rank != 2:
        raise ShapeError("a matrix in vec", show_shape(a.shape), "flatten takes any array")
    return Term("vec", (a,), (expanded(a.shape[0] * a.shape[1]),))


def triangle(word: str, a: Term, k: int = 0) -> Term:
    """``tril`` or ``triu`` of the last two axes."""
    if a.rank < 2:
        raise ShapeError(f"a matrix in {word}", show_shape(a.shape))
    return Term(word, (a,), a.shape, (k,))


# Picked entries


def take(a: Term, t: Term, axis: int = 0) -> Term:
    """``a[t]`` along one axis: the axes of ``t`` stand where that axis stood."""
    (k,) = normal_axes(axis, a.rank)
    return Term("take", (a, t), (*a.shape[:k], *t.shape, *a.shape[k + 1 :]), (k,))


def gather(a: Term, *indices: Term) -> Term:
    """``a[s, t]`` with one array of integers for each axis from the first on."""
    if len(indices) > a.rank:
        raise ShapeError(f"at most {a.rank} indices", f"{len(indices)} for {show_shape(a.shape)}")
    shape = broadcast_shapes(*(t.shape for t in indices))
    return Term("gather", (a, *indices), shape + a.shape[len(indices) :])


def onehot(t: Term, count: Expr) -> Term:
    return Term("onehot", (t,), (*t.shape, sympify(count)), (sympify(count),))


def cumsum(a: Term, axis: int = -1) -> Term:
    if a.rank == 0:
        raise ShapeError("an array in cumsum", "a scalar")
    return Term("cumsum", (a,), a.shape, normal_axes(axis, a.rank))


# Axes moved


def swap(a: Term, i: int, j: int) -> Term:
    """Two axes exchanged; of a matrix the transpose."""
    (p,), (q,) = normal_axes(i, a.rank), normal_axes(j, a.rank)
    if p == q:
        return a
    shape = list(a.shape)
    shape[p], shape[q] = shape[q], shape[p]
    return Term("swap", (a,), tuple(shape), (min(p, q), max(p, q)))


def reshape(a: Term, shape: Sequence[Expr | int]) -> Term:
    """Another shape of as many entries; one extent may be -1."""
    wanted = [sympify(e) for e in shape]
    whole = count(a.shape)
    if wanted.count(Integer(-1)) == 1:
        rest = count([e for e in wanted if e != -1])
        wanted[wanted.index(Integer(-1))] = floor_div(whole, rest)
    if not same_extent(count(wanted), whole):
        raise ShapeError(
            f"a shape with as many entries as {show_shape(a.shape)}", show_shape(tuple(wanted))
        )
    return Term("reshape", (a,), tuple(wanted), (tuple(wanted),))


def flatten(a: Term) -> Term:
    return reshape(a, (count(a.shape),))


def count(shape: Sequence[Expr]) -> Expr:
    """The number of entries of an array of this shape."""
    return _product(tuple(shape))


@lru_cache(maxsize=1 << 12)
def _product(extents: Shape) -> Expr:
    out: Expr = Integer(1)
    for e in extents:
        out = expanded(out * e)
    return out


def flip(a: Term, axes: Axes | int | None = None) -> Term:
    return Term("flip", (a,), a.shape, (normal_axes(axes, a.rank),))


def repeat(a: Term, times: Expr | int, axis: int = -1) -> Term:
    if a.rank == 0:
        raise ShapeError("an array in repeat", "a scalar")
    (k,) = normal_axes(axis, a.rank)
    p = sympify(times)
    shape = (*a.shape[:k], expanded(a.shape[k] * p), *a.shape[k + 1 :])
    return Term("repeat", (a,), shape, (p, k))


def pad(a: Term, widths: Sequence[tuple[Expr | int, Expr | int]]) -> Term:
    """Zeros before and after, a pair for each of the last axes."""
    if len(widths) > a.rank:
        raise ShapeError(f"an array with {len(widths)} axes or more to pad", show_shape(a.shape))
    pairs = [(Integer(0), Integer(0))] * (a.rank - len(widths))
    pairs += [(sympify(before), sympify(after)) for before, after in widths]
    shape = tuple(expanded(e + p + q) for e, (p, q) in zip(a.shape, pairs, strict=True))
    return Term("pad", (a,), shape, (tuple(pairs),))


def concat(parts: Sequence[Term], axis: int = 0) -> Term:
    (k,) = normal_axes(axis, parts[0].rank)
    for a, b in pairwise(parts):
        fits = a.rank == b.rank and all(
            same_extent(m, n)
            for j, (m, n) in enumerate(zip(a.shape, b.shape, strict=True))
            if j != k
        )
        if not fits:
            raise ShapeError(
                f"shapes that agree but for axis {k}",
                " and ".join(show_shape(p.shape) for p in parts),
            )
    total = expanded(sum((p.shape[k] for p in parts), Integer(0)))
    shape = (*parts[0].shape[:k], total, *parts[0].shape[k + 1 :])
    return Term("concat", tuple(parts), shape, (k,))


def stack(parts: Sequence[Term], axis: int = 0) -> Term:
    rank = parts[0].rank
    (k,) = normal_axes(axis, rank + 1)
    shape: Shape = parts[0].shape
    if not all(p.rank == rank and all(map(same_extent, p.shape, shape)) for p in parts):
        raise ShapeError(
            "arrays of one shape to stack", " and ".join(show_shape(p.shape) for p in parts)
        )
    return Term("stack", tuple(parts), (*shape[:k], Integer(len(parts)), *shape[k:]), (k,))
