"""Edits of slopes that are written out: another factor where a slope is meant, a slope at the wrong
point, a slope too much.

A slope is written out as ``1 - h^2`` or ``h(1 - h)``; such a complement is told by its form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import combinations

from symbackprop.checking.edit_names import slope_pieces
from symbackprop.checking.edit_sites import Edit, N, Place
from symbackprop.checking.functions import function_of
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import scripts_of, spellings
from symbackprop.checking.suggest import written
from symbackprop.notation.written import (
    Accent,
    Binary,
    Bracket,
    Call,
    Juxt,
    Name,
    Node,
    Number,
    Relation,
    Script,
    Term,
    Terms,
    bare,
    rewrite,
    side_by_side,
    walk,
)

BY_ENTRY = "⊙*·"


def is_complement(node: Node) -> bool:
    """Whether a node is ``1 - …``, in brackets or not."""
    if isinstance(node, Bracket) and len(node.items) == 1:
        node = node.items[0]
    if not isinstance(node, Terms) or len(node.terms) != 2:
        return False
    first, second = node.terms
    one = isinstance(first.body, Number) and first.body.text == "1"
    return one and [first.sign, second.sign] == ["+", "-"]


def has_complement(node: Node) -> bool:
    """Whether a slope may be written out in a node."""
    return any(map(is_complement, walk(node)))


def replaced(p: Place) -> Iterator[Edit]:
    """A factor where the slope of one of the model's functions is meant."""
    if isinstance(p.node, Number):
        return
    factor = isinstance(p.parent, Juxt) and function_of(p.node, p.scope) is None
    if factor or (isinstance(p.parent, Binary) and p.parent.op in BY_ENTRY):
        masked = any(isinstance(n, Relation) for n in walk(p.node))
        category = "mask" if masked else "wrong-slope"
        # What looks like a slope is rather one at the wrong point.
        cost = 1.6 if has_complement(p.node) or _is_applied(p.node, p.scope) else 1.4
        for slope in slope_pieces(p):
            said = "«{old}» stands where the slope {new} is meant"
            exponential = _is_exponential(p.node) and "exp" in slope.text
            kind = "slope-point" if exponential else category
            yield Edit(kind, p.node, slope, cost, said)


def _is_exponential(node: Node) -> bool:
    """Whether a node is ``e^…``."""
    return isinstance(node, Script) and isinstance(node.base, Name) and node.base.text == "e"


def _is_applied(node: Node, scope: Scope) -> bool:
    head = node.function if isinstance(node, Call) else None
    head = node.factors[0] if isinstance(node, Juxt) else head
    return head is not None and function_of(head, scope) is not None


def renamed(p: Place) -> Iterator[Edit]:
    """A symbol that occurs twice, taken for another one in both places."""
    if not isinstance(p.node, Terms | Juxt | Binary) or isinstance(p.parent, Bracket | Term):
        return
    symbols = [n for n in walk(p.node) if isinstance(n, Name | Accent | Script)]
    inner = {id(n.base) for n in symbols if isinstance(n, Script)}
    heads = Counter(_head(n) for n in symbols if id(n) not in inner)
    category = "slope-point" if has_complement(p.node) else "wrong-name"
    for head, count in heads.items():
        names = p.scope.arrays if head is not None and count > 1 else ()
        for name in names:
            assert head is not None, "there are no names otherwise"
            new = written(name, p.scope)
            if name not in spellings(scripts_of(head).base)[:1] and bare(new) != head:
                tree = rewrite(p.node, partial(_put, head=head, new=new))
                yield Edit(category, p.node, tree, 1.4, "another quantity is meant: {new}")


def exchanged(p: Place) -> Iterator[Edit]:
    """Two symbols of one shape, each in the place of the other."""
    if p.depth:
        return
    symbols = [n for n in walk(p.node) if isinstance(n, Name | Accent | Script)]
    heads = list(dict.fromkeys(h for n in symbols if (h := _head(n)) is not None))
    for a, b in combinations(heads, 2):
        shapes = [p.scope.shape(spellings(scripts_of(h).base)[0]) for h in (a, b) if _spelled(h)]
        if len(shapes) == 2 and shapes[0] and shapes[0] == shapes[1]:
            tree = rewrite(p.node, partial(_swapped, pair=(a, b)))
            yield Edit("wrong-name", p.node, tree, 1.5, "two quantities are exchanged: {new}")


def _spelled(node: Node) -> bool:
    return bool(spellings(scripts_of(node).base))


def _swapped(node: Node, pair: tuple[Node, Node]) -> Node | None:
    a, b = pair
    return _put(node, a, b) or _put(node, b, a)


def _head(node: Node) -> Node | None:
    """A symbol with its subscripts, without powers."""
    if not isinstance(node, Script):
        return bare(node)
    if not isinstance(node.base, Name | Accent) or not all(
        isinstance(s, Number | Name) for s in node.sups
    ):
        return None
    return bare(Script(N, N, node.base, node.subs, ()) if node.subs else node.base)


def _put(node: Node, head: Node, new: Node) -> Node | None:
    if not isinstance(node, Name | Accent | Script) or _head(node) != head:
        return None
    sups = node.sups if isinstance(node, Script) else ()
    if not sups:
        return new
    if isinstance(new, Script):
        return Script(N, N, new.base, new.subs, (*new.sups, *sups))
    return Script(N, N, new, (), sups)


def superfluous(p: Place) -> Iterator[Edit]:
    """``p (1 - p)`` too much."""
    node, said = p.node, "the slope is too much: {new}"
    if isinstance(node, Juxt):
        for k in range(len(node.factors) - 1):
            pair = node.factors[k : k + 2]
            rest = node.factors[:k] + node.factors[k + 2 :]
            if rest and any(map(is_complement, pair)):
                left = side_by_side(rest, made=True)
                yield Edit("extra-slope", node, left, 1.3, said)
    if isinstance(node, Binary) and node.op in BY_ENTRY and isinstance(node.left, Binary):
        inner = node.left
        if inner.op in BY_ENTRY and any(map(is_complement, (inner.right, node.right))):
            yield Edit("extra-slope", node, inner.left, 1.3, said)


def misplaced_squares(p: Place) -> Iterator[Edit]:
    """``(1 - h)^2`` for ``1 - h^2``."""
    node = p.node
    if not isinstance(node, Script) or not isinstance(node.base, Bracket) or node.subs:
        return
    if is_complement(node.base) and node.sups:
        (terms,) = node.base.items
        assert isinstance(terms, Terms), "a complement has two terms"
        first, second = terms.terms
        squared = Term(N, N, "-", Script(N, N, second.body, (), node.sups))
        new = Bracket(N, N, node.base.kind, (Terms(N, N, (first, squared)),))
        yield Edit("power", node, new, 1.1, "the square belongs inside: {new}")
