"""What can go wrong, said in four parts: what was expected, what came, where, and what to do.

Two families by promise: :class:`Malformed` (the input must change) and :class:`NotSupported` (the
tool may learn it one day). :class:`MissingProgram` stands apart: the input is fine, an external
program is not there or failed. Each knows the exit status with which the command line answers.
Nothing here imports another room.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch ``start:end`` of a source text, so that a message can point at it."""

    source: str
    text: str
    start: int
    end: int

    @property
    def line(self) -> int:
        """Line number, 1-based."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Column number, 1-based."""
        return self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1

    def excerpt(self, width: int = 100) -> str:
        """The place as ``file:line:column`` and the line itself with carets under the stretch."""
        begin = self.text.rfind("\n", 0, self.start) + 1
        stop = self.text.find("\n", begin)
        row = self.text[begin : len(self.text) if stop < 0 else stop].replace("\t", " ")
        offset = self.start - begin
        shift = max(0, offset - width // 2)
        shown = row[shift : shift + width]
        carets = max(1, min(self.end - self.start, len(shown) - (offset - shift)))
        where = f"{self.source}:{self.line}:{self.column}"
        return f"{where}\n    {shown}\n    {' ' * (offset - shift)}{'^' * carets}"


class SymbackpropError(Exception):
    """Base of every error the tool raises on purpose.

    Parameters
    ----------
    expected : str
        What should have been there.
    got : str
        What was there instead.
    span : Span, optional
        Where, in the text that the user wrote.
    hint : str, optional
        What to do about it.
    """

    exit_status = 2

    def __init__(self, expected: str, got: str, span: Span | None = None, hint: str = "") -> None:
        self.expected, self.got, self.span, self.hint = expected, got, span, hint
        super().__init__(expected, got, span, hint)

    def __str__(self) -> str:
        lines = [f"expected {self.expected}", f"got      {self.got}"]
        if self.span is not None:
            lines.append(f"at       {self.span.excerpt()}")
        if self.hint:
            lines.append(f"try      {self.hint}")
        return "\n".join(lines)


class Malformed(SymbackpropError):
    """The input must change: a syntax, name, shape or usage error."""


class NotSupported(SymbackpropError):
    """The input is sensible, but the tool has not learnt this yet."""


class MissingProgram(SymbackpropError):
    """An external program (TeX, say) is missing or failed."""

    exit_status = 4
