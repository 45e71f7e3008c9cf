"""Counterexamples: two entries are different if they differ at a point, and the smallest such
point is the one to show.

Takes two expressions with the same free indices and the program whose quantities they mention.
Floating point only says where to look: a refutation rests on exact values, or on 50 digits where
something is irrational. Points where either side is undefined, and points on a kink, count for
nothing. No counterexample is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from typing import Any

import mpmath
import numpy as np
from numpy.random import Generator
from sympy import Basic, Expr

from symbackprop.algebra.kinks import kinks, lasts, touching
from symbackprop.algebra.nudge import far, nudged, positive, rounded
from symbackprop.ir.arithmetic import DIGITS, Array, is_finite, is_rational, to_precise
from symbackprop.ir.evaluate import Point, evaluate, extent_value, run
from symbackprop.ir.expressions import Apply, Index, entry_names, free_indices
from symbackprop.ir.program import Program
from symbackprop.ir.sample import admissible, draw, fitting
from symbackprop.ir.verdict import Witness

POINTS, FEW = 16, 4  # floating-point points looked at; few where the program is long
LONG = 30  # equations
EQUAL_EXTENTS = {1: 2, 2: 1}  # by turn
DRAWS = 5  # exact points tried at each choice of extents
CHOICES = 80  # choices of extents tried for the smallest counterexample
MANY = 100_000  # numbers in an evaluation beyond which exact ones take small extents, or none
ROUNDED_TO = (0, 1, 3)  # digits after the point
NUDGES = 2  # points nearby that tell a lasting kink from an accident
TOLERANCE = 1e-8
SLOPES = ("_prime", "_pprime")
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
        touched = touching(self.kinks, here)
        if touched and not self._lasting(touched, point, here):
            return None
        return evaluate(self.lhs, here, self.order), evaluate(self.rhs, here, self.order)

    def _lasting(self, touched: tuple[Expr, ...], point: Point, here: Point) -> bool:
        """Whether the point is on these kinks together with all points around it."""
        for turn in range(NUDGES):
            moved = nudged(self.program, point, np.random.default_rng(turn))
            if moved is None or not lasts(touched, here, run(self.program, moved)):
                return False
        return True


def agree(lhs: Expr, rhs: Expr, program: Program, seed: int = 0) -> bool | None:
    """Whether the two agree at a few floating-point points; None if no point could be judged."""
    judged, apart = _look(_question(lhs, rhs, program), seed)
    return None if not judged else apart is None


def refute(lhs: Expr, rhs: Expr, program: Program, *, seed: int = 0) -> Witness | None:
    """The smallest counterexample found to ``lhs = rhs``, or None.

    Extents come first (as small as possible), then values (whole numbers before fractions).
    """
    return search(lhs, rhs, program, seed=seed).witness


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: a counterexample, and whether both sides were defined anywhere."""

    witness: Witness | None
    judged: bool


def search(lhs: Expr, rhs: Expr, program: Program, *, seed: int = 0) -> Search:
    """As :func:`refute`, and whether there was anything to judge."""
    question = _question(lhs, rhs, program)
    rng = np.random.default_rng(seed)
    judged, apart = _look(question, seed)
    if judged and apart is None and not _differ_exactly(question, rng):
        return Search(None, judged)
    witness = _smallest(question, rng)
    if witness is None and apart is not None:
        witness = _nearby(question, apart, rng)
    return Search(witness, judged or witness is not None)


def _smallest(question: _Question, rng: Generator) -> Witness | None:
    draws = _budget(question.program, DRAWS)
    for sizes in _sizes(question.program, rng):
        for attempt in range(draws):
            whole = min(attempt + 1, 3) if attempt < draws - 1 else 0
            point = draw(question.program, rng, dims=sizes, exact=True, whole=whole)
            witness = _witness(question, point)
            if witness is not None:
                return witness
    return None


def _nearby(question: _Question, apart: Point, rng: Generator) -> Witness | None:
    """A counterexample in round numbers near a point at which floating point tells the sides
    apart.
    """
    for digits in ROUNDED_TO:
        plain = draw(question.program, rng, dims=apart.dims, exact=True)
        near = rounded(question.program, apart, plain, digits)
        witness = None if near is None else _witness(question, near)
        if witness is not None:
            return witness
    return None


def _question(lhs: Expr, rhs: Expr, program: Program) -> _Question:
    order = tuple(sorted(free_indices(lhs) | free_indices(rhs), key=lambda i: i.name))
    part = needed(program, lhs, rhs)
    forms = (lhs, rhs, *(e.rhs for e in part.equations))
    discrete = _discrete(part)
    found = (k for k in kinks(forms, program.rules) if not entry_names(k) <= discrete)
    return _Question(lhs, rhs, order, part, tuple(found))


