"""Operators on the values of a followed function: arithmetic, conditions, keys.

Each takes values and gives one; what NumPy would refuse for the shapes raises a misfit, what is not
worked out is unfollowed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from sympy import Expr, Integer

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.execution import (
    an_array,
    content,
)
from symbackprop.checking.execution_numpy import (
    LOGIC,
)
from symbackprop.checking.execution_text import operate_on_text
from symbackprop.checking.execution_values import (
    Array,
    Unfollowed,
    Value,
    integer,
)

MOST_POWER = 64


MOST_DIGITS = 400


MOST_ITEMS = 200


def flag(value: bool) -> Array:
    return Array(Integer(int(value)), (), True)


def operate(op: ast.operator, left: Value, right: Value) -> Value:
    """A binary operation on two values."""
    a, b = content(left), content(right)
    if isinstance(a, str):
        return operate_on_text(op, a, b)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and isinstance(op, ast.Add):
        return [*a, *b] if isinstance(a, list) else (*a, *b)
    if isinstance(a, list | tuple) and isinstance(op, ast.Mult) and not isinstance(b, list | tuple):
        count = integer(b)
        if count is None or not 0 <= count * len(a) <= MOST_ITEMS:
            raise Unfollowed("a list repeated")
        return list(a) * count if isinstance(a, list) else tuple(a) * count
    x, y = an_array(a), an_array(b)
    if isinstance(op, ast.MatMult):
        return ops.matmul(x, y)
    if type(op) in (ast.BitAnd, ast.BitOr, ast.BitXor):
        return _logical(op, x, y)
    rule = BINARY.get(type(op))
    if rule is None:
        raise Unfollowed(f"the operator {type(op).__name__}")
    if isinstance(op, ast.Pow):
        _refuse_large(x, y)
    if x.boolean and y.boolean and isinstance(op, ast.Add | ast.Sub):
        raise Unfollowed("a sum of masks")
    return ops.elementwise(rule, x, y, what=WORDS.get(type(op), "broadcasting"))


def _logical(op: ast.operator, x: Array, y: Array) -> Array:
    if not (x.boolean and y.boolean) or isinstance(op, ast.BitXor):
        raise Unfollowed("a logical operator on what are no masks")
    return ops.elementwise(LOGIC["and" if isinstance(op, ast.BitAnd) else "or"], x, y, boolean=True)


def _refuse_large(x: Array, y: Array) -> None:
    if y.expr.is_number and not (y.expr.is_Rational and abs(y.expr) <= MOST_POWER):
        raise Unfollowed("a power as large as this")
    if y.expr.is_Rational and x.expr.is_Rational and len(str(x.expr)) > MOST_DIGITS // 4:
        raise Unfollowed("a power of a number as large as this")


def _quotient(x: Expr, y: Expr) -> Expr:
    if y == 0:
        raise Unfollowed("a division by 0")
    return x / y


def _floor(x: Expr, y: Expr) -> Expr:
    if x.is_Integer and y.is_Integer and y != 0:
        return Integer(int(x) // int(y))
    exact = x / y if y != 0 else x
    if exact.is_Integer or (ops.is_extent(exact) and exact.is_integer):
        return exact
    raise Unfollowed("a whole-number division")


def _modulo(x: Expr, y: Expr) -> Expr:
    if x.is_Integer and y.is_Integer and y != 0:
        return Integer(int(x) % int(y))
    raise Unfollowed("a remainder")


BINARY: dict[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: _quotient,
    ast.Pow: lambda x, y: x**y,
    ast.FloorDiv: _floor,
    ast.Mod: _modulo,
}


WORDS: dict[type[ast.operator], str] = {
    ast.Add: "a + b", ast.Sub: "a - b", ast.Mult: "a * b", ast.Div: "a / b", ast.Pow: "a ** b",
}  # fmt: skip


COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def condition(value: Value) -> Value:
    """A value as a condition of ``if``: numbers as they are, None and collections by being
    empty.
    """
    value = content(value)
    if value is None:
        return flag(False)
    if isinstance(value, str | list | tuple | dict):
        return flag(bool(value))
    if isinstance(value, Array) and not value.axes and value.expr.is_Rational:
        return flag(value.expr != 0)
    if isinstance(value, Array) and not value.axes and value.expr.is_positive:
        return flag(True)
    raise Unfollowed("a condition that is not known")


def key_of(value: Value) -> str:
    """A key of a dict: text, or a number as text of its own kind."""
    value = content(value)
    if isinstance(value, str):
        return value
    k = integer(value)
    if k is not None:
        return f"#{k}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(key_of, value)) + ")"
    raise Unfollowed("a key that is neither text nor number")
