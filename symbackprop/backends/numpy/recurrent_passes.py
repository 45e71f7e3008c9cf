"""The statements of a recurrence as code: loops over the steps, members as rows of their stacks.

``H[l-1]`` of a family that begins at 0 is ``H[l - 1]``, ``W[l]`` of one that begins at 1 is
``W[l - 1]``. A quantity that nobody needs after its turn is a plain array of that turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Expr, Symbol, expand

from symbackprop.backends.numpy.buffers import Buffer, Buffered
from symbackprop.backends.numpy.layout import commented
from symbackprop.backends.numpy.mathematics import mathematics
from symbackprop.backends.numpy.names import identifiers, unused
from symbackprop.backends.numpy.passes import Passes, called
from symbackprop.backends.numpy.plan import Plan, Statement, Turns
from symbackprop.backends.numpy.recurrent_plan import base_of
from symbackprop.backends.numpy.stable import SPELLED
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.families import family_of, letter_symbol, read_label, split_member
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Shape, names_in
from symbackprop.matrix.relabelling import Definition, put_in


@dataclass(frozen=True, slots=True)
class Stack:
    """An array of members: the label of the first, how many there are, the shape of one."""

    first: Expr
    count: Expr
    shape: Shape

    @property
    def whole(self) -> Shape:
        return (self.count, *self.shape)


@dataclass(frozen=True, slots=True)
class RecurrentPasses(Passes):
    """The code of both passes of a record with families."""

    stacks: Mapping[str, Stack] = field(default_factory=dict)
    passing: frozenset[str] = frozenset()

    def lines(self, statements: Sequence[Statement], results: Iterable[str]) -> list[str]:
        """A pass: stacks made when first filled, loops with their statements."""
        out: list[str] = []
        made: set[str] = set()
        for turns, group in grouped(statements):
            for s in group:
                out += self._made(s, made)
            if turns is None:
                out += [x for s in group for x in self._line(s, copy=s.key in results)]
                continue
            out.append(self.header(turns))
            for guard, guarded in by_guard(group):
                indent = 12 if guard else 8
                body = [x for s in guarded for x in self._line(s, copy=False, indent=indent)]
                out += [f"    {x}" for x in self.under(guard, turns, body)]
        return out

    def header(self, turns: Turns) -> str:
        """``for l in range(…):``"""
        letter = self.names[turns.letter]
        first, last = (self.writer.extent(e) for e in (turns.first, turns.last))
        if not turns.downwards:
            return f"for {letter} in range({first}, {self.writer.extent(turns.last + 1)}):"
        return f"for {letter} in range({last}, {self.writer.extent(turns.first - 1)}, -1):"

    def under(self, guard: str, turns: Turns, body: list[str]) -> list[str]:
        """Lines under the condition on the turn."""
        if not guard:
            return body
        letter, last = self.names[turns.letter], self.writer.extent(turns.last)
        heads = {
            "below": f"if {letter} < {last}:", "last": f"if {letter} == {last}:", "else": "else:",
        }  # fmt: skip
        return [heads[guard], *(f"    {x}" for x in body)]

    def _made(self, s: Statement, made: set[str]) -> list[str]:
        """The line that makes what a statement fills in turn by turn."""
        base = base_of(s.key)
        if base in made or (base == s.key and not s.adds) or base in self.passing:
            return []
        made.add(base)
        if s.adds:
            zero = f"np.zeros({self.writer.shape(s.term.shape)}, dtype)"
            return [f"{self.names[base]} = {zero}"]
        shape = self.writer.shape(self.stacks[base].whole)
        return [f"{self.names[base]} = np.empty({shape}, dtype)"]

    def _line(self, s: Statement, *, copy: bool, indent: int = 4) -> list[str]:
        if s.adds:
            line = f"{self.names[s.key]} += {self.writer.source(s.term)}"
            return commented([line], "", indent)
        return Passes._line(self, s, copy=copy and s.key == base_of(s.key), indent=indent)

    def mathematics(self, s: Statement) -> str:
        meant = s.term if s.equation is None or s.equation.hidden else s.equation.term
        hidden = {e.name: Definition(e.term, e.step) for e in self.program.equations if e.hidden}
        letters = {x: letter_symbol(x) for x in self.program.loops}
        return mathematics(s.key, put_in(meant, hidden, letters))

    def shape_of(self, key: str) -> Shape:
        if key in self.stacks:
            return self.stacks[key].whole
        for s in (*self.plan.forward, *self.plan.backward):
            if s.key == key:
                return s.term.shape
        return self.program.shape_of(key.removeprefix("grad_"))

    def filled(self) -> tuple[str, ...]:
        keys = (base_of(s.key) for s in self.plan.forward)
        return tuple(dict.fromkeys(keys))

    def statements_buffered(self, results: Iterable[str]) -> tuple[list[str], list[Buffer]]:
        emit = RecurrentBuffered(dict(self.names))
        out: list[str] = []
        made: set[str] = set()
        for turns, group in grouped((*self.plan.forward, *self.plan.backward)):
            for s in group:
                out += self._made_in(s, made, emit)
            if turns is None:
                out += [x for s in group for x in self._buffered(s, emit, results)]
                continue
            out.append(self.header(turns))
            for guard, guarded in by_guard(group):
                before = set(emit.written)
                indent = 12 if guard else 8
                body = [x for s in guarded for x in self._buffered(s, emit, (), indent)]
                if guard:
                    emit.written = before
                out += [f"    {x}" for x in self.under(guard, turns, body)]
        return out, emit.buffers

    def _made_in(self, s: Statement, made: set[str], emit: RecurrentBuffered) -> list[str]:
        base = base_of(s.key)
        lines = self._made(s, made)
        if not lines or (s.adds and not s.term.shape):
            return lines
        own = self.names[base]
        shape = s.term.shape if s.adds else self.stacks[base].whole
        emit.buffers.append(Buffer(own, self.writer.shape(shape), False))
        emit.written.add(own)
        return [f"{own} = ws.{own}", *([f"{own}.fill(0)"] if s.adds else [])]

    def _buffered(
        self, s: Statement, emit: RecurrentBuffered, results: Iterable[str], indent: int = 4
    ) -> list[str]:
        if s.adds:
            return commented(emit.added(s), "", indent)
        copy = s.key in results and s.key == base_of(s.key)
        return commented(emit.statement(s, copy=copy), self.mathematics(s), indent)


class RecurrentBuffered(Buffered):
    """As for other statements; members lie in their stacks."""

    __slots__ = ()

    def added(self, s: Statement) -> list[str]:
        """The lines of a statement that adds."""
        self.lines = []
        flat, held = self._flat(s.term)
        self.lines.append(f"{self.names[s.key]} += {self.writer.source(flat)}")
        self._release(held)
        return self.lines

    def _own(self, key: str, shape: Shape, *, mask: bool) -> None:
        if key.endswith("]"):
            self.written.add(key)
        elif all(b.name != key for b in self.buffers):
            super()._own(key, shape, mask=mask)


def grouped(
    statements: Sequence[Statement],
) -> Iterator[tuple[Turns | None, tuple[Statement, ...]]]:
    """Statements by loops; those outside one by one."""
    group: list[Statement] = []
    for s in statements:
        if group and (s.turns is None or s.turns != group[-1].turns or group[-1].turns is None):
            yield group[-1].turns, tuple(group)
            group = []
        group.append(s)
    if group:
        yield group[-1].turns, tuple(group)


def by_guard(group: Sequence[Statement]) -> Iterator[tuple[str, tuple[Statement, ...]]]:
    """Runs of statements under one condition; what follows ``below`` at the last is its else."""
    run: list[Statement] = []
    before = ""
    for s in (*group, None):
        if run and (s is None or s.guard != run[-1].guard):
            guard = run[-1].guard
            yield ("else" if guard == "last" and before == "below" else guard), tuple(run)
            before, run = guard, []
        if s is not None:
            run.append(s)


def recurrent_passes(record: DerivationRecord, plan: Plan) -> RecurrentPasses:
    """The passes of a planned record with families, with the code of every name and member."""
    program = record.program
    statements = (*plan.forward, *plan.backward)
    stacks = _stacks(program, statements)
    passing = _passing(plan, program, statements)
    everything = [q.name for q in program.inputs] + [d.name for d in program.dims]
    everything += program.functions
    everything += [base_of(s.key) for s in statements]
    everything += [f for s in statements for f in called(s.term) if f not in SPELLED]
    everything += [plan.seed] if plan.seed else []
    names = identifiers(everything)
    letters = dict.fromkeys(s.turns.letter for s in statements if s.turns is not None)
    for letter in letters:
        names.setdefault(letter, unused(letter, names.values()))
    members = {n for s in statements for n in (s.key, *names_in(s.term)) if split_member(n)}
    for key in sorted(members):
        names[key] = _code(key, names, stacks, passing, letters)
    return RecurrentPasses(program, plan, names, stacks=stacks, passing=passing)


def _code(
    key: str,
    names: Mapping[str, str],
    stacks: Mapping[str, Stack],
    passing: frozenset[str],
    letters: Iterable[str],
) -> str:
    parts = split_member(key)
    assert parts is not None, "only members have a place in a stack"
    base = parts[0]
    if base in passing:
        return names[base]
    label = read_label(parts[1], {x: letter_symbol(x) for x in letters})
    place = expand(label - stacks[base].first)
    code = str(place.xreplace({s: Symbol(names[s.name]) for s in place.free_symbols}))
    return f"{names[base]}[{code}]"


def _stacks(program: Program, statements: Sequence[Statement]) -> dict[str, Stack]:
    """Every stack by name: inputs, quantities, adjoints, and what loops share."""
    out: dict[str, Stack] = {}
    for q in program.inputs:
        if q.name in program.families:
            family = program.families[q.name]
            out[q.name] = Stack(family.first, family.count, q.shape[1:])
    for s in statements:
        base = base_of(s.key)
        if base == s.key or base in out:
            continue
        known = family_of(base, program.families)
        if known is not None:
            out[base] = Stack(known.first, known.count, s.term.shape)
        else:
            assert s.turns is not None, "what is shared stands in a loop"
            count = expand(s.turns.last - s.turns.first + 1)
            out[base] = Stack(s.turns.first, count, s.term.shape)
    return out


def _passing(plan: Plan, program: Program, statements: Sequence[Statement]) -> frozenset[str]:
    """Stacks of which each member is used at its own turn alone."""
    kept = {*plan.saved, *plan.results.values(), plan.of, *(q.name for q in program.inputs)}
    found: dict[str, set[object]] = {}
    for s in statements:
        for used in (s.key, *names_in(s.term)):
            parts = split_member(used)
            if parts is None:
                found.setdefault(used, set()).add("whole")
                continue
            own = s.turns is not None and parts[1] == s.turns.letter
            found.setdefault(parts[0], set()).add(s.turns if own else used)
    return frozenset(
        base
        for base, uses in found.items()
        if base not in kept and len(uses) == 1 and isinstance(next(iter(uses)), Turns)
    )
