"""What a symbol stands for: the rules of naming, by rank; the first that fits is taken.

Definitions (the symbol map's, the document's own) exclude what comes after; then declared names,
with layers, then with indices; then rules of notation (the loss, gradients written ``dX`` or with a
bar, the identity, extents); guesses last, and marked. Every script must be used by the rule that is
taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symbackprop.checking.conventions import conventional
from symbackprop.checking.indexing import indexed, said
from symbackprop.checking.known_names import declared, defined, guessed
from symbackprop.checking.matrices import inverted, is_square
from symbackprop.checking.operations import power, transpose
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Readings,
    Unreadable,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.special_names import (
    extent,
    gradient,
    gradient_by_guess,
    identity,
    kronecker,
    loss,
    ones,
)
from symbackprop.checking.spellings import Scripts, item_text, scripts_of, spellings
from symbackprop.ir.expressions import Apply
from symbackprop.notation.written import Accent, Bracket, Mark, Name, Node, Number, Script

Rule = Callable[[Scripts, Node, Scope], Readings | None]
RULES: tuple[Rule, ...] = (
    defined, declared, ones, loss, gradient, kronecker, extent, identity, guessed,
    conventional, gradient_by_guess,
)  # fmt: skip


def resolve(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    """The readings of a symbol with its indices, powers and transposes left out.

    Raises
    ------
    Unreadable
        If no rule knows it, or if one does and its indices do not fit.
    """
    for rule in RULES:
        found = rule(scripts, node, scope)
        if found:
            return found
    raise Unreadable("name", f"nothing called {said(node, scope)} is known", node)


@read.register(Name)
@read.register(Accent)
@read.register(Script)
@read.register(Mark)
def _symbol(node: Name | Accent | Script | Mark, scope: Scope) -> Readings:
    scripts = scripts_of(node)
    scripts = _layer_or_power(scripts, scope)
    if isinstance(scripts.base, Name | Accent | Mark | Number):
        if (
            isinstance(scripts.base, Name)
            and scripts.base.text == "e"
            and scripts.powers
            and scope.shape("e") is None
        ):
            return _exponential(scripts, node, scope)
        found = resolve(scripts, node, scope)
    else:
        items = () if _is_norm(scripts) else scripts.items
        found = tuple(s for r in read(scripts.base, scope) for s in indexed(r, items, node, scope))
    return _with_powers(found, scripts, node, scope)


def _with_powers(found: Readings, scripts: Scripts, node: Node, scope: Scope) -> Readings:
    """Powers and transposes of what a symbol stands for; ``^{-1}`` of a matrix is its inverse."""
    for exponent in scripts.powers:
        exponents = read(exponent, scope)
        if exponents[0].expr == -1 and any(map(is_square, found)):
            found = inverted(found, node, scope)
        else:
            found = power(found, exponents, node)
    if scripts.turned != (scripts.primes % 2 == 1):
        found = tuple(transpose(r, node) for r in found)
    return found


def _is_norm(scripts: Scripts) -> bool:
    """Whether the subscripts are those of the Euclidean or Frobenius norm, which is what bars alone
    mean.
    """
    base = scripts.base
    return (
        isinstance(base, Bracket)
        and base.kind == "‖"
        and [item_text(i) for i in scripts.items] in (["2"], ["F"])
    )


def _layer_or_power(scripts: Scripts, scope: Scope) -> Scripts:
    """A number after ^ is a layer if the name with that number is declared, else a power: never
    both.
    """
    if len(scripts.powers) != 1 or not isinstance(scripts.powers[0], Number) or scripts.layers:
        return scripts
    number = scripts.powers[0]
    if any(_known(s, scripts, scope) for s in spellings(scripts.base)):
        return scripts
    for name in spellings(scripts.base):
        if scope.shape(name + number.text) is not None or (name, (number.text,)) in scope.patterns:
            return replace(scripts, layers=(number,), powers=())
    return scripts


def _known(spelled: str, scripts: Scripts, scope: Scope) -> list[str]:
    """The declared names that a base makes with its first subscript."""
    below = [item_text(i) for i in scripts.subs[:1]]
    return [spelled + b for b in below if b and scope.shape(spelled + b) is not None]


def _exponential(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    (exponent,) = scripts.powers[:1]
    return tuple(replace(r, expr=Apply("exp", r.expr)) for r in read(exponent, scope))
