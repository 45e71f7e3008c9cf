"""The closed vocabulary of array notation: every operation that a term may be, one row each.

:mod:`symbackprop.ir.terms`, :mod:`symbackprop.ir.array_terms` and
:mod:`symbackprop.ir.window_terms` build the terms; this table says what each means.
"""

# ruff: noqa: E501 - one row an operation, aligned

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the vocabulary: how many operands, what the attributes hold, what it means."""

    name: str
    arity: int | None
    attributes: str
    meaning: str


# fmt: off
VOCABULARY = {row.name: row for row in (
    Operation("name",        0,    "(name,)",                    "an array, a scalar or an adjoint grad_X"),
    Operation("number",      0,    "(Rational,)",                "an exact literal"),
    Operation("dim",         0,    "(Expr,)",                    "an extent as a number, for example N or H-R+1"),
    Operation("constant",    0,    "('pi' | 'inf',)",            "a constant"),
    Operation("add",         2,    "()",                         "a + b, broadcasting"),
    Operation("sub",         2,    "()",                         "a - b, broadcasting"),
    Operation("mul",         2,    "()",                         "a * b entry by entry, broadcasting"),
    Operation("div",         2,    "()",                         "a / b entry by entry, broadcasting"),
    Operation("pow",         2,    "()",                         "a ** b entry by entry, broadcasting"),
    Operation("neg",         1,    "()",                         "-a"),
    Operation("matmul",      2,    "()",                         "a @ b as NumPy: rank 1 is contracted, rank >= 3 is a stack of matrices"),
    Operation("transpose",   1,    "()",                         "a.T of rank <= 2"),
    Operation("apply",       None, "(function,)",                "a scalar function entry by entry, of the library or abstract"),
    Operation("compare",     2,    "(op,)",                      "indicator of a op b, entry by entry"),
    Operation("where",       3,    "()",                         "where(c, a, b)"),
    Operation("sum",         1,    "(axes | None, keepdims)",    "sum over axes; None means all"),
    Operation("mean",        1,    "(axes | None, keepdims)",    "mean over axes"),
    Operation("var",         1,    "(axes | None, keepdims)",    "variance over axes, divided by the count"),
    Operation("max",         1,    "(axes | None, keepdims)",    "maximum over axes"),
    Operation("min",         1,    "(axes | None, keepdims)",    "minimum over axes"),
    Operation("prod",        1,    "(axes | None, keepdims)",    "product over axes"),
    Operation("norm1",       1,    "(axes | None, keepdims)",    "sum of absolute values over axes"),
    Operation("norm2",       1,    "(axes | None, keepdims)",    "root of the sum of squares over axes"),
    Operation("logsumexp",   1,    "(axes | None, keepdims)",    "log of the sum of exponentials over axes, unshifted in meaning"),
    Operation("softmax",     1,    "(axis,)",                    "exp(a) / sum(exp(a)) along one axis"),
    Operation("log_softmax", 1,    "(axis,)",                    "log of softmax along one axis"),
    Operation("dot",         2,    "()",                         "sum of products of two vectors (as np.dot of rank 1)"),
    Operation("outer",       2,    "()",                         "outer(u, v)[i, j] = u[i] v[j] of two vectors"),
    Operation("diag",        1,    "()",                         "diagonal matrix of a vector, or diagonal of a square matrix"),
    Operation("trace",       1,    "()",                         "sum of the diagonal of a square matrix"),
    Operation("inv",         1,    "()",                         "inverse of a square matrix"),
    Operation("det",         1,    "()",                         "determinant of a square matrix"),
    Operation("logdet",      1,    "()",                         "log of the absolute value of the determinant of a square matrix"),
    Operation("cholesky",    1,    "()",                         "the lower triangular factor C of a symmetric positive definite matrix C Cᵀ"),
    Operation("matpow",      1,    "(k,)",                       "a @ a @ … of k factors, an integer; inverses where k is negative"),
    Operation("kron",        2,    "()",                         "Kronecker product of two matrices"),
    Operation("vec",         1,    "()",                         "the columns of a matrix one below the other"),
    Operation("take",        2,    "(axis,)",                    "take(a, t): along one axis the entries at the integers t"),
    Operation("gather",      None, "()",                         "a[s, t, …]: one entry of a for each place, at integers that broadcast"),
    Operation("onehot",      1,    "(k,)",                       "onehot(t, K): 1 at the integer t of 0 … K - 1, else 0, along a new last axis"),
    Operation("tril",        1,    "(k,)",                       "entries on and below the k-th diagonal, else 0"),
    Operation("triu",        1,    "(k,)",                       "entries on and above the k-th diagonal, else 0"),
    Operation("cumsum",      1,    "(axis,)",                    "running sums along one axis"),
    Operation("swap",        1,    "(i, j)",                     "two axes exchanged"),
    Operation("reshape",     1,    "(shape,)",                   "the entries in row-major order in another shape"),
    Operation("flip",        1,    "(axes | None,)",             "the order of entries reversed along axes"),
    Operation("repeat",      1,    "(count, axis)",              "each entry count times in a row along one axis"),
    Operation("pad",         1,    "(widths,)",                  "zeros around: (before, after) for each axis"),
    Operation("conv",        2,    "(strides, paddings, dilations, groups)", "cross-correlation along the last axes, one or two"),
    Operation("unfold",      1,    "(windows, strides, paddings, dilations)", "all windows of the last axes: […, L] -> […, T, K], […, H, W] -> […, T, S, K, J]"),
    Operation("fold",        1,    "(lengths, strides, paddings, dilations)", "windows added up where they came from: the adjoint of unfold"),
    Operation("maxpool",     1,    "(windows, strides, paddings)", "maximum over each window of the last axes; padding does not count"),
    Operation("avgpool",     1,    "(windows, strides, paddings)", "mean over each window of the last axes; padding counts as 0"),
    Operation("concat",      None, "(axis,)",                    "joined along an axis that they have"),
    Operation("stack",       None, "(axis,)",                    "joined along a new axis"),
    Operation("ones",        0,    "(shape,)",                   "all ones"),
    Operation("zeros",       0,    "(shape,)",                   "all zeros"),
    Operation("eye",         0,    "(n, m)",                     "identity matrix"),
    Operation("arange",      0,    "(n,)",                       "0, 1, …, n - 1"),
    Operation("index",       1,    "(items,)",                   "a[...]: items are None (new axis), slice of extents (steps are integers), or an extent"),
    Operation("broadcast",   1,    "(shape,)",                   "a broadcast to a shape, printed as an addition of or product with what gives it that shape"),
    Operation("einsum",      None, "(subscripts,)",              "einsum as the last resort"),
    Operation("series",      1,    "(letter, first, last)",      "sum over the steps first ... last of an array that names members at the letter"),
    Operation("entries",     0,    "(indices, Expr)",            "the array whose generic entry is given in index notation"),
)}
# fmt: on
