"""Verdicts: the notes' lines are proved, their mutations refuted and explained, empty texts are
never proved.
"""

from __future__ import annotations

import contextlib
import json

import pytest

import symbackprop as sb
from symbackprop.checking.judge import verify
from symbackprop.checking.report import CATEGORIES, Report
from symbackprop.errors import Malformed
from tests.checking.fixtures import Case, cases, shipped, true_gradients, written

NET = "three-layer"
PARTS = 4  # of the mutations, so that they can be judged side by side


def judged(model: str, text: str, **options: object) -> Report:
    return verify(shipped(model), text, adjoints=true_gradients(model), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", cases("notes-lines"), ids=str)
def test_lines_of_the_notes_are_proved(case: Case) -> None:
    report = judged(case.model, case.text, format="latex")
    assert [(s.verdict, s.kind) for s in report.steps] == [("proved", k) for k in case.expected]
    assert report.verdict == ("proved" if report.claims else "undecided")


@pytest.mark.parametrize("part", range(PARTS))
def test_mutations_are_refuted_and_explained(part: int) -> None:
    mutations = cases("notes-mutations")[part::PARTS]
    suggested = sum(explained(case) for case in mutations)
    assert suggested >= 0.9 * len(mutations)


def explained(case: Case) -> bool:
    """Whether a mutation, refuted and rightly named, gets a suggestion; that is proved, too."""
    report = judged(case.model, case.text, format="latex")
    assert report.verdict == "refuted", case
    assert report.first_wrong_step is not None
    step = report.steps[report.first_wrong_step]
    assert step.counterexample is not None, case
    assert step.counterexample.claimed != step.counterexample.true, case
    assert step.diagnosis is not None
    assert step.diagnosis.category in case.expected, f"{step.diagnosis.category}: {case}"
    assert step.diagnosis.category in CATEGORIES
    suggestion = step.diagnosis.suggestion
    if suggestion:
        mended = judged(case.model, suggestion, format="latex", explain=False)
        assert {s.verdict for s in mended.steps} == {"proved"}, suggestion
    return bool(suggestion)


@pytest.mark.parametrize("case", cases("vacuous"), ids=str)
def test_vacuous_texts_are_never_proved(case: Case) -> None:
    assert judged(case.model, case.text, format="latex").verdict in case.expected


@pytest.mark.parametrize("case", cases("texts"), ids=str)
def test_whole_texts(case: Case) -> None:
    report = judged(case.model, case.text)
    assert [report.verdict, *(s.verdict for s in report.steps)] == list(case.expected), str(report)


def test_claims_follow_the_writers_own_steps() -> None:
    text = (
        r"$\nabla_Z L = \nabla_H L$, $\nabla_W L = (\nabla_Z L)^\top X$, "
        r"$\nabla_\theta L = H^\top\nabla_{\hat y}L$"
    )
    report = judged(NET, text)
    assert [s.verdict for s in report.steps] == ["refuted", "proved", "proved"]
    assert report.claims == {"Z": "refuted", "W": "refuted", "theta": "proved"}
    assert report.first_wrong_step == 0


def test_layouts() -> None:
    right = r"\frac{\partial L}{\partial W} = X^\top \nabla_Z L"
    assert judged(NET, right, layout="jacobian").verdict == "proved"
    report = judged(NET, right, layout="auto")
    assert (report.verdict, report.layout) == ("proved", "jacobian")
    refuted = judged(NET, right)
    assert refuted.steps[0].diagnosis is not None
    assert refuted.steps[0].diagnosis.category == "layout"
    assert "other layout" in refuted.steps[0].diagnosis.message


def test_row_or_column_of_a_vector_is_noted() -> None:
    report = judged(NET, r"\nabla_b L = 1_N^\top \nabla_Z L")
    assert report.verdict == "proved"
    assert any("row" in note for note in report.steps[0].notes)


def test_guessed_names_never_refute() -> None:
    report = judged(NET, r"\nabla_W L = \big(\nabla_z L\big)^\top x + x")
    assert report.verdict in ("undecided", "unreadable")
    wrong = judged(NET, r"\nabla_X L = 2\,\nabla_z L\,w")
    assert wrong.verdict == "undecided"
    assert any("guess" in note for note in wrong.steps[0].notes)


def test_symbol_map_and_definitions() -> None:
    text = (
        r"$\delta = \nabla_Z L$, so $\nabla_W L = \delta^\top X$ "
        r"and $g = \nabla_b L = \delta^\top\mathbf 1$"
    )
    assert judged(NET, text).verdict == "proved"
    report = judged(NET, r"\nabla_W L = D^\top X", symbols={"D": "grad_Z"})
    assert report.verdict == "proved"
    assert report.read_as["D"] == "grad_Z"


def test_a_mistake_in_a_definition_is_found_in_the_claim() -> None:
    text = r"$\delta = \nabla_H L$, so $\nabla_W L = \delta^\top X$"
    report = judged(NET, text)
    assert report.verdict == "refuted"
    assert report.first_wrong_step == 1


def test_unread_relations_are_placed() -> None:
    text = (
        "First line.\n$\\nabla_c L = \\Omega(\\hat y)$ and "
        "$\\nabla_\\theta L = H^\\top\\nabla_{\\hat y} L$"
    )
    report = judged(NET, text)
    assert report.verdict == "undecided"
    assert [s.verdict for s in report.steps] == ["unreadable", "proved"]
    assert (report.steps[0].line, report.steps[0].column) == (2, 2)
    assert any("Omega" in n for n in report.steps[0].notes)


def test_facts_are_listed() -> None:
    report = judged("softmax-regression", r"\nabla_Z L = \frac1N (P - Y)")
    assert report.verdict == "proved"
    assert report.facts == ("Y onehot",)


def test_json_has_the_fields_of_the_schema() -> None:
    report = judged(NET, r"$\nabla_W L = \nabla_Z L X$ and $\delta = \hat y - y$")
    data = json.loads(json.dumps(report.as_json()))
    assert list(data) == [
        "schema",
        "verdict",
        "layout",
        "steps",
        "first_wrong_step",
        "claims",
        "read_as",
        "facts",
    ]
    assert data["schema"] == 1
    step = data["steps"][0]
    assert step["of"] == "W"
    assert step["smallest_wrong_part"] == r"\nabla_Z L"
    assert set(step["counterexample"]) >= {"dims", "values", "claimed", "true"}
    assert "refuted" in str(report)
    assert "counterexample" in str(report)


BAD = {
    "write18": r"\write18{ls}",
    "input": r"$\nabla_W L = 1$ \input{secret}",
    "unclosed": r"\nabla_W L = (X",
    "deep": r"\nabla_W L = " + "(" * 10_000 + "X" + ")" * 10_000,
    "deep braces": r"\nabla_W L = " + "{" * 10_000 + "X" + "}" * 10_000,
    "deep accents": r"L = " + r"\hat" * 5_000 + "y",
    "huge": "x = 1\n" * 400_000,
    "long": r"\nabla_W L = " + "X +" * 5_000 + "X",
    "left-deep": r"\nabla_W L = " + r"X \odot " * 1_220 + "X",
    "macro": r"\newcommand{\a}{\a\a} L = \a",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_input_is_an_error_in_four_parts(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        judged(NET, text, format="latex")
    assert caught.value.exit_status == 2
    assert caught.value.span is not None
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("name", ["__import__", "lambda", "forward", "eval", "os.system"])
def test_strange_names_are_only_names(name: str) -> None:
    verdict = "malformed"
    with contextlib.suppress(Malformed):
        verdict = judged(NET, f"grad_W = {name}(X)", format="text").verdict
    assert verdict in ("malformed", "undecided", "unreadable")


def test_facts_given_with_the_derivation() -> None:
    model = written("dims D\nparam x[D]\ndata A[D,D]\nL = x @ A @ x\n")
    assert verify(model, "dL/dx = 2*A*x", assume=["A symmetric"]).verdict == "proved"
    report = verify(model, "dL/dx = 2*A*x")
    assert report.verdict == "refuted"
    assert report.steps[0].diagnosis is not None
    assert report.steps[0].diagnosis.category == "symmetric"
    for bad in ("A", "B symmetric", "A square", "x symmetric"):
        with pytest.raises(Malformed):
            verify(model, "dL/dx = 2*A*x", assume=[bad])


def test_what_is_nowhere_defined_is_undecided() -> None:
    model = written("dims D\nparam x[D]\nL = sum(x**2)\n")
    report = verify(model, r"\nabla_x L = \log(-\exp(x))")
    assert report.verdict == "undecided"
    assert any("no point was found" in n for n in report.steps[0].notes)


def test_an_output_that_is_no_scalar_has_jacobians() -> None:
    model = written("dims K\nparam z[K]\np = softmax(z)\noutput p\n")
    right = verify(model, r"\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} - p_j)")
    assert (right.verdict, right.steps[0].kind) == ("proved", "jacobian")
    wrong = verify(model, r"\frac{\partial p}{\partial z} = p\odot(1-p)")
    assert wrong.verdict == "refuted"
    assert wrong.steps[0].diagnosis is not None
    assert wrong.steps[0].diagnosis.category == "softmax-elementwise"
    assert verify(model, r"\nabla_z L = p").verdict in ("unreadable", "undecided")


def test_differentials_inverses_and_increments() -> None:
    model = written("dims D\nparam X[D,D]\ndata G[D,D]\nY = inv(X)\nL = sum(G * Y)\n")
    text = (
        r"$dY = -X^{-1}(dX)X^{-1}$, $dL = \langle G, dY\rangle$, "
        r"$\nabla_X L = -X^{-\top} G X^{-\top}$"
    )
    assert verify(model, text).verdict == "proved"
    assert verify(model, text.replace("-X^{-1}(", "X^{-1}(")).verdict == "refuted"
    assert verify(model, text.replace(r"X^{-\top} G", "X^{-1} G")).verdict == "refuted"
    twice = written("dims D\nparam w[D]\ndata g[D]\nL = sum(g * w) + sum(w**2)\n")
    steps = r"$\bar w = g$, $\bar w \mathrel{+}= 2w$"
    assert verify(twice, steps).verdict == "proved"
    assert verify(twice, steps.replace("2w", "w")).verdict == "refuted"


def test_a_vector_for_a_jacobian_that_is_not_diagonal_is_refuted() -> None:
    model = "dims K\nparam z[K]\ndata y[K]\np = softmax(z)\nL = -sum(y * log(p))\n"
    wrong = verify(written(model), r"\frac{\partial p}{\partial z} = p \odot (1 - p)")
    assert wrong.verdict == "refuted"
    right = verify(
        written(model), r"\frac{\partial p}{\partial z} = \operatorname{diag}(p) - pp^\top"
    )
    assert [s.verdict for s in right.steps] == ["proved"]
    by_entries = verify(
        written(model), r"\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} - p_j)"
    )
    assert [s.verdict for s in by_entries.steps] == ["proved"]


def test_a_vector_whose_entries_sum_to_a_number_declared() -> None:
    names = "dims D\nparam x[D]\nparam y[D]\nassume sum(y) == 1\n"
    model = sb.parse(names + "L = log(sum(exp(x))) * sum(y) - sum(y * x)")
    report = sb.verify(model, "dx = softmax(x) - y", format="text")
    assert report.verdict == "proved"
    assert report.facts == ("sum(y) == 1",)
    assert sb.verify(model, "dx = softmax(x) + y", format="text").verdict == "refuted"
