"""Pieces for suggestions, in the writer's notation: names of the model, and slopes where the model
applies a function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sympy import Expr

from symbackprop.checking.functions import Function, applied, rule_of
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, Unreadable, array
from symbackprop.checking.scope import Scope
from symbackprop.ir.expressions import Apply, Entry, Index, free_indices, substitute
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


def defined_symbols(scope: Scope) -> Iterator[Node]:
    """The symbols that the document itself defines, as it writes them."""
    for (base, pattern), definition in scope.patterns.items():
        if definition.own and "*" not in pattern:
            subs = tuple(_symbol(p, scope.latex) for p in pattern)
            node = _symbol(base, scope.latex)
            yield Script(NOWHERE, NOWHERE, node, subs, ()) if subs else node


def slopes_of(
    applied_to: Apply, left: Reading, bound: Sequence[str], scope: Scope
) -> Iterator[Quoted]:
    """``f'(Z)`` where the model applies f to Z: by the letters of the step, and as a whole."""
    argument = applied_to.operands[0]
    function = Function(applied_to.name, 1)
    own = argument.indices if isinstance(argument, Entry) else ()
    indices = tuple(i for i in own if isinstance(i, Index)) or _sorted(argument)
    named = {i: j for i in indices for j in left.letters if j.extent == i.extent}
    if bound and len(indices) == 1:
        named = {indices[0]: Index(bound[-1], indices[0].extent)}
    if named and len(named) == len(indices):
        letters = "".join(named[i].name for i in indices)
        reading = applied(function, Reading(substitute(argument, named)), _nowhere())
        yield _quote(applied_to.name, argument, letters, reading, scope)
    if not left.letters and not bound and len(indices) <= 2:
        whole = applied(function, array(argument, indices), _nowhere())
        yield _quote(applied_to.name, argument, "", whole, scope)


def _sorted(argument: Expr) -> tuple[Index, ...]:
    return tuple(sorted(free_indices(argument), key=lambda i: i.name))


def _nowhere() -> Node:
    return Node(NOWHERE, NOWHERE)


def _quote(function: str, argument: Expr, letters: str, reading: Reading, scope: Scope) -> Quoted:
    inner = (
        write(written(argument.name, scope), "", scope.latex)
        if isinstance(argument, Entry) and not argument.name.startswith("_")
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
