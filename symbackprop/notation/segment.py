r"""From a document to statements: where the mathematics stands in prose, and where one relation
ends and the next begins.

Mathematics is what stands in ``$…$``, ``$$…$$``, ``\(…\)``, ``\[…\]`` and display environments;
where a text has none of these, all of it is mathematics (plain text: line by line). A formula
splits, outside brackets, at line ends, wide spaces, commas, full stops, words and arrows; a piece
that begins with a relation continues the chain of the piece before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from symbackprop.errors import Malformed, NotSupported, Span
from symbackprop.notation.latex_tables import DANGEROUS, DISPLAYS
from symbackprop.notation.latex_tokens import Macro, lex_latex
from symbackprop.notation.surroundings import body, is_whole, prose, verbatim
from symbackprop.notation.text_tokens import lex_text
from symbackprop.notation.token_cursor import match_bars
from symbackprop.notation.tokens import MOST_TEXT, Token
from symbackprop.notation.written import Node, Relation
from symbackprop.notation.written_reader import read_formula

MOST_SAID = 120
MOST_SIGNS = 2_500
MOST_STATEMENTS = 6_000
_SPLITS = frozenset("BREAK COMMA SEMI STOP COLON".split())
_RELATIONS = frozenset("REL INCREMENT".split())
_OPERATORS = frozenset("PLUS MINUS OP".split())
_ENVIRONMENTS = "|".join(re.escape(n) for n in sorted(DISPLAYS, key=len, reverse=True))
_OPENING = re.compile(
    rf"\\begin\{{({_ENVIRONMENTS})\}}|(?<!\\)(?:\$\$|\\\[|\\\(|\$`?)|```(?=(?:math|latex|tex)\b)"
)
_CLOSING = {"$$": "$$", "$": "$", "$`": "`$", r"\[": r"\]", r"\(": r"\)", "```": "```"}
_FENCE = re.compile(r"(?:math|latex|tex)\b")
_MACRO = re.compile(
    r"\\(?:(?:re)?new|provide)command\*?\s*\{?\\([A-Za-z]+)\}?\s*(?:\[(\d)\])?(?:\[([^\]]*)\])?\s*\{"
    r"|\\[gex]?def\s*\\([A-Za-z]+)((?:#\d)*)\s*\{"
    r"|\\DeclareMathOperator\*?\s*\{?\\([A-Za-z]+)\}?\s*\{"
    r"|\\DeclarePairedDelimiter\s*\{?\\([A-Za-z]+)\}?\s*\{"
)
_PAIRED = re.compile(r"\s*\{([^{}]*)\}")
_LET = re.compile(r"\\let\s*\\([A-Za-z]+)\s*=?\s*(\\[A-Za-z]+|[^\s\\])")
_NUMPY = re.compile(r"^\s*(?:def |import |from \w+ import )", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_OFF = re.compile(r"^[ \t]*%+[ \t]*verify: off\b.*?(?:^[ \t]*%+[ \t]*verify: on\b|\Z)", re.M | re.S)
_LAYOUT = re.compile(r"\\(?:begin|end)\{[a-z]+\*?\}|</?[a-z]+ ?/?>")
_MARKUP = re.compile(
    r"^[ \t]*(?:[-*+>]|\d+[.)])[ \t]+|(?<!\w)__(?=[\w(])|(?<=[\w\])'])__(?!\w)|`", re.MULTILINE
)
_STRONG = re.compile(r"(?<![^\s(:,>])\*\*(?=[^\s*])([^\n]*?[^\s*])\*\*(?![\w(*])")
_EMPHASIS = re.compile(r"^([ \t]*)\*(?=[^\s*])([^*\n]*[^\s*])\*(?=[\s=:.,]|$)", re.MULTILINE)
_DANGER = re.compile(r"\\(" + "|".join(sorted(DANGEROUS)) + r")(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of mathematics: its tree, or why it could not be read. ``text`` is the stretch as
    written, ``group`` tells which formula of the document it is a piece of.
    """

    start: int
    end: int
    text: str
    tree: Node | None
    error: Malformed | None = None
    group: int = 0

    @property
    def is_relation(self) -> bool:
        """Whether it says that things are equal; a piece without relation is a mention."""
        if self.tree is None:
            return self.error is not None
        return isinstance(self.tree, Relation) and any(r in JUDGED for r in self.tree.relations)


EQUALITIES = frozenset(("=", ":=", "=:", "+=", "-="))
JUDGED = EQUALITIES | {"∈"}


def detect_format(text: str) -> str:
    """``latex``, ``text`` or ``numpy``, by what the text looks like."""
    if _NUMPY.search(text) and "\\" not in text:
        return "numpy"
    return "latex" if "\\" in text or "$" in text else "text"


