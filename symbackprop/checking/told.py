r"""Functions that are told axes or a shape in their subscript: a sum along axis 0, a reshape.

``TOLD`` is a table: the name of a function and what it makes of an array and of what it is told.
Axes count from 0. A sum along an axis leaves the array without that axis or, dearer, with one of
extent 1 in its place, for those who add it to the array that it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sympy import Expr

from symbackprop.checking import execution_arrays as arrays
from symbackprop.checking.execution_values import Array, Misfitting
from symbackprop.checking.extents import extent_of
from symbackprop.checking.readings import Note, Reading, Readings, Unreadable, dearer, show
from symbackprop.checking.scope import Scope
from symbackprop.checking.stacks import plain
from symbackprop.ir.expressions import Apply
from symbackprop.notation.written import Binary, Juxt, Name, Node, Number

KEPT = Note("the axis that is summed over stays, with extent 1")
AXES_TOLD = {"softmax": 1, "swap": 2}  # how many, where not any number
Axes = Sequence[Any]


def told(
    name: str, items: Sequence[Node], readings: Readings, node: Node, scope: Scope
) -> Readings:
    """The values of a function of the table that is told something."""
    shape = shape_told(items, scope) if name == "reshape" else ()
    axes = axes_told(items)
    fit = [r for r in readings if max(axes, default=-1) < r.rank]
    if not fit or len(set(axes)) < len(axes) or len(axes) != AXES_TOLD.get(name, len(axes)):
        raise Unreadable("shape", "an axis that the array does not have", node)
    try:
        return tuple(s for r in fit for s in TOLD[name](r, shape or axes))
    except Misfitting as reason:
        raise Unreadable("shape", reason.message, node, (show(fit[0]),)) from None


def is_told(name: str, items: Sequence[Node]) -> bool:
    """Whether a subscript tells a function of the table what it needs."""
    needs = bool(items) if name == "reshape" else bool(axes_told(items))
    return name in TOLD and needs


def axes_told(items: Sequence[Node]) -> tuple[int, ...]:
    r"""The axes in ``\operatorname{logsumexp}_{\mathrm{axis}\,0,1}``, counted from 0."""
    if len(items) < 2 or not isinstance(items[0], Name) or items[0].text != "axis":
        return ()
    numbers = [i.text for i in items[1:] if isinstance(i, Number) and i.text.isdigit()]
    return tuple(map(int, numbers)) if len(numbers) == len(items) - 1 else ()


def shape_told(items: Sequence[Node], scope: Scope) -> tuple[Expr, ...]:
    r"""The extents in ``\operatorname{reshape}_{N \times A E}``; letters side by side are one."""
    if len(items) > 1 and "," not in scope.text[items[0].start : items[-1].end]:
        items = (Juxt(items[0].start, items[-1].end, tuple(items)),)
    out = []
    for node in (f for item in items for f in _factors(item)):
        extent = extent_of(node, scope)
        if extent is None:
            raise Unreadable("notation", "this shape is not read", node)
        out.append(extent)
    return tuple(out)


def _factors(node: Node) -> Iterator[Node]:
    if isinstance(node, Binary) and node.op == "×":
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _over(name: str) -> Callable[[Reading, Axes], list[Reading]]:
    """A sum, mean, norm … over axes, without them and with them kept."""
    before, reduction, after = ALONG[name]

    def make(r: Reading, axes: Axes) -> list[Reading]:
        a = arrays.elementwise(before, plain(r))
        bare, kept = (
            _like(r, arrays.elementwise(after, arrays.reduce(reduction, a, axes, keep)))
            for keep in (False, True)
        )
        return [bare, dearer(kept, 0.3, KEPT)]

    return make


def _softmax(r: Reading, axes: Axes) -> list[Reading]:
    (axis,) = axes
    return [_like(r, arrays.softmax(plain(r), axis))]


def _swapped(r: Reading, axes: Axes) -> list[Reading]:
    order = list(range(r.rank))
    i, j = axes
    order[i], order[j] = order[j], order[i]
    return [_like(r, arrays.permute(plain(r), order))]


def _reshaped(r: Reading, shape: Axes) -> list[Reading]:
    return [_like(r, arrays.reshape(plain(r), shape))]


def _like(r: Reading, a: Array) -> Reading:
    return Reading(a.expr, a.axes, cost=r.cost, notes=r.notes, guessed=r.guessed)


def _same(u: Expr) -> Expr:
    return u


# fmt: off
# What is made of every entry, the reduction, what is made of its value.
ALONG: dict[str, tuple[Callable[[Expr], Expr], str, Callable[[Expr], Expr]]] = {
    "sum":       (_same,                     "sum",  _same),
    "mean":      (_same,                     "mean", _same),
    "var":       (_same,                     "var",  _same),
    "max":       (_same,                     "max",  _same),
    "min":       (_same,                     "min",  _same),
    "prod":      (_same,                     "prod", _same),
    "norm1":     (lambda u: Apply("abs", u), "sum",  _same),
    "norm2":     (_same,                     "norm", _same),
    "logsumexp": (lambda u: Apply("exp", u), "sum",  lambda s: Apply("log", s)),
}
TOLD: dict[str, Callable[[Reading, Axes], list[Reading]]] = {
    **{name: _over(name) for name in ALONG},
    "softmax": _softmax,
    "swap":    _swapped,
    "reshape": _reshaped,
}
# fmt: on
