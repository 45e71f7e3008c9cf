"""Every pass of the algebra: the text cases, and on random expressions that the value stays, that a
second time changes nothing, and that names and order do not matter.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
from sympy import Expr

from symbackprop.algebra.expand import TooLarge
from symbackprop.ir.evaluate import evaluate, run
from symbackprop.ir.expressions import Apply, Index
from symbackprop.ir.program import Program
from symbackprop.ir.sample import draw
from symbackprop.notation.text_printer import show_entry
from tests.algebra.expression_families import FREE, disguised, elementwise, expression, program
from tests.algebra.pass_cases import PASSES, ZERO_ONLY, Case, cases

ALL = [(name, case) for name in PASSES for case in cases(name)]
IDS = [f"{name}: {case.about}" for name, case in ALL]
SEEDS = range(25)
OF_FUNCTIONS = (
    "reflect",
    "elementary",
    "exponents",
    "extrema",
    "arguments",
    "rational",
    "recognise",
)
GIVEN = program()


def keeps_the_value(
    before: Expr, after: Expr, indices: tuple[Index, ...], given: Program, seed: int = 0
) -> bool:
    """Whether two expressions agree at two random points, wherever both are defined; what holds no
    logarithm must stay defined.
    """
    rng = np.random.default_rng(seed)
    for _ in range(2):
        point = run(given, draw(given, rng))
        a, b = evaluate(before, point, indices), evaluate(after, point, indices)
        if np.any(np.isfinite(a) & ~np.isfinite(b)) and not after.has(Apply):
            return False
        defined = np.isfinite(a) & np.isfinite(b)
        if not np.allclose(a[defined], b[defined], rtol=1e-7, atol=1e-7):
            return False
    return True


@pytest.mark.parametrize(("name", "case"), ALL, ids=IDS)
def test_cases(name: str, case: Case) -> None:
    assert show_entry(PASSES[name](case.entry, case.program)) == case.expected


@pytest.mark.parametrize(("name", "case"), ALL, ids=IDS)
def test_cases_keep_the_value(name: str, case: Case) -> None:
    result = PASSES[name](case.entry, case.program)
    if name not in ZERO_ONLY or result == 0:
        assert keeps_the_value(case.entry, result, case.indices, case.program)


@pytest.mark.parametrize(("name", "case"), ALL, ids=IDS)
def test_cases_are_idempotent_and_independent_of_names_and_order(name: str, case: Case) -> None:
    result = PASSES[name](case.entry, case.program)
    assert PASSES[name](result, case.program) == result
    rng = random.Random(case.about)
    assert PASSES[name](disguised(case.entry, rng), case.program) == result


def random_expression(name: str, seed: int) -> Expr:
    """An expression of the kind that a pass works on."""
    rng = random.Random(f"{name} {seed}")
    return elementwise(rng, 3) if name in OF_FUNCTIONS else expression(rng, 3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [n for n in PASSES if n != "matrices"])
def test_random_expressions(name: str, seed: int) -> None:
    e = random_expression(name, seed)
    try:
        result = PASSES[name](e, GIVEN)
    except TooLarge:
        return
    if name not in ZERO_ONLY or result == 0:
        assert keeps_the_value(e, result, FREE, GIVEN, seed)
    assert PASSES[name](result, GIVEN) == result
    assert PASSES[name](disguised(e, random.Random(seed)), GIVEN) == result
