"""The writer's own lines, with the stretches of the steps marked: takes a text and its report,
gives lines in pieces.

A step is looked for where the report says it stands; one that cannot be found there (its place
lies in a macro, say) marks nothing, and is told below its line all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.checking.report import StepReport

FOLDED = 6  # so many lines in a row that say nothing are folded away
AROUND = 2  # lines shown on either side of one that says something


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one line; ``kind`` is a verdict, ``part`` for the smallest wrong part, or
    empty.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the writer: its number, its pieces, and the numbers of the steps on it."""

    number: int
    pieces: tuple[Piece, ...]
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines one after the other; folded away where they say nothing."""

    lines: tuple[Line, ...]
    folded: bool = False


def marked_lines(text: str, steps: tuple[StepReport, ...]) -> tuple[Line, ...]:
    """The lines of a text with its steps marked."""
    rows = text.split("\n")
    starts = [0]
    for line in rows:
        starts.append(starts[-1] + len(line) + 1)
    kinds = [""] * len(text)
    for step in steps:
        begin, end = _place(step, text, starts)
        for k in range(begin, end):
            kinds[k] = step.verdict
        part = step.smallest_wrong_part
        at = text.find(part, begin, end) if part else -1
        for k in range(at, at + len(part or "") if at >= 0 else at):
            kinds[k] = "part"
    numbers: dict[int, list[int]] = {}
    for k, step in enumerate(steps):
        numbers.setdefault(min(step.line, len(rows)), []).append(k)
    return tuple(
        Line(n, _pieces(row, kinds[starts[n - 1] :]), tuple(numbers.get(n, ())))
        for n, row in enumerate(rows, 1)
    )


def _place(step: StepReport, text: str, starts: list[int]) -> tuple[int, int]:
    """Where a step stands; a later member of a chain alone, without the chain's left end."""
    if not 0 < step.line < len(starts):
        return 0, 0
    begin = starts[step.line - 1] + step.column - 1
    said = step.text
    while said and not text.startswith(said, begin):
        said = said.partition(" = ")[2]
    return begin, begin + len(said)


def _pieces(line: str, kinds: list[str]) -> tuple[Piece, ...]:
    """A line cut where the kind changes."""
    out: list[Piece] = []
    for letter, kind in zip(line, kinds, strict=False):
        if out and out[-1].kind == kind:
            out[-1] = Piece(out[-1].text + letter, kind)
        else:
            out.append(Piece(letter, kind))
    return tuple(out)


def stretches(lines: tuple[Line, ...]) -> tuple[Stretch, ...]:
    """The lines, long runs without a step folded."""
    near = {
        n + k for line in lines if line.steps for n in (line.number,) for k in range(-AROUND, 3)
    }
    out: list[list[Line]] = []
    for line in lines:
        if out and (out[-1][-1].number in near) == (line.number in near):
            out[-1].append(line)
        else:
            out.append([line])
    return tuple(
        Stretch(tuple(run), len(run) >= FOLDED and run[0].number not in near) for run in out
    )
