"""Each derivative checked twice: its lifted form by proof, its value against central differences.

The check uses nothing of the calculus but its answer: the evaluator defines what the model means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from sympy import Expr

from symbackprop.algebra.context import Context
from symbackprop.algebra.prove import prove
from symbackprop.calculus.directional import gradient_entry, movable
from symbackprop.calculus.reverse import PREFIX, Names
from symbackprop.ir.arithmetic import Array
from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.evaluate import Point, evaluate, run, work_out
from symbackprop.ir.expressions import Entry, Index, entry_names
from symbackprop.ir.letters import places
from symbackprop.ir.program import Program
from symbackprop.ir.sample import admissible, draw
from symbackprop.matrix.lower import entry as lowered_entry

POINTS, DRAWS = 5, 40
STEP = 1e-5
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Check:
    """Outcome of a check: whether the lifted form was proved, and the largest relative error at
    ``points`` points.
    """

    proved: bool
    points: int
    max_error: float

    @property
    def passed(self) -> bool:
        """Whether proof and values both agree."""
        return self.proved and self.max_error < TOLERANCE

    def as_json(self) -> dict[str, Any]:
        error = float(f"{self.max_error:.1e}") if self.points else None
        return {"proved": self.proved, "points": self.points, "max_error": error}


class Checker:
    """Checks derivatives of one record; the random points are drawn and evaluated once."""

    def __init__(self, record: DerivationRecord) -> None:
        self.record = record
        self._adjoints = tuple(d.equation for d in record.derivatives)

    @cached_property
    def _points(self) -> tuple[Point, ...]:
        """Points where everything is defined, as far as there are any."""
        drawn = (self._point(seed) for seed in range(DRAWS))
        return tuple(islice((p for p in drawn if self._is_defined(p)), POINTS)) or (self._point(0),)

    def _is_defined(self, point: Point) -> bool:
        """Whether everything has a value: a matrix drawn at random may have no inverse."""
        equations = (*self.record.program.equations, *self._adjoints)
        return not any(np.any(np.isnan(np.asarray(point.values[e.name], float))) for e in equations)

    def _point(self, seed: int) -> Point:
        """All quantities and all adjoints at a random point; the seed of a non-scalar output is
        drawn too.
        """
        program, rng = self.record.program, np.random.default_rng(seed)
        point = run(program, draw(program, rng, dims=_small(program, rng)))
        values = dict(point.values)
        top = PREFIX + self.record.of
        if top in frozenset().union(*(entry_names(e.rhs) for e in self._adjoints)):
            values[top] = rng.normal(size=np.shape(values[self.record.of]))
        return work_out(program, self._adjoints, replace(point, values=values), downwards=True)

    def check(self, derivative: Derivative) -> Check:
        """The lifted form against the entry by proof, the entry against central differences by
        value.
        """
        equation = derivative.equation
        others = tuple(e for e in self._adjoints if e.name != equation.name)
        extended = self.record.program.extended(others)
        lowered, extra = lowered_entry(equation.term, equation.indices, extended)
        proof = prove(lowered, equation.rhs, extended.extended(extra))
        with np.errstate(all="ignore"):
            errors = [
                self._error(derivative, point, seed) for seed, point in enumerate(self._points)
            ]
        usable = [
            e for e in errors if np.isfinite(e)
        ]  # where values overflow, nothing can be compared
        return Check(proof is not None, len(usable), max(usable, default=float("inf")))

    def _error(self, derivative: Derivative, point: Point, seed: int) -> float:
        """Relative error of the derivative along a random direction, against a central
        difference.
        """
        value = np.asarray(point.values[derivative.equation.name], dtype=float)
        if derivative.kind == "gradient" and self.record.layout == "jacobian":
            value = value.T
        measured = self._measured(derivative)
        if derivative.kind in ("jvp", "hvp"):
            moves = {
                x: np.asarray(point.values[v], dtype=float)
                for x, v in self.record.directions.items()
            }
            claimed = value
            step = STEP * min(_nearest(np.asarray(point.values[x], dtype=float)) for x in moves)
        else:
            x = np.asarray(point.values[derivative.wrt[-1]], dtype=float)
            move = np.random.default_rng([seed, 1]).normal(size=x.shape) * _scale(x)
            moves, step = {derivative.wrt[-1]: move}, STEP
            claimed = _along(
                value, move, self.record.layout if derivative.kind == "jacobian" else ""
            )
        weight = self._weight(derivative, point)

        def error_at(step: float) -> float:
            ahead, behind = (
                self._at(point, {x: h * v for x, v in moves.items()}, measured)
                for h in (step, -step)
            )
            numeric = (ahead - behind) / (2 * step)
            if weight is not None:
                numeric = np.asarray(np.sum(numeric * weight))
            error = np.max(np.abs(claimed - numeric), initial=0.0)
            return float(error / (1 + np.max(np.abs(numeric), initial=0.0)))

        error = error_at(step)
        # A kink between the two points spoils the difference, and a shorter step avoids it; a
        # derivative that is wrong is wrong at every step.
        return min(error, error_at(step / SHORTER)) if error > SUSPECT else error

    def _measured(self, derivative: Derivative) -> tuple[Expr, tuple[Index, ...]]:
        """What is differentiated: the output, or for second-order kinds the gradient's entry."""
        program = self.record.program
        if derivative.kind in ("hessian", "hvp"):
            free = movable(program, (*derivative.wrt, *self.record.directions))
            plain = Context(free, folding=False)
            return gradient_entry(free, derivative.of, derivative.wrt[0], plain)
        indices = Names(program).indices(derivative.of)
        return Entry(derivative.of, *places(indices)), indices

    def _direction(self, name: str) -> str:
        """The array that a directional kind goes along for ``name``."""
        return self.record.directions[name]

    def _weight(self, derivative: Derivative, point: Point) -> Array | None:
        """The adjoint of a non-scalar output: a declared direction for ``vjp``, the free seed for a
        gradient.
        """
        if derivative.kind == "vjp":
            return np.asarray(point.values[self._direction(derivative.of)], dtype=float)
        seed = point.values.get(PREFIX + derivative.of) if derivative.kind == "gradient" else None
        return None if seed is None else np.asarray(seed, dtype=float)

    def _at(
        self, point: Point, moves: Mapping[str, Array], measured: tuple[Expr, tuple[Index, ...]]
    ) -> Array:
        """The measured entry with some quantities moved: an intermediate is a free input of the
        lines after it.
        """
        values = {q.name: point.values[q.name] for q in self.record.program.inputs}
        values |= {x: np.asarray(point.values[x], dtype=float) + v for x, v in moves.items()}
        program = self.record.program
        moved = work_out(
            program, program.equations, replace(point, values=values), fixed=tuple(moves)
        )
        entry, indices = measured
        return np.asarray(evaluate(entry, moved, indices), dtype=float)


