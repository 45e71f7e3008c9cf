"""What an array formula costs: first its association, then its style, then its size.

``cost(term)`` is a triple that compares: floating-point operations of the contractions on symbolic
extents (by degree, then by count), the style price of the tables below, and the number of nodes.
``own_cost`` is the share of the topmost operation.

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

from sympy import Add, Expr, Integer, Mul, Pow, preorder_traversal

from symbackprop.ir.terms import Term

Cost = tuple[int, int, int]

# A contraction over symbolic extents of total degree k costs DEGREE**k, so that no count of smaller
# ones outweighs it.
DEGREE = 1 << 20

# fmt: off
PRICES = {                     # style prices, paid per operation
    "neg":              1,
    "broadcast":        2,
    "ones":             2,     # broadcasting by itself is better where it serves
    "swap":             3,
    "reshape":          1,
    "einsum":          14,
    "entries":       1000,     # index notation: the value has no array form that we know
}
TRANSPOSED = {                 # price of .T by what it is put on
    "name":             3,     # H.T @ r before r @ H
    "matmul":          12,     # A.T @ B.T before (B @ A).T
    "scaled":           6,     # 2 * X.T before (2 * X).T
    "diag":             9, "eye": 9, "outer": 9,
}
TRANSPOSED_OTHERWISE  = 2      # (P - Y).T before P.T - Y.T
VECTOR_TIMES_MATRIX   = 5      # r @ H
BROADCAST_OPERANDS    = 1      # operands of unlike rank, neither a scalar
BROADCAST_TRANSPOSED  = 3      # X.T @ diag(s) before X.T * s
RIGHT_ASSOCIATED      = 1      # A @ B @ C before A @ (B @ C)
SUMMED_PRODUCT        = 3      # X @ v before sum(X * v, axis=1), but not before its keepdims
DIAGONAL              = 1      # diag(v) @ A before v[:, None] * A …
DIAGONAL_OF_COMPUTED  = 5      # … and sum(A * B, axis=1, keepdims=True) * A before a diag of it
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
        turned = any(a.op == "transpose" for a in term.args)
        price = BROADCAST_OPERANDS + BROADCAST_TRANSPOSED * turned
    if term.rank > 2 and _wide(term) > max(_wide(a) for a in term.args):
        price += OUTER_BY_BROADCASTING
    return flops(*term.shape), price


def _matmul(term: Term) -> tuple[int, int]:
    a, b = term.args
    price = VECTOR_TIMES_MATRIX if a.rank == 1 and b.rank > 1 else 0
    price += RIGHT_ASSOCIATED if b.op == "matmul" and b.rank > 1 else 0
    if any(x.op == "eye" or (x.op == "diag" and x.rank == 2) for x in (a, b)):
        return flops(*term.shape), price
    return flops(*term.shape, a.shape[-1]), price


def _reduction(term: Term) -> tuple[int, int]:
    """A sum over a product is one pass, paid by the product."""
    (a,) = term.args
    if a.op != "mul":
        return flops(*a.shape), 0
    stacked = a.rank > 2 and not term.attrs[1]
    return 0, (SUMMED_PRODUCT if term.rank else 0) + (HADAMARD_RANK_THREE if stacked else 0)


def _diag(term: Term) -> tuple[int, int]:
    return 0, DIAGONAL_OF_COMPUTED if _contracts(term.args[0]) else DIAGONAL


def _contracts(term: Term) -> bool:
    """Whether a product of matrices or a reduction is among the factors of ``term``."""
    if term.op in ("mul", "div", "neg"):
        return any(_contracts(a) for a in term.args)
    return term.op in ("matmul", "sum", "mean")


def _transpose(term: Term) -> tuple[int, int]:
    (a,) = term.args
    scaled = a.op == "neg" or (a.op in ("mul", "div") and not all(x.rank for x in a.args))
    return 0, TRANSPOSED["scaled"] if scaled else TRANSPOSED.get(a.op, TRANSPOSED_OTHERWISE)


def _index(term: Term) -> tuple[int, int]:
    return 0, NEW_AXIS + (term.args[0].op != "name")


def _einsum(term: Term) -> tuple[int, int]:
    inputs = term.attrs[0].split("->")[0].split(",")
    extents = {
        c: e
        for letters, a in zip(inputs, term.args, strict=True)
        for c, e in zip(letters, a.shape, strict=True)
    }
    return max(1, len(inputs) - 1) * flops(*extents.values()), PRICES["einsum"]


def _entries(term: Term) -> tuple[int, int]:
    """Index notation runs over every index at once."""
    indices, body = term.attrs
    bound = sorted(
        {i for node in preorder_traversal(body) for i in getattr(node, "bound", ())},
        key=lambda i: i.name,
    )
    return flops(*(i.extent for i in (*indices, *bound))), PRICES["entries"]


def _correlation(term: Term) -> tuple[int, int]:
    """Each entry of the result sees every entry of a kernel once."""
    return flops(*term.shape, *term.args[1].shape[term.args[1].rank > len(term.attrs[0]) :]), 0


def _windows(term: Term) -> tuple[int, int]:
    """Windows are views; what is folded up is added once."""
    return (flops(*term.args[0].shape), 0) if term.op == "fold" else (0, 0)


def _pool(term: Term) -> tuple[int, int]:
    return flops(*term.shape, *term.attrs[0]), 0


# fmt: off
RULES: dict[str, Callable[[Term], tuple[int, int]]] = {
    "add": _elementwise, "sub": _elementwise, "mul": _elementwise, "div": _elementwise,
    "pow": _elementwise, "apply": _elementwise, "compare": _elementwise, "where": _elementwise,
    "matmul": _matmul, "diag": _diag, "transpose": _transpose, "index": _index, "einsum": _einsum,
    "sum": _reduction, "mean": _reduction, "var": _reduction, "max": _reduction, "min": _reduction,
    "prod": _reduction, "norm1": _reduction, "norm2": _reduction, "logsumexp": _reduction,
    "outer": lambda term: (flops(*term.shape), 0),
    "dot": lambda term: (flops(*term.args[0].shape), 0),
    "trace": lambda term: (flops(term.args[0].shape[0]), 0),
    "inv": lambda term: (flops(*term.shape, term.shape[0]), 0),
    "det": lambda term: (flops(*term.args[0].shape, term.args[0].shape[0]), 0),
    "logdet": lambda term: (flops(*term.args[0].shape, term.args[0].shape[0]), 0),
    "cholesky": lambda term: (flops(*term.shape, term.shape[0]), 0),
    "matpow": lambda term: (flops(*term.shape, term.shape[0]), 0),
    "conv": _correlation, "unfold": _windows, "fold": _windows, "maxpool": _pool, "avgpool": _pool,
    "entries": _entries,
    "kron": lambda term: (flops(*term.shape), 0),
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
