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

from symbackprop.checking import (  # noqa: F401 - they register the rules of expressions
    execution_calls,
    execution_collections,
    execution_expressions,
)
from symbackprop.checking.execution import (
    FAILURES,
    Depends,
    Frame,
    Machine,
    an_array,
    content,
    line_of,
    noted_failure,
)
from symbackprop.checking.execution_assignments import assigned, worth_or_cause
from symbackprop.checking.execution_binding import bind
from symbackprop.checking.execution_branches import (
    follow_both,
    is_open_condition,
    without_continue,
)
from symbackprop.checking.execution_builtins import elements
from symbackprop.checking.execution_collections import unpack
from symbackprop.checking.execution_creation import truth
from symbackprop.checking.execution_effects import unaccountable, writes_into
from symbackprop.checking.execution_numpy import NUMPY
from symbackprop.checking.execution_operators import condition
from symbackprop.checking.execution_spoiling import lose
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Labels,
    Named,
    Routine,
    Sequence_,
    Unfollowed,
    Unknown,
    Value,
)
from symbackprop.checking.execution_worth import worth


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
        cause = noted_failure(error, statement, m)
        lose(statement, m, frame, cause)
        return None


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
    return Return(m.held(worth_or_cause(node.value, m, frame)), node)


@_run.register
def _raise(node: ast.Raise, m: Machine, frame: Frame) -> Signal:
    return Return(Cell(Unknown("an exception is raised", line_of(node))), None)


@_run.register(ast.Break)
@_run.register(ast.Continue)
def _jump(node: ast.Break | ast.Continue, m: Machine, frame: Frame) -> Signal:
    return Jump(type(node).__name__.lower())


@_run.register(ast.Assign)
@_run.register(ast.AnnAssign)
@_run.register(ast.AugAssign)
def _assigned(node: ast.stmt, m: Machine, frame: Frame) -> Signal:
    assigned(node, m, frame)
    return None


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
        test = worth(node.test, m, frame)
        if is_open_condition(test) and not _only_raises(node):
            follow_both(node, an_array(test), m, frame, run_block)
            return None
        chosen = truth(condition(test))
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
    body = without_continue(node.body)
    for item in items:
        unpack(node.target, item, m, frame)
        signal = run_block(body, m, frame)
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
