"""Counterexamples: two entries are different if they differ at a point, and the smallest such point is the one to show.

Takes two expressions with the same free indices and the program whose quantities they mention. Floating point only says
where to look: a refutation rests on exact values, or on 50 digits where something is irrational. Points where either
side is undefined, and points on a kink, count for nothing. No counterexample is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import mpmath
import numpy as np
from sympy import Basic, Expr, Symbol

from symbackprop.algebra.kinks import at_kink, kinks
from symbackprop.ir.arithmetic import DIGITS, Array, is_finite, is_rational, to_precise
from symbackprop.ir.evaluate import Point, evaluate, extent_value, run
from symbackprop.ir.expressions import Index, entry_names, free_indices
from symbackprop.ir.program import Program
from symbackprop.ir.sample import admissible, draw
from symbackprop.ir.verdict import Witness

POINTS, FEW = 12, 4  # floating-point points looked at; few where the program is long
LONG = 30  # equations
DRAWS = 5  # exact points tried at each choice of extents
CHOICES = 80  # choices of extents tried for the smallest counterexample
TOLERANCE = 1e-8
CLOSE = mpmath.mpf(10) ** -20  # of 50 digits: room for cancellation in what was computed on the way


@dataclass(frozen=True, slots=True)
class _Question:
    """Two entries, the part of the program that they need, and its kinks."""

    lhs: Expr
    rhs: Expr
    order: tuple[Index, ...]
    program: Program
    kinks: tuple[Expr, ...]

    def sides(self, point: Point) -> tuple[Array, Array] | None:
        """Both sides at a point; None on a kink."""
        here = run(self.program, point)
        if at_kink(self.kinks, here):
            return None
        return evaluate(self.lhs, here, self.order), evaluate(self.rhs, here, self.order)


def agree(lhs: Expr, rhs: Expr, program: Program, seed: int = 0) -> bool | None:
    """Whether the two agree at a few floating-point points; None if no point could be judged."""
    return _agree(_question(lhs, rhs, program), seed)


def refute(lhs: Expr, rhs: Expr, program: Program, *, seed: int = 0) -> Witness | None:
    """The smallest counterexample found to ``lhs = rhs``, or None.

    Extents come first (as small as possible), then values (whole numbers before fractions).
    """
    question = _question(lhs, rhs, program)
    if _agree(question, seed):
        return None
    for sizes in _small_sizes(question.program):
        rng = np.random.default_rng([seed, *sizes.values()])
        for attempt in range(DRAWS):
            point = draw(
                question.program, rng, dims=sizes, exact=True, whole=attempt < DRAWS - 1
            )
            witness = _witness(question, point)
            if witness is not None:
                return witness
    return None


def _question(lhs: Expr, rhs: Expr, program: Program) -> _Question:
    order = tuple(sorted(free_indices(lhs) | free_indices(rhs), key=lambda i: i.name))
    part = needed(program, lhs, rhs)
    forms = (lhs, rhs, *(e.rhs for e in part.equations))
    return _Question(lhs, rhs, order, part, kinks(forms, program.rules))


def needed(program: Program, *forms: Expr) -> Program:
    """The part of a program that these expressions depend on: equations, inputs, facts and dims."""
    wanted = frozenset[str]().union(*(entry_names(e) for e in forms))
    equations = []
    for equation in reversed(program.equations):
        if equation.name in wanted:
            wanted |= entry_names(equation.rhs)
            equations.append(equation)
    equations.reverse()
    inputs = tuple(q for q in program.inputs if q.name in wanted)
    nodes: list[Basic] = [*forms, *(e.rhs for e in equations)]
    nodes += [extent for q in inputs for extent in q.shape]
    nodes += [q.bound for q in inputs if q.bound is not None]
    nodes += [i for e in equations for i in e.indices]
    dims = _extents(nodes, frozenset(program.dims))
    conditions = []
    for condition in program.conditions * 2:  # twice: a condition may bring in a dim of an earlier one
        own = _extents([condition[0], condition[2]], frozenset(program.dims))
        if own & dims and condition not in conditions:
            conditions.append(condition)
            dims |= own
    return replace(
        program,
        dims=tuple(d for d in program.dims if d in dims),
        inputs=inputs,
        facts=tuple(f for f in program.facts if f.name in wanted),
        equations=tuple(equations),
        conditions=tuple(conditions),
    )


def _extents(nodes: list[Basic], dims: frozenset[Symbol]) -> frozenset[Symbol]:
    """The dims that occur in these nodes, extents of their indices included."""
    found: set[Symbol] = set()
    seen: set[Basic] = set()
    pending = list(nodes)
    while pending:
        e = pending.pop()
        if e in seen:
            continue
        seen.add(e)
        if isinstance(e, Index):
            pending.append(e.extent)
        elif e in dims:
            found.add(e)
        pending.extend(e.args)
    return frozenset(found)


def _agree(question: _Question, seed: int) -> bool | None:
    rng, judged = np.random.default_rng(seed), False
    for turn in range(POINTS if len(question.program.equations) < LONG else FEW):
        # Equal extents once: they may be all that the conditions leave, and small ones are cheap.
        equal = {d.name: 2 for d in question.program.dims} if turn == 1 else None
        if equal is not None and not admissible(question.program, equal):
            continue
        sides = question.sides(draw(question.program, rng, dims=equal))
        if sides is None:
            continue
        a, b = sides
        defined = np.isfinite(a) & np.isfinite(b)
        a, b = a[defined], b[defined]
        judged = judged or bool(a.size)
        if np.any(np.abs(a - b) > TOLERANCE * (1 + np.abs(a) + np.abs(b))):
            return False
    return True if judged else None


def _small_sizes(program: Program) -> Iterator[dict[str, int]]:
    """Extents from the smallest up, as far as the conditions allow."""
    names = [d.name for d in program.dims]
    tried = 0
    for largest in (1, 2, 3, 4):
        several = [s for s in product(range(1, largest + 1), repeat=len(names)) if max(s, default=largest) == largest]
        for sizes in sorted(several, key=sum):
            chosen = dict(zip(names, sizes, strict=True))
            if admissible(program, chosen):
                yield chosen
                tried += 1
            if tried >= CHOICES:
                return


def _witness(question: _Question, point: Point) -> Witness | None:
    sides = question.sides(point)
    if sides is None:
        return None
    for place in np.ndindex(*sides[0].shape):
        claimed, true = sides[0][place], sides[1][place]
        if is_finite(claimed) and is_finite(true) and _differ(claimed, true):
            named = dict(zip((i.name for i in question.order), place, strict=True))
            shown = {f: str(point.functions[f]) for f in question.program.functions}
            values = {q.name: point.values[q.name] for q in question.program.inputs}
            return Witness(point.dims, values, named, claimed, true, shown)
    return None


def _differ(a: Any, b: Any) -> bool:
    if is_rational(a) and is_rational(b):
        return bool(a != b)
    with mpmath.workdps(DIGITS):
        x, y = to_precise(a), to_precise(b)
        return bool(abs(x - y) > CLOSE * max(1, abs(x), abs(y)))
