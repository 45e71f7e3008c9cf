r"""How a written symbol is spelled among the model's names, and what its scripts are.

``\\hat y`` may be ``yhat`` or ``y_hat``, ``\\lambda`` may be ``lam``; in ``W^{(1)T}_{ij}`` there
are a layer, a transpose and two indices. Nothing here knows shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbackprop.notation.written import (
    Accent,
    Bracket,
    Juxt,
    Mark,
    Name,
    Node,
    Number,
    Script,
    Term,
    Terms,
)

# fmt: off
MOST_ACCENTS = 3  # above each other on a letter that is the name of something
SYNONYMS = {                     # other spellings under which a Greek letter is declared
    "lambda": ("lam", "reg"), "epsilon": ("eps",), "ell": ("l",), "sigma2": ("var",),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Scripts:
    """The scripts of a symbol, sorted: ``items`` are layers and samples in brackets, then
    subscripts.
    """

    base: Node
    layers: tuple[Node, ...] = ()
    subs: tuple[Node, ...] = ()
    powers: tuple[Node, ...] = ()
    turned: bool = False
    primes: int = 0

    @property
    def items(self) -> tuple[Node, ...]:
        return self.layers + self.subs


def scripts_of(node: Node) -> Scripts:
    """The base of a symbol and its scripts; an accent over a scripted letter belongs to the
    letter.
    """
    if isinstance(node, Accent) and isinstance(node.body, Script):
        inner = scripts_of(node.body)
        base = Accent(node.start, node.end, node.accent, inner.base)
        return Scripts(base, inner.layers, inner.subs, inner.powers, inner.turned, inner.primes)
    if not isinstance(node, Script):
        return Scripts(node)
    inner = scripts_of(node.base)
    symbol = isinstance(inner.base, Name | Accent)
    layers, powers, turned, primes = (
        list(inner.layers),
        list(inner.powers),
        inner.turned,
        inner.primes,
    )
    for sup in node.sups:
        if isinstance(sup, Name) and sup.text == "T":
            turned = not turned
        elif isinstance(sup, Mark) and sup.text == "prime":
            primes += 1
        elif symbol and isinstance(sup, Bracket) and sup.kind in "([" and len(sup.items) == 1:
            layers.append(sup.items[0])
        elif _inverse_transpose(sup):
            powers.append(
                Terms(
                    sup.start,
                    sup.end,
                    (Term(sup.start, sup.end, "-", Number(sup.start, sup.end, "1")),),
                )
            )
            turned = not turned
        else:
            powers.append(sup)
    return Scripts(inner.base, tuple(layers), inner.subs + node.subs, tuple(powers), turned, primes)


def numbered(scripts: Scripts) -> Scripts:
    """The scripts of a symbol that is being named: a number above it belongs to the name."""
    if scripts.powers and all(isinstance(p, Number) for p in scripts.powers):
        return replace(scripts, layers=scripts.layers + scripts.powers, powers=())
    return scripts


def with_label(node: Node) -> Node:
    """``A[0]`` of plain text as the symbol that it is, A with the label 0; else the node itself."""
    if not isinstance(node, Juxt) or len(node.factors) != 2:
        return node
    name, label = node.factors
    if not isinstance(name, Name) or not isinstance(label, Bracket) or label.kind != "[":
        return node
    if len(label.items) != 1 or not isinstance(label.items[0], Number):
        return node
    return Script(node.start, node.end, name, label.items, ())


def spelled(scripts: Scripts) -> tuple[str, tuple[str, ...]]:
    """The likeliest spelling of a symbol and its items, as a key."""
    return (*spellings(scripts.base)[:1], "")[0], tuple(item_text(i) for i in scripts.items)


def _inverse_transpose(node: Node) -> bool:
    if not isinstance(node, Terms) or len(node.terms) != 1 or node.terms[0].sign != "-":
        return False
    body = node.terms[0].body
    return isinstance(body, Name) and body.text == "T"


def spellings(node: Node) -> tuple[str, ...]:
    """The names under which a letter or an accented letter may be declared, the likeliest first."""
    accents: list[str] = []
    while isinstance(node, Accent) and len(accents) <= MOST_ACCENTS:
        accents.append(node.accent)
        node = node.body
    if not isinstance(node, Name) or len(accents) > MOST_ACCENTS:
        return ()
    found: tuple[str, ...] = (node.text, *SYNONYMS.get(node.text, ()))
    for accent in reversed(accents):
        found = tuple(w for s in found for w in (s + accent, f"{s}_{accent}", f"{accent}_{s}"))
    return found


def item_text(node: Node) -> str:
    """A script as a piece of a name: ``t-1``, ``2``, ``hx``; empty for anything longer."""
    if isinstance(node, Name | Number):
        return node.text
    if isinstance(node, Mark):
        return node.text
    if isinstance(node, Accent):
        inner = item_text(node.body)
        return inner + node.accent if inner else ""
    if isinstance(node, Terms):
        parts = [item_text(t.body) for t in node.terms]
        if all(parts):
            text = "".join(t.sign + p for t, p in zip(node.terms, parts, strict=True))
            return text.removeprefix("+")
    return ""


def is_letter(node: Node) -> bool:
    """Whether a script can be an index: one letter."""
    return isinstance(node, Name) and len(node.text) == 1 and node.text.isalpha()
