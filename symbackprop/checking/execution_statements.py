"""What a statement of Python does: one rule for each kind of node.

A statement that cannot be followed makes its targets unknown and the next one is tried. Loops over
symbolic ranges are in :mod:`symbackprop.checking.execution_loops`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import (
    FAILURES,
    Depends,
    Frame,
    Machine,
    an_array,
    content,
    describe,
    failure,
    line_of,
    loose,
)
from symbackprop.checking.execution_binding import bind
from symbackprop.checking.execution_builtins import elements
from symbackprop.checking.execution_creation import truth
from symbackprop.checking.execution_effects import unaccountable, writes_into
from symbackprop.checking.execution_expressions import index_items, unpack, worth
from symbackprop.checking.execution_guards import where
from symbackprop.checking.execution_numpy import NUMPY
from symbackprop.checking.execution_operators import condition, key_of, operate
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Labels,
    Misfitting,
    Named,
    Record,
    Routine,
    Sequence_,
    Unfollowed,
    Unknown,
    Value,
)
from symbackprop.ir.terms import same_shape


@dataclass(frozen=True, slots=True)
class Return:
    """A function ends with this value."""

    value: Value
    node: ast.Return | None


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    word: str


Signal = Return | Jump | None


def run_block(statements: Sequence[ast.stmt], m: Machine, frame: Frame) -> Signal:
    """Follow statements in order until one of them leaves the block."""
    for statement in statements:
        signal = run_statement(statement, m, frame)
        if signal is not None:
            return signal
    return None


def run_statement(statement: ast.stmt, m: Machine, frame: Frame) -> Signal:
    """Follow one statement; what it would have changed is unknown if it cannot be followed."""
    m.tick()
    if m.before is not None:
        m.before(statement, frame)
    try:
        return _run(statement, m, frame)
    except FAILURES as error:
        cause = failure(error, statement)
        if isinstance(error, Unfollowed):
            m.notes.append((cause.line, cause.why))
        _lose(statement, m, frame, cause)
        return None


def _lose(statement: ast.stmt, m: Machine, frame: Frame, cause: Any) -> None:
    """Make unknown whatever a statement that was not followed may have changed."""
    stored = {
        n.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    compound = not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in frame:
            touched = compound or _is_target(node, statement)
            if touched:
                _spoil(frame[node.id], m, cause, set())
    for name in sorted(stored):
        m.put(frame, name, Cell(cause))


def _is_target(name: ast.Name, statement: ast.stmt) -> bool:
    """Whether a name stands on the left of an assignment, as the thing that is written into."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    for target in targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for part in parts:
            while isinstance(part, ast.Subscript | ast.Attribute):
                part = part.value
            if part is name:
                return True
    return False


def _spoil(value: Value, m: Machine, cause: Any, seen: set[int]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Cell):
        m.spoil_by(value, cause)
    elif isinstance(value, dict):
        for v in list(value.values()):
            _spoil(v, m, cause, seen)
    elif isinstance(value, list | tuple):
        for v in value:
            _spoil(v, m, cause, seen)
    elif isinstance(value, Record):
        for v in list(value.attributes.values()):
            _spoil(v, m, cause, seen)


@singledispatch
def _run(node: ast.stmt, m: Machine, frame: Frame) -> Signal:
    raise Unfollowed(f"{type(node).__name__} is not followed", node)


@_run.register(ast.Pass)
@_run.register(ast.Import)
@_run.register(ast.ImportFrom)
@_run.register(ast.Assert)
@_run.register(ast.Global)
def _nothing(node: Any, m: Machine, frame: Frame) -> Signal:
    if isinstance(node, ast.Import | ast.ImportFrom):
        bind_import(node, m, frame)
    return None


