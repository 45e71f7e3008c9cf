"""Derivatives of a recurrence checked: each case proved to be its lifted form, and the whole
against central differences at drawn numbers of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from sympy import Integer

from symbackprop.algebra.prove import prove
from symbackprop.ir.arithmetic import Array
from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.evaluate import Point, evaluate, work_out
from symbackprop.ir.expressions import Entry, Index
from symbackprop.ir.members import step_of
from symbackprop.ir.program import Equation, Quantity
from symbackprop.ir.schedule import number
from symbackprop.pipeline.check import Check, Checker
from symbackprop.pipeline.recurrent_forms import MemberForms

Measured = tuple[Entry, tuple[Index, ...]]


class RecurrentChecker(Checker):
    """Checks derivatives of one record; a family is moved at all its members at once, each beside
    what its equation gives.
    """

    def __init__(self, record: DerivationRecord) -> None:
        super().__init__(record)
        self._adjoints = tuple(e for d in record.derivatives for e in d.equations)
        self._maker = MemberForms(record.program)

    def _is_defined(self, point: Point) -> bool:
        names = {e.name for e in (*self.record.program.equations, *self._adjoints)}
        families = self.record.program.families
        whole = {n for n in names if n.removeprefix("grad_") not in families}
        return not any(np.any(np.isnan(np.asarray(point.values[n], float))) for n in whole)

    def check(self, derivative: Derivative) -> Check:
        proved = all(self._is_lift(e) for e in derivative.equations)
        with np.errstate(all="ignore"):
            errors = [self._error(derivative, p, seed) for seed, p in enumerate(self._points)]
        usable = [e for e in errors if np.isfinite(e)]
        return Check(proved, len(usable), max(usable, default=float("inf")))

    def _is_lift(self, equation: Equation) -> bool:
        """Whether the term of a case is proved to have the entry of the case."""
        program = self.record.program
        self._maker.at(step_of(program, equation))
        lowered = self._maker.lowered(equation.term, equation.indices)
        shapes = self._maker.shapes
        adjoints = tuple(
            Quantity(e.name, shapes[e.name], "data")
            for e in {e.name: e for e in self._adjoints}.values()
        )
        seed = f"grad_{self.record.of}"
        if seed not in {a.name for a in adjoints}:
            adjoints = (*adjoints, Quantity(seed, shapes[seed], "data"))
        known = replace(program, inputs=program.inputs + adjoints)
        return prove(lowered, equation.rhs, known) is not None

    def _error(self, derivative: Derivative, point: Point, seed: int) -> float:
        """As for other derivatives; members that nobody asked for are not moved."""
        name = derivative.wrt[-1]
        value = np.asarray(point.values[derivative.equation.name], dtype=float)
        known = self._told(derivative, point, value.shape)
        x = np.asarray(point.values[name], dtype=float)
        size = np.where(x == 0, 1.0, np.minimum(np.abs(x), 1.0))
        move = np.random.default_rng([seed, 1]).normal(size=x.shape) * size * known
        claimed = np.sum(np.where(known, value, 0.0) * move)
        measured = self._measured(derivative)
        ahead, behind = (self._at(point, {name: h * move}, measured) for h in (1e-5, -1e-5))
        numeric = (ahead - behind) / 2e-5
        weight = self._weight(derivative, point)
        if weight is not None:
            numeric = np.asarray(np.sum(numeric * weight))
        error = np.max(np.abs(claimed - numeric), initial=0.0)
        return float(error / (1 + np.max(np.abs(numeric), initial=0.0)))

    def _told(self, derivative: Derivative, point: Point, shape: tuple[int, ...]) -> Array:
        """Which members the derivative tells; all of what is no family."""
        if derivative.recurrence is None:
            return np.ones(shape, dtype=bool)
        told = np.zeros(shape, dtype=bool)
        for e in derivative.equations:
            first = number(e.start or Integer(0), point.dims)
            told[first : first + number(e.indices[0].extent, point.dims)] = True
        return told

    def _at(self, point: Point, moves: Mapping[str, Array], measured: Measured) -> Array:
        program = self.record.program
        defined = {e.name for e in program.equations if e.start is not None}
        values = {q.name: point.values[q.name] for q in program.inputs}
        whole = {x: v for x, v in moves.items() if x not in defined}
        values |= {x: np.asarray(point.values[x], dtype=float) + v for x, v in whole.items()}
        moved = work_out(
            program,
            program.equations,
            replace(point, values=values),
            fixed=tuple(whole),
            moved={x: v for x, v in moves.items() if x in defined},
        )
        entry, indices = measured
        return np.asarray(evaluate(entry, moved, indices), dtype=float)
