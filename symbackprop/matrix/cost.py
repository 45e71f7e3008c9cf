"""What an array formula costs: first its association, then its style, then its size.

``cost(term)`` is a triple that compares: floating-point operations of the contractions on symbolic extents (by degree,
then by count), the style price of the tables below, and the number of nodes. Operations entry by entry are free here,
so that scaling never decides how a chain of products is associated. ``own_cost`` is the share of the topmost operation.

>>> from sympy import Symbol
>>> from symbackprop.ir.terms import matmul, name, transpose
>>> N, M = Symbol("N"), Symbol("M")
>>> H, r = name("H", (N, M)), name("r", (N,))
>>> cost(matmul(transpose(H), r)) < cost(matmul(r, H))
True
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.ir.terms import Term

Cost = tuple[int, int, int]

# A contraction over symbolic extents of total degree k costs DEGREE**k: no count of smaller ones outweighs it.
DEGREE = 1 << 20

# fmt: off
PRICES = {                     # style prices, paid per operation
    "neg":              1,
    "diag":             1,     # diag(v) @ A before v[:, None] * A
    "broadcast":        2,
    "ones":             2,     # broadcasting by itself is better where it serves
    "einsum":          14,
    "entries":       1000,     # index notation: the value has no array form that we know
}
TRANSPOSED = {                 # price of .T by what it is put on
    "name":             3,     # H.T @ r before r @ H
    "matmul":           7,     # A.T @ B.T before (B @ A).T
    "diag":             9, "eye": 9, "outer": 9,
}
TRANSPOSED_OTHERWISE  = 2      # (P - Y).T before P.T - Y.T
VECTOR_TIMES_MATRIX   = 5      # r @ H
BROADCAST_OPERANDS    = 1      # operands of unlike rank, neither a scalar
BROADCAST_TRANSPOSED  = 3      # X.T @ diag(s) before X.T * s
NEW_AXIS              = 4      # v[:, None]
OUTER_BY_BROADCASTING = 14     # a product that reaches rank 3 or more which neither operand has
HADAMARD_RANK_THREE   = 12     # sum(A * B) over a stack, where a product or an einsum would serve
# fmt: on


@lru_cache(maxsize=4096)
def degree(extent: Expr) -> int:
    """Total degree of an extent in the extent symbols."""
    if extent.is_Symbol:
        return 1
    if isinstance(extent, Mul):
        return sum(degree(a) for a in extent.args)
    if isinstance(extent, Add):
        return max(degree(a) for a in extent.args)
    if isinstance(extent, Pow) and isinstance(extent.exp, Integer):
        return degree(extent.base) * int(extent.exp)
    return 0 if extent.is_number else 1


def flops(*extents: Expr) -> int:
    """The price of one contraction that runs over ``extents``."""
    known = prod(int(e) for e in extents if isinstance(e, Integer))
    return int(known * DEGREE ** sum(degree(e) for e in extents))


def _wide(term: Term) -> int:
    return sum(e != 1 for e in term.shape)


def _elementwise(term: Term) -> tuple[int, int]:
    ranks = {a.rank for a in term.args if a.rank}
    price = 0
    if len(ranks) > 1:
        price = BROADCAST_OPERANDS + BROADCAST_TRANSPOSED * any(a.op == "transpose" for a in term.args)
    if term.rank > 2 and _wide(term) > max(_wide(a) for a in term.args):
        price += OUTER_BY_BROADCASTING
    return 0, price


def _matmul(term: Term) -> tuple[int, int]:
    a, b = term.args
    if any(x.op == "diag" and x.rank == 2 or x.op == "eye" for x in (a, b)):
        return 0, 0
    return flops(*term.shape, a.shape[-1]), VECTOR_TIMES_MATRIX if a.rank == 1 and b.rank > 1 else 0


def _reduction(term: Term) -> tuple[int, int]:
    (a,) = term.args
    return flops(*a.shape), HADAMARD_RANK_THREE if a.rank > 2 and a.op == "mul" else 0


def _transpose(term: Term) -> tuple[int, int]:
    return 0, TRANSPOSED.get(term.args[0].op, TRANSPOSED_OTHERWISE)


def _index(term: Term) -> tuple[int, int]:
    return 0, NEW_AXIS + (term.args[0].op != "name")


def _einsum(term: Term) -> tuple[int, int]:
    inputs = term.attrs[0].split("->")[0].split(",")
    extents = {c: e for letters, a in zip(inputs, term.args, strict=True) for c, e in zip(letters, a.shape, strict=True)}
    return flops(*extents.values()) if len(extents) > term.rank else 0, PRICES["einsum"]


# fmt: off
RULES: dict[str, Callable[[Term], tuple[int, int]]] = {
    "add": _elementwise, "sub": _elementwise, "mul": _elementwise, "div": _elementwise, "pow": _elementwise,
    "apply": _elementwise, "compare": _elementwise, "where": _elementwise,
    "matmul": _matmul, "transpose": _transpose, "index": _index, "einsum": _einsum,
    "sum": _reduction, "mean": _reduction, "var": _reduction, "max": _reduction, "min": _reduction,
    "prod": _reduction, "norm1": _reduction, "norm2": _reduction, "logsumexp": _reduction,
    "dot": lambda term: (flops(*term.args[0].shape), 0),
    "trace": lambda term: (flops(term.args[0].shape[0]), 0),
}
# fmt: on


def own_cost(term: Term) -> Cost:
    """The cost of the topmost operation alone."""
    rule = RULES.get(term.op)
    work, price = rule(term) if rule else (0, PRICES.get(term.op, 0))
    return work, price, 1


def cost(term: Term) -> Cost:
    """The cost of a whole term: compare with ``<``."""
    work, price, nodes = own_cost(term)
    for a in term.args:
        w, p, n = cost(a)
        work, price, nodes = work + w, price + p, nodes + n
    return work, price, nodes