def bind_import(node: ast.Import | ast.ImportFrom, m: Machine, frame: Frame) -> None:
    """What an import brings in: NumPy and SciPy's special functions are known."""
    for alias in node.names:
        shown = alias.asname or alias.name
        if isinstance(node, ast.ImportFrom):
            path = (node.module or "").removeprefix("numpy").removeprefix("scipy").strip(".")
            name = f"{path}.{alias.name}" if path else alias.name
            root = (node.module or "").partition(".")[0]
            if root in ("numpy", "scipy") and name in NUMPY:
                m.put(frame, shown, Named(name, "numpy"))
            elif root == "scipy" and alias.name == "special":
                m.put(frame, shown, Named("special", "module"))
        elif alias.name in ("numpy", "autograd.numpy", "jax.numpy", "cupy"):
            m.put(frame, shown, Named("", "module"))
        elif alias.name in ("scipy.special", "numpy.linalg") and alias.asname:
            m.put(frame, shown, Named(alias.name.partition(".")[2], "module"))


@_run.register
def _function(node: ast.FunctionDef, m: Machine, frame: Frame) -> Signal:
    m.put(frame, node.name, Routine(node, frame))
    return None


@_run.register
def _expression(node: ast.Expr, m: Machine, frame: Frame) -> Signal:
    if not isinstance(node.value, ast.Constant):
        worth(node.value, m, frame)
    return None


@_run.register
def _return(node: ast.Return, m: Machine, frame: Frame) -> Signal:
    if node.value is None:
        return Return(None, node)
    return Return(m.held(_worth_or_cause(node.value, m, frame)), node)


@_run.register
def _raise(node: ast.Raise, m: Machine, frame: Frame) -> Signal:
    return Return(Cell(Unknown("an exception is raised", line_of(node))), None)


@_run.register(ast.Break)
@_run.register(ast.Continue)
def _jump(node: ast.Break | ast.Continue, m: Machine, frame: Frame) -> Signal:
    return Jump(type(node).__name__.lower())


@_run.register
def _assign(node: ast.Assign, m: Machine, frame: Frame) -> Signal:
    if len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple):
            if len(target.elts) == len(node.value.elts) and not _starred(target, node.value):
                return _side_by_side(node, target.elts, node.value.elts, m, frame)
    value = _worth_or_cause(node.value, m, frame)
    if not isinstance(value, Cell):
        value = m.held(value)
    for target in node.targets:
        assign(target, value, m, frame, node)
    return None


def _worth_or_cause(node: ast.expr, m: Machine, frame: Frame) -> Value:
    """A value, or why there is none."""
    try:
        return worth(node, m, frame)
    except FAILURES as error:
        cause = failure(error, node)
        if isinstance(error, Unfollowed):
            m.notes.append((cause.line, cause.why))
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
) -> Signal:
    """``a, b = x, y``: one that cannot be followed leaves the other known."""
    found = [m.held(_worth_or_cause(value, m, frame)) for value in values]
    for target, each in zip(targets, found, strict=True):
        assign(target, each, m, frame, node)
    return None


@_run.register
def _annotated(node: ast.AnnAssign, m: Machine, frame: Frame) -> Signal:
    if node.value is not None:
        value = worth(node.value, m, frame)
        assign(node.target, m.held(value), m, frame, node)
    return None


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
        raise Unfollowed("what is unpacked has another number of parts", target)
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


@_run.register
def _augmented(node: ast.AugAssign, m: Machine, frame: Frame) -> Signal:
    target = node.target
    value = _worth_or_cause(node.value, m, frame)
    if isinstance(target, ast.Subscript):
        owner = worth(target.value, m, frame)
        inner = loose(owner)
        if not isinstance(inner, dict | list | Record):
            _augment_part(node, target, owner, value, m, frame)
            if m.watch is not None:
                m.watch(node, target, frame, frame)
            return None
    old = worth(target, m, frame)
    try:
        new = operate(node.op, old, value)
    except FAILURES as error:
        if not isinstance(old, Cell):
            raise
        cause = failure(error, node)
        if isinstance(error, Unfollowed):
            m.notes.append((cause.line, cause.why))
        m.spoil_by(old, cause)
        if m.watch is not None:
            m.watch(node, target, frame, frame)
        return None
    held = loose(old)
    if isinstance(old, Cell) and isinstance(held, Array) and held.axes and isinstance(new, Array):
        if not same_shape(new.shape, held.shape):
            raise ops.misfit("an update in place", held, an_array(value))
        m.mutate(old, new)
        if m.watch is not None:
            m.watch(node, target, frame, frame)
        return None
    assign(target, m.held(new), m, frame, node)
    return None


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


