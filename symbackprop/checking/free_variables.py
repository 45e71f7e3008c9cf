"""Identities in a variable of which the document says nothing: ``σ'(z) = σ(z)(1 − σ(z))``.

A letter that no rule of naming knows, in a relation that cannot be read otherwise, is taken to be
any number. If the relation then holds, it holds whatever the letter means (entry by entry, if it is
an array). If not, nothing is said: the letter may have been meant in a narrower sense.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.compare import compare
from symbackprop.checking.document import Document
from symbackprop.checking.read import read
from symbackprop.checking.readings import Note, Readings, Unreadable
from symbackprop.checking.scope import Scope
from symbackprop.checking.steps import Step
from symbackprop.checking.truth import Values
from symbackprop.ir.program import Program, Quantity
from symbackprop.notation.written import Bracket, Name, Node

MOST_LETTERS = 3


def with_free_variables(steps: tuple[Step, ...], document: Document) -> tuple[Step, ...]:
    """The steps, with those that hold for any value of an unknown letter proved."""
    scopes: Scopes = {(): document.scope}
    return tuple(_settled(s, scopes) for s in steps)


Scopes = dict[tuple[str, ...], Scope]  # by the letters that are inputs of the model in them


def _settled(step: Step, scopes: Scopes) -> Step:
    if step.verdict != "unreadable" or step.unread is None or step.unread.kind != "name":
        return step
    if step.left is None or step.right is None:
        return step
    found = _both_sides(step.left, step.right, scopes)
    if found is None:
        return step
    lefts, rights, letters, scope = found
    comparison = compare(lefts, rights, scope.program, scope.values)
    if comparison.verdict != "proved" or scopes[()].values.work.is_over():
        return step
    said = Note(f"for any number {', '.join(letters)}")
    left = replace(comparison.left, notes=comparison.left.notes | {said})
    proved = replace(comparison, left=left)
    return replace(step, kind="identity", verdict="proved", comparison=proved, unread=None)


def _both_sides(
    left: Node, right: Node, scopes: Scopes
) -> tuple[Readings, Readings, tuple[str, ...], Scope] | None:
    """Both sides read with the letters that are unknown taken to be numbers."""
    letters: tuple[str, ...] = ()
    while len(letters) <= MOST_LETTERS:
        if letters not in scopes:
            scopes[letters] = _extended(scopes[()], letters)
        scope = scopes[letters]
        scope.letters = {}
        try:
            return read(left, scope), read(right, scope), letters, scope
        except Unreadable as problem:
            letter = _letter(problem)
            if not letter or letter in letters:
                return None
            letters = (*letters, letter)
    return None


def _letter(problem: Unreadable) -> str:
    """The one letter that is not known; empty if something else is missing."""
    node = problem.node
    while isinstance(node, Bracket) and len(node.items) == 1:
        node = node.items[0]
    known = problem.kind == "name" and isinstance(node, Name) and len(node.text) == 1
    return node.text if known and isinstance(node, Name) else ""


def _extended(scope: Scope, letters: tuple[str, ...]) -> Scope:
    """A scope in which the letters are inputs of the model, scalars of any value."""

    def wider(program: Program) -> Program:
        free = tuple(Quantity(c, (), "data") for c in letters)
        return replace(program, inputs=(*program.inputs, *free))

    program = wider(scope.program)
    return Scope(
        program,
        wider(scope.forward),
        Values(program, work=scope.values.work),
        scope.layout,
        scope.text,
        scope.latex,
        patterns=dict(scope.patterns),
        functions=scope.functions,
    )
