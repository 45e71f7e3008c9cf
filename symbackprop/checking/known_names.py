"""Names that somebody gave: definitions of the symbol map and of the document, declared names, and,
last, guesses.

A definition of exactly a symbol excludes everything after it. A guess is marked, and never refutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.checking.indexing import indexed, whole
from symbackprop.checking.phrases import undecorated
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    array,
    dearer,
)
from symbackprop.checking.scope import Definition, Scope
from symbackprop.checking.spellings import Scripts, is_letter, item_text, spellings
from symbackprop.ir.expressions import Index, substitute
from symbackprop.notation.written import Accent, Name, Node


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
            if base != name or ("*" not in pattern and pattern != ()):
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
        return arrays
    if not pattern:
        return tuple(s for r in arrays for s in indexed(r, items, node, scope))
    return None


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
            steps = frozenset(f"the step {item_text(i)}" for i in items if i not in timeless)
            return tuple(replace(r, guessed=r.guessed | steps) for r in kept)
    for spelled in spellings(scripts.base):
        for name, rest in _composites(spelled, items):
            if scope.shape(name) is not None:
                scope.tell(node if scripts.items else scripts.base, name)
                return indexed(whole(name, scope), rest, node, scope)
    return None


def _timeless(items: tuple[Node, ...], scope: Scope) -> tuple[Node, ...] | None:
    """The scripts without letters that count steps; None if there are none."""
    rest = tuple(i for i in items if not (is_letter(i) and item_text(i) in scope.stepping))
    return rest if len(rest) < len(items) else None


def _is_time(item: Node, r: Reading, scope: Scope) -> bool:
    """Whether an axis of the array runs over such steps."""
    return any(str(a.extent)[:1].lower() == item_text(item) for a in r.axes)


def _composites(spelled: str, items: tuple[Node, ...]) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """A base with the first k scripts taken into the name, the longest name first."""
    for k in range(len(items), -1, -1):
        joined = [item_text(i) for i in items[:k]]
        if all(joined):
            yield spelled + "".join(joined), items[k:]
            if k:
                yield spelled + "_" + "".join(joined), items[k:]


def guessed(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """The name in the other case, or without its scripts: a guess, which never refutes."""
    for spelled in spellings(scripts.base)[:1]:
        other = spelled.swapcase()
        if len(spelled) == 1 and scope.shape(other) is not None:
            found = indexed(whole(other, scope), scripts.items, node, scope)
        elif len(spelled) == 1 and other in scope.dims and not scripts.items:
            found = (Reading(scope.dims[other]),)
        else:
            continue
        scope.tell(node, f"{other} (a guess)")
        return tuple(
            replace(dearer(r, 1.0, Note(f"{spelled} read as {other}")), guessed=r.guessed | {other})
            for r in found
        )
    return _analogous(scripts, node, scope)


def _analogous(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    r"""By analogy within the map: where ``\hat o`` is zo, ``\hat f`` may be zf."""
    base = scripts.base
    if not isinstance(base, Accent) or not isinstance(base.body, Name):
        return None
    for (key, pattern), definition in scope.patterns.items():
        letter = key.removesuffix(base.accent)
        if len(letter) != 1 or key == letter or pattern or definition.own:
            continue
        before, found, after = definition.shown.rpartition(letter)
        other = before + base.body.text + after
        if found and scope.shape(other) is not None:
            scope.tell(node, f"{other} (a guess)")
            readings = indexed(whole(other, scope), scripts.items, node, scope)
            return tuple(replace(r, guessed=r.guessed | {other}) for r in readings)
    return None
