"""Which statements a kernel of a recurrence runs: those of its steps in loops, in order.

Statements over members that have the same steps share a loop as long as none looks against its
direction. A sum over steps becomes additions inside the loop. What a loop leaves out (the adjoint
of the last member, that of the first) stands before it, after it, or under a condition inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr, expand

from symbackprop.backends.numpy.economy import economical
from symbackprop.backends.numpy.names import describe
from symbackprop.backends.numpy.plan import Plan, Statement, Turns, reached, results_of
from symbackprop.backends.numpy.recurrent_sharing import shared
from symbackprop.backends.numpy.stable import steady
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.families import (
    family_of,
    letter_symbol,
    member,
    read_label,
    split_member,
)
from symbackprop.ir.members import range_of, step_of
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.schedule import blocks
from symbackprop.ir.terms import Term, name, names_in, same_extent
from symbackprop.matrix.relabelling import relabelled


def base_of(key: str) -> str:
    """The stack of a member, any other name as it is."""
    parts = split_member(key)
    return parts[0] if parts else key


@dataclass(slots=True)
class _Assembly:
    """Statements put in order; the loop that is open, what it computes, what follows it."""

    program: Program
    downwards: bool
    out: list[Statement] = field(default_factory=list)
    turns: Turns | None = None
    body: list[Statement] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)

    def take(self, equation: Equation, term: Term) -> None:
        """One more equation, after those that it uses."""
        step = step_of(self.program, equation)
        told = range_of(self.program, equation)
        if told is not None:
            self._rule(equation, term, told)
        elif step is not None:
            self._single(equation, term, step.offset)
        else:
            self._ordinary(equation.name, term, equation)

    def _rule(self, equation: Equation, term: Term, told: tuple[str, Expr, Expr]) -> None:
        letter, first, last = told
        turns = self._turns(letter, first, last)
        guard = "" if same_extent(last, turns.last) else "below"
        key = member(equation.name, letter_symbol(letter))
        if turns.letter != letter:
            key = member(equation.name, letter_symbol(turns.letter))
            term = relabelled(term, letter, letter_symbol(turns.letter))
        self._join(Statement(key, term, equation, turns, guard))
        if not same_extent(first, turns.first):
            label = member(equation.name, first)
            lowest = relabelled(term, turns.letter, first)
            self.after.append(Statement(label, lowest, equation))

    def _turns(self, letter: str, first: Expr, last: Expr) -> Turns:
        """The turns of the loop in which a rule for these steps has its place: those of the
        recurrence, if at most the ends differ.
        """
        for loop in self.program.loops.values():
            begins = any(same_extent(first, expand(loop.first - k)) for k in (0, 1))
            ends = any(same_extent(last, expand(loop.last - k)) for k in (0, 1))
            if begins and ends:
                return Turns(loop.index, loop.first, loop.last, self.downwards)
        return Turns(letter, first, last, self.downwards)

    def _single(self, equation: Equation, term: Term, label: Expr) -> None:
        statement = Statement(member(equation.name, label), term, equation)
        if not self.downwards:
            self._ordinary(statement.key, term, equation)
            return
        family = family_of(equation.name, self.program.families)
        assert family is not None, "a single member belongs to a family"
        if not same_extent(label, family.last):
            self.after.append(statement)
        elif self._uses_open(term):
            assert self.turns is not None, "what is open has turns"
            letter = self.turns.letter
            self._join(
                Statement(
                    member(equation.name, letter_symbol(letter)),
                    at_letter(term, label, letter),
                    equation,
                    self.turns,
                    "last",
                )
            )
        else:
            self.out.append(statement)

    def _ordinary(self, key: str, term: Term, equation: Equation) -> None:
        term = self._sums_taken_out(key, term, equation)
        if term.op == "name" and term.attrs[0] == key:
            return
        waiting = {base_of(s.key) for s in self.after}
        late = self._uses_open(term) or bool(_bases(term) & waiting)
        (self.after if late else self.out).append(Statement(key, term, equation))

    def _sums_taken_out(self, key: str, term: Term, equation: Equation) -> Term:
        """``term`` with sums over steps replaced by names that loops add up."""
        if term.op == "series":
            letter, first, last = term.attrs
            turns = self._turns(letter, first, last)
            if not (same_extent(first, turns.first) and same_extent(last, turns.last)):
                turns = Turns(letter, first, last, self.downwards)
            body = relabelled(term.args[0], letter, letter_symbol(turns.letter))
            self._join(Statement(key, body, equation, turns, adds=True))
            return name(key, term.shape)
        args = []
        for k, a in enumerate(term.args):
            own = f"{key}_sum" if k == 0 else f"{key}_sum_{k + 1}"
            args.append(self._sums_taken_out(own, a, equation))
        return replace(term, args=tuple(args))

    def _join(self, s: Statement) -> None:
        """Put a statement into the open loop, or into a new one."""
        if self.turns is not None and (
            s.turns != self.turns or self._against(s) or _bases(s.term) & self._waiting()
        ):
            self.close()
        if self.turns is None:
            self.turns = s.turns
        self.body.append(s)

    def _waiting(self) -> set[str]:
        """What stands below the open loop and is no member of what the loop computes."""
        return {base_of(s.key) for s in self.after} - {base_of(s.key) for s in self.body}

    def _against(self, s: Statement) -> bool:
        """Whether a statement looks at a turn of the open loop that is still to come."""
        assert s.turns is not None, "a statement of a loop has turns"
        computed = {base_of(x.key) for x in self.body}
        totals = {x.key for x in self.body if x.adds}
        letters = {s.turns.letter: letter_symbol(s.turns.letter)}
        for used in names_in(s.term):
            if base_of(used) not in computed:
                continue
            parts = split_member(used)
            if parts is None:
                if used in totals:
                    return True
                continue
            gap = expand(read_label(parts[1], letters) - letter_symbol(s.turns.letter))
            if not gap.is_Integer or (gap < 0 if self.downwards else gap > 0):
                return True
        return False

    def _uses_open(self, term: Term) -> bool:
        return bool(_bases(term) & {base_of(s.key) for s in self.body})

    def close(self) -> None:
        """End the open loop, and put down what follows it."""
        self.out += [*self.body, *self.after]
        self.turns, self.body, self.after = None, [], []


def _bases(term: Term) -> set[str]:
    return {base_of(n) for n in names_in(term)}


def at_letter(term: Term, label: Expr, letter: str) -> Term:
    """``term`` with labels told by the letter of a step, where that step is ``label``."""
    if term.op == "name":
        parts = split_member(term.attrs[0])
        if parts is None:
            return term
        gap = expand(read_label(parts[1], {}) - label)
        if not gap.is_Integer:
            return term
        return replace(term, attrs=(member(parts[0], gap + letter_symbol(letter)),))
    args = tuple(at_letter(a, label, letter) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def recurrent_plan(record: DerivationRecord) -> Plan:
    """The statements of both passes of a record whose program has families."""
    program = record.program
    inputs = [q.name for q in program.inputs]
    keys = {e.name: _key(program, e) for e in program.equations}
    definitions = {keys[e.name]: e.term for e in program.equations}

    def calm(term: Term) -> Term:
        return economical(steady(term, definitions, program.rules))

    forward = assembled(
        program, [(e, calm(e.term)) for e in _ordered(program.equations)], downwards=False
    )
    adjoints = [e for d in record.derivatives for e in d.equations]
    backward = assembled(program, [(e, calm(e.term)) for e in _ordered(adjoints)], downwards=True)
    results = results_of(record, inputs)
    forward, backward = _hidden_swapped(forward, program), tuple(backward)
    wanted = _needed((*forward, *backward), {record.of, *results.values()})
    forward = tuple(s for s in forward if base_of(s.key) in wanted)
    backward = tuple(s for s in backward if base_of(s.key) in wanted)
    forward, backward = _described(forward, backward, program)
    forward, backward = shared(forward, backward, program)
    saved = _saved(forward, backward, inputs)
    seed = f"grad_{record.of}"
    if not any(seed in names_in(s.term) for s in backward) or any(s.key == seed for s in backward):
        seed = ""
    return Plan(record.of, forward, backward, saved, results, seed)


def _key(program: Program, equation: Equation) -> str:
    step = step_of(program, equation)
    if step is None:
        return equation.name
    single = equation.indices[0].extent == 1
    return member(equation.name, step.offset if single else step.letter)


def _ordered(equations: Sequence[Equation]) -> list[Equation]:
    """Each after those that it uses, as they stand where they use each other."""
    return [e for block in blocks(equations) for e in block]


def assembled(
    program: Program, items: Sequence[tuple[Equation, Term]], *, downwards: bool
) -> tuple[Statement, ...]:
    """Statements in order, those of loops side by side."""
    run = _Assembly(program, downwards)
    for equation, term in items:
        run.take(equation, term)
    run.close()
    return tuple(run.out)


def _hidden_swapped(statements: Sequence[Statement], program: Program) -> tuple[Statement, ...]:
    """Hidden quantities by name wherever a later statement computes them again."""
    hidden = {e.name for e in program.equations if e.hidden}
    out: list[Statement] = []
    for s in statements:
        for earlier in out:
            if base_of(earlier.key) in hidden and earlier.turns == s.turns:
                known = name(earlier.key, earlier.term.shape)
                s = replace(s, term=_swap(s.term, earlier.term, known))
        out.append(s)
    return tuple(out)


def _swap(term: Term, old: Term, new: Term) -> Term:
    if term == old:
        return new
    args = tuple(_swap(a, old, new) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def _needed(statements: Sequence[Statement], roots: set[str]) -> set[str]:
    uses: dict[str, set[str]] = {}
    for s in statements:
        uses.setdefault(base_of(s.key), set()).update(_bases(s.term))
    return reached(uses, roots)


def _described(
    forward: Sequence[Statement], backward: Sequence[Statement], program: Program
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Hidden quantities under names that say what they hold."""
    hidden = {e.name for e in program.equations if e.hidden}
    taken = {q.name for q in program.inputs} | {e.name for e in program.equations}
    taken |= {d.name for d in program.dims} | set(program.functions) | set(program.loops)
    rename: dict[str, str] = {}
    for s in forward:
        base = base_of(s.key)
        if base in hidden and base not in rename:
            wish, count = describe(_renamed(s.term, rename)), 1
            word = wish
            while word in taken:
                count += 1
                word = f"{wish}_{count}"
            taken.add(word)
            rename[base] = word
    if not rename:
        return tuple(forward), tuple(backward)
    return tuple(
        tuple(replace(s, key=_named(s.key, rename), term=_renamed(s.term, rename)) for s in side)
        for side in (forward, backward)
    )  # type: ignore[return-value]


def _named(key: str, rename: Mapping[str, str]) -> str:
    parts = split_member(key)
    if parts is None:
        return rename.get(key, key)
    return f"{rename[parts[0]]}[{parts[1]}]" if parts[0] in rename else key


def _renamed(term: Term, rename: Mapping[str, str]) -> Term:
    if term.op == "name":
        new = _named(term.attrs[0], rename)
        return term if new == term.attrs[0] else replace(term, attrs=(new,))
    args = tuple(_renamed(a, rename) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def _saved(
    forward: Sequence[Statement], backward: Sequence[Statement], inputs: Sequence[str]
) -> tuple[str, ...]:
    used = {n for s in backward for n in _bases(s.term)}
    keys = dict.fromkeys((*inputs, *(base_of(s.key) for s in forward)))
    return tuple(k for k in keys if k in used)
