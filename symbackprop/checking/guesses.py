r"""What a symbol may stand for that no rule knows: every candidate is a reading, marked as a guess.

Candidates come from names alike (``x`` for X, ``u_k`` for the rows of Uk, ``W_{hx}`` for Wx), from
scripts that only decorate (``v_c`` for v), from rows picked by one-hot labels (``u_o``) and from
conventions. A guess is a text ``symbol as meaning``: one that a line of the document confirms is
kept to in the rest of it, and a guess never refutes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Pow, Rational

from symbackprop.checking.conventions import before, conventions
from symbackprop.checking.indexing import indexed, usual, whole
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    dearer,
    position,
)
from symbackprop.checking.scope import AS, Scope
from symbackprop.checking.spellings import Scripts, is_letter, item_text, spellings
from symbackprop.ir.expressions import Entry, Index, IndexSum, free_indices, substitute
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import Accent, Name, Node

MOST_SCRIPTS = 4


@dataclass(frozen=True, slots=True)
class Guess:
    """A candidate: the symbol of which it speaks, the array meant, the scripts that are its
    indices, the price, and whether a rule of notation speaks for it.
    """

    symbol: str
    name: str
    items: tuple[Node, ...]
    cost: float
    strong: bool = False


Source = Callable[[Scripts, Scope], Iterator[Guess]]


def guesses(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """The candidates for a symbol, the likeliest first; where one is confirmed, that alone."""
    if not spellings(scripts.base) or len(scripts.items) > MOST_SCRIPTS:
        return None
    unnamed = not any(scope.shape(s) is not None for s in spellings(scripts.base))
    sources = SOURCES if unnamed else SCRIPTED
    out = [r for g in _candidates(sources, scripts, scope) for r in _read(g, node, scope)]
    out.extend(_others(scripts, scope))
    kept = [r for r in out if scope.allows(r.guessed)]
    if not kept:
        return None
    found = cheapest(kept)
    scope.suppose(node, found)
    return found


def symbol_text(scripts: Scripts) -> str:
    """A symbol with its scripts as the text under which guesses about it are kept."""
    items = ",".join(map(item_text, scripts.items))
    base = spellings(scripts.base)[0]
    return f"{base}_{items}" if items else base


def _candidates(sources: tuple[Source, ...], scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    seen: set[tuple[str, int]] = set()
    for source in sources:
        for g in source(scripts, scope):
            key = g.name, len(g.items)
            if scope.shape(g.name) is not None and key not in seen:
                seen.add(key)
                yield g


def _read(g: Guess, node: Node, scope: Scope) -> Readings:
    try:
        found = indexed(whole(g.name, scope), g.items, node, scope)
    except Unreadable:
        return ()
    mark = frozenset((g.symbol + AS + g.name,))
    if g.strong:
        scope.strong |= mark
    return tuple(replace(dearer(r, g.cost), guessed=r.guessed | mark) for r in found)


def _others(scripts: Scripts, scope: Scope) -> Iterator[Reading]:
    """Candidates that are no arrays: extents in the other case, rows picked by labels."""
    base = spellings(scripts.base)[0]
    other = base.swapcase()
    if len(base) == 1 and other in scope.dims and not scripts.items:
        note = Note(f"{base} read as {other}")
        mark = frozenset((base + AS + other,))
        yield Reading(scope.dims[other], cost=1.0, notes=frozenset((note,)), guessed=mark)
    if base == "e" and not scripts.items and not scripts.powers:
        for name, e in scope.dims.items():
            mark = frozenset((f"e{AS}the ones of {name}",))
            yield Reading(Integer(1), (position(0, e),), cost=0.7, guessed=mark)
    yield from _picked(scripts, scope)
    yield from _deviation(scripts, scope)


def _picked(scripts: Scripts, scope: Scope) -> Iterator[Reading]:
    """``u_o``, ``p_y``: the row, or entry, that one-hot labels pick."""
    if len(scripts.items) != 1 or item_text(scripts.items[0]) in scope.bound:
        return
    letter, base = item_text(scripts.items[0]), spellings(scripts.base)[0]
    if not letter or letter.isdigit() or letter in scope.letters:
        return
    for labels in (f.name for f in scope.program.facts if f.kind == "onehot"):
        at = scope.shape(labels) or ()
        for name in scope.arrays:
            shape = scope.shape(name) or ()
            if name.lower() == base.lower() and len(at) == 1 and shape:
                if name != labels and same_extent(shape[0], at[0]):
                    yield _pick(name, labels, at[0], symbol_text(scripts), scope)


def _pick(name: str, labels: str, extent: Expr, symbol: str, scope: Scope) -> Reading:
    r, k = whole(name, scope), Index("_y", extent)
    body = Entry(labels, k) * substitute(r.expr, {r.axes[0]: k})
    mark = frozenset((f"{symbol}{AS}the row of {name} that {labels} picks",))
    return array(IndexSum(body, k), r.axes[1:], cost=0.8, guessed=mark)


def _alike(scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    """Names that are the symbol with its scripts, but for capitals and underscores; a script in
    the name may be an index as well (``u_k`` for the rows of Uk).
    """
    items = scripts.items
    for spelled in spellings(scripts.base):
        for k in range(len(items), -1 if scope.shape(spelled) is None else 0, -1):
            joined = spelled + "".join(item_text(i) for i in items[:k])
            for name in scope.arrays:
                if _plain(name) == _plain(joined):
                    symbol = symbol_text(replace(scripts, layers=(), subs=items[:k]))
                    yield Guess(symbol, name, items[k:], 0.5 if k else 1.0, bool(items))
                    if k and is_letter(items[k - 1]):
                        yield Guess(symbol, name, items[k - 1 :], 0.4, True)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _decorated(scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    """Scripts that are no indices here and only decorate: ``v_c``, ``x_t``, ``W_{ih}``."""
    items = scripts.items
    if not items or not all(_may_decorate(i, scope) for i in items):
        return
    symbol = symbol_text(scripts)
    letters = {item_text(i) for i in items}
    for spelled in spellings(scripts.base):
        for name in scope.arrays:
            rest = _plain(name).removeprefix(_plain(spelled))
            if _plain(name) == _plain(spelled):
                yield Guess(symbol, name, (), 0.7 if name == spelled else 1.2)
            elif _plain(name) != rest and len(items) > 1 and set(rest) <= letters:
                yield Guess(symbol, name, (), 0.8)


def _may_decorate(item: Node, scope: Scope) -> bool:
    text = item_text(item)
    if not (text.isalpha() or text in ("+", "star")):
        return False
    return text not in scope.bound and text not in scope.letters and not usual(text, scope)


def _by_convention(scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    for name, taken, strong in conventions(scripts, scope):
        symbol = symbol_text(replace(scripts, layers=(), subs=scripts.items[:taken]))
        yield Guess(symbol, name, scripts.items[taken:], 0.6, strong)


def _earlier(scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    """``h_{t-1}`` beside h: the state with which the step begins."""
    for name, taken in before(scripts, scope):
        yield Guess(symbol_text(scripts), name, scripts.items[taken:], 0.3, True)


def _analogous(scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    r"""By analogy within the map: where ``\hat o`` is zo, ``\hat f`` may be zf."""
    base = scripts.base
    if not isinstance(base, Accent) or not isinstance(base.body, Name):
        return
    for (key, pattern), definition in scope.patterns.items():
        letter = key.removesuffix(base.accent)
        if len(letter) != 1 or key == letter or pattern or definition.own:
            continue
        before, found, after = definition.shown.rpartition(letter)
        if found:
            name = before + base.body.text + after
            yield Guess(spellings(base)[0], name, scripts.items, 0.3)


def _invented(scripts: Scripts, scope: Scope) -> Iterator[Guess]:
    """What the document's own lines show a symbol to be that resembles no name."""
    key, letters = invention_key(scripts)
    if key in scope.invented:
        if all(item_text(i) not in scope.stepping for i in letters):
            yield Guess(key, scope.invented[key], letters, 0.5)
        if letters:
            yield Guess(key, scope.invented[key], (), 0.6)