SUSPECT, SHORTER = 1e-6, 64.0
MANY, SIZES = 6, (2, 3, 4)  # with many dims, distinct extents would make large arrays


def _small(program: Program, rng: np.random.Generator) -> dict[str, int]:
    """Extents of few values where a program has many dims; none, to be drawn, where it has few."""
    if len(program.dims) <= MANY:
        return {}
    for _ in range(DRAWS):
        sizes = {d.name: int(rng.choice(SIZES)) for d in program.dims}
        if admissible(program, sizes):
            return sizes
    return {}


SMALLEST_STEP = 1e-2  # in units of STEP: below it a difference is all rounding


def _nearest(x: Array) -> float:
    """How far the values stay clear of 0, where log and its like end."""
    return max(float(np.min(np.abs(x[x != 0]), initial=1.0)), SMALLEST_STEP)


def _scale(x: Array) -> Array:
    """How far each entry may move: no further than in proportion to itself, so that a small
    positive number stays positive.
    """
    return np.where(x == 0, 1.0, np.minimum(np.abs(x), 1.0))


def _along(value: Array, move: Array, layout: str) -> Array:
    """A derivative applied to a direction: its last axes are the input's; in layout ``gradient``
    its first.
    """
    axes = tuple(range(move.ndim))
    if layout == "gradient":
        return np.tensordot(move, value, axes=(axes, axes))
    return np.tensordot(value, move, axes=(tuple(a + value.ndim - move.ndim for a in axes), axes))
