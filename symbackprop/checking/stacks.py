"""Arrays with more than two axes as stacks of matrices: products and transposes matrix by matrix.

The last two axes of a stack are those of its matrices; what stands before them is lined up from the
right, an axis of extent 1 or one that is missing being repeated, as NumPy has it. Gives single
readings; refuses (with no reading) what does not line up.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Integer

from symbackprop.checking import execution_arrays as arrays
from symbackprop.checking.execution_values import Array, Misfitting
from symbackprop.checking.execution_values import array as made
from symbackprop.checking.readings import Note, Reading, array, combined
from symbackprop.ir.expressions import Index, substitute
from symbackprop.ir.terms import same_shape

EACH_MATRIX = Note("an array of more than two axes is a stack of matrices, multiplied one by one")
EACH_TURNED = Note("a transpose of a stack of matrices transposes each of them")
ONE = Index("_one", Integer(1))
REPEATED = Note("an array of fewer axes stands for each part of a stack")


def turned(r: Reading) -> Reading:
    """Each matrix of a stack transposed."""
    *before, rows, columns = r.axes
    notes = r.notes | {EACH_TURNED}
    return array(r.expr, (*before, columns, rows), cost=r.cost, notes=notes, guessed=r.guessed)


def multiplied(a: Reading, b: Reading) -> list[Reading]:
    """Each matrix (or the one matrix, row or column) of ``a`` times that of ``b``."""
    x, y = plain(a), plain(b)
    if b.rank == 1 and b.row:
        y = made(y.expr, (ONE, *y.axes))
    if a.rank == 1 and not a.row:
        x = made(x.expr, (*x.axes, ONE))
    try:
        found = arrays.matmul(x, y)
    except Misfitting:
        return []
    return [Reading(found.expr, found.axes, **combined(a, b, 0.0, EACH_MATRIX))]


def entrywise(a: Reading, b: Reading, make: Callable[..., Expr]) -> list[Reading]:
    """What is made of each pair of entries of two arrays that line up."""
    x, y = plain(a), plain(b)
    if _are_columns(a, b):
        y = made(y.expr, (*y.axes, ONE))
    elif _are_columns(b, a):
        x = made(x.expr, (*x.axes, ONE))
    try:
        found = arrays.elementwise(make, x, y)
    except Misfitting:
        return []
    liberty = (REPEATED,) if a.shape != b.shape else ()
    return [Reading(found.expr, found.axes, **combined(a, b, 0.0, *liberty))]


def _are_columns(a: Reading, b: Reading) -> bool:
    """Whether ``a`` is a stack of columns, N×T×1, and ``b`` the same without its last axis."""
    return a.rank > 2 and a.shape[-1] == 1 and same_shape(a.shape[:-1], b.shape)


def plain(r: Reading) -> Array:
    """A reading as an array without its price; an axis of extent 1 has no index in it."""
    return Array(substitute(r.expr, {i: Integer(0) for i in r.axes if i.extent == 1}), r.axes)
