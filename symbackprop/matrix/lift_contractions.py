"""Contractions over several indices as products of matrices: the shared axes are merged, and so are
columns that are several.

``Σ_{n,t} G[n,t,v] H[n,t,d]`` is ``reshape(G, N*T, V).T @ reshape(H, N*T, D)``; further axes in
front follow NumPy's broadcasting (``grad_Z @ E`` for a stack of rows and one matrix).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from symbackprop.ir import array_terms, terms
from symbackprop.ir.expressions import Index
from symbackprop.ir.terms import Shape, Term, same_shape
from symbackprop.matrix.cost import cost
from symbackprop.matrix.lift_atoms import permuted
from symbackprop.matrix.lift_forms import Form, Layout, best, build, form, strip, transposed

ORDERED = 3  # the orders of so many merged axes are all tried


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a contraction: its own indices, and its cheapest form in a layout."""

    own: frozenset[Index]
    get: Callable[[Layout], Form | None]


def contracted(
    x: Operand, y: Operand, over: Sequence[Index], layout: tuple[Index, ...]
) -> Iterator[Form | None]:
    """``x @ y`` over the indices ``over`` with the axes of ``layout``, wherever products of
    matrices say it.
    """
    rows = tuple(i for i in layout if i not in y.own)
    columns = tuple(i for i in layout if i not in x.own)
    stack = tuple(i for i in layout if i in x.own and i in y.own)
    if len(over) > 1 and not (rows and columns):
        return  # a sum over a product says it without reshaping
    if len(layout) > 1 and layout[-1] in columns and layout[-2] in rows:
        yield _product(x, y, over, layout[:-2], layout[-2:-1], layout[-1:])
    elif not columns and not stack:
        yield _product(x, y, over, layout[:-1], layout[-1:], ())
    elif not rows and not stack:
        yield _product(x, y, over, layout[:-1], (), layout[-1:])
    if rows and columns and (len(columns) > 1 or len(rows) > 1):
        for front in dict.fromkeys((rows[:-1] if not stack else (), ())):
            whole = _product(x, y, over, (*stack, *front), rows[len(front) :], columns)
            yield None if whole is None else _ordered(whole, (*stack, *rows, *columns), layout)


def _ordered(f: Form, own: tuple[Index, ...], layout: tuple[Index, ...]) -> Form | None:
    """``f``, whose last axes may be merged, with the axes of ``own`` in the order of ``layout``."""
    wanted = tuple(i.extent for i in own)
    apart = f if same_shape(f.term.shape, wanted) else reshaped(f, wanted)
    return apart if own == layout else permuted(apart, own, layout)


def _product(
    x: Operand,
    y: Operand,
    over: Sequence[Index],
    stack: Layout,
    rows: tuple[Index, ...],
    columns: tuple[Index, ...],
) -> Form | None:
    """``x @ y`` over a stack of axes, each of which both sides have or one repeats along."""
    if stack and not (rows and columns) and any(i in x.own and i in y.own for i in stack):
        return None
    left_stack = strip(tuple(i if i in x.own else None for i in stack))
    right_stack = strip(tuple(i if i in y.own else None for i in stack))
    found = []
    orders = permutations(over) if len(over) <= ORDERED else [tuple(over)]
    for merged in orders:
        f = _side(x, left_stack, rows, merged)
        g = _side(y, right_stack, columns, merged, second=True)
        if f is not None and g is not None:
            found.append(build(terms.matmul, f, g))
    return best(found)


def _side(
    operand: Operand,
    stack: Layout,
    kept: tuple[Index, ...],
    merged: tuple[Index, ...],
    second: bool = False,
) -> Form | None:
    """An operand with the axes ``stack``, those of ``kept`` as one, those of ``merged`` as one; as
    the second of a product with the last two exchanged.
    """
    first, last = (merged, kept) if second else (kept, merged)
    plain = _merged(operand, stack, first, last)
    if not kept:
        return plain
    other = _merged(operand, stack, last, first)
    if other is None or (not stack and len(kept) == len(merged) == 1):
        return plain  # the transpose of a matrix has been tried
    rank = other.term.rank
    turned = (
        transposed(other)
        if rank == 2
        else build(lambda t: array_terms.swap(t, rank - 2, rank - 1), other)
    )
    return best((plain, turned))


def _merged(
    operand: Operand, stack: Layout, first: tuple[Index, ...], last: tuple[Index, ...]
) -> Form | None:
    f = operand.get((*stack, *first, *last))
    if f is None or (len(first) < 2 and len(last) < 2):
        return f
    if f.term.rank != len(stack) + len(first) + len(last):
        return None
    extents = [array_terms.count([i.extent for i in part]) for part in (first, last) if part]
    return reshaped(f, (*f.term.shape[: len(stack)], *extents))


def reshaped(f: Form, shape: Shape) -> Form:
    """``f`` reshaped, at the price of the shortest way to say it."""
    term = reshape(f.term, shape)
    if term.op == "reshape" and term.args[0] is f.term:
        return form(term, f)
    return Form(cost(term), term)


def reshape(a: Term, shape: Shape) -> Term:
    """``reshape(a, shape)`` in its shortest form.

    A reshape of a reshape is one, one to the shape that is there is none, and ``onehot`` reads
    reshaped integers.
    """
    if a.op == "reshape":
        return reshape(a.args[0], shape)
    if same_shape(a.shape, shape):
        return a
    if a.op == "onehot" and terms.same_extent(a.shape[-1], shape[-1]):
        return array_terms.onehot(reshape(a.args[0], shape[:-1]), a.attrs[0])
    return array_terms.reshape(a, shape)
