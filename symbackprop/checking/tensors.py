"""Arrays of more than two axes that are no stacks of matrices: Jacobians, what code transposes.

Over which of its axes a product with such a Jacobian sums, its writer alone knows; ``.T`` of code
reverses all axes, where mathematics transposes each matrix. Both are refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.checking.readings import Readings, Unreadable, show
from symbackprop.checking.scope import Scope
from symbackprop.notation.written import Fraction, Nabla, Name, Node, Partial, walk


def no_tensors(
    factors: Sequence[Node], items: Sequence[Readings], node: Node, scope: Scope
) -> None:
    """Refuse a product in which a Jacobian of more than two axes may stand."""
    if any(map(_wide, items)) and any(_holds_jacobian(f, scope) for f in factors):
        raise Unreadable("notation", "a product with a Jacobian of more than two axes", node)


def entry_by_entry(left: Readings, right: Readings) -> tuple[Readings, Readings]:
    """The sides of ``⊙``, which sums over nothing: the Jacobian of an elementwise map beside an
    array is its diagonal, if it can be.
    """
    if all(map(_wide, (left, right))):
        return left, right
    return _narrow(left) or left, _narrow(right) or right


def transposable(found: Readings, node: Node, scope: Scope) -> None:
    """Refuse the transpose of more than two axes where it does not mean each matrix of a stack."""
    if _wide(found) and (not scope.latex or _holds_jacobian(node, scope)):
        shape = show(found[0])
        raise Unreadable("shape", f"a transpose of rank {found[0].rank}", node, (shape,))


def _wide(readings: Readings) -> bool:
    return any(r.rank > 2 for r in readings)


def _narrow(readings: Readings) -> Readings:
    return tuple(r for r in readings if r.rank <= 2)


def _holds_jacobian(node: Node, scope: Scope) -> bool:
    """Whether a derivative of something else than the loss stands in a node."""
    return any(_is_jacobian(n, scope) for n in walk(node))


def _is_jacobian(node: Node, scope: Scope) -> bool:
    if isinstance(node, Nabla):
        return node.of is not None and not _is_loss(node.of, scope)
    top = node.top if isinstance(node, Fraction) else None
    return isinstance(top, Partial) and not _is_loss(top.body, scope)


def _is_loss(node: Node, scope: Scope) -> bool:
    return isinstance(node, Name) and node.text in scope.loss_names
