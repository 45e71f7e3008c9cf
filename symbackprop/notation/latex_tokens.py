r"""The lexer of LaTeX mathematics: one formula (or one stretch of mathematics) becomes tokens with
places in the source.

Takes the whole text and the stretch to read; gives :class:`~symbackprop.notation.tokens.Token`
values. Fonts, sizes and spacing are transparent, wrappers are unwrapped, macros (``\newcommand``,
``\def``, ``\DeclareMathOperator``) are expanded. Refuses, with the place, commands that would reach
outside a formula (``\write18``), unclosed arguments and runaway macros.

>>> [t.text for t in lex_latex(r"\mathbf{W}^\top \hat y")]
['W', '^', 'T', 'hat', 'y']
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.errors import Malformed, Span
from symbackprop.notation import latex_tables as tables
from symbackprop.notation import latex_words as words
from symbackprop.notation.tokens import FUNCTIONS, SIMPLE, Token, unicode_tokens

MOST_EXPANSIONS = 2_000
MOST_TOKENS = 400_000
MOST_BETWEEN = 20_000
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+\*?|.)", re.DOTALL)
_SINGLE = re.compile(r"\s*(?:\\[A-Za-z]+|[A-Za-z0-9])\s*")
_WORD = re.compile(
    r"(?:np|torch|jnp|tf)\.[a-z]+|keepdims?|axis|dim(?==)|True|False"
    r"|(?:stride|padding|dilation|groups|mode)(?=\s*=)"
)
_METHOD = re.compile(r"\.([A-Za-z_]+)(?=\()|\.T(?![A-Za-z])")
_SKIP = re.compile(r"\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in|px|\\[A-Za-z]+)\s*\]")
_RELATION = re.compile(r":=|=:|\+=|-=|==")
_LETTERS = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro: how many arguments it takes, its body, and what its first argument is where that
    may be left out.
    """

    arity: int
    body: str
    default: str | None = None


def lex_latex(
    text: str,
    start: int = 0,
    end: int | None = None,
    macros: Mapping[str, Macro] | None = None,
    source: str = "<derivation>",
) -> list[Token]:
    """Tokens of ``text[start:end]``."""
    lexer = _Lexer(text, source, dict(macros or {}))
    lexer.run(text, start, len(text) if end is None else end, 0)
    return lexer.out


