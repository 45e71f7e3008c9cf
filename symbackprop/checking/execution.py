"""Following a NumPy function: an abstract machine over its syntax tree.

The machine keeps what each variable holds as an array in index notation. Nothing is run: every
construct has a rule here or in the files beside this one, and one without a rule makes the values
that depend on it unknown, with its line. A journal of all changes lets a loop or a branch be tried
and taken back. A *keeper* is told of every array bound to a name, and may give back the same array
in shorter words.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Expr

from symbackprop.checking.execution_joins import stacked
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Exhausted,
    Failing,
    Labels,
    Misfit,
    Misfitting,
    Named,
    Record,
    Routine,
    Sequence_,
    Unfollowed,
    Unknown,
    Value,
    View,
    array,
)
from symbackprop.checking.work import Work
from symbackprop.ir.expressions import Index

MOST_TICKS = 30_000
MOST_CALLS = 30
MISSING = object()

Box = dict[str, Value] | list[Value] | Cell
Frame = dict[str, Value]
Change = tuple[Box, object, object]
Keeper = Callable[[Array], Array]


@dataclass(slots=True)
class Machine:
    """The state of one execution."""

    functions: dict[str, Value]
    abstract: Callable[[str], Value | None]
    keep: Keeper = lambda a: a
    classes: Mapping[str, Mapping[str, ast.FunctionDef]] = field(default_factory=dict)
    outer: Frame = field(default_factory=dict)
    extents: tuple[Expr, ...] = ()  # those of the model that are no single dim
    whole: frozenset[str] = frozenset()  # arrays of the model that hold whole numbers
    journal: list[Change] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    watch: Callable[[ast.stmt, ast.expr, Frame, Frame], None] | None = None
    before: Callable[[ast.stmt, Frame], None] | None = None
    work: Work = field(default_factory=Work)
    ticks: int = 0
    depth: int = 0
    loops: int = 0
    loops_open: int = 0
    fresh: int = 0

    def tick(self) -> None:
        """One piece of work."""
        self.ticks += 1
        self.work.spend(1)
        if self.ticks > MOST_TICKS:
            raise Exhausted

    def put(self, box: Box, key: object, value: Value) -> None:
        """Change something, so that it can be taken back."""
        if isinstance(box, Cell):
            self.journal.append((box, None, box.value))
            box.value = value
        elif isinstance(box, dict):
            assert isinstance(key, str), "names and keys are text"
            self.journal.append((box, key, box.get(key, MISSING)))
            box[key] = value
        else:
            assert isinstance(key, int), "lists are indexed by whole numbers"
            self.journal.append((box, key, box[key] if key < len(box) else MISSING))
            if key < len(box):
                box[key] = value
            else:
                box.append(value)

    def undo(self, mark: int) -> None:
        """Take back all changes since the journal had this length."""
        while len(self.journal) > mark:
            box, key, old = self.journal.pop()
            if isinstance(box, Cell):
                box.value = old  # type: ignore[assignment]
            elif isinstance(box, dict):
                assert isinstance(key, str), "names and keys are text"
                if old is MISSING:
                    box.pop(key, None)
                else:
                    box[key] = old
            else:
                assert isinstance(key, int), "lists are indexed by whole numbers"
                if old is MISSING:
                    box.pop()
                else:
                    box[key] = old

    def changed(self, mark: int) -> list[Change]:
        """The places changed since, each once, with what they held first."""
        seen: dict[tuple[int, object], Change] = {}
        for change in self.journal[mark:]:
            seen.setdefault((id(change[0]), change[1]), change)
        return list(seen.values())

    def mutate(self, cell: Cell, value: Array | Labels | Unknown | Misfit) -> None:
        """Change an array in place; views of it no longer hold what they are recorded to hold."""
        if cell.base is not None:
            self.spoil(cell.base, "changed through a view of it", 0)
            self.put(cell, None, value)
            return
        self.put(cell, None, self.kept(value))
        for view in cell.views:
            self.put(view, None, Unknown("a view of an array that was changed later", 0))

    def spoil(self, cell: Cell, why: str, line: int) -> None:
        """What a cell holds is no longer known, nor what its views hold."""
        self.spoil_by(cell, Unknown(why, line))

    def spoil_by(self, cell: Cell, cause: Unknown | Misfit) -> None:
        """The same for a known cause."""
        self.put(cell, None, cause)
        for view in cell.views:
            self.put(view, None, cause)
        if cell.base is not None:
            self.spoil_by(cell.base, cause)

    def kept(self, value: Value) -> Value:
        """An array as the keeper words it."""
        return self.keep(value) if isinstance(value, Array) else value

    def held(self, value: Value) -> Value:
        """A value as a variable holds it: arrays live in cells."""
        if isinstance(value, View):
            cell = Cell(self.kept(value.array), value.base)
            value.base.views.append(cell)
            return cell
        if isinstance(value, Array | Labels | Unknown | Misfit):
            return Cell(self.kept(value))
        return value


def loose(value: Value) -> Value:
    """A value out of its memory: the array in a cell or view."""
    if isinstance(value, Cell):
        return value.value
    return value.array if isinstance(value, View) else value


def content(value: Value, node: ast.AST | None = None) -> Value:
    """What a value is, for an operation that needs to know it."""
    value = loose(value)
    if isinstance(value, Unknown):
        raise Depends(value)
    if isinstance(value, Misfit):
        raise Depends(value)
    return value


def an_array(value: Value, node: ast.AST | None = None) -> Array:
    """A value that must be an array; a list or tuple of arrays is stacked."""
    value = content(value, node)
    if isinstance(value, Array):
        return value
    if isinstance(value, list | tuple):
        return stacked([an_array(v, node) for v in value], 0)
    if isinstance(value, Sequence_):
        index = Index("_turn", value.count)
        each = an_array(value.item(value.start + value.step * index), node)
        return array(each.expr, (index, *each.axes), (each,), each.boolean)
    refused = value is None or isinstance(value, dict | Labels | Record)
    raise (Failing if refused else Unfollowed)(f"{describe(value)} where an array is needed", node)


class Depends(Exception):
    """A value needed here was not followed, or could not be computed; it is carried on."""

    def __init__(self, cause: Unknown | Misfit) -> None:
        super().__init__(cause.why)
        self.cause = cause


def describe(value: Value) -> str:
    """A value in a word or two."""
    if value is None:
        return "None"
    words = {
        Labels: "labels", Record: "an object", Routine: "a function", Named: "a function",
        dict: "a dict", list: "a list", tuple: "a tuple", str: "text", slice: "a slice",
    }  # fmt: skip
    return words.get(type(value), "a value")


def line_of(node: ast.AST | None, default: int = 0) -> int:
    """The line of a node."""
    return getattr(node, "lineno", default) if node is not None else default


def failure(error: Exception, node: ast.AST) -> Unknown | Misfit:
    """What a value is that could not be worked out because of this error."""
    if isinstance(error, Depends):
        return error.cause
    if isinstance(error, Misfitting):
        line = line_of(error.node or node)
        return Misfit(error.message, line, error.shapes, error.guessed)
    assert isinstance(error, Unfollowed), "the three ways not to have a value"
    return Unknown(error.message, line_of(error.node or node))


def noted_failure(error: Exception, node: ast.AST, m: Machine) -> Unknown | Misfit:
    """The same; code that is not followed is told of, and so is code that cannot run."""
    cause = failure(error, node)
    if isinstance(error, Failing) or (isinstance(error, Misfitting) and not error.guessed):
        m.failed.append((cause.line, cause.why))
    elif isinstance(error, Unfollowed):
        m.notes.append((cause.line, cause.why))
    return cause


FAILURES = (Depends, Misfitting, Unfollowed)


def arrays_in(values: Sequence[Value]) -> list[Array]:
    """The arrays among some values."""
    return [v for v in map(loose, values) if isinstance(v, Array)]
