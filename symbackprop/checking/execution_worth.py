"""What an expression of Python is worth: the dispatcher; each family of nodes has a file with its
rules.
"""

from __future__ import annotations

import ast
from functools import singledispatch

from symbackprop.checking.execution import FAILURES, Frame, Machine, noted_failure
from symbackprop.checking.execution_values import Misfitting, Unfollowed, Value


def worth(node: ast.expr, m: Machine, frame: Frame) -> Value:
    """The value of an expression in a frame; errors carry the innermost node that they concern."""
    m.tick()
    try:
        return rule(node, m, frame)
    except Unfollowed as error:
        error.node = error.node or node
        raise
    except Misfitting as error:
        error.node = error.node or node
        raise


@singledispatch
def rule(node: ast.AST, m: Machine, frame: Frame) -> Value:
    """The rule for one kind of node."""
    raise Unfollowed(f"{type(node).__name__} is not followed", node)


def carried(node: ast.expr, m: Machine, frame: Frame) -> Value:
    """A value that is only handed on: what it cannot be known is handed on as unknown."""
    try:
        return worth(node, m, frame)
    except FAILURES as error:
        return noted_failure(error, node, m)
