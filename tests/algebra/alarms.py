"""Checks that must notice a wrong pass: the text cases by value, identities that must not be
proved, and a few rounds of the soundness family. Nothing here compares with an expected text.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symbackprop.algebra.expand import TooLarge
from symbackprop.algebra.prove import prove
from symbackprop.ir.evaluate import evaluate, run
from symbackprop.ir.sample import draw
from tests.algebra.expression_families import FREE, program
from tests.algebra.pass_cases import PASSES, ZERO_ONLY, Case, cases
from tests.algebra.soundness import one_round
from tests.algebra.test_passes import keeps_the_value, random_expression
from tests.algebra.test_prove import FALSE, GIVEN
from tests.small_programs import both

SEEDS = range(6)
ROUNDS = range(12)
READ = {name: cases(name) for name in PASSES}


def alarms() -> Iterator[str]:
    """What is wrong with the algebra as it now is, the cheap checks first."""
    for name, read in READ.items():
        for case in read:
            yield from _of_case(name, case)
    for left, right in FALSE:
        if prove(*both(left, right, GIVEN)) is not None:
            yield f"proved: {left} == {right}"
    given = program()
    for name in PASSES:
        for seed in SEEDS if name != "matrices" else ():
            e = random_expression(name, seed)
            try:
                result = PASSES[name](e, given)
            except TooLarge:
                continue
            if name not in ZERO_ONLY or result == 0:
                if not keeps_the_value(e, result, FREE, given, seed):
                    yield f"{name} changes the value of {e}"
    for seed in ROUNDS:
        yield from one_round(seed).faults


def _of_case(name: str, case: Case) -> Iterator[str]:
    """Whether a pass keeps the value of a case; of one that keeps zeros alone, what is not 0 must
    not become 0, and the other way round.
    """
    result = PASSES[name](case.entry, case.program)
    if name not in ZERO_ONLY:
        if not keeps_the_value(case.entry, result, case.indices, case.program):
            yield f"{name} changes the value of {case.entry}"
        return
    point = run(case.program, draw(case.program, np.random.default_rng(0)))
    before, after = (evaluate(e, point, case.indices) for e in (case.entry, result))
    if np.allclose(before, 0, atol=1e-9) != np.allclose(after, 0, atol=1e-9):
        yield f"{name} makes {result} of {case.entry}"
