"""Families whose ranges end in integers, written out: an array of its own for each member.

``W[l in 1..3][M, M]`` becomes ``W1[M, M], W2[M, M], W3[M, M]``, ``Z[l] = H[l-1] @ W[l].T for l in
1..3`` three lines, ``sum[l](…)`` a sum of three operands. Trees go in and trees come out, each with
the place of what it came from, so that the rest of the reader knows nothing of it. What cannot be
written out, such as a family without its bracket, is left to the reader of recurrences: the result
is None.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, TypeVar

from sympy import Rational

from symbackprop.network.recurrences import takes_member
from symbackprop.notation import syntax as s

MOST = 1000  # members of all families together

Steps = Mapping[str, int]
AnyTree = TypeVar("AnyTree", bound=s.Tree)


class _Declined(Exception):
    """Something cannot be written out; never leaves this file."""


@dataclass(frozen=True, slots=True)
class Members:
    """The trees of a model over members, and the members of each family, by label."""

    trees: tuple[s.Tree, ...]
    families: Mapping[str, Mapping[int, str]]


def written_out(trees: tuple[s.Tree, ...]) -> Members | None:
    """The model with every family whose labels are integers written out; None where there is none,
    or it cannot be done.
    """
    labels = _labels(trees)
    if not labels or sum(map(len, labels.values())) > MOST:
        return None
    try:
        families = _named(labels, {n.text for t in trees for n in _names(t)})
        return Members(tuple(_Writer(families).statements(trees)), families)
    except _Declined:
        return None


def _labels(trees: tuple[s.Tree, ...]) -> dict[str, tuple[int, ...]]:
    """The labels of each family, in order; families with a label that is no integer are left
    out.
    """
    found: dict[str, set[int]] = {}
    symbolic: set[str] = set()

    def note(name: str, labels: range | None) -> None:
        found.setdefault(name, set()).update(labels or ())
        symbolic.update(() if labels else (name,))

    for tree in trees:
        for item in _declared(tree):
            if item.family is not None:
                note(item.name.text, _span_of(item.family))
        if isinstance(tree, s.Equation) and _is_piece(tree, found):
            note(tree.name.text, _piece_labels(tree))
    return {n: tuple(sorted(k)) for n, k in found.items() if n not in symbolic and min(k) >= 0}


def _declared(tree: s.Tree) -> tuple[s.Declared, ...]:
    match tree:
        case s.Declaration(items=items):
            return items
        case s.IndexData(item=item):
            return (item,)
    return ()


def _is_piece(tree: s.Equation, families: Collection[str]) -> bool:
    """Whether an equation defines a member, as ``Recurrences.is_piece`` says."""
    if tree.indices is None or len(tree.indices) != 1:
        return False
    (item,) = tree.indices
    if not isinstance(item, s.Name):
        return True
    told = [r for r in tree.ranges if r.index.text == item.text]
    if not told:
        return False
    from_zero = integer(told[0].first, {}) == 0
    name = tree.name.text
    return not from_zero or name in families or takes_member(tree.value, item.text, families)


def _piece_labels(tree: s.Equation) -> range | None:
    assert tree.indices is not None, "a piece stands in brackets"
    if tree.ranges:
        return _span_of(tree.ranges[0]) if len(tree.ranges) == 1 else None
    label = integer(tree.indices[0], {})
    return None if label is None else range(label, label + 1)


def _span_of(told: s.Range, at: Steps | None = None) -> range | None:
    first, last = integer(told.first, at or {}), integer(told.last, at or {})
    return None if first is None or last is None or last < first else range(first, last + 1)


def integer(tree: s.Tree, at: Steps) -> int | None:
    """The integer that a tree says where letters have the values ``at``; None for others."""
    match tree:
        case s.Number(value=value):
            return int(value) if value.is_integer else None
        case s.Name(text=text):
            return at.get(text)
        case s.Unary(op=op, operand=operand):
            value = integer(operand, at)
            return None if value is None else value if op == "+" else -value
        case s.Binary(op="+" | "-" | "*" as op, left=left, right=right):
            a, b = integer(left, at), integer(right, at)
            if a is None or b is None:
                return None
            return a + b if op == "+" else a - b if op == "-" else a * b
    return None


def _named(labels: Mapping[str, tuple[int, ...]], taken: set[str]) -> dict[str, dict[int, str]]:
    """``W1``, ``W2``, … or, where one is taken or the family's name ends in a digit, ``W_1``, …"""
    out: dict[str, dict[int, str]] = {}
    for family, told in labels.items():
        for join in ("_",) if family[-1].isdigit() else ("", "_"):
            names = {k: f"{family}{join}{k}" for k in told}
            if taken.isdisjoint(names.values()):
                out[family] = names
                taken |= set(names.values())
                break
        else:
            raise _Declined
    return out


def _names(tree: s.Tree) -> Iterator[s.Name]:
    if isinstance(tree, s.Name):
        yield tree
    for child in s.children(tree):
        yield from _names(child)


