"""Test the tester: each row of the library, and each primitive, is spoilt in its definition, slope
and sign in turn, and the comparison with references written for this test must notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import erf

import numpy as np
import pytest
from sympy import Expr, Rational

from symbackprop.ir.evaluate import Point, evaluate
from symbackprop.ir.expressions import Entry
from symbackprop.ir.functions import ALPHA, PRIMITIVES, FunctionRule, Z
from symbackprop.library.functions import RULES

Reference = Callable[[float, float], float]
# fmt: off
REFERENCES: dict[str, Reference] = {
    "sigmoid":    lambda z, a: 1 / (1 + np.exp(-z)),
    "softplus":   lambda z, a: np.logaddexp(0, z),
    "relu":       lambda z, a: z if z > 0 else 0,
    "leaky_relu": lambda z, a: z if z > 0 else a * z,
    "elu":        lambda z, a: z if z > 0 else a * np.expm1(z),
    "gelu":       lambda z, a: z * 0.5 * (1 + erf(z / 2**0.5)),
    "silu":       lambda z, a: z / (1 + np.exp(-z)),
    "log1p":      lambda z, a: np.log1p(z),
    "expm1":      lambda z, a: np.expm1(z),
    "exp":        lambda z, a: np.exp(z),
    "log":        lambda z, a: np.log(z),
    "sin":        lambda z, a: np.sin(z),
    "cos":        lambda z, a: np.cos(z),
    "tanh":       lambda z, a: np.tanh(z),
    "sinh":       lambda z, a: np.sinh(z),
    "cosh":       lambda z, a: np.cosh(z),
    "erf":        lambda z, a: erf(z),
    "abs":        lambda z, a: abs(z),
    "sign":       lambda z, a: np.sign(z),
    "step":       lambda z, a: 1.0 if z > 0 else 0.0,
    "maximum":    lambda z, a: max(z, a),
    "minimum":    lambda z, a: min(z, a),
}
# fmt: on
ROWS: dict[str, FunctionRule] = {
    **{n: p.rule for n, p in PRIMITIVES.items()},
    **{n: RULES[n] for n in RULES},
}
POINTS = (-0.6, 0.35, 0.8, -2.1, 1.7)
SECOND = 0.45
STEP = 1e-6


def value(e: Expr, z: float, alpha: float) -> float:
    """A formula in placeholders at numbers."""
    scalars = e.xreplace({Z: Entry("z"), ALPHA: Entry("alpha")})
    point = Point({}, {"z": np.array(z), "alpha": np.array(alpha)}, {}, RULES)
    return float(evaluate(scalars, point))


def faults(rule: FunctionRule) -> Iterator[str]:
    """Where a row disagrees with its reference."""
    reference = REFERENCES[rule.name]
    for z in POINTS:
        with np.errstate(all="ignore"):
            right = float(reference(z, SECOND))
        if not np.isfinite(right):
            continue
        if rule.definition is not None and not close(value(rule.definition, z, SECOND), right):
            yield f"definition at {z}"
        if (rule.sign == "positive" and right <= 0) or (rule.sign == "nonnegative" and right < 0):
            yield f"sign at {z}"
        for place, slope in enumerate(rule.slopes):
            h = (STEP, 0.0) if place == 0 else (0.0, STEP)
            ahead, behind = (reference(z + s * h[0], SECOND + s * h[1]) for s in (1, -1))
            if not close(value(slope, z, SECOND), (ahead - behind) / (2 * STEP), 1e-6):
                yield f"slope {place} at {z}"


def close(a: float, b: float, tolerance: float = 1e-9) -> bool:
    return abs(a - b) <= tolerance * (1 + abs(b))


def spoilt(rule: FunctionRule) -> Iterator[tuple[str, FunctionRule]]:
    """The row with one entry wrong, in all the ways tried here."""
    if rule.definition is not None:
        for what, wrong in ways(rule.definition):
            yield f"definition {what}", replace(rule, definition=wrong)
    for place, slope in enumerate(rule.slopes):
        for what, wrong in ways(slope):
            slopes = (*rule.slopes[:place], wrong, *rule.slopes[place + 1 :])
            yield f"slope {place} {what}", replace(rule, slopes=slopes)
    if rule.sign == "" and any(REFERENCES[rule.name](z, SECOND) < 0 for z in POINTS if z > -1):
        yield "sign claimed", replace(rule, sign="nonnegative")


def ways(e: Expr) -> Iterator[tuple[str, Expr]]:
    """Ways to spoil a formula that change its value."""
    yield "shifted", e + Rational(1, 7)
    if e != 0:
        yield "doubled", 2 * e
        yield "negated", -e
        yield "a little off", e * Rational(1001, 1000)


def test_every_row_has_a_reference() -> None:
    assert sorted(REFERENCES) == sorted(ROWS)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("name", sorted(ROWS))
def test_rows_agree_with_their_references_and_spoilt_ones_do_not(name: str) -> None:
    assert next(faults(ROWS[name]), None) is None
    unnoticed = [what for what, row in spoilt(ROWS[name]) if next(faults(row), None) is None]
    assert not unnoticed