def statements(
    text: str,
    format: str,
    declared: frozenset[str],
    source: str = "<derivation>",
    macros: str = "",
) -> tuple[Statement, ...]:
    """The statements of a document in reading order; ``macros`` is a text that defines macros for
    it.

    Raises
    ------
    Malformed
        For a text over 1 MB, and for LaTeX that reaches outside a formula.
    NotSupported
        For Python code.
    """
    if len(text) > MOST_TEXT:
        raise Malformed(
            "a derivation of at most 1 MB",
            f"{len(text):,} characters",
            Span(source, text[:200], 0, 1),
            "verify it in parts",
        )
    if format == "numpy":
        raise NotSupported(
            "a derivation in LaTeX or text",
            "Python code",
            Span(source, text[:1000], 0, 1),
            "write the gradients as formulas: dW = dZ.T @ X",
        )
    if format not in ("latex", "text"):
        raise Malformed("format latex, text or numpy", f"{format!r}")
    pieces = _latex(text, source, macros) if format == "latex" else _text(text, declared, source)
    found = tuple(islice(pieces, MOST_STATEMENTS + 1))
    if len(found) > MOST_STATEMENTS:
        last = found[-1]
        raise Malformed(
            f"a derivation of at most {MOST_STATEMENTS} formulas",
            "more",
            Span(source, text, last.start, last.end),
            "verify it in parts",
        )
    return found


def _latex(text: str, source: str, given: str) -> Iterator[Statement]:
    kept = verbatim(prose(_OFF.sub(lambda part: " " * len(part[0]), text)))
    spoken = _COMMENT.sub(_blank, kept)
    inner = body(spoken)
    if found := _DANGER.search(inner):
        raise Malformed(
            "mathematics", f"\\{found[1]}, a command that acts outside the formula",
            Span(source, text, found.start(), found.end()),
            "leave it out: a derivation is only read",
        )  # fmt: skip
    if found := _DANGER.search(given):
        raise Malformed(
            "definitions of macros", f"\\{found[1]}",
            Span(source, given, found.start(), found.end()),
            "leave it out: a derivation is only read",
        )  # fmt: skip
    macros, bare = _macros(spoken)
    macros = _macros(_COMMENT.sub(_blank, given))[0] | macros
    bare = body(bare)
    open_chain: list[Token] = []
    before = held = 0
    for group, (start, end) in enumerate(_formulas(bare, is_whole(spoken))):
        pieces = _joined(lex_latex(bare, start, end, macros, source))
        if open_chain and pieces and _goes_on(open_chain, pieces[0], text[before:start]):
            _join(open_chain, pieces.pop(0))
        before = end
        if not pieces:
            continue
        if open_chain:
            yield _statement(open_chain, text, source, held)
        for piece in pieces[:-1]:
            yield _statement(piece, text, source, group)
        open_chain, held = pieces[-1], group
    if open_chain:
        yield _statement(open_chain, text, source, held)


def _goes_on(chain: list[Token], piece: list[Token], gap: str) -> bool:
    """Whether a formula continues the chain of the one before it: it begins with a relation, and
    little is said between, or nothing where that one has none.
    """
    if piece[0].kind not in _RELATIONS:
        return False
    said = sum(c.isalnum() for c in _LAYOUT.sub("", gap))
    return said <= (MOST_SAID if any(t.kind in _RELATIONS for t in chain) else 0)


def left_out(text: str) -> tuple[tuple[int, int], ...]:
    """The parts between the comments ``% verify: off`` and ``% verify: on``, left unjudged."""
    return tuple(part.span() for part in _OFF.finditer(text))


def _blank(comment: re.Match[str]) -> str:
    """A comment as blanks, so that places stay."""
    return comment[1] + " " * (len(comment[0]) - len(comment[1]))


def _macros(text: str) -> tuple[dict[str, Macro], str]:
    """The macros that the text defines, and the text with the definitions blanked out (places
    stay).
    """
    macros: dict[str, Macro] = {}
    for let in _LET.finditer(text):
        if let[2] != "\\" + let[1]:
            macros[let[1]] = Macro(0, let[2])
    text = _LET.sub(lambda m: " " * len(m[0]), text)
    at = 0
    while found := _MACRO.search(text, at):
        level, here = 1, found.end()
        while here < len(text) and level:
            level += (text[here] == "{") - (text[here] == "}") if text[here - 1] != "\\" else 0
            here += 1
        name = found[1] or found[4] or found[6] or found[7]
        body = text[found.end() : here - 1]
        if found[7]:
            close = _PAIRED.match(text, here)
            here = close.end() if close else here
            macros[name] = Macro(1, f"{body} #1 {close[1] if close else body}")
        else:
            arity = int(found[2] or 0) if found[1] else (found[5] or "").count("#")
            body = rf"\operatorname{{{body}}}" if found[6] else body
            macros[name] = Macro(arity, body, found[3] if arity else None)
        text = text[: found.start()] + " " * (here - found.start()) + text[here:]
        at = here
    return macros, text


