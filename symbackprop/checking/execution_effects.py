"""What code does behind the back of someone who follows it: decorators, names of other functions
rebound, generators, code made of text, arrays changed through a loop variable.

Each function takes syntax trees alone and gives a reason or names; whatever is named here is not
followed, so that nothing is said of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from symbackprop.notation.numpy_reader import Source

# Decorators that leave what a function returns as it is.
PLAIN_DECORATORS = frozenset("staticmethod classmethod jit njit no_grad override".split())
MADE_OF_TEXT = frozenset("exec eval globals locals vars setattr delattr __import__".split())


def unaccountable(node: ast.FunctionDef | ast.Lambda) -> str:
    """Why a function is not followed; empty if it is."""
    if isinstance(node, ast.FunctionDef):
        for decorator in node.decorator_list:
            name = _last_name(decorator)
            if name not in PLAIN_DECORATORS:
                return f"the decorator {name}"
    own = tuple(_own(node))
    if any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Await) for n in own):
        return "a generator"
    for n in ast.walk(node):
        called = n.func if isinstance(n, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in MADE_OF_TEXT:
            return called.id
        if isinstance(n, ast.Nonlocal):
            return "nonlocal names"
    return ""


def _last_name(node: ast.expr) -> str:
    """``njit`` of ``@numba.njit(cache=True)``."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions inside it aside."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own(child)


def unsure_names(source: Source) -> frozenset[str]:
    """The names outside functions whose value is not the one they are first given: stored again,
    stored on a condition, or stored by a function that calls them ``global``. What runs only where
    the file is a program of its own does not count.
    """
    stored: list[str] = [*source.functions, *source.classes]
    unsure: set[str] = set()
    for statement in source.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            stored.extend(_stored_as(ast.Name, statement))
            unsure.update(_stored_as(ast.Attribute, statement))
        elif not (isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)):
            unsure.update(_stored(statement))
    methods = (f for c in source.classes.values() for f in c.values())
    for function in (*source.functions.values(), *methods):
        unsure.update(_made_global(function))
    return frozenset(unsure | {n for n in stored if stored.count(n) > 1})


def _stored(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value, or into whose value it writes."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield _base(node)


def _stored_as(kind: type[ast.Name | ast.Attribute], statement: ast.stmt) -> Iterator[str]:
    """The names that are given a value, or those of which an attribute is."""
    for node in ast.walk(statement):
        if isinstance(node, kind) and isinstance(node.ctx, ast.Store):
            yield _base(node)


def _made_global(function: ast.FunctionDef) -> set[str]:
    """The names outside that a function stores into."""
    said = {n for node in ast.walk(function) if isinstance(node, ast.Global) for n in node.names}
    return said & set(_stored(function))


def _base(node: ast.AST) -> str:
    if isinstance(node, ast.AugAssign):
        node = node.target
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def writes_into(body: Sequence[ast.stmt], target: ast.expr) -> bool:
    """Whether the body of a loop changes in place what its variable holds."""
    names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.AugAssign) and _base(node.target) in names:
                return True
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                if _base(node) in names:
                    return True
    return False


def changed_defaults(node: ast.FunctionDef | ast.Lambda) -> frozenset[str]:
    """The parameters whose default is made once, and changed by calls that do not give them."""
    made = {
        p.arg
        for p, default in _with_defaults(node.args)
        if isinstance(default, ast.List | ast.Dict | ast.Set | ast.Call)
    }
    return frozenset(_base(n) for n in ast.walk(node) if _changes(n)) & made


def _changes(node: ast.AST) -> bool:
    """Whether a node may change what a name holds: a write into it, or a method of it."""
    if isinstance(node, ast.Name):
        return False
    if isinstance(node, ast.AugAssign):
        return True
    stored = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    return stored or isinstance(node, ast.Attribute)


def _with_defaults(args: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    plain = [*args.posonlyargs, *args.args]
    yield from zip(plain[len(plain) - len(args.defaults) :], args.defaults, strict=True)
    for parameter, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if default is not None:
            yield parameter, default
