"""Single mistakes put into right formulas, on the text: the kinds of slip that change what is said.

``mutations(text)`` gives pairs (kind, text). None of them knows what the formula means, so a few
are still true (the transpose of a scalar, neighbours that commute); the tests say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SIGN = r"(?<=[ a-zA-Z0-9)}])([+-])(?= )"
NUMBER = r"(?<![_\^{\[\\a-z0-9])[1-9](?![0-9_}])"
SUM = r"\\sum(_\{?[a-z=1]*\}?)?(\^\{?[A-Z]\}?)?"
LETTER = r"(?<![\\a-zA-Z])(?:theta|c|b|y)(?![a-zA-Z])"
ARRAY = r"(?<![\\a-zA-Z])[XWHZ](?![a-zA-Z])"
FLIPPED = {"+": "-", "-": "+"}
OTHER = {"i": "j", "j": "i"}
INDEX = r"(?<=[_{(])[ij](?=[ij}) ])"
LAST = r"= (?=[^=]*$)"
ARRAYS = {"X": "H", "W": "X", "H": "Z", "Z": "H"}
LETTERS = {"c": "b", "b": "c", "y": "c"}

# fmt: off
SLIPS = (
    ("transpose dropped", re.compile(r"\^\\top"),             lambda m: ""),
    ("sign flipped",      re.compile(SIGN),                    lambda m: FLIPPED[m[0]]),
    ("whole negated",     re.compile(LAST),                    lambda m: "= -"),
    ("number raised",     re.compile(NUMBER),                  lambda m: str(int(m[0]) + 1)),
    ("exponent raised",   re.compile(r"(?<=\^)[2-9]"),         lambda m: str(int(m[0]) + 1)),
    ("factor put in",     re.compile(LAST),                    lambda m: "= 2\\cdot "),
    ("extent put in",     re.compile(LAST),                    lambda m: "= \\frac1M "),
    ("prime dropped",     re.compile(r"(?<=f)'"),              lambda m: ""),
    ("prime put in",      re.compile(r"(?<=f)(?=[\\(])"),      lambda m: "'"),
    ("sum dropped",       re.compile(SUM),                     lambda m: ""),
    ("bound moved",       re.compile(r"(?<=[a-z]=)1(?=\})"),   lambda m: "2"),
    ("name changed",      re.compile(ARRAY),                   lambda m: ARRAYS[m[0]]),
    ("letter changed",    re.compile(LETTER),                  lambda m: LETTERS.get(m[0], "b")),
    ("index changed",     re.compile(INDEX),                   lambda m: OTHER[m[0]]),
)
# fmt: on


def mutations(text: str) -> Iterator[tuple[str, str]]:
    """Every single slip in the part of a formula after its first ``=``."""
    begin = text.index("=")
    for kind, pattern, slip in SLIPS:
        for m in pattern.finditer(text, begin):
            changed = text[: m.start()] + slip(m) + text[m.end() :]
            if changed != text:
                yield kind, changed
