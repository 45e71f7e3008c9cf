"""The working form preserves value, is idempotent, and does not depend on names or order."""

from __future__ import annotations

import random

import numpy as np
import pytest

from symbackprop.algebra.candidates import candidates
from symbackprop.algebra.context import Context
from symbackprop.algebra.expand import TooLarge, expand
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.evaluate import evaluate
from symbackprop.ir.sample import draw
from tests.algebra.expression_families import FREE, disguised, expression, program

SEEDS = range(150)


def fresh() -> Context:
    return Context(program(), folding=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_working_form_keeps_the_value_and_is_idempotent(seed: int) -> None:
    e = expression(random.Random(seed), 3)
    form = normalise(e, fresh())
    point = draw(program(), np.random.default_rng(seed))
    np.testing.assert_allclose(
        evaluate(form, point, FREE), evaluate(e, point, FREE), rtol=1e-8, atol=1e-8
    )
    assert normalise(form, fresh()) == form


@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_order_do_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    e = expression(rng, 3)
    assert normalise(disguised(e, rng), fresh()) == normalise(e, fresh())


@pytest.mark.parametrize("seed", SEEDS)
def test_expanded_form_keeps_the_value_and_is_idempotent(seed: int) -> None:
    e = expression(random.Random(seed), 3)
    try:
        wide = expand(e, fresh())
    except TooLarge:
        return
    point = draw(program(), np.random.default_rng(seed))
    np.testing.assert_allclose(
        evaluate(wide, point, FREE), evaluate(e, point, FREE), rtol=1e-7, atol=1e-7
    )
    assert expand(wide, fresh()) == wide


@pytest.mark.parametrize("seed", range(60))
def test_candidates_are_equal_in_value(seed: int) -> None:
    e = normalise(expression(random.Random(seed), 2), fresh())
    point = draw(program(), np.random.default_rng(seed))
    value = evaluate(e, point, FREE)
    for form in candidates(e, fresh()):
        np.testing.assert_allclose(evaluate(form, point, FREE), value, rtol=1e-7, atol=1e-7)
