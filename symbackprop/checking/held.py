r"""Lines that add up paths: ``∂L/∂x = ∂L/∂x̂ · ∂x̂/∂x + ∂L/∂μ · ∂μ/∂x``.

There ``∂x̂/∂x`` is the direct dependence, every other named quantity held constant; read as total
derivatives such a line counts paths twice. What differs in the first reading is read again so: a
line for a gradient of the loss is then proved, a lone derivative only where such a line of the
document shows that this is how it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.checking.compare import Comparison, compare
from symbackprop.checking.conditions import Condition, where
from symbackprop.checking.read import read
from symbackprop.checking.readings import Note, Unreadable
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.step_kinds import is_jacobian
from symbackprop.checking.struck import has_struck
from symbackprop.ir.expressions import Entry
from symbackprop.notation.written import Node, walk

HELD = Note("derivatives are taken with the other named quantities held constant")
ONLY_HELD = "it is true if the other named quantities are held constant"


def with_others_held(
    left: Node, right: Node, condition: Condition | None, scope: Scope, prove: bool
) -> Comparison | None:
    """The comparison in that reading; None if it does not hold either, or is the same."""
    if any(map(has_struck, (left, right))):
        return None
    if scope.held or not any(is_jacobian(n, scope) for side in (left, right) for n in walk(side)):
        return None
    scope.held = True
    try:
        lefts, rights = read(left, scope), read(right, scope)
    except Unreadable:
        return None
    finally:
        scope.held = False
    if condition is not None:
        lefts, rights = where(lefts, condition), where(rights, condition)
    found = compare(lefts, rights, scope.program, scope.values, prove=prove)
    if found.verdict != "proved":
        return None
    noted = replace(found, right=replace(found.right, notes=found.right.notes | {HELD}))
    return noted if _is_gradient(found) else replace(noted, verdict="undecided", why=ONLY_HELD)


def _is_gradient(found: Comparison) -> bool:
    expr = found.left.expr
    return isinstance(expr, Entry) and expr.name.startswith(GRADIENT)


def shows_it(found: Sequence[Comparison | None]) -> bool:
    """Whether a line for a gradient holds in that reading alone."""
    return any(c is not None and c.verdict == "proved" and HELD in c.right.notes for c in found)


def accepted(found: Comparison) -> Comparison:
    """A lone derivative that holds in that reading, once the document shows that it is meant."""
    return replace(found, verdict="proved", why="") if found.why == ONLY_HELD else found
