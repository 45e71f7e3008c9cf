"""What an expression of Python is worth: one rule for each kind of node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import singledispatch
from typing import Any

from sympy import Expr, Integer, Rational

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import (
    FAILURES,
    MOST_CALLS,
    Frame,
    Machine,
    an_array,
    content,
    describe,
    failure,
    loose,
)
from symbackprop.checking.execution_builtins import BUILTINS, elements
from symbackprop.checking.execution_creation import FLOATING, truth
from symbackprop.checking.execution_guards import compare
from symbackprop.checking.execution_numpy import CONSTANTS, LOGIC, call_method, call_numpy
from symbackprop.checking.execution_operators import (
    COMPARISONS,
    MOST_DIGITS,
    condition,
    flag,
    key_of,
    operate,
)
from symbackprop.checking.execution_values import (
    Array,
    Labels,
    Misfitting,
    Named,
    Record,
    Routine,
    Unfollowed,
    Value,
    integer,
    number,
)
from symbackprop.checking.execution_views import viewed
from symbackprop.ir.expressions import Apply
from symbackprop.ir.terms import same_extent


def worth(node: ast.expr, m: Machine, frame: Frame) -> Value:
    """The value of an expression in a frame; errors carry the innermost node that they concern."""
    m.tick()
    try:
        return _worth(node, m, frame)
    except Unfollowed as error:
        error.node = error.node or node
        raise
    except Misfitting as error:
        error.node = error.node or node
        raise


@singledispatch
def _worth(node: ast.AST, m: Machine, frame: Frame) -> Value:
    raise Unfollowed(f"{type(node).__name__} is not followed", node)


@_worth.register
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


@_worth.register
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


@_worth.register
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
    if path in ("linalg", "special"):
        return Named(path, "module")
    return Named(path if path not in FLOATING else name, "numpy")


@_worth.register
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


@_worth.register
def _binary(node: ast.BinOp, m: Machine, frame: Frame) -> Value:
    left, right = worth(node.left, m, frame), worth(node.right, m, frame)
    return operate(node.op, left, right)


@_worth.register
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
    return ops.elementwise(lambda x, y: compare(word, x, y), an_array(a), an_array(b), boolean=True)


@_worth.register
def _bool(node: ast.BoolOp, m: Machine, frame: Frame) -> Value:
    wanted = isinstance(node.op, ast.Or)
    for value in node.values:
        if truth(condition(worth(value, m, frame))) == wanted:
            return flag(wanted)
    return flag(not wanted)


@_worth.register
def _if(node: ast.IfExp, m: Machine, frame: Frame) -> Value:
    chosen = truth(condition(worth(node.test, m, frame)))
    return worth(node.body if chosen else node.orelse, m, frame)


@_worth.register
def _tuple(node: ast.Tuple, m: Machine, frame: Frame) -> Value:
    return tuple(_items(node.elts, m, frame))


@_worth.register
def _list(node: ast.List, m: Machine, frame: Frame) -> Value:
    return list(_items(node.elts, m, frame))


def _items(nodes: Iterable[ast.expr], m: Machine, frame: Frame) -> Iterable[Value]:
    for node in nodes:
        if isinstance(node, ast.Starred):
            inner = content(worth(node.value, m, frame))
            if not isinstance(inner, list | tuple):
                raise Unfollowed("* of what is no list", node)
            yield from inner
        else:
            yield m.held(carried(node, m, frame))


def carried(node: ast.expr, m: Machine, frame: Frame) -> Value:
    """A value that is only handed on: what it cannot be known is handed on as unknown."""
    try:
        return worth(node, m, frame)
    except FAILURES as error:
        return failure(error, node)


@_worth.register
def _dict(node: ast.Dict, m: Machine, frame: Frame) -> Value:
    out: dict[str, Value] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            inner = content(worth(value, m, frame))
            if not isinstance(inner, dict):
                raise Unfollowed("** of what is no dict", value)
            out.update(inner)
        else:
            out[key_of(worth(key, m, frame))] = m.held(carried(value, m, frame))
    return out


@_worth.register
def _joined(node: ast.JoinedStr, m: Machine, frame: Frame) -> Value:
    out = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None or part.conversion != -1:
                raise Unfollowed("a formatted text", part)
            value = content(worth(part.value, m, frame))
            k = integer(value)
            if k is None and not isinstance(value, str):
                raise Unfollowed("a formatted text", part)
            out.append(value if isinstance(value, str) else str(k))
        else:
            out.append(str(content(worth(part, m, frame))))
    return "".join(out)


@_worth.register
def _subscript(node: ast.Subscript, m: Machine, frame: Frame) -> Value:
    owner = worth(node.value, m, frame)
    inner = content(owner)
    if isinstance(inner, Record):
        return _by_key(inner, content(worth(node.slice, m, frame)), m)
    if isinstance(inner, dict):
        key = key_of(worth(node.slice, m, frame))
        if key not in inner:
            raise Unfollowed(f"no key {key!r}")
        return inner[key]
    if isinstance(inner, list | tuple):
        return _element(inner, content(worth(node.slice, m, frame)))
    given = index_items(node.slice, m, frame)
    if isinstance(inner, Labels):
        return Labels(indexing.get(inner.hot, [*given, Ellipsis, slice(None)]))
    if not isinstance(inner, Array):
        raise Unfollowed(f"an index into {describe(inner)}")
    result = indexing.get(inner, given)
    simple = all(i is None or i is Ellipsis or isinstance(i, slice) or _single(i) for i in given)
    return viewed(owner, result) if simple and result.axes else result


def _single(item: Value) -> bool:
    item = loose(item)
    return isinstance(item, Array) and not item.axes


def _by_key(record: Record, key: Value, m: Machine) -> Value:
    if not isinstance(key, str):
        raise Unfollowed(f"a part of {record.name} by its place")
    if key not in record.attributes:
        found = m.abstract(f"{record.name}.{key}")
        if found is None:
            raise Unfollowed(f"{record.name}[{key!r}] is not known here")
        m.put(record.attributes, key, m.held(found))
    return record.attributes[key]


def _element(items: list[Value] | tuple[Value, ...], at: Value) -> Value:
    if isinstance(at, slice):
        ends = [None if e is None else integer(e) for e in (at.start, at.stop, at.step)]
        given = [e is not None for e in (at.start, at.stop, at.step)]
        if any(g and e is None for g, e in zip(given, ends, strict=True)) or ends[2] == 0:
            raise Unfollowed("a slice of a list that is not known")
        return items[slice(*ends)]
    k = integer(at)
    if k is None or not -len(items) <= k < len(items):
        raise Unfollowed("a place of a list that is not known")
    return items[k]


def index_items(node: ast.expr, m: Machine, frame: Frame) -> list[Value]:
    """The items between the brackets of ``a[…]``."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = [worth(p, m, frame) for p in parts]
    if len(found) == 1 and isinstance(loose(found[0]), tuple):
        found = list(loose(found[0]))
    return [content(f) for f in found]


