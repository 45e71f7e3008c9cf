"""Elementwise functions as written, and their slopes.

``f'(…)`` with dots for an argument is the slope at the place where the model itself applies the
function: the pre-activation of that neuron.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
)
from symbackprop.checking.scope import AS, Scope
from symbackprop.checking.spellings import Scripts, item_text, scripts_of, spelled
from symbackprop.ir.expressions import Apply, substitute
from symbackprop.ir.functions import PRIMITIVES, FunctionRule
from symbackprop.library.functions import RULES
from symbackprop.notation.written import Accent, Mark, Name, Node

DOTTED = Note("the dots stand for the pre-activation of that neuron")
USUAL = ("f", "g", "phi", "sigma", "h", "a", "act")
DOTS = {"dot": 1, "ddot": 2}
SLOPES = ("", "_prime", "_pprime")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the library or of the model, and how often it is differentiated; ``guessed`` if
    taken from a guess.
    """

    name: str
    order: int = 0
    guessed: str = ""


def function_of(node: Node, scope: Scope) -> Function | None:
    """The elementwise function that a symbol names; None if it names none."""
    scripts = scripts_of(node)
    base, order = scripts.base, scripts.primes
    if isinstance(base, Accent) and base.accent in DOTS:
        order += DOTS[base.accent]
        base = base.body
    if not isinstance(base, Name) or scripts.powers or scripts.turned or order > 2:
        return None
    mapped = scope.functions.get(spelled(scripts))
    if mapped is not None:
        return Function(mapped, order)
    if scripts.items:
        return _of_layer(scripts, order, scope)
    if scope.shape(base.text) is not None or (base.text, ()) in scope.patterns:
        return None
    for suffix, more in (("_pprime", 2), ("_prime", 1)):
        if base.text.endswith(suffix) and base.text.removesuffix(suffix) in scope.program.functions:
            return Function(base.text.removesuffix(suffix), order + more)
    if base.text in scope.program.functions or rule_of(base.text) is not None:
        return Function(base.text, order)
    if base.text == "sigma" and not scope.program.functions:
        return Function("sigmoid", order)
    return _usual(base.text, order, scope)


def _usual(text: str, order: int, scope: Scope) -> Function | None:
    """The one activation of the model under a letter in use for activations: a guess."""
    used = activations(scope)
    if text in USUAL and len(used) == 1 and (order or text not in ("h", "a")):
        return _guess(text, used[0], order, scope)
    return None


def _of_layer(scripts: Scripts, order: int, scope: Scope) -> Function | None:
    """``g^{[1]}``: the activation of the equation that bears this number; a guess."""
    base, number = scripts.base, "".join(item_text(i) for i in scripts.items)
    assert isinstance(base, Name), "asked for names"
    if not number.isdigit():
        return None
    if rule_of(base.text) is not None:
        return _guess(f"{base.text}_{number}", base.text, order, scope)
    if base.text not in USUAL or scope.shape(base.text + number) is not None:
        return None
    found = activation_at(number, scope)
    return _guess(f"{base.text}_{number}", found, order, scope) if found else None


def activation_at(number: str, scope: Scope) -> str:
    """The elementwise function at the top of the one equation that bears a number; empty if there
    is none, or more.
    """
    at = [
        e.rhs.name
        for e in scope.forward.equations
        if isinstance(e.rhs, Apply) and e.name.endswith(number)
    ]
    return at[0] if len(at) == 1 else ""


def _guess(symbol: str, name: str, order: int, scope: Scope) -> Function:
    guess = f"{symbol}{AS}{name}"
    scope.supposed.add(guess)
    scope.strong.add(guess)
    scope.writings.setdefault(symbol, symbol)
    return Function(name, order, guessed=guess)


def activations(scope: Scope) -> tuple[str, ...]:
    """The elementwise functions that the model's equations apply at the top."""
    names = {e.rhs.name: None for e in scope.forward.equations if isinstance(e.rhs, Apply)}
    return tuple(names)


def rule_of(name: str) -> FunctionRule | None:
    primitive = PRIMITIVES.get(name)
    return primitive.rule if primitive else RULES.get(name)


def apply_to(function: Function, items: Sequence[Node], node: Node, scope: Scope) -> Readings:
    """The function at its argument, entry by entry."""
    if len(items) != 1:
        raise Unreadable("notation", f"{function.name} of {len(items)} arguments", node)
    if isinstance(items[0], Mark) and items[0].text == "dots":
        arguments = _preactivations(function, node, scope)
    else:
        arguments = read(items[0], scope)
    return scope.weigh_doubling(tuple(applied(function, r, node) for r in arguments), node)


def applied(function: Function, r: Reading, node: Node) -> Reading:
    rule = rule_of(function.name)
    guessed = r.guessed | ({function.guessed} if function.guessed else frozenset())
    if rule is None:
        return replace(
            r, expr=Apply(function.name + SLOPES[function.order], r.expr), guessed=guessed
        )
    if function.order > 1 or (
        len(rule.parameters) > 1 and len(rule.parameters) != 1 + len(rule.defaults)
    ):
        raise Unreadable("notation", f"this use of {function.name} is not read", node)
    operands = (r.expr, *rule.defaults)
    expr = rule.at(rule.slopes[0], operands) if function.order else Apply(function.name, *operands)
    return replace(r, expr=expr, guessed=guessed)


def _preactivations(function: Function, node: Node, scope: Scope) -> Readings:
    """Where the model applies the function: by entries with the statement's letters, and as a whole
    array.
    """
    places = [
        e
        for e in scope.forward.equations
        if isinstance(e.rhs, Apply) and e.rhs.name == function.name
    ]
    if len(places) != 1:
        raise Unreadable(
            "notation", f"dots where {function.name} is applied at {len(places)} places", node
        )
    (equation,) = places
    (argument,) = equation.rhs.operands[:1]
    out = []
    whole = array(argument, equation.indices, cost=0.5, notes=frozenset((DOTTED,)))
    named = {i: j for i in equation.indices for j in scope.letters.values() if j.extent == i.extent}
    if named and len(named) == len(equation.indices):
        out.append(Reading(substitute(argument, named), cost=0.4, notes=frozenset((DOTTED,))))
    return (*out, whole)
