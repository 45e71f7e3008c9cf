"""One call of a NumPy function followed against a model: what it returns, and the gradients that it
assigns on the way.

Arrays that equal a quantity of the model, or its gradient, are kept under that name (by proof; by
value alone in a trial run); large ones get a name of their own, so that expressions stay small.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symbackprop.checking.execution import FAILURES, Frame, Machine, failure, loose
from symbackprop.checking.execution_effects import unsure_names
from symbackprop.checking.execution_frames import overwrite, snapshot, value_at
from symbackprop.checking.execution_statements import (
    Return,
    Signal,
    bind_import,
    enter,
    run_block,
    run_statement,
)
from symbackprop.checking.execution_values import (
    Array,
    Cell,
    Exhausted,
    Misfit,
    Named,
    Record,
    Routine,
    Unfollowed,
    Unknown,
    Value,
    number,
)
from symbackprop.checking.execution_worth import worth
from symbackprop.checking.numpy_names import parameter_meant, quantities
from symbackprop.checking.numpy_setting import Setting
from symbackprop.checking.work import Work
from symbackprop.errors import Malformed, Span
from symbackprop.library.functions import RULES
from symbackprop.notation.numpy_reader import Source, read_call

TOO_MUCH = "the function takes too much work to follow"


@dataclass(frozen=True, slots=True)
class Context:
    """What held before a statement; for one inside a loop over a symbolic range, before the loop,
    which is then ``statement``. ``part`` is the place in a returned tuple.
    """

    statement: ast.stmt
    frame: Frame
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An assignment on the way: the label of its target and what it holds then."""

    number: int
    label: str
    statement: ast.stmt
    target: ast.expr
    value: Array | Unknown | Misfit
    context: Context


