"""What Python itself brings along: ``len``, ``range``, ``zip`` and their like, over extents that
may be symbols.

A loop goes through :func:`elements` where they can be counted, else through :func:`rows`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from sympy import Add, Expr, Integer, expand, floor

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking import execution_indexing as indexing
from symbackprop.checking.execution import (
    Machine,
    an_array,
    content,
    describe,
)
from symbackprop.checking.execution_operators import MOST_ITEMS, key_of, operate
from symbackprop.checking.execution_text import text_of
from symbackprop.checking.execution_values import (
    Array,
    Labels,
    Sequence_,
    Unfollowed,
    Value,
    integer,
    number,
)
from symbackprop.ir.expressions import Apply, FloorDiv, Index, Node
from symbackprop.ir.terms import same_extent


def elements(value: Value) -> list[Value]:
    """The things that a loop goes through, where they can be counted."""
    value = content(value)
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, Sequence_):
        count = integer(number(value.count))
        if count is None or count > MOST_ITEMS:
            raise Unfollowed("a loop over a range that is not known as a number")
        return [value.item(value.start + value.step * k) for k in range(max(0, count))]
    if isinstance(value, Array) and value.axes:
        count = integer(number(value.shape[0]))
        if count is not None and count <= MOST_ITEMS:
            return [indexing.get(value, [number(k)]) for k in range(count)]
    raise Unfollowed(f"a loop over {describe(value)}")


def _len(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    value = content(given[0])
    if isinstance(value, Array | Labels) and value.shape:
        return number(value.shape[0])
    if isinstance(value, list | tuple | dict):
        return number(len(value))
    raise Unfollowed(f"len of {describe(value)}")


def _range(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    ends = [an_array(g).expr for g in given]
    start, stop = (Integer(0), ends[0]) if len(ends) == 1 else ends[:2]
    step = int(ends[2]) if len(ends) == 3 and ends[2].is_Integer else 1
    if len(ends) == 3 and (not ends[2].is_Integer or step == 0):
        raise Unfollowed("a range with a step that is not known")
    span = stop - start
    if span.is_Integer:
        return Sequence_(Integer(len(range(0, int(span), step))), number, start, step)
    if step not in (1, -1):
        raise Unfollowed("a range with a step")
    if not _is_count(span * step, m):
        raise Unfollowed("a range that is empty for some sizes")
    return Sequence_(span * step, number, start, step)


def _is_count(e: Expr, m: Machine) -> bool:
    """Whether a length is never negative: an extent of the model, or a polynomial that has no
    negative term where every extent is 1 or more. A quantity of the model may be no count.
    """
    if any(not isinstance(n, FloorDiv) for n in e.atoms(Node)):
        return False
    if any(same_extent(e, known) or same_extent(e, known - 1) for known in m.extents):
        return True
    more = expand(e.xreplace({d: d + 1 for d in e.free_symbols if not isinstance(d, Index)}))
    return all(term.as_coeff_Mul()[0] >= 0 for term in Add.make_args(more)) and not more.has(floor)


def _reversed(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    value = content(given[0])
    if isinstance(value, list | tuple):
        return list(reversed(value))
    if isinstance(value, Sequence_):
        last = value.start + value.step * (value.count - 1)
        return Sequence_(value.count, value.item, last, -value.step)
    raise Unfollowed(f"reversed of {describe(value)}")


def rows(value: Value) -> Sequence_:
    """The rows of an array, or a range, as something to loop over together with others."""
    value = content(value)
    if isinstance(value, Sequence_):
        return value
    if isinstance(value, Array) and value.axes:
        return Sequence_(value.shape[0], lambda n: indexing.get(value, [number(n)]))
    if isinstance(value, Labels):
        hot = value.hot
        return Sequence_(value.shape[0], lambda n: Labels(indexing.get(hot, [number(n)])))
    raise Unfollowed(f"a loop over {describe(value)}")


def _countable(value: Value) -> bool:
    value = content(value)
    if isinstance(value, Sequence_):
        return bool(value.count.is_Integer)
    if isinstance(value, Array | Labels):
        return bool(value.shape) and bool(value.shape[0].is_Integer)
    return True


def _enumerate(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    if len(given) != 1 or named:
        raise Unfollowed("enumerate with a start")
    if _countable(given[0]):
        return [(number(k), v) for k, v in enumerate(elements(given[0]))]
    of = rows(given[0])
    if of.start != 0 or of.step != 1:
        raise Unfollowed("enumerate of such a range")
    return Sequence_(of.count, lambda n: (number(n), of.item(n)))


def _zip(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    if all(map(_countable, given)):
        return list(zip(*(elements(g) for g in given), strict=False))
    several = [rows(g) for g in given]
    first = several[0]
    for each in several:
        if each.start != 0 or each.step != 1 or not same_extent(each.count, first.count):
            raise Unfollowed("zip of ranges of different length")
    return Sequence_(first.count, lambda n: tuple(each.item(n) for each in several))


def _plain_sum(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    value = content(given[0])
    if named or len(given) > 1:
        raise Unfollowed("sum with a start")
    if isinstance(value, Array) and value.axes:
        return ops.reduce("sum", value, [0], False)
    out: Value = number(0)
    for item in elements(value):
        out = operate(ast.Add(), out, item)
    return out


def _float(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    value = an_array(given[0])
    if any(e != 1 for e in value.shape):
        raise Unfollowed("float of an array")
    return Array(value.expr, (), False, value.guessed)


def _int(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    value = an_array(given[0])
    if value.axes or not (value.expr.is_Integer or ops.is_extent(value.expr)):
        raise Unfollowed("int of a number that may be broken")
    return value


def _collected(kind: type[list[Value]] | type[tuple[Value, ...]]) -> Callable[..., Value]:
    """``list(x)``; a vector or a range of symbolic length serves as an index and stays itself."""

    def collected(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
        if not given:
            return kind()
        value = content(given[0])
        vector = isinstance(value, Array | Labels) and len(value.shape) == 1
        if (vector or isinstance(value, Sequence_)) and not _countable(value):
            return value
        return kind(elements(value))

    return collected


def _dict_call(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    out: dict[str, Value] = {}
    if given:
        value = content(given[0])
        pairs = value.items() if isinstance(value, dict) else elements(value)
        for pair in pairs:
            k, v = content(pair)
            out[key_of(k)] = v
    out.update({k: m.held(v) for k, v in named.items()})
    return out


def _abs(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    a = an_array(given[0])
    return ops.elementwise(lambda x: abs(x) if x.is_Rational else Apply("abs", x), a)


def _str(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    return text_of(given[0])


def _extreme(name: str) -> Callable[..., Value]:
    """``max`` or ``min``: of the entries of a vector, or of several numbers."""

    def extreme(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
        if named or not given:
            raise Unfollowed(f"{name} with keywords")
        if len(given) == 1:
            value = content(given[0])
            if isinstance(value, Array) and value.rank == 1:
                return ops.reduce(name, value, [0], False)
        first, *rest = [an_array(v) for v in (given if len(given) > 1 else elements(given[0]))]
        if any(a.axes for a in (first, *rest)):
            raise Unfollowed(f"{name} of these operands")
        for a in rest:
            first = ops.elementwise(lambda x, y: Apply(f"{name}imum", x, y), first, a)
        return first

    return extreme


def _nothing(m: Machine, given: list[Value], named: dict[str, Value]) -> Value:
    return None


BUILTINS: dict[str, Callable[..., Value]] = {
    "len": _len, "range": _range, "reversed": _reversed, "enumerate": _enumerate, "zip": _zip,
    "sum": _plain_sum, "float": _float, "int": _int, "list": _collected(list), "abs": _abs,
    "tuple": _collected(tuple), "dict": _dict_call, "print": _nothing,
    "str": _str, "max": _extreme("max"), "min": _extreme("min"),
}  # fmt: skip