@_worth.register
def _slice(node: ast.Slice, m: Machine, frame: Frame) -> Value:
    ends = (node.lower, node.upper, node.step)
    return slice(*(None if e is None else loose(worth(e, m, frame)) for e in ends))


@_worth.register
def _lambda(node: ast.Lambda, m: Machine, frame: Frame) -> Value:
    return Routine(node, frame)


@_worth.register(ast.ListComp)
@_worth.register(ast.GeneratorExp)
def _comprehension(node: Any, m: Machine, frame: Frame) -> Value:
    out: list[Value] = []
    _turns(node.generators, m, dict(frame), lambda inner: out.append(
        m.held(carried(node.elt, m, inner))
    ))  # fmt: skip
    return out


@_worth.register
def _dict_comprehension(node: ast.DictComp, m: Machine, frame: Frame) -> Value:
    out: dict[str, Value] = {}

    def turn(inner: Frame) -> None:
        out[key_of(worth(node.key, m, inner))] = m.held(carried(node.value, m, inner))

    _turns(node.generators, m, dict(frame), turn)
    return out


def _turns(
    generators: list[ast.comprehension], m: Machine, frame: Frame, act: Callable[[Frame], None]
) -> None:
    if not generators:
        act(frame)
        return
    first = generators[0]
    for item in elements(worth(first.iter, m, frame)):
        m.tick()
        unpack(first.target, item, m, frame)
        if all(truth(condition(worth(t, m, frame))) for t in first.ifs):
            _turns(generators[1:], m, frame, act)


def unpack(target: ast.expr, value: Value, m: Machine, frame: Frame) -> None:
    """Bind loop variables."""
    if isinstance(target, ast.Name):
        m.put(frame, target.id, m.held(value))
        return
    if isinstance(target, ast.Tuple | ast.List):
        parts = content(value)
        if isinstance(parts, Array) and parts.axes and integer(number(parts.shape[0])) is not None:
            parts = elements(parts)
        if not isinstance(parts, list | tuple) or len(parts) != len(target.elts):
            raise Unfollowed("what is unpacked has another number of parts", target)
        for each, part in zip(target.elts, parts, strict=True):
            unpack(each, part, m, frame)
        return
    raise Unfollowed("a loop variable that is no name", target)


@_worth.register
def _call(node: ast.Call, m: Machine, frame: Frame) -> Value:
    called = worth(node.func, m, frame)
    given = list(_items(node.args, m, frame))
    named: dict[str, Value] = {}
    for word in node.keywords:
        if word.arg is None:
            raise Unfollowed("** in a call")
        named[word.arg] = m.held(carried(word.value, m, frame))
    return call(called, given, named, m)


def call(called: Value, given: list[Value], named: dict[str, Value], m: Machine) -> Value:
    """The result of calling something."""
    if isinstance(called, Routine):
        from symbackprop.checking.execution_statements import invoke

        if m.depth >= MOST_CALLS:
            raise Unfollowed("calls nested this deep")
        return invoke(called, given, named, m)
    if not isinstance(called, Named):
        raise Unfollowed(f"a call of {describe(called)}")
    if called.owner == "class":
        return _instance(called.name, given, named, m)
    try:
        return _known(called, given, named, m)
    except (IndexError, KeyError, ValueError):
        # The rules take the operands that NumPy documents; with others it is NumPy that fails.
        raise Unfollowed(f"{called.name} with operands that it does not take") from None


def _known(called: Named, given: list[Value], named: dict[str, Value], m: Machine) -> Value:
    """The result of a function that is known by name."""
    if called.owner == "numpy":
        return call_numpy(m, called.name, given, named)
    if called.owner in ("model", "library"):
        if named:
            raise Unfollowed(f"{called.name} with keywords")
        result = ops.elementwise(lambda *x: Apply(called.name, *x), *map(an_array, given))
        guessed = frozenset((called.name,)) if called.owner == "library" else frozenset()
        return replace(result, guessed=result.guessed | guessed)
    if called.owner is None:
        return BUILTINS[called.name](m, given, named)
    return call_method(m, called.owner, called.name, given, named)


def _instance(name: str, given: list[Value], named: dict[str, Value], m: Machine) -> Value:
    """An object of a class of the file."""
    from symbackprop.checking.execution_statements import invoke

    methods = m.classes[name]
    record = Record({}, dict(methods), name)
    if "__init__" in methods:
        invoke(Routine(methods["__init__"], m.outer, record), given, named, m)
    return record
