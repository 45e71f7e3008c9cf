"""Single mistakes put into right formulas, on the tokens of the text: the kinds of slip that change what is said.

``mutations(text)`` gives pairs (kind, text). None of them knows what the formula means, so a few are still true (the
transpose of a scalar, neighbours that commute); the tests say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# fmt: off
SLIPS = (
    ("transpose dropped", re.compile(r"\^\\top|\^\{?\\mathsf ?T\}?"),           lambda m: ""),
    ("sign flipped",      re.compile(r"(?<=[ a-zA-Z0-9)}])([+-])(?= )"),        lambda m: "-" if m[0] == "+" else "+"),
    ("whole negated",     re.compile(r"= (?=[^=]*$)"),                          lambda m: "= -"),
    ("number raised",     re.compile(r"(?<![_\^{\[\\a-z0-9])[1-9](?![0-9_}])"), lambda m: str(int(m[0]) + 1)),
    ("exponent raised",   re.compile(r"(?<=\^)[2-9]"),                          lambda m: str(int(m[0]) + 1)),
    ("factor put in",     re.compile(r"= (?=[^=]*$)"),                          lambda m: "= 2\\cdot "),
    ("extent put in",     re.compile(r"= (?=[^=]*$)"),                          lambda m: "= \\frac1M "),
    ("prime dropped",     re.compile(r"(?<=f)'"),                               lambda m: ""),
    ("prime put in",      re.compile(r"(?<=f)(?=[\\(])"),                       lambda m: "'"),
    ("sum dropped",       re.compile(r"\\sum(_\{?[a-z=1]*\}?)?(\^\{?[A-Z]\}?)?"), lambda m: ""),
    ("bound moved",       re.compile(r"(?<=[a-z]=)1(?=\})"),                    lambda m: "2"),
    ("name changed",      re.compile(r"(?<![\\a-zA-Z])[XWHZ](?![a-zA-Z])"),     lambda m: {"X": "H", "W": "X", "H": "Z", "Z": "H"}[m[0]]),
    ("letter changed",    re.compile(r"(?<![\\a-zA-Z])(?:theta|c|b|y)(?![a-zA-Z])"), lambda m: {"c": "b", "b": "c", "y": "c"}.get(m[0], "b")),
    ("index changed",     re.compile(r"(?<=[_{(])[ij](?=[ij}) ])"),              lambda m: "j" if m[0] == "i" else "i"),
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
