"""One self-contained page of verdicts: the writer's own lines, marked, and below a line what is
said of it.

Takes papers and what is known of the model; gives HTML that needs no script, no font and no file
beside it. A verdict is a word and a sign before it is a colour. Nothing that a user wrote reaches
the page unescaped: the templates escape, and formulas are built of escaped elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from symbackprop.backends.html.formulas import OURS, Reader
from symbackprop.backends.html.lines import Stretch, marked_lines, stretches
from symbackprop.backends.templates import environment, version
from symbackprop.checking.paper import Paper, worst
from symbackprop.checking.report import Counterexample, StepReport, plain
from symbackprop.notation.segment import detect_format

# fmt: off
SIGNS = {
    "proved": "✓", "refuted": "✗", "undecided": "?", "unreadable": "?", "error": "!",
    "time-out": "!",
}
WORDS = {
    "proved": "proved", "refuted": "refuted", "undecided": "undecided", "unreadable": "not read",
    "error": "error", "time-out": "time-out",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Truth:
    """The right gradient of a quantity and how it comes about, in LaTeX of our own."""

    latex: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class About:
    """What a page says of the model: its name, a sentence, its equations in LaTeX with shapes, the
    names in it, and the right gradients of what is refuted.
    """

    name: str
    title: str
    equations: tuple[tuple[str, str], ...]
    declared: frozenset[str]
    truths: Mapping[str, Truth]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula twice: in MathML if it reads, and as it is written."""

    math: Markup | None
    text: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A counterexample as rows: the values, and the two results."""

    where: str
    values: tuple[tuple[str, str], ...]
    claimed: str
    true: str


@dataclass(frozen=True, slots=True)
class StepView:
    """What is said of one step."""

    number: int
    anchor: str
    verdict: str
    sign: str
    word: str
    about: str
    formula: Formula
    category: str
    message: str
    suggestion: Formula | None
    witness: Witness | None
    notes: tuple[str, ...]
    truth: Formula | None
    reasons: tuple[tuple[Formula, str], ...]


@dataclass(frozen=True, slots=True)
class PaperView:
    """One paper on the page."""

    anchor: str
    path: str
    verdict: str
    sign: str
    word: str
    summary: str
    problem: str
    claims: tuple[tuple[str, str, str], ...]
    stretches: tuple[Stretch, ...]
    steps: tuple[StepView, ...]
    read_as: tuple[tuple[str, str], ...]
    facts: tuple[str, ...]
    code: bool


def render(papers: Sequence[Paper], about: About) -> str:
    """The page on some papers."""
    views = tuple(_paper(k, p, about) for k, p in enumerate(papers, 1))
    verdict = worst(tuple(papers))
    page = environment("html").get_template("verdicts.html.jinja")
    return page.render(
        version=version(),
        about=about,
        equations=[(_ours(latex), shape) for latex, shape in about.equations],
        papers=views,
        verdict=verdict,
        counts=_counts(papers),
        signs=SIGNS,
        words=WORDS,
    )


def _counts(papers: Sequence[Paper]) -> tuple[tuple[str, str, str, int], ...]:
    """How many papers have which verdict, those that occur."""
    verdicts = [p.verdict for p in papers]
    return tuple((v, SIGNS[v], WORDS[v], verdicts.count(v)) for v in SIGNS if v in verdicts)


def _paper(number: int, paper: Paper, about: About) -> PaperView:
    report = paper.report
    steps = report.steps if report is not None else ()
    format = "numpy" if paper.path.endswith(".py") else detect_format(paper.text)
    reader = Reader.of(paper.text, format, about.declared)
    anchor = f"paper-{number}"
    lines = marked_lines(paper.text, steps) if report is not None else ()
    return PaperView(
        anchor, paper.path, paper.verdict, SIGNS[paper.verdict], WORDS[paper.verdict],
        paper.summary(), paper.problem,
        tuple((of, SIGNS[v], v) for of, v in report.claims.items()) if report else (),
        stretches(lines),
        tuple(_step(k, s, f"{anchor}-step-{k}", reader, about) for k, s in enumerate(steps)),
        tuple(report.read_as.items()) if report else (),
        report.facts if report else (),
        format == "numpy",
    )  # fmt: skip


def _step(number: int, step: StepReport, anchor: str, reader: Reader, about: About) -> StepView:
    found = step.diagnosis
    suggestion = None
    if found is not None and found.suggestion:
        suggestion = Formula(reader.show(found.suggestion), found.suggestion)
    truth = about.truths.get(step.of) if step.verdict == "refuted" else None
    return StepView(
        number, anchor, step.verdict, SIGNS[step.verdict], WORDS[step.verdict],
        f"{step.kind} of {step.of}" if step.of else step.kind,
        Formula(reader.show(step.text, step.smallest_wrong_part), step.text),
        found.category if found is not None else "",
        found.message if found is not None else "",
        suggestion,
        _witness(step.counterexample),
        step.notes,
        _ours(truth.latex) if truth is not None else None,
        tuple((_ours(latex), why) for latex, why in truth.steps) if truth is not None else (),
    )  # fmt: skip


def _ours(latex: str) -> Formula:
    return Formula(OURS.show(latex), latex)


def _witness(found: Counterexample | None) -> Witness | None:
    if found is None:
        return None
    values = [(name, str(value)) for name, value in found.dims.items()]
    values += [(name, str(plain(value))) for name, value in found.values.items()]
    values += [(f"{name}(z)", body) for name, body in found.functions.items()]
    return Witness(found.place(), tuple(values), str(plain(found.claimed)), str(plain(found.true)))
