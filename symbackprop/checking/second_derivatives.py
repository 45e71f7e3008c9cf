r"""Second derivatives as written: ``\frac{\partial^2 L}{\partial w_i \partial w_j}``,
``\frac{\partial^2 L}{\partial w^2}``, ``\nabla_w^2 L``.

A block of the Hessian is the derivative of a true gradient; its axes are those of the two variables
in the order in which they are written. Where that order shows, the other one is a reading as well,
and noted: books differ. Gives readings; nothing where something else is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    clash,
    combined,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import spellings
from symbackprop.ir.expressions import Entry, Index, substitute
from symbackprop.notation.written import Fraction, Juxt, Nabla, Name, Node, Number, Partial, Script

OTHER_ORDER = Note("a mixed second derivative with the axes of the second variable first")
Pair = tuple[Node, Node, Node]


def second_derivative(node: Node, scope: Scope) -> Readings:
    """The readings of a second derivative of the loss; none if the node is something else."""
    pair = operands(node)
    if pair is None:
        return ()
    of, first, second = pair
    if scope.shape(scope.loss) or scope.any_scalar or not _is_loss(of, scope):
        raise Unreadable("notation", "a second derivative of something else than the loss", node)
    found = [
        r for a in read(first, scope) for b in read(second, scope) for r in _block(a, b, scope)
    ]
    if not found:
        raise Unreadable("notation", "this second derivative is not read", node)
    return cheapest(found)


def operands(node: Node) -> Pair | None:
    """What is differentiated, and by what, twice; None if that is not what a node says."""
    if isinstance(node, Fraction):
        of, by = _twice(node.top), tuple(_variables(node.bottom))
        return (of, *by) if of is not None and len(by) == 2 else None
    if isinstance(node, Juxt) and len(node.factors) == 2:
        nabla, of = node.factors
        variable = _of_nabla(nabla)
        return (of, variable, variable) if variable is not None else None
    return None


def _twice(node: Node) -> Node | None:
    r"""What stands after ``\partial^2`` or ``d^2``."""
    if isinstance(node, Script) and isinstance(node.base, Partial) and not node.subs:
        return node.base.body if _is_square(node.sups) else None
    if isinstance(node, Juxt) and len(node.factors) == 2:
        first, of = node.factors
        if isinstance(first, Script) and _is_square(first.sups) and not first.subs:
            return of if isinstance(first.base, Name) and first.base.text == "d" else None
    return None


def _variables(node: Node) -> Iterator[Node]:
    r"""The variables of ``\partial a \partial b`` and, twice, of ``\partial a^2``."""
    if isinstance(node, Juxt) and not any(isinstance(f, Partial) for f in node.factors):
        letters, others = node.factors[::2], node.factors[1::2]
        if all(isinstance(d, Name) and d.text == "d" for d in letters):
            node = Juxt(node.start, node.end, tuple(Partial(n.start, n.end, n) for n in others))
    factors = node.factors if isinstance(node, Juxt) else (node,)
    for factor in factors:
        if not isinstance(factor, Partial):
            return
        body = factor.body
        if len(factors) > 1:
            yield _unturned(body)
        elif isinstance(body, Script) and _is_square(body.sups):
            once = replace(body, sups=()) if body.subs else body.base
            yield from (once, once)


def _unturned(node: Node) -> Node:
    r"""``w^\top`` below the line only says which axis is which."""
    if isinstance(node, Script) and len(node.sups) == 1:
        (above,) = node.sups
        if isinstance(above, Name) and above.text == "T":
            return replace(node, sups=()) if node.subs else node.base
    return node


def _of_nabla(node: Node) -> Node | None:
    r"""The variable of ``\nabla_w^2``."""
    if (
        not isinstance(node, Script)
        or not isinstance(node.base, Nabla)
        or not _is_square(node.sups)
    ):
        return None
    if node.base.of is not None:
        return None
    return node.base.by or (node.subs[0] if len(node.subs) == 1 else None)


def _is_square(above: tuple[Node, ...]) -> bool:
    return len(above) == 1 and isinstance(above[0], Number) and above[0].text == "2"


def _is_loss(node: Node, scope: Scope) -> bool:
    return bool(spellings(node)) and spellings(node)[0] in scope.loss_names


def _block(a: Reading, b: Reading, scope: Scope) -> Iterator[Reading]:
    """The block of the Hessian that belongs to two variables."""
    if not isinstance(a.expr, Entry) or not isinstance(b.expr, Entry):
        return
    gradient = scope.gradient(a.expr)
    if gradient is None or scope.gradient(b.expr) is None or clash(a, b):
        return
    first = tuple(Index(f"_f{k}", i.extent) for k, i in enumerate(a.axes))
    second = tuple(Index(f"_s{k}", i.extent) for k, i in enumerate(b.axes))
    top = substitute(gradient, dict(zip(a.axes, first, strict=True)))
    by = substitute(b.expr, dict(zip(b.axes, second, strict=True)))
    assert isinstance(top, Entry), "renaming keeps entries"
    assert isinstance(by, Entry), "renaming keeps entries"
    expr = scope.jacobian(top, by)
    yield array(expr, (*first, *second), **combined(a, b))
    if first and second and a.expr.name != b.expr.name:
        yield array(expr, (*second, *first), **combined(a, b, 0.3, OTHER_ORDER))
