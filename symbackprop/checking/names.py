"""What a symbol stands for: the rules of naming, by rank; the first that fits is taken.

Definitions (the symbol map's, the document's own) exclude what comes after; then declared names,
with layers, then with indices; then rules of notation (the loss, gradients written ``dX`` or with a
bar, the identity, extents); guesses last, and marked. Every script must be used by the rule that is
taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symbackprop.checking.functions import apply_to, function_of
from symbackprop.checking.guesses import guesses, symbol_text
from symbackprop.checking.indexing import indexed, said
from symbackprop.checking.known_names import declared, defined
from symbackprop.checking.layers import ERROR, error_of_layer, is_error, preactivation
from symbackprop.checking.matrices import inverted, is_square
from symbackprop.checking.operations import power, transpose
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Reading,
    Readings,
    Unreadable,
    cheapest,
)
from symbackprop.checking.scope import AS, Scope
from symbackprop.checking.special_names import (
    extent,
    gradient,
    gradient_by_guess,
    identity,
    kronecker,
    loss,
    ones,
    zeros,
)
from symbackprop.checking.spellings import Scripts, item_text, scripts_of, spellings
from symbackprop.checking.tensors import transposable
from symbackprop.checking.work import SYMBOL
from symbackprop.ir.expressions import Apply
from symbackprop.notation.written import Accent, Bracket, Juxt, Mark, Name, Node, Number, Script

Rule = Callable[[Scripts, Node, Scope], Readings | None]
RULES: tuple[Rule, ...] = (
    defined, declared, ones, zeros, loss, gradient, kronecker, extent, identity, error_of_layer,
    guesses, gradient_by_guess,
)  # fmt: skip


def resolve(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    """The readings of a symbol with its powers and transposes left out: by the first rule that
    is sure, with all the guesses before it.

    Raises
    ------
    Unreadable
        If no rule knows it, or if one does and its indices do not fit.
    """
    found: list[Reading] = []
    problem: Unreadable | None = None
    for rule in RULES:
        try:
            readings = rule(scripts, node, scope) or ()
        except Unreadable as refused:
            if refused.kind == "shape":
                raise
            problem = problem or refused
            continue
        if rule is declared:
            readings = tuple(_marked(readings, scripts, scope))
        found.extend(readings)
        if any(not r.guessed or (rule in (defined, declared) and not _odd(r)) for r in readings):
            break
    if found:
        return cheapest(found)
    raise problem or Unreadable("name", f"nothing called {said(node, scope)} is known", node)


def _marked(readings: Readings, scripts: Scripts, scope: Scope) -> Iterator[Reading]:
    """The readings that are allowed, a strange index being a guess about the symbol as well."""
    for r in readings:
        odd = _odd(r)
        if odd:
            here = symbol_text(scripts) + AS + "indexed"
            scope.supposed.update((here, *odd))
            r = replace(r, guessed=r.guessed | {here}, cost=r.cost + 1.0)
        if scope.allows(r.guessed):
            yield r


def _odd(r: Reading) -> list[str]:
    """The strange indices on which a reading rests."""
    return [g for g in r.guessed if AS not in g]


@read.register(Name)
@read.register(Accent)
@read.register(Script)
@read.register(Mark)
def _symbol(node: Name | Accent | Script | Mark, scope: Scope) -> Readings:
    scope.spend(SYMBOL, node)
    scripts = scripts_of(node)
    slope = _dotted_slope(node, scripts, scope)
    if slope is not None:
        return slope
    scripts = _layer_or_power(scripts, scope)
    if isinstance(scripts.base, Name | Accent | Mark | Number):
        if (
            isinstance(scripts.base, Name)
            and scripts.base.text == "e"
            and _is_exponential(scripts, scope)
        ):
            return _exponential(scripts, node, scope)
        found = resolve(scripts, node, scope)
    else:
        items = () if _is_norm(scripts) else scripts.items
        found = tuple(s for r in read(scripts.base, scope) for s in indexed(r, items, node, scope))
    return _with_powers(found, scripts, node, scope)


def _dotted_slope(node: Node, scripts: Scripts, scope: Scope) -> Readings | None:
    """``f'`` without argument: the slope where the model applies the function."""
    if not scripts.primes and not isinstance(scripts.base, Accent):
        return None
    function = function_of(node, scope)
    if function is None or not function.order:
        return None
    dots = Mark(node.start, node.end, "dots")
    return apply_to(function, (dots,), node, scope)


