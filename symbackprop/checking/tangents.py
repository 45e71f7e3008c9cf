r"""Differentials: in a text that says ``dL = …`` every ``dX`` is a change of X in one direction.

The names under d that nothing else under d determines move freely: each gets a direction as a
further input, and the differential of everything else is its derivative along these directions.
In other texts ``dX`` is the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Mul

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import working_context
from symbackprop.calculus.directional import Tangents, along
from symbackprop.checking.readings import Reading, Unreadable
from symbackprop.checking.spellings import spellings
from symbackprop.ir.expressions import Delta, Entry, Index, entry_names, substitute
from symbackprop.ir.program import Program, Quantity
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Fraction, Juxt, Name, Node, Relation, children

TANGENT = "tangent_"


@dataclass(frozen=True, slots=True)
class Directions:
    """The names that move, and the derivative of anything along their directions."""

    moving: tuple[str, ...]
    tangents: Tangents

    def along(self, r: Reading, node: Node) -> Reading:
        """The differential of a reading."""
        if any(n.startswith("grad_") for n in entry_names(r.expr)):
            raise Unreadable("notation", "a differential of a gradient", node)
        return replace(r, expr=self.tangents.of(r.expr))


def by_entry(program: Program, expr: Expr, by: Entry) -> Expr:
    """The derivative, in whose making the places of ``by`` bear names that no sum binds."""
    shape = program.shape_of(by.name) if by.indices else ()
    marked = tuple(Index(f"_by{k}", e) for k, e in enumerate(shape))

    def seed(entry: Entry) -> Expr:
        return Mul(*(Delta(i, j) for i, j in zip(entry.indices, marked, strict=True)))

    found = Tangents(program, {by.name: seed}, working_context(program)).of(expr)
    return substitute(found, dict(zip(marked, by.indices, strict=True)))


def moving_names(found: Sequence[Statement], forward: Program) -> tuple[str, ...]:
    """The names under d in a text with a line ``dL = …``; none if it has no such line."""
    heads = [_operand(s.tree.members[0]) for s in found if isinstance(s.tree, Relation)]
    declared = {q.name for q in forward.inputs} | {e.name for e in forward.equations}
    losses = {forward.output, *({"L", "J", "E", "C", "ell"} - declared)}
    if not any(spellings(h)[:1] and spellings(h)[0] in losses for h in heads if h is not None):
        return ()
    under = {n for s in found if s.tree is not None for n in _differentials(s.tree)}
    known = [q.name for q in forward.inputs if q.name in under]
    reached = set(known)
    for equation in forward.equations:
        if entry_names(equation.rhs) & reached:
            reached.add(equation.name)
        elif equation.name in under:
            known.append(equation.name)
            reached.add(equation.name)
    return tuple(known)


def _operand(node: Node) -> Node | None:
    if isinstance(node, Juxt) and len(node.factors) == 2:
        first, second = node.factors
        return second if isinstance(first, Name) and first.text == "d" else None
    if isinstance(node, Name) and len(node.text) > 1 and node.text[0] == "d":
        return Name(node.start + 1, node.end, node.text[1:])
    return None


def _differentials(node: Node) -> set[str]:
    out: set[str] = set()
    if isinstance(node, Fraction):
        return out
    if isinstance(node, Juxt):
        for first, second in zip(node.factors, node.factors[1:], strict=False):
            if isinstance(first, Name) and first.text == "d":
                out.update(spellings(second)[:1])
    if isinstance(node, Name) and len(node.text) > 1 and node.text[0] == "d":
        out.add(node.text[1:])
    for child in children(node):
        out |= _differentials(child)
    return out


def with_directions(program: Program, moving: Sequence[str]) -> Program:
    """The program with a direction for each name that moves."""
    added = tuple(Quantity(TANGENT + n, program.shape_of(n), "data") for n in moving)
    return replace(program, inputs=(*program.inputs, *added))


def directions(forward: Program, moving: tuple[str, ...]) -> Directions:
    """The derivative along the directions of the names that move."""
    context: Context = working_context(forward)
    seeds = {n: along(TANGENT + n) for n in moving}
    return Directions(moving, Tangents(forward, seeds, context))
