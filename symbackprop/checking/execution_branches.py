"""``if`` on a condition that differs from entry to entry: both branches are followed, and what they
leave behind is joined by ``where``.

Each branch starts from the same state and is taken back; a place that both leave as an array of one
shape holds the one or the other from then on. What only one of them makes, or what cannot be
joined, is unknown with its line. ``continue`` is first written without it: the statements after it
are the other branch.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from sympy import Expr

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.execution import MISSING, Change, Frame, Machine, line_of, loose
from symbackprop.checking.execution_guards import where
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Misfit,
    Unfollowed,
    Unknown,
    Value,
)
from symbackprop.ir.expressions import Delta, Entry, Where
from symbackprop.ir.terms import same_shape

Follow = Callable[[Sequence[ast.stmt], Machine, Frame], object]
Left = dict[tuple[int, object], tuple[Change, Value]]


def is_open_condition(value: Value) -> bool:
    """Whether a condition is one number that is 0 or 1, not known which."""
    held = loose(value)
    return (
        isinstance(held, Array)
        and held.boolean
        and not held.axes
        and not (held.expr.is_Rational or held.expr.is_positive)
    )


def without_continue(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The body of a loop in which what follows ``if …: continue`` is the other branch."""
    out: list[ast.stmt] = []
    for k, statement in enumerate(body):
        if isinstance(statement, ast.Continue):
            break
        if isinstance(statement, ast.If) and _goes_on(statement):
            rest = list(body[k + 1 :])
            branches = (statement.body, statement.orelse)
            then, other = (without_continue([*b, *rest]) for b in branches)
            both = ast.If(statement.test, then or [_nothing(statement)], other)
            out.append(ast.copy_location(both, statement))
            break
        out.append(statement)
    return out


def _goes_on(node: ast.If) -> bool:
    """Whether a branch ends the turn of the loop."""
    return any(
        isinstance(s, ast.Continue) or (isinstance(s, ast.If) and _goes_on(s))
        for s in (*node.body, *node.orelse)
    )


def _nothing(node: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.Pass(), node)


def follow_both(node: ast.If, test: Array, m: Machine, frame: Frame, follow: Follow) -> None:
    """Follow both branches of an ``if`` and join what they leave behind."""
    youngest = Cell(value=Unknown("", 0)).serial
    left = _branch(node, node.body, m, frame, follow)
    other = _branch(node, node.orelse, m, frame, follow)
    joined: list[tuple[Any, object, Any]] = []
    for place in dict.fromkeys((*left, *other)):
        box, key, old = (left.get(place) or other[place])[0]
        ways = [way[place][1] if place in way else old for way in (left, other)]
        shared = [w for w in ways if _is_shared(w, youngest)]
        if shared and not isinstance(box, Cell):
            joined.append((box, key, _alias(shared[0], MISSING in ways, node)))
        else:
            joined.append((box, key, _joined(test, ways[0], ways[1], line_of(node))))
    for box, key, value in joined:
        if isinstance(box, Cell):
            m.mutate(box, value)
        else:
            m.put(box, key, m.held(value))
    if m.watch is not None:
        report_assignments(node, m, frame)


def _branch(
    node: ast.If, body: Sequence[ast.stmt], m: Machine, frame: Frame, follow: Follow
) -> Left:
    """What one branch changes, by place: what was there, and what it leaves."""
    mark, watch = len(m.journal), m.watch
    youngest = Cell(value=Unknown("", 0)).serial
    m.watch = None
    m.loops_open += 1  # nothing of this is said to hold in the end
    try:
        if follow(body, m, frame) is not None:
            raise Unfollowed("a condition that is not known decides where the code goes on", node)
        changes = m.changed(mark)
        kept = [c for c in changes if not (isinstance(c[0], Cell) and c[0].serial > youngest)]
        found: Left = {(id(c[0]), c[1]): (c, _now(c[0], c[1])) for c in kept}
    finally:
        m.watch = watch
        m.loops_open -= 1
        m.undo(mark)
    return found


def _now(box: Any, key: object) -> Value:
    """What a place holds."""
    if isinstance(box, Cell):
        return box.value
    if isinstance(box, list):
        raise Unfollowed("a list changed on a condition that is not known")
    value: Value = box.get(key, MISSING)
    return value


def _joined(test: Array, then: Any, other: Any, line: int) -> Array | Unknown | Misfit:
    """One or the other of what two branches leave in a place."""
    a, b = loose(then), loose(other)
    for held in (a, b):
        if isinstance(held, Unknown | Misfit):
            return held
    if not (isinstance(a, Array) and isinstance(b, Array)):
        return Unknown("what a condition that is not known decides", line)
    if not same_shape(a.shape, b.shape):
        return Unknown("an array whose shape a condition decides", line)
    return ops.elementwise(either, test, a, b)


def _alias(of: Any, new: bool, node: ast.If) -> Cell:
    """A name that only one branch has, for memory that other names share: unknown, and a write
    through it makes that unknown too.
    """
    if not new:
        raise Unfollowed("a name that a condition binds to another array", node)
    cause = Unknown("what a condition that is not known decides", line_of(node))
    return Cell(cause, of.base or of)


def _is_shared(way: Value, youngest: int) -> bool:
    """Whether a name would share memory with another one: changed in place later, it would change
    that too, but in one of the branches only.
    """
    if not isinstance(way, Cell) or not (isinstance(way.value, Array) and way.value.axes):
        return False
    return way.serial <= youngest or way.base is not None


def either(test: Expr, a: Expr, b: Expr) -> Expr:
    """``where``; an entry of one-hot data is a weight, and ``1 - δ`` is the other way round."""
    contrary = 1 - test
    if isinstance(contrary, Delta | Entry):
        test, a, b = contrary, b, a
    if isinstance(test, Entry):
        return test * a + (1 - test) * b
    place, held = _written(a, b) or _written(b, a) or (None, b)
    if place is None:
        return where(test, a, b)
    new, other = (_at(e, place) for e in (a, b))
    return where(place, where(test, new, other), held)


def _written(a: Expr, b: Expr) -> tuple[Expr, Expr] | None:
    """The place in which ``a`` is a write into what ``b`` is, or writes as well: and what is held
    elsewhere. A loop sums writes up by their place, which must stand before the condition.
    """
    if not isinstance(a, Where) or not a.args[0].atoms(Delta):
        return None
    place, _, held = a.args
    same = b == held or (isinstance(b, Where) and b.args[0] == place and b.args[2] == held)
    return (place, held) if same else None


def _at(e: Expr, place: Expr) -> Expr:
    """What an entry is in this place."""
    return e.args[1] if isinstance(e, Where) and e.args[0] == place else e


def report_assignments(node: ast.For | ast.If, m: Machine, frame: Frame) -> None:
    """Tell the watcher of the assignments in a loop or an ``if``, as they stand after it."""
    assert m.watch is not None, "asked for only when there is a watcher"
    last: dict[str, tuple[ast.stmt, ast.expr]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign | ast.AugAssign):
            target = inner.targets[0] if isinstance(inner, ast.Assign) else inner.target
            base: ast.expr = target
            while isinstance(base, ast.Subscript) and not isinstance(base.slice, ast.Constant):
                base = base.value
            last[ast.unparse(base)] = inner, base
    for statement, base in last.values():
        if isinstance(base, ast.Name) and base.id in frame:
            m.watch(statement, base, frame, frame)
