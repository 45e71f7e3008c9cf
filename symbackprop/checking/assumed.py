"""Facts that are given with a derivation: ``A symmetric``, as in the model's ``assume`` lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.errors import Malformed
from symbackprop.ir.program import DECLARABLE_FACTS, Fact, Program
from symbackprop.ir.terms import same_extent

SQUARE = frozenset(("symmetric", "spd", "invertible", "orthogonal", "causal"))


def with_facts(program: Program, assumed: Sequence[str]) -> Program:
    """The program with further facts about its inputs.

    Raises
    ------
    Malformed
        For a text that is no fact, an unknown input, or a fact that its shape cannot have.
    """
    facts = tuple(_fact(text, program) for text in assumed)
    return replace(program, facts=program.facts + facts) if facts else program


def _fact(text: str, program: Program) -> Fact:
    shapes = {q.name: q.shape for q in program.inputs}
    words = text.split()
    if words[:1] == ["assume"]:
        words = words[1:]
    if len(words) != 2 or words[1] not in DECLARABLE_FACTS:
        raise Malformed(
            "a fact such as «A symmetric»", repr(text), hint=f"known: {', '.join(DECLARABLE_FACTS)}"
        )
    name, kind = words
    if name not in shapes:
        raise Malformed("a fact about an input of the model", repr(name))
    shape = shapes[name]
    if kind in SQUARE and not (len(shape) == 2 and same_extent(*shape)):
        raise Malformed(f"a square matrix, since it is said to be {kind}", f"{name}, which is none")
    return Fact(name, kind)
