"""The slow obvious evaluator: what an expression of index notation means.

A ``Point`` gives numbers to extents, arrays to names and callables to abstract functions;
:func:`evaluate` gives the array of all values of an expression, its axes in the order asked. Every
subexpression is an array with one named axis for each of its free indices, aligned by
broadcasting. Arrays are float64, or objects (fractions, 50-digit numbers): then all is computed to
50 digits, and exactly while it is rational; complex ones serve the complex step. Everything else in
the project is tested against this file.

What is undefined is ``nan``: an entry outside its array too. Two nodes shield from it: ``Where``
from the branch not taken, and in a product an indicator (``Delta``, ``InRange``, ``Compare``) that
is 0 makes the product 0 (Iverson's convention, as in Graham, Knuth and Patashnik, Concrete
Mathematics, 2.1), so that a guarded entry may lie outside.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import mpmath
import numpy as np
from sympy import Expr, Integer

from symbackprop.errors import Malformed
from symbackprop.ir.arithmetic import DIGITS, PRECISE, Array
from symbackprop.ir.expressions import substitute
from symbackprop.ir.families import family_of
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.schedule import number, steps
from symbackprop.ir.values import Axes, Evaluation, Point, spread

NOTHING: Mapping[str, Array] = MappingProxyType({})


def evaluate(
    e: Expr, point: Point, order: Axes = (), rules: Mapping[str, FunctionRule] | None = None
) -> Array:
    """All values of ``e`` at ``point``, one axis for each index in ``order``.

    Raises
    ------
    Malformed
        If ``e`` mentions a name, extent or function that the point does not know, or a free index
        not in ``order``.
    """
    if rules:
        point = replace(point, rules={**point.rules, **rules})
    run = Evaluation(point, point.arithmetic)
    with np.errstate(all="ignore"), mpmath.workdps(DIGITS):
        values, axes = run(e)
        missing = [i.name for i in axes if i not in order]
        if missing:
            raise Malformed(
                f"free indices among {[i.name for i in order]}", f"{', '.join(missing)}"
            )
        shape = tuple(run.extent(i.extent) for i in order)
        return np.array(np.broadcast_to(spread(values, axes, order), shape))


def extent_value(e: Expr, dims: Mapping[str, int]) -> int:
    """An extent such as ``(L-K)//2 + 1`` as a number."""
    point = Point(dims, {}, exact=True)
    return Evaluation(point, PRECISE).extent(e)


def run(program: Program, point: Point) -> Point:
    """The point with every quantity that the program defines computed, in order."""
    return work_out(program, program.equations, point)


def work_out(
    program: Program,
    equations: Sequence[Equation],
    point: Point,
    *,
    downwards: bool = False,
    fixed: Collection[str] = (),
    moved: Mapping[str, Array] = NOTHING,
) -> Point:
    """The point with these equations computed in order, those of a recurrence step by step.

    ``downwards`` is the direction of adjoints; quantities in ``fixed`` keep the values that the
    point gives them, members of families are moved by ``moved`` beside what defines them.
    """
    values = dict(point.values)
    rules = {**program.rules, **point.rules}
    exact = point.exact or point.arithmetic is PRECISE
    here = Point(point.dims, values, point.functions, rules, exact)
    if not program.families:
        for eq in equations:
            if eq.name not in fixed:
                values[eq.name] = evaluate(eq.rhs, here, eq.indices)
        return here
    free = tuple(e for e in equations if e.name not in fixed)
    for eq in free:
        values.pop(eq.name, None)
    for eq, place in steps(free, program.families, point.dims, downwards=downwards):
        if place is None:
            values[eq.name] = evaluate(eq.rhs, here, eq.indices)
            continue
        member = evaluate(substitute(eq.rhs, {eq.indices[0]: Integer(place)}), here, eq.indices[1:])
        if eq.name not in values:
            values[eq.name] = _nowhere(eq, member, program, point)
        at = number(eq.start or Integer(0), point.dims) + place
        values[eq.name][at] = member + moved[eq.name][at] if eq.name in moved else member
    return here


def _nowhere(eq: Equation, member: Array, program: Program, point: Point) -> Array:
    """The stack of a family of which no member is known yet."""
    family = family_of(eq.name, program.families)
    assert family is not None, "an equation with a start defines members of a family"
    nan = mpmath.nan if member.dtype == object else np.nan
    return np.full((number(family.count, point.dims), *member.shape), nan, dtype=member.dtype)


__all__ = ["Point", "evaluate", "extent_value", "run", "work_out"]