@dataclass(frozen=True, slots=True)
class Outcome:
    """What following a call gave."""

    events: tuple[Event, ...]
    result: Value
    returned: ast.Return | None
    frame: Frame
    notes: tuple[tuple[int, str], ...]
    start: Mapping[str, Value] = field(default_factory=dict)
    failed: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Follower:
    """Follows one function of a file, again and again, with some assignments put right."""

    setting: Setting
    source: Source
    call: str | None = None
    work: Work = field(default_factory=Work)
    unsure: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.unsure = unsure_names(self.source)

    def run(
        self, right: Mapping[int, Array] | None = None, prove: bool = True,
        routine: ast.FunctionDef | None = None, remember: bool = False,
    ) -> Outcome:  # fmt: skip
        """Follow the call; after event ``k`` its target holds ``right[k]`` instead."""
        events: list[Event] = []
        before: list[Context] = []
        keep, whole = self.setting.keeper(prove), self.setting.whole
        m = Machine({}, self.resolve, keep, work=self.work, whole=whole)

        def watch(statement: ast.stmt, target: ast.expr, frame: Frame, _: Frame) -> None:
            if m.depth:
                return
            value = value_at(target, frame)
            if value is None:
                return
            here = len(events)
            if right and here in right:
                overwrite(target, frame, right[here], m)
            context = before[-1] if before else Context(statement, {})
            events.append(Event(here, ast.unparse(target), statement, target, value, context))

        start: dict[str, Value] = {}

        def record(statement: ast.stmt, frame: Frame) -> None:
            if not start:
                start.update({k: loose(v) for k, v in frame.items()})
            if remember and not m.depth and not m.loops_open:
                before[:] = [Context(statement, snapshot(frame))]

        def outcome(result: Value, node: ast.Return | None, frame: Frame) -> Outcome:
            notes, failed = tuple(m.notes), tuple(m.failed)
            return Outcome(tuple(events), result, node, frame, notes, start, failed)

        m.before = record
        self._prepare(m)
        start.clear()
        m.watch = watch
        try:
            frame, signal = self._enter(m, routine)
        except (Exhausted, *FAILURES) as error:
            known = isinstance(error, FAILURES)
            why = failure(error, ast.Pass()) if known else Unknown(TOO_MUCH, 0)
            return outcome(Cell(why), None, {})
        result = signal.value if isinstance(signal, Return) else None
        node = signal.node if isinstance(signal, Return) else None
        return outcome(result, node, frame)

    def resume(self, statements: list[ast.stmt], frame: Frame) -> Outcome:
        """Follow the rest of a function from what held before it, by value alone."""
        here = snapshot(frame)
        m = self.machine(here)
        m.keep = self.setting.brief
        try:
            signal = run_block(statements, m, here)
        except Exhausted:
            signal = None
        result = signal.value if isinstance(signal, Return) else None
        return Outcome((), result, signal.node if isinstance(signal, Return) else None, here, ())

    def machine(self, frame: Frame) -> Machine:
        """A machine for one statement, with the file's functions in sight."""
        m = Machine({}, self.resolve, work=self.work, whole=self.setting.whole)
        self._prepare(m)
        for name, value in m.outer.items():
            frame.setdefault(name, value)
        return m

    def _prepare(self, m: Machine) -> None:
        """What the file defines outside functions."""
        outer: Frame = {}
        m.outer = outer
        m.extents = self.setting.extents
        m.classes = self.source.classes
        for name in ("np", "numpy"):
            outer[name] = Named("", "module")
        for name, function in self.source.functions.items():
            outer[name] = Routine(function, outer)
        for name in self.source.classes:
            outer[name] = Named(name, "class")
        for statement in self.source.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                bind_import(statement, m, outer)
        if self.function() is not None:
            for statement in self.source.body:
                if isinstance(statement, ast.Assign | ast.AnnAssign):
                    run_statement(statement, m, outer)
            for name in sorted(self.unsure):
                outer[name] = Cell(Unknown(f"{name} is given several values in the file", 0))

    def resolve(self, name: str) -> Value | None:
        """A name that the code does not define."""
        program = self.setting.forward
        kind, _, rest = name.partition(" ")
        if kind == "onehot" and rest:
            return any(f.name == rest and f.kind == "onehot" for f in program.facts) or None
        owner, _, part = name.rpartition(".")
        if owner and not self._kept(owner, part):
            return None
        if owner:
            return self.meaning(part, f"{owner}.{part}")
        base = name.removesuffix("_prime").removesuffix("_pprime")
        if base in program.functions:
            return Named(name, "model")
        if name in RULES:
            self.setting.read_as[name] = f"the library's {name} (not defined in the file)"
            return Named(name, "library")
        return None

    def _kept(self, owner: str, part: str) -> bool:
        """Whether an attribute is set by a method of the class, so that it may be asked for; what
        a parameter holds is not known, so all may.
        """
        methods = self.source.classes.get(owner)
        if owner == "self":
            methods = {k: f for c in self.source.classes.values() for k, f in c.items()}
        if methods is None:
            return True
        return any(
            isinstance(n, ast.Attribute)
            and n.attr == part
            and isinstance(n.ctx, ast.Store)
            and isinstance(n.value, ast.Name)
            and n.value.id == f.args.args[0].arg
            for f in methods.values()
            if f.args.args
            for n in ast.walk(f)
        )

    def meaning(self, name: str, shown: str) -> Array | None:
        """The array that a parameter or attribute stands for by its name."""
        found = parameter_meant(name, self.setting.forward)
        if found is None:
            return self.setting.stacked().get(name)
        quantity, guess = found
        if any(d.name == quantity for d in self.setting.forward.dims):
            value = number(next(d for d in self.setting.forward.dims if d.name == quantity))
        else:
            value = self.setting.entry(quantity)
        if shown != quantity:
            note = " (a guess)" if guess else ""
            self.setting.read_as[shown] = f"{quantity}{note}"
        return replace(value, guessed=frozenset((shown,))) if guess else value

    def function(self) -> ast.FunctionDef | None:
        """The function that is followed; None where the file is straight-line code."""
        wanted = self._wanted()
        known = self._known()
        if wanted is not None:
            return known.get(wanted)
        marked = [n for n in known if "back" in n.lower() or "grad" in n.lower()]
        names = marked or list(known)
        return known[names[-1]] if names else None

    def _known(self) -> dict[str, ast.FunctionDef]:
        out: dict[str, ast.FunctionDef] = {}
        for methods in self.source.classes.values():
            out.update(methods)
        out.update(self.source.functions)
        return out

    def _wanted(self) -> str | None:
        if self.call is None:
            return None
        node = read_call(self.call)
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Attribute):
            return node.attr
        if isinstance(node, ast.Name):
            return node.id
        raise Malformed("the call of a function", self.call, hint="f(dout, (X, W, b))")

    def _enter(self, m: Machine, routine: ast.FunctionDef | None) -> tuple[Frame, Signal]:
        function = self.function()
        if function is not None and function.name in self.unsure:
            raise Unfollowed(f"{function.name} is given several values in the file", function)
        if function is None:
            if self.call is not None:
                raise Malformed(
                    f"a function {self._wanted()} in the file",
                    ", ".join(sorted(self._known())) or "none",
                    Span("<call>", self.call, 0, len(self.call)),
                )
            frame = {**m.outer, **self.frame()}
            return frame, run_block(list(self.source.body), m, frame)
        owner = self._owner(function, m)
        made = self._instance(m)
        owner = owner if made is None else made
        given, named = self._operands(function, owner, m)
        return enter(Routine(routine or function, m.outer, owner), given, named, m)

    def _owner(self, function: ast.FunctionDef, m: Machine) -> Record | None:
        for methods in self.source.classes.values():
            if function in methods.values():
                static = any(ast.unparse(d) == "staticmethod" for d in function.decorator_list)
                return None if static else Record({}, dict(methods), "self")
        return None

    def _instance(self, m: Machine) -> Record | None:
        """The object whose method is called, where the call makes one: ``Layer(W).backward(g)``."""
        node = read_call(self.call) if self.call is not None else None
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        made = self._operand(node.func.value, m, {**m.outer, **self.frame()})
        return made if isinstance(made, Record) else None

    def frame(self) -> Frame:
        """All quantities and extents of the model under their names."""
        out: Frame = {d.name: Cell(number(d)) for d in self.setting.forward.dims}
        for name in quantities(self.setting.program):
            out[name] = Cell(self.setting.entry(name))
        return out | {n: Cell(a) for n, a in self.setting.stacked().items()}

    def _operands(
        self, function: ast.FunctionDef, owner: Record | None, m: Machine
    ) -> tuple[list[Value], dict[str, Value]]:
        """The values of the parameters: as the call says, or by their names."""
        node = read_call(self.call) if self.call is not None else None
        if isinstance(node, ast.Call):
            frame = {**m.outer, **self.frame()}
            given = [m.held(self._operand(a, m, frame)) for a in node.args]
            named = {
                k.arg: m.held(self._operand(k.value, m, frame)) for k in node.keywords if k.arg
            }
            return given, named
        args = function.args
        plain = [*args.posonlyargs, *args.args][1 if owner is not None else 0 :]
        first_default = len(plain) - len(args.defaults)
        named = {}
        for k, parameter in enumerate([*plain, *args.kwonlyargs]):
            value = self.meaning(parameter.arg, parameter.arg)
            if value is not None:
                named[parameter.arg] = m.held(value)
            elif k < first_default or k >= len(plain):
                named[parameter.arg] = Record({}, {}, parameter.arg)
        return [], named

    def _operand(self, node: ast.expr, m: Machine, frame: Frame) -> Value:
        try:
            return worth(node, m, frame)
        except FAILURES as error:
            cause = failure(error, node)
            return Unknown(f"in the call: {cause.why}", cause.line)
