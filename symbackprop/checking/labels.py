r"""Labels of members in what people write: ``W^{(l+1)}``, ``h_{t-1}``, ``grad_Z[l]``, and sums over
steps.

A document is turned into one about a net that is written out: the letter of a step and the number
of steps get values, ``W^{(l+1)}`` becomes ``W^{(3)}``. Lines stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NOWHERE = 99  # a label that no member has
ONE = {"-": -1, "+": 1}
_SAID = re.compile(r"\\(?:text|label|tag)\s*\{")
_WRAPPED = re.compile(r"\\(?:boxed|mathrlap)\s*\{")
_LAYOUT = re.compile(r"\\(?:[;,:!\\]|q?quad\b|notag\b)|[\s&}.,;$]")


@dataclass(frozen=True, slots=True)
class Setting:
    """What letters of steps (``at``) and numbers of steps (``ends``) stand for; None: nowhere.

    ``shift`` is added to every label. Sums over steps are written out over 1 to ``count``, or, if
    ``count`` is None, replaced by what is summed.
    """

    at: int | None
    end: int | None
    count: int | None
    shift: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a sum over steps begins, where what is summed begins, its letter, the first step, and
    how many of the last it leaves out.
    """

    begin: int
    body: int
    letter: str
    first: int
    less: int


