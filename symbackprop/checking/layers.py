r"""Errors of layers: ``\delta^{(2)}`` is the gradient by the pre-activation of layer 2.
``\nabla_a`` is by the last of a1, a2, a3.

The pre-activation is what the model's activation of that number is applied to, or, in a layer
without one, the quantity of that number that nothing but the loss uses. Taken as a guess.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.indexing import indexed, whole
from symbackprop.checking.readings import Readings
from symbackprop.checking.scope import AS, GRADIENT, Scope
from symbackprop.checking.spellings import Scripts, item_text, spellings
from symbackprop.ir.expressions import Apply, Entry, entry_names
from symbackprop.notation.written import Name, Node, Number

ERROR = "delta"


def error_of_layer(scripts: Scripts, node: Node, scope: Scope) -> Readings | None:
    """The gradient that a numbered δ means where the document does not define it."""
    items = scripts.items
    if not is_error(scripts) or not items or not isinstance(items[0], Number):
        return None
    name = preactivation(items[0].text, scope)
    if name is None or scope.shape(GRADIENT + name) is None:
        return None
    scope.tell(node, f"{GRADIENT}{name} (a guess)")
    mark = frozenset((f"{ERROR}_{items[0].text} as {GRADIENT}{name}",))
    found = indexed(whole(GRADIENT + name, scope), items[1:], node, scope)
    return tuple(replace(r, guessed=r.guessed | mark) for r in found)


def last_layer(node: Node, scope: Scope) -> Readings:
    r"""What a bare letter under ``\nabla`` means that only bears numbers in the model: the output
    of the last layer, as in ``\nabla_a C``. A guess; parameters are spoken of layer by layer.
    """
    if not isinstance(node, Name) or scope.shape(node.text) is not None:
        return ()
    if (node.text, ()) in scope.patterns:
        return ()
    members = [
        (int(number), name)
        for name in (e.name for e in scope.forward.equations if not e.hidden)
        if (number := name.removeprefix(node.text).removeprefix("_")).isdigit()
        and name.startswith(node.text)
    ]
    if len(members) < 2:
        return ()
    name = max(members)[1]
    guess = f"{node.text}{AS}{name}"
    if not scope.allows((guess,)):
        return ()
    scope.supposed.add(guess)
    scope.writings.setdefault(node.text, scope.written(node))
    scope.tell(node, f"{name} (a guess)")
    r = whole(name, scope)
    return (replace(r, guessed=r.guessed | {guess}),)


def is_error(scripts: Scripts) -> bool:
    """Whether a symbol is a δ."""
    return isinstance(scripts.base, Name) and scripts.base.text == ERROR


def preactivation(number: str, scope: Scope) -> str | None:
    """The name of the pre-activation of a layer."""
    found = [
        entry.name
        for e in scope.forward.equations
        for entry in e.rhs.atoms(Entry)
        if isinstance(e.rhs, Apply) and numbered(entry.name, number)
    ]
    if found:
        return found[0]
    used = {n for e in scope.forward.equations if e.name != scope.loss for n in entry_names(e.rhs)}
    ends = [
        e.name
        for e in scope.forward.equations
        if numbered(e.name, number) and e.name not in used and not e.hidden
    ]
    return ends[0] if len(ends) == 1 else None


def numbered(name: str, number: str) -> bool:
    """Whether a name ends in a number."""
    return name.endswith(number) and not name[: -len(number)][-1:].isdigit()


def is_layered(scripts: Scripts, scope: Scope) -> bool:
    """Whether what stands above a symbol without brackets is its layer: above a δ, or where the
    name with that number is declared.
    """
    if is_error(scripts):
        return bool(scripts.powers or scripts.layers)
    joined = [b + item_text(i) for b in spellings(scripts.base) for i in scripts.powers]
    return any(scope.shape(name) is not None for name in joined)
