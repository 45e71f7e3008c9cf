"""Texts that code makes, as keys of parameters and gradients: ``'W' + str(l)``, ``f"dW{l}"``.

Only whole numbers and texts go in; any other value has digits that depend on its precision.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from symbackprop.checking.execution import content
from symbackprop.checking.execution_values import Unfollowed, Value, integer


def text_of(value: Value) -> str:
    """A whole number or a text as text, as in a key ``'W' + str(l)``."""
    value = content(value)
    k = integer(value)
    if k is None and not isinstance(value, str):
        raise Unfollowed("the text of a value that is no known whole number")
    return value if isinstance(value, str) else str(k)


def text_filled(text: str, mark: str, values: Sequence[Value]) -> str:
    """A text with values in the places of a mark: ``'W%d' % l``, ``'W{}'.format(l)``."""
    parts = text.split(mark)
    if len(parts) != len(values) + 1 or any(c in "%{}" for c in "".join(parts)):
        raise Unfollowed("a formatted text")
    return parts[0] + "".join(text_of(v) + p for v, p in zip(values, parts[1:], strict=True))


def operate_on_text(op: ast.operator, a: str, b: Value) -> str:
    """``a + b`` and ``a % b`` of a text."""
    if isinstance(op, ast.Add) and isinstance(b, str):
        return a + b
    if isinstance(op, ast.Mod):
        mark = "%d" if "%d" in a else "%i" if "%i" in a else "%s"
        return text_filled(a, mark, b if isinstance(b, tuple) else (b,))
    raise Unfollowed(f"the operator {type(op).__name__} of text")
