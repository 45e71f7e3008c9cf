"""A program with families as an ordinary one: written out for a number of steps, every member an
array of its own with its label at the end of its name (``W1``, ``W2``, …).

A *window* is two steps of any longer net: the state before them is free, and so is the gradient by
the state after them, since the loss gets a free linear part. What is proved in it of the first step
holds at every step that has one before and one after it, for any number of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Integer, Symbol

from symbackprop.ir import terms
from symbackprop.ir.expressions import Entry, Index, IndexSum, free_indices, substitute
from symbackprop.ir.families import family_of
from symbackprop.ir.program import Equation, Fact, Program, Quantity
from symbackprop.ir.replacement import replace_entries
from symbackprop.ir.schedule import number, steps

SHIFT = 30  # labels are counted on from here where a name with a small number is taken


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """The ordinary program, what is added to a label to make the number in a name, and the names of
    the members of each family.
    """

    program: Program
    shift: int
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def written_out(
    program: Program, count: int, *, free: bool = False, apart: bool = False
) -> WrittenOut:
    """The program for ``count`` steps of every recurrence.

    With ``free`` the first states are inputs and the loss has a free linear part in the last ones,
    as in a window. With ``apart`` the parameters that all steps share are other ones in every step
    but the first, so that a gradient by them is the share of the first step.
    """
    lengths = {
        s.name: count
        for loop in program.loops.values()
        for s in loop.count.free_symbols
        if isinstance(s, Symbol)
    }
    writer = _Writer(program, lengths, _shift(program, count))
    members = {
        family: tuple(writer.name(family, k) for k in writer.labels(family))
        for family in program.families
    }
    return WrittenOut(writer.whole(free, apart), writer.shift, members)


def _shift(program: Program, count: int) -> int:
    names = {q.name for q in program.inputs} | {d.name for d in program.dims}
    numbered = {f"{f}{k}" for f in program.families for k in range(count + 2)}
    return SHIFT if names & numbered else 0


@dataclass(frozen=True, slots=True)
class _Writer:
    program: Program
    lengths: Mapping[str, int]
    shift: int

    def whole(self, free: bool, apart: bool) -> Program:
        program = self.program
        dims = tuple(d for d in program.dims if d.name not in self.lengths)
        inputs = [m for q in program.inputs for m in self._input(q)]
        equations: list[Equation] = []
        kept = tuple(e for e in program.equations if not (free and self._is_boundary(e)))
        sizes = {d.name: self.lengths.get(d.name, 1) for d in program.dims}
        for equation, place in steps(kept, program.families, sizes):
            equations.append(self._equation(equation, place))
        if free:
            inputs += self._states(program)
            equations, inputs = self._with_free_loss(equations, inputs)
        if apart:
            equations, inputs = self._with_own_parameters(equations, inputs)
        return replace(
            program,
            dims=dims,
            inputs=tuple(inputs),
            facts=tuple(f for fact in program.facts for f in self._fact(fact)),
            equations=tuple(equations),
            sizes={k: v for k, v in program.sizes.items() if k not in self.lengths},
            conditions=(),
            families={},
            loops={},
        )

    def name(self, family: str, label: int) -> str:
        return f"{family}{label + self.shift}"

    def labels(self, family: str) -> range:
        f = self.program.families[family]
        first = number(f.first, self.lengths)
        return range(first, first + number(f.count, self.lengths))

    def _input(self, q: Quantity) -> list[Quantity]:
        if q.name not in self.program.families:
            return [replace(q, shape=tuple(map(self._sized, q.shape)))]
        shape = tuple(map(self._sized, q.shape[1:]))
        return [replace(q, name=self.name(q.name, k), shape=shape) for k in self.labels(q.name)]

    def _fact(self, fact: Fact) -> list[Fact]:
        if fact.name not in self.program.families:
            return [fact]
        axis = None if fact.axis is None else fact.axis - (fact.axis > 0)
        return [
            replace(fact, name=self.name(fact.name, k), axis=axis) for k in self.labels(fact.name)
        ]

    def _is_boundary(self, e: Equation) -> bool:
        return e.start is not None and e.indices[0].extent == 1 and not e.step

    def _states(self, program: Program) -> list[Quantity]:
        return [
            Quantity(self.name(e.name, self.labels(e.name)[0]), self._rest(e), "data")
            for e in program.equations
            if self._is_boundary(e)
        ]

    def _rest(self, e: Equation) -> tuple[Expr, ...]:
        return tuple(self._sized(x) for x in e.shape[1:])

    def _equation(self, e: Equation, place: int | None) -> Equation:
        if place is None:
            rhs, indices, name = e.rhs, e.indices, e.name
        else:
            at = {e.indices[0]: Integer(place)}
            rhs, indices = substitute(e.rhs, at), e.indices[1:]
            family = self.program.families[e.name]
            start = number(e.start or Integer(0), self.lengths)
            name = self.name(e.name, number(family.first, self.lengths) + start + place)
        shape = tuple(self._sized(i.extent) for i in indices)
        own = tuple(Index(i.name, x) for i, x in zip(indices, shape, strict=True))
        body = substitute(self._plain(rhs), dict(zip(indices, own, strict=True)))
        hidden = e.hidden and place is None
        return Equation(name, own, body, terms.name(name, shape), hidden)

    def _plain(self, e: Expr) -> Expr:
        """Entries of stacks as entries of members, sums over steps written out."""
        if isinstance(e, IndexSum):
            over = next((v for v in e.bound if self._counts(v, e.body)), None)
            if over is not None:
                rest = tuple(v for v in e.bound if v != over)
                body = IndexSum(e.body, *rest) if rest else e.body
                places = range(number(over.extent, self.lengths))
                return Add(*(self._plain(substitute(body, {over: Integer(k)})) for k in places))
        if isinstance(e, Entry):
            family = family_of(e.name, self.program.families)
            if family is not None and not free_indices(e.indices[0]):
                place = number(e.indices[0], self.lengths)
                label = number(family.first, self.lengths) + place
                return Entry(self.name(e.name, label), *map(self._plain, e.indices[1:]))
        if isinstance(e, Symbol) and not isinstance(e, Index):
            return self._sized(e)
        return e.func(*(self._plain(a) for a in e.args)) if e.args else e

    def _counts(self, v: Index, body: Expr) -> bool:
        """Whether a bound index tells members of families."""
        if isinstance(body, Entry) and family_of(body.name, self.program.families) is not None:
            if v in free_indices(body.indices[0]):
                return True
        return any(self._counts(v, a) for a in body.args if a.args)

    def _sized(self, e: Expr) -> Expr:
        sizes = {s: Integer(self.lengths[s.name]) for s in e.free_symbols if s.name in self.lengths}
        return e.xreplace(sizes) if sizes else e

    def _with_free_loss(
        self, equations: list[Equation], inputs: list[Quantity]
    ) -> tuple[list[Equation], list[Quantity]]:
        """The loss with ``Σ G ⊙ H`` added for every last state H and a free G."""
        extra: list[Expr] = []
        known = {e.name: e for e in equations}
        for e in self.program.equations:
            if not self._is_boundary(e):
                continue
            last = known[self.name(e.name, self.labels(e.name)[-1])]
            seed = Quantity(f"{e.name}_free", last.shape, "data")
            inputs.append(seed)
            product = Entry(seed.name, *last.indices) * Entry(last.name, *last.indices)
            extra.append(IndexSum(product, *last.indices) if last.indices else product)
        output = self.program.output
        return [
            replace(e, rhs=Add(e.rhs, *extra)) if e.name == output else e for e in equations
        ], inputs

    def _with_own_parameters(
        self, equations: list[Equation], inputs: list[Quantity]
    ) -> tuple[list[Equation], list[Quantity]]:
        shared = [q for q in self.program.inputs if q.role == "param"]
        shared = [q for q in shared if q.name not in self.program.families]
        second = {self.name(f, self.labels(f)[-1]) for f in self.program.families}
        other = {q.name: Entry(f"{q.name}_later").args[0] for q in shared}
        inputs = [*inputs, *(replace(q, name=f"{q.name}_later", role="data") for q in shared)]
        rules = {n: (lambda e, s=s: Entry(s, *e.indices)) for n, s in other.items()}
        out = [
            replace(e, rhs=replace_entries(e.rhs, rules)) if e.name in second else e
            for e in equations
        ]
        return out, inputs
