"""Members of families in terms: the same formula at another step, and definitions put in at the
step at which they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from symbackprop.ir.families import at_step, letter_symbol, member, read_label, split_member
from symbackprop.ir.terms import Term


@dataclass(frozen=True, slots=True)
class Definition:
    """A term; with a letter, one for each step."""

    term: Term
    letter: str = ""


def relabelled(term: Term, letter: str, label: Expr) -> Term:
    """``term`` with another label in the place of the letter of its step."""
    if label == letter_symbol(letter):
        return term
    if term.op == "name":
        parts = split_member(term.attrs[0])
        if parts is None:
            return term
        here: Mapping[str, Symbol] = {letter: letter_symbol(letter)}
        old = read_label(parts[1], here)
        new = at_step(old, letter, label)
        return term if new == old else replace(term, attrs=(member(parts[0], new),))
    if term.op == "series" and term.attrs[0] == letter:
        return term
    args = tuple(relabelled(a, letter, label) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def put_in(term: Term, known: Mapping[str, Definition], letters: Mapping[str, Expr]) -> Term:
    """``term`` with names replaced by what defines them; ``letters`` are those of all steps."""
    if term.op == "name":
        name: str = term.attrs[0]
        parts = split_member(name)
        definition = known.get(parts[0] if parts else name)
        if definition is None:
            return term
        inner = put_in(definition.term, known, letters)
        if parts and definition.letter:
            return relabelled(inner, definition.letter, read_label(parts[1], letters))
        return inner
    args = tuple(put_in(a, known, letters) for a in term.args)
    return term if args == term.args else replace(term, args=args)
