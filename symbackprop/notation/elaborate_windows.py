"""Calls that read arrays through windows: ``conv2d(X, w, stride=2, padding=1)``,
``unfold1d(x, K)``, ``maxpool2d(X, p)``.

The rows of this file join the table ``FORMS`` of :mod:`symbackprop.notation.elaborate_calls`.
Strides, paddings, dilations and windows are extents: whole numbers or dims; with two axes one for
both, or a pair.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr

from symbackprop.errors import Malformed
from symbackprop.ir import window_terms
from symbackprop.ir.terms import Term
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate_calls import FORMS, arguments
from symbackprop.notation.elaborate_operators import checked, elaborate
from symbackprop.notation.extents import extent
from symbackprop.notation.scope import Scope

Form = Callable[[s.Call, Scope], Term]
Given = dict[str, s.Tree]

# What a window is told, with the least value of each.
LEAST = {"stride": 1, "padding": 0, "dilation": 1}


def _numbers(tree: s.Tree, scope: Scope, axes: int, word: str, least: int = 1) -> tuple[Expr, ...]:
    """One extent for every axis, or a tuple of one each."""
    items = tree.items if isinstance(tree, s.Group) and len(tree.items) > 1 else (tree,) * axes
    if len(items) != axes:
        wanted = "one whole number or dim" if axes == 1 else f"a number or a pair as {word}"
        raise Malformed(wanted, f"{len(items)} of them", tree.span, f"write {word}=2")
    found = tuple(extent(t, scope) for t in items)
    for item, value in zip(items, found, strict=True):
        if value.is_Integer and value < least:
            raise Malformed(
                f"a {word} of at least {least}", str(value), item.span, f"write {word}={least}"
            )
    return found


def _options(
    given: Given, scope: Scope, axes: int, words: tuple[str, ...]
) -> tuple[tuple[Expr, ...] | None, ...]:
    """What was said by these keywords; None where nothing was."""
    return tuple(
        _numbers(given[word], scope, axes, word, LEAST[word]) if word in given else None
        for word in words
    )


def _correlation(axes: int) -> Form:
    def form(tree: s.Call, scope: Scope) -> Term:
        given = arguments(tree, ("x", "w", "stride", "padding", "dilation", "groups"), 2)
        a, w = (elaborate(given[n], scope) for n in "xw")
        options = _options(given, scope, axes, tuple(LEAST))
        groups: Expr | int = 1
        if "groups" in given:
            (groups,) = _numbers(given["groups"], scope, 1, "groups")
        return checked(
            tree.span, window_terms.correlation, a, w, *options, groups=groups, axes=axes
        )

    return form


def _unfolding(build: Callable[..., Term], axes: int, names: tuple[str, ...]) -> Form:
    """``unfold`` with the window's extents, ``fold`` with those of the result."""

    def form(tree: s.Call, scope: Scope) -> Term:
        given = arguments(tree, ("x", *names, *LEAST), 1 + axes)
        extents = tuple(extent(given[n], scope) for n in names)
        options = _options(given, scope, axes, tuple(LEAST))
        return checked(tree.span, build, elaborate(given["x"], scope), extents, *options)

    return form


def _pooling(word: str, axes: int) -> Form:
    def form(tree: s.Call, scope: Scope) -> Term:
        given = arguments(tree, ("x", "p", "stride", "padding"), 2)
        windows = _numbers(given["p"], scope, axes, "p")
        options = _options(given, scope, axes, ("stride", "padding"))
        operand = elaborate(given["x"], scope)
        return checked(tree.span, window_terms.pool, word, operand, windows, *options)

    return form


FORMS.update(
    {
        "conv1d": _correlation(1),
        "conv2d": _correlation(2),
        "unfold1d": _unfolding(window_terms.unfold, 1, ("K",)),
        "unfold2d": _unfolding(window_terms.unfold, 2, ("K", "J")),
        "fold1d": _unfolding(window_terms.fold, 1, ("L",)),
        "fold2d": _unfolding(window_terms.fold, 2, ("H", "W")),
        "maxpool1d": _pooling("maxpool", 1),
        "maxpool2d": _pooling("maxpool", 2),
        "avgpool1d": _pooling("avgpool", 1),
        "avgpool2d": _pooling("avgpool", 2),
    }
)
