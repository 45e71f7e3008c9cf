"""A function with its bracket: which table knows it, and what its scripts tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Expr

from symbackprop.checking.array_calls import ROWS, called, told_by, told_of
from symbackprop.checking.array_functions import ARRAY_FUNCTIONS, each, rooted
from symbackprop.checking.functions import Function, apply_to, rule_of
from symbackprop.checking.lookups import look_up
from symbackprop.checking.operations import misfit, power
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Readings,
    Unreadable,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import scripts_of
from symbackprop.checking.stars import STARS, starred
from symbackprop.checking.told import is_told, told
from symbackprop.ir.expressions import Apply
from symbackprop.notation.written import (
    Big,
    Call,
    Keyword,
    Name,
    Node,
    Script,
)


@read.register
def _call(node: Call, scope: Scope) -> Readings:
    scripts = scripts_of(node.function)
    assert isinstance(scripts.base, Name), "a call has a named function"
    name = scripts.base.text
    if name in STARS:
        return _star_told(node, (*scripts.items, *scripts.powers), scope)
    if name == "max" and scripts.subs and len(node.arguments) == 1 and not scripts.primes:
        return read(Big(node.start, node.end, "max", scripts.subs, (), node.arguments[0]), scope)
    has_axes = is_told(name, scripts.items) and not scripts.primes
    picked = look_up(name, scripts.items, node, scope) if name in ("take", "onehot") else None
    told_something = has_axes or picked is not None or name in ROWS
    if (scripts.items and not told_something) or scripts.turned:
        raise Unreadable("notation", f"scripts on {name} are not read", node)
    make = ARRAY_FUNCTIONS.get(name)
    if picked is not None:
        values = picked
    elif has_axes:
        argument = each(list(node.arguments), node, scope)
        values = told(name, scripts.items, argument, node, scope)
    elif make is not None and not scripts.primes:
        keywords = {k.key: k.value for k in node.arguments if isinstance(k, Keyword)}
        positional = [a for a in node.arguments if not isinstance(a, Keyword)]
        values = make(positional, keywords, node, scope)
    elif name in COMPOSED and len(node.arguments) == 1 and not scripts.primes:
        found = read(node.arguments[0], scope)
        values = tuple(replace(r, expr=COMPOSED[name](r.expr)) for r in found)
    elif rule_of(name) is not None or name == "sqrt":
        values = _elementwise(Function(name, scripts.primes), node, scope)
    elif name in ROWS and not scripts.primes:
        values = called(name, scripts.items, node.arguments, node, scope)
    else:
        raise Unreadable("notation", f"the function {name} is not read yet", node)
    for exponent in scripts.powers:
        values = power(values, read(exponent, scope), node)
    return values


def _star_told(node: Call, items: tuple[Node, ...], scope: Scope) -> Readings:
    r"""``x \star_{\mathrm{stride}\,2} w``, ``\delta *_{\text{full}} w``."""
    assert isinstance(node.function, Script), "a star without scripts is no call"
    assert isinstance(node.function.base, Name), "its base is the sign"
    left, right = (read(a, scope) for a in node.arguments)
    told = told_of(told_by(items, scope), scope)
    found = starred(left, right, node.function.base.text, told, scope)
    if not found:
        raise misfit(left, right, "the product ⋆", node)
    return found


# fmt: off
COMPOSED: dict[str, Callable[[Expr], Expr]] = {
    "sech":   lambda u: 1 / Apply("cosh", u),
    "tan":    lambda u: Apply("sin", u) / Apply("cos", u),
    "coth":   lambda u: Apply("cosh", u) / Apply("sinh", u),
    "logit":  lambda u: Apply("log", u / (1 - u)),
    "square": lambda u: u**2,
}
# fmt: on


def _elementwise(function: Function, node: Call, scope: Scope) -> Readings:
    if function.name == "sqrt":
        return rooted(read(node.arguments[0], scope))
    return apply_to(function, node.arguments, node, scope)
