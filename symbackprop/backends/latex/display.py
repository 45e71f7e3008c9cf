r"""How wide a formula is on paper, and where a long one is broken.

Widths are in signs, about a letter each: a guess that needs no TeX and is the same everywhere. A
formula is broken before a top-level relation, ``+`` or ``-``, never inside brackets.

>>> width(r"\frac{\partial L}{\partial W_{md}}") < 4
True
>>> broken(r"a + b - c", 4)
['a + b', '- c']
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}^_&]|\s+|.")
_GROUPED = re.compile(
    r"\\(operatorname|mathit|mathrm|mathbf|mathsf|hat|bar|tilde|dot|vec|text|sqrt)"
)

# fmt: off
_WIDTHS = {
    "\\left": 0, "\\right": 0, "\\,": 0.3, "\\quad": 2, "\\sum": 1.9, "\\prod": 1.7,
    "+": 1.9, "-": 1.9, "=": 2.0, "\\le": 2, "\\cdot": 1.2, "\\to": 2,
    "\\odot": 2.2, "\\oslash": 2.2, "\\sbhad": 2.2, "\\sbdiv": 2.2,
    "\\max": 3.5, "\\min": 3.5, "\\log": 3, "\\exp": 3, "\\tanh": 4, "\\sin": 3, "\\cos": 3,
    "(": 0.8, ")": 0.8, "[": 0.6, "]": 0.6, ",": 0.8, "'": 0.5, "|": 0.6,
}
# fmt: on
_SCRIPT = 0.7


def width(tex: str) -> float:
    """The width of a formula in signs."""
    tokens = _TOKEN.findall(tex)
    return _sequence(tokens, 0)[0]


def _sequence(tokens: list[str], at: int) -> tuple[float, int]:
    """The width up to the closing brace, and the place after it."""
    whole, scripts = 0.0, [0.0, 0.0]
    while at < len(tokens):
        token = tokens[at]
        if token == "}":
            return whole + max(scripts), at + 1
        if token in "^_" and token:
            inner, at = _argument(tokens, at + 1)
            scripts["^_".index(token)] += _SCRIPT * inner
            continue
        if token.isspace():
            at += 1
            continue
        # Limits stand below and above a large operator, scripts beside anything else.
        if max(scripts):
            whole, scripts = whole + max(scripts), [0.0, 0.0]
        if token == "\\frac":
            above, at = _argument(tokens, at + 1)
            below, at = _argument(tokens, at)
            whole += max(above, below) + 0.4
        elif token in ("\\begin", "\\end"):
            _, at = _argument(tokens, at + 1)
        elif token == "{" or _GROUPED.fullmatch(token):
            inner, at = _argument(tokens, at + (token != "{"))
            whole += inner + (1.0 if token == "\\sqrt" else 0.0)
        else:
            whole += _WIDTHS.get(token, 1.0)
            at += 1
    return whole + max(scripts), at


def _argument(tokens: list[str], at: int) -> tuple[float, int]:
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    if at >= len(tokens):
        return 0.0, at
    if tokens[at] == "{":
        return _sequence(tokens, at + 1)
    return _WIDTHS.get(tokens[at], 1.0), at + 1


_OPENING = ("{", "(", "[", "\\{", "\\lvert", "\\lVert", "\\begin")
_CLOSING = ("}", ")", "]", "\\}", "\\rvert", "\\rVert", "\\end")


def _chunks(tex: str) -> list[str]:
    """The formula cut before each relation, ``+`` and ``-`` between operands, outside brackets."""
    out, depth = [""], 0
    for token in _TOKEN.findall(tex):
        depth += (token in _OPENING) - (token in _CLOSING)
        if depth == 0 and token in ("+", "-", "=") and out[-1].strip():
            out.append(token)
        else:
            out[-1] += token
    return [chunk.strip() for chunk in out]


def broken(tex: str, limit: float) -> list[str]:
    """The formula in lines of at most ``limit`` signs, as far as the places for breaks allow."""
    if width(tex) <= limit:
        return [tex]
    lines: list[str] = []
    for chunk in _chunks(tex):
        if lines and width(f"{lines[-1]} {chunk}") <= limit:
            lines[-1] += f" {chunk}"
        else:
            lines.append(chunk)
    return lines
