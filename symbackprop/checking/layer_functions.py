r"""Functions that differ from layer to layer under one letter: ``A^{[l]} = g(Z^{[l]})``.

Where a document labels the letter of a function with a layer (``g^{[1]'}``), or the letter names
nothing, the bare letter in a line that runs over layers is the activation of each. It is given the
label of that layer, and so is read by a guess, as a labelled letter is: nothing is refuted by it.
The letter that is right as it stands keeps its sure reading.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

from symbackprop.checking.functions import USUAL, activation_at, function_of
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import Scripts, scripts_of
from symbackprop.notation.written import Bracket, Juxt, Name, Node, Number, Script, walk

Map = Callable[[Node, Callable[[Node], Node | None]], Node]


def labelled_letters(trees: Iterable[Node]) -> frozenset[str]:
    """The letters in use for activations that bear a layer in brackets somewhere."""
    return frozenset(text for tree in trees for node in walk(tree) for text in _labelled(node))


def _labelled(node: Node) -> Iterable[str]:
    if isinstance(node, Script):
        scripts = scripts_of(node)
        if scripts.layers and isinstance(scripts.base, Name) and scripts.base.text in USUAL:
            yield scripts.base.text
    if isinstance(node, Juxt):
        for first, second in itertools.pairwise(node.factors):
            label = scripts_of(second).base
            if isinstance(first, Name) and first.text in USUAL and _is_label(label):
                yield first.text


def _is_label(node: Node) -> bool:
    """Whether a bracket is a label in plain text: ``[1]``."""
    return isinstance(node, Bracket) and node.kind == "[" and len(node.items) == 1


def with_layers(tree: Node, letters: frozenset[str], scope: Scope, kept: Map) -> Node:
    """A line at one number, with the number of their argument on bare letters of functions that
    are another function there; ``kept`` replaces nodes of a tree.
    """

    def change(node: Node) -> Node | None:
        if not isinstance(node, Juxt):
            return None
        factors = list(node.factors)
        for k, (first, second) in enumerate(itertools.pairwise(node.factors)):
            number = _number_of(second)
            if number is not None and _differs(first, number.text, letters, scope):
                factors[k] = _with_label(first, number)
        if tuple(factors) == node.factors:
            return None
        return replace(node, factors=tuple(factors))

    return kept(tree, change)


def _differs(node: Node, number: str, letters: frozenset[str], scope: Scope) -> bool:
    """Whether a bare letter, as it stands, is not the activation at a number."""
    scripts = scripts_of(node)
    base = scripts.base
    if not isinstance(base, Name) or base.text not in USUAL or scripts.items or scripts.powers:
        return False
    if scope.shape(base.text) is not None or (base.text, ()) in scope.patterns:
        return False
    known = function_of(replace(base), scope)
    if known is None or known.guessed:
        return True
    return base.text in letters and known.name != activation_at(number, scope)


def _number_of(argument: Node) -> Number | None:
    """The number on the one symbol that is an argument: ``(Z^{[2]})``, ``(Z[2])``."""
    if not isinstance(argument, Bracket) or argument.kind != "(" or len(argument.items) != 1:
        return None
    (item,) = argument.items
    if isinstance(item, Juxt) and len(item.factors) == 2 and _is_label(item.factors[1]):
        label = item.factors[1]
        assert isinstance(label, Bracket), "just tested"
        return label.items[0] if isinstance(label.items[0], Number) else None
    scripts: Scripts = scripts_of(item)
    found = [s for s in (*scripts.layers, *scripts.powers, *scripts.subs) if isinstance(s, Number)]
    return found[0] if found else None


def _with_label(node: Node, number: Number) -> Node:
    """``g'`` with a layer: ``g^{[2]'}``."""
    label = Bracket(number.start, number.end, "[", (number,))
    base = node.base if isinstance(node, Script) else node
    sups = node.sups if isinstance(node, Script) else ()
    return Script(node.start, node.end, base, (), (label, *sups))