def _formulas(text: str, among_prose: bool = False) -> Iterator[tuple[int, int]]:
    """Where formulas stand; the whole text if there are none, unless it is known to be prose. A
    closing sign is looked for once.
    """
    at, some = 0, among_prose
    absent: set[str] = set()
    while found := _OPENING.search(text, at):
        closing = rf"\end{{{found[1]}}}" if found[1] else _CLOSING[found[0]]
        stop = -1 if closing in absent else text.find(closing, found.end())
        if stop < 0:
            absent.add(closing)
            at = found.end()
            continue
        at, some = stop + len(closing), True
        fence = _FENCE.match(text, found.end()) if found[0] == "```" else None
        yield (found.start(), at) if found[1] else (fence.end() if fence else found.end(), stop)
    if not some:
        yield 0, len(text)


def _text(text: str, declared: frozenset[str], source: str) -> Iterator[Statement]:
    """Plain text: a statement a line, continued inside brackets; ``$`` would make it LaTeX."""
    plain = unmarked(text)
    start = 0
    while start < len(plain):
        end, level = start, 0
        while end < len(plain) and not (plain[end] == "\n" and level <= 0):
            level += (plain[end] in "([{") - (plain[end] in ")]}")
            end += 1
        if level > 0:
            stop = plain.find("\n", start)
            end = len(plain) if stop < 0 else stop
        for piece in _joined(lex_text(plain, declared, start, end)):
            yield _statement(piece, text, source, start)
        start = end + 1


def unmarked(text: str) -> str:
    """A plain text without the marks of Markdown, each a blank, so that places stay."""
    plain = _MARKUP.sub(lambda m: " " * len(m[0]), prose(text))
    plain = _STRONG.sub(r"  \1  ", plain)
    return _EMPHASIS.sub(r"\1 \2 ", plain)


def _joined(tokens: list[Token]) -> list[list[Token]]:
    """The pieces of one formula, chains and sums that were broken over lines joined again."""
    joined: list[list[Token]] = []
    for piece, continued, broken in _pieces(match_bars(tokens)):
        if joined and (continued or piece[0].kind in _RELATIONS or _unfinished(joined[-1], broken)):
            _join(joined[-1], piece)
        else:
            joined.append(piece)
    return joined


def _unfinished(before: list[Token], broken: bool) -> bool:
    """Whether a formula goes on after the end of a line, since that ended with a sign."""
    return broken and before[-1].kind in _OPERATORS | {"REL"}


def _join(chain: list[Token], piece: list[Token]) -> None:
    """Continue a chain; a sign that ends one line and begins the next is one sign."""
    if chain[-1].kind == piece[0].kind == "REL":
        chain.pop()
    chain.extend(piece)


def _pieces(tokens: list[Token]) -> Iterator[tuple[list[Token], bool, bool]]:
    """The pieces, whether each goes on with the line before it, and whether it begins a line.

    A new line set in by ``&`` that begins with an operator goes on; two ``&`` side by side begin
    another column of formulas.
    """
    depth, column = 0, 0
    piece: list[Token] = []
    continued, broken, after = False, False, False
    for before, token in pairwise([None, *tokens]):
        assert token is not None, "only the first has none before it"
        depth = max(0, depth + (token.kind in ("OPEN", "LB")) - (token.kind in ("CLOSE", "RB")))
        beside = token.kind == "AMP" and before is not None and before.kind == "AMP"
        if depth == 0 and (token.kind in _SPLITS or (beside and piece)):
            if piece:
                yield piece, continued, after
            piece, continued = [], False
            if token.kind == "BREAK" and token.text == "\\":
                broken, column = True, 0
            elif token.kind != "BREAK" or token.text != " ":
                broken = False
        elif token.kind == "AMP":
            column += 1
        elif token.kind != "BREAK":
            if not piece:
                continued = broken and column > 0 and token.kind in _OPERATORS
                after = broken
            piece.append(token)
            broken = False
    if piece:
        yield piece, continued, after


def _statement(tokens: list[Token], text: str, source: str, group: int) -> Statement:
    if len(tokens) > 1 and tokens[-1].kind == "REL":
        tokens = tokens[:-1]
    start, end = tokens[0].start, max(t.end for t in tokens)
    stretch = text[start:end].strip()
    try:
        if len(tokens) > MOST_SIGNS:
            raise Malformed(
                f"a formula of at most {MOST_SIGNS} signs",
                f"{len(tokens)}",
                Span(source, text, start, start + 1),
                "name the parts and use the names",
            )
        tree = read_formula(list(tokens), text, source)
        return Statement(start, end, stretch, tree, group=group)
    except Malformed as error:
        kept = error if any(t.kind in _RELATIONS for t in tokens) else None
        return Statement(start, end, stretch, None, kept, group)


def definitions(text: str) -> str:
    """The definitions of macros in a text, in order, and nothing else of it."""
    _, rest = _macros(text)
    return "".join(c for c, other in zip(text, rest, strict=True) if c != other or c == " ").strip()
