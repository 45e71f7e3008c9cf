"""Hessians block by block, and as ``± Jᵀ J`` plus curvature.

Each block comes from the gradient as people would write it, so that what cancels in the gradient
never enters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Add, Expr, Mul

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import inline, working_context
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.directional import hessian_entry, movable
from symbackprop.calculus.gauss_newton import Block, Correction, split
from symbackprop.calculus.reverse import reverse
from symbackprop.ir.derivation import (
    Curvature,
    DerivationRecord,
    Derivative,
    GaussNewton,
    Step,
)
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    Index,
    IndexSum,
    entry_names,
    free_indices,
    substitute,
)
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import Term, index, mul
from symbackprop.pipeline.presentation import FormMaker, cheapest, present


def gradients(
    program: Program, of: str, names: Sequence[str], context: Context
) -> dict[str, tuple[Expr, tuple[Index, ...]]]:
    """The entry of each gradient in forward quantities alone, with its indices."""
    derived = present(reverse(program, of, names, context), of, program, context)
    closed: dict[str, Equation] = {}
    out = {}
    for d in derived:
        equation = d.equation
        upper = tuple(closed[n] for n in sorted(entry_names(equation.rhs)) if n in closed)
        entry = normalise(inline(equation.rhs, upper), context)
        closed[equation.name] = Equation(equation.name, equation.indices, entry, equation.term)
        out[d.wrt[0]] = entry, equation.indices
    return out


def hessian_blocks(
    program: Program, of: str, names: Sequence[str], context: Context
) -> dict[tuple[str, str], Block]:
    """The block of every pair of names, the first not after the second."""
    free = movable(program, names)
    known = gradients(free, of, names, context if free is program else working_context(free))
    out = {}
    for k, first in enumerate(names):
        for second in names[k:]:
            entry, indices, _ = hessian_entry(
                program, of, first, second, context, gradient=known.get(first)
            )
            rows = len(program.shape_of(first))
            out[first, second] = Block(entry, indices[:rows], indices[rows:])
    return out


def structured_record(record: DerivationRecord) -> DerivationRecord | None:
    """The parts of a Hessian and how they make it up; None where its blocks share no ``J``."""
    program, names = record.program, record.wrt
    if any(q.name == n for n in names for q in program.equations):
        return None
    context = working_context(program)
    found = split(hessian_blocks(program, record.of, names, context), context)
    if found is None:
        return None
    parts = _Parts(program, record.of, context)
    jacobian = {
        name: parts.stretch(f"J_{name}", found.sample, indices, entry)
        for name, (indices, entry) in found.parts.items()
    }
    curvature = tuple(
        Curvature(c.first, c.second, c.ties, _curvature(parts, c, found.sample))
        for c in found.corrections
    )
    structure = GaussNewton(found.sample.extent, found.sign, jacobian, curvature)
    return replace(record, derivatives=tuple(parts.made), structure=structure)


@dataclass(frozen=True, slots=True)
class Structured:
    """A block of a Hessian as ``± Jᵀ J`` and what is beside it: its entry, the indices of its rows
    and columns, the sign of the square, and whether there is curvature.
    """

    entry: Expr
    indices: tuple[Index, ...]
    sign: int
    curved: bool


def structured_entries(record: DerivationRecord) -> dict[tuple[str, str], Structured]:
    """Each block of a Hessian as it falls apart, by pair; none where the blocks share no ``J``."""
    context = working_context(record.program)
    blocks = hessian_blocks(record.program, record.of, record.wrt, context)
    found = split(blocks, context)
    if found is None:
        return {}
    out: dict[tuple[str, str], Structured] = {}
    for (a, b), block in blocks.items():
        left, right = (
            substitute(found.parts[name][1], dict(zip(found.parts[name][0], own, strict=True)))
            for name, own in ((a, block.rows), (b, block.columns))
        )
        square = normalise(found.sign * IndexSum(left * right, found.sample), context)
        rest = [c for c in found.corrections if (c.first, c.second) == (a, b)]
        deltas = (
            Mul(*(Delta(block.rows[i], block.columns[k]) for i, k in c.ties), c.entry) for c in rest
        )
        entry = Add(square, *deltas)
        for pair, indices in (
            ((a, b), block.rows + block.columns),
            ((b, a), block.columns + block.rows),
        ):
            out.setdefault(pair, Structured(entry, indices, found.sign, bool(rest)))
    return out


def gauss_newton_steps(record: DerivationRecord) -> dict[tuple[str, str], Step]:
    """For each block of a Hessian the line that shows its structure, ``± Jᵀ J`` and what is beside
    it; none where the blocks share no ``J``.
    """
    structure = structured_entries(record)
    out = {}
    for k, a in enumerate(record.wrt):
        for b in record.wrt[k:]:
            found = structure.get((a, b))
            if found is not None:
                sign = "-" if found.sign < 0 else ""
                curvature = ", and curvature where δ is 1" if found.curved else ""
                out[a, b] = Step(found.entry, f"Gauss–Newton: {sign}Jᵀ J{curvature}")
    return out


class _Parts:
    """Lifts the parts of a Hessian, each under a name that is free."""

    def __init__(self, program: Program, of: str, context: Context) -> None:
        self._of, self._context = of, context
        self._maker = FormMaker(program, symmetric=context.symmetric)
        self._taken = {q.name for q in program.inputs} | {e.name for e in program.equations}
        self._taken |= {*program.functions, *(d.name for d in program.dims)}
        self.made: list[Derivative] = []
        self._names: dict[tuple[Expr, tuple[Index, ...]], str] = {}

    def add(
        self, wish: str, indices: tuple[Index, ...], entry: Expr, term: Term | None = None
    ) -> str:
        """The name under which ``entry`` is now a derivative of kind ``hessian``: a name of the
        model where it is that, one given before where it has been met.
        """
        if isinstance(entry, Entry) and entry.indices == indices:
            return entry.name
        known = self._names.get((entry, indices))
        if known is not None:
            return known
        while wish in self._taken:
            wish += "_"
        self._taken.add(wish)
        if term is None:
            form = self._maker.form(entry, indices)
            named = entry_names(entry) & self._names_given()
            if not named and not self._maker.says_the_same(form, indices):
                form = cheapest(entry, indices, self._maker, self._context)
            entry, term = form.entry, form.term
        self._names[entry, indices] = wish
        equation = Equation(wish, indices, entry, term)
        self._maker.shapes[wish] = equation.shape
        self.made.append(Derivative(self._of, (wish,), "hessian", equation.shape, equation, ()))
        return wish

    def _names_given(self) -> frozenset[str]:
        return frozenset(d.equation.name for d in self.made)

    def stretch(self, wish: str, sample: Index, rows: tuple[Index, ...], entry: Expr) -> str:
        """A part of J: factors of different axes are spread over the others, and multiplied."""
        indices = (sample, *rows)
        groups: dict[frozenset[Index], list[Expr]] = {}
        for f in Mul.make_args(entry):
            groups.setdefault(free_indices(f) & frozenset(rows), []).append(f)
        loose = groups.pop(frozenset(), [])
        weight = Mul(*loose)
        weighted = sample in free_indices(weight)
        overlap = sum(map(len, groups)) != len(frozenset().union(*groups))
        if not groups or overlap or (len(groups) < 2 and not weighted):
            return self.add(wish, indices, entry)
        term: Term | None = None
        if weighted:
            form = self._maker.form(weight, (sample,))
            term = index(form.term, (slice(None), *(None for _ in rows)))
        for axes in sorted(groups, key=lambda axes: min(map(rows.index, axes))):
            own = (sample, *(r for r in rows if r in axes))
            form = self._maker.form(Mul(*groups[axes], *(loose if term is None else [])), own)
            spread = index(form.term, tuple(slice(None) if i in own else None for i in indices))
            term = spread if term is None else mul(term, spread)
        return self.add(wish, indices, entry, term)


def _curvature(parts: _Parts, c: Correction, sample: Index) -> tuple[str, ...]:
    """The parts of a curvature: weights, which blocks share, and what they are multiplied with."""
    pair = f"{c.first}_{c.second}"
    factors = _weights_and_matrices(c, sample)
    if factors is None:
        return (parts.add(f"K_{pair}", c.indices, c.entry),)
    unit, *others = c.indices
    weights, matrices = factors[0], factors[1:]
    q = parts.add(f"q_{pair}", (sample, unit), weights)
    if len(others) < 2:
        entry = IndexSum(Mul(Entry(q, sample, unit), *matrices), sample)
        return (parts.add(f"K_{pair}", c.indices, entry),)
    sides = zip("ab", others, matrices, strict=True)
    return (q, *(parts.add(f"{s}_{pair}", (sample, i), m) for s, i, m in sides))


def _weights_and_matrices(c: Correction, sample: Index) -> tuple[Expr, ...] | None:
    """``Σ_n q[n,t] a[n,r] b[n,c]`` taken apart, or with fewer axes; None if it is something
    else.
    """
    outer: list[Expr] = []
    bodies: list[IndexSum] = []
    for f in Mul.make_args(c.entry):
        (bodies if isinstance(f, IndexSum) else outer).append(f)
    if len(c.ties) != 1 or len(bodies) != 1 or len(bodies[0].bound) != 1 or len(c.indices) > 3:
        return None
    unit = c.indices[0]
    groups: dict[Index, list[Expr]] = {i: [] for i in c.indices}
    inner = Mul.make_args(substitute(bodies[0].body, {bodies[0].bound[0]: sample}))
    for f in (*outer, *inner):
        held = free_indices(f) - {sample}
        if len(held) > 1:
            return None
        groups[next(iter(held), unit)].append(f)
    return tuple(Mul(*groups[i]) for i in c.indices)
