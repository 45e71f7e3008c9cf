"""A frame looked at from outside: copied, asked what a target holds, put right in one place."""

from __future__ import annotations

import ast

from symbackprop.checking.execution import Frame, Machine, loose
from symbackprop.checking.execution_values import Array, Cell, Misfit, Record, Unknown, Value


def snapshot(frame: Frame) -> Frame:
    """A copy of a frame that later changes in place do not reach; sharing is kept."""
    memo: dict[int, Value] = {}

    def copied(value: Value) -> Value:
        if id(value) in memo:
            return memo[id(value)]
        if isinstance(value, Cell):
            cell = memo[id(value)] = Cell(value.value)
            cell.base = copied(value.base) if value.base is not None else None
            cell.views = [copied(v) for v in value.views]
            return cell
        if isinstance(value, dict):
            fresh: dict[str, Value] = {}
            memo[id(value)] = fresh
            fresh.update({k: copied(v) for k, v in value.items()})
            return fresh
        if isinstance(value, list):
            items: list[Value] = []
            memo[id(value)] = items
            items.extend(copied(v) for v in value)
            return items
        if isinstance(value, tuple):
            return tuple(copied(v) for v in value)
        if isinstance(value, Record):
            record = memo[id(value)] = Record({}, value.methods, value.name)
            record.attributes.update({k: copied(v) for k, v in value.attributes.items()})
            return record
        return value

    return {k: copied(v) for k, v in frame.items()}


def value_at(target: ast.expr, frame: Frame) -> Array | Unknown | Misfit | None:
    """What a target holds now, if it is an array."""
    held = loose(_place(target, frame))
    return held if isinstance(held, Array | Unknown | Misfit) else None


def _place(target: ast.expr, frame: Frame) -> Value:
    if isinstance(target, ast.Name):
        return frame.get(target.id)
    if isinstance(target, ast.Attribute):
        owner = _place(target.value, frame)
        return owner.attributes.get(target.attr) if isinstance(owner, Record) else None
    if isinstance(target, ast.Subscript):
        owner = _place(target.value, frame)
        if isinstance(owner, dict) and isinstance(target.slice, ast.Constant):
            return owner.get(target.slice.value)
        return owner if isinstance(owner, Cell) else None
    return None


def overwrite(target: ast.expr, frame: Frame, value: Array, m: Machine) -> None:
    """Put the right value where an assignment has put a wrong one."""
    held = _place(target, frame)
    if isinstance(held, Cell):
        if held.base is None:
            m.mutate(held, value)
        else:
            m.put(held, None, value)
