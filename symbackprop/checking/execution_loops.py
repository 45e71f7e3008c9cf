"""Loops over a symbolic range: one turn is followed with placeholders for what is carried from turn
to turn, and what it does to them is summed up.

The first try finds out what the body changes and is taken back; the second starts from
placeholders. A sum is added up over the range, a row written at each turn becomes the whole array;
what depends on the turn before is unknown.
"""

from __future__ import annotations

import ast
from typing import Any

from symbackprop.checking.execution import (
    MISSING,
    Change,
    Frame,
    Machine,
    line_of,
    loose,
)
from symbackprop.checking.execution_branches import report_assignments, without_continue
from symbackprop.checking.execution_builtins import rows
from symbackprop.checking.execution_collections import unpack
from symbackprop.checking.execution_effects import writes_into
from symbackprop.checking.execution_guards import at_last, closed
from symbackprop.checking.execution_statements import Signal, run_block, shares_memory
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Misfit,
    Unfollowed,
    Unknown,
    Value,
)
from symbackprop.ir.expressions import Entry, Index, entry_names, free_indices

Marks = dict[tuple[int, object], tuple[str, Array]]


def symbolic_loop(node: ast.For, over: Value, m: Machine, frame: Frame) -> Signal:
    """Follow ``for target in over`` for all turns at once."""
    turns = rows(over)
    m.loops += 1
    index = Index(f"t{m.loops}", turns.count)
    item = turns.item(turns.start + turns.step * index)
    if shares_memory(item) and writes_into(node.body, node.target):
        raise Unfollowed("a loop that changes the rows of an array through its variable", node)
    mark = len(m.journal)
    youngest = Cell(value=Unknown("", 0)).serial
    watch, notes, failed = m.watch, len(m.notes), len(m.failed)
    m.watch = None
    m.loops_open += 1
    try:
        first = _lasting(_turn(node, item, m, frame), youngest)
        m.undo(mark)
        del m.notes[notes:], m.failed[failed:]
        marks = _place_marks(first, m)
        second = _lasting(_turn(node, item, m, frame), youngest)
    finally:
        m.watch = watch
        m.loops_open -= 1
    after = [(box, key, old, _held(box, key)) for box, key, old in second]
    m.undo(mark)
    known = {(id(box), key) for box, key, _ in first}
    names = frozenset(name for name, _ in marks.values())
    for box, key, old, new in after:
        place = id(box), key
        if place not in known:
            if old is MISSING:
                continue
            raise Unfollowed("what the loop changes differs from turn to turn", node)
        _settle(box, key, new, marks.get(place), names, index, node, m)
    if m.watch is not None:
        report_assignments(node, m, frame)
    return None


def _turn(node: ast.For, item: Value, m: Machine, frame: Frame) -> list[Change]:
    mark = len(m.journal)
    unpack(node.target, item, m, frame)
    if run_block(without_continue(node.body), m, frame) is not None:
        raise Unfollowed("a loop over a symbolic range that is left early", node)
    return m.changed(mark)


def _lasting(changes: list[Change], youngest: int) -> list[Change]:
    """The changes of what was there before the loop."""
    return [c for c in changes if not (isinstance(c[0], Cell) and c[0].serial > youngest)]


def _held(box: Any, key: object) -> Value:
    if isinstance(box, Cell):
        return box.value
    if isinstance(box, list):
        return box[key] if isinstance(key, int) and key < len(box) else MISSING
    return box.get(key, MISSING)


def _place_marks(changes: list[Change], m: Machine) -> Marks:
    """Put a placeholder wherever the body changes an array that was there before."""
    marks: Marks = {}
    for box, key, old in changes:
        if isinstance(box, list):
            raise Unfollowed("a list that grows over a symbolic range")
        held = loose(old)
        if old is MISSING or not isinstance(held, Array):
            continue
        m.fresh += 1
        name = f"_carried{m.fresh}"
        own = Entry(name, *(0 if i.extent == 1 else i for i in held.axes))
        placeholder = Array(own, held.axes, False, held.guessed)
        marks[id(box), key] = name, held
        m.put(box, key, placeholder if isinstance(box, Cell) else Cell(placeholder))
    return marks


def _settle(
    box: Any,
    key: object,
    new: Value,
    carried: tuple[str, Array] | None,
    names: frozenset[str],
    index: Index,
    node: ast.For,
    m: Machine,
) -> None:
    """What is held after the last turn."""
    line = line_of(node)
    value = loose(new)
    result: Any = value
    if isinstance(value, Array):
        result = _after(value, carried, names, index, line)
    elif isinstance(value, Misfit | Unknown):
        result = value
    elif isinstance(new, dict | list | tuple):
        result = Unknown("a collection made at each turn of a loop", line)
    if isinstance(box, Cell):
        m.mutate(box, result) if box.base is None else m.spoil(box, "a view", line)
        return
    m.put(box, key, m.held(result) if isinstance(result, Array | Unknown | Misfit) else new)


def _after(
    value: Array,
    carried: tuple[str, Array] | None,
    names: frozenset[str],
    index: Index,
    line: int,
) -> Array | Unknown:
    if carried is None:
        try:
            value = at_last(value, index)
        except Unfollowed as error:
            return Unknown(error.message, line)
        if names & entry_names(value.expr):
            return Unknown("it holds what the last turn of the loop left", line)
        return value
    mark, before = carried
    if before.axes and len(value.axes) != len(before.axes):
        return Unknown("its rank changes in the loop", line)
    try:
        result = closed(value, before, mark, index)
    except Unfollowed as error:
        return Unknown(error.message, line)
    if names & entry_names(result.expr) or index in free_indices(result.expr):
        return Unknown("each turn of the loop depends on the turn before", line)
    return result
