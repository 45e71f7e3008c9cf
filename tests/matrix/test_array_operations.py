"""Each array operation means what NumPy means, and is read back as it is printed."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.ir.evaluate import run
from symbackprop.ir.program import Program
from symbackprop.ir.sample import draw
from symbackprop.library.functions import RULES
from symbackprop.library.scopes import scope_of
from symbackprop.matrix.lower import lower
from symbackprop.network.model import Model, parse
from symbackprop.notation.elaborate import elaborate
from symbackprop.notation.text_printer import show
from symbackprop.notation.text_reader import read_expression
from tests.array_operations import DECLARED, OPERATIONS, reference


def _program(model: Model) -> Program:
    return lower(
        dims=model.dims,
        inputs=model.inputs,
        facts=model.facts,
        conditions=model.conditions,
        statements=[(name, term) for name, term, _ in model.statements],
        output=model.output,
        rules=RULES,
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_value_is_numpys(operation: str) -> None:
    program = _program(parse(DECLARED + f"F = {operation}\n"))
    for seed in range(2):
        point = run(program, draw(program, np.random.default_rng(seed)))
        wanted = reference(operation, point.values, point.dims)
        assert point.values["F"].shape == wanted.shape
        np.testing.assert_allclose(point.values["F"], wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_exact_value_is_the_same(operation: str) -> None:
    """Fractions and 50 digits give what floating point gives."""
    program = _program(parse(DECLARED + f"F = {operation}\n"))
    dims = {"N": 3, "D": 2, "K": 2}
    point = run(program, draw(program, np.random.default_rng(5), dims=dims, exact=True))
    floats = {k: v.astype(float) for k, v in point.values.items()}
    wanted = reference(operation, floats, point.dims)
    np.testing.assert_allclose(point.values["F"].astype(float), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_printed_reads_as_the_same_term(operation: str) -> None:
    model = parse(DECLARED + f"F = {operation}\n")
    ((_, term, _),) = model.statements
    scope = scope_of(_program(parse(DECLARED + "F = a\n")))
    again = elaborate(read_expression(show(term)), scope)
    assert show(again) == show(term)
    assert again == term
