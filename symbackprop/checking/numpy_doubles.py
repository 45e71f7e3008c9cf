"""Two mistakes in one statement of NumPy code: an edit that leaves a constant factor or a sign
wrong, or a constant by itself that is none of the common ones.
"""

from __future__ import annotations

import ast

from sympy import Expr, Integer

from symbackprop.checking.double_edits import CONSTANT, category_of_factor, parts, said_of_factor
from symbackprop.checking.execution_values import Array
from symbackprop.checking.multiples import multiple_of
from symbackprop.checking.numpy_claims import judge
from symbackprop.checking.numpy_diagnose import Inquiry, Suspect, frame_before, own, roots, value_of
from symbackprop.checking.numpy_sites import Edit, parsed, swapped


def doubled(suspect: Suspect, inquiry: Inquiry) -> tuple[Edit, ast.stmt] | None:
    """The cheapest edit of the statement that leaves a constant wrong, with the constant."""
    root = next(roots(suspect.statement), None)
    if root is None:
        return None
    alone = _times(suspect.value, suspect, inquiry)
    if alone is not None:
        said = said_of_factor(1 / alone)
        edit = Edit(category_of_factor(1 / alone), root, scaled(root, 1 / alone), 1.5, said)
        return edit, suspect.statement
    frame = frame_before(suspect.context.frame, inquiry)
    for first in own(suspect, frame, inquiry):
        if inquiry.follower.work.is_over():
            break
        if first.category in CONSTANT:
            continue
        changed = swapped(suspect.statement, first.old, first.new)
        times = _times(value_of(changed, suspect, frame, inquiry), suspect, inquiry)
        if times is not None:
            old, new = ast.unparse(first.old), ast.unparse(first.new)
            words = first.said.replace("{old}", old).replace("{new}", new)
            tree = scaled(swapped(root, first.old, first.new), 1 / times)
            said = f"{words}; and {said_of_factor(1 / times)}"
            return Edit(first.category, root, tree, first.cost, said), suspect.statement
    return None


def _times(value: object, suspect: Suspect, inquiry: Inquiry) -> Expr | None:
    """The constant by which a value is a multiple of the true gradient."""
    setting = inquiry.follower.setting
    if not isinstance(value, Array):
        return None
    judged = judge(value, suspect.of, setting, prove=False)
    if judged.verdict != "refuted" or judged.left is None or judged.right is None:
        return None
    return multiple_of(judged.right, judged.left, setting.values, signed=True)


def scaled(node: ast.expr, factor: Expr) -> ast.expr:
    """An expression times a constant."""
    sign, top, bottom = parts(factor)
    out = node if top == 1 else parsed("k * (a)", k=_written(top), a=node)
    out = out if bottom == 1 else parsed("(a) / k", k=_written(bottom), a=out)
    return out if sign > 0 else parsed("-(a)", a=out)


def _written(e: Expr) -> ast.expr:
    if isinstance(e, Integer):
        return ast.Constant(int(e))
    return parsed(f"({e})")
