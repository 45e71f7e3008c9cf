"""Verdicts as a JUnit report, for what shows test results: a paper is a case; refuted is a failure,
without a verdict an error, undecided is skipped.

Takes papers and the model's name; gives XML that is the same for the same verdicts, so without
times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.backends.templates import environment, version
from symbackprop.checking.paper import Paper

OUTCOMES = {
    "refuted": "failure",
    "error": "error",
    "time-out": "error",
    "undecided": "skipped",
    "unreadable": "skipped",
    "proved": "",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One paper as JUnit has it; ``outcome`` is empty for one that is proved."""

    path: str
    verdict: str
    outcome: str
    summary: str
    text: str


def render(papers: Sequence[Paper], model: str) -> str:
    """The report on some papers."""
    cases = tuple(_case(p) for p in papers)
    outcomes = [c.outcome for c in cases]
    return (
        environment("xml")
        .get_template("verdicts.xml.jinja")
        .render(
            version=version(),
            model=model,
            cases=cases,
            failures=outcomes.count("failure"),
            errors=outcomes.count("error"),
            skipped=outcomes.count("skipped"),
        )
    )


def _case(paper: Paper) -> Case:
    text = str(paper.report) if paper.report is not None else paper.problem
    summary = f"{paper.verdict}: {paper.summary()}".rstrip(": ")
    return Case(
        _legal(paper.path),
        paper.verdict,
        OUTCOMES[paper.verdict],
        _legal(summary),
        _legal(text),
    )


def _legal(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return "".join(c if c in "\t\n\r" or " " <= c < "\ud800" or c > "\udfff" else "\ufffd"
                   for c in text if c not in "\ufffe\uffff")  # fmt: skip
