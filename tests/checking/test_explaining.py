"""Blame is laid once, wrong parts have places, hints keep the answer back, explanations derive."""

from __future__ import annotations

import pytest

from symbackprop import pipeline
from symbackprop.checking.hints import QUESTIONS
from symbackprop.checking.report import CATEGORIES, Report
from tests.checking.fixtures import Case, cases

WRONG = r"\nabla_W L = (\nabla_H L)^\top X"


def judged(model: str, text: str, **options: bool) -> Report:
    return pipeline.verify(pipeline.load(model), text, **options)


@pytest.mark.parametrize("case", cases("consequences"), ids=str)
def test_what_follows_from_a_wrong_step_says_so(case: Case) -> None:
    report = judged(case.model, case.text)
    said = [
        f"{s.verdict}<{','.join(map(str, s.follows_from))}" if s.follows_from else s.verdict
        for s in report.steps
    ]
    assert said == list(case.expected), str(report)
    assert all(s.diagnosis is None for s in report.steps if s.follows_from)


def test_a_right_step_that_uses_a_wrong_one_says_so() -> None:
    report = judged("three-layer", r"$\nabla_Z L = \nabla_H L$, $\nabla_W L = (\nabla_Z L)^\top X$")
    assert [s.verdict for s in report.steps] == ["refuted", "proved"]
    assert any("it uses step 0" in note for note in report.steps[1].notes)
    assert report.claims == {"Z": "refuted", "W": "refuted"}


def test_the_smallest_wrong_part_has_its_place() -> None:
    text = "First\n\\[ \\nabla_\\theta L = 2 H (\\hat y - y) \\]\n"
    step = judged("three-layer", text).steps[0]
    assert step.smallest_wrong_part == "H"
    assert step.smallest_wrong_span is not None
    place = step.smallest_wrong_span.as_json()
    line = text.splitlines()[place["line"] - 1]
    assert line[place["column"] - 1 : place["end_column"]] == "H"
    assert step.as_json()["smallest_wrong_span"] == place


def test_hints_keep_the_answer_back() -> None:
    step = judged("three-layer", WRONG, hint=True).steps[0]
    assert step.diagnosis is not None
    assert step.diagnosis.category == "missing-slope"
    assert step.diagnosis.suggestion == ""
    assert "f'" not in step.diagnosis.message
    assert step.counterexample is None
    assert step.smallest_wrong_part


def test_every_kind_of_mistake_has_its_question() -> None:
    assert QUESTIONS.keys() == set(CATEGORIES)


def test_explanations_derive_the_step_by_entries() -> None:
    step = judged("three-layer", WRONG, explain=True).steps[0]
    assert "chain rule through Z" in step.derivation[0]
    assert step.derivation[-1].startswith("grad_W = grad_Z.T @ X")
    forward = judged("three-layer", r"Z = X W^\top", explain=True).steps[0]
    assert forward.derivation[0].startswith("Z[n,m] = ")
    assert judged("three-layer", WRONG).steps[0].derivation == ()