def invention_key(scripts: Scripts) -> tuple[str, tuple[Node, ...]]:
    """The text of a symbol without the letters that index or decorate it, and these letters."""
    letters = tuple(i for i in scripts.items if is_letter(i))
    rest = tuple(i for i in scripts.items if not is_letter(i))
    return symbol_text(replace(scripts, layers=(), subs=rest)), letters


def _deviation(scripts: Scripts, scope: Scope) -> Iterator[Reading]:
    """``σ``: the root by which the model divides."""
    if spellings(scripts.base)[0] not in ("sigma", "s", "std") or scripts.items:
        return
    for e in scope.forward.equations:
        for root in e.rhs.atoms(Pow):
            inner = root.base
            if abs(root.exp) != Rational(1, 2) or not free_indices(inner) <= set(e.indices):
                continue
            axes = _broadcast(inner, e.indices)
            mark = frozenset((f"sigma{AS}the root of {e.name}",))
            if axes:
                yield array(Pow(inner, Rational(1, 2)), axes, cost=0.6, guessed=mark)


def _broadcast(inner: Expr, indices: tuple[Index, ...]) -> tuple[Index, ...]:
    """The axes of a part of an equation that broadcasts to the whole."""
    used = free_indices(inner)
    while indices and indices[0] not in used:
        indices = indices[1:]
    return tuple(i if i in used else Index("_one", Integer(1)) for i in indices)


SCRIPTED: tuple[Source, ...] = (_alike, _earlier, _decorated)
SOURCES: tuple[Source, ...] = (_invented, _analogous, _alike, _by_convention, _decorated)
