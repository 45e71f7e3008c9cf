r"""Conditions on index letters: what holds for ``i = j`` alone, cases, and sums over all but one.

A condition between letters (``i = j``, ``k ≠ i``) belongs to a formula: it stands behind it, in
``cases``, below a ``Σ``, or in the prose before it ("if i = k,"). Two sides are then compared where
it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeGuard

from sympy import Expr, Integer, S

from symbackprop.checking.operations import all_pairs, product, sum_of
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, Unreadable, combined
from symbackprop.checking.scope import Scope
from symbackprop.checking.special_names import indicator
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.ir.expressions import Delta, Index, Where, substitute
from symbackprop.ir.terms import same_extent
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import (
    Bracket,
    Cases,
    Juxt,
    Mark,
    Name,
    Node,
    Number,
    Relation,
    Terms,
)

SIGNS = {"=": "==", "==": "==", "!=": "!="}
_SAID = re.compile(
    r"(?:\b(?:if|for|when|case|where)\b|若|当|如果)[\s:：]*(?:\$+|\\\()?\s*([a-zA-Z])\s*"
    r"(==?|!=|≠|\\neq?|\\not\s*=)\s*([a-zA-Z])\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """Two index letters and whether they are alike."""

    left: str
    sign: str
    right: str


def condition_of(node: Node | None, scope: Scope) -> Condition | None:
    """The condition that a relation between two index letters states; None if it is another."""
    if not isinstance(node, Relation) or len(node.members) != 2:
        return None
    a, b = node.members
    if not is_letter(a) or not is_letter(b) or node.relations[0] not in SIGNS:
        return None
    left, right = item_text(a), item_text(b)
    if left == right or any(scope.shape(x) is not None for x in (left, right)):
        return None
    return Condition(left, SIGNS[node.relations[0]], right)


def conditions_of(
    statements: Sequence[Statement], text: str, scope: Scope
) -> tuple[Mapping[int, Condition], frozenset[int]]:
    """The condition of each statement that has one, and the statements that only state one."""
    stated = {k: c for k, s in enumerate(statements) if (c := condition_of(s.tree, scope))}
    found: dict[int, Condition] = {}
    for k, condition in stated.items():
        if k and statements[k].group == statements[k - 1].group:
            found[k - 1] = condition
    waiting: Condition | None = None
    at, group = 0, -1
    for k, s in enumerate(statements):
        if k in stated:
            continue
        if s.group != group:
            said = list(_SAID.finditer(text, at, s.start))
            waiting = _spoken(said[-1]) if said else None
            group = s.group
        if waiting is not None:
            found.setdefault(k, waiting)
        at = s.end
    return found, frozenset(stated)


def _spoken(found: re.Match[str]) -> Condition:
    return Condition(found[1], "==" if found[2] in ("=", "==") else "!=", found[3])


def where(readings: Readings, condition: Condition) -> Readings:
    """The readings where the condition holds; those without both letters stay."""
    return tuple(_where(r, condition) for r in readings)


def _where(r: Reading, condition: Condition) -> Reading:
    letters = {i.name: i for i in r.letters}
    a, b = letters.get(condition.left), letters.get(condition.right)
    if condition.sign == "==":
        one = a or b
        if one is None:
            return r
        alike = Index(min(condition.left, condition.right), one.extent)
        return replace(r, expr=substitute(r.expr, {i: alike for i in (a, b) if i is not None}))
    if one := (a or b):
        first = Index(condition.left, one.extent)
        second = Index(condition.right, one.extent)
        return replace(r, expr=r.expr * (1 - Delta(first, second)))
    return r


@read.register
def _cases(node: Cases, scope: Scope) -> Readings:
    """The sum of the values, each where its condition holds; or a value where it is not ``-∞``."""
    if any(map(_is_bottomless, node.values)):
        return _bottomless(node, scope)
    total: Readings = ()
    rest: Readings = (Reading(Integer(1)),)
    for value, condition in zip(node.values, node.conditions, strict=True):
        values = read(value, scope)
        if isinstance(condition, Mark):
            when = rest
        else:
            when = _holds(condition, values, scope)
            rest = all_pairs(rest, tuple(replace(w, expr=1 - w.expr) for w in when), _both)
        parts = all_pairs(values, when, _both)
        total = all_pairs(total, parts, sum_of) if total else parts
        if not total:
            raise Unreadable("shape", "the cases have different shapes", node)
    return total


def _is_bottomless(node: Node) -> bool:
    r"""Whether a tree is ``-\infty``."""
    if not isinstance(node, Terms) or len(node.terms) != 1:
        return False
    (term,) = node.terms
    return term.sign == "-" and isinstance(term.body, Name) and term.body.text == "inf"


def _bottomless(node: Cases, scope: Scope) -> Readings:
    r"""A value where its condition holds, else ``-\infty``, which a maximum passes over. No sum of
    products says that: ``0 \cdot \infty`` is no number.
    """
    told = [c for c in node.conditions if not isinstance(c, Mark)]
    if len(node.values) != 2 or node.conditions[:1] != tuple(told):
        reason = "minus infinity is one of two cases, the first with a condition"
        raise Unreadable("notation", reason, node)
    below = [_is_bottomless(v) for v in node.values]
    if all(below):
        raise Unreadable("notation", "both cases are minus infinity", node)
    values = read(node.values[below.index(False)], scope)
    made = []
    for w in _holds(told[0], values, scope):
        for r in values:
            if w.rank == 0 and r.rank == 0:
                both = (r.expr, S.NegativeInfinity)
                expr = Where(w.expr, *(reversed(both) if below[0] else both))
                made.append(replace(r, expr=expr, **combined(r, w)))
    if not made:
        raise Unreadable("shape", "cases with minus infinity are read entry by entry", node)
    return tuple(made)


def _both(a: Reading, b: Reading) -> list[Reading]:
    return product(a, b, "⊙")


def _holds(condition: Node, values: Readings, scope: Scope) -> Readings:
    """The indicator of a condition: between letters that index the values, or entry by entry."""
    if isinstance(condition, Juxt):
        parts = [_holds(f.items[0], values, scope) for f in condition.factors if _is_said(f)]
        if len(parts) == len(condition.factors):
            return reduce(lambda a, b: all_pairs(a, b, _both), parts)
    if not isinstance(condition, Relation):
        raise Unreadable("notation", "a case without a condition that can be read", condition)
    a, b = condition.members[0], condition.members[-1]
    known = {i.name: i for r in values for i in r.letters} | scope.letters
    named = [known[item_text(n)] for n in (a, b) if is_letter(n) and item_text(n) in known]
    if len(condition.members) == 2 and named and condition.relations[0] in SIGNS:
        extent = named[0].extent
        sides = [_place(n, extent, known, condition) for n in (a, b)]
        alike = Delta(*sides)
        return (Reading(alike if SIGNS[condition.relations[0]] == "==" else 1 - alike),)
    return indicator(condition, scope)


def _is_said(node: Node) -> TypeGuard[Bracket]:
    """Whether a tree is a relation in brackets, as conditions joined by ``and`` are kept."""
    return isinstance(node, Bracket) and len(node.items) == 1 and node.kind == "["


def _place(node: Node, extent: Expr, known: Mapping[str, Index], condition: Node) -> Expr:
    if isinstance(node, Number) and node.text.isdigit():
        return Integer(int(node.text) - 1)
    if is_letter(node):
        index = known.get(item_text(node), Index(item_text(node), extent))
        if same_extent(index.extent, extent):
            return index
    raise Unreadable("notation", "a condition between letters is read", condition)


def excluded(relation: Relation, letters: Mapping[str, Index]) -> tuple[str, Node] | None:
    """What ``k ≠ i`` below a sum says: the letter that runs, and the place left out."""
    if relation.relations != ("!=",):
        return None
    a, b = relation.members
    if is_letter(b) and item_text(a) in letters and item_text(b) not in letters:
        a, b = b, a
    return (item_text(a), b) if is_letter(a) else None


def guard(index: Index, place: Node, scope: Scope) -> Expr:
    """The indicator that ``index`` is not at ``place``."""
    known = dict(scope.letters)
    return 1 - Delta(index, _place(place, index.extent, known, place))
