"""Each derivative checked twice: its lifted form by proof, its value against central differences.

The check uses nothing of the calculus but its answer: the evaluator defines what the model means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.algebra.prove import prove
from symbackprop.calculus.reverse import PREFIX
from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.arithmetic import Array
from symbackprop.ir.evaluate import Point, evaluate, run
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.sample import draw
from symbackprop.matrix.lower import entry as lowered_entry

POINTS = 5
STEP = 1e-6
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Check:
    """Outcome of a check: whether the lifted form was proved, and the largest relative error at ``points`` points."""

    proved: bool
    points: int
    max_error: float

    @property
    def passed(self) -> bool:
        """Whether proof and values both agree."""
        return self.proved and self.max_error < TOLERANCE

    def as_json(self) -> dict[str, Any]:
        return {"proved": self.proved, "points": self.points, "max_error": float(f"{self.max_error:.1e}")}


class Checker:
    """Checks derivatives of one record; the random points are drawn and evaluated once."""

    def __init__(self, record: DerivationRecord) -> None:
        self.record = record
        self._adjoints = tuple(d.equation for d in record.derivatives)

    @cached_property
    def _points(self) -> tuple[Point, ...]:
        return tuple(self._point(seed) for seed in range(POINTS))

    def _point(self, seed: int) -> Point:
        """All quantities and all adjoints at a random point; the seed of a non-scalar output is drawn too."""
        program, rng = self.record.program, np.random.default_rng(seed)
        point = run(program, draw(program, rng))
        values = dict(point.values)
        top = PREFIX + self.record.of
        if top in frozenset().union(*(entry_names(e.rhs) for e in self._adjoints)):
            values[top] = rng.normal(size=np.shape(values[self.record.of]))
        for equation in self._adjoints:
            values[equation.name] = evaluate(equation.rhs, replace(point, values=values), equation.indices)
        return replace(point, values=values)

    def check(self, derivative: Derivative) -> Check:
        """The lifted form against the entry by proof, the entry against central differences by value."""
        equation = derivative.equation
        others = tuple(e for e in self._adjoints if e.name != equation.name)
        extended = self.record.program.extended(others)
        lowered, extra = lowered_entry(equation.term, equation.indices, extended)
        proof = prove(lowered, equation.rhs, extended.extended(extra))
        errors = [self._error(derivative, point, seed) for seed, point in enumerate(self._points)]
        return Check(proof is not None, POINTS, max(errors))

    def _error(self, derivative: Derivative, point: Point, seed: int) -> float:
        """Relative error of the derivative along a random direction, against a central difference."""
        wrt, of = derivative.wrt[0], derivative.of
        x = np.asarray(point.values[wrt], dtype=float)
        nearest = np.min(np.abs(x[x != 0]), initial=1.0)  # stay clear of 0, where log and its like end
        direction = np.random.default_rng([seed, 1]).normal(size=x.shape) * nearest
        ahead, behind = (self._output(of, point, wrt, x + h * direction) for h in (STEP, -STEP))
        numeric = (ahead - behind) / (2 * STEP)
        value = np.asarray(point.values[derivative.equation.name], dtype=float)
        if derivative.kind == "gradient":
            seeded = point.values.get(PREFIX + of)
            numeric = np.sum(numeric * seeded) if seeded is not None else numeric
            claimed = np.sum(value * direction)
        else:
            claimed = _along(value, direction, len(np.shape(numeric)), self.record.layout)
        error = np.max(np.abs(claimed - numeric), initial=0.0)
        return float(error / (nearest + np.max(np.abs(numeric), initial=0.0)))

    def _output(self, of: str, point: Point, wrt: str, value: Array) -> Array:
        """``of`` with ``wrt`` set to ``value``, by the evaluator: an intermediate is a free input of the lines after it."""
        values = {q.name: point.values[q.name] for q in self.record.program.inputs} | {wrt: value}
        for equation in self.record.program.equations:
            if equation.name != wrt:
                values[equation.name] = evaluate(equation.rhs, replace(point, values=values), equation.indices)
            if equation.name == of:
                break
        return np.asarray(values[of], dtype=float)


def _along(jacobian: Array, direction: Array, rows: int, layout: str) -> Array:
    """A Jacobian applied to a direction; in layout ``gradient`` the input's axes come first."""
    columns = direction.ndim
    if layout == "gradient":
        return np.tensordot(direction, jacobian, axes=(range(columns), range(columns)))
    return np.tensordot(jacobian, direction, axes=(range(rows, rows + columns), range(columns)))
