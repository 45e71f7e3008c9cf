"""What a call is worth: of what the file defines, of NumPy, of the model, of Python itself."""

from __future__ import annotations

import ast
from dataclasses import replace

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.execution import MOST_CALLS, Frame, Machine, an_array, content, describe
from symbackprop.checking.execution_builtins import BUILTINS
from symbackprop.checking.execution_collections import items
from symbackprop.checking.execution_numpy import call_method, call_numpy
from symbackprop.checking.execution_values import (
    Array,
    Failing,
    Named,
    Record,
    Routine,
    Unfollowed,
    Value,
)
from symbackprop.checking.execution_worth import carried, rule, worth
from symbackprop.ir.expressions import Apply


@rule.register
def _lambda(node: ast.Lambda, m: Machine, frame: Frame) -> Value:
    return Routine(node, frame)


@rule.register
def _call(node: ast.Call, m: Machine, frame: Frame) -> Value:
    called = worth(node.func, m, frame)
    given = list(items(node.args, m, frame))
    named: dict[str, Value] = {}
    for word in node.keywords:
        if word.arg is None:
            raise Unfollowed("** in a call")
        named[word.arg] = m.held(carried(word.value, m, frame))
    return call(called, given, named, m)


def call(called: Value, given: list[Value], named: dict[str, Value], m: Machine) -> Value:
    """The result of calling something."""
    if isinstance(called, Routine):
        from symbackprop.checking.execution_statements import invoke

        if m.depth >= MOST_CALLS:
            raise Unfollowed("calls nested this deep")
        return invoke(called, given, named, m)
    if not isinstance(called, Named):
        of = Failing if isinstance(content(called), Array) else Unfollowed
        raise of(f"a call of {describe(called)}")
    if called.owner == "class":
        return _instance(called.name, given, named, m)
    try:
        return _known(called, given, named, m)
    except (IndexError, KeyError, ValueError):
        # The rules take the operands that NumPy documents; with others it is NumPy that fails.
        raise Unfollowed(f"{called.name} with operands that it does not take") from None


def _known(called: Named, given: list[Value], named: dict[str, Value], m: Machine) -> Value:
    """The result of a function that is known by name."""
    if called.owner == "numpy":
        return call_numpy(m, called.name, given, named)
    if called.owner in ("model", "library"):
        if named:
            raise Unfollowed(f"{called.name} with keywords")
        result = ops.elementwise(lambda *x: Apply(called.name, *x), *map(an_array, given))
        guessed = frozenset((called.name,)) if called.owner == "library" else frozenset()
        return replace(result, guessed=result.guessed | guessed)
    if called.owner is None:
        return BUILTINS[called.name](m, given, named)
    return call_method(m, called.owner, called.name, given, named)


def _instance(name: str, given: list[Value], named: dict[str, Value], m: Machine) -> Value:
    """An object of a class of the file."""
    from symbackprop.checking.execution_statements import invoke

    methods = m.classes[name]
    record = Record({}, dict(methods), name)
    if "__init__" in methods:
        invoke(Routine(methods["__init__"], m.outer, record), given, named, m)
    return record
