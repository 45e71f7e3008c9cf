r"""Matrices as vectors and Kronecker products: ``\operatorname{vec}(W)``, ``A \otimes B``.

vec stacks the columns of a matrix [1]_; its rows only where the document says so in words. A vector
in a Kronecker product is the matrix of one column, or of one row, that it is.

References
----------
.. [1] J. R. Magnus and H. Neudecker, Matrix Differential Calculus with Applications in Statistics
   and Econometrics, 1988, chapter 2.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sympy import Integer

from symbackprop.checking.readings import Note, Reading, Unreadable, array, shifted, show
from symbackprop.checking.scope import Scope
from symbackprop.ir.affine import expanded, floor_div, modulo
from symbackprop.ir.expressions import Index, substitute
from symbackprop.notation.written import Call, Name, Node

BY_ROWS = Note("vec stacks the rows of a matrix")
_ROWS = re.compile(
    r"row[- ](?:major|wise|by[- ]row)|stack(?:s|ing|ed)?\s+(?:of\s+)?(?:(?:all|the|its)\s+)*rows"
    r"|rows\s+(?:are\s+)?stacked|按行",
    re.IGNORECASE,
)


def inside_vec(node: Node) -> Node | None:
    """The W of ``vec(W)``; None for what is no vec."""
    if isinstance(node, Call) and isinstance(node.function, Name) and len(node.arguments) == 1:
        return node.arguments[0] if node.function.text == "vec" else None
    return None


def stacked(r: Reading, node: Node, scope: Scope) -> Reading:
    """A matrix as the vector of its columns, one below the other; a vector as it is.

    Raises
    ------
    Unreadable
        For a stack of matrices.
    """
    if r.rank < 2:
        return r
    if r.rank > 2:
        raise Unreadable("shape", "vec is of a matrix", node, (show(r),))
    return stacked_at(r, 0, scope)


def stacked_at(r: Reading, first: int, scope: Scope) -> Reading:
    """The reading with an axis and the one after it, those of a matrix, as that of its vec."""
    by_rows = _by_rows(scope.text)
    i, j = r.axes[first : first + 2]
    k = Index("_merged", expanded(i.extent * j.extent))
    slow, fast = (i, j) if by_rows else (j, i)
    places = {slow: floor_div(k, fast.extent), fast: modulo(k, fast.extent)}
    axes = (*r.axes[:first], k, *r.axes[first + 2 :])
    notes = r.notes | {BY_ROWS} if by_rows else r.notes
    return array(substitute(r.expr, places), axes, cost=r.cost, notes=notes, guessed=r.guessed)


def kronecker_product(a: Reading, b: Reading, **rest: Any) -> Reading:
    """``(A ⊗ B)[i, j] = A[i // p, j // q] B[i % p, j % q]`` for B of p rows and q columns; of two
    columns a column.
    """
    b = shifted(b)
    (i, j), (k, m) = _axes(a), _axes(b)
    row = Index("_row", expanded(i.extent * k.extent))
    column = Index("_column", expanded(j.extent * m.extent))
    outer = {i: floor_div(row, k.extent), j: floor_div(column, m.extent)}
    inner = {k: modulo(row, k.extent), m: modulo(column, m.extent)}
    expr = substitute(a.expr, outer) * substitute(b.expr, inner)
    return array(expr, (row,) if a.rank == b.rank == 1 else (row, column), **rest)


def _axes(r: Reading) -> tuple[Index, Index]:
    """The indices of the rows and of the columns; a vector has one of either."""
    if r.rank == 2:
        return r.axes[0], r.axes[1]
    one = Index("_one", Integer(1))
    return (one, r.axes[0]) if r.row else (r.axes[0], one)


@lru_cache(maxsize=8)
def _by_rows(text: str) -> bool:
    return bool(_ROWS.search(text))
