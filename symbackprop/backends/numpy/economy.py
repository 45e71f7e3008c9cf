"""Terms that array notation says shortly and that a kernel computes otherwise: no diagonal and no
one-hot array is ever formed to be multiplied with.

``diag(v) @ A`` scales rows; ``onehot(t, V).T @ B`` adds the rows of B up by label (``scatter``);
``sum(onehot(t, V) * A, axis=-1)`` takes an entry a row (``pick``); ``P - onehot(t, V)`` takes 1 off
an entry a row (``less_one``). These three are operations of kernels alone: their arguments are the
labels last. A stack of rows times one matrix is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Integer

from symbackprop.backends.numpy import windows
from symbackprop.ir import array_terms, terms
from symbackprop.ir.terms import Term, same_shape

EVERY = slice(None)
#: Operations that terms of the language do not have.
OPERATIONS = frozenset({"scatter", "less_one", "pick", "columns", "unpool"})
Look = Callable[[Term], Term]
ENTRY_BY_ENTRY = frozenset({"add", "sub", "mul", "div", "neg", "apply", "pow"})


def economical(term: Term, look: Look = lambda term: term) -> Term:
    """``term`` with every law of this file applied, innermost first; ``look`` says what a name
    stands for.
    """
    for law in _WHOLE.get(term.op, ()):
        shorter = law(term, look)
        if shorter is not None:
            return economical(shorter, look)
    args = tuple(economical(a, look) for a in term.args)
    out = term if args == term.args else Term(term.op, args, term.shape, term.attrs)
    for rule in _RULES.get(out.op, ()):
        found = rule(out)
        if found is not None:
            return found
    return out


def _is_diagonal(t: Term) -> bool:
    return t.op == "diag" and t.rank == 2


def _scaled_rows(v: Term, a: Term) -> Term:
    """``diag(v) @ A → v[:, None] * A``"""
    return terms.mul(terms.index(v, (EVERY, None)) if a.rank > 1 else v, a)


def _diagonal(t: Term) -> Term | None:
    """``diag(v) @ A`` and ``A @ diag(v)``, also in front of a product."""
    a, b = t.args
    if a.rank > 2 or b.rank > 2:
        return None
    if _is_diagonal(a):
        return _scaled_rows(a.args[0], b)
    if _is_diagonal(b) and not _is_labels(a):
        return terms.mul(a, b.args[0])
    if a.op == "matmul" and _is_diagonal(a.args[1]):  # left alone for the labels before it
        scaled = terms.matmul(a.args[0], _scaled_rows(a.args[1].args[0], b))
        return _added_up(scaled) or scaled
    return None


def _is_labels(t: Term) -> bool:
    """Whether ``t`` is ``onehot(t, V).T``, or a sum of such over an axis of labels."""
    if t.op != "transpose":
        return False
    (a,) = t.args
    return a.op == "onehot" or (a.op == "sum" and a.args[0].op == "onehot" and not a.attrs[1])


def scatter(values: Term, labels: Term, count: object) -> Term:
    """Row v is the sum of all values with the label v; ``values`` begin with the labels' axes,
    where an extent of 1 repeats.
    """
    extent = Integer(0) + count
    return Term("scatter", (values, labels), (extent, *values.shape[labels.rank :]), (extent,))


def _added_up(t: Term) -> Term | None:
    """``onehot(t, V).T @ B``; with labels of several axes B is read at these axes."""
    first, values = t.args
    if not _is_labels(first) or values.rank > 2 or _is_diagonal(values):
        return None
    (hot,) = first.args
    if hot.op == "sum":
        (hot,), (axes, _) = hot.args, hot.attrs
        labels, count = hot.args[0], hot.attrs[0]
        over = terms.normal_axes(axes, hot.rank)
        if labels.rank != 2 or len(over) != 1 or over[0] > 1:
            return None
        rest = (EVERY,) * (values.rank - 1)
        items = (EVERY, None, *rest) if over[0] == 1 else (None, EVERY, *rest)
        return scatter(terms.index(values, items), labels, count)
    return scatter(*_unflattened(values, hot.args[0]), hot.attrs[0])


def _unflattened(values: Term, labels: Term) -> tuple[Term, Term]:
    """``reshape(B, N*T, D), reshape(t, N*T) → B, t``"""
    if labels.op == values.op == "reshape":
        a, t = values.args[0], labels.args[0]
        if same_shape(a.shape, (*t.shape, *values.shape[1:])):
            return a, t
    return values, labels


def _counted(t: Term) -> Term | None:
    """``onehot(t, V) @ W → W[t]``"""
    a, b = t.args
    return array_terms.take(b, a.args[0]) if a.op == "onehot" and b.rank in (1, 2) else None


def _one_product(t: Term) -> Term | None:
    """``A @ B`` for a stack A of matrices and one matrix B, as one product of matrices."""
    a, b = t.args
    if a.rank < 3 or b.rank != 2:
        return None
    rows = array_terms.reshape(a, (array_terms.count(a.shape[:-1]), a.shape[-1]))
    return array_terms.reshape(terms.matmul(rows, b), t.shape)


def _picked(t: Term) -> Term | None:
    """``sum(onehot(t, V) * A, axis=-1) → A[…, t]``; over the axes of the labels, ``scatter``."""
    (product,), (axes, keepdims) = t.args, t.attrs
    if product.op != "mul" or keepdims:
        return None
    for hot, a in (product.args, product.args[::-1]):
        if hot.op != "onehot" or not same_shape(hot.shape, product.shape):
            continue
        labels, over = hot.args[0], terms.normal_axes(axes, hot.rank)
        if over == tuple(range(labels.rank)):
            return scatter(pick(a, labels), labels, hot.attrs[0])
        if hot.rank - 1 in over:
            left = tuple(k for k in over if k != hot.rank - 1)
            return terms.reduce("sum", pick(a, labels), left) if left else pick(a, labels)
    return None


def pick(a: Term, labels: Term) -> Term:
    """The entry of each row of ``a`` at the row's label; the rows of ``a`` may be one for all."""
    if a.rank == 0:
        return a
    if a.rank == 1:
        return array_terms.take(a, labels)
    if a.op == "index" and a.attrs[0] == (*(EVERY,) * labels.rank, None):
        return a.args[0]
    if a.op in ENTRY_BY_ENTRY:
        args = tuple(pick(x, labels) for x in a.args)
        return Term(a.op, args, terms.broadcast_shapes(*(x.shape for x in args)), a.attrs)
    return Term("pick", (a, labels), a.shape[:-1])


