"""The slope of every library row, and of every node, against central differences of the
evaluator.
"""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr

from symbackprop.calculus.differential import differential
from symbackprop.errors import NotSupported
from symbackprop.ir.evaluate import Point, evaluate
from symbackprop.ir.expressions import Apply, Compare, Entry, Where
from symbackprop.ir.functions import PRIMITIVES
from symbackprop.library.functions import RULES

STEP = 1e-6
SCALAR = Entry("x")
POINTS = (-1.7, -0.4, 0.3, 1.9)
FUNCTIONS = sorted({*PRIMITIVES, *RULES})
POSITIVE = {"log", "log1p"}


def value(e: Expr, x: float) -> float:
    point = Point({}, {"x": np.array(x), "a": np.array(0.6)}, {}, RULES)
    return float(evaluate(e, point, ()))


def slope(e: Expr) -> Expr:
    return differential(e, lambda entry: entry.func(*entry.args) ** 0, frozenset({"x"}), RULES)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_slopes_agree_with_central_differences(function: str) -> None:
    rule = RULES[function] if function in RULES else PRIMITIVES[function].rule
    e = Apply(function, *(SCALAR, Entry("a"))[: len(rule.parameters)])
    for x in POINTS:
        if function in POSITIVE and x <= 0:
            continue
        numeric = (value(e, x + STEP) - value(e, x - STEP)) / (2 * STEP)
        assert value(slope(e), x) == pytest.approx(numeric, abs=1e-7)


# fmt: off
COMPOUND = {
    "product":  SCALAR * Apply("sin", SCALAR),
    "quotient": SCALAR / (2 + SCALAR**2),
    "power":    (1 + SCALAR**2) ** SCALAR,
    "where":    Where(Compare(">", SCALAR, 0), SCALAR**3, Apply("exp", SCALAR)),
    "nested":   Apply("tanh", Apply("sin", SCALAR) * SCALAR),
}
# fmt: on


@pytest.mark.parametrize("name", sorted(COMPOUND))
def test_compound_expressions(name: str) -> None:
    e = COMPOUND[name]
    for x in POINTS:
        numeric = (value(e, x + STEP) - value(e, x - STEP)) / (2 * STEP)
        assert value(slope(e), x) == pytest.approx(numeric, abs=1e-6)


def test_a_third_slope_of_an_abstract_function_is_refused() -> None:
    with pytest.raises(NotSupported):
        slope(Apply("f_pprime", SCALAR))


def test_abstract_slopes_are_named() -> None:
    assert slope(Apply("f", SCALAR)) == Apply("f_prime", SCALAR)
    assert slope(Apply("f_prime", SCALAR)) == Apply("f_pprime", SCALAR)
