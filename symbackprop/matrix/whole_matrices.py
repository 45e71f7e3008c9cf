"""The generic entry of functions of whole matrices: inverse, determinant, powers, Kronecker
products.

The matrix is a named array or a hidden equation. What a textbook takes apart is taken apart here:
``inv(A @ B)`` of square matrices is ``inv(B) @ inv(A)``, ``det(A @ B)`` is ``det(A) * det(B)``, and
of a Kronecker product likewise; both sides are defined at the same points.
"""

from __future__ import annotations

from itertools import pairwise

from sympy import Expr, Mul

from symbackprop.errors import NotSupported
from symbackprop.ir import array_terms, terms
from symbackprop.ir.affine import floor_div, modulo
from symbackprop.ir.cholesky import FACTOR, INVERSE
from symbackprop.ir.expressions import IndexSum, MatrixFunction
from symbackprop.ir.matrix_functions import power_entry
from symbackprop.ir.terms import Term, same_extent
from symbackprop.matrix.operations import (
    At,
    Lowers,
    Place,
    Rule,
    Scope,
    delta,
    operand,
    registrar,
)
from symbackprop.matrix.reductions import bound_places, over

RULES: dict[str, Rule] = {}
_rule = registrar(RULES)
LONGEST_CHAIN = 3
LARGEST_POWER = 64


def is_square(t: Term) -> bool:
    return t.rank == 2 and same_extent(*t.shape)


@_rule("inv")
def _inv(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (a,) = t.args
    simpler = _inverse_of(a)
    if simpler is not None:
        return run.entry(simpler, at, scope, place)
    if a.op == "cholesky":
        return MatrixFunction(INVERSE, run.array(a.args[0]), a.shape[0], *at)
    return MatrixFunction("inv", run.array(a), a.shape[0], *at)


def _inverse_of(a: Term) -> Term | None:
    """``inv(a)`` taken apart; None where it is a function of ``a`` as a whole."""
    if a.op == "inv":
        return a.args[0]
    if a.op == "transpose":
        return terms.transpose(array_terms.inv(a.args[0]))
    if a.op == "matmul" and all(is_square(x) for x in a.args):
        left, right = a.args
        return terms.matmul(array_terms.inv(right), array_terms.inv(left))
    if a.op == "matpow":
        return array_terms.matpow(a.args[0], -a.attrs[0])
    if a.op == "kron" and all(is_square(x) for x in a.args):
        return array_terms.kron(*(array_terms.inv(x) for x in a.args))
    if a.op == "eye":
        return a
    if a.op == "diag" and a.args[0].rank == 1:
        return terms.diag(terms.div(terms.number(1), a.args[0]))
    if a.op in ("mul", "div") and a.args[1].rank == 0 and is_square(a.args[0]):
        other = terms.mul if a.op == "div" else terms.div
        return other(array_terms.inv(a.args[0]), a.args[1])
    if a.op == "mul" and a.args[0].rank == 0 and is_square(a.args[1]):
        return terms.div(array_terms.inv(a.args[1]), a.args[0])
    return None


@_rule("det")
def _det(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (a,) = t.args
    simpler = _determinant_of(a)
    if simpler is not None:
        return run.entry(simpler, at, scope, place)
    return MatrixFunction("det", run.array(a), a.shape[0])


def _determinant_of(a: Term) -> Term | None:
    """``det(a)`` taken apart; None where it is a function of ``a`` as a whole."""
    if a.op == "transpose":
        return array_terms.det(a.args[0])
    if a.op == "inv":
        return terms.div(terms.number(1), array_terms.det(a.args[0]))
    if a.op == "matmul" and all(is_square(x) for x in a.args):
        return terms.mul(*(array_terms.det(x) for x in a.args))
    if a.op == "matpow":
        return terms.power(array_terms.det(a.args[0]), terms.number(a.attrs[0]))
    if a.op == "kron" and all(is_square(x) for x in a.args):
        left, right = a.args
        return terms.mul(
            terms.power(array_terms.det(left), terms.dim(right.shape[0])),
            terms.power(array_terms.det(right), terms.dim(left.shape[0])),
        )
    if a.op == "eye":
        return terms.number(1)
    return None


@_rule("logdet")
def _logdet(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (a,) = t.args
    simpler = _log_determinant_of(a)
    if simpler is not None:
        return run.entry(simpler, at, scope, place)
    return MatrixFunction("logdet", run.array(a), a.shape[0])


def _log_determinant_of(a: Term) -> Term | None:
    """``logdet(a)`` taken apart; None where it is a function of ``a`` as a whole."""
    if a.op == "transpose":
        return array_terms.logdet(a.args[0])
    if a.op == "inv":
        return terms.neg(array_terms.logdet(a.args[0]))
    if a.op == "matmul" and all(is_square(x) for x in a.args):
        return terms.add(*(array_terms.logdet(x) for x in a.args))
    if a.op == "matpow":
        return terms.mul(terms.number(a.attrs[0]), array_terms.logdet(a.args[0]))
    if a.op == "kron" and all(is_square(x) for x in a.args):
        left, right = a.args
        return terms.add(
            terms.mul(terms.dim(right.shape[0]), array_terms.logdet(left)),
            terms.mul(terms.dim(left.shape[0]), array_terms.logdet(right)),
        )
    if a.op == "cholesky":
        return terms.div(array_terms.logdet(a.args[0]), terms.number(2))
    if a.op == "eye":
        return terms.number(0)
    return None


@_rule("cholesky")
def _cholesky(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (a,) = t.args
    return MatrixFunction(FACTOR, run.array(a), a.shape[0], *at)


@_rule("matpow")
def _matpow(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ A[i,k] A[k,l] … A[z,j]``; a high power is a function of the whole matrix."""
    (a,), power = t.args, t.attrs[0]
    if abs(power) > LARGEST_POWER:
        raise NotSupported(f"a power of a matrix up to {LARGEST_POWER}", str(power))
    if power < 0:
        return run.entry(array_terms.matpow(array_terms.inv(a), -power), at, scope, place)
    if power == 0:
        return delta(*at)
    if power == 1:
        return run.entry(a, at, scope, place)
    if a.op == "transpose":
        turned = terms.transpose(array_terms.matpow(a.args[0], power))
        return run.entry(turned, at, scope, place)
    if power > LONGEST_CHAIN:
        return power_entry(run.array(a), a.shape[0], power, *at)
    read = run.reader(a)
    bound, inner, scope = bound_places(run, a.shape[:1] * (power - 1), scope)
    chain = (at[0], *inner, at[1])
    factors = (read((i, j), scope) for i, j in pairwise(chain))
    return over(IndexSum, Mul(*factors), bound)


@_rule("kron")
def _kron(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``A[i // p, j // q] · B[i % p, j % q]`` for B of p rows and q columns."""
    a, b = t.args
    outer = tuple(floor_div(i, n) for i, n in zip(at, b.shape, strict=True))
    inner = tuple(modulo(i, n) for i, n in zip(at, b.shape, strict=True))
    return operand(run, a, outer, scope) * operand(run, b, inner, scope)


@_rule("vec")
def _vec(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``A[i % m, i // m]`` for A of m rows."""
    (a,) = t.args
    rows = a.shape[0]
    read = modulo(at[0], rows), floor_div(at[0], rows)
    return operand(run, a, read, scope, place)
