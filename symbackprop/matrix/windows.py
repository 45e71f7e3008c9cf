"""The generic entry of operations that read arrays through windows.

Entries are read at the affine places ``stride·i + dilation·u - padding``, guarded by ``InRange``
where these may lie outside. The rules have the face of those in
:mod:`symbackprop.matrix.operations`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Mul, oo

from symbackprop.ir.affine import expanded, floor_div
from symbackprop.ir.expressions import IndexMax, IndexSum, Where
from symbackprop.ir.terms import Shape, Term
from symbackprop.ir.window_terms import share
from symbackprop.matrix.operations import (
    ONE,
    At,
    Lowers,
    Place,
    Rule,
    Scope,
    aligned,
    delta,
    operand,
    registrar,
)
from symbackprop.matrix.rearrangements import guard
from symbackprop.matrix.reductions import bound_places, over

RULES: dict[str, Rule] = {}
_rule = registrar(RULES)


def seen(
    windows: At, within: At, strides: Shape, paddings: Shape, dilations: Sequence[Expr]
) -> tuple[Expr, ...]:
    """``stride·t + dilation·k - padding`` on each axis."""
    rows = zip(windows, within, strides, paddings, dilations, strict=True)
    return tuple(expanded(s * t + d * k - p) for t, k, s, p, d in rows)


def guards(places: At, shape: Shape) -> Expr:
    """1 where all places lie inside the array, else 0."""
    return Mul(*(guard(i, n) for i, n in zip(places, shape, strict=True)))


@_rule("conv")
def _conv(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_{c,u,v} X[n, c, s·i + d·u - p, …] w[o, c, u, v]``; a group reads its own channels."""
    (a, w), (strides, paddings, dilations, groups) = t.args, t.attrs
    axes = len(strides)
    read = run.reader(a)
    bound, inner, scope = bound_places(run, w.shape if w.rank == axes else w.shape[1:], scope)
    if w.rank == axes:
        before, kernel = at[:-axes], inner
    else:
        out, channel = at[-axes - 1], inner[0]
        each = share(w.shape[0], groups)
        assert each is not None, "the builder has seen that groups divide the channels"
        group = floor_div(out, each) if groups != 1 else 0
        before = (*at[: -axes - 1], expanded(channel + w.shape[1] * group))
        kernel = (out, *inner)
    places = seen(at[-axes:], inner[-axes:], strides, paddings, dilations)
    signal = read(aligned((*before, *places), a.shape), scope)
    weight = operand(run, w, kernel, scope)
    return over(IndexSum, Mul(guards(places, a.shape[-axes:]), signal, weight), bound)


@_rule("unfold")
def _unfold(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    (a,), (windows, strides, paddings, dilations) = t.args, t.attrs
    axes = len(windows)
    places = seen(at[-2 * axes : -axes], at[-axes:], strides, paddings, dilations)
    entry = run.reader(a)(aligned((*at[: -2 * axes], *places), a.shape), scope)
    return Mul(guards(places, a.shape[-axes:]), entry)


@_rule("fold")
def _fold(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_{t,k} δ(s·t + d·k - p, l) A[…, t, k]``."""
    (a,), (lengths, strides, paddings, dilations) = t.args, t.attrs
    axes = len(lengths)
    read = run.reader(a)
    bound, inner, scope = bound_places(run, a.shape[-2 * axes :], scope)
    places = seen(inner[:axes], inner[axes:], strides, paddings, dilations)
    deltas = (delta(i, j) for i, j in zip(places, at[-axes:], strict=True))
    entry = read(aligned((*at[:-axes], *inner), a.shape), scope)
    return over(IndexSum, Mul(*deltas, entry), bound)


def _window(
    run: Lowers, t: Term, at: At, scope: Scope
) -> tuple[Expr, Expr, tuple[Expr, ...], Scope]:
    """For pooling: the entry in the window, its guards, the bound indices and the scope."""
    (a,), (windows, strides, paddings) = t.args, t.attrs
    axes = len(windows)
    read = run.reader(a)
    bound, inner, scope = bound_places(run, windows, scope)
    places = seen(at[-axes:], inner, strides, paddings, (ONE,) * axes)
    entry = read(aligned((*at[:-axes], *places), a.shape), scope)
    return entry, guards(places, a.shape[-axes:]), bound, scope


@_rule("avgpool")
def _avgpool(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_u X[…, s·i + u - p] / K``; padding counts as 0."""
    entry, inside, bound, scope = _window(run, t, at, scope)
    return over(IndexSum, inside * entry, bound) / Mul(*t.attrs[0])


@_rule("maxpool")
def _maxpool(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``max_u X[…, s·i + u - p]``; padding does not count."""
    entry, inside, bound, scope = _window(run, t, at, scope)
    return over(IndexMax, entry if inside == 1 else Where(inside, entry, -oo), bound)
