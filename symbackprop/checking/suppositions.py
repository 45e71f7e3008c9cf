"""What a text supposes: ``N = 1``, ``b = 0``. A number for an extent or an input of the model is
no claim, since nothing could prove it; what is right only where it holds is neither refuted nor
proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from symbackprop.checking.document import Document
from symbackprop.checking.steps import Step
from symbackprop.errors import Malformed
from symbackprop.ir.evaluate import run
from symbackprop.ir.program import Program
from symbackprop.ir.sample import admissible, draw
from symbackprop.ir.values import Point
from symbackprop.notation.written import Name, Number

SUPPOSED = "this is a supposition, which the model does not make"
THERE = "it holds where {}, as the text supposes"
MAY_FIT = "the shapes may fit where {}, as the text supposes"
SEEDS = (3, 7)


def under_suppositions(steps: Sequence[Step], document: Document) -> tuple[Step, ...]:
    """The steps, those that suppose something and those that need it undecided."""
    found = {k: one for k, s in enumerate(steps) if (one := _supposed(s, document)) is not None}
    if not found:
        return tuple(steps)
    supposed = dict(found.values())
    said = " and ".join(f"{n} = {v:g}" for n, v in supposed.items())
    points = _points(document.scope.program, document.scope.forward, supposed)
    out = []
    for k, step in enumerate(steps):
        why = SUPPOSED if k in found else _needs(step, points, document, supposed)
        out.append(_undecided(step, why.format(said)) if why else step)
    return tuple(out)


def _supposed(step: Step, document: Document) -> tuple[str, float] | None:
    """The extent or input that a step only sets to a number, and the number."""
    names = {q.name for q in document.scope.forward.inputs} | set(document.scope.dims)
    left, right = step.left, step.right
    if step.verdict != "refuted" or step.at != 1 or not isinstance(left, Name):
        return None
    known = left.text in names and isinstance(right, Number)
    return (left.text, float(right.text)) if known and isinstance(right, Number) else None


def _undecided(step: Step, why: str) -> Step:
    assert step.comparison is not None, "a refuted step was compared"
    found = replace(step.comparison, verdict="undecided", why=why)
    return replace(step, verdict="undecided", comparison=found)


def _needs(
    step: Step, points: Sequence[Point], document: Document, supposed: Mapping[str, float]
) -> str:
    """Why a refuted step may be right where something is supposed; empty if it is not."""
    found = step.comparison
    if step.verdict != "refuted" or found is None:
        return ""
    if found.shapes is not None:
        return MAY_FIT if not document.scope.dims.keys().isdisjoint(supposed) else ""
    values = document.values
    own = values.points
    try:
        values.points = list(points)
        values.forget()
        return THERE if points and values.agree(found.left.expr, found.right.expr) else ""
    finally:
        values.points = own
        values.forget()


def _points(program: Program, forward: Program, supposed: Mapping[str, float]) -> list[Point]:
    """Points at which what is supposed holds."""
    out = []
    dims = {d.name: int(supposed.get(d.name, 2 + k)) for k, d in enumerate(program.dims)}
    if not all(supposed[n].is_integer() for n in supposed if n in dims):
        return []
    if min(dims.values(), default=1) < 1 or not admissible(program, dims):
        return []
    for seed in SEEDS:
        point = draw(program, np.random.default_rng(seed), dims=dims)
        inputs = {q.name for q in forward.inputs} & supposed.keys()
        changed = {n: np.full(np.shape(point.values[n]), supposed[n]) for n in inputs}
        try:
            out.append(run(program, replace(point, values={**point.values, **changed})))
        except Malformed:  # the supposition is not one that the model allows
            return []
    return out
