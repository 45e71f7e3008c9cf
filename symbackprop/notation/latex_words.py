r"""Words inside LaTeX mathematics that are no commands: ``log(p)`` for ``\log``, ``if`` and
``otherwise`` among cases, ``\Sigma_{i=1}`` for a sum, ``\text{Cost}(h, y)`` for a function.

Questions about the text at a place, asked by the lexer; nothing here makes tokens.
"""

from __future__ import annotations

import re

from symbackprop.notation.tokens import FUNCTIONS

_RUN = re.compile(r"[A-Za-z]+")
_BRACKET = re.compile(r"\s*(?:\\(?:left|big|Big|bigl|Bigl|bigg|Bigg)\s*)?(?:\(|\[|\\\{|\{)")
_OPERAND = re.compile(
    r"\s+(?:[A-Za-z]|\\(?!quad|text|\\|\s|,|;)|\{)|\s*[_^]|\s*\\(?:hat|frac|left)"
)
_LIMITS = re.compile(
    r"\s*(?:\\limits\s*)?(?:\^\s*(?:\{[^{}]*\}|\\?[A-Za-z0-9]+)\s*)?_\s*\{[^{}]*=[^{}]*\}"
)
_SYMBOL = re.compile(r"\\(?:[A-Za-z]+)|[A-Za-z]")
#: Words that are functions only before a bracket, since their letters are names elsewhere.
BRACKETED = frozenset(
    "sum dot var step abs max min mean norm avg vec det tr ln Tr CE swap reshape take "
    "onehot".split()
)
#: What may stand between the value and the condition of a case.
CONNECTIVES = frozenset("if for when where and is".split())
OTHERWISE = frozenset("otherwise else elsewhere".split())
#: What operations on images are told, in words: ``*_{\text{full}}``, ``\text{stride}=2``.
TOLD = frozenset("full valid same stride padding dilation groups mode".split())
PROSE = CONNECTIVES | OTHERWISE | frozenset("with or in of on by to so as at let then s.t.".split())


def word_at(text: str, at: int, end: int) -> str:
    """The function whose name begins at ``at``, where its argument follows; empty if none does."""
    found = _RUN.match(text, at, end)
    assert found is not None, "asked where a letter stands"
    word = found[0]
    if word not in FUNCTIONS or len(word) < 2:
        return ""
    if _BRACKET.match(text, found.end(), end):
        return word
    loose = word not in BRACKETED and (at == 0 or not text[at - 1].isalpha())
    return word if loose and _OPERAND.match(text, found.end(), end) else ""


def is_called(text: str, after: int, end: int) -> bool:
    """Whether a round bracket follows, as after the name of a function."""
    found = _BRACKET.match(text, after, end)
    return found is not None and found[0].endswith("(")


def has_limits(text: str, after: int, end: int) -> bool:
    r"""Whether a lower limit ``_{i=1}`` follows, which makes ``\Sigma`` a sum."""
    return _LIMITS.match(text, after, end) is not None


def is_times(text: str, at: int, end: int) -> bool:
    """Whether the full stop at ``at`` stands between two symbols, without a space: a product."""
    if at == 0 or at + 1 >= end:
        return False
    before = text[at - 1]
    after = _SYMBOL.match(text, at + 1, end)
    if not (before.isalnum() or before in "})") or after is None:
        return False
    return after[0] not in (r"\quad", r"\qquad", r"\tag", r"\text", r"\label", r"\end")


def without_words(text: str, start: int, end: int) -> str:
    """The text with the words of a stretch blanked out, so that places stay."""
    stretch = re.sub(r"(?<![\\A-Za-z])[A-Za-z]{2,}", lambda m: " " * len(m[0]), text[start:end])
    return text[:start] + stretch + text[end:]
