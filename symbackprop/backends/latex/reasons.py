r"""The reason of a step, plain text with a few signs of mathematics → TeX text.

Names of the model and signs such as ∂, Σ, δ, ∇, ᵀ are set as mathematics, all else is escaped: a
reason is text, and no command in it ever reaches TeX.

>>> typeset_reason("chain rule through yhat", frozenset({"yhat"}), Notation())
'chain rule through $\\hat{y}$'
"""

from __future__ import annotations

import re

from symbackprop.backends.latex.symbols import Notation, escape_text
from symbackprop.notation.spelling import GREEK

# fmt: off
SIGNS = {
    "∂": r"\partial ", "∇": r"\nabla ", "Σ": r"\Sigma ", "ᵀ": r"^{\top}", "𝟏": r"\mathbf{1}",
    "⊙": r"\odot ",    "×": r"\times ", "·": r"\cdot ",  "−": "-",        "∞": r"\infty ",
    "→": r"\to ",      "≠": r"\neq ",   "≤": r"\le ",    "≥": r"\ge ",    "∈": r"\in ",
    "½": r"\tfrac12 ", "²": "^{2}",     "⁻": "^{-}",     "¹": "^{1}",     "′": "'",
}
# fmt: on
# Names of models that in a sentence are words.
_WORDS = frozenset({"a", "A", "I", "as", "at", "in", "is", "it", "of", "by", "the", "sum", "loss"})
_PART = re.compile(r"∇?[^\W\d]\w*|\d+|\s+|.", re.DOTALL)


def typeset_reason(text: str, names: frozenset[str], notation: Notation) -> str:
    """The reason as TeX text."""
    out = "".join(_part(p, names, notation) for p in _PART.findall(text.replace("…", "...")))
    return out.replace("$$", "").replace("...", r"\dots{}")


def _part(part: str, names: frozenset[str], notation: Notation) -> str:
    bare = part.removeprefix("∇")
    if bare in names and (bare != part or bare not in _WORDS):
        symbol = notation.name(bare)
        return (
            f"${symbol}$"
            if bare == part
            else rf"$\nabla_{{{symbol}}} {notation.name(notation.of)}$"
        )
    if part in SIGNS:
        return f"${SIGNS[part]}$"
    if part in GREEK:
        return rf"$\{GREEK[part]}$"
    return escape_text(part) if not part.isspace() else " "
