"""What is no longer known after a statement that was not followed: whatever it may have changed."""

from __future__ import annotations

import ast
from typing import Any

from symbackprop.checking.execution import Frame, Machine
from symbackprop.checking.execution_values import Cell, Record, Value


def lose(statement: ast.stmt, m: Machine, frame: Frame, cause: Any) -> None:
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
