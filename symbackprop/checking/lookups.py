r"""Look-ups: places that an array of whole numbers holds, as in ``E_{t_n d}``, ``\delta_{t_n v}``,
``\operatorname{take}_{\mathrm{axis}\,0}(E, t)``, ``\operatorname{onehot}_{V}(t)``.

The numbers of such an array count as the indices of the document do, so that its entry stands for a
place whatever counting begins with.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Reading,
    Readings,
    Unreadable,
    array,
    combined,
    position,
    shifted,
    show,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text, scripts_of
from symbackprop.checking.told import axes_told, shape_told
from symbackprop.ir.expressions import Delta, Entry, Index, substitute
from symbackprop.ir.program import Quantity
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Call, Name, Node


def numbers_of(node: Node, scope: Scope) -> Quantity | None:
    """The array of whole numbers that a symbol, with its indices or without, names; the same in
    another shape.
    """
    if isinstance(node, Call) and item_text(scripts_of(node.function).base) in ("reshape", "swap"):
        return numbers_of(node.arguments[-1], scope) if node.arguments else None
    base = scripts_of(node).base
    text = base.text if isinstance(base, Name) else ""
    return next((q for q in scope.forward.inputs if q.name == text and q.role == "index"), None)


def looked_up(node: Node, axis: Expr, scope: Scope) -> Expr | None:
    """The place on an axis that an entry of such an array says; None if the node is none."""
    numbers = numbers_of(node, scope)
    if numbers is None or not scripts_of(node).items:
        return None
    found = read(node, scope)[0]
    if found.rank or not isinstance(found.expr, Entry):
        return None
    if numbers.bound is None or not same_extent(numbers.bound, axis):
        raise Unreadable("shape", f"{numbers.name} holds no places on an axis of {axis}", node)
    return found.expr


def delta_of_numbers(subs: Sequence[Node], scope: Scope) -> Readings | None:
    r"""``\delta_{t_n v}``: 1 where v is the number; None if neither side is such a number."""
    known = [q for q in (numbers_of(s, scope) for s in subs) if q is not None and q.bound]
    if not known:
        return None
    bound = known[0].bound
    assert bound is not None, "just chosen so"
    places: list[Expr | None] = [
        Index(item_text(s), bound) if is_letter(s) else looked_up(s, bound, scope) for s in subs
    ]
    return None if None in places else (Reading(Delta(*places)),)


def look_up(name: str, items: Sequence[Node], node: Call, scope: Scope) -> Readings | None:
    """What ``take`` and ``onehot`` of an array of whole numbers stand for; None otherwise."""
    *arrays, last = node.arguments or (node,)
    numbers = numbers_of(last, scope)
    if numbers is None or numbers.bound is None:
        return None
    axes = axes_told(items)
    if name == "take" and len(arrays) == len(axes) == 1:
        return _taken(read(arrays[0], scope), read(last, scope), axes[0], numbers.bound, node)
    if name == "onehot" and not arrays and items:
        shape = shape_told(items, scope)
        if len(shape) == 1 and same_extent(*shape, numbers.bound):
            return _one_hot(read(last, scope), *shape)
    return None


def _taken(arrays: Readings, numbers: Readings, axis: int, bound: Expr, node: Node) -> Readings:
    """The parts of an array along an axis at the places that another holds."""
    out = []
    for a in arrays:
        for p in map(shifted, numbers):
            if axis < a.rank and same_extent(a.shape[axis], bound):
                expr = substitute(a.expr, {a.axes[axis]: p.expr})
                axes = (*a.axes[:axis], *p.axes, *a.axes[axis + 1 :])
                out.append(array(expr, axes, **combined(a, p)))
    if not out:
        raise Unreadable("shape", "an axis that the array does not have", node, (show(arrays[0]),))
    return tuple(out)


def _one_hot(numbers: Readings, extent: Expr) -> Readings:
    """A row for each number, 1 at its place and 0 elsewhere."""
    return tuple(
        Reading(Delta(r.expr, last), (*r.axes, last), cost=r.cost, guessed=r.guessed)
        for r in numbers
        for last in (position(r.rank, extent),)
    )
