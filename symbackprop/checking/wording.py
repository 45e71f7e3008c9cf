"""Steps as they are reported: where they stand, in the writer's words, with what is to be noted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbackprop.checking.consequences import said_of_others
from symbackprop.checking.local_gradients import multiple
from symbackprop.checking.report import Place, StepReport
from symbackprop.checking.scope import Scope
from symbackprop.checking.steps import Step
from symbackprop.notation.written import Node

_BLANKS = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")  # what the marks of Markdown leave


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of a document, and how it is written."""

    text: str
    format: str

    def report(
        self, step: Step, scope: Scope, follows: tuple[int, ...], uses: tuple[int, ...]
    ) -> StepReport:
        """A step without what explains it."""
        comparison = step.comparison
        start = (
            step.left.start
            if step.left is not None and step.at <= 1
            else step.right.start
            if step.right is not None
            else step.statement.start
        )
        return StepReport(
            self.text.count("\n", 0, start) + 1,
            start - (self.text.rfind("\n", 0, start) + 1) + 1,
            step.kind,
            self.written(step),
            scope.spoken.get(step.of, step.of),
            step.verdict,
            notes=(*self.notes(step, scope), *said_of_others(follows, uses)),
            follows_from=follows,
            facts=tuple(str(f) for f in comparison.facts) if comparison else (),
        )

    def said(self, node: Node) -> str:
        """A part in the writer's words, on one line."""
        return " ".join(self.text[node.start : node.end].split())

    def place(self, node: Node) -> Place:
        """Where a part stands: line and column, counted from 1, of its first and last sign."""
        first, last = node.start, max(node.end - 1, node.start)
        lines = (self.text.count("\n", 0, at) + 1 for at in (first, last))
        columns = (at - self.text.rfind("\n", 0, at) for at in (first, last))
        return Place(*lines, *columns)

    def written(self, step: Step) -> str:
        """The relation in the writer's words; a later member of a chain with the chain's left
        end.
        """
        if step.left is None or step.right is None:
            return step.statement.text
        if step.at <= 1:
            words = self.text[step.left.start : step.right.end]
        else:
            words = " = ".join(self.text[n.start : n.end] for n in (step.left, step.right))
        return _BLANKS.sub(" ", words) if self.format == "text" else words

    def notes(self, step: Step, scope: Scope) -> tuple[str, ...]:
        """What there is to say about how it was read, and why not."""
        notes = list(step.comparison.notes) if step.comparison else []
        if multiple(step, scope):
            notes.append(multiple(step, scope))
        if step.at_number:
            notes.append(step.at_number)
        if step.unread is not None and step.verdict != "refuted":
            where = step.unread.node
            piece = self.text[where.start : where.end] if where.start >= 0 else ""
            notes.append(
                f"not read: {step.unread.message}"
                + (f" (at «{piece}»)" if piece and piece not in step.unread.message else "")
            )
        if step.statement.error is not None:
            notes.append(" ".join(str(step.statement.error).split()))
        return tuple(notes)