class _Lexer:
    def __init__(self, original: str, source: str, macros: dict[str, Macro]) -> None:
        self.original, self.source, self.macros = original, source, macros
        self.out: list[Token] = []
        self.expansions = self.matrix = self.unbroken = 0
        self.open: list[bool] = []
        self.cases: list[bool] = []
        self.place: tuple[int, int] | None = None
        self.sized: int | None = None

    def emit(self, kind: str, text: str, start: int, end: int) -> None:
        if len(self.out) >= MOST_TOKENS:
            raise self.error("a derivation of moderate size", "too many tokens", start, end)
        start = start if self.sized is None else self.sized
        self.sized = None
        here = self.place or (start, end)
        self.out.append(Token(kind, text, *here))

    def error(self, expected: str, got: str, start: int, end: int, hint: str = "") -> Malformed:
        here = self.place or (start, end)
        return Malformed(expected, got, Span(self.source, self.original, *here), hint)

    def run(self, text: str, at: int, end: int, depth: int) -> None:
        """Lex ``text[at:end]``; inside the body of a macro every token stands where the macro was
        called.
        """
        while at < end:
            at = self.one(text, at, end, depth)

    def one(self, text: str, at: int, end: int, depth: int) -> int:
        """Lex what stands at ``at``; the position after it."""
        c = text[at]
        if c.isspace() or c in "~$`":
            return at + 1
        if c == "%":
            stop = text.find("\n", at)
            return end if stop < 0 else stop + 1
        if c == "\\":
            return self.command(text, at, end, depth)
        if found := _NUMBER.match(text, at, end):
            self.emit("NUM", found[0], at, found.end())
            return found.end()
        if (found := _WORD.match(text, at, end)) and (at == 0 or not text[at - 1].isalpha()):
            return self.word(found[0].rpartition(".")[2], at, found.end())
        if text.startswith("||", at):
            self.emit("NORM", "‖", at, at + 2)
            return at + 2
        if self.out and (found := _METHOD.match(text, at, end)):
            return self.method(found[1] or "", at, found.end())
        if found := _RELATION.match(text, at, end):
            self.emit("REL", found[0], at, found.end())
            return found.end()
        if text.startswith(".*", at):
            self.emit("OP", "⊙", at, at + 2)
            return at + 2
        if c == "." and words.is_times(text, at, end):
            self.emit("OP", "·", at, at + 1)
            return at + 1
        if text.startswith("||", at):
            self.emit("NORM", "‖", at, at + 2)
            return at + 2
        if c.isascii() and c.isalpha() and (at + 1 >= len(text) or text[at + 1].isascii()):
            return self.letter(text, at, end)
        if (self.matrix or self.in_cases) and c == "&":
            self.emit("COMMA", ",", at, at + 1)
            return at + 1
        if c in SIMPLE:
            self.emit(*SIMPLE[c], at, at + 1)
            return at + 1
        tokens, after = unicode_tokens(text, at)
        for t in tokens:
            self.emit(t.kind, t.text, at, after)
        if not tokens:
            self.emit("STRANGE", text[at:after], at, after)
        return min(after, end)

    @property
    def nested(self) -> bool:
        """Whether a brace or a bracket is open."""
        kinds = [t.kind for t in self.out]
        opened = kinds.count("OPEN") + kinds.count("LB")
        return opened > kinds.count("CLOSE") + kinds.count("RB")

    @property
    def in_cases(self) -> bool:
        return bool(self.cases) and self.cases[-1]

    def letter(self, text: str, at: int, end: int) -> int:
        """A letter is a name; a run of letters is a word where it names a function."""
        if word := words.word_at(text, at, end):
            return self.word(word, at, at + len(word))
        if self.in_cases and (found := _LETTERS.match(text, at, end)):
            if found[0] in words.CONNECTIVES:
                return found.end()
            if found[0] in words.OTHERWISE:
                return self.word("otherwise", at, found.end())
        self.emit("ID", text[at], at, at + 1)
        return at + 1

    def word(self, word: str, start: int, end: int) -> int:
        kind = "FN" if word in FUNCTIONS else "ID"
        self.emit(kind, FUNCTIONS.get(word, word), start, end)
        return end

    def method(self, name: str, start: int, end: int) -> int:
        """``.dot(…)`` and ``.T`` after an operand, as in code."""
        if name:
            self.emit("METHOD", FUNCTIONS.get(name, name), start, end)
        else:
            self.emit("SUP", "^", start, end)
            self.emit("ID", "T", start, end)
        return end

    def command(self, text: str, at: int, end: int, depth: int) -> int:
        found = _COMMAND.match(text, at, end)
        if found is None:
            raise self.error("a command after the backslash", "the end of the formula", at, end)
        name, after = found[0][1:], found.end()
        if name.endswith("*") and name not in ("operatorname*",):
            name, after = name[:-1], after - 1
        if name in tables.DANGEROUS:
            raise self.error(
                "mathematics",
                f"\\{name}, a command that acts outside the formula",
                at,
                after,
                "leave it out: a derivation is only read",
            )
        if name in self.macros:
            return self.expand(text, at, after, end, depth, self.macros[name])
        return self.known(name.rstrip("*"), text, at, after, end, depth)

    def known(self, name: str, text: str, at: int, after: int, end: int, depth: int) -> int:
        if name in tables.TOKENS:
            if tables.TOKENS[name] == ("BREAK", "\\"):
                if found := _SKIP.match(text, after, end):
                    after = found.end()
                self.line(at, after)
            else:
                self.emit(*tables.TOKENS[name], at, after)
        elif name in tables.DROPPED:
            after = self.sizing(name, text, at, after)
        elif name in tables.ACCENTS:
            self.emit("ACC", tables.ACCENTS[name], at, after)
        elif name in tables.TEXTS:
            inner, after = self.argument(text, after, end)
            self.prose(text, inner, at, after, end, depth)
        elif name in tables.FONTS:
            return self.font(name, text, at, after, end, depth)
        elif name in tables.SWALLOWED:
            for _ in range(tables.SWALLOWED[name]):
                _, after = self.argument(text, after, end)
        elif name in tables.WRAPPERS:
            return self.wrapper(name, text, after, end, depth)
        elif name in ("begin", "end"):
            return self.environment(name, text, at, after, end)
        elif name in FUNCTIONS:
            self.word(name, at, after)
        elif name == "Sigma" and words.has_limits(text, after, end):
            self.emit("BIG", "sum", at, after)
        else:
            self.emit("ID", tables.ALIASES.get(name, name), at, after)
        return after

    def line(self, at: int, after: int) -> None:
        r"""The end of a line ``\\``: in a matrix one of a row, in ``multline`` none at all."""
        if self.in_cases:
            self.emit("SEMI", "\\", at, after)
        elif self.matrix:
            self.emit("COMMA", "\\", at, after)
        elif not self.unbroken:
            self.emit("BREAK", "\\", at, after)

    def sizing(self, name: str, text: str, at: int, after: int) -> int:
        r"""A size belongs to the bracket after it; ``\left.`` opens nothing: the full stop belongs
        to the command. A brace that ``\right.`` closes only holds lines together.
        """
        while name in ("left", "right") and after < len(text) and text[after] == " ":
            after += 1
        if name == "left":
            lone = text.startswith("\\{", after) and _closes_with_nothing(text, after)
            self.open.append(lone)
            if lone:
                return after + 2
        if name == "right" and self.open:
            self.open.pop()
        if name in ("left", "right") and text.startswith(".", after):
            return after + 1
        if name in tables.SIZES:
            self.sized = at
        return after

    def argument(self, text: str, at: int, end: int) -> tuple[tuple[int, int], int]:
        """The stretch of the next argument, without its braces, and the position after it."""
        while at < end and text[at].isspace():
            at += 1
        if at >= end:
            raise self.error(
                "an argument", "the end of the formula", end - 1, end, "give it in braces"
            )
        if text[at] != "{":
            found = _COMMAND.match(text, at, end)
            stop = found.end() if found else at + 1
            return (at, stop), stop
        level, here = 0, at
        while here < end:
            c = text[here]
            here += 2 if c == "\\" else 1
            level += (c == "{") - (c == "}")
            if level == 0:
                return (at + 1, here - 1), here
        raise self.error("a closing }", "the end of the formula", at, at + 1, "close the brace")

    def prose(
        self, text: str, inner: tuple[int, int], start: int, stop: int, end: int, depth: int
    ) -> None:
        r"""``\text{…}``: one word that is called like a function, or a transpose, counts as
        mathematics; among cases what is no word does; anything else separates.
        """
        word = text[slice(*inner)].strip()
        called = (
            word.isidentifier() and word not in words.PROSE and words.is_called(text, stop, end)
        )
        if word == "prod" and called:
            self.emit("FN", "chain", start, stop)
        elif (word in FUNCTIONS and word != "CE") or called:
            self.word(word, start, stop)
        elif word in ("T", "⊤") or (word in words.TOLD and self.nested):
            self.emit("ID", "T" if word == "⊤" else word, start, stop)
        elif self.in_cases and not words.OTHERWISE.isdisjoint(word.strip(".,").split()):
            self.word("otherwise", start, stop)
        elif self.in_cases and word == "and":
            self.emit("BOTH", word, start, stop)
        elif self.in_cases:
            self.run(words.without_words(text, *inner), *inner, depth)
        else:
            self.emit("BREAK", "text", start, stop)

    def font(self, name: str, text: str, at: int, after: int, end: int, depth: int) -> int:
        if name in (
            "rm",
            "bf",
            "it",
            "sf",
            "cal",
            "displaystyle",
            "textstyle",
            "scriptstyle",
            "boldmath",
        ):
            return after
        inner, stop = self.argument(text, after, end)
        word = text[slice(*inner)].strip()
        if (
            word in ("1", "I")
            and name in ("mathbb", "mathds", "mathbf", "boldsymbol", "bm", "symbf")
            and (word == "1" or name == "mathbb")
        ):
            self.emit("ONES", word, at, stop)
        elif (
            name in ("mathrm", "operatorname", "mathsf", "mathit", "mathtt", "textrm")
            and len(word) > 1
            and word.replace("_", "").isalnum()
        ):
            self.word(word, at, stop)
        elif name in ("mathrel", "mathbin", "mathop"):
            self.relation(text, inner, at, stop, depth)
        elif name.endswith("lap"):  # about room on the page, no group that a reader sees
            self.run(text, *inner, depth)
        elif _SINGLE.fullmatch(text, *inner):
            outside, self.place = self.place, self.place or (at, stop)
            self.run(text, *inner, depth)
            self.place = outside
        else:
            self.emit("LB", "{", at, at)
            self.run(text, *inner, depth)
            self.emit("RB", "}", stop, stop)
        return stop

    def relation(self, text: str, inner: tuple[int, int], at: int, stop: int, depth: int) -> None:
        if text[slice(*inner)].strip() == "+":
            self.emit("INCREMENT", "+", at, stop)
        else:
            self.run(text, *inner, depth)

    def wrapper(self, name: str, text: str, after: int, end: int, depth: int) -> int:
        for _ in range(tables.WRAPPERS[name]):
            _, after = self.argument(text, after, end)
        inner, after = self.argument(text, after, end)
        if name in tables.STRIKES:
            return self.struck(text, inner, after, depth)
        opened = len(self.out)
        self.emit("LB", "{", inner[0], inner[0])
        self.run(text, *inner, depth)
        if _relates(self.out[opened + 1 :]):  # a box around a statement is no part of it
            del self.out[opened]
        else:
            self.emit("RB", "}", inner[1], inner[1])
        if name in ("underbrace", "overbrace"):
            while after < end and text[after].isspace():
                after += 1
            if after < end and text[after] in "_^":
                _, after = self.argument(text, after + 1, end)
        return after

    def struck(self, text: str, inner: tuple[int, int], after: int, depth: int) -> int:
        """What is struck out, marked as such; the sign of a term stands before the mark."""
        begin, stop = inner
        begin += len(text[begin:stop]) - len(text[begin:stop].lstrip())
        if text[begin : begin + 1] in ("+", "-"):
            self.run(text, begin, begin + 1, depth)
            begin += 1
        self.emit("ACC", "struck", begin, begin)
        self.emit("LB", "{", begin, begin)
        self.run(text, begin, stop, depth)
        self.emit("RB", "}", stop, stop)
        return after

    def environment(self, which: str, text: str, at: int, after: int, end: int) -> int:
        inner, stop = self.argument(text, after, end)
        name = text[slice(*inner)].strip()
        if name in tables.CASES:
            self.enumeration(which, at, stop)
        elif name in tables.MATRICES:
            if name == "array" and which == "begin":
                _, stop = self.argument(text, stop, end)
            self.matrix += 1 if which == "begin" else -1
            self.emit("OPEN" if which == "begin" else "CLOSE", "[", at, stop)
        elif name in tables.DISPLAYS:
            if (
                name.startswith("align")
                and name.endswith(("at", "at*", "edat"))
                and which == "begin"
            ):
                _, stop = self.argument(text, stop, end)
            if name.startswith("multline"):
                self.unbroken += 1 if which == "begin" else -1
            self.emit("BREAK", "\\", at, stop)
        else:
            self.emit("STRANGE", f"\\{which}{{{name}}}", at, stop)
        return stop

    def enumeration(self, which: str, at: int, stop: int) -> None:
        """Cases after an equals sign, an operator or a bracket are one value; elsewhere the brace
        only holds formulas together.
        """
        if which == "begin":
            before = self.out[-1].kind if self.out else ""
            self.cases.append(before in ("REL", "OP", "PLUS", "MINUS", "AMP", "OPEN"))
        value = bool(self.cases) and (self.cases[-1] if which == "begin" else self.cases.pop())
        kind = "OPEN" if which == "begin" else "CLOSE"
        self.emit(*((kind, "cases") if value else ("BREAK", "\\")), at, stop)

    def option(self, text: str, at: int, end: int) -> tuple[str | None, int]:
        """What stands in brackets at ``at``, if anything, and the position after it."""
        if not text.startswith("[", at):
            return None, at
        stop = text.find("]", at, end)
        return (None, at) if stop < 0 else (text[at + 1 : stop], stop + 1)

    def expand(self, text: str, at: int, after: int, end: int, depth: int, macro: Macro) -> int:
        self.expansions += 1
        if self.expansions > MOST_EXPANSIONS or depth > 40:
            raise self.error(
                "macros that come to an end",
                "more than 2000 expansions",
                at,
                after,
                "does a macro call itself?",
            )
        arguments = []
        if macro.default is not None:
            given, after = self.option(text, after, end)
            arguments.append(macro.default if given is None else given)
        for _ in range(macro.arity - len(arguments)):
            inner, after = self.argument(text, after, end)
            arguments.append(text[slice(*inner)])
        body = re.sub(
            r"#(\d)",
            lambda m: arguments[int(m[1]) - 1] if int(m[1]) <= len(arguments) else m[0],
            macro.body,
        )
        outside, self.place = self.place, self.place or (at, after)
        self.run(body, 0, len(body), depth + 1)
        self.place = outside
        return after


def _closes_with_nothing(text: str, at: int) -> bool:
    r"""Whether the ``\left`` before ``at`` is closed by ``\right.``."""
    level = 1
    for found in re.finditer(r"\\(left|right)(?![A-Za-z])\s*(.?)", text[at : at + MOST_BETWEEN]):
        level += 1 if found[1] == "left" else -1
        if level == 0:
            return found[2] == "."
    return False


def _relates(tokens: list[Token]) -> bool:
    """Whether a relation stands among the tokens, outside brackets."""
    level = 0
    for t in tokens:
        level += (t.kind in ("OPEN", "LB")) - (t.kind in ("CLOSE", "RB"))
        if level == 0 and t.kind == "REL":
            return True
    return False
