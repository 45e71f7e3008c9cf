"""What names, attributes, operators and conditions of Python are worth: one rule for each kind of
node.
"""

from __future__ import annotations

import ast

from sympy import Add, Expr, Integer, Mul, Rational

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.execution import Frame, Machine, an_array, content, loose
from symbackprop.checking.execution_branches import either, is_open_condition
from symbackprop.checking.execution_builtins import BUILTINS
from symbackprop.checking.execution_creation import FLOATING, truth
from symbackprop.checking.execution_guards import compare, delta
from symbackprop.checking.execution_numpy import CONSTANTS, LOGIC
from symbackprop.checking.execution_operators import (
    COMPARISONS,
    MOST_DIGITS,
    condition,
    flag,
    operate,
)
from symbackprop.checking.execution_text import text_of
from symbackprop.checking.execution_values import (
    Array,
    Labels,
    Named,
    Record,
    Routine,
    Unfollowed,
    Value,
    number,
)
from symbackprop.checking.execution_views import viewed
from symbackprop.checking.execution_worth import rule, worth
from symbackprop.ir.expressions import Entry, Index, substitute
from symbackprop.ir.terms import same_extent


@rule.register
def _constant(node: ast.Constant, m: Machine, frame: Frame) -> Value:
    value = node.value
    if value is None or value is Ellipsis or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return Array(Integer(int(value)), (), True)
    if isinstance(value, int) and len(str(value)) < MOST_DIGITS:
        return number(value)
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return number(Rational(repr(value)))
    raise Unfollowed("a constant that is no real number")


@rule.register
def _name(node: ast.Name, m: Machine, frame: Frame) -> Value:
    if node.id in frame:
        return frame[node.id]
    if node.id in m.functions:
        return m.functions[node.id]
    known = m.abstract(node.id)
    if known is not None:
        return known
    if node.id in BUILTINS or node.id in FLOATING:
        return Named(node.id)
    raise Unfollowed(f"{node.id} is not known here")


@rule.register
def _attribute(node: ast.Attribute, m: Machine, frame: Frame) -> Value:
    owner = worth(node.value, m, frame)
    if isinstance(owner, Named) and owner.owner == "module":
        return _of_module(owner, node.attr)
    if isinstance(owner, Named) and owner.owner == "numpy" and node.attr in ("at", "reduce"):
        return Named(f"{owner.name}.{node.attr}", "numpy")
    if isinstance(owner, Record):
        if node.attr in owner.attributes and owner.attributes[node.attr] is not None:
            return owner.attributes[node.attr]
        if node.attr in owner.methods:
            return Routine(owner.methods[node.attr], m.outer, owner)
        found = m.abstract(f"{owner.name}.{node.attr}")
        if found is not None:
            m.put(owner.attributes, node.attr, m.held(found))
            return owner.attributes[node.attr]
        if node.attr in owner.attributes:
            return None
        raise Unfollowed(f"{owner.name}.{node.attr} is not known here")
    inner = content(owner)
    if isinstance(inner, Array | Labels) and node.attr in ("shape", "ndim", "size"):
        shape = inner.shape
        if node.attr == "ndim":
            return number(len(shape))
        size: Expr = Integer(1)
        for e in shape:
            size = size * e
        return number(size) if node.attr == "size" else tuple(number(e) for e in shape)
    if isinstance(inner, Array) and node.attr == "T":
        return viewed(owner, ops.permute(inner, list(reversed(range(inner.rank)))))
    if isinstance(inner, Array) and node.attr == "dtype":
        return Named("float")
    return Named(node.attr, owner)


def _of_module(module: Named, name: str) -> Value:
    path = f"{module.name}.{name}" if module.name else name
    if path in CONSTANTS:
        return CONSTANTS[path]
    if path in ("linalg", "special", "lib", "lib.stride_tricks"):
        return Named(path, "module")
    return Named(path if path not in FLOATING else name, "numpy")


@rule.register
def _unary(node: ast.UnaryOp, m: Machine, frame: Frame) -> Value:
    if isinstance(node.op, ast.Not):
        return flag(not truth(worth(node.operand, m, frame)))
    operand = an_array(worth(node.operand, m, frame))
    if isinstance(node.op, ast.USub):
        return ops.elementwise(lambda x: -x, operand)
    if isinstance(node.op, ast.UAdd):
        return operand
    if not operand.boolean:
        raise Unfollowed("~ of what is no mask")
    return ops.elementwise(LOGIC["not"], operand, boolean=True)


