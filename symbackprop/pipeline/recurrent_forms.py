"""Forms of adjoints in a recurrence: members of families are arrays of their own, sums over steps
stand outside.

Entries are worked on over stacks, and lifted over members: ``grad_Z[l+1] @ W[l+1]`` is the lift of
an ordinary product. What is lifted is lowered back to the stacks before it is believed.
"""

from __future__ import annotations

from collections.abc import Collection

from sympy import Add, Expr, Mul, expand

from symbackprop.algebra.context import Context
from symbackprop.algebra.expand import TooLarge
from symbackprop.algebra.expand import expand as multiplied_out
from symbackprop.algebra.knowledge import inline_in_turn
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.refute import agree
from symbackprop.calculus.reverse import PREFIX
from symbackprop.ir import terms
from symbackprop.ir.expressions import Entry, Index, Series, entry_names, substitute
from symbackprop.ir.families import (
    Step,
    displayed,
    family_of,
    letter_symbol,
    split_member,
    stacked,
)
from symbackprop.ir.letters import places
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Shape, Term
from symbackprop.matrix.cost import cost
from symbackprop.matrix.lift import Lifter
from symbackprop.matrix.lower import entry as lowered_entry
from symbackprop.pipeline.presentation import Form, FormMaker


class MemberForms(FormMaker):
    """Forms against a program with families; :meth:`at` says at which step."""

    def __init__(self, program: Program, symmetric: Collection[str] = ()) -> None:
        known = [q.name for q in program.inputs] + [e.name for e in program.equations]
        self.shapes: dict[str, Shape] = {name: program.shape_of(name) for name in known}
        self.shapes |= {PREFIX + name: shape for name, shape in self.shapes.items()}
        self._lifter = Lifter(self._shape, [e.term for e in program.equations], symmetric=symmetric)
        self._program = program
        self._plain = Context(program, folding=False)
        self._step: Step | None = None

    def at(self, step: Step | None) -> None:
        """Forms from now on are of adjoints of a member at this step; None outside."""
        self._step = step

    def _shape(self, name: str) -> Shape:
        parts = split_member(name)
        return self.shapes[parts[0]][1:] if parts else self.shapes[name]

    def _rest(self, indices: tuple[Index, ...]) -> tuple[Index, ...]:
        return indices if self._step is None else indices[1:]

    def form(self, entry: Expr, indices: tuple[Index, ...]) -> Form:
        rest = self._rest(indices)
        shown = displayed(entry, self._program.families, self._step)
        plain, over_steps = _apart(shown)
        if any(p.has(Series) for p in (plain, *(s.body for _, s in over_steps))):
            return self.by_entries(entry, indices)
        term = self._lifter.lift(plain, rest) if plain != 0 or not over_steps else None
        for scale, series in over_steps:
            body = self._lifter.lift(series.body, rest)
            term = _added(term, scale, terms.series(body, series.letter, *series.args[2:]))
        assert term is not None, "a sum has summands"
        return Form(entry, term, cost(term))

    def by_entries(self, entry: Expr, indices: tuple[Index, ...]) -> Form:
        shown = displayed(entry, self._program.families, self._step)
        term = terms.entries(self._rest(indices), shown)
        return Form(entry, term, cost(term))

    def says_the_same(self, form: Form, indices: tuple[Index, ...]) -> bool:
        lowered, entry = self.lowered(form.term, indices), form.entry
        entry = substitute(entry, dict(zip(indices, places(indices), strict=True)))
        difference = normalise(lowered - entry, self._plain)
        if difference == 0:
            return True
        try:
            if multiplied_out(difference, self._plain) == 0:
                return True
        except TooLarge:
            pass
        names = entry_names(lowered) | entry_names(entry)
        return agree(lowered, entry, self._with_adjoints(names)) is True

    def lowered(self, term: Term, indices: tuple[Index, ...]) -> Expr:
        """The entry of a term over members, at stacks."""
        lowered, extra = lowered_entry(term, self._rest(indices), self._program)
        lowered = inline_in_turn(lowered, reversed(extra))
        letters = {}
        if self._step is not None:
            (place,) = places((self._step.place,))
            letters[self._step.letter.name] = place + self._step.offset
        return stacked(lowered, self._program.families, letters)


def step_of(
    program: Program, name: str, indices: tuple[Index, ...], start: Expr | None
) -> Step | None:
    """The step at which an equation of a family is written; None for others, and where it defines
    a single member.
    """
    family = family_of(name, program.families)
    if family is None:
        return None
    offset = family.first + (0 if start is None else start)
    return Step(letter_symbol(family.index), indices[0], expand(offset))


def _apart(e: Expr) -> tuple[Expr, list[tuple[Expr, Series]]]:
    """What stands outside of sums over steps, and those sums with numbers before them."""
    plain: list[Expr] = []
    over_steps = []
    for t in Add.make_args(e):
        series = [f for f in Mul.make_args(t) if isinstance(f, Series)]
        if len(series) != 1:
            plain.append(t)
            continue
        outside = [f for f in Mul.make_args(t) if f is not series[0]]
        scale = Mul(*(f for f in outside if not f.has(Entry)))
        inside = Mul(*(f for f in outside if f.has(Entry)))
        body = Mul(inside, series[0].body) if inside != 1 else series[0].body
        over_steps.append((scale, Series(body, *series[0].args[1:])))
    return Add(*plain), over_steps


def _added(before: Term | None, scale: Expr, series: Term) -> Term:
    """``before + scale * series``, a difference where the scale is negative."""
    negative = scale.could_extract_minus_sign()
    size = -scale if negative else scale
    term = series if size == 1 else terms.mul(_number(size), series)
    if before is None:
        return terms.neg(term) if negative else term
    return terms.sub(before, term) if negative else terms.add(before, term)


def _number(e: Expr) -> Term:
    return terms.number(e) if e.is_Rational else terms.dim(e)
