"""The derivation corpora, in process: every derivative right, in the form that a person writes.

Each answer in closed form is evaluated by an evaluator of the corpus' language that knows nothing
of the tool (``corpus_language``, NumPy) and compared, value and exact shape, with the expected
formula at two draws of sizes and data; the expected formulas are compared with differences of the
corpus' reference code (``reference_code``). How matrix notation, size and sameness are counted is
the corpus' own scorer's business. Where jax is installed, the scorer runs as it is on a part of the
corpus, against jax's derivatives of the reference code.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from symbackprop.errors import SymbackpropError
from tests import corpus_language as language
from tests.corpus_scorer import CORPUS, data, scorer
from tests.reference_code import derivative, reference

Problem = dict[str, Any]
TOLERANCE = 1e-8
STEP = 1e-5


@dataclass(frozen=True, slots=True)
class Score:
    """One derivative: what was answered, and how it compares with what a person wrote."""

    name: str
    answer: str
    expected: str
    right: bool
    matrix_expected: bool
    matrix: bool
    same: bool
    ratio: float


def read(file: str) -> list[Problem]:
    """The problems of a corpus file."""
    return [json.loads(line) for line in (CORPUS / file).read_text(encoding="utf-8").splitlines()]


def is_right(p: Problem, answer: str, expected: str) -> bool:
    """Whether the answer has the value and the shape of the expected formula, at two draws."""
    for trial in (0, 1):
        rng = data.rng_for(p, trial)
        dims = data.pick_dims(p, rng)
        values = data.pick_values(p, dims, rng)
        functions = {
            f: language.SMOOTH[(trial + i) % len(language.SMOOTH)]
            for i, f in enumerate(p["elementwise_functions"])
        }
        given = language.environment(dims, functions)
        forward = language.run(p["forward"], values, given)
        got = language.value(answer, forward, given)
        want = language.value(expected, language.run(p.get("let", []), forward, given), given)
        bound = TOLERANCE * (1 + np.max(np.abs(want), initial=0))
        if np.shape(got) != np.shape(want) or not np.all(np.abs(got - want) <= bound):
            return False
    return True


def scores(p: Problem) -> list[Score]:
    """Every derivative that a problem asks for; none answered is none right."""
    try:
        answers = scorer.ask(p)
    except SymbackpropError as error:
        answers = dict.fromkeys(p["expected"])
        print(p["id"], error)  # noqa: T201 - shown where the test fails
    return [score(p, wrt, answer or "", p["expected"][wrt]) for wrt, answer in answers.items()]


def score(p: Problem, wrt: str, answer: str, expected: str) -> Score:
    let = p.get("let", [])
    own = scorer.tree(expected, let)
    return Score(
        name=f"{p['id']} {wrt}",
        answer=answer,
        expected=expected,
        right=bool(answer) and is_right(p, answer, expected),
        matrix_expected=not re.search(scorer.NOT_MATRIX, " ".join([expected, *let])),
        matrix=bool(answer) and not re.search(scorer.NOT_MATRIX, answer),
        same=bool(answer) and scorer.plain(scorer.tree(answer)) == scorer.plain(own),
        ratio=scorer.nodes(scorer.tree(answer)) / scorer.nodes(own) if answer else np.inf,
    )


@pytest.fixture(scope="module", params=["derive.jsonl", "more.jsonl"])
def scored(request: pytest.FixtureRequest) -> list[Score]:
    return [s for p in read(request.param) for s in scores(p)]


def listed(missed: Iterable[Score]) -> str:
    return "\n".join(f"{s.name}: {s.answer} :: expected {s.expected}" for s in missed)


def test_every_derivative_is_right(scored: list[Score]) -> None:
    wrong = [s for s in scored if not s.right]
    assert not wrong, listed(wrong)


def test_matrix_notation_wherever_a_person_writes_it(scored: list[Score]) -> None:
    missed = [s for s in scored if s.matrix_expected and not s.matrix]
    assert not missed, listed(missed)


def test_size_is_near_what_a_person_writes(scored: list[Score]) -> None:
    long = [s for s in scored if s.ratio > 2]
    assert len(long) <= 0.05 * len(scored), listed(long)
    assert statistics.median(s.ratio for s in scored) <= 1.2


def test_half_are_the_very_formula(scored: list[Score]) -> None:
    other = [s for s in scored if not s.same]
    assert len(other) <= 0.5 * len(scored), listed(other)


@pytest.mark.parametrize("triple", range(len(language.SMOOTH)))
def test_slopes_of_the_stand_ins_for_abstract_functions(triple: int) -> None:
    x = np.linspace(-2, 2, 9)

    def difference(f: Callable[[Any], Any]) -> Any:
        return (f(x + STEP) - f(x - STEP)) / (2 * STEP)

    f, slope, curvature = language.SMOOTH[triple]
    np.testing.assert_allclose(slope(x), difference(f), atol=1e-8)
    np.testing.assert_allclose(curvature(x), difference(slope), atol=1e-8)


def test_a_wrong_answer_is_noticed() -> None:
    p = next(p for p in read("derive.jsonl") if p["id"] == "ml-linreg")
    assert is_right(p, "2 * X.T @ (X @ w - y)", p["expected"]["w"])
    assert not is_right(p, "2 * X.T @ (y - X @ w)", p["expected"]["w"])
    assert not is_right(p, "(2 * X.T @ (X @ w - y))[:, None]", p["expected"]["w"])


@pytest.mark.parametrize("file", ["derive.jsonl", "more.jsonl"])
def test_what_is_expected_is_the_derivative_of_the_reference_code(file: str) -> None:
    wrong = [name for p in read(file) for name in differing(p)]
    assert not wrong, wrong


def differing(p: Problem) -> list[str]:
    """What is expected and is not what central differences give, at one draw of sizes and data."""
    rng = data.rng_for(p, 0)
    dims = data.pick_dims(p, rng)
    values = data.pick_values(p, dims, rng)
    functions = dict(zip(p["elementwise_functions"], itertools.cycle(language.SMOOTH)))
    given = language.environment(dims, functions)
    names = language.run(p["forward"] + p.get("let", []), values, given)
    f = reference(p)
    inputs = values | {name: slopes[0] for name, slopes in functions.items()}
    out = []
    for key, formula in p["expected"].items():
        want = derivative(p, f, inputs, key, names)
        got = language.value(formula, names, given)
        bound = TOLERANCE * (1 + np.max(np.abs(want), initial=0))
        if np.shape(got) != np.shape(want) or not np.all(np.abs(got - want) <= bound):
            out.append(f"{p['id']} {key}")
    return out


def test_a_wrong_expectation_is_noticed() -> None:
    p = next(p for p in read("derive.jsonl") if p["id"] == "ml-linreg")
    assert not differing(p)
    assert differing(p | {"expected": {"w": "2 * X.T @ (y - X @ w)"}}) == ["ml-linreg w"]


def test_the_scorer_as_it_runs_with_jax(require: Callable[..., str]) -> None:
    require("jax", package=True)
    done = subprocess.run(
        [sys.executable, "score_derive.py", "derive.jsonl", "-v", "--only", "ml-l"],
        cwd=CORPUS,
        env={**os.environ, "PYTHONPATH": str(CORPUS.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
