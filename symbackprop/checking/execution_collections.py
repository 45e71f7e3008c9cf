"""What lists, tuples and dicts of Python are worth, their parts and those of arrays, and what
comprehensions make of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import (
    Frame,
    Machine,
    an_array,
    content,
    describe,
    loose,
)
from symbackprop.checking.execution_builtins import elements
from symbackprop.checking.execution_creation import truth
from symbackprop.checking.execution_operators import condition, key_of
from symbackprop.checking.execution_values import (
    Array,
    Failing,
    Labels,
    Record,
    Sequence_,
    Unfollowed,
    Value,
    integer,
    number,
)
from symbackprop.checking.execution_views import viewed
from symbackprop.checking.execution_worth import carried, rule, worth
from symbackprop.ir.expressions import Index, substitute


@rule.register
def _tuple(node: ast.Tuple, m: Machine, frame: Frame) -> Value:
    return tuple(items(node.elts, m, frame))


@rule.register
def _list(node: ast.List, m: Machine, frame: Frame) -> Value:
    return list(items(node.elts, m, frame))


def items(nodes: Iterable[ast.expr], m: Machine, frame: Frame) -> Iterable[Value]:
    """The values side by side in a call or a list, those behind a star one by one."""
    for node in nodes:
        if isinstance(node, ast.Starred):
            inner = content(worth(node.value, m, frame))
            if not isinstance(inner, list | tuple):
                raise Unfollowed("* of what is no list", node)
            yield from inner
        else:
            yield m.held(carried(node, m, frame))


@rule.register
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


@rule.register
def _subscript(node: ast.Subscript, m: Machine, frame: Frame) -> Value:
    owner = worth(node.value, m, frame)
    inner = content(owner)
    if isinstance(inner, Record):
        return _by_key(inner, content(worth(node.slice, m, frame)), m)
    if isinstance(inner, dict):
        key = key_of(worth(node.slice, m, frame))
        if key not in inner:
            raise Failing(f"no key {key!r}")
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
    if k is None:
        raise Unfollowed("a place of a list that is not known")
    if not -len(items) <= k < len(items):
        raise Failing(f"place {k} of a list of {len(items)}")
    return items[k]


def index_items(node: ast.expr, m: Machine, frame: Frame) -> list[Value]:
    """The items between the brackets of ``a[…]``."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = [worth(p, m, frame) for p in parts]
    if len(found) == 1 and isinstance(loose(found[0]), tuple):
        found = list(loose(found[0]))
    return [content(f) for f in found]


@rule.register
def _slice(node: ast.Slice, m: Machine, frame: Frame) -> Value:
    ends = (node.lower, node.upper, node.step)
    return slice(*(None if e is None else loose(worth(e, m, frame)) for e in ends))


@rule.register(ast.ListComp)
@rule.register(ast.GeneratorExp)
def _comprehension(node: Any, m: Machine, frame: Frame) -> Value:
    over = content(worth(node.generators[0].iter, m, frame))
    if isinstance(over, Sequence_) and not over.count.is_Integer:
        return _for_every(node, over, m, frame)
    out: list[Value] = []
    _turns(node.generators, m, dict(frame), lambda inner: out.append(
        m.held(carried(node.elt, m, inner))
    ))  # fmt: skip
    return out


def _for_every(node: Any, over: Sequence_, m: Machine, frame: Frame) -> Value:
    """``[f(i) for i in range(T)]``: its generic element, at each place of the range."""
    first = node.generators[0]
    if len(node.generators) > 1 or first.ifs:
        raise Unfollowed("a list over a range that is not known as a number")
    m.loops += 1
    index = Index(f"t{m.loops}", over.count)
    inner = dict(frame)
    unpack(first.target, over.item(over.start + over.step * index), m, inner)
    made = an_array(worth(node.elt, m, inner))
    return Sequence_(over.count, lambda n: replace(made, expr=substitute(made.expr, {index: n})))


@rule.register
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


def not_as_many(parts: Value, target: ast.expr) -> Unfollowed:
    """What is wrong with unpacking these parts into other than so many names."""
    counted = isinstance(parts, list | tuple) or (isinstance(parts, Array) and not parts.axes)
    of = Failing if counted else Unfollowed
    return of("what is unpacked has another number of parts", target)


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
            raise not_as_many(parts, target)
        for each, part in zip(target.elts, parts, strict=True):
            unpack(each, part, m, frame)
        return
    raise Unfollowed("a loop variable that is no name", target)
