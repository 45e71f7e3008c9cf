"""Edits of what is named: slopes left out or taken elsewhere, names, indices, masks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations

from sympy import preorder_traversal

from symbackprop.checking.edit_sites import (
    TRANSPOSE,
    Edit,
    N,
    Place,
    flat,
    held,
    is_turned,
)
from symbackprop.checking.functions import function_of, rule_of
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text, numbered, scripts_of, spellings
from symbackprop.checking.suggest import defined_symbols, slopes_of, written
from symbackprop.ir.expressions import Apply, entry_names
from symbackprop.notation.written import (
    Accent,
    Binary,
    Bracket,
    Call,
    Fraction,
    Juxt,
    Mark,
    Nabla,
    Name,
    Node,
    Number,
    Partial,
    Quoted,
    Relation,
    Script,
    Term,
    rewrite,
    same_text,
    walk,
)  # fmt: skip


def slopes(p: Place) -> Iterator[Edit]:
    """A slope left out: ``⊙ f'(Z)`` at any piece, for every place where the model applies a
    function.
    """
    last = isinstance(p.parent, Juxt) and p.node is p.parent.factors[-1]
    inner = isinstance(p.node, Number | Mark | Term) or (isinstance(p.node, Name) and not last)
    if (inner and p.depth) or isinstance(p.parent, Script | Call):
        return
    for slope in slope_pieces(p):
        joined = (
            Juxt(N, N, (*flat(p.node), slope))
            if p.left.letters or p.bound
            else Binary(N, N, "⊙", held(p.node), slope)
        )
        cost = 1.7 if _SLOPE.search(slope.text) else 1.0
        yield Edit("missing-slope", p.node, joined, cost, f"the slope {slope.text} is missing")


# The slopes of these are powers, and rather a power is wrong.
_SLOPE = re.compile(r"\b(?:log|sqrt|square)\}?'")


def slope_pieces(p: Place) -> Iterator[Quoted]:
    """``f'(Z)`` for each application in the model, as a whole and by the step's letters."""
    for equation in p.scope.forward.equations:
        for node in preorder_traversal(equation.rhs):
            if isinstance(node, Apply) and (
                rule_of(node.name) is not None or node.name in p.scope.program.functions
            ):
                yield from slopes_of(node, p.left, p.bound, p.scope)


def other_names(p: Place) -> Iterator[Edit]:
    """Another name of the model, also in a derivative."""
    node = p.node
    scripts = scripts_of(node)
    if (isinstance(node, Name | Accent) and not isinstance(p.parent, Script)) or (
        isinstance(node, Script) and isinstance(scripts.base, Name | Accent)
    ):
        for name in p.scope.arrays:
            if name not in spellings(scripts.base)[:1] and len(name) < 12:
                new = written(name, p.scope)
                for rest in {_rescripted(node, new): 0, _turned_as(node, new): 0}:
                    yield Edit(
                        "slope-point" if p.slope else "wrong-name",
                        node,
                        rest,
                        1.45,
                        "«{old}» should be {new}",
                    )
        for new in defined_symbols(p.scope):
            yield Edit("wrong-name", node, _turned_as(node, new), 1.4, "«{old}» should be {new}")
    if isinstance(node, Nabla) and node.by is not None:
        for name in p.scope.arrays:
            new = replace(node, start=N, end=N, by=written(name, p.scope))
            yield _other_gradient(node, new, node.by, name, p.scope)
    if isinstance(node, Fraction) and isinstance(node.bottom, Partial):
        for name in p.scope.arrays:
            bottom = Partial(N, N, _rescripted(node.bottom.body, written(name, p.scope)))
            new = Fraction(N, N, node.top, bottom)
            yield _other_gradient(node, new, node.bottom.body, name, p.scope)
    if isinstance(node, Name) and node.text[:1] == "d" and node.text[1:] in p.scope.arrays:
        inner = Name(N, N, node.text[1:])
        for name in p.scope.arrays:
            yield _other_gradient(node, Name(N, N, f"d{name}"), inner, name, p.scope)


def _other_gradient(old: Node, new: Node, by: Node, name: str, scope: Scope) -> Edit:
    """The gradient by another quantity; where the one is an activation of the other, a slope was
    left out.
    """
    known = {s for s in spellings(scripts_of(by).base) if scope.shape(s) is not None}
    joined = _joined(by)
    known |= {joined} if scope.shape(joined) is not None else set()
    for e in scope.forward.equations:
        if e.name in known and isinstance(e.rhs, Apply) and entry_names(e.rhs) == {name}:
            said = f"the slope of {e.rhs.name} is missing: «{{old}}» should be {{new}}"
            return Edit("missing-slope", old, new, 1.35, said)
    return Edit("wrong-name", old, new, 1.4, "«{old}» should be {new}")


def _joined(node: Node) -> str:
    """``A_2`` as the name A2."""
    scripts = numbered(scripts_of(node))
    spelled = spellings(scripts.base)
    numbers = [item_text(i) for i in scripts.items if isinstance(i, Number)]
    return "".join((*spelled[:1], *numbers[:1]))


def _turned_as(node: Node, new: Node) -> Node:
    """The new symbol, transposed if the old one was."""
    if not is_turned(node):
        return new
    if isinstance(new, Script):
        return replace(new, sups=(*new.sups, TRANSPOSE))
    return Script(N, N, new, (), (TRANSPOSE,))


def shifts(p: Place) -> Iterator[Edit]:
    """All steps (or layers) of one symbol one too early or too late."""
    if p.depth:
        return
    numbered = {
        n.base.text
        for n in walk(p.node)
        if isinstance(n, Script)
        and isinstance(n.base, Name)
        and len(n.subs) == 1
        and isinstance(n.subs[0], Number)
    }
    for name in sorted(numbered):
        for by in (-1, 1):
            new = rewrite(p.node, partial(_shifted, name=name, by=by))
            yield Edit("wrong-index", p.node, new, 1.3, f"the steps of {name} are wrong: {{new}}")


def _shifted(node: Node, name: str, by: int) -> Node | None:
    if not isinstance(node, Script) or len(node.subs) != 1:
        return None
    (sub,) = node.subs
    if not isinstance(node.base, Name) or node.base.text != name or not isinstance(sub, Number):
        return None
    return replace(node, start=N, end=N, subs=(Number(N, N, str(int(sub.text) + by)),))


def _rescripted(node: Node, base: Node) -> Node:
    return replace(node, start=N, end=N, base=base) if isinstance(node, Script) else base


def other_indices(p: Place) -> Iterator[Edit]:
    """Subscripts swapped, or another letter of the formula in place of one."""
    node = p.node
    if not p.depth:
        for a, b in combinations(sorted(i.name for i in p.left.letters), 2):
            new = rewrite(node, partial(_exchanged, letters={a: b, b: a}))
            yield Edit("wrong-index", node, new, 1.1, f"{a} and {b} are exchanged: {{new}}")
    if (
        isinstance(node, Fraction)
        and isinstance(node.bottom, Partial)
        and isinstance(node.bottom.body, Script)
    ):
        for body in _reindexed(node.bottom.body, p):
            yield Edit(
                "wrong-index",
                node,
                Fraction(N, N, node.top, Partial(N, N, body)),
                1.25,
                "the index is wrong: {new}",
            )
    if isinstance(node, Script):
        for body in _reindexed(node, p):
            yield Edit("wrong-index", node, body, 1.2, "the index of «{old}» is wrong: {new}")


def _exchanged(node: Node, letters: dict[str, str]) -> Node | None:
    if isinstance(node, Name) and node.text in letters:
        return Name(N, N, letters[node.text])
    return None


def _reindexed(node: Script, p: Place) -> Iterator[Node]:
    letters = sorted(
        {n for n in p.names if len(n) == 1 and n.islower()}
        | {i.name for i in p.left.letters} - set(p.scope.arrays)
    )
    if len(node.subs) == 2:
        yield replace(node, start=N, end=N, subs=node.subs[::-1])
    for k, sub in enumerate(node.subs):
        if isinstance(sub, Name):
            extents = p.scope.dims if not is_letter(sub) or sub.text in p.scope.dims else ()
            options = [*letters, *extents]
            for letter in options:
                if not same_text(sub, Name(N, N, letter)):
                    yield replace(
                        node,
                        start=N,
                        end=N,
                        subs=(*node.subs[:k], Name(N, N, letter), *node.subs[k + 1 :]),
                    )
    for k, sup in enumerate(node.sups):
        if isinstance(sup, Bracket) and len(sup.items) == 1 and is_letter(sup.items[0]):
            for letter in letters:
                if not same_text(sup.items[0], Name(N, N, letter)):
                    new = Bracket(N, N, sup.kind, (Name(N, N, letter),))
                    yield replace(
                        node, start=N, end=N, sups=(*node.sups[:k], new, *node.sups[k + 1 :])
                    )


def slope_kinds(p: Place) -> Iterator[Edit]:
    """A function where its slope is meant, and the other way round; another function's slope."""
    node = p.node
    if (
        isinstance(p.parent, Juxt)
        and function_of(node, p.scope) is not None
        and isinstance(node, Name | Script)
    ):
        primes = [s for s in (node.sups if isinstance(node, Script) else ()) if isinstance(s, Mark)]
        base = node.base if isinstance(node, Script) else node
        if primes:
            yield Edit(
                "wrong-slope", node, base, 1.3, "the function is meant, not its slope: {new}"
            )
        else:
            yield Edit(
                "missing-slope",
                node,
                Script(N, N, base, (), (Mark(N, N, "prime"),)),
                1.1,
                "the slope is meant, not the function: {new}",
            )


def masks(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Bracket) and len(node.items) == 1 and isinstance(node.items[0], Relation):
        yield from (
            replace(e, old=node, new=Bracket(N, N, node.kind, (e.new,)))
            for e in _compared(node.items[0], p)
        )
    if isinstance(node, Script) and len(node.subs) == 1 and isinstance(node.subs[0], Relation):
        yield from (
            replace(e, old=node, new=replace(node, start=N, end=N, subs=(e.new,)))
            for e in _compared(node.subs[0], p)
        )


def _compared(relation: Relation, p: Place) -> Iterator[Edit]:
    for op in ("<", ">"):
        if relation.relations[0] != op:
            yield Edit(
                "mask",
                relation,
                replace(relation, start=N, end=N, relations=(op,)),
                1.2,
                "the mask compares the wrong way: {new}",
            )
    for name in p.scope.arrays:
        yield Edit(
            "mask",
            relation,
            replace(
                relation, start=N, end=N, members=(written(name, p.scope), *relation.members[1:])
            ),
            1.3,
            "the mask is of another quantity: {new}",
        )
