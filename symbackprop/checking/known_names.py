"""Names that somebody gave: definitions of the symbol map and of the document, and declared names.

A definition of exactly a symbol excludes everything after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.checking.indexing import indexed, is_new_axis, usual, whole
from symbackprop.checking.phrases import undecorated
from symbackprop.checking.places import run_together
from symbackprop.checking.readings import Note, Reading, Readings, array, dearer
from symbackprop.checking.scope import AS, Definition, Scope
from symbackprop.checking.spellings import Scripts, is_letter, item_text, spellings
from symbackprop.ir.expressions import Index, substitute
from symbackprop.notation.written import Binary, Bracket, Mark, Node, Number, Terms

COLUMN = Note("an index on a matrix picks a column, whose letter it is")


def defined(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """A definition of exactly this symbol, at its letters, as a whole, or as an array that is
    indexed here.
    """
    texts = tuple(item_text(i) for i in scripts.items)
    told = node if scripts.items else scripts.base
    for name in spellings(scripts.base)[:1]:
        exact = scope.patterns.get((name, texts))
        if exact is not None:
            return _noted(exact, told, scope)
        for (base, pattern), definition in scope.patterns.items():
            if base != name or ("*" not in pattern and len(pattern) >= len(texts) > 0):
                continue
            found = _instance(definition, pattern, scripts.items, texts, node, scope)
            if found is not None:
                return _noted(replace(definition, readings=found), told, scope)
    return None


def _instance(
    definition: Definition,
    pattern: tuple[str, ...],
    items: tuple[Node, ...],
    texts: tuple[str, ...],
    node: Node,
    scope: Scope,
) -> Readings | None:
    arrays = tuple(_as_array(r, definition.letters) for r in definition.readings)
    if len(pattern) == len(items) and all(
        p in ("*", t) for p, t in zip(pattern, texts, strict=True)
    ):
        places = tuple(i for i, p in zip(items, pattern, strict=True) if p == "*")
        return tuple(s for r in arrays for s in indexed(r, places, node, scope))
    if not items:
        return arrays if not pattern or "*" in pattern else None
    if "*" not in pattern and 0 < len(pattern) < len(items) and pattern == texts[: len(pattern)]:
        rest = items[len(pattern) :]
        if any(len(rest) > r.rank for r in arrays):
            return None
        return tuple(s for r in arrays for s in indexed(r, rest, node, scope))
    fits = all(len(items) <= r.rank for r in arrays) and all(map(_may_index, items))
    if not pattern and fits:
        return tuple(s for r in arrays for s in indexed(r, items, node, scope))
    return None


def _may_index(item: Node) -> bool:
    """Whether a script can be a place on an axis, and not a piece of another name."""
    return isinstance(item, Number | Mark | Terms | Binary | Bracket) or is_letter(item)


def _as_array(r: Reading, letters: tuple[str, ...]) -> Reading:
    """The reading with the named indices ``letters`` as its leading positional axes."""
    named = {i.name: i for i in r.letters}
    leading = tuple(named[n] for n in letters if n in named)
    spread = tuple(Index(f"_s{k}", i.extent) for k, i in enumerate(leading))
    expr = substitute(r.expr, dict(zip(leading, spread, strict=True)))
    return array(
        expr,
        (*spread, *r.axes),
        row=r.row and not leading,
        cost=r.cost,
        notes=r.notes,
        guessed=r.guessed,
    )


def _noted(definition: Definition, node: Node, scope: Scope) -> Readings:
    scope.tell(node, definition.shown)
    return definition.readings


def declared(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """A declared name, with as many scripts as belong to the name, and indices."""
    items = undecorated(scripts.items, scope)
    timeless = _timeless(items, scope)
    if timeless is not None:
        found = declared(replace(scripts, layers=(), subs=timeless), node, scope)
        kept = tuple(r for r in found or () if not any(_is_time(i, r, scope) for i in items))
        if kept:
            steps = frozenset(f"{item_text(i)}{AS}the step" for i in items if i not in timeless)
            return tuple(replace(r, guessed=r.guessed | steps) for r in kept)
    for spelled in spellings(scripts.base):
        for name, rest in _composites(spelled, items):
            shape = scope.shape(name)
            if shape is not None and len(rest) > len(shape):
                rest = run_together(rest, len(shape), scope)
            new = sum(is_new_axis(i, scope) for i in rest)
            if shape is not None and len(rest) - new <= len(shape):
                scope.named.add(name)
                scope.tell(node if scripts.items else scripts.base, name)
                found = indexed(whole(name, scope), rest, node, scope)
                found += _columns(name, rest, node, scope)
                doubts = _part_of_name(items[: len(items) - len(rest)], rest, scope)
                return tuple(replace(r, guessed=r.guessed | doubts) for r in found)
    return None


def _columns(name: str, rest: tuple[Node, ...], node: Node, scope: Scope) -> Readings:
    """``q_j`` as a column of q, where the letter is that of the second axis: a dearer reading, but
    the first where it is not that of the first axis.
    """
    r = whole(name, scope)
    if len(rest) != 1 or r.rank != 2 or not is_letter(rest[0]):
        return ()
    letter = item_text(rest[0])
    if not str(r.axes[1].extent).lower().startswith(letter):
        return ()
    if str(r.axes[0].extent).lower().startswith(letter):
        return ()
    turned = array(r.expr, (r.axes[1], r.axes[0]))
    return tuple(dearer(x, 0.3, COLUMN) for x in indexed(turned, rest, node, scope))


def _part_of_name(taken: tuple[Node, ...], rest: tuple[Node, ...], scope: Scope) -> frozenset[str]:
    """Letters that may belong to the name as those before them do: ``W_{hh}`` beside a Wh."""
    if not any(map(is_letter, taken)):
        return frozenset()
    letters = [item_text(i) for i in rest if is_letter(i)]
    return frozenset(
        f"the index {t}" for t in letters if t not in scope.bound and not usual(t, scope)
    )


def _timeless(items: tuple[Node, ...], scope: Scope) -> tuple[Node, ...] | None:
    """The scripts without letters that count steps; None if there are none."""
    rest = tuple(i for i in items if not (is_letter(i) and item_text(i) in scope.stepping))
    return rest if len(rest) < len(items) else None


def _is_time(item: Node, r: Reading, scope: Scope) -> bool:
    """Whether an axis of the array runs over such steps, or a sum does."""
    return item_text(item) in scope.bound or any(
        str(a.extent)[:1].lower() == item_text(item) for a in r.axes
    )


def _composites(spelled: str, items: tuple[Node, ...]) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """A base with the first k scripts taken into the name, the longest name first."""
    for k in range(len(items), -1, -1):
        joined = [item_text(i) for i in items[:k]]
        if all(joined):
            yield spelled + "".join(joined), items[k:]
            if k:
                yield spelled + "_" + "".join(joined), items[k:]
