"""The lexer of hand derivations in plain text: ``dW = X' dY``, ``2*X'*(X*w - y)``, ``grad_W =
grad_Z.T @ X``.

Plain text writes words where LaTeX writes letters, so words are split by the names that the model
declares: with ``X`` and ``W`` declared, ``XW`` is two names; ``X_nd`` is X with two subscripts.
Everything else is as in LaTeX, with the same tokens.

>>> [t.text for t in lex_text("dW = X_nd W.T", frozenset({"X", "W"}))]
['dW', '=', 'X', '_', '{', 'n', 'd', '}', 'W', '^', 'T']
"""

from __future__ import annotations

import re

from symbackprop.notation.tokens import (
    FUNCTIONS,
    GREEK,
    SIMPLE,
    Token,
    unicode_name,
    unicode_tokens,
)

_NUMBER = re.compile(r"\d+(?:\.\d+)?(?![A-Za-z_])|\d+(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_SIGNS = (
    (re.compile(r":=|=:|\+=|-="), "REL"), (re.compile(r"=="), "REL"),
    (re.compile(r"<-|->"), "ARROW"), (re.compile(r"=>"), "BREAK"),
    (re.compile(r"<=|>=|!="), "CMP"), (re.compile(r"\.\.\.+"), "DOTS"),
)  # fmt: skip
_TRANSPOSE = re.compile(r"\.T(?![A-Za-z0-9_])|\.t?transpose\(\)|\.t\(\)|\.'")
_METHOD = re.compile(r"\.([A-Za-z_]\w*)(?=\()")
_MODULE = re.compile(r"(?:np|numpy|torch|jnp|tf|math|scipy|special|F|nn|functional)\.(?=[A-Za-z])")
_DOTTED = {
    ".*": ("OP", "⊙"), "./": ("OP", "/"), ".^": ("SUP", "^"), "||": ("NORM", "‖"),
}  # fmt: skip
_GREEK = frozenset(GREEK) | {"lam", "eps"}


def lex_text(
    text: str, declared: frozenset[str], start: int = 0, end: int | None = None
) -> list[Token]:
    """Tokens of ``text[start:end]``; ``declared`` are the names of the model and of the symbol
    map.
    """
    out: list[Token] = []
    at, stop = start, len(text) if end is None else end
    while at < stop:
        at = _one(text, at, stop, declared, out)
    return out


def _one(text: str, at: int, end: int, declared: frozenset[str], out: list[Token]) -> int:
    c = text[at]
    if c.isspace() or c == "`":
        return at + 1
    if c in "#%":
        stop = text.find("\n", at)
        return end if stop < 0 else min(stop, end)
    if found := _TRANSPOSE.match(text, at, end):
        out += [Token("SUP", "^", at, found.end()), Token("ID", "T", at, found.end())]
        return found.end()
    for pattern, kind in _SIGNS:
        if found := pattern.match(text, at, end):
            out.append(Token(kind, "=" if found[0] == "==" else found[0], at, found.end()))
            return found.end()
    if text.startswith("**", at):
        out.append(Token("SUP", "^", at, at + 2))
        return at + 2
    if text[at : at + 2] in _DOTTED:
        out.append(Token(*_DOTTED[text[at : at + 2]], at, at + 2))
        return at + 2
    if out and (found := _METHOD.match(text, at, end)):
        out.append(Token("METHOD", FUNCTIONS.get(found[1], found[1]), at, found.end()))
        return found.end()
    if (found := _MODULE.match(text, at, end)) and found[0][:-1] not in declared:
        return found.end()
    if c in "ΣΠ" and unicode_name(c) in declared:
        out.append(Token("ID", unicode_name(c), at, at + 1))
        return at + 1
    if found := _NUMBER.match(text, at, end):
        out.append(Token("NUM", found[0], at, found.end()))
        return found.end()
    if (found := _WORD.match(text, at, end)) and not _combines(text, found.end()):
        return _word(text, found[0], at, declared, out)
    if c in SIMPLE:
        out.append(Token(*SIMPLE[c], at, at + 1))
        return at + 1
    if c.isascii():
        combined = at + 1 < len(text) and not text[at + 1].isascii()
        tokens, after = unicode_tokens(text, at) if c.isalpha() and combined else ([], at + 1)
    else:
        tokens, after = unicode_tokens(text, at)
    out.extend(tokens or [Token("STRANGE", text[at:after], at, after)])
    return after


def _combines(text: str, at: int) -> bool:
    """Whether a combining accent follows, so that the letter before it is to be read with it."""
    return (at < len(text) and "\u0300" <= text[at] <= "\u036f") or (
        at < len(text) and text[at] == "\u20d7"
    )


def _word(text: str, word: str, at: int, declared: frozenset[str], out: list[Token]) -> int:
    called = text.startswith("(", at + len(word))
    here = at
    for kind, piece in _pieces(word, declared, called):
        length = len(piece) if kind in ("ID", "FN", "BIG", "PARTIAL", "NABLA", "SUB", "NUM") else 0
        name = FUNCTIONS.get(piece, piece) if kind == "FN" else piece
        out.append(Token(kind, name, here, here + length))
        here += length
    return at + len(word)


def _pieces(word: str, declared: frozenset[str], called: bool) -> list[tuple[str, str]]:
    """A word as kinds and pieces; braces that the writer left out stand around several
    subscripts.
    """
    if word in declared or word.startswith("grad_"):
        return [("ID", word)]
    if word in FUNCTIONS and (called or word not in ("sum", "max", "min", "mean", "var", "norm")):
        return [("FN", word)]
    if word in ("sum", "prod") or (word == "max" and not called):
        return [("BIG", word)]
    if word in ("partial", "nabla"):
        return [("PARTIAL" if word == "partial" else "NABLA", word)]
    if word in _GREEK or word.endswith(("_prime", "_pprime")):
        return [("ID", word)]
    if word[0] in "dδ" and word[1:] in declared:
        return [("ID", word)]
    if "_" in word:
        base, _, below = word.partition("_")
        if len(base) > 2 and len(below) > 1 and not _is_base(base, declared):
            return [("ID", word)]
        letters = [("NUM" if c.isdigit() else "ID", c) for c in below.replace("_", "")]
        subs = letters if len(letters) == 1 else [("LB", "{"), *letters, ("RB", "}")]
        return [*_pieces(base, declared, called), ("SUB", "_"), *subs]
    split = _split(word, declared)
    return [("ID", w) for w in split] if split else [("ID", word)]


def _is_base(word: str, declared: frozenset[str]) -> bool:
    """Whether a word may bear subscripts, and is no piece of a longer name."""
    return word in declared or word in _GREEK or word in FUNCTIONS or word in ("sum", "prod")


def _split(word: str, declared: frozenset[str]) -> list[str] | None:
    """The word as declared names side by side, the longest first; None if it is not made of
    them.
    """
    if not word:
        return []
    for length in range(len(word), 0, -1):
        if word[:length] in declared:
            rest = _split(word[length:], declared)
            if rest is not None:
                return [word[:length], *rest]
    return None