@dataclass(frozen=True, slots=True)
class Labels:
    """How labels are written in documents about a model: its letters, its numbers of steps and its
    families.
    """

    letters: tuple[str, ...]
    ends: tuple[str, ...]
    families: tuple[str, ...]

    @property
    def _label(self) -> str:
        words = "|".join(map(re.escape, (*self.letters, *self.ends)))
        return rf"(?P<word>{words})\s*(?:(?P<sign>[-+])\s*(?P<by>\d))?"

    @property
    def _scripted(self) -> re.Pattern[str]:
        braced = rf"[\^_]\s*\{{\s*[(\[]?\s*{self._label}\s*[)\]]?\s*\}}"
        return re.compile(braced)

    @property
    def _bare(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, (*self.letters, *self.ends)))
        return re.compile(rf"[\^_]\s*(?P<word>{words})(?![A-Za-z0-9_])")

    @property
    def _bracketed(self) -> re.Pattern[str]:
        return re.compile(rf"(?P<name>\b[A-Za-z]\w*)\[\s*{self._label}\s*\]")

    @property
    def _numbered(self) -> re.Pattern[str]:
        return re.compile(r"[\^_]\s*\{\s*[(\[]\s*(?P<n>\d)\s*[)\]]\s*\}")

    def reaches_up(self, text: str) -> bool:
        """Whether a member at a later step is spoken of: ``W^{(l+1)}``."""
        found = (*self._scripted.finditer(text), *self._bracketed.finditer(text))
        return any(m["word"] in self.letters and m["sign"] == "+" for m in found)

    def range_words(self, text: str) -> str:
        r"""The text without ``l = K-1, \dots, 1`` and ``for l in 1..K``."""
        letters = "|".join(map(re.escape, self.letters))
        dots = r"\\(?:l|c)?dots|\.\.\.?|…"
        told = (
            rf"(?:,?\s*(?:\\q?quad|\\,|\\text\{{\s*for\s*\}}|\bfor\b)\s*)+(?:{letters})\s*"
            rf"(?:=|\bin\b)[^$\n\\]*?(?:(?:{dots})(?:[^$\n\\&{{}}]|\{{[^{{}}]*\}})*)+"
        )
        return re.sub(told, " ", text)

    def chains(self, text: str) -> list[Chain]:
        r"""Sums over all steps with a letter of their own, as in a chain rule: ``\sum_{t=1}^{K}``
        where the letter of a step is l; also from 0 or to the last but one.
        """
        ends = "|".join(map(re.escape, self.ends))
        if not ends:
            return []
        pattern = (
            r"\\sum\s*_\s*\{\s*(?P<a>[a-z])\s*=\s*(?P<first>[01])\s*\}\s*"
            rf"\^\s*(?:\{{\s*(?:{ends})\s*(?P<less>-\s*1\s*)?\}}|(?:{ends}))(?![A-Za-z])"
        )
        found = [
            Chain(m.start(), m.end(), m["a"], int(m["first"]), int(m["less"] is not None))
            for m in re.finditer(pattern, text)
        ]
        return [f for f in found if f.letter not in self.letters and self._labels(text, f)]

    def _labels(self, text: str, chain: Chain) -> bool:
        """Whether the letter of a sum is the label of a member in what is summed."""
        alone = Labels((chain.letter,), (), self.families)
        return bool(alone._scripted.search(text[chain.body : _end_of_term(text, chain.body)]))

    def sums(self, text: str) -> list[tuple[int, int, str]]:
        """Where sums over steps begin, where what is summed begins, and their letters."""
        letters = "|".join(map(re.escape, self.letters))
        ends = "|".join(map(re.escape, self.ends))
        latex = (
            rf"\\sum(?:\\limits)?\s*_\s*(?:\{{\s*(?P<a>{letters})\s*(?:=\s*1\s*)?\}}|(?P<b>{letters}))"
            rf"(?:\s*\^\s*(?:\{{\s*(?:{ends})\s*\}}|(?:{ends})))?(?![A-Za-z])"
        )
        plain = rf"\bsum\[\s*(?P<c>{letters})\s*(?:in\s*1\.\.(?:{ends})\s*)?\]"
        found = re.finditer(rf"{latex}|{plain}", text)
        return [(m.start(), m.end(), m["a"] or m["b"] or m["c"]) for m in found]

    def is_sum(self, text: str, *, of_ends: bool = True) -> bool:
        """Whether a member of a relation is a sum over steps and nothing else but factors of it
        that are the same in all steps; without ``of_ends`` the number of steps stands nowhere else.
        """
        text = without_reasons(text)
        found = self.sums(text)
        if len(found) != 1:
            return False
        begin, body, _ = found[0]
        factors, rest = text[:begin], text[_end_of_term(text, body) :]
        if _end_of_term(factors, 0) < len(factors.rstrip()) or self._all(factors):
            return False
        ends = "|".join(map(re.escape, self.ends))
        elsewhere = not of_ends and re.search(
            rf"(?<![A-Za-z\\])(?:{ends})(?![A-Za-z])", factors + text[body:]
        )
        return not elsewhere and not _LAYOUT.sub("", rest)

    def of_steps(self, text: str) -> bool:
        """Whether a label with the letter of a step stands in the text."""
        return any(m["word"] in self.letters for m in self._all(text))

    def of_ends(self, text: str) -> bool:
        """Whether a label with the number of steps stands in the text, or a plain number."""
        return any(m["word"] in self.ends for m in self._all(text)) or self.has_numbers(text)

    def has_numbers(self, text: str) -> bool:
        """Whether a label that is a plain number stands in the text."""
        return bool(self._numbered.search(text) or self._indexed.search(text))

    @property
    def _indexed(self) -> re.Pattern[str]:
        names = "|".join(map(re.escape, self.families))
        return re.compile(rf"\b(?P<name>(?:grad_)?(?:{names}))\[\s*(?P<n>\d)\s*\]")

    def without_sums(self, text: str) -> str:
        """The text without the signs of sums over steps, and their ranges."""
        chains = ((c.begin, c.body) for c in self.chains(text))
        for begin, body in sorted((*(s[:2] for s in self.sums(text)), *chains), reverse=True):
            text = f"{text[:begin]} {text[body:]}"
        return self.range_words(text)

    @property
    def _written(self) -> re.Pattern[str]:
        """Labels of a text that is written out."""
        names = "|".join(map(re.escape, sorted(self.families, key=len, reverse=True)))
        return re.compile(
            rf"\^\{{\((?P<script>\d+)\)\}}|\b(?P<name>(?:grad_)?(?:{names}))(?P<number>\d+)\b"
        )

    def numbers_in(self, text: str) -> set[int]:
        """The labels in a text that is written out."""
        return {int(m["script"] or m["number"]) for m in self._written.finditer(text)}

    def back(self, count: int, at: int, shift: int) -> Callable[[str], str]:
        """Texts about the net written out, as the writer labels members."""
        letter, end = self.letters[0], self.ends[0] if self.ends else str(count)
        shown = {at - 1: f"{letter}-1", at: letter, at + 1: f"{letter}+1", count: end}

        def label(m: re.Match[str]) -> str:
            number = int(m["script"] or m["number"]) - shift
            if not 0 <= number <= count:
                return m[0]
            text = shown.get(number, str(number))
            return f"^{{({text})}}" if m["script"] else f"{m['name']}[{text}]"

        return lambda text: self._written.sub(label, text)

    def _all(self, text: str) -> list[re.Match[str]]:
        patterns = (self._scripted, self._bare, self._bracketed)
        return [m for p in patterns for m in p.finditer(text)]

    def rewritten(self, text: str, setting: Setting) -> str:
        """The text in a setting."""
        text = self._chained(self.range_words(text), setting)
        return self._labelled(self._summed(text, setting), setting)

    def _chained(self, text: str, setting: Setting) -> str:
        """The text with sums over steps that have a letter of their own written out."""
        for chain in reversed(self.chains(text)):
            end = _end_of_term(text, chain.body)
            alone = Labels((chain.letter,), (), self.families)
            parts = [
                alone._labelled(
                    self._picked(text[chain.body : end], chain.letter, k, setting),
                    Setting(k, None, None, setting.shift),
                )
                for k in range(chain.first, (setting.count or 1) + 1 - chain.less)
            ]
            whole = " + ".join(p.strip() for p in parts)
            text = f"{text[: chain.begin]}({whole}) {text[end:]}"
        return text

    def _picked(self, text: str, letter: str, value: int, setting: Setting) -> str:
        r"""The text with ``\delta_{tl}`` and ``\delta_{t,l+1}`` as 1 or 0. A step that is further
        away may be outside of a net of few steps: its δ is left unread.
        """
        words = "|".join(map(re.escape, (*self.letters, *self.ends)))
        other = rf"(?P<word>{words}|\d)\s*(?:(?P<sign>[-+])\s*1\s*)?"
        own = rf"{letter}\s*(?:(?P<own>[-+])\s*1\s*)?"
        here = re.compile(rf"\\delta_\{{\s*{own},?\s*{other}\}}")
        there = re.compile(rf"\\delta_\{{\s*{other},?\s*{own}\}}")

        def picked(m: re.Match[str]) -> str:
            at = setting.at if m["word"] in self.letters else setting.end
            if m["word"].isdigit():
                at = int(m["word"])
            other, own = (ONE.get(m[sign] or "", 0) for sign in ("sign", "own"))
            return f"({int(at is not None and value + own == at + other)})"

        return there.sub(picked, here.sub(picked, text))

    def _summed(self, text: str, setting: Setting) -> str:
        for begin, body, letter in reversed(self.sums(text)):
            end = _end_of_term(text, body)
            inner = text[body:end]
            if setting.count is None:
                parts = [inner]
            else:
                alone = Labels((letter,), (), self.families)
                parts = [
                    alone._labelled(inner, Setting(k, None, None, setting.shift))
                    for k in range(1, setting.count + 1)
                ]
            whole = " + ".join(p.strip() for p in parts)
            text = f"{text[:begin]}({whole}) {text[end:]}"
        return text

    def _labelled(self, text: str, setting: Setting) -> str:
        values: Mapping[str, int | None] = {
            **dict.fromkeys(self.letters, setting.at),
            **dict.fromkeys(self.ends, setting.end),
        }

        def number(m: re.Match[str]) -> int:
            value = values[m["word"]]
            if value is None:
                return NOWHERE
            groups = m.groupdict()
            by = int(groups.get("by") or 0)
            return value + (-by if groups.get("sign") == "-" else by) + setting.shift

        text = self._numbered.sub(lambda m: f"^{{({int(m['n']) + setting.shift})}}", text)
        text = self._indexed.sub(lambda m: f"{m['name']}{int(m['n']) + setting.shift}", text)
        text = self._scripted.sub(lambda m: f"^{{({number(m)})}}", text)
        text = self._bare.sub(lambda m: f"^{{({number(m)})}}", text)
        return self._bracketed.sub(lambda m: f"{m['name']}{number(m)}", text)


