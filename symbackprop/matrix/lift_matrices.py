"""Lifting functions of whole matrices, and powers recognised in chains of products.

``inv(A)[i,j] → inv(A)``; ``A @ A @ A → matpow(A, 3)``,
``A * tril(ones(n, n)) → tril(A)``.
"""

from __future__ import annotations

from symbackprop.ir import array_terms, terms
from symbackprop.ir.cholesky import FACTOR, INVERSE
from symbackprop.ir.expressions import Index, MatrixFunction
from symbackprop.ir.matrix_functions import exponent
from symbackprop.ir.terms import Term
from symbackprop.matrix.lift_forms import Form, Layout, Recur, build, form, natural

TRIANGLES = ("tril", "triu")
FEWEST = 3  # factors that are written as a power


@natural.register
def _(e: MatrixFunction, layout: Layout, recur: Recur) -> Form | None:
    """``det(A)``, and ``inv(A)`` or a power in the order of its indices; of a symmetric A in either
    order.
    """
    leaf = recur.leaf(e.name, (Index("i", e.extent), Index("j", e.extent)))
    if not e.indices:
        return form(Term(e.function, (leaf,), ()), form(leaf)) if layout == () else None
    turned = e.indices[::-1] == layout and e.function not in (FACTOR, INVERSE)
    whole = form(whole_matrix(e.function, leaf), form(leaf))
    if e.indices == layout or (turned and recur.is_symmetric(e.name)):
        return whole
    if layout == e.indices[:1] and e.indices == e.indices[:1] * 2:
        return build(terms.diag, whole)
    return None


def whole_matrix(function: str, leaf: Term) -> Term:
    """The matrix that a function of a matrix gives."""
    if function in (FACTOR, INVERSE):
        factor = array_terms.cholesky(leaf)
        return factor if function == FACTOR else array_terms.inv(factor)
    k = exponent(function)
    if k is None:
        return array_terms.inv(leaf)
    return terms.matmul(leaf, leaf) if k < FEWEST else array_terms.matpow(leaf, k)


def with_powers(term: Term) -> Term:
    """``term`` with chains of one square factor written as powers, those of ``A.T`` as the
    transpose of a power.
    """
    factors = _chain(term)
    for k, first in enumerate(factors):
        run = 1
        while k + run < len(factors) and factors[k + run] == first:
            run += 1
        if run >= FEWEST:
            power = _power(first, run)
            return with_powers(_product([*factors[:k], power, *factors[k + run :]]))
    args = tuple(with_powers(a) for a in term.args)
    return term if args == term.args else Term(term.op, args, term.shape, term.attrs)


def with_triangles(term: Term) -> Term:
    """``A * tril(ones(n, n), k)`` written as ``tril(A, k)``, and likewise above the diagonal."""
    args = tuple(with_triangles(a) for a in term.args)
    if term.op == "mul":
        for a, mask in (args, args[::-1]):
            if mask.op in TRIANGLES and mask.args[0].op == "ones" and a.shape == mask.shape:
                return Term(mask.op, (a,), mask.shape, mask.attrs)
    return term if args == term.args else Term(term.op, args, term.shape, term.attrs)


def _chain(term: Term) -> list[Term]:
    """The factors of a product of matrices, however it is associated."""
    if term.op != "matmul" or any(a.rank != 2 for a in term.args):
        return [term]
    return [f for a in term.args for f in _chain(a)]


def _power(a: Term, k: int) -> Term:
    if a.op == "transpose":
        return terms.transpose(_power(a.args[0], k))
    return array_terms.matpow(a, k)


def _product(factors: list[Term]) -> Term:
    out = factors[0]
    for f in factors[1:]:
        out = terms.matmul(out, f)
    return out
