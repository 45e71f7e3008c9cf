r"""Lines that are no equations: updates ``W = W - \eta\,\partial L/\partial W``, ranges ``t = 1``.

An update has its left side as the first term of its right side. Of a chain that begins with one the
rest is judged against the right side. A count (``L = 3``, ``i = 1``) says where letters run.
"""

from __future__ import annotations

import re
from dataclasses import replace

from symbackprop.checking.running import Running
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.notation.written import Mark, Name, Node, Number, Relation, Script, Terms, bare

_GOES_ON = re.compile(r"[\s,{}]*(?:\\[lc]?dots|\.\.\.?|…)")
COUNTERS = frozenset("ijklmnpqrstLT")


def after_update(tree: Relation) -> Relation | None:
    """What remains to be judged of a chain that begins with an update; None if there is nothing.
    The chain itself if it is no update.
    """
    if tree.relations[0] not in ("=", ":=", "←") or not is_update(*tree.members[:2]):
        return tree
    if len(tree.members) < 3:
        return None
    return replace(tree, members=tree.members[1:], relations=tree.relations[1:])


def is_update(left: Node, right: Node) -> bool:
    """Whether the right side is the left side (or what it was before) and something more."""
    if not isinstance(right, Terms) or len(right.terms) < 2 or right.terms[0].sign != "+":
        return False
    first = bare(right.terms[0].body)
    return first in (bare(left), bare(_unmarked(left)))


def _unmarked(node: Node) -> Node:
    """``w'``, ``w_{new}``, ``w^{new}``: the symbol without what tells the new value."""
    if not isinstance(node, Script):
        return node
    subs = tuple(s for s in node.subs if not _says_new(s))
    sups = tuple(s for s in node.sups if not _says_new(s) and not _is_prime(s))
    return replace(node, subs=subs, sups=sups) if subs or sups else node.base


def _says_new(node: Node) -> bool:
    return item_text(node) in ("new", "updated", "next")


def _is_prime(node: Node) -> bool:
    return isinstance(node, Mark) and node.text == "prime"


def is_count(tree: Relation, running: Running | None, scope: Scope) -> bool:
    """Whether a line only says where a letter begins, or how many layers there are."""
    if len(tree.members) != 2 or tree.relations[0] != "=" or not is_letter(tree.members[0]):
        return False
    letter, right = item_text(tree.members[0]), tree.members[1]
    if isinstance(right, Number) and _GOES_ON.match(scope.text, tree.end):
        return True
    if letter not in COUNTERS or scope.shape(letter) is not None or letter == scope.loss:
        return False
    if letter.isupper() and (running is None or letter not in running.lasts):
        return False
    return isinstance(right, Number) or (isinstance(right, Name) and right.text in scope.dims)
