r"""Directions that a document states: ``v_{\mathrm{w}}`` in the space of w, and what moves with it.

A table row or a remark ``v_{\mathrm{w}} \in \mathbb{R}^{D}`` makes a direction a further input.
What depends on w then changes along it by ``v_z``, and its gradient by ``v_{\nabla_z L}``; these
are equations of the model from then on. In ``\frac{\partial^2 L}{\partial w^2}[v_{\mathrm{w}}]`` a
derivative is applied to a direction. Gives the statements with one name for each such symbol,
places kept, and the program that knows them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from symbackprop.algebra.knowledge import working_context
from symbackprop.calculus.tangents import PREFIX, tangent_entry
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, array, combined
from symbackprop.checking.running import kept
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.spellings import item_text, scripts_of, spellings
from symbackprop.ir.expressions import Index, IndexSum, substitute
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.terms import name as name_term
from symbackprop.ir.terms import same_shape
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Bracket, Fraction, Nabla, Name, Node, Script

_STATED = re.compile(
    r"v_\{(?:\\mathrm\{)?\\?(?P<name>[A-Za-z]\w*)\}{1,2}\$?\s*(?:&|\\in)\s*\$?\\mathbb\{R\}"
    r"(?:\^\{[^{}]*\})?\$?\s*(?P<end>&\s*data|)"
)

# Alone on the left, no factor stands before it.
_DEFINED = r"(?<![A-Za-z{}()*+-] )v_\{(?:\\mathrm\{)?\\?%s\}{1,2}\s*&?\s*:?="


def stated_directions(text: str, program: Program) -> tuple[str, ...]:
    """The quantities for which a document states a direction; none if a name is taken. What is
    said to be equal to something is no direction, and where there is a v, ``v_w`` may be its entry.
    """
    known = {q.name for q in program.inputs} | {e.name for e in program.equations}
    if any(PREFIX + n in known for n in known):
        return ()
    own = PREFIX[0] in known
    found = {
        m["name"]: None
        for m in _STATED.finditer(text)
        if m["name"] in known and (m["end"] or (r"\in" in m[0] and not own))
    }
    return tuple(n for n in found if not re.search(_DEFINED % re.escape(n), text))


def with_stated_directions(program: Program, names: Sequence[str]) -> Program:
    """The program with these directions, and the changes of everything along them."""
    shapes = {q.name: q.shape for q in program.inputs}
    added = tuple(Quantity(PREFIX + n, program.shape_of(n), "data") for n in names)
    tangents: dict[str, str] = {n: PREFIX + n for n in names if n in shapes}
    context = working_context(program)
    moved: list[Equation] = []
    for equation in program.equations:
        entry = tangent_entry(equation, tangents, program.rules, context)
        if entry is None or PREFIX + equation.name in {q.name for q in added}:
            continue
        tangents[equation.name] = PREFIX + equation.name
        term = name_term(PREFIX + equation.name, equation.shape)
        moved.append(Equation(PREFIX + equation.name, equation.indices, entry, term, True))
    whole = replace(program, inputs=(*program.inputs, *added))
    return whole.extended(tuple(moved))


def named_directions(
    found: Sequence[Statement], program: Program
) -> tuple[tuple[Statement, ...], frozenset[str]]:
    """The statements with one name for each direction and change, and these names."""
    names = {q.name for q in program.inputs} | {e.name for e in program.equations}
    known = frozenset(n for n in names if n.startswith(PREFIX))

    def change(node: Node) -> Node | None:
        if not isinstance(node, Script) or not _is_v(node.base) or len(node.subs) != 1:
            return None
        taken = next((PREFIX + n for n in _spelled(node.subs[0]) if PREFIX + n in known), None)
        if taken is None:
            return None
        symbol = Name(node.start, node.end, taken)
        return replace(node, base=symbol, subs=()) if node.sups else symbol

    trees = (s if s.tree is None else replace(s, tree=kept(s.tree, change)) for s in found)
    return tuple(trees), known


def _is_v(node: Node) -> bool:
    return isinstance(node, Name) and node.text == PREFIX[0]


def _spelled(node: Node) -> tuple[str, ...]:
    r"""The names that a subscript may be: ``\hat y``, ``H_{1}``, the gradient ``\nabla_z L``."""
    if isinstance(node, Nabla):
        return tuple(GRADIENT + n for n in _spelled(node.by)) if node.by is not None else ()
    scripts = scripts_of(node)
    items = "".join(map(item_text, scripts.items))
    bases = spellings(scripts.base)
    return tuple(n for b in bases for n in ((b + items, f"{b}_{items}") if items else (b,)))


def applied(first: Node, second: Node, scope: Scope) -> Readings | None:
    """A derivative at a direction in square brackets: after it, or before it."""
    after = isinstance(first, Fraction)
    bracket, derivative = (second, first) if after else (first, second)
    if not isinstance(derivative, Fraction) or not isinstance(bracket, Bracket):
        return None
    if bracket.kind != "[" or len(bracket.items) != 1 or not _is_direction(bracket.items[0], scope):
        return None
    pairs = [(d, v) for d in read(derivative, scope) for v in read(bracket.items[0], scope)]
    return tuple(r for d, v in pairs for r in _contracted(d, v, after)) or None


def _is_direction(node: Node, scope: Scope) -> bool:
    return isinstance(node, Name) and node.text in scope.stated


def _contracted(d: Reading, v: Reading, last: bool) -> Readings:
    """The sum over the last axes of a derivative, or the first, which are those of a direction."""
    at = d.rank - v.rank if last else 0
    axes = d.axes[at : at + v.rank] if at >= 0 else ()
    if at < 0 or not same_shape([a.extent for a in axes], [a.extent for a in v.axes]):
        return ()
    bound = tuple(Index(f"_v{k}", a.extent) for k, a in enumerate(axes))
    body = substitute(d.expr, dict(zip(axes, bound, strict=True))) * substitute(
        v.expr, dict(zip(v.axes, bound, strict=True))
    )
    rest = tuple(a for a in d.axes if a not in axes)
    return (array(IndexSum(body, *bound) if bound else body, rest, **combined(d, v)),)
