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
    return any(_tied(e, point) if isinstance(e, IndexMax) else _vanishes(e, point) for e in found)


def _vanishes(e: Expr, point: Point) -> bool:
    order = tuple(sorted(free_indices(e), key=lambda i: i.name))
    values = evaluate(e, point, order).astype(float)
    exact = point.exact and values.dtype != object
    return bool(np.any(np.abs(values) < (1e-30 if exact else NEAR)))


def _tied(e: IndexMax, point: Point) -> bool:
    kept = tuple(sorted(free_indices(e), key=lambda i: i.name))
    body = evaluate(e.body, point, (*kept, *e.bound))
    flat = body.reshape(*body.shape[: len(kept)], -1).astype(float)
    if flat.shape[-1] < 2:
        return False
    top = np.sort(flat, axis=-1)
    return bool(np.any(top[..., -1] - top[..., -2] < NEAR))


def finite(x: object) -> bool:
    """Whether one number of either kind is neither infinite nor undefined."""
    return bool(mpmath.isfinite(x))
