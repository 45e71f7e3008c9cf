"""Comparisons of what has branches: ``where``, ``maximum`` and ``minimum`` before they are steps.

Laws, for all real numbers: ``[where(c, a, b) > k] = where(c, [a > k], [b > k])``;
``[max(a, b) > k] = 1 − [a ≤ k] [b ≤ k]``, ``[max(a, b) ≤ k] = [a ≤ k] [b ≤ k]``, the same turned
over for the minimum; ``[max(k, b) ≠ k] = [b > k]``; and for an entry y that is 0 or 1,
``[f(y) > k] = y [f(1) > k] + (1 − y) [f(0) > k]``. Gives one comparison with the branches outside,
or None.
"""

from __future__ import annotations

from sympy import Expr, Integer

from symbackprop.algebra.context import Context
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    IndexMax,
    IndexProduct,
    IndexSum,
    Where,
    entries,
    free_indices,
)

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
BOTH = {"maximum": ("<", "<="), "minimum": (">", ">=")}  # these hold of it if of both operands
BEYOND = {"maximum": ">", "minimum": "<"}  # what is not the one operand is the other, and so


def outside_branches(e: Compare, context: Context) -> Expr | None:
    """A comparison as one of the branches of its sides; None if neither side has any."""
    a, b = (_defined(x, context) for x in e.args[1:])
    found = _distributed(e.op, a, b) or _distributed(TURNED[e.op], b, a)
    return found or _by_label(Compare(e.op, a, b), context)


def _by_label(e: Compare, context: Context) -> Expr | None:
    """A comparison in which an entry that is 0 or 1 stands beside a branch, by its two values."""
    branches = (_defined(x, context) for x in e.atoms(Apply, Where))
    if not any(isinstance(x, Where) or _is_extremum(x) for x in branches):
        return None
    bound = {i for b in e.atoms(IndexSum, IndexMax, IndexProduct) for i in b.bound}
    labels = [
        y
        for y in entries(e)
        if bound.isdisjoint(free_indices(y)) and context.knows(y.name, "binary")
    ]
    if len(labels) != 1:
        return None
    (y,) = labels
    one, zero = (e.xreplace({y: Integer(value)}) for value in (1, 0))
    return y * one + (1 - y) * zero


def _defined(e: Expr, context: Context) -> Expr:
    """A function that is a branch by its definition, as that branch: relu."""
    rule = context.rule(e.name) if isinstance(e, Apply) else None
    if rule is None or rule.definition is None or not isinstance(e, Apply):
        return e
    written = rule.at(rule.definition, e.operands)
    return written if isinstance(written, Where) or _is_extremum(written) else e


def _is_extremum(e: Expr) -> bool:
    return isinstance(e, Apply) and e.name in BOTH and len(e.operands) == 2


def _distributed(op: str, a: Expr, k: Expr) -> Expr | None:
    """``a op k`` by the branches of ``a``."""
    if isinstance(a, Where):
        condition, first, second = a.args
        return Where(condition, Compare(op, first, k), Compare(op, second, k))
    if not isinstance(a, Apply) or not _is_extremum(a):
        return None
    first, second = a.operands
    if op in ("==", "!="):
        other = {first: second, second: first}.get(k)
        beyond = None if other is None else Compare(BEYOND[a.name], other, k)
        return beyond if beyond is None or op == "!=" else Integer(1) - beyond
    if op in BOTH[a.name]:
        return Compare(op, first, k) * Compare(op, second, k)
    op = OPPOSITE[op]
    return Integer(1) - Compare(op, first, k) * Compare(op, second, k)
