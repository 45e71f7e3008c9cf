r"""Layers and time steps that run: ``z^l``, ``a^{l-1}``, ``h_{t+1}`` where the model names z1, z2.

A line with a letter that counts layers or steps holds if it does for each number for which the
model has all the names; a capital (``L``, ``T``) is the last. Such a line is read once for each
number. Letters bound by a sum stay, and the sum is unrolled. Gives trees; judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.checking.layer_functions import labelled_letters
from symbackprop.checking.phrases import whole_number
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import scripts_of, spellings
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import (
    Big,
    Bracket,
    Juxt,
    Name,
    Node,
    Number,
    Relation,
    Script,
    Terms,
    parts,
    walk,
)

ERROR = "delta"
MOST_INSTANCES = 12
_NUMBERED = re.compile(r"(.*?[^\d_])_?(\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """A running script: the base it stands on, its letter, and what is added to it."""

    base: str
    letter: str
    shift: int


@dataclass(frozen=True, slots=True)
class Running:
    """The families of numbered names, those whose number stands above, the letters that count,
    and the capitals that are names of something else; the numbers below the model's that the
    document itself defines, and its letters of functions that bear layers.
    """

    families: Mapping[str, frozenset[int]]
    above: frozenset[str] = field(default_factory=frozenset)
    counting: frozenset[str] = field(default_factory=frozenset)
    taken: frozenset[str] = field(default_factory=frozenset)
    lasts: frozenset[str] = field(default_factory=frozenset)
    given: Mapping[str, frozenset[int]] = field(default_factory=dict)
    functions: frozenset[str] = field(default_factory=frozenset)

    def instances(self, tree: Node) -> tuple[tuple[str, Node], ...]:
        """The tree for each number for which all names exist, with what was put in; empty if
        nothing runs in it.
        """
        tree = self.bounded(tree)
        bound = _bound(tree)
        places = [p for p in self.places(tree) if p.letter not in bound]
        letters = {p.letter for p in places}
        letters |= {p.letter for p in self.places(tree) if p.letter.isupper()}
        letters |= set(_ends(tree, self.counting)) - self.taken
        if not letters:
            return ()
        out = []
        small = sorted(x for x in letters if x.islower())
        last = {x: self.last(tree, x) for x in letters if x.isupper()}
        if len(small) > 1:
            return ()
        numbers = sorted({n for known in self.families.values() for n in known})
        if small:
            candidates = range(numbers[0] - 1, numbers[-1] + 2)
            values = [{small[0]: v} | last for v in candidates]
        else:
            values = [last]
        for value in values:
            if all(self.exists(p, value) for p in places):
                said = ", ".join(f"{x} = {v}" for x, v in sorted(value.items()))
                out.append((said, put(tree, value, self.taken)))
        return tuple(out[:MOST_INSTANCES])

    def bounded(self, tree: Node) -> Node:
        r"""The tree with ``\sum_t`` over steps bounded by the first and the last of them."""

        def change(node: Node) -> Node | None:
            if not isinstance(node, Big) or node.above or len(node.below) != 1:
                return None
            (below,) = node.below
            if not isinstance(below, Name) or below.text not in self.counting:
                return None
            places = [p for p in self.places(node.body) if p.letter == below.text]
            known = [
                {n - p.shift for n in self.families[p.base]}
                for p in places
                if p.base in self.families
            ]
            numbers = sorted(set.intersection(*known)) if known else []
            if not numbers:
                return None
            first = Number(below.start, below.end, str(numbers[0]))
            last = Number(below.start, below.end, str(numbers[-1]))
            start = Relation(below.start, below.end, (below, first), ("=",))
            return replace(node, below=(start,), above=(last,))

        return kept(tree, change)

    def exists(self, place: Place, value: Mapping[str, int]) -> bool:
        known = self.families.get(place.base)
        number = value[place.letter] + place.shift
        return known is None or number in known or number in self.given.get(place.base, ())

    def last(self, tree: Node, letter: str) -> int:
        """The last number of the families on which a capital stands."""
        bases = {p.base for p in self.places(tree) if p.letter == letter}
        known = [max(self.families[b]) for b in bases if b in self.families]
        return max(known or [max(max(n) for n in self.families.values())])

    def places(self, tree: Node) -> Iterator[Place]:
        """The running scripts of a tree."""
        for node in walk(tree):
            if isinstance(node, Script):
                yield from self._scripts(node)
            elif isinstance(node, Juxt):
                yield from self._subscripted(node)

    def _scripts(self, node: Script) -> Iterator[Place]:
        base = self.family(scripts_of(node).base)
        if base is None:
            return
        if base in self.above or base == ERROR:
            for sup in node.sups:
                bracketed = isinstance(sup, Bracket) and len(sup.items) == 1
                inner = sup.items[0] if isinstance(sup, Bracket) and bracketed else sup
                if base == "R" and isinstance(inner, Name) and inner.text in self.taken:
                    continue  # a space of vectors, as many as an extent of the model says
                yield from self._place(base, inner, bracketed)
        if base not in self.above and len(node.subs) == 1:
            yield from self._place(base, node.subs[0], True)

    def _subscripted(self, node: Juxt) -> Iterator[Place]:
        """``W[l]`` in plain text."""
        for first, second in zip(node.factors, node.factors[1:], strict=False):
            base = self.family(first) if isinstance(first, Name) else None
            if base and isinstance(second, Bracket) and second.kind == "[":
                if len(second.items) == 1:
                    yield from self._place(base, second.items[0], True)

    def _place(self, base: str, item: Node, bracketed: bool) -> Iterator[Place]:
        found = shifted_letter(item)
        if found is None or (found == ("T", 0) and not bracketed):
            return
        letter, shift = found
        if letter in self.counting or letter.isupper():
            yield Place(base, letter, shift)

    def family(self, base: Node) -> str | None:
        """The family to which a symbol belongs; errors ``δ`` and gradients ``dW`` have one too."""
        for name in spellings(base):
            for each in (name, name.swapcase() if len(name) == 1 else name):
                if each in self.families:
                    return each
            if name == ERROR:
                return ERROR
            if name.startswith("d") and name[1:] in self.families:
                return name[1:]
        return None


def running_of(statements: Sequence[Statement], scope: Scope) -> Running | None:
    """What runs in a document; None where the model has no numbered names."""
    families: dict[str, set[int]] = {}
    for name in scope.arrays:
        if found := _NUMBERED.fullmatch(name):
            families.setdefault(found[1], set()).add(int(found[2]))
    single = {b for b in families if len(families[b]) < 2}
    if len(single) == len(families):
        return None
    known = {b: frozenset(n) for b, n in families.items() if scope.shape(b) is None}
    plain = Running(known)
    above: set[str] = set()
    counting: set[str] = set(scope.stepping) | {"l", "t"}
    for node in (n for s in statements if s.tree is not None for n in walk(s.tree)):
        if isinstance(node, Script) and (base := plain.family(scripts_of(node).base)):
            if any(_counts(sup) for sup in node.sups):
                above.add(base)
        if isinstance(node, Bracket) and node.kind == "[" and len(node.items) == 1:
            inside = shifted_letter(node.items[0])
            if inside is not None and inside[1]:
                counting.add(inside[0])
    taken = {x for x in (*scope.arrays, *scope.dims) if len(x) == 1} | {scope.loss}
    running = Running(known, frozenset(above), frozenset(counting - taken), frozenset(taken))
    trees = [s.tree for s in statements if s.tree is not None]
    lasts = {p.letter for t in trees for p in running.places(t) if p.letter.isupper()}
    lasts |= {x for t in trees for x in _ends(t, running.counting)}
    return replace(
        running,
        lasts=frozenset(lasts),
        given=_given(trees, running),
        functions=labelled_letters(trees),
    )


def _given(trees: Sequence[Node], running: Running) -> dict[str, frozenset[int]]:
    """The members before the first of a family that a document defines: ``A^{[0]} = X``."""
    out: dict[str, set[int]] = {}
    for tree in trees:
        for member in tree.members if isinstance(tree, Relation) else ():
            base, item = _numbered_symbol(member)
            family = running.family(base)
            if family is None or family not in running.families:
                continue
            if isinstance(item, Number) and item.text.isdigit():
                if int(item.text) < min(running.families[family]):
                    out.setdefault(family, set()).add(int(item.text))
    return {family: frozenset(numbers) for family, numbers in out.items()}


def _numbered_symbol(node: Node) -> tuple[Node, Node | None]:
    """The base of a side that is a lone symbol with one script, and the script."""
    if isinstance(node, Juxt) and len(node.factors) == 2:
        second = node.factors[1]
        if isinstance(second, Bracket) and second.kind == "[" and len(second.items) == 1:
            return node.factors[0], second.items[0]
    scripts = scripts_of(node)
    items = (*scripts.items, *scripts.powers)
    return scripts.base, items[0] if len(items) == 1 else None


def _counts(sup: Node) -> bool:
    """Whether a superscript counts layers: a number, or a letter that is no transpose."""
    if isinstance(sup, Bracket) and len(sup.items) == 1:
        sup = sup.items[0]
    if isinstance(sup, Number):
        return True
    found = shifted_letter(sup)
    return found is not None and found != ("T", 0)


def shifted_letter(node: Node) -> tuple[str, int] | None:
    """``l``, ``l-1``, ``L+1``: the letter and what is added; None for anything else."""
    if isinstance(node, Name) and len(node.text) == 1:
        return node.text, 0
    if isinstance(node, Terms) and len(node.terms) == 2:
        first, second = node.terms
        if first.sign == "+" and isinstance(first.body, Name) and len(first.body.text) == 1:
            if isinstance(second.body, Number) and second.body.text.isdigit():
                return first.body.text, int(second.sign + second.body.text)
    return None


def _bound(tree: Node) -> set[str]:
    """The letters that a sum of the tree runs over."""
    out: set[str] = set()
    for node in walk(tree):
        for item in node.below if isinstance(node, Big) else ():
            first = item.members[0] if isinstance(item, Relation) else item
            if isinstance(first, Name):
                out.add(first.text)
    return out


def _ends(tree: Node, counting: frozenset[str]) -> Iterator[str]:
    """The capitals to which sums over a counting letter run."""
    for node in walk(tree):
        if isinstance(node, Big) and len(node.above) == 1 and isinstance(node.above[0], Name):
            first = node.below[0] if len(node.below) == 1 else None
            letter = first.members[0] if isinstance(first, Relation) else None
            if isinstance(letter, Name) and letter.text in counting:
                if len(node.above[0].text) == 1 and node.above[0].text.isupper():
                    yield node.above[0].text


def put(tree: Node, value: Mapping[str, int], taken: frozenset[str] = frozenset()) -> Node:
    """The tree with numbers for letters wherever they count: in scripts, in the bounds of sums,
    and a capital that is no name of the model anywhere but as a transpose; what is then a sum of
    numbers is one number. Places in the source stay.
    """

    def change(node: Node, scripted: bool) -> Node:
        if isinstance(node, Name) and node.text in value:
            if scripted or (node.text.isupper() and node.text not in taken):
                return Number(node.start, node.end, str(value[node.text]))
        return whole_number(_children(node, change, scripted))

    return change(tree, False)


def kept(tree: Node, change: Callable[[Node], Node | None]) -> Node:
    """The tree with some nodes replaced, all places in the source staying."""

    def inner(node: Node, scripted: bool) -> Node:
        return change(node) or _children(node, inner, scripted)

    return inner(tree, False)


def _children(node: Node, change: Callable[[Node, bool], Node], scripted: bool) -> Node:
    updates: dict[str, object] = {}
    for name in parts(type(node)):
        old = new = getattr(node, name)
        inside = scripted or _is_script(node, name)
        if isinstance(old, Node):
            new = change(old, inside)
        elif isinstance(old, tuple):
            new = tuple(
                n
                if not isinstance(n, Node) or (name == "sups" and _is_transpose(n))
                else change(n, inside)
                for n in old
            )
            if all(a is b for a, b in zip(new, old, strict=True)):
                new = old
        if new is not old:
            updates[name] = new
    return replace(node, **updates) if updates else node  # type: ignore[arg-type]


def _is_script(node: Node, part: str) -> bool:
    if isinstance(node, Script):
        return part in ("subs", "sups")
    if isinstance(node, Big):
        return part in ("below", "above")
    return isinstance(node, Bracket) and node.kind == "[" and len(node.items) == 1


def _is_transpose(node: Node) -> bool:
    return isinstance(node, Name) and node.text == "T"