def _discrete(program: Program) -> frozenset[str]:
    """Names whose values are no continuum: comparing them has no kink to stay clear of."""
    kinds = {"onehot", "binary", "sign", "causal"}
    names = {q.name for q in program.inputs if q.role == "index"}
    names |= {f.name for f in program.facts if f.kind in kinds}
    for equation in program.equations:
        if entry_names(equation.rhs) <= names:
            names.add(equation.name)
    return frozenset(names)


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
    inside = _all_nodes(nodes)
    conditions = []
    # Twice, since a condition may bring in a dim of an earlier one.
    for condition in program.conditions * 2:
        own = _all_nodes([condition[0], condition[2]])
        if condition not in conditions and any(d in own and d in inside for d in program.dims):
            conditions.append(condition)
            inside |= own
    called = {e.name for e in inside if isinstance(e, Apply)}
    applied = called | {name.removesuffix(s) for name in called for s in SLOPES}
    return replace(
        program,
        dims=tuple(d for d in program.dims if d in inside),
        inputs=inputs,
        functions=tuple(f for f in program.functions if f in applied),
        facts=tuple(f for f in program.facts if f.name in wanted),
        equations=tuple(equations),
        conditions=tuple(conditions),
    )


def _all_nodes(nodes: list[Basic]) -> set[Basic]:
    """Every node of these expressions, the extents of their indices included."""
    seen: set[Basic] = set()
    pending = list(nodes)
    while pending:
        e = pending.pop()
        if e not in seen:
            seen.add(e)
            pending.extend(e.args)
            if isinstance(e, Index):
                pending.append(e.extent)
    return seen


def _look(question: _Question, seed: int) -> tuple[bool, Point | None]:
    """Whether any floating-point point could be judged, and one at which the sides differ."""
    rng, judged = np.random.default_rng(seed), False
    for turn in range(POINTS if len(question.program.equations) < LONG else FEW):
        # Equal extents once: they may be all that the conditions leave, and small ones are cheap;
        # single samples once: a mean is then the value itself.
        size = EQUAL_EXTENTS.get(turn)
        equal = None if size is None else {d.name: size for d in question.program.dims}
        if equal is not None and not admissible(question.program, equal):
            continue
        point = draw(question.program, rng, dims=equal)
        if turn % 3 == 2:
            point = far(question.program, point, turn)
        if turn % 5 == 4:
            point = positive(question.program, point)
        sides = question.sides(point)
        if sides is None:
            continue
        a, b = sides
        defined = np.isfinite(a) & np.isfinite(b)
        a, b = a[defined], b[defined]
        judged = judged or bool(a.size)
        if np.any(np.abs(a - b) > TOLERANCE * (1 + np.abs(a) + np.abs(b))):
            return True, point
    return judged, None


def _differ_exactly(question: _Question, rng: Generator) -> bool:
    """Whether one exact point tells apart what floating point does not: ``1e-12`` left out, say."""
    program = question.program
    if len(program.equations) >= LONG:
        return False
    point = draw(program, rng, exact=True)
    if _work(question, point.dims) > MANY:
        point = draw(program, rng, dims=_few(question), exact=True)
        if _work(question, point.dims) > MANY:
            return False
    return _witness(question, point) is not None


def _work(question: _Question, dims: Mapping[str, int]) -> int:
    """How many numbers an evaluation goes through, at the most: in a sum of a product, one for each
    choice of all its indices.
    """
    forms = {question.lhs, question.rhs, *(e.rhs for e in question.program.equations)}
    indices = (e.atoms(Index) for e in forms)
    return sum(prod(extent_value(i.extent, dims) for i in own) for own in indices)


def _few(question: _Question) -> dict[str, int]:
    """Extents with which there is little to evaluate: all 2, or the best of some that fit."""
    small = {d.name: 2 for d in question.program.dims}
    if admissible(question.program, small):
        return small
    rng = np.random.default_rng(0)
    drawn = [fitting(question.program, rng, {}) for _ in range(DRAWS)]
    return min(drawn, key=lambda dims: _work(question, dims))


def _sizes(program: Program, rng: Generator) -> Iterator[dict[str, int]]:
    """Extents from the smallest sum up, as far as the conditions allow; then a few larger ones."""
    names = [d.name for d in program.dims]
    several = (s for extra in range(2 * len(names) + 1) for s in _spread(extra, len(names)))
    small = (dict(zip(names, s, strict=True)) for s in several)
    yield from islice((s for s in small if admissible(program, s)), _budget(program, CHOICES))
    for _ in range(DRAWS):
        yield fitting(program, rng, {})


def _spread(extra: int, count: int) -> Iterator[tuple[int, ...]]:
    """The ways to be ``count`` extents from 1 to 4 that sum to ``count + extra``."""
    if count == 0:
        if extra == 0:
            yield ()
        return
    for first in range(1, min(extra, 3) + 2):
        for rest in _spread(extra - first + 1, count - 1):
            yield (first, *rest)


def _budget(program: Program, most: int) -> int:
    """How often an evaluation may be repeated: less for long programs."""
    return max(2, most * LONG // max(LONG, len(program.equations)))


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