@dataclass(slots=True)
class _Writer:
    """Writes statements out; ``block`` holds the steps of the recurrence that is open."""

    families: Mapping[str, Mapping[int, str]]
    block: list[s.Equation] = field(default_factory=list)

    def statements(self, trees: tuple[s.Tree, ...]) -> Iterator[s.Tree]:
        for tree in trees:
            if isinstance(tree, s.Equation) and tree.name.text in self.families:
                yield from self._piece(tree)
            else:
                yield from self._closed()
                yield from self._statement(tree)
        yield from self._closed()

    def _statement(self, tree: s.Tree) -> Iterator[s.Tree]:
        match tree:
            case s.Declaration(items=items):
                yield replace(tree, items=tuple(m for i in items for m in self._members(i)))
            case s.IndexData(item=item):
                yield from (replace(tree, item=m) for m in self._members(item))
            case s.AssumeKind(name=name) if name.text in self.families:
                for own in self.families[name.text].values():
                    yield replace(tree, name=replace(name, text=own))
            case _:
                yield self._at(tree, {})

    def _members(self, item: s.Declared) -> Iterator[s.Declared]:
        if item.family is None or item.name.text not in self.families:
            yield item
            return
        for label, name in self.families[item.name.text].items():
            at = {item.family.index.text: label}
            shape = tuple(self._at(e, at) for e in item.shape)
            yield s.Declared(item.span, replace(item.name, text=name), shape)

    def _piece(self, tree: s.Equation) -> Iterator[s.Tree]:
        """A boundary stands where it is; steps of one range are gathered, as they may refer to
        each other.
        """
        if not tree.ranges:
            assert tree.indices is not None, "a boundary has a label"
            yield self._member_equation(tree, integer(tree.indices[0], {}), {})
            return
        if self.block and _span_of(self.block[0].ranges[0]) != _span_of(tree.ranges[0]):
            yield from self._closed()
        self.block.append(tree)

    def _closed(self) -> Iterator[s.Tree]:
        block, self.block = self.block, []
        if block:
            for label in _span_of(block[0].ranges[0]) or ():
                for tree in block:
                    yield self._member_equation(tree, label, {tree.ranges[0].index.text: label})

    def _member_equation(self, tree: s.Equation, label: int | None, at: Steps) -> s.Equation:
        name = replace(tree.name, text=self._member(tree.name.text, label))
        return s.Equation(tree.span, name, None, self._at(tree.value, at))

    def _member(self, family: str, label: int | None) -> str:
        name = None if label is None else self.families[family].get(label)
        if name is None:
            raise _Declined
        return name

    def _at(self, tree: AnyTree, at: Steps) -> AnyTree:
        """The tree where letters of steps have their values."""
        new = self._new(tree, at)
        if new is not None:
            return new  # type: ignore[return-value]  # an expression for an expression
        changes: dict[str, Any] = {}
        for slot in tree.__dataclass_fields__:
            value = getattr(tree, slot)
            if isinstance(value, s.Tree):
                changes[slot] = self._at(value, at)
            elif isinstance(value, tuple):
                changes[slot] = tuple(
                    self._at(v, at) if isinstance(v, s.Tree) else v for v in value
                )
        return replace(tree, **changes) if changes else tree

    def _new(self, tree: s.Tree, at: Steps) -> s.Tree | None:
        match tree:
            case s.Name(span=span, text=text) if text in at:
                return s.Number(span, Rational(at[text]), str(at[text]))
            case s.Name(text=text) if text in self.families:
                raise _Declined
            case s.Subscript(base=s.Name(text=text) as base, items=items) if text in self.families:
                name = replace(base, text=self._member(text, integer(items[0], at)))
                rest = tuple(self._at(i, at) for i in items[1:])
                return s.Subscript(tree.span, name, rest) if rest else name
            case s.Reduction(word="sum", indices=(letter,)):
                return self._sum(tree, letter.text, at)
        return None

    def _sum(self, tree: s.Reduction, letter: str, at: Steps) -> s.Tree | None:
        """A sum over steps written out; None for one over entries."""
        used = [
            t
            for t in _subscripts(tree.body, self.families)
            if any(n.text == letter for n in _names(t.items[0]))
        ]
        if not used:
            return None
        places = _span_of(tree.ranges[0], at) if tree.ranges else self._common(used, letter)
        if not places:
            raise _Declined
        parts = [self._at(tree.body, {**at, letter: k}) for k in places]
        return reduce(lambda a, b: s.Binary(tree.span, "+", a, b), parts)

    def _common(self, used: list[s.Subscript], letter: str) -> range | None:
        """The labels that all families have in whose bracket the letter stands alone."""
        told = [
            set(self.families[t.base.text])
            for t in used
            if isinstance(t.base, s.Name) and t.items[0] == s.Name(t.span, letter)
        ]
        common = sorted(set.intersection(*told)) if told else []
        return range(common[0], common[-1] + 1) if common else None


def _subscripts(tree: s.Tree, families: Collection[str]) -> Iterator[s.Subscript]:
    if isinstance(tree, s.Subscript) and isinstance(tree.base, s.Name):
        if tree.base.text in families:
            yield tree
    for child in s.children(tree):
        yield from _subscripts(child, families)
