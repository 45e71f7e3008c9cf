"""One round of the soundness check: a random identity, restyled, must not be refuted; spoiled, it
must not be proved and must be refuted wherever the evaluator tells the two sides apart.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from sympy import Expr

from symbackprop.algebra.prove import decide, prove
from symbackprop.ir.evaluate import evaluate, run
from symbackprop.ir.expressions import free_indices
from symbackprop.ir.program import Program
from symbackprop.ir.sample import draw as sample
from symbackprop.ir.verdict import Different, Equal
from tests.algebra.identity_family import GIVEN, SHAPES, draw
from tests.algebra.identity_rewrites import restyled, spoiled
from tests.small_programs import both

POINTS = 3


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one seed: the two identities, and whether all was as it must be."""

    true: str
    false: str
    proved: bool  # the true one
    differs: bool  # the false one, by the evaluator
    faults: tuple[str, ...]


def one_round(seed: int) -> Round:
    """The round of this seed."""
    rng = random.Random(seed)
    tree = draw(rng, rng.choice(SHAPES), rng.choice((1, 2, 2, 3, 3, 4)))
    same = restyled(tree, rng, rng.choice((1, 2, 4, 8)))
    other = spoiled(restyled(tree, rng, rng.choice((0, 1, 2))), rng)
    faults = []

    lhs, rhs, given = both(str(tree), str(same), GIVEN)
    verdict = decide(lhs, rhs, given)
    if isinstance(verdict, Different):
        faults.append(f"refuted though true: {tree} == {same}")

    lhs, rhs, given = both(str(tree), str(other), GIVEN)
    differs = told_apart(lhs, rhs, given, seed)
    answer = decide(lhs, rhs, given)
    if differs and not isinstance(answer, Different):
        faults.append(f"not refuted though false: {tree} == {other}")
    if differs and prove(lhs, rhs, given) is not None:
        faults.append(f"proved though false: {tree} == {other}")
    return Round(
        f"{tree} == {same}",
        f"{tree} == {other}",
        isinstance(verdict, Equal),
        differs,
        tuple(faults),
    )


def told_apart(lhs: Expr, rhs: Expr, given: Program, seed: int) -> bool:
    """Whether the evaluator alone finds the sides different at a random point."""
    rng = np.random.default_rng(seed)
    order = tuple(sorted(free_indices(lhs) | free_indices(rhs), key=lambda i: i.name))
    for _ in range(POINTS):
        point = run(given, sample(given, rng))
        a, b = evaluate(lhs, point, order), evaluate(rhs, point, order)
        apart = np.abs(a - b) > 1e-6 * (1 + np.abs(a) + np.abs(b))
        if np.any(apart & np.isfinite(a) & np.isfinite(b)):
            return True
    return False
