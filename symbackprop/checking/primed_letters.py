r"""Index letters with primes, ``\sum_{k'} e^{z_{k'}}``: each is a letter of its own.

A letter with a prime that stands in a subscript or below a sum is replaced, in the whole document,
by a letter that the document does not use; places in the source stay, so that it is shown as it is
written. Primes elsewhere are slopes, transposes and new values, and stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.checking.running import kept
from symbackprop.checking.spellings import is_letter
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Big, Mark, Name, Node, Relation, Script, bare, walk

LETTERS = "ijkmnpqrs"  # those that people take for indices, but for l and t, which count layers


def unprimed(found: Sequence[Statement], taken: Iterable[str]) -> tuple[Statement, ...]:
    """The statements with a plain letter for each index letter with primes."""
    trees = [s.tree for s in found if s.tree is not None]
    primed = dict.fromkeys(bare(n) for tree in trees for n in _primed(tree))
    if not primed:
        return tuple(found)
    used = {n.text for tree in trees for n in walk(tree) if isinstance(n, Name)} | set(taken)
    free = [x for x in LETTERS if x not in used and x.upper() not in used]
    letters = dict(zip(primed, free, strict=False))
    return tuple(
        s if s.tree is None else replace(s, tree=_replaced(s.tree, letters)) for s in found
    )


def _primed(tree: Node) -> Iterator[Node]:
    """The index letters with primes of a tree."""
    for node in walk(tree):
        if isinstance(node, Script):
            yield from filter(_is_primed, node.subs)
        for item in node.below if isinstance(node, Big) else ():
            yield from filter(_is_primed, item.members if isinstance(item, Relation) else (item,))


def _is_primed(node: Node) -> bool:
    if not isinstance(node, Script) or not is_letter(node.base) or node.subs or not node.sups:
        return False
    return all(isinstance(s, Mark) and s.text == "prime" for s in node.sups)


def _replaced(tree: Node, letters: Mapping[Node, str]) -> Node:
    def change(node: Node) -> Node | None:
        letter = letters.get(bare(node)) if isinstance(node, Script) else None
        return Name(node.start, node.end, letter) if letter else None

    return kept(tree, change)
