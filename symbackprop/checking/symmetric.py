"""Right if a matrix were symmetric: the commonest added fact without which a step is wrong."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.document import Document
from symbackprop.checking.report import Diagnosis
from symbackprop.checking.steps import Step
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.program import Program
from symbackprop.ir.terms import same_extent


def right_if_symmetric(step: Step, document: Document) -> Diagnosis | None:
    """The diagnosis that a step needs a symmetric matrix, if it holds for symmetric values of one
    that was not declared so.
    """
    found = step.comparison
    if found is None or found.shapes is not None:
        return None
    program = document.scope.program
    known = {f.name for f in program.facts if f.kind in ("symmetric", "spd")}
    square = [
        q.name
        for q in document.scope.forward.inputs
        if len(q.shape) == 2 and same_extent(*q.shape) and q.name not in known
    ]
    values = document.values
    points = values.points
    for name in square:
        try:
            values.points = [_symmetric(p, name, program) for p in points]
            values.forget()
            if values.agree(found.left.expr, found.right.expr):
                said = f"this is right if {name} is symmetric, which is not declared"
                return Diagnosis("symmetric", said)
        finally:
            values.points = points
            values.forget()
    return None


def _symmetric(point: Point, name: str, program: Program) -> Point:
    """The point with the matrix made symmetric and everything computed again."""
    inputs = {q.name for q in program.inputs}
    values = {n: v for n, v in point.values.items() if n in inputs}
    values[name] = (values[name] + values[name].T) / 2
    return run(program, replace(point, values=values))
