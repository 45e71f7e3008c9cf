"""Counterexamples of steps: the smallest point that shows a difference; for clashing shapes one
where all extents are equal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr, Integer

from symbackprop.algebra.refute import refute
from symbackprop.checking.compare import fit
from symbackprop.checking.document import Document
from symbackprop.checking.read import read
from symbackprop.checking.readings import Unreadable, position
from symbackprop.checking.report import PLACES, Counterexample
from symbackprop.checking.scope import Scope
from symbackprop.checking.steps import Step
from symbackprop.checking.truth import Values, identified
from symbackprop.ir.program import Program
from symbackprop.ir.verdict import Witness

DUST = 1e-40
SHOWN = {position(k, Integer(1)).name: place for k, place in enumerate(PLACES)}


def counterexample(step: Step, document: Document) -> Counterexample | None:
    """A point at which a refuted step fails; both shapes where numbers cannot show it. In a long
    document small numbers are searched for the first steps only.
    """
    comparison = step.comparison
    assert comparison is not None, "a refuted step was compared"
    if comparison.witness is not None:
        return shown(comparison.witness, document.scope.forward)
    document.searches -= 1
    if document.searches < 0:
        plain = _in_numbers(step, document) if comparison.shapes is None else None
        return plain or (_by_shapes(comparison.shapes) if comparison.shapes else None)
    if comparison.shapes is None:
        witness = refute(comparison.right.expr, comparison.left.expr, document.scope.program)
        return shown(witness, document.scope.forward) if witness else _in_numbers(step, document)
    return _at_equal_extents(step, document) or _by_shapes(comparison.shapes)


def _by_shapes(shapes: tuple[str, str]) -> Counterexample:
    return Counterexample({}, {}, *shapes)


def _in_numbers(step: Step, document: Document) -> Counterexample | None:
    """One of the document's own points, where no small one was found."""
    found = step.comparison
    assert found is not None, "a refuted step was compared"
    return in_numbers(found.right.expr, found.left.expr, document.values, document.scope.forward)


def in_numbers(
    claimed: Expr, true: Expr, values: Values, forward: Program
) -> Counterexample | None:
    """The first of the usual points at which two entries differ."""
    gap = values.apart(true, claimed)
    if gap is None:
        return None
    at, order, place = gap
    point, entry = values.points[at], tuple(int(k) for k in place)
    inputs = {q.name for q in forward.inputs}
    places: dict[str, int] = {}
    for i, k in zip(order, entry, strict=True):
        places[SHOWN.get(str(i.name), str(i.name))] = k
    return Counterexample(
        dict(point.dims),
        {k: v for k, v in point.values.items() if k in inputs},
        float(values.of(claimed, order, at)[entry]),
        float(values.of(true, order, at)[entry]),
        places,
    )


def _at_equal_extents(step: Step, document: Document) -> Counterexample | None:
    """The step read again with all extents taken to be one number: a misfit of shapes then shows as
    a number.
    """
    scope = document.scope
    if step.left is None or step.right is None or not scope.program.dims:
        return None
    if document.merged is None:
        document.merged = _merged(document)
    twin = document.merged
    merged = twin.program
    try:
        lefts = read(step.left, twin)
        twin.letters = {i.name: i for i in lefts[0].letters}
        pairs = [fit(lefts[0], right) for right in read(step.right, twin)]
    except Unreadable:
        return None
    for pair in pairs:
        if pair is not None and not twin.values.agree(pair[0].expr, pair[1].expr):
            witness = refute(pair[1].expr, pair[0].expr, merged)
            if witness is not None:
                size = next(iter(witness.dims.values()), 1)
                dims = {d.name: size for d in scope.forward.dims}
                return shown(replace(witness, dims=dims), scope.forward)
    return None


def _merged(document: Document) -> Scope:
    """What the document means where all extents are one number, its definitions included."""
    scope = document.scope
    merged = identified(scope.program)
    twin = Scope(
        merged,
        identified(scope.forward),
        Values(merged, work=scope.values.work),
        scope.layout,
        scope.text,
        scope.latex,
        functions=scope.functions,
    )
    Document(twin, twin.values, document.statements, prove=False).judge()
    return twin


def shown(witness: Witness, forward: Program) -> Counterexample:
    """A witness as it is reported: the extents and values of the model's inputs, and both
    results.
    """
    inputs = {q.name for q in forward.inputs}
    values = {k: v for k, v in witness.values.items() if k in inputs}
    return Counterexample(
        dict(witness.dims),
        values,
        _without_dust(witness.claimed),
        _without_dust(witness.true),
        {SHOWN.get(name, name): place for name, place in witness.entry.items()},
        dict(witness.functions),
    )


def _without_dust(x: Any) -> Any:
    """0 for what 50 digits leave of it."""
    return 0 if abs(x) < DUST else x
