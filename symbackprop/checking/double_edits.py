"""Two mistakes in one step: an edit that leaves a constant factor or a sign wrong, and pairs of
edits of which the first mends the shapes.

Takes what single edits came to; gives the pair as one edit, whose category is that of the first and
whose sentence says both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sympy import Expr, fraction

from symbackprop.checking.edit_sites import Edit, N, extent_tree, held, times
from symbackprop.checking.edits import edits
from symbackprop.checking.readings import Reading
from symbackprop.checking.scope import Scope
from symbackprop.notation.written import (
    Binary,
    Fraction,
    Node,
    Term,
    Terms,
    rewrite,
)

MOST_FIRST, MOST_SECOND = 8, 120
SHAPING = frozenset(
    "transpose side-of-product layout outer-transposed axis bias-not-summed missing-slope".split()
)
CONSTANT = frozenset("factor mean-for-sum sign".split())
SECOND = frozenset(
    "transpose side-of-product missing-slope wrong-slope slope-point sign power wrong-name "
    "regulariser axis bias-not-summed factor mean-for-sum".split()
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a single edit came to: ``times`` is the constant by which it is still wrong; None if it
    is wrong by more, and only the shapes fit.
    """

    edit: Edit
    times: Expr | None


def applied(member: Node, edit: Edit) -> Node:
    """The member with the edit made."""
    if edit.old is member:
        return edit.new
    return rewrite(member, lambda n: edit.new if n is edit.old else None)


def pairs(
    member: Node,
    tried: Sequence[Tried],
    left: Reading,
    scope: Scope,
    fill: Callable[[Edit], tuple[str, str]],
) -> Iterator[Edit]:
    """Pairs of edits of a member as edits of the whole, the likeliest first; ``fill`` words the
    first.
    """
    for each in tried:
        if each.times is not None and each.edit.category not in CONSTANT:
            category, first = fill(each.edit)
            tree = multiplied(applied(member, each.edit), 1 / each.times, scope.latex)
            said = f"{first}; and {said_of_factor(1 / each.times)}"
            yield Edit(category, member, tree, each.edit.cost, said)
    shaping = [t for t in tried if t.times is None and t.edit.category in SHAPING]
    for each in shaping[:MOST_FIRST]:
        category, first = fill(each.edit)
        tree = applied(member, each.edit)
        seconds = [e for e in edits(tree, left, scope) if e.category in SECOND]
        for second in seconds[:MOST_SECOND]:
            said = f"{first}; and {fill(second)[1]}"
            yield Edit(category, member, applied(tree, second), second.cost, said)


def multiplied(node: Node, factor: Expr, latex: bool) -> Node:
    """A node times a constant."""
    sign, top, bottom = parts(factor)
    out = node
    if bottom != 1:
        one = extent_tree(top)
        front = Fraction(N, N, one, extent_tree(bottom)) if latex else None
        out = (
            times(front, out)
            if front is not None
            else Binary(N, N, "/", held(times(one, out) if top != 1 else out), extent_tree(bottom))
        )
    elif top != 1:
        out = times(extent_tree(top), out)
    return out if sign > 0 else Terms(N, N, (Term(N, N, "-", out),))


def said_of_factor(factor: Expr) -> str:
    """What it means that a constant factor is missing."""
    sign, top, bottom = parts(factor)
    size = f"{top}" if bottom == 1 else f"{top}/{bottom}"
    wrong = [] if sign > 0 else ["the sign is wrong"]
    return " and ".join(wrong + ([f"a factor {size} is missing"] if size != "1" else []))


def category_of_factor(factor: Expr) -> str:
    """The category of a constant factor by itself."""
    sign, top, bottom = parts(factor)
    if sign < 0:
        return "sign"
    return "mean-for-sum" if (top * bottom).free_symbols else "factor"


def constant_edit(member: Node, factor: Expr, latex: bool) -> Edit:
    """The edit that multiplies the whole by a constant."""
    tree = multiplied(member, factor, latex)
    return Edit(category_of_factor(factor), member, tree, 1.5, said_of_factor(factor))


def parts(factor: Expr) -> tuple[int, Expr, Expr]:
    """The sign of a constant, its numerator and its denominator."""
    sign = -1 if factor.could_extract_minus_sign() else 1
    top, bottom = fraction(sign * factor)
    return sign, top, bottom
