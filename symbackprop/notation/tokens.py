"""What the two lexers of hand derivations give: tokens with their place, and the tables that LaTeX
and plain text share.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from symbackprop.notation import spelling

MOST_TEXT = 1_000_000


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its canonical text and where it stands in the source."""

    kind: str
    text: str
    start: int
    end: int


GREEK = tuple(dict.fromkeys(spelling.GREEK.values()))

# Words for functions, in whatever notation they come, and the function of the library that each
# names.
# fmt: off
FUNCTIONS = {
    "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tanh": "tanh",
    "sinh": "sinh", "cosh": "cosh",
    "sqrt": "sqrt", "abs": "abs", "sign": "sign", "sgn": "sign", "step": "step", "erf": "erf",
    "relu": "relu", "ReLU": "relu", "sigmoid": "sigmoid", "sigm": "sigmoid", "logistic": "sigmoid",
    "softplus": "softplus", "gelu": "gelu", "silu": "silu",
    "softmax": "softmax", "log_softmax": "log_softmax", "logsumexp": "logsumexp",
    "max": "max", "min": "min", "maximum": "maximum", "minimum": "minimum", "mean": "mean",
    "avg": "mean", "sum": "sum",
    "tr": "trace", "Tr": "trace", "trace": "trace", "diag": "diag", "Diag": "diag", "det": "det",
    "vec": "vec", "kron": "kron",
    "rowsum": "rowsum", "ones": "ones", "zeros": "zeros",
    "dot": "dot", "outer": "outer", "norm": "norm2", "norm2": "norm2",
    "var": "var", "Var": "var",
    "log1p": "log1p", "expm1": "expm1", "sech": "sech", "tan": "tan", "coth": "coth",
    "logit": "logit", "heaviside": "step", "Heaviside": "step", "Softmax": "softmax",
    "Sigmoid": "sigmoid", "matmul": "dot", "mm": "dot",
    "transpose": "transpose", "RELU": "relu", "Relu": "relu", "multiply": "multiply",
    "square": "square", "rowSums": "rowsum", "colSums": "colsum",
    "CE": "cross_entropy", "swap": "swap", "reshape": "reshape", "norm1": "norm1",
    "take": "take", "onehot": "onehot",
}

UNICODE = {                      # characters that are not letters: kind and text
    "′": ("PRIME", "'"), "″": ("PRIME", "''"), "⊙": ("OP", "⊙"), "∘": ("OP", "⊙"), "·": ("OP", "·"),
    "×": ("OP", "×"), "⊗": ("OP", "⊗"), "⋆": ("OP", "⋆"), "⊛": ("OP", "*"),
    "∂": ("PARTIAL", "∂"), "∇": ("NABLA", "∇"),
    "∑": ("BIG", "sum"), "∏": ("BIG", "prod"), "Σ": ("BIG", "sum"), "Π": ("BIG", "prod"),
    "−": ("MINUS", "-"), "–": ("MINUS", "-"), "≔": ("REL", ":="), "≤": ("CMP", "<="),
    "≥": ("CMP", ">="), "≠": ("CMP", "!="),
    "∈": ("IN", "∈"), "…": ("DOTS", "…"), "⋯": ("DOTS", "…"), "⇒": ("BREAK", "⇒"),
    "∴": ("BREAK", "∴"), "∵": ("BREAK", "∵"),
    "←": ("ARROW", "←"), "→": ("ARROW", "→"), "≈": ("ARROW", "≈"), "∝": ("ARROW", "∝"),
    "√": ("SQRT", "√"), "‖": ("NORM", "‖"),
    "⟨": ("OPEN", "<"), "⟩": ("CLOSE", "<"), "⌊": ("OPEN", "⌊"), "⌋": ("CLOSE", "⌊"),
    "⌈": ("OPEN", "⌈"), "⌉": ("CLOSE", "⌈"), "，": ("COMMA", ","), "；": ("SEMI", ";"),
    "。": ("STOP", "."), "：": ("COLON", ":"),
    "（": ("OPEN", "("), "）": ("CLOSE", "("), "𝟏": ("ONES", "1"), "𝟙": ("ONES", "1"),
    "ℓ": ("ID", "ell"), "ℒ": ("ID", "L"),
    "ℝ": ("ID", "R"), "⊤": ("ID", "T"),
}

SIMPLE = {                       # ASCII characters
    "+": ("PLUS", "+"), "-": ("MINUS", "-"), "*": ("OP", "*"), "/": ("OP", "/"), "=": ("REL", "="),
    "<": ("CMP", "<"), ">": ("CMP", ">"),
    "(": ("OPEN", "("), ")": ("CLOSE", "("), "[": ("OPEN", "["), "]": ("CLOSE", "["),
    "{": ("LB", "{"), "}": ("RB", "}"),
    "_": ("SUB", "_"), "^": ("SUP", "^"), "'": ("PRIME", "'"), "|": ("BAR", "|"),
    ",": ("COMMA", ","), ";": ("SEMI", ";"),
    ":": ("COLON", ":"), ".": ("STOP", "."), "&": ("AMP", "&"), "@": ("OP", "@"),
    "!": ("STOP", "!"), "?": ("STOP", "?"),
}
# fmt: on
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
SUBSCRIPTS = spelling.SUBSCRIPTS | dict(zip("ᵢⱼₖₙₘ", "ijknm", strict=True))
ACCENTS = spelling.ACCENTS


def unicode_name(letter: str) -> str:
    """The name of a Greek letter."""
    return spelling.GREEK.get(letter, "")


def unicode_tokens(text: str, at: int) -> tuple[list[Token], int]:
    """The tokens of the character at ``at`` (with combining accents that follow it) and the
    position after it.

    An empty list where the character is none that mathematics uses.
    """
    end = at + 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    plain = unicodedata.normalize("NFD", text[at:end])
    letter, marks = plain[0], plain[1:]
    if letter in SUPERSCRIPTS:
        return [Token("SUP", "^", at, end), Token("NUM", SUPERSCRIPTS[letter], at, end)], end
    if letter in SUBSCRIPTS:
        below = SUBSCRIPTS[letter]
        return [
            Token("SUB", "_", at, end),
            Token("NUM" if below.isdigit() else "ID", below, at, end),
        ], end
    if letter in "ᵀᵗ":
        return [Token("SUP", "^", at, end), Token("ID", "T", at, end)], end
    if letter in UNICODE:
        return [Token(*UNICODE[letter], at, end)], end
    name = spelling.GREEK.get(letter, letter if letter.isascii() and letter.isalpha() else "")
    if not name:
        return [], end
    accents = [Token("ACC", ACCENTS[m], at, end) for m in marks if m in ACCENTS]
    return [*accents, Token("ID", name, at, end)], end