def _with_powers(found: Readings, scripts: Scripts, node: Node, scope: Scope) -> Readings:
    """Powers and transposes of what a symbol stands for; ``^{-1}`` of a matrix is its inverse."""
    for exponent in scripts.powers:
        if _turns(exponent, scope):
            guess = f"the superscript {item_text(exponent) or 'tr'}{AS}transpose"
            scope.strong.add(guess)
            found = tuple(replace(transpose(r, node), guessed=r.guessed | {guess}) for r in found)
            continue
        exponents = read(exponent, scope)
        if exponents[0].expr == -1 and any(map(is_square, found)):
            found = inverted(found, node, scope)
        else:
            found = scope.weigh(power(found, exponents, node), node)
    if scripts.turned != (scripts.primes % 2 == 1):
        transposable(found, node, scope)
        found = tuple(transpose(r, node) for r in found)
    return found


def _turns(exponent: Node, scope: Scope) -> bool:
    """Whether a superscript is a transpose in an older hand: ``t``, ``tr``, ``*``."""
    if isinstance(exponent, Juxt):
        return all(isinstance(f, Name) for f in exponent.factors) and (
            "".join(map(item_text, exponent.factors)) == "tr"
        )
    text = item_text(exponent)
    return text in ("t", "tr", "star") and text not in scope.stepping and not scope.shape(text)


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
    if is_variance(scripts, scope):
        assert isinstance(scripts.base, Name), "just tested"
        base = replace(scripts.base, text="sigma2")
        return replace(scripts, base=base, powers=())
    if len(scripts.powers) != 1 or not isinstance(scripts.powers[0], Number) or scripts.layers:
        return scripts
    number = scripts.powers[0]
    if _has_number(scripts.base) or "**" in scope.text[scripts.base.end : number.start]:
        return scripts
    if any(_known(s, scripts, scope) for s in spellings(scripts.base)):
        return scripts
    if is_error(scripts) and scope.shape(ERROR) is None:
        told = any(n == ERROR and p[:1] == (number.text,) for n, p in scope.patterns)
        if told or preactivation(number.text, scope) is not None:
            return replace(scripts, layers=(number,), powers=())
    for name in (*_cased(scripts, scope), *_differentiated(scripts.base)):
        if scope.shape(name + number.text) is not None or (name, (number.text,)) in scope.patterns:
            return replace(scripts, layers=(number,), powers=())
    return scripts


def _has_number(base: Node) -> bool:
    """Whether a name ends in a number already: ``A1**2`` beside an A12 is a power."""
    return isinstance(base, Name) and base.text[-1:].isdigit()


def _differentiated(base: Node) -> tuple[str, ...]:
    """What a base is the gradient of: W in ``dW`` and under a bar."""
    if isinstance(base, Name) and len(base.text) > 1 and base.text[0] == "d":
        return (base.text[1:],)
    return spellings(base.body) if isinstance(base, Accent) and base.accent == "bar" else ()


def _cased(scripts: Scripts, scope: Scope) -> Iterator[str]:
    """The spellings of a base, single letters also in the other case where they are no names."""
    for name in spellings(scripts.base):
        yield name
        if len(name) == 1 and scope.shape(name) is None:
            yield name.swapcase()


def is_variance(scripts: Scripts, scope: Scope) -> bool:
    """Whether a symbol is ``σ²`` where nothing is called σ."""
    base = scripts.base
    if not isinstance(base, Name) or base.text not in ("sigma", "s") or scripts.layers:
        return False
    named = scope.shape(base.text) is not None or (base.text, ()) in scope.patterns
    return not named and [item_text(p) for p in scripts.powers] == ["2"]


def _known(spelled: str, scripts: Scripts, scope: Scope) -> list[str]:
    """The declared names that a base makes with its first subscript."""
    below = [item_text(i) for i in scripts.subs[:1]]
    return [spelled + b for b in below if b and scope.shape(spelled + b) is not None]


def _is_exponential(scripts: Scripts, scope: Scope) -> bool:
    """Whether an e with a power is the number: it has no index, and is nothing that is squared."""
    if not scripts.powers or scripts.items or scope.shape("e") is not None:
        return False
    return ("e", ()) not in scope.patterns or not isinstance(scripts.powers[0], Number)


def _exponential(scripts: Scripts, node: Node, scope: Scope) -> Readings:
    (exponent,) = scripts.powers[:1]
    return tuple(replace(r, expr=Apply("exp", r.expr)) for r in read(exponent, scope))
