"""Lifting functions of whole matrices, and powers recognised in chains of products.

``inv(A)[i,j] → inv(A)``; ``A @ A @ A → matpow(A, 3)``.
"""

from __future__ import annotations

from symbackprop.ir import array_terms, terms
from symbackprop.ir.expressions import Index, MatrixFunction
from symbackprop.ir.terms import Term
from symbackprop.matrix.lift_forms import Form, Layout, Recur, build, form, natural

FEWEST = 3  # factors that are written as a power


@natural.register
def _(e: MatrixFunction, layout: Layout, recur: Recur) -> Form | None:
    """``det(A)``, and ``inv(A)`` in the order of its indices; of a symmetric A in either order."""
    leaf = recur.leaf(e.name, (Index("i", e.extent), Index("j", e.extent)))
    if not e.indices:
        return form(Term(e.function, (leaf,), ()), form(leaf)) if layout == () else None
    inverse = form(array_terms.inv(leaf), form(leaf))
    if e.indices == layout or (e.indices[::-1] == layout and recur.is_symmetric(e.name)):
        return inverse
    if layout == e.indices[:1] and e.indices == e.indices[:1] * 2:
        return build(terms.diag, inverse)
    return None


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