def members_of(text: str) -> list[str]:
    """The members of a chain of relations, boxes and the like taken off."""
    text = _WRAPPED.sub("", text)
    members, depth, begin = [], 0, 0
    for k, c in enumerate(text):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth = max(0, depth - 1)
        elif depth == 0 and (c == "=" or text.startswith(r"\in ", k)):
            members.append(text[begin:k])
            begin = k + (1 if c == "=" else 3)
    return [*members, text[begin:]]


def without_reasons(text: str) -> str:
    r"""A formula without ``\text{…}`` and labels."""
    while found := _SAID.search(text):
        depth, k = 1, found.end()
        while k < len(text) and depth:
            depth += (text[k] == "{") - (text[k] == "}")
            k += 1
        text = text[: found.start()] + text[k:]
    return text


def _end_of_term(text: str, start: int) -> int:
    """Where the term ends that begins at ``start``: at a sign, a relation or the end of the
    formula, outside of brackets.
    """
    depth, k = 0, start
    while k < len(text):
        c = text[k]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return k
            depth -= 1
        elif depth == 0 and text[start:k].strip():
            if c in "+-=$&\n" or text.startswith((r"\\", r"\end", r"\]", r"\qquad", r"\quad"), k):
                return k
            if c in ",.;" and text[k - 1] != "\\" and (k + 1 == len(text) or text[k + 1].isspace()):
                return k
        k += 1
    return k
