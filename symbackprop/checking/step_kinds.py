"""What a step is about: its kind, and the quantity of which it speaks."""

from __future__ import annotations

from symbackprop.checking.derivatives import differentials
from symbackprop.checking.readings import Reading
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.second_derivatives import operands
from symbackprop.checking.spellings import scripts_of, spellings
from symbackprop.ir.expressions import Entry
from symbackprop.notation.written import (
    Fraction,
    Juxt,
    Nabla,
    Node,
    walk,
)


def said_of(node: Node, scope: Scope) -> str:
    return scope.text[node.start : node.end] if node.start >= 0 else ""


def of_step(left: Node, reading: Reading, scope: Scope) -> str:
    """The quantity of which a step speaks: the variable of a gradient, a forward quantity, or the
    symbol.
    """
    if isinstance(reading.expr, Entry):
        name = reading.expr.name.removeprefix(GRADIENT)
        return name if name in scope.spoken or name not in scope.nameless else said_of(left, scope)
    derivative = jacobian_names(left, scope)
    return derivative or said_of(left, scope)


def jacobian_names(node: Node, scope: Scope) -> str:
    """The numerator's name of a derivative other than the loss's."""
    for n in walk(node):
        inner = n.top if isinstance(n, Fraction) else n.of if isinstance(n, Nabla) else None
        for m in walk(inner) if inner is not None else ():
            known = [s for s in spellings(scripts_of(m).base) if scope.shape(s) is not None]
            if known:
                return known[0]
    return ""


def kind_of(left: Node, reading: Reading | None, right: Node, scope: Scope) -> str:
    """What a step is: by its left side, a chain-rule line also by derivatives of inner quantities
    on the right.
    """
    if reading is None:
        return "identity"
    expr = reading.expr
    inner = any(is_jacobian(n, scope) for n in walk(right))
    if isinstance(expr, Entry) and expr.name.startswith(GRADIENT):
        return "chain-rule" if inner else "gradient"
    if any(is_jacobian(n, scope) for n in walk(left)):
        return "chain-rule" if inner else "jacobian"
    defined = {e.name for e in scope.forward.equations}
    return (
        "forward"
        if isinstance(expr, Entry) and expr.name in defined and not scope.mentions_gradient(expr)
        else "identity"
    )


def is_jacobian(node: Node, scope: Scope) -> bool:
    """Whether a node is a derivative of something other than the loss, or a second one."""
    if isinstance(node, Fraction):
        pair = differentials(node, scope)
        return operands(node) is not None or (pair is not None and not _is_loss(pair[0], scope))
    if isinstance(node, Juxt):
        return operands(node) is not None
    return (
        isinstance(node, Nabla)
        and node.of is not None
        and not isinstance(node.of, Juxt)
        and not _is_loss(node.of, scope)
    )


def _is_loss(node: Node, scope: Scope) -> bool:
    if not scope.loss_names:
        return False
    return spellings(scripts_of(node).base)[:1] in {
        (n,) for n in scope.loss_names
    } or not spellings(scripts_of(node).base)
