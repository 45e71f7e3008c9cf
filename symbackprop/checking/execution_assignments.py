"""What assignments of Python do, plain and in place: to names, several at once, parts of arrays,
dicts and objects.

A value that cannot be followed makes its target unknown, with the line.
"""

from __future__ import annotations

import ast
from functools import singledispatch

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import (
    FAILURES,
    Frame,
    Machine,
    an_array,
    content,
    describe,
    line_of,
    loose,
    noted_failure,
)
from symbackprop.checking.execution_builtins import elements
from symbackprop.checking.execution_collections import index_items, not_as_many
from symbackprop.checking.execution_guards import where
from symbackprop.checking.execution_operators import key_of, operate
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Misfitting,
    Record,
    Unfollowed,
    Unknown,
    Value,
)
from symbackprop.checking.execution_worth import worth
from symbackprop.ir.terms import same_shape


@singledispatch
def assigned(node: ast.stmt, m: Machine, frame: Frame) -> None:
    """Follow a statement that gives values to names and places."""
    raise Unfollowed(f"{type(node).__name__} is not followed", node)


@assigned.register
def _assign(node: ast.Assign, m: Machine, frame: Frame) -> None:
    if len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple):
            if len(target.elts) == len(node.value.elts) and not _starred(target, node.value):
                _side_by_side(node, target.elts, node.value.elts, m, frame)
                return
    value = worth_or_cause(node.value, m, frame)
    if not isinstance(value, Cell):
        value = m.held(value)
    for target in node.targets:
        assign(target, value, m, frame, node)


def worth_or_cause(node: ast.expr, m: Machine, frame: Frame) -> Value:
    """A value, or why there is none."""
    try:
        return worth(node, m, frame)
    except FAILURES as error:
        cause = noted_failure(error, node, m)
        return Cell(cause, _source(node, frame))


