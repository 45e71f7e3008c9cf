"""Points moved within what their facts allow: a little, to see whether something holds around them,
or far out, where functions that look alike near 0 differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.random import Generator

from symbackprop.ir.arithmetic import Array
from symbackprop.ir.evaluate import Point
from symbackprop.ir.program import Program

PARTS = 1009  # a nudge is a few of so many parts of the value
FARTHEST = 7

# Facts whose arrays cannot be moved entry by entry, nor scaled on both sides.
RIGID = frozenset({"orthogonal", "simplex", "sum"})
DISCRETE = frozenset({"onehot", "binary", "sign", "causal"})
BOTH_SIDES = frozenset({"symmetric", "spd"})
SURVIVING = frozenset({"positive", "nonnegative", "symmetric", "onehot", "binary", "sign"})
FREE = frozenset[str]()


def _kinds(program: Program) -> Mapping[str, frozenset[str]]:
    """The facts declared of each real input."""
    return {
        q.name: frozenset(f.kind for f in program.facts if f.name == q.name)
        for q in program.inputs
        if q.role != "index"
    }


def nudged(program: Program, point: Point, rng: Generator) -> Point | None:
    """The point with every continuous input moved a little; None if a fact holds one in place."""
    values = dict(point.values)
    for name, kinds in _kinds(program).items():
        if kinds & RIGID:
            return None
        if kinds & DISCRETE:
            continue
        value = np.asarray(values[name])
        if kinds & BOTH_SIDES:
            side = _near_one(rng, value.shape[:-1], value)
            values[name] = value * side[..., :, None] * side[..., None, :]
        else:
            values[name] = value * _near_one(rng, value.shape, value)
    return replace(point, values=values)


def _near_one(rng: Generator, shape: tuple[int, ...], like: Array) -> Array:
    """Factors close to 1, below it so that bounds hold, of the same kind of number."""
    parts = rng.integers(1, 6, size=shape)
    if like.dtype != object:
        return np.asarray(1 - parts / PARTS)
    return np.asarray(
        np.frompyfunc(lambda k: 1 - Fraction(int(k), PARTS), 1, 1)(parts), dtype=object
    )


def far(program: Program, point: Point, turn: int) -> Point:
    """The point with every input that no fact restricts multiplied by a number from 2 to
    ``FARTHEST``.
    """
    values = dict(point.values)
    for name, kinds in _kinds(program).items():
        if kinds == FREE:
            values[name] = np.asarray(values[name]) * (2 + turn % (FARTHEST - 1))
    return replace(point, values=values)


def positive(program: Program, point: Point) -> Point:
    """The point with every input that no fact restricts made positive: logarithms and roots of
    whole arrays are defined there.
    """
    values = dict(point.values)
    for name, kinds in _kinds(program).items():
        if kinds == FREE:
            values[name] = np.abs(np.asarray(values[name]))
    return replace(point, values=values)


def rounded(program: Program, point: Point, plain: Point, digits: int) -> Point | None:
    """The exact point near ``point`` whose values have so many digits after the point; ``plain`` is
    any exact point of its sizes. None if a fact does not survive rounding.
    """
    values = dict(plain.values)
    for name, kinds in _kinds(program).items():
        if kinds - SURVIVING:
            return None
        value = np.asarray(point.values[name], dtype=float)
        exact = np.frompyfunc(lambda x: Fraction(round(x * 10**digits), 10**digits), 1, 1)(value)
        if "positive" in kinds and not np.all(np.asarray(exact) > 0):
            return None
        values[name] = np.asarray(exact, dtype=object)
    for q in program.inputs:
        if q.role == "index":
            values[q.name] = np.asarray(
                np.frompyfunc(lambda x: Fraction(round(x)), 1, 1)(point.values[q.name]),
                dtype=object,
            )
    return replace(plain, values=values)