def _less_one(t: Term) -> Term | None:
    """``A - onehot(t, V)`` and ``onehot(t, V) - A``"""
    for a, hot in (t.args, t.args[::-1]):
        if hot.op == "onehot" and same_shape(a.shape, hot.shape):
            less = Term("less_one", (a, hot.args[0]), t.shape)
            return less if a is t.args[0] else terms.neg(less)
    return None


def _reshaped(t: Term) -> Term | None:
    """``reshape(A, …)[:, None] → reshape(A, …)``"""
    (a,) = t.args
    if a.op != "reshape" or any(i is not None and i != EVERY for i in t.attrs[0]):
        return None
    return array_terms.reshape(a.args[0], t.shape)


_RULES: Mapping[str, tuple[Callable[[Term], Term | None], ...]] = {
    "matmul": (_added_up, _counted, _diagonal, _one_product),
    "sum": (_picked,),
    "sub": (_less_one,),
    "index": (_reshaped,),
    "conv": (windows.correlation,),
}
# Laws about an operation and what stands in it, before the operands are rewritten.
_WHOLE: Mapping[str, tuple[Callable[[Term, Look], Term | None], ...]] = {
    "swap": (windows.kernel_gradient,),
    "conv": (windows.kernel_gradient,),
    "fold": (windows.unpooled,),
    "mul": (windows.unpooled_tiles,),
}
