r"""Quantities written with what they depend on: ``L(y, ŷ)``, ``J(\theta)``, ``h_\theta(x^{(i)})``.

A bracket of lone symbols after a quantity that the model computes says on what it depends, and is
no product: indices of the arguments are those of the quantity. A subscript that is a parameter of
the model says the same. Gives the readings of the quantity, or None where the bracket may multiply.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.indexing import indexed
from symbackprop.checking.read import read
from symbackprop.checking.readings import Readings, Unreadable
from symbackprop.checking.scope import Scope, reached
from symbackprop.checking.spellings import is_letter, item_text, scripts_of, spellings
from symbackprop.ir.expressions import Entry
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Accent, Bracket, Name, Node, Script

GREEK_PARAMETERS = frozenset("theta Theta w W beta phi".split())


def dependent(first: Node, second: Node, scope: Scope) -> Readings | None:
    """The quantity that ``first`` names, at the indices of its arguments."""
    before = set(scope.supposed)
    found = _dependent(first, second, scope)
    if found is None:
        scope.supposed = before
    return found


def _dependent(first: Node, second: Node, scope: Scope) -> Readings | None:
    if not isinstance(second, Bracket) or second.kind != "(" or not second.items:
        return None
    if not all(_is_symbol(i) for i in second.items) or not _is_symbol(first):
        return None
    try:
        found = read(without_parameters(first, scope), scope)
    except Unreadable:
        return None
    if not all(_computed(r.expr, scope) for r in found[:1]):
        return None
    if len(second.items) == 1 and not _depends(found, second.items[0], scope):
        return None
    return _at(found, second.items, first, scope)


def _is_symbol(node: Node) -> bool:
    scripts = scripts_of(node)
    marked = scripts.powers or scripts.turned or scripts.primes
    return isinstance(node, Name | Accent | Script) and not marked and bool(spellings(scripts.base))


def without_parameters(node: Node, scope: Scope) -> Node:
    r"""``h_\theta`` without its θ."""
    if not isinstance(node, Script):
        return node
    subs = tuple(s for s in node.subs if not _is_parameter(s, scope))
    if len(subs) == len(node.subs):
        return node
    return replace(node, subs=subs) if subs or node.sups else node.base


def _is_parameter(item: Node, scope: Scope) -> bool:
    if not isinstance(item, Name):
        return False
    known = any(q.name == item.text for q in scope.forward.inputs)
    return item.text in GREEK_PARAMETERS or (known and not is_letter(item))


def _computed(expr: object, scope: Scope) -> bool:
    return isinstance(expr, Entry) and any(e.name == expr.name for e in scope.forward.equations)


def _depends(found: Readings, item: Node, scope: Scope) -> bool:
    """Whether the quantity depends on the argument, or the argument is nothing of the model."""
    try:
        arguments = read(item, scope)
    except Unreadable as problem:
        return problem.kind == "name"
    expr, argument = found[0].expr, arguments[0].expr
    if not isinstance(expr, Entry):
        return False
    if not isinstance(argument, Entry):
        return bool(arguments[0].guessed)
    return argument.name in reached(scope.forward, expr.name) or bool(arguments[0].guessed)


def _at(found: Readings, items: tuple[Node, ...], node: Node, scope: Scope) -> Readings:
    """The readings at the letters that index the arguments, where their axes are the leading
    ones.
    """
    letters = list(
        {item_text(i): i for a in items for i in scripts_of(a).items if is_letter(i)}.values()
    )
    out = []
    for r in found:
        if not letters or r.rank < len(letters) or not _runs_over(r, letters, items, scope):
            out.append(r)
        else:
            out.extend(indexed(r, tuple(letters), node, scope))
    return tuple(out)


def _runs_over(r: object, letters: list[Node], items: tuple[Node, ...], scope: Scope) -> bool:
    """Whether the leading axes have the extents over which the letters run."""
    known = {}
    for item in items:
        try:
            known.update({i.name: i.extent for i in read(item, scope)[0].letters})
        except Unreadable:
            continue
    shape = getattr(r, "shape", ())
    return all(
        item_text(letter) not in known or same_extent(known[item_text(letter)], extent)
        for letter, extent in zip(letters, shape, strict=False)
    )
