"""The Jacobian of a matrix by a matrix as a matrix: ``d vec(Y) / d vec(X)``, columns stacked.

``Y = A X B`` has ``kron(B.T, A)``; an elementwise map has ``diag(vec(F))``. Read off the entry
∂Y[i,j]/∂X[k,l]: a factor in (i, k) belongs to the right operand of ``kron``, one in (j, l) to the
left, one in (i, j) scales the rows and one in (k, l) the columns (Magnus and Neudecker, Matrix
Differential Calculus, 1988, ch. 9). A factor that mixes them otherwise has no such form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product as cartesian

from sympy import Add, Expr, Integer, Mul

from symbackprop.ir import terms
from symbackprop.ir.array_terms import kron, vec
from symbackprop.ir.derivation import Derivative
from symbackprop.ir.expressions import Delta, Index, free_indices, substitute
from symbackprop.ir.terms import Term
from symbackprop.pipeline.presentation import FormMaker

Parts = Mapping[str, Expr]


def kronecker_form(derivative: Derivative, maker: FormMaker) -> Term | None:
    """The vec form of a Jacobian of rank 4, output axes first; None if it has none."""
    if derivative.kind != "jacobian" or len(derivative.equation.indices) != 4:
        return None
    total: Term | None = None
    for summand in Add.make_args(derivative.equation.rhs):
        parts = _parts(summand, derivative.equation.indices)
        if parts is None:
            return None
        term = _product(parts, derivative.equation.indices, maker)
        total = term if total is None else terms.add(total, term)
    return total


def _parts(summand: Expr, indices: tuple[Index, ...]) -> Parts | None:
    """The factors of a summand by the pair of indices that they bear; None if one bears others.

    Under δ(i,k) either index may stand for the other, so both ways are tried.
    """
    i, j, k, l_ = indices
    factors = Mul.make_args(summand)
    tied = [pair for pair in ((i, k), (j, l_)) if _delta(pair, factors) is not None]
    for kept in cartesian(*(((a, b), (b, a)) for a, b in tied)):
        renamed = list(factors)
        for (a, b), pair in zip(kept, tied, strict=True):
            delta = _delta(pair, factors)
            renamed = [f if f == delta else substitute(f, {b: a}) for f in renamed]
        found = _sorted(renamed, indices)
        if found is not None:
            return found
    return None


def _delta(pair: tuple[Index, Index], factors: Sequence[Expr]) -> Expr | None:
    """The delta of a pair of indices among ``factors``."""
    return next((d for d in (Delta(*pair), Delta(*pair[::-1])) if d in factors), None)


def _sorted(factors: Sequence[Expr], indices: tuple[Index, ...]) -> Parts | None:
    i, j, k, l_ = indices
    pairs = {"scale": (), "right": (i, k), "left": (j, l_), "rows": (i, j), "columns": (k, l_)}
    found: dict[str, Expr] = dict.fromkeys(pairs, Integer(1))
    for factor in factors:
        borne = free_indices(factor)
        place = next((p for p, pair in pairs.items() if borne <= set(pair)), None)
        if place is None:
            return None
        found[place] = found[place] * factor
    return found


def _product(parts: Parts, indices: tuple[Index, ...], maker: FormMaker) -> Term:
    """``scale * diag(vec(rows)) @ kron(left, right) @ diag(vec(columns))``, what is 1 left out."""
    i, j, k, l_ = indices
    left = maker.form(parts["left"], (j, l_)).term
    right = maker.form(parts["right"], (i, k)).term
    term: Term | None = None if left.op == right.op == "eye" else kron(left, right)
    if parts["rows"] != 1:
        rows = terms.diag(vec(maker.form(parts["rows"], (i, j)).term))
        term = rows if term is None else terms.matmul(rows, term)
    if parts["columns"] != 1:
        columns = terms.diag(vec(maker.form(parts["columns"], (k, l_)).term))
        term = columns if term is None else terms.matmul(term, columns)
    if term is None:
        term = kron(left, right)
    if parts["scale"] == 1:
        return term
    if parts["scale"] == -1:
        return terms.neg(term)
    return terms.mul(maker.form(parts["scale"], ()).term, term)
