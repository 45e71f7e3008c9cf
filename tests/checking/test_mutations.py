"""Trust: a slip in a right formula is never proved, right formulas in other notation always are."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from symbackprop.checking.judge import verify
from symbackprop.checking.report import Report
from tests.checking.fixtures import Case, cases, shipped, true_gradients
from tests.checking.mutations import SLIPS, mutations

LINES = cases("notes-lines")


def judged(model: str, text: str) -> Report:
    return verify(
        shipped(model), text, adjoints=true_gradients(model), format="latex", explain=False
    )


def still_true(kind: str, changed: str) -> bool:
    """1 before a vector, without its transpose, is read as the sum; the notes write so."""
    return kind == "transpose dropped" and r"\mathbf{1}_N " in changed


@pytest.mark.parametrize("case", LINES, ids=str)
def test_slips_are_not_proved(case: Case) -> None:
    verdicts: Counter[str] = Counter()
    for kind, changed in mutations(case.text):
        report = judged(case.model, changed)
        whole = report.steps and all(s.verdict == "proved" for s in report.steps)
        assert not whole or still_true(kind, changed), f"{kind}: {changed}\n{report}"
        verdicts[report.verdict] += 1
    assert verdicts["refuted"] > 0


def test_every_kind_of_slip_occurs() -> None:
    met = Counter(kind for c in LINES for kind, _ in mutations(c.text))
    assert set(met) == {kind for kind, _, _ in SLIPS}
    assert sum(met.values()) >= 300


RESTYLES = (
    (r"\^\\top", ("^T", r"^{\\mathsf T}", r"^{\\intercal}", "'", "ᵀ")),
    (r"\\odot", (r"\\circ", r"\\ast")),
    (
        r"\\frac\{\\partial ?L\}\{\\partial(\\?[a-zA-Z ]+)\}",
        (r"\\partial L/\\partial\1", r"\\nabla_{\1} L"),
    ),
    (r"\\hat y", (r"\\hat{y}", r"\\widehat{y}", "ŷ", r"{\\hat{\\mathbf y}}")),
    (r"\\theta", (r"\\boldsymbol\\theta ", "θ", r"{\\theta}")),
    (r"\bL\b", (r"{\\mathcal L}", "J", r"\\mathcal{L}")),
    (r"\b2\(", (r"2\\,(", r"2\\cdot(", r"2\\left(")),
    (r" = ", (" &= ", r" \\;=\\; ", "=")),
    (r"(?<![_^{a-z\\])\bX\b", (r"\\mathbf{X}", r"\\mathbf X ")),
)  # fmt: skip


def restyled(text: str, chained: bool, rng: random.Random) -> str:
    """The formula in other notation; only Leibniz's states the chain rule without transposes."""
    for pattern, options in RESTYLES:
        if rng.random() < 0.5:
            option = rng.choice([o for o in options if "nabla" not in o or not chained])
            text = re.sub(pattern, option, text)
    depth = text.count(r"\left(") - text.count(r"\right)")
    for _ in range(depth):
        opened = text.index(r"\left(")
        text = text[:opened] + "(" + text[opened + 6 :]
    return text


@pytest.mark.parametrize("case", LINES, ids=str)
def test_other_notations_of_right_lines_are_proved(case: Case) -> None:
    rng = random.Random(case.text)
    for text in {restyled(case.text, "chain-rule" in case.expected, rng) for _ in range(6)}:
        report = judged(case.model, text)
        assert report.steps
        assert {s.verdict for s in report.steps} == {"proved"}, f"{text}\n{report}"
