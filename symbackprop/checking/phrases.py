r"""What the symbol map says of more than one symbol: ``\nabla_y``, ``\delta h``; and unrolled sums.

Such a key is compared with the tree as written. A letter that the map leaves without meaning
(``x_t`` for a whole array x) is decoration everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.checking.readings import Readings
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text, scripts_of
from symbackprop.notation.written import (
    Juxt,
    Nabla,
    Name,
    Node,
    Number,
    Terms,
    bare,
    rewrite,
)


def is_phrase(node: Node) -> bool:
    """Whether a key of the symbol map is a gradient or two symbols side by side."""
    return isinstance(node, Nabla) or (isinstance(node, Juxt) and len(node.factors) == 2)


def phrase(node: Node, scope: Scope) -> Readings | None:
    """The meaning that the symbol map gives to a whole phrase."""
    if not scope.phrases:
        return None
    return scope.phrases.get(bare(node))


def pair(first: Node, second: Node, scope: Scope) -> Readings | None:
    """The meaning of two factors, if the map has them as a phrase."""
    if not scope.phrases:
        return None
    return phrase(Juxt(first.start, second.end, (first, second)), scope)


def decorations(key: Node, letters: set[str]) -> Iterator[str]:
    """The letters of a key's scripts that its meaning does not run over."""
    for item in scripts_of(key).items:
        if is_letter(item) and item_text(item) not in letters:
            yield item_text(item)


def counted(body: Node, letter: str, number: int) -> Node:
    """The body of a sum with its letter replaced by a number, differences such as ``t-1`` done."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Name) and node.text == letter:
            return Number(node.start, node.end, str(number))
        if isinstance(node, Terms) and any(_is(t.body, letter) for t in node.terms):
            terms = tuple(replace(t, body=change(t.body) or t.body) for t in node.terms)
            one = whole_number(replace(node, terms=terms))
            return one if isinstance(one, Number) else None
        return None

    return rewrite(body, change)


def whole_number(node: Node) -> Node:
    """A sum of whole numbers as one number, where it is not negative; another node as it is."""
    if isinstance(node, Terms) and len(node.terms) > 1:
        bodies = [t.body for t in node.terms]
        if all(isinstance(b, Number) and b.text.isdigit() for b in bodies):
            numbers = (int(t.sign + t.body.text) for t in node.terms if isinstance(t.body, Number))
            total = sum(numbers)
            return Number(node.start, node.end, str(total)) if total >= 0 else node
    return node


def _is(node: Node, letter: str) -> bool:
    return isinstance(node, Name) and node.text == letter


def undecorated(items: tuple[Node, ...], scope: Scope) -> tuple[Node, ...]:
    """Scripts without the letters that mean nothing in this document."""
    if not scope.decorations:
        return items
    return tuple(i for i in items if not (is_letter(i) and item_text(i) in scope.decorations))