@rule.register
def _binary(node: ast.BinOp, m: Machine, frame: Frame) -> Value:
    left, right = worth(node.left, m, frame), worth(node.right, m, frame)
    return operate(node.op, left, right)


@rule.register
def _compare(node: ast.Compare, m: Machine, frame: Frame) -> Value:
    if len(node.ops) != 1:
        raise Unfollowed("a chain of comparisons")
    left, right = worth(node.left, m, frame), worth(node.comparators[0], m, frame)
    op = node.ops[0]
    if isinstance(op, ast.Is | ast.IsNot):
        same = loose(left) is None and loose(right) is None
        if not same and loose(left) is not None and loose(right) is not None:
            raise Unfollowed("is of two things")
        return flag(same == isinstance(op, ast.Is))
    if isinstance(op, ast.In | ast.NotIn):
        inside = content(right)
        if not isinstance(content(left), str) or not isinstance(inside, dict | list | tuple):
            raise Unfollowed("whether something is in a collection")
        return flag((content(left) in inside) == isinstance(op, ast.In))
    a, b = content(left), content(right)
    word = COMPARISONS[type(op)]
    if isinstance(a, str | None) or isinstance(b, str | None):
        if word not in ("==", "!="):
            raise Unfollowed("text compared by size")
        return flag((a == b) == (word == "=="))
    if isinstance(a, tuple) and isinstance(b, tuple) and word in ("==", "!="):
        shapes = [[an_array(v).expr for v in t] for t in (a, b)]
        same = len(a) == len(b) and all(map(same_extent, *shapes))
        return flag(same == (word == "=="))
    if isinstance(a, Labels) or isinstance(b, Labels):
        return _label_is(a, b, word)

    def compared(x: Expr, y: Expr) -> Expr:
        if word in ("==", "!=") and _is_whole(x - y, m):
            same = delta(x, y)
            return same if word == "==" else 1 - same
        return compare(word, x, y)

    return ops.elementwise(compared, an_array(a), an_array(b), boolean=True)


def _is_whole(e: Expr, m: Machine) -> bool:
    """Whether a number is whole and depends on where in an array it stands: a place, a label."""
    if isinstance(e, Entry):
        return e.name in m.whole
    if isinstance(e, Add | Mul):
        return all(_is_whole(a, m) or a.is_Integer for a in e.args)
    return isinstance(e, Index)


def _label_is(a: Value, b: Value, word: str) -> Array:
    """Whether a label is this place: the entry there of the one-hot array."""
    labels, other = (a, b) if isinstance(a, Labels) else (b, a)
    if not isinstance(labels, Labels) or isinstance(other, Labels) or word not in ("==", "!="):
        raise Unfollowed("labels compared so")
    at = an_array(other)
    if at.axes or labels.shape:
        raise Unfollowed("several labels compared at once")
    (axis,) = labels.hot.axes
    entry = substitute(labels.hot.expr, {axis: at.expr})
    guessed = at.guessed | labels.hot.guessed
    return Array(entry if word == "==" else 1 - entry, (), True, guessed)


@rule.register
def _bool(node: ast.BoolOp, m: Machine, frame: Frame) -> Value:
    wanted = isinstance(node.op, ast.Or)
    for value in node.values:
        if truth(condition(worth(value, m, frame))) == wanted:
            return flag(wanted)
    return flag(not wanted)


@rule.register
def _if(node: ast.IfExp, m: Machine, frame: Frame) -> Value:
    test = worth(node.test, m, frame)
    if is_open_condition(test):
        mark = len(m.journal)
        ways = [an_array(worth(way, m, frame)) for way in (node.body, node.orelse)]
        if len(m.journal) > mark:
            raise Unfollowed("a branch of an expression that changes something")
        return ops.elementwise(either, an_array(test), *ways)
    chosen = truth(condition(test))
    return worth(node.body if chosen else node.orelse, m, frame)


@rule.register
def _joined(node: ast.JoinedStr, m: Machine, frame: Frame) -> Value:
    out = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None or part.conversion != -1:
                raise Unfollowed("a formatted text", part)
            out.append(text_of(worth(part.value, m, frame)))
        else:
            out.append(str(content(worth(part, m, frame))))
    return "".join(out)
