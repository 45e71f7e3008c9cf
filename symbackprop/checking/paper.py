"""What came of one paper among many: its text and the report on it, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symbackprop.checking.report import SCHEMA, Report, StepReport

WORST_FIRST = ("refuted", "error", "time-out", "unreadable", "undecided", "proved")


@dataclass(frozen=True, slots=True)
class Paper:
    """A file handed in, judged."""

    path: str
    text: str = ""
    report: Report | None = None
    problem: str = ""
    overtime: bool = False
    seconds: float = field(default=0.0, compare=False)

    @property
    def verdict(self) -> str:
        """The report's; ``time-out`` or ``error`` where there is none."""
        if self.report is not None:
            return self.report.verdict
        return "time-out" if self.overtime else "error"

    @property
    def first_wrong(self) -> StepReport | None:
        """The first step that is refuted."""
        if self.report is None or self.report.first_wrong_step is None:
            return None
        return self.report.steps[self.report.first_wrong_step]

    def summary(self) -> str:
        """Where it goes wrong, in a few words; empty where it does not."""
        wrong = self.first_wrong
        if wrong is not None:
            said = f": {wrong.diagnosis.category}" if wrong.diagnosis else ""
            of = f", {wrong.of}" if wrong.of else ""
            return f"line {wrong.line}{of}{said}"
        if self.report is None:
            return self.problem.partition("\n")[0]
        open_ = [s for s in self.report.steps if s.verdict in ("undecided", "unreadable")]
        if open_:
            return f"line {open_[0].line}: {open_[0].verdict} ({len(open_)} so)"
        return "" if self.verdict == "proved" else "no gradient is claimed"

    def as_json(self) -> dict[str, Any]:
        """The report's fields under the path, or the problem in their place."""
        if self.report is not None:
            return {"file": self.path, **self.report.as_json()}
        return {
            "schema": SCHEMA,
            "file": self.path,
            "verdict": self.verdict,
            "problem": self.problem,
        }


def worst(papers: tuple[Paper, ...]) -> str:
    """The verdict on all of them: the worst one."""
    verdicts = {p.verdict for p in papers}
    return next((v for v in WORST_FIRST if v in verdicts), "proved")
