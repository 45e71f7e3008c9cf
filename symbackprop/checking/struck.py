r"""What is struck out: ``\cancel{N}``.

A writer strikes out what cancels, so a member means the same with it and without it; where it does
not, nobody can tell which is meant, and nothing is proved or refuted by it. Takes a member's tree;
gives its two readings as trees.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.read import read
from symbackprop.checking.readings import Note, Readings
from symbackprop.checking.scope import Scope
from symbackprop.checking.truth import Values
from symbackprop.notation.written import (
    NOWHERE,
    Accent,
    Bracket,
    Juxt,
    Node,
    Number,
    Terms,
    rewrite,
    side_by_side,
    walk,
)

STRUCK = "what is struck out"
COUNTED = Note(f"{STRUCK} is counted all the same", accepted=False)


def is_struck(node: Node) -> bool:
    """Whether a node is struck out as a whole."""
    return isinstance(node, Accent) and node.accent == "struck"


def has_struck(node: Node) -> bool:
    """Whether anything in a tree is struck out."""
    return any(map(is_struck, walk(node)))


def kept(node: Node) -> Node:
    """The tree as if nothing were struck out."""
    return rewrite(node, lambda n: _kept(n) if is_struck(n) else None)


def _kept(node: Node) -> Node:
    assert isinstance(node, Accent), "what is struck out is an accent"
    return Bracket(node.start, node.end, "(", (kept(node.body),))


def dropped(node: Node) -> Node:
    """The tree without what is struck out: terms and factors fall away, what is left of a fraction
    is 1.
    """
    return rewrite(node, _without)


def _without(node: Node) -> Node | None:
    if is_struck(node):
        return Number(NOWHERE, NOWHERE, "1")
    if isinstance(node, Terms):
        left = [t for t in node.terms if not is_struck(t.body)]
        if len(left) < len(node.terms):
            inner = tuple(replace(t, body=dropped(t.body)) for t in left)
            return Terms(NOWHERE, NOWHERE, inner) if inner else Number(NOWHERE, NOWHERE, "0")
    if isinstance(node, Juxt):
        rest = tuple(dropped(f) for f in node.factors if not is_struck(f))
        if 0 < len(rest) < len(node.factors):
            return side_by_side(rest, made=True)
    return None


def with_and_without(node: Node, scope: Scope, values: Values) -> Readings:
    """The readings of a member in which something is struck out; they are certain where they do
    not depend on it.
    """
    found, without = read(kept(node), scope), read(dropped(node), scope)
    if _alike(found, without, values):
        return found
    doubt = frozenset((STRUCK,))
    return tuple(replace(r, notes=r.notes | {COUNTED}, guessed=r.guessed | doubt) for r in found)


def _alike(a: Readings, b: Readings, values: Values) -> bool:
    first, second = a[0], b[0]
    return first.axes == second.axes and values.agree(first.expr, second.expr)