def _source(node: ast.expr, frame: Frame) -> Cell | None:
    """The array of which a value that was not followed may be a view."""
    names = (n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    held = (frame.get(n) for n in names)
    return next((c for c in held if isinstance(c, Cell) and isinstance(c.value, Array)), None)


def _starred(*nodes: ast.Tuple | ast.List) -> bool:
    return any(isinstance(e, ast.Starred) for n in nodes for e in n.elts)


def _side_by_side(
    node: ast.Assign, targets: list[ast.expr], values: list[ast.expr], m: Machine, frame: Frame
) -> None:
    """``a, b = x, y``: one that cannot be followed leaves the other known."""
    found = [m.held(worth_or_cause(value, m, frame)) for value in values]
    for target, each in zip(targets, found, strict=True):
        assign(target, each, m, frame, node)


@assigned.register
def _annotated(node: ast.AnnAssign, m: Machine, frame: Frame) -> None:
    if node.value is not None:
        value = worth(node.value, m, frame)
        assign(node.target, m.held(value), m, frame, node)


def assign(target: ast.expr, value: Value, m: Machine, frame: Frame, statement: ast.stmt) -> None:
    """Bind a value to a name, a part, an attribute, or several of them."""
    if isinstance(target, ast.Tuple | ast.List):
        _unpack(target, value, m, frame, statement)
        return
    if isinstance(target, ast.Name):
        m.put(frame, target.id, value)
    elif isinstance(target, ast.Attribute):
        owner = worth(target.value, m, frame)
        if not isinstance(owner, Record):
            raise Unfollowed("an attribute of what is no object", target)
        m.put(owner.attributes, target.attr, value)
    elif isinstance(target, ast.Subscript):
        _store(target, value, m, frame)
    else:
        raise Unfollowed(f"an assignment to {type(target).__name__}", target)
    if m.watch is not None:
        m.watch(statement, target, frame, frame)


def _unpack(
    target: ast.Tuple | ast.List, value: Value, m: Machine, frame: Frame, statement: ast.stmt
) -> None:
    parts = content(value)
    if isinstance(parts, Record):
        parts = [_by_name(e, parts, m) for e in target.elts]
    elif isinstance(parts, Array) and parts.axes:
        parts = elements(parts)
    if any(isinstance(e, ast.Starred) for e in target.elts):
        raise Unfollowed("a starred target", target)
    if not isinstance(parts, list | tuple) or len(parts) != len(target.elts):
        raise not_as_many(parts, target)
    for each, part in zip(target.elts, parts, strict=True):
        assign(each, m.held(part), m, frame, statement)


def _by_name(target: ast.expr, owner: Record, m: Machine) -> Value:
    """A part of something whose contents are told by the names that they are given."""
    if not isinstance(target, ast.Name):
        raise Unfollowed(f"parts of {owner.name} without names", target)
    found = m.abstract(f"{owner.name}.{target.id}")
    if found is None:
        return Unknown(f"{target.id}, taken out of {owner.name}, is not known", line_of(target))
    return found


def _store(target: ast.Subscript, value: Value, m: Machine, frame: Frame) -> None:
    owner = worth(target.value, m, frame)
    inner = loose(owner)
    if isinstance(inner, dict):
        m.put(inner, key_of(worth(target.slice, m, frame)), value)
        return
    if isinstance(inner, Record):
        m.put(inner.attributes, key_of(worth(target.slice, m, frame)), value)
        return
    if isinstance(inner, list):
        k = content(worth(target.slice, m, frame))
        place = int(k.expr) if isinstance(k, Array) and k.expr.is_Integer else None
        if place is None or not -len(inner) <= place < len(inner):
            raise Unfollowed("a place of a list that is not known", target)
        m.put(inner, place % len(inner), value)
        return
    if not isinstance(owner, Cell):
        raise Unfollowed(f"a write into {describe(inner)}", target)
    given = index_items(target.slice, m, frame)
    try:
        m.mutate(owner, indexing.put(an_array(owner), given, an_array(value)))
    except Misfitting as error:
        error.node = target
        raise


@assigned.register
def _augmented(node: ast.AugAssign, m: Machine, frame: Frame) -> None:
    target = node.target
    value = worth_or_cause(node.value, m, frame)
    if isinstance(target, ast.Subscript):
        owner = worth(target.value, m, frame)
        inner = loose(owner)
        if not isinstance(inner, dict | list | Record):
            _augment_part(node, target, owner, value, m, frame)
            if m.watch is not None:
                m.watch(node, target, frame, frame)
            return
    old = worth(target, m, frame)
    try:
        new = operate(node.op, old, value)
    except FAILURES as error:
        if not isinstance(old, Cell):
            raise
        cause = noted_failure(error, node, m)
        m.spoil_by(old, cause)
        if m.watch is not None:
            m.watch(node, target, frame, frame)
        return
    held = loose(old)
    if isinstance(old, Cell) and isinstance(held, Array) and held.axes and isinstance(new, Array):
        if not same_shape(new.shape, held.shape):
            raise ops.misfit("an update in place", held, an_array(value))
        m.mutate(old, new)
        if m.watch is not None:
            m.watch(node, target, frame, frame)
        return
    assign(target, m.held(new), m, frame, node)


def _augment_part(
    node: ast.AugAssign,
    target: ast.Subscript,
    owner: Value,
    value: Value,
    m: Machine,
    frame: Frame,
) -> None:
    if not isinstance(owner, Cell):
        raise Unfollowed(f"a write into {describe(loose(owner))}", target)
    a = an_array(owner)
    given = index_items(target.slice, m, frame)
    if isinstance(node.op, ast.Add | ast.Sub):
        sign = 1 if isinstance(node.op, ast.Add) else -1
        m.mutate(owner, indexing.increase(a, given, an_array(value), sign))
        return
    mask = loose(given[0]) if len(given) == 1 else None
    if isinstance(mask, Array) and mask.boolean and mask.axes:
        scaled = an_array(operate(node.op, a, value))
        changed = ops.elementwise(where, mask, scaled, a)
        m.mutate(owner, changed)
        return
    new = operate(node.op, indexing.get(a, given), value)
    m.mutate(owner, indexing.put(a, given, an_array(new)))
