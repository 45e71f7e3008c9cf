"""Lark's complaints in four parts: what may stand at the place, what stands there, where, and what
to write instead.

The table of hints is keyed by what a person coming from mathematics, LaTeX or another language is
likely to have typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from lark import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from symbackprop.errors import Malformed, Span

# fmt: off
WORDS = {
    "NAME": "a name", "NUMBER": "a number", "LPAR": "(", "RPAR": ")", "LSQB": "[",
    "RSQB": "]",
    "COMMA": "a comma",
    "EQUAL": "=", "COLON": ":", "DOT": ".T", "__ANON_0": "..", "IN": "in", "FOR": "for",
    "_FOR": "for",
    "ADDITIVE": "+ or -", "MULTIPLICATIVE": "an operator", "POWER": "**", "COMPARE": "a comparison",
    "LESS": "<",
    "STRING": "a string", "ELLIPSIS": "...", "$END": "the end of the line",
}
HINTS = {
    "^": "a power is written **",
    "'": "a transpose is written .T, the slope of f is f_prime",
    "\u2032": "the slope of f is written f_prime",
    "\u00d7": "a product is written * entry by entry, @ between matrices",
    "\u00b7": "a product is written * entry by entry, @ between matrices",
    "\u22c5": "a product is written * entry by entry, @ between matrices",
    "\u2299": "a product entry by entry is written *",
    "\u2212": "a minus sign is written -",
    "\u2013": "a minus sign is written -",
    "\u1d40": "a transpose is written .T",
    "\u22a4": "a transpose is written .T",
    "\u2264": "write <=", "\u2265": "write >=", "\u2260": "write !=",
    "\u221a": "a root is written sqrt(x)",
    "\u2211": "a sum is written sum(X, axis=0), or sum[n](X[n,d]) by entries",
    "\u2207": "the adjoint of X is written grad_X",
    "\\": "LaTeX is read by `verify`; here write Python's notation",
    "{": "brackets are ( ) and [ ]", "}": "brackets are ( ) and [ ]",
    ";": "write one statement a line",
    "&": "indicators are combined by *", "|": "absolute values are written abs(x)",
    "!": "unequal is written !=",
    "$": "formulas stand without $",
    "and": "there is no and, or, not: multiply indicators",
    "or": "there is no and, or, not: multiply indicators",
    "not": "there is no and, or, not: write 1 - c for an indicator c",
    "if": "there is no if: write where(c, a, b)", "else": "there is no if: write where(c, a, b)",
    "=": "a comparison is written ==",
    "**": "a power needs a base", "..": "a range is written i in 0..N-1 after `for`",
}
# fmt: on
STATEMENTS = ("DIMS", "DATA", "PARAM", "FUNCTION", "ASSUME", "INDEX", "OUTPUT")
_ENDS_OPERAND = frozenset({"NAME", "NUMBER", "RPAR", "RSQB"})


def explain(
    problem: UnexpectedInput, line: str, offset: int, text: str, source: str, start: str
) -> Malformed:
    """The four-part error for what lark met in ``line``, which stands at ``offset`` of ``text``."""
    at, found, allowed = _met(problem, line)
    span = Span(source, text, offset + at, offset + at + max(1, len(found)))
    got = repr(found) if found else "the end of the line"
    return Malformed(_describe(allowed, start), got, span, _hint(problem, found, allowed, line, at))


def _met(problem: UnexpectedInput, line: str) -> tuple[int, str, set[str]]:
    """Where lark stopped, what stands there (nothing at the end), and which terminals may."""
    end = len(line.rstrip())
    if isinstance(problem, UnexpectedCharacters):
        at = cast(int, problem.pos_in_stream)
        # LALR merges states, so that closing brackets seem allowed where none is open.
        open_ = {"RPAR": line.count("(", 0, at) > line.count(")", 0, at)}
        open_["RSQB"] = line.count("[", 0, at) > line.count("]", 0, at)
        open_["COMMA"] = any(open_.values())
        return at, line[at], {w for w in problem.allowed or () if open_.get(w, True)}
    if isinstance(problem, UnexpectedToken):
        allowed = {str(w) for w in problem.accepts or problem.expected}
        token = problem.token
        if token.type == "$END":
            return end, "", allowed
        return token.start_pos or 0, str(token), allowed
    if isinstance(problem, UnexpectedEOF):
        return end, "", {str(w) for w in problem.expected}
    raise AssertionError(f"lark has a further kind of complaint: {type(problem).__name__}")


def _describe(allowed: set[str], start: str) -> str:
    if start == "statement" and allowed & set(STATEMENTS):
        return "an equation (Z = …) or one of " + " ".join(w.lower() for w in STATEMENTS)
    if {"NAME", "NUMBER", "LPAR"} <= allowed:
        return "an expression"
    if "POWER" in allowed:
        closing = [w for w in ("COMMA", "RPAR", "RSQB", "$END", "EQUAL") if w in allowed]
        return _either(["an operator", *(WORDS[w] for w in closing or ["$END"])])
    return _either(sorted(WORDS.get(w, w.lower()) for w in allowed))


def _either(words: Iterable[str]) -> str:
    *rest, last = list(words) or ["something else"]
    return f"{', '.join(rest)} or {last}" if rest else last


def _hint(problem: UnexpectedInput, found: str, allowed: set[str], line: str, at: int) -> str:
    if found in ("<", "<=", ">", ">=", "==", "!="):
        return "comparisons are not chained: multiply two indicators"
    if found in HINTS:
        return HINTS[found]
    kind = problem.token.type if isinstance(problem, UnexpectedToken) else ""
    before = line[:at].rstrip()[-1:]
    if (
        kind in ("NAME", "NUMBER", "LPAR")
        and "POWER" in allowed
        and (before.isalnum() or before in ")]_")
    ):
        return "write * between two factors"
    if not found:
        return "complete the line; a line continues only inside brackets"
    return "write Python's notation, for example Z = X @ W.T + b"
