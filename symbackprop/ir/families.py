"""Stacked families: arrays with one member for each layer or time step, and names for the members.

A family ``W[l in 1..K][M, M]`` is one array of shape (K, M, M) in index notation; its member
``W[l+1]`` is an array of shape (M, M) wherever the step ``l`` is fixed. A member is named by the
family and a label that is affine in the letter of the step, so that terms over members are ordinary
terms. :func:`staged` goes from entries of stacks to entries of members, :func:`stacked` back.

>>> from symbackprop.ir.expressions import extent_symbol
>>> K = extent_symbol("K")
>>> families = {"W": Family("W", "l", Integer(1), K)}
>>> n, q = Index("n", K), Index("l", K)
>>> staged(Entry("W", q, n), families, Step.of("l", q, Integer(1)))
W[l][n]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Symbol, expand

from symbackprop.errors import NotSupported
from symbackprop.ir.affine import written_close
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    Index,
    IndexSum,
    InRange,
    MatrixFunction,
    Series,
    entries,
    entry_names,
    extent_symbol,
    free_indices,
)

ADJOINT = "grad_"
_MEMBER = re.compile(r"(?s)([^\[]+)\[(.*)\]")
_PART = re.compile(r"([+-]?)(?:(\d+)\*)?([^\W\d]\w*|\d+)")


@dataclass(frozen=True, slots=True)
class Family:
    """The members of ``name`` bear the labels ``first``, ``first + 1``, …, ``count`` of them;
    ``index`` is the letter of the step.
    """

    name: str
    index: str
    first: Expr
    count: Expr

    @property
    def last(self) -> Expr:
        return expand(self.first + self.count - 1)


@dataclass(frozen=True, slots=True)
class Loop:
    """The steps ``first … last`` that equations with the letter ``index`` run through."""

    index: str
    first: Expr
    count: Expr

    @property
    def last(self) -> Expr:
        return expand(self.first + self.count - 1)


@dataclass(frozen=True, slots=True)
class Step:
    """How the letter of a step and an index that counts from 0 hang together: ``letter = place +
    offset``.
    """

    letter: Symbol
    place: Index
    offset: Expr

    @classmethod
    def of(cls, letter: str, place: Index, offset: Expr) -> Step:
        return cls(letter_symbol(letter), place, offset)


def letter_symbol(name: str) -> Symbol:
    """The letter of a step as it stands in a label."""
    return Symbol(name, integer=True)


def member(name: str, label: Expr) -> str:
    """``W[l+1]``: what the member with this label is called."""
    return f"{name}[{label_text(label)}]"


def label_text(label: Expr) -> str:
    """A label as it is written: the letter first, then extents, then numbers."""
    parts = Add.make_args(expand(label))
    return written_close(sorted(parts, key=lambda t: (t.is_number, _is_extent(t), str(t))))


def _is_extent(e: Expr) -> bool:
    return any(s.is_positive for s in e.free_symbols)


def split_member(name: str) -> tuple[str, str] | None:
    """The family (or adjoint of one) and the label's text of a member's name; None for others."""
    found = _MEMBER.fullmatch(name)
    return (found[1], found[2]) if found else None


def family_of(name: str, families: Mapping[str, Family]) -> Family | None:
    """The family that an array, or the adjoint of one, is; None for other arrays."""
    return families.get(name.removeprefix(ADJOINT)) if families else None


def read_label(text: str, letters: Mapping[str, Expr]) -> Expr:
    """The label that ``text`` writes; ``letters`` says what the letters of steps stand for."""
    total: Expr = Integer(0)
    for sign, count, atom in _PART.findall(text):
        value = Integer(int(atom)) if atom.isdigit() else letters.get(atom, extent_symbol(atom))
        total = total + (-1 if sign == "-" else 1) * int(count or 1) * value
    return expand(total)


def at_step(label: Expr, letter: str, value: Expr) -> Expr:
    """A label where the step ``letter`` is ``value``."""
    return expand(label.xreplace({letter_symbol(letter): value}))


def staged(e: Expr, families: Mapping[str, Family], step: Step | None) -> Expr:
    """``e`` with entries of stacks as entries of members, where the place in the stack is told by
    the step or by extents.
    """
    if isinstance(e, Entry):
        family = family_of(e.name, families)
        if family is not None and e.indices:
            label = _label(e.indices[0], family, step)
            if label is not None:
                rest = (staged(i, families, step) for i in e.indices[1:])
                return Entry(member(e.name, label), *rest)
    if step is not None and isinstance(e, Delta | InRange) and step.place in free_indices(e):
        return _lettered(e, step)
    if not e.args or (step is None and not entry_names(e)):
        return e
    return e.func(*(staged(a, families, step) if a.args else a for a in e.args))


def _lettered(e: Delta | InRange, step: Step) -> Expr:
    """A condition on places as one on steps: ``δ(v, q) → δ(t, l)``."""
    a, b = (expand(x.xreplace({step.place: step.letter - step.offset})) for x in e.args)
    if isinstance(e, InRange):
        return InRange(a, b)
    shift = max((x.as_coeff_Add()[0] * -1 for x in (a, b)), key=int)
    return Delta(expand(a + shift), expand(b + shift))


def displayed(e: Expr, families: Mapping[str, Family], step: Step | None = None) -> Expr:
    """``e`` as it is shown: members by their labels, sums over the places of stacks as sums over
    steps.
    """
    if not families:
        return e
    avoid = {step.letter.name} if step is not None else set()
    return staged(_with_series(e, families, avoid), families, step)


def _with_series(e: Expr, families: Mapping[str, Family], avoid: set[str]) -> Expr:
    if isinstance(e, IndexSum):
        for v in e.bound:
            letter = _step_of(v, e.body, families, avoid)
            if letter is not None:
                return _series(e, v, letter, families, avoid | {letter.letter.name})
    if not e.args or not e.has(IndexSum):
        return e
    return e.func(*(_with_series(a, families, avoid) if a.args else a for a in e.args))


def _series(
    e: IndexSum, v: Index, step: Step, families: Mapping[str, Family], avoid: set[str]
) -> Expr:
    others = tuple(b for b in e.bound if b != v)
    body: Expr = IndexSum(e.body, *others) if others else e.body
    inner = staged(_with_series(body, families, avoid), families, step)
    return Series(inner, step.letter, step.offset, step.offset + v.extent - 1)


def _step_of(v: Index, body: Expr, families: Mapping[str, Family], avoid: set[str]) -> Step | None:
    """The step that a bound index counts, if it does nothing but tell places in stacks."""
    found = [
        (x, f)
        for x in entries(body)
        if (f := family_of(x.name, families)) is not None
        and x.indices
        and v in free_indices(x.indices[0])
    ]
    if not found:
        return None
    exact = [(x, f) for x, f in found if x.indices[0] == v and f.count == v.extent]
    entry, family = (exact or found)[0]
    shift = expand(entry.indices[0] - v)
    if not shift.is_Integer:
        return None
    letter = next(c for c in (family.index, *"tslrkpq") if c and c not in avoid)
    step = Step(letter_symbol(letter), v, expand(family.first + shift))
    return step if v not in free_indices(staged(body, families, step)) else None


def _label(place: Expr, family: Family, step: Step | None) -> Expr | None:
    if step is not None:
        place = place.xreplace({step.place: step.letter - step.offset})
    if place.has(Index, Entry):
        return None
    return expand(place + family.first)


def stacked(e: Expr, families: Mapping[str, Family], letters: Mapping[str, Expr]) -> Expr:
    """``e`` with entries of members as entries of stacks; ``letters`` gives the place, counted in
    labels, of each letter.

    Members at a letter that is not told stay as they are.
    """
    if isinstance(e, Entry):
        parts = split_member(e.name)
        if parts is not None and _told(parts[1], families, letters):
            family = family_of(parts[0], families)
            assert family is not None, "a member belongs to a family"
            place = expand(read_label(parts[1], letters) - family.first)
            rest = (stacked(i, families, letters) for i in e.indices)
            return Entry(parts[0], place, *rest)
    if isinstance(e, MatrixFunction) and split_member(e.name) is not None:
        raise NotSupported(
            "a function of a whole array that is no member of a family",
            f"{e.function}({e.name})",
            hint="write the inverse out for each layer",
        )
    if not e.args:
        return e
    return e.func(*(stacked(a, families, letters) if a.args else a for a in e.args))


def _told(text: str, families: Mapping[str, Family], letters: Mapping[str, Expr]) -> bool:
    known = {f.index for f in families.values()} - letters.keys()
    return not any(atom in known for _, _, atom in _PART.findall(text))


def letters_in(name: str, letters: Mapping[str, object]) -> frozenset[str]:
    """The letters of steps that a member's label mentions."""
    parts = split_member(name)
    if parts is None:
        return frozenset()
    return frozenset(a for _, _, a in _PART.findall(parts[1]) if a in letters)
