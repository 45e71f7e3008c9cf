r"""Symbols that resemble no name of the model, told from the lines that hold with them.

Each unknown symbol is tried as every array that the document does not call by its own name; what
makes the most lines hold is what it stands for, provided that it is the only one, and that two
lines say so or one that defines it (``\\delta\\hat f = …`` for the pre-activation zf).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.checking.document import Document
from symbackprop.checking.guesses import invention_key
from symbackprop.checking.scope import AS, GRADIENT, Scope
from symbackprop.checking.spellings import scripts_of, spellings
from symbackprop.checking.steps import Step
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Accent, Name, Node, Script, walk

MOST_SYMBOLS = 6
MOST_TRIALS = 150
ANYWAY = "it differs whatever array of the model the unknown symbol is taken for"


def invent(document: Document, steps: Sequence[Step], choices: Mapping[str, str]) -> dict[str, str]:
    """What the unknown symbols of a judged document stand for, as far as its lines show it."""
    scope = document.scope
    found: dict[str, str] = {}
    left = MOST_TRIALS
    for key in list(dict.fromkeys(_unknown(steps, choices)))[:MOST_SYMBOLS]:
        concerned = [s for s in document.statements if s.tree is not None and _has(s.tree, key)]
        taken = {*found.values(), *choices.values()}
        tried = [n for n in _candidates(key, scope) if n not in taken]
        left -= len(tried) * len(concerned)
        if left < 0:
            break
        best = _best(key, tried, concerned, document, found, choices)
        if best:
            found[key] = best
    return found


def _unknown(steps: Sequence[Step], choices: Mapping[str, str]) -> Iterator[str]:
    """The symbols without meaning, and those whose meaning is a guess that nothing confirms."""
    for step in steps:
        if step.unread is not None and step.unread.kind == "name":
            yield from _keys(step.unread.node)
        if step.verdict == "undecided" and step.comparison is not None:
            for guess in sorted(step.comparison.guessed):
                symbol, sign, _ = guess.partition(AS)
                if sign and symbol not in choices:
                    yield symbol


def _keys(node: Node) -> Iterator[str]:
    """The texts of a symbol and of what it is the gradient of."""
    scripts = scripts_of(node)
    if not spellings(scripts.base):
        return
    base = scripts.base
    if isinstance(base, Name) and base.text[0] == "d" and len(base.text) > 1:
        inner = replace(scripts, base=replace(base, text=base.text[1:]))
        if base.text != "delta":
            yield invention_key(inner)[0]
        elif scripts.items:
            yield from _keys(scripts.items[0])
            if all(isinstance(i, Name | Accent | Script) for i in scripts.items):
                return
    yield invention_key(scripts)[0]


def _has(tree: Node, key: str) -> bool:
    symbols = (n for n in walk(tree) if isinstance(n, Name | Accent | Script))
    return any(key in _keys(n) for n in symbols)


def _candidates(key: str, scope: Scope) -> list[str]:
    """The arrays that a symbol may be: not called by name, of the same layer; for δ a gradient."""
    digits = "".join(c for c in key if c.isdigit())
    if any(n.rstrip("0123456789") == key for n in scope.arrays):
        return []  # Z beside a Z1 is no other array
    names = scope.gradients if key.startswith("delta") else scope.arrays
    taken = scope.named | {GRADIENT + n for n in scope.named if key.startswith("delta")}
    free = names if key.startswith("delta") else [n for n in names if n not in taken]
    alike = [n for n in free if n != scope.loss and not n.startswith("_")]
    return [n for n in alike if not digits or "".join(c for c in n if c.isdigit()) == digits]


def _best(
    key: str,
    names: Sequence[str],
    concerned: Sequence[Statement],
    document: Document,
    found: Mapping[str, str],
    choices: Mapping[str, str],
) -> str:
    scored = []
    for name in names:
        held = _held(key, name, concerned, document, found, choices)
        defines = any(s.left is not None and _has(s.left, key) for s in held)
        scored.append((len(held), defines, name))
    most = max((count for count, _, _ in scored), default=0)
    top = [(defines, name) for count, defines, name in scored if count == most]
    if not most or len(top) != 1 or (most < 2 and not top[0][0]):
        return ""
    return top[0][1]


def _held(
    key: str,
    name: str,
    concerned: Sequence[Statement],
    document: Document,
    found: Mapping[str, str],
    choices: Mapping[str, str],
) -> list[Step]:
    """The steps that hold, and say something, with a symbol taken for an array."""
    scope, prove = document.scope, document.relations.prove
    before = scope.patterns, scope.choices, scope.invented
    scope.invented = {**scope.invented, **found, key: name}
    scope.choices = {**choices, **found, key: name}
    scope.patterns = dict(scope.patterns)
    document.relations.prove = False
    try:
        steps = [s for statement in concerned for s in document.steps(statement)]
    finally:
        scope.patterns, scope.choices, scope.invented = before
        document.relations.prove = prove
    return [s for s in steps if _says(s, key + AS + name)]


def _says(step: Step, guess: str) -> bool:
    found = step.comparison
    if step.verdict != "proved" or found is None or found.left.expr == found.right.expr:
        return False
    return guess in found.left.guessed | found.right.guessed


def certain(step: Step, document: Document, choices: Mapping[str, str]) -> Step:
    """A step that differs whatever array its unconfirmed symbols are taken for is refuted, where
    a rule of notation says what each of them is.
    """
    found = step.comparison
    if step.verdict != "undecided" or found is None or found.shapes is not None:
        return step
    doubts = {g for g in found.guessed if choices.get(g.partition(AS)[0]) != g.partition(AS)[2]}
    if not doubts or not found.right.letters <= found.left.letters:
        return step
    if not all(_ruled(g, document.scope, choices) for g in doubts):
        return step
    if any(_may_hold(g.partition(AS)[0], step, document, choices) for g in sorted(doubts)):
        return step
    if document.values.work.is_over():  # not all of them were tried
        return step
    refuted = replace(found, verdict="refuted", why=ANYWAY)
    return replace(step, verdict="refuted", comparison=refuted)


def _ruled(guess: str, scope: Scope, choices: Mapping[str, str]) -> bool:
    """Whether notation says so; of ``x`` for X this holds where the document writes other arrays
    with small letters, since a small letter alone may be one sample.
    """
    if guess in scope.strong:
        return True
    symbol, _, meaning = guess.partition(AS)
    small = (s[:1].islower() and m[:1].isupper() and m in scope.arrays for s, m in choices.items())
    return symbol.swapcase() == meaning and meaning in scope.arrays and any(small)


def _may_hold(symbol: str, step: Step, document: Document, choices: Mapping[str, str]) -> bool:
    """Whether some array or gradient in place of a symbol makes a step true."""
    scope = document.scope
    key = symbol.partition("_")[0] if symbol[-1:].isalpha() else symbol
    names = [n for n in (*scope.arrays, *scope.gradients) if not n.startswith("_")]
    held = (_held(key, n, (step.statement,), document, {}, choices) for n in names)
    return any(s.at == step.at for steps in held for s in steps)
