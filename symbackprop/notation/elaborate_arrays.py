"""Calls that move, join, pick and pad entries of arrays, and functions of whole matrices.

The rows of this file join the table ``FORMS`` of :mod:`symbackprop.notation.elaborate_calls`. Axes
and numbers of entries are written as in NumPy; ``reshape``, ``concat`` and ``stack`` take their
lists with or without brackets.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Integer

from symbackprop.errors import Malformed
from symbackprop.ir import array_terms
from symbackprop.ir.terms import Term, matmul
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate_calls import FORMS, arguments, axes_of, whole_number
from symbackprop.notation.elaborate_operators import checked, elaborate
from symbackprop.notation.extents import extent
from symbackprop.notation.integers import require_integers
from symbackprop.notation.scope import Scope

Form = Callable[[s.Call, Scope], Term]


def _matrix(build: Callable[[Term], Term]) -> Form:
    """A function of one array."""

    def form(tree: s.Call, scope: Scope) -> Term:
        return checked(tree.span, build, elaborate(arguments(tree, ("x",), 1)["x"], scope))

    return form


def _matpow(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "k"), 2)
    return checked(
        tree.span, array_terms.matpow, elaborate(given["x"], scope), whole_number(given["k"])
    )


def _kron(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("a", "b"), 2)
    return checked(tree.span, array_terms.kron, *(elaborate(given[n], scope) for n in "ab"))


def _solve(tree: s.Call, scope: Scope) -> Term:
    """``solve(A, b)`` is ``inv(A) @ b``: the x of A x = b, of a vector or of columns."""
    given = arguments(tree, ("a", "b"), 2)
    inverse = checked(tree.span, array_terms.inv, elaborate(given["a"], scope))
    return checked(tree.span, matmul, inverse, elaborate(given["b"], scope))


def _triangle(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "k"), 1)
    k = whole_number(given["k"]) if "k" in given else 0
    word = tree.function.text
    return checked(tree.span, array_terms.triangle, word, elaborate(given["x"], scope), k)


def _cumsum(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "axis"), 1)
    axis = whole_number(given["axis"]) if "axis" in given else -1
    return checked(tree.span, array_terms.cumsum, elaborate(given["x"], scope), axis)


def _take(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "t", "axis"), 2)
    axis = whole_number(given["axis"]) if "axis" in given else 0
    picked = require_integers(elaborate(given["t"], scope), given["t"], scope)
    return checked(tree.span, array_terms.take, elaborate(given["x"], scope), picked, axis)


def _onehot(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("t", "K"), 2)
    picked = require_integers(elaborate(given["t"], scope), given["t"], scope)
    return array_terms.onehot(picked, extent(given["K"], scope))


def _swap(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "a", "b"), 3)
    axes = (whole_number(given[n]) for n in "ab")
    return checked(tree.span, array_terms.swap, elaborate(given["x"], scope), *axes)


def _listed(items: tuple[s.Tree, ...]) -> tuple[s.Tree, ...]:
    """``f(a, b)`` and ``f((a, b))`` alike."""
    return items[0].items if len(items) == 1 and isinstance(items[0], s.Group) else items


def _reshape(tree: s.Call, scope: Scope) -> Term:
    if len(tree.arguments) < 2 or tree.keywords:
        raise Malformed(
            "reshape(x, N, M)", "no shape after the array", tree.span, "write the extents"
        )
    first, *rest = tree.arguments
    shape = tuple(_length(t, scope) for t in _listed(tuple(rest)))
    return checked(tree.span, array_terms.reshape, elaborate(first, scope), shape)


def _length(tree: s.Tree, scope: Scope) -> Expr:
    """An extent, or -1 for what is left."""
    match tree:
        case s.Unary(op="-", operand=s.Number(value=value)) if value == 1:
            return Integer(-1)
    return extent(tree, scope)


def _flip(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "axis"), 1)
    axes = axes_of(given["axis"]) if "axis" in given else None
    return checked(tree.span, array_terms.flip, elaborate(given["x"], scope), axes)


def _repeat(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "count", "axis"), 2)
    axis = whole_number(given["axis"]) if "axis" in given else -1
    times = extent(given["count"], scope)
    return checked(tree.span, array_terms.repeat, elaborate(given["x"], scope), times, axis)


def _pad(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "p"), 2)
    widths = (_width(given["p"], scope),)
    return checked(tree.span, array_terms.pad, elaborate(given["x"], scope), widths)


def _pad2d(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "p", "q"), 3)
    widths = tuple(_width(given[n], scope) for n in "pq")
    return checked(tree.span, array_terms.pad, elaborate(given["x"], scope), widths)


def _width(tree: s.Tree, scope: Scope) -> tuple[Expr, Expr]:
    """``p`` on both sides, or a pair ``(before, after)``."""
    if isinstance(tree, s.Group) and len(tree.items) == 2:
        before, after = (extent(t, scope) for t in tree.items)
        return before, after
    width = extent(tree, scope)
    return width, width


def _joined(build: Callable[..., Term]) -> Form:
    """``concat`` and ``stack``: arrays, and the axis by keyword."""

    def form(tree: s.Call, scope: Scope) -> Term:
        axis = 0
        for keyword in tree.keywords:
            if keyword.name != "axis":
                raise Malformed(
                    f"{tree.function.text}(a, b, axis=0)",
                    f"the argument {keyword.name}=",
                    keyword.span,
                    "remove it",
                )
            axis = whole_number(keyword.value)
        items = _listed(tree.arguments)
        if not items:
            raise Malformed("arrays to join", "none", tree.span, "write concat(a, b, axis=0)")
        return checked(tree.span, build, tuple(elaborate(t, scope) for t in items), axis)

    return form


FORMS.update(
    {
        "inv": _matrix(array_terms.inv),
        "det": _matrix(array_terms.det),
        "logdet": _matrix(array_terms.logdet),
        "cholesky": _matrix(array_terms.cholesky),
        "vec": _matrix(array_terms.vec),
        "flatten": _matrix(array_terms.flatten),
        "matpow": _matpow,
        "kron": _kron,
        "solve": _solve,
        "tril": _triangle,
        "triu": _triangle,
        "cumsum": _cumsum,
        "take": _take,
        "onehot": _onehot,
        "swap": _swap,
        "reshape": _reshape,
        "flip": _flip,
        "repeat": _repeat,
        "pad": _pad,
        "pad2d": _pad2d,
        "concat": _joined(array_terms.concat),
        "concatenate": _joined(array_terms.concat),
        "stack": _joined(array_terms.stack),
    }
)
