"""What a verdict looks like: the report of one document, its steps, diagnoses and counterexamples,
as data, JSON and text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

SCHEMA = 1
PLACES = ("row", "column")  # of an entry that the writer gives no letters

CATEGORIES = (
    "transpose", "side-of-product", "outer-transposed", "sign", "factor", "mean-for-sum", "axis",
    "bias-not-summed",
    "missing-slope", "wrong-slope", "extra-slope", "slope-point", "softmax-elementwise",
    "missing-path", "shared-once",
    "product-rule", "quotient-rule", "wrong-name", "wrong-index", "mask", "symmetric",
    "regulariser", "updated-weights",
    "layout", "jacobian-as-elementwise", "power", "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a step is wrong: a category of the closed list, a sentence, and the step as it should
    read (or empty).
    """

    category: str
    message: str
    suggestion: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "message": self.message,
            "suggestion": self.suggestion or None,
        }


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A small point at which a step fails; ``claimed`` and ``true`` are numbers at ``entry``, or
    two shapes.
    """

    dims: Mapping[str, int]
    values: Mapping[str, Any]
    claimed: Any
    true: Any
    entry: Mapping[str, int] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "dims": dict(self.dims),
            "values": {k: plain(v) for k, v in self.values.items()},
            "entry": dict(self.entry),
            "functions": dict(self.functions),
            "claimed": plain(self.claimed),
            "true": plain(self.true),
        }

    def __str__(self) -> str:
        at = ", ".join(f"{k} = {v}" for k, v in self.dims.items())
        given = [f"{k} = {plain(v)}" for k, v in self.values.items()]
        given += [f"{name}(z) = {body}" for name, body in self.functions.items()]
        place = " and ".join(part for part in (at, self.place()) if part)
        said = f"it gives {plain(self.claimed)}, true is {plain(self.true)}"
        return (
            (f"at {place}: " if place else "")
            + said
            + (f"   ({'; '.join(given)})" if given else "")
        )

    def place(self) -> str:
        """The entry, counted from 1: by the writer's letters, else by its place in the array."""
        named = [f"{k} = {v + 1}" for k, v in self.entry.items() if k not in PLACES]
        places = [str(self.entry[k] + 1) for k in PLACES if k in self.entry]
        if named or not places or all(v == 1 for v in self.dims.values()):
            return ", ".join(named)
        return f"entry ({', '.join(places)})" if len(places) > 1 else f"entry {places[0]}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a document begins and ends."""

    line: int
    end_line: int
    column: int
    end_column: int

    def as_json(self) -> dict[str, int]:
        return {
            "line": self.line, "column": self.column,
            "end_line": self.end_line, "end_column": self.end_column,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepReport:
    """One relation of the document, where it stands, and what came of it."""

    line: int
    column: int
    kind: str
    text: str
    of: str
    verdict: str
    diagnosis: Diagnosis | None = None
    counterexample: Counterexample | None = None
    smallest_wrong_part: str | None = None
    smallest_wrong_span: Place | None = None
    follows_from: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    derivation: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        out = {
            "line": self.line, "column": self.column, "kind": self.kind, "text": self.text,
            "of": self.of,
            "verdict": self.verdict,
            "diagnosis": self.diagnosis.as_json() if self.diagnosis else None,
            "counterexample": self.counterexample.as_json() if self.counterexample else None,
            "smallest_wrong_part": self.smallest_wrong_part,
            "notes": list(self.notes),
        }  # fmt: skip
        if self.smallest_wrong_span is not None:
            out["smallest_wrong_span"] = self.smallest_wrong_span.as_json()
        if self.follows_from:
            out["follows_from"] = list(self.follows_from)
        if self.derivation:
            out["derivation"] = list(self.derivation)
        return out


def undecided(step: StepReport, *notes: str) -> StepReport:
    """The step as one of which nothing is known, so that nothing in it is called wrong."""
    return replace(
        step,
        verdict="undecided",
        notes=(*step.notes, *notes),
        diagnosis=None,
        counterexample=None,
        smallest_wrong_part=None,
        smallest_wrong_span=None,
    )


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a document."""

    verdict: str
    layout: str
    steps: tuple[StepReport, ...]
    first_wrong_step: int | None
    claims: Mapping[str, str]
    read_as: Mapping[str, str]
    facts: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report under the schema of the command line's ``--json``."""
        out = {
            "schema": SCHEMA, "verdict": self.verdict, "layout": self.layout,
            "steps": [s.as_json() for s in self.steps],
            "first_wrong_step": self.first_wrong_step, "claims": dict(self.claims),
            "read_as": dict(self.read_as),
            "facts": list(self.facts),
        }  # fmt: skip
        if self.left_out:
            out["left_out"] = list(self.left_out)
        return out

    def __str__(self) -> str:
        lines = [_headline(self)]
        for n, step in enumerate(self.steps):
            lines.extend(_step_lines(n, step))
        if self.read_as:
            lines.append("read as   " + ", ".join(f"{k} → {v}" for k, v in self.read_as.items()))
        if self.facts:
            lines.append("facts     " + "; ".join(self.facts))
        if self.left_out:
            lines.append("left out  " + ", ".join(self.left_out) + ", as the document asks")
        return "\n".join(lines)


def _headline(report: Report) -> str:
    count = f"{len(report.steps)} step{'' if len(report.steps) == 1 else 's'}"
    if report.verdict == "refuted" and report.first_wrong_step is not None:
        return f"refuted: step {report.first_wrong_step} of {count} is wrong"
    if report.verdict == "undecided" and not report.claims:
        return f"undecided: no gradient is claimed ({count} read)"
    return f"{report.verdict} ({count})"


def _step_lines(n: int, step: StepReport) -> list[str]:
    text = " ".join(step.text.replace("&", "").split())
    lines = [
        f"{n:>3}  {step.verdict:<10} {text}    [{step.kind} of {step.of}, line {step.line}]"
        if step.of
        else f"{n:>3}  {step.verdict:<10} {text}    [line {step.line}]"
    ]
    if step.diagnosis:
        lines.append(f"     {step.diagnosis.category}: {step.diagnosis.message}")
        if step.smallest_wrong_part and step.smallest_wrong_span is not None:
            at = step.smallest_wrong_span
            part = f"«{step.smallest_wrong_part}», line {at.line}, column {at.column}"
            lines.append(f"     the smallest wrong part: {part}")
        if step.diagnosis.suggestion:
            lines.append(f"     suggestion: {step.diagnosis.suggestion}")
    if step.counterexample:
        lines.append(f"     counterexample: {step.counterexample}")
    lines.extend(f"     note: {note}" for note in step.notes)
    if step.derivation:
        lines.append("     derived by entries:")
        lines.extend(f"       {line}" for line in step.derivation)
    return lines


def plain(value: Any) -> Any:
    """A value as JSON has it: nested lists of numbers; exact fractions stay as text such as
    ``1/2``.
    """
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float | np.floating):
        return float(value)
    return _number(value)


def _number(value: Any) -> Any:
    text = str(value)
    if text.lstrip("-").isdigit():
        return int(text)
    return text if "/" in text else float(value)
