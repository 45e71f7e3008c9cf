"""Where an expression has a kink or a tie: points there count for nothing when two expressions are
compared.

Two expressions are equal when they are wherever both are defined and differentiable. At ``relu``'s
0 or at a tie of a maximum two right formulas may differ by convention, so that a refutation must
not rest on such a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import singledispatch

import mpmath
import numpy as np
from sympy import Basic, Expr

from symbackprop.ir.arithmetic import DIGITS, Array, to_precise
from symbackprop.ir.evaluate import Point, evaluate
from symbackprop.ir.expressions import Apply, Compare, IndexMax, free_indices
from symbackprop.ir.functions import PRIMITIVES, FunctionRule

ONE_SIDED = frozenset({"abs", "sign", "step"})
TWO_SIDED = frozenset({"maximum", "minimum"})
NEAR = 1e-9
Rules = Mapping[str, FunctionRule]


def kinks(expressions: Iterable[Expr], rules: Rules) -> tuple[Expr, ...]:
    """What must not be 0 (an argument), and what must not have ties (an :class:`IndexMax`), in
    these expressions.
    """
    found: dict[Expr, None] = {}
    seen: set[Basic] = set()
    pending: list[Basic] = list(expressions)
    while pending:
        e = pending.pop()
        if e in seen:
            continue
        seen.add(e)
        found.update(dict.fromkeys(_own(e)))
        pending.extend(e.args)
        if isinstance(e, Apply) and e.name not in PRIMITIVES and e.name in rules:
            rule = rules[e.name]
            if rule.definition is not None:
                pending.append(rule.at(rule.definition, e.operands))
    return tuple(found)


@singledispatch
def _own(e: Basic) -> Iterator[Expr]:
    """The kinks of one node itself; most have none."""
    yield from ()


@_own.register
def _apply(e: Apply) -> Iterator[Expr]:
    if e.name in ONE_SIDED:
        yield e.operands[0]
    elif e.name in TWO_SIDED:
        yield e.operands[0] - e.operands[1]


@_own.register
def _compare(e: Compare) -> Iterator[Expr]:
    # `==` compares integer data or picks out a maximum; ties of a maximum are its own kink.
    if e.op not in ("==", "!="):
        yield e.args[1] - e.args[2]


@_own.register
def _max(e: IndexMax) -> Iterator[Expr]:
    yield e


def at_kink(found: Iterable[Expr], point: Point) -> bool:
    """Whether the point lies on one of these kinks."""
    return any(bool(np.any(_touched(e, point)[0])) for e in found)


def touching(found: Iterable[Expr], point: Point) -> tuple[Expr, ...]:
    """Those of these kinks on which the point lies."""
    return tuple(e for e in found if np.any(_touched(e, point)[0]))


def lasts(found: Iterable[Expr], point: Point, near: Point) -> bool:
    """Whether all these kinks are exactly 0 (or exactly tied) at ``point``, and again at a point
    nearby: ``relu(x)`` is for x < 0. Then the value there is one of the formula, no accident.
    """
    for e in found:
        touched, exactly = _touched(e, point)
        again, exactly_again = _touched(e, near)
        if np.any(touched & ~exactly) or np.any(touched & ~(again & exactly_again)):
            return False
    return True


def _touched(e: Expr, point: Point) -> tuple[Array, Array]:
    """Where the kink is met, up to rounding; and where it is met exactly."""
    gap = _tie(e, point) if isinstance(e, IndexMax) else _value(e, point)
    size = np.abs(gap.astype(float))
    exact = point.exact and gap.dtype != object
    return size < (1e-30 if exact else NEAR), np.asarray(gap == 0)


def _value(e: Expr, point: Point) -> Array:
    order = tuple(sorted(free_indices(e), key=lambda i: i.name))
    return evaluate(e, point, order)


def _tie(e: IndexMax, point: Point) -> Array:
    """How far the largest entry is above the next."""
    kept = tuple(sorted(free_indices(e), key=lambda i: i.name))
    body = evaluate(e.body, point, (*kept, *e.bound))
    flat = body.reshape(*body.shape[: len(kept)], -1)
    if flat.shape[-1] < 2:
        return np.ones(flat.shape[:-1])
    if flat.dtype == object:
        with mpmath.workdps(DIGITS):
            flat = np.asarray(np.frompyfunc(to_precise, 1, 1)(flat), dtype=object)
    top = np.sort(flat, axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(top[..., -1] - top[..., -2])


def finite(x: object) -> bool:
    """Whether one number of either kind is neither infinite nor undefined."""
    return bool(mpmath.isfinite(x))
