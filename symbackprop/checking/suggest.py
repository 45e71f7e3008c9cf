"""Pieces for suggestions, in the writer's notation: names of the model, and slopes where the model
applies a function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sympy import Expr

from symbackprop.checking.functions import Function, applied, rule_of
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, Unreadable, array
from symbackprop.checking.scope import Scope
from symbackprop.ir.expressions import Apply, Entry, substitute
from symbackprop.ir.program import Equation
from symbackprop.notation.tokens import GREEK
from symbackprop.notation.written import NOWHERE, Accent, Name, Node, Number, Quoted, Script
from symbackprop.notation.written_printer import write

_ACCENTED = re.compile(rf"([A-Za-z]|{'|'.join(GREEK)})(hat|bar|tilde|dot|vec)")
_NUMBERED = re.compile(r"([A-Za-z]+?)(\d+)")
FUNCTION_NAMES = {"sigmoid": r"\sigma", "tanh": r"\tanh"}


def written(name: str, scope: Scope) -> Node:
    """A name of the model as the document writes it: by the symbol map, with accents and subscripts
    in LaTeX.
    """
    for (base, pattern), definition in scope.patterns.items():
        if definition.shown == name and not definition.own and "*" not in pattern:
            subs = tuple(Name(NOWHERE, NOWHERE, p) for p in pattern)
            node = _symbol(base, scope.latex)
            return Script(NOWHERE, NOWHERE, node, subs, ()) if subs else node
    return _symbol(name, scope.latex)


def _symbol(name: str, latex: bool) -> Node:
    if latex and (found := _ACCENTED.fullmatch(name)):
        return Accent(NOWHERE, NOWHERE, found[2], Name(NOWHERE, NOWHERE, found[1]))
    if latex and (found := _NUMBERED.fullmatch(name)):
        return Script(
            NOWHERE,
            NOWHERE,
            Name(NOWHERE, NOWHERE, found[1]),
            (Number(NOWHERE, NOWHERE, found[2]),),
            (),
        )
    return Name(NOWHERE, NOWHERE, name)


def slopes_of(equation: Equation, left: Reading, scope: Scope) -> Iterator[Quoted]:
    """``f'(Z)`` for an equation ``H = f(Z)``: by the letters of the step, and as a whole."""
    rhs = equation.rhs
    assert isinstance(rhs, Apply), "activations are applied at the top"
    argument = rhs.operands[0]
    function = Function(rhs.name, 1)
    named = {i: j for i in equation.indices for j in left.letters if j.extent == i.extent}
    if named and len(named) == len(equation.indices):
        letters = "".join(named[i].name for i in equation.indices)
        reading = applied(function, Reading(substitute(argument, named)), _nowhere())
        yield _quote(rhs.name, argument, letters, reading, scope)
    if not left.letters:
        yield _quote(
            rhs.name,
            argument,
            "",
            applied(function, array(argument, equation.indices), _nowhere()),
            scope,
        )


def _nowhere() -> Node:
    return Node(NOWHERE, NOWHERE)


def _quote(function: str, argument: Expr, letters: str, reading: Reading, scope: Scope) -> Quoted:
    inner = (
        write(written(argument.name, scope), "", scope.latex)
        if isinstance(argument, Entry)
        else r"\dots"
        if scope.latex
        else "..."
    )
    below = "" if not letters else f"_{letters}" if len(letters) == 1 else f"_{{{letters}}}"
    name = FUNCTION_NAMES.get(function, function) if scope.latex else function
    if scope.latex and name == function and rule_of(function) is not None:
        name = rf"\operatorname{{{function}}}"
    text = f"{name}'({inner}{below})"
    scope.quoted[text] = reading
    return Quoted(NOWHERE, NOWHERE, text)


@read.register
def _quoted(node: Quoted, scope: Scope) -> Readings:
    if node.text not in scope.quoted:
        raise Unreadable("name", f"nothing called {node.text} is known", node)
    return (scope.quoted[node.text],)
