"""How lines of generated code are laid out: broken where they are too long, with their comments.

Code that is generated is read, and passes the formatter's line length of 100.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

WIDTH = 100
SHORT = 14
_LEVELS = ((" + ", " - "), (" * ", " / ", " @ "))
_ATTRIBUTES = re.compile(r"(?<=[)\]])(\.\w+(\(\))?)+$")
_METHOD = re.compile(r"(?<=[)\]])\.\w+$")
_OPENING, _CLOSING = "([{", ")]}"


def commented(lines: Iterable[str], comment: str, indent: int = 4) -> list[str]:
    """The lines with ``comment`` beside the first, or above it where there is no room."""
    code = [piece for line in lines for piece in fitted(line, WIDTH - indent)]
    if not comment:
        return code
    if len(code) == 1 and indent + len(code[0]) + len(comment) + 4 <= WIDTH:
        return [f"{code[0]}  # {comment}"]
    wrapped = textwrap.wrap(
        comment, WIDTH - indent - 2, break_long_words=False, subsequent_indent="    "
    )
    return [*(f"# {line}" for line in wrapped), *code]


def laid_out(text: str) -> str:
    """A module with every statement that is too long broken; prose is left as it is."""
    out, quoted = [], False
    for line in text.splitlines():
        quoted ^= line.count('"""') % 2 == 1
        indent = len(line) - len(line.lstrip())
        code = line.lstrip()
        if len(line) <= WIDTH or quoted or code.startswith(("#", '"')):
            out.append(line)
            continue
        colon = ":" if code.endswith(":") else ""
        broken = fitted(code.removesuffix(":"), WIDTH - indent - len(colon))
        out += [" " * indent + piece for piece in broken]
        out[-1] += colon
    return "\n".join(out) + "\n"


def listing(items: Iterable[str], opening: str, closing: str, width: int) -> list[str]:
    """``opening item, item closing`` on one line, or an item a line."""
    listed = list(items)
    flat = opening + ", ".join(listed) + closing
    if len(flat) <= width:
        return [flat]
    body = [f"    {piece}" for i in listed for piece in fitted(f"{i},", width - 4)]
    return [opening, *body, closing]


def fitted(line: str, width: int) -> list[str]:
    """A statement on lines of at most ``width`` characters, as far as it can be broken."""
    if len(line) <= width:
        return [line]
    target, equals, value = line.partition(" = ")
    if equals and len(target) > width // 2 and "(" not in target and ": " not in target:
        return ["(", *_filled(target.split(", "), width - 4), *_value(") = ", value, "", width)]
    if equals and "(" not in target:
        return _value(f"{target} = ", value, "", width)
    return _value("", line, "", width)


def _value(before: str, value: str, after: str, width: int) -> list[str]:
    """``before value after`` broken at its loosest operator, else inside its last brackets."""
    if len(before) + len(value) + len(after) <= width:
        return [before + value + after]
    pieces = _pieces(value)
    if len(pieces) > 1:
        body = [row for p in pieces for row in _summand(p, width - 4)]
        return [f"{before}(", *(f"    {row}" for row in body), f"){after}"]
    tail = _ATTRIBUTES.search(value)
    if tail is not None:
        value, after = value[: tail.start()], tail.group() + after
    start = _first_bracket(value)
    if start < 0 or value[-1] not in _CLOSING:
        return [before + value + after]
    if len(before) + start >= width and (method := _METHOD.search(value[:start])) is not None:
        parts = (value[: method.start()], value[method.start() :])
        body = [f"    {row}" for part in parts for row in _value("", part, "", width - 4)]
        return [f"{before}(", *body, f"){after}"]
    inner = value[start + 1 : -1]
    commas = list(_at_top(inner, (", ",)))
    cuts = [0, *(c + 2 for c in commas)]
    ends = [*commas, len(inner)]
    items = [inner[a:b] for a, b in zip(cuts, ends, strict=True)]
    if commas and max(map(len, items)) <= SHORT:
        body = _filled(items, width - 4)
    elif commas:
        body = [f"    {row}" for i in items for row in _value("", i, ",", width - 4)]
    else:
        body = [f"    {row}" for p in _pieces(inner) for row in _summand(p, width - 4)]
    return [before + value[: start + 1], *body, value[-1] + after]


def _pieces(value: str) -> list[str]:
    """An expression cut before its loosest operators; the whole where there is none."""
    operators = next((found for o in _LEVELS if (found := list(_at_top(value, o)))), [])
    ends = [*operators, len(value)]
    return [value[a:b].strip() for a, b in zip([0, *operators], ends, strict=True)]


def _summand(piece: str, width: int) -> list[str]:
    """A part of a broken expression, with the operator that it begins with."""
    sign = next((s for s in ("+ ", "- ", "* ", "/ ", "@ ") if piece.startswith(s)), "")
    return _value(sign, piece.removeprefix(sign), "", width)


def _filled(items: list[str], width: int) -> list[str]:
    """Short items, as many a line as fit."""
    return [f"    {row}" for row in textwrap.wrap(", ".join(items) + ",", width)]


def _at_top(text: str, separators: tuple[str, ...]) -> Iterator[int]:
    """Where a separator stands outside all brackets and strings."""
    depth, quoted = 0, False
    for place, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif c in _OPENING:
            depth += 1
        elif c in _CLOSING:
            depth -= 1
        elif depth == 0 and any(text.startswith(s, place) for s in separators):
            yield place


def _first_bracket(text: str) -> int:
    """Where the bracket opens that the last character closes."""
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] in _CLOSING) - (text[place] in _OPENING)
        if depth == 0:
            return place if place < len(text) - 1 else -1
    return -1