@_run.register
def _delete(node: ast.Delete, m: Machine, frame: Frame) -> Signal:
    for target in node.targets:
        if not isinstance(target, ast.Name):
            raise Unfollowed("del of a part", target)
        m.put(frame, target.id, Cell(Unknown("deleted", line_of(node))))
    return None


@_run.register
def _with(node: ast.With, m: Machine, frame: Frame) -> Signal:
    for item in node.items:
        text = ast.unparse(item.context_expr)
        if not text.startswith(("np.errstate", "numpy.errstate")) or item.optional_vars:
            raise Unfollowed("with of something else than np.errstate", node)
    return run_block(node.body, m, frame)


@_run.register
def _if(node: ast.If, m: Machine, frame: Frame) -> Signal:
    try:
        chosen = truth(condition(worth(node.test, m, frame)))
    except (Unfollowed, Depends) as error:
        if _only_raises(node):
            return None
        if isinstance(error, Unfollowed):
            error.node = error.node or node
        raise
    return run_block(node.body if chosen else node.orelse, m, frame)


def _only_raises(node: ast.If) -> bool:
    """A check of the operands, which changes nothing where they are right."""
    return not node.orelse and all(isinstance(s, ast.Raise | ast.Assert) for s in node.body)


@_run.register
def _for(node: ast.For, m: Machine, frame: Frame) -> Signal:
    from symbackprop.checking.execution_loops import symbolic_loop

    if node.orelse:
        raise Unfollowed("else of a loop", node)
    over = worth(node.iter, m, frame)
    inner = content(over)
    if _is_symbolic(inner):
        return symbolic_loop(node, inner, m, frame)
    items = elements(over)
    if any(map(shares_memory, items)) and writes_into(node.body, node.target):
        raise Unfollowed("a loop that changes the rows of an array through its variable", node)
    for item in items:
        unpack(node.target, item, m, frame)
        signal = run_block(node.body, m, frame)
        if isinstance(signal, Return):
            return signal
        if isinstance(signal, Jump) and signal.word == "break":
            break
    return None


def shares_memory(item: Value) -> bool:
    """Whether what a loop variable holds is a part of an array, as in ``for row in X``."""
    if isinstance(item, tuple):
        return any(map(shares_memory, item))
    return isinstance(item, Array) and bool(item.axes)


def _is_symbolic(value: Value) -> bool:
    if isinstance(value, Sequence_):
        return not value.count.is_Integer
    if isinstance(value, Array | Labels):
        return bool(value.shape) and not value.shape[0].is_Integer
    return False


def enter(
    routine: Routine, given: Sequence[Value], named: dict[str, Value], m: Machine
) -> tuple[Frame, Signal]:
    """Follow the body of a function; gives its frame, too."""
    reason = unaccountable(routine.node)
    if reason:
        raise Unfollowed(reason, routine.node)
    frame: Frame = dict(routine.outer)
    bind(routine, list(given), dict(named), m, frame)
    if isinstance(routine.node, ast.Lambda):
        return frame, Return(m.held(worth(routine.node.body, m, frame)), None)
    return frame, run_block(routine.node.body, m, frame)


def invoke(routine: Routine, given: Sequence[Value], named: dict[str, Value], m: Machine) -> Value:
    """The value of a call of a function of the file."""
    m.depth += 1
    try:
        _, signal = enter(routine, given, named, m)
    finally:
        m.depth -= 1
    if signal is None:
        return None
    if isinstance(signal, Jump):
        raise Unfollowed(f"{signal.word} outside a loop", routine.node)
    return signal.value
