"""Inverses and determinants of one matrix that goes by several names, and of products. For proofs.

* ``inv(B) → inv(A)ᵀ``, ``det(B) → det(A)`` where B is defined as Aᵀ, and likewise where two
  quantities have one definition
* ``det(A) → (Π_i C[i,i])²``, ``log|det(A)| → 2 Σ_i log C[i,i]`` where the diagonal of the factor
  of Cholesky C is about and A is symmetric
* ``inv(c A B) → inv(B) inv(A) / c``, ``det(c A B) → cⁿ det(A) det(B)`` for square A and B
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Mul, Pow

from symbackprop.algebra.context import Context, is_constant
from symbackprop.algebra.expand import expand
from symbackprop.algebra.knowledge import inline
from symbackprop.ir.cholesky import FACTOR
from symbackprop.ir.expressions import (
    Apply,
    Entry,
    Index,
    IndexProduct,
    IndexSum,
    MatrixFunction,
    entry_names,
    free_indices,
    substitute,
)
from symbackprop.ir.program import Program

HANDLED = ("inv", "det")


@dataclass(frozen=True, slots=True)
class _Link:
    """A factor of a matrix product: an array or its inverse, perhaps transposed."""

    name: str
    inverse: bool
    transposed: bool


def relate_matrices(e: Expr, program: Program, context: Context) -> Expr:
    """``e`` with inverses and determinants of defined quantities reduced to those of few."""
    e = _by_diagonals(e, context)
    names = sorted({m.name for m in e.atoms(MatrixFunction) if m.function in HANDLED})
    if not names:
        return e
    bodies: dict[str, tuple[Expr, Index, Index]] = {}
    for name in names:
        shape = program.shape_of(name)
        if len(shape) == 2 and shape[0] != 1:
            i, j = Index("_r", shape[0]), Index("_c", shape[0])
            body: Expr = Entry(name, i, j)
            for equation in reversed(program.equations):
                if equation.name in entry_names(body):
                    body = inline(body, (equation,))
            bodies[name] = expand(body, context), i, j
    return expand(_rewritten(e, bodies, context), context)


def _by_diagonals(e: Expr, context: Context) -> Expr:
    """Determinants of the matrices of which the diagonal of the factor occurs, by that diagonal."""
    functions = e.atoms(MatrixFunction)
    named = {m.name for m in functions if m.function == FACTOR and m.indices[0] == m.indices[1]}
    written = {}
    for m in functions:
        if m.function in ("det", "logdet") and m.name in named:
            if context.knows(m.name, "symmetric"):
                i = Index("_d", m.extent)
                pivot = MatrixFunction(FACTOR, m.name, m.extent, i, i)
                if m.function == "det":
                    written[m] = IndexProduct(pivot, i) ** 2
                else:
                    written[m] = 2 * IndexSum(Apply("log", pivot), i)
    return expand(e.xreplace(written), context) if written else e


Bodies = dict[str, tuple[Expr, Index, Index]]


def _rewritten(e: Expr, bodies: Bodies, context: Context) -> Expr:
    if isinstance(e, MatrixFunction) and e.function in HANDLED and e.name in bodies:
        return _of_product(e, *bodies[e.name]) or _renamed(e, bodies)
    if not e.args or isinstance(e, Entry | Index):
        return e
    return e.func(*(_rewritten(a, bodies, context) if a.args else a for a in e.args))


def _renamed(e: MatrixFunction, bodies: Bodies) -> Expr:
    """The same function of the first matrix that has this definition, or its transpose."""
    body, i, j = bodies[e.name]
    for name, (other, row, column) in bodies.items():
        if name == e.name:
            break
        if row.extent != i.extent:
            continue
        if substitute(other, {row: i, column: j}) == body:
            return MatrixFunction(e.args[0], name, *e.args[2:])
        if substitute(other, {row: j, column: i}) == body:
            return MatrixFunction(e.args[0], name, e.extent, *e.indices[::-1])
    return e


def _of_product(e: MatrixFunction, body: Expr, i: Index, j: Index) -> Expr | None:
    """The function of a product of square matrices by those of its factors; None if the definition
    is not such a product.
    """
    coefficient, links = _chain(body, i, j)
    if not links or (links == [_Link(e.name, False, False)] and coefficient == 1):
        return None
    if e.function == "det":
        factors = [_determinant(link, e.extent) for link in links]
        return Mul(Pow(coefficient, e.extent), *factors)
    ends = [e.indices[0], *(Index(f"_w{k}", e.extent) for k in range(len(links) - 1)), e.indices[1]]
    inverses = [
        _inverse(link, e.extent, ends[k], ends[k + 1]) for k, link in enumerate(reversed(links))
    ]
    bound = [x for x in ends[1:-1] if isinstance(x, Index)]
    product = Mul(1 / coefficient, *inverses)
    return IndexSum(product, *bound) if bound else product


def _determinant(link: _Link, extent: Expr) -> Expr:
    value = MatrixFunction("det", link.name, extent)
    return 1 / value if link.inverse else value


def _inverse(link: _Link, extent: Expr, row: Expr, column: Expr) -> Expr:
    if link.transposed:
        row, column = column, row
    if link.inverse:
        return Entry(link.name, row, column)
    return MatrixFunction("inv", link.name, extent, row, column)


def _chain(body: Expr, i: Index, j: Index) -> tuple[Expr, list[_Link]]:
    """A product of square matrices, from row ``i`` to column ``j``, as coefficient and factors; no
    factors if it is none.
    """
    coefficient, term = body.as_coeff_Mul()
    factors = list(Mul.make_args(term))
    sums = [f for f in factors if isinstance(f, IndexSum)]
    if len(sums) == 1:
        factors.remove(sums[0])
        factors += Mul.make_args(sums[0].body)
    square = [f for f in factors if isinstance(f, Entry | MatrixFunction) and len(f.indices) == 2]
    outside = [f for f in factors if f not in square]
    if not square or any(not is_constant(f) and not _is_scalar(f) for f in outside):
        return coefficient, []
    links, place = [], i
    while square:
        here = [f for f in square if place in f.indices]
        if len(here) != 1 or free_indices(here[0]) != frozenset(here[0].indices):
            return coefficient, []
        factor = here[0]
        square.remove(factor)
        turned = factor.indices[1] == place
        place = factor.indices[0] if turned else factor.indices[1]
        if not isinstance(place, Index) or place.extent != i.extent:
            return coefficient, []
        inverse = isinstance(factor, MatrixFunction)
        if inverse and factor.function != "inv":
            return coefficient, []
        links.append(_Link(factor.name, inverse, turned))
    scale = Mul(coefficient, *outside)
    return (scale, links) if place == j else (coefficient, [])


def _is_scalar(f: Expr) -> bool:
    return not free_indices(f)
