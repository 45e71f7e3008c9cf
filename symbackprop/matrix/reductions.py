"""The generic entry of each heavy operation: products, reductions, softmax.

The rules have the face of those in :mod:`symbackprop.matrix.operations`. Each binds indices of its
own, with letters that nothing in sight bears; an axis of extent 1 is read at 0, never bound.
"""

from __future__ import annotations

from sympy import Expr, Mul, Pow

from symbackprop.errors import NotSupported
from symbackprop.ir import terms
from symbackprop.ir.expressions import Apply, Index, IndexMax, IndexProduct, IndexSum
from symbackprop.ir.terms import Shape, Term, normal_axes
from symbackprop.matrix.operations import (
    HALF,
    ONE,
    ZERO,
    At,
    Lowers,
    Place,
    Rule,
    Scope,
    aligned,
    operand,
    registrar,
)

Binder = type[IndexSum] | type[IndexMax] | type[IndexProduct]
RULES: dict[str, Rule] = {}
_rule = registrar(RULES)


def over(binder: Binder, body: Expr, bound: tuple[Index, ...]) -> Expr:
    """The binder over the body; over nothing, if every axis has extent 1, the body itself."""
    return binder(body, *bound) if bound else body


def bound_places(run: Lowers, shape: Shape, scope: Scope) -> tuple[tuple[Index, ...], At, Scope]:
    """Bound indices for the axes of extent other than 1, where to read each axis, and the scope
    with them.
    """
    bound = run.bind(tuple(e for e in shape if e != 1), scope)
    rest = iter(bound)
    return (
        bound,
        tuple(ZERO if e == 1 else next(rest) for e in shape),
        scope | {i.name for i in bound},
    )


# Products


@_rule("matmul", "dot")
def _matmul(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_k A[…, i, k] B[…, k, j]``; a vector has only the contracted axis."""
    a, b = t.args
    bound, (k,), scope = bound_places(run, a.shape[-1:], scope)
    own = list(at)
    column = (own.pop(),) if b.rank > 1 else ()
    row = (own.pop(),) if a.rank > 1 else ()
    left = run.entry(
        a, (*aligned(tuple(own), a.shape[:-2]), *aligned((*row, k), a.shape[-2:])), scope
    )
    right = run.entry(
        b, (*aligned(tuple(own), b.shape[:-2]), *aligned((k, *column), b.shape[-2:])), scope
    )
    return over(IndexSum, left * right, bound)


@_rule("outer")
def _outer(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return Mul(*(operand(run, a, (i,), scope) for a, i in zip(t.args, at, strict=True)))


@_rule("trace")
def _trace(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    bound, (i,), scope = bound_places(run, t.args[0].shape[:1], scope)
    return over(IndexSum, run.entry(t.args[0], (i, i), scope, Place.SUM), bound)


@_rule("einsum")
def _einsum(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``einsum("nd,md->nm", X, W)``: letters left of the arrow that are not right of it are
    summed.
    """
    left, arrow, right = t.attrs[0].replace(" ", "").partition("->")
    if not arrow or "." in left:
        raise NotSupported("an einsum with an arrow and a letter for each axis", t.attrs[0])
    extents: dict[str, Expr] = {}
    for word, a in zip(left.split(","), t.args, strict=True):
        for letter, extent in zip(word, a.shape, strict=True):
            if extents.get(letter, ONE) == 1:
                extents[letter] = extent
    summed = [letter for letter in extents if letter not in right]
    bound, read, scope = bound_places(run, tuple(extents[letter] for letter in summed), scope)
    where = dict(zip(right, at, strict=True)) | dict(zip(summed, read, strict=True))
    factors = (
        operand(run, a, tuple(where[letter] for letter in word), scope)
        for word, a in zip(left.split(","), t.args, strict=True)
    )
    return over(IndexSum, Mul(*factors), bound)


# Reductions


def _spread(
    run: Lowers, t: Term, at: At, scope: Scope
) -> tuple[tuple[Index, ...], At, Scope, Expr]:
    """For a reduction: the bound indices, where its operand is read, the scope, and the number of
    entries reduced.
    """
    a, (axes, keepdims) = t.args[0], t.attrs
    reduced = normal_axes(axes, a.rank)
    bound, read, scope = bound_places(run, tuple(a.shape[k] for k in reduced), scope)
    inner = dict(zip(reduced, read, strict=True))
    kept = iter(p for k, p in enumerate(at) if k not in reduced) if keepdims else iter(at)
    places = tuple(inner[k] if k in inner else next(kept) for k in range(a.rank))
    return bound, aligned(places, a.shape), scope, Mul(*(a.shape[k] for k in reduced))


@_rule("sum", "mean")
def _sum(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    bound, read, scope, count = _spread(run, t, at, scope)
    total = over(IndexSum, run.entry(t.args[0], read, scope, Place.SUM), bound)
    return total / count if t.op == "mean" else total


@_rule("var")
def _var(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """The mean square of what is centred by a (hidden) mean."""
    bound, read, scope, count = _spread(run, t, at, scope)
    centred = terms.sub(t.args[0], terms.reduce("mean", t.args[0], t.attrs[0], keepdims=True))
    return over(IndexSum, run.entry(centred, read, scope) ** 2, bound) / count


@_rule("max", "min")
def _max(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    bound, read, scope, _ = _spread(run, t, at, scope)
    sign = 1 if t.op == "max" else -1
    return sign * over(IndexMax, sign * run.entry(t.args[0], read, scope), bound)


@_rule("prod")
def _prod(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    bound, read, scope, _ = _spread(run, t, at, scope)
    return over(IndexProduct, run.entry(t.args[0], read, scope), bound)


@_rule("norm1")
def _norm1(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    bound, read, scope, _ = _spread(run, t, at, scope)
    return over(IndexSum, Apply("abs", run.entry(t.args[0], read, scope)), bound)


@_rule("norm2")
def _norm2(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    bound, read, scope, _ = _spread(run, t, at, scope)
    return Pow(over(IndexSum, run.entry(t.args[0], read, scope) ** 2, bound), HALF)


def _know_shares(run: Lowers, t: Term) -> None:
    """A hidden softmax beside a logsumexp along one axis, whose slope it is: ``exp(z) / Σ exp(z)``
    folds to it, and its sum is 1.
    """
    a, (axes, _) = t.args[0], t.attrs
    reduced = normal_axes(axes, a.rank)
    if len(reduced) == 1:
        run.array(terms.along("softmax", a, reduced[0]))


@_rule("logsumexp")
def _logsumexp(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    _know_shares(run, t)
    operand = run.reader(t.args[0])
    bound, read, scope, _ = _spread(run, t, at, scope)
    return Apply("log", over(IndexSum, Apply("exp", operand(read, scope)), bound))


@_rule("softmax", "log_softmax")
def _softmax(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``exp(z[k]) / Σ_j exp(z[j])``, unshifted: the shift by the maximum is the kernel's."""
    if t.op == "log_softmax":
        run.array(terms.along("softmax", t.args[0], t.attrs[0]))
    operand, (axis,) = run.reader(t.args[0]), t.attrs
    bound, (j,), inner = bound_places(run, t.shape[axis : axis + 1], scope)
    total = over(IndexSum, Apply("exp", operand((*at[:axis], j, *at[axis + 1 :]), inner)), bound)
    own = operand(at, scope)
    return own - Apply("log", total) if t.op == "log_softmax" else Apply("exp", own) / total
