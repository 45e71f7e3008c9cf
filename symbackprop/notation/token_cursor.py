"""A place in a list of tokens, and the two things to know before parsing: brackets and bars.

The reader of formulas is a :class:`Cursor` with the grammar on top. Errors point at the token that
does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.errors import Malformed, Span
from symbackprop.notation.nesting import DEEPEST_NESTING, make_room
from symbackprop.notation.tokens import Token

_OPERANDS = frozenset("ID NUM CLOSE RB PRIME DOTS ONES".split())
_END = Token("END", "the end of the formula", -1, -1)


def match_bars(tokens: list[Token]) -> list[Token]:
    """``|`` and ``‖`` as opening or closing brackets: one closes iff its like is innermost and an
    operand stands before it.
    """
    out: list[Token] = []
    stack: list[str] = []
    for token in tokens:
        if token.kind in ("BAR", "NORM"):
            mark = "|" if token.kind == "BAR" else "‖"
            operand = bool(out) and out[-1].kind in _OPERANDS
            closes = bool(stack) and stack[-1] == mark and operand
            token = Token("CLOSE" if closes else "OPEN", mark, token.start, token.end)
        if token.kind in ("OPEN", "LB"):
            stack.append(token.text)
        elif token.kind in ("CLOSE", "RB") and stack:
            stack.pop()
        out.append(token)
    return out


@dataclass(slots=True)
class Cursor:
    """Tokens, the place reached, and how deep the reading is nested."""

    tokens: list[Token]
    text: str
    source: str
    at: int = 0
    depth: int = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _END

    @property
    def kind(self) -> str:
        return self.token.kind

    @property
    def last(self) -> int:
        """Where the token before this one ends."""
        return self.tokens[self.at - 1].end

    def next(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def error(self, expected: str, hint: str = "") -> Malformed:
        token = self.token
        if token is _END:
            end = self.tokens[-1].end if self.tokens else 0
            return Malformed(
                expected, token.text, Span(self.source, self.text, max(0, end - 1), end), hint
            )
        return Malformed(
            expected,
            f"«{self.text[token.start : token.end]}»",
            Span(self.source, self.text, token.start, token.end),
            hint,
        )

    def expect(self, kind: str, text: str, said: str) -> Token:
        if self.kind != kind or (text and self.token.text != text):
            raise self.error(said, "close the bracket" if self.kind == "END" else "")
        return self.next()

    def ahead(self, kind: str) -> bool:
        return self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].kind == kind

    def descend(self) -> None:
        """Go one level deeper; too deep a formula is refused before Python's stack would be."""
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise self.error(
                f"at most {DEEPEST_NESTING} levels of nesting",
                "name the inner parts and use the names",
            )
        make_room(self.depth)
