"""Reads the text notation: a line or a model file becomes the syntax tree *as written*, with
positions.

The grammar is ``text.lark``; here lines are joined inside brackets, limits are kept (1 MB, 200
levels of nesting, checked before anything recurses), and lark's complaints become our four-part
errors. No text is ever executed.

>>> read_expression("2*(yhat - y)").op
'*'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, UnexpectedInput
from lark import Tree as Parse
from sympy import Rational

from symbackprop.errors import Malformed, Span
from symbackprop.notation import syntax as s
from symbackprop.notation.nesting import DEEPEST_NESTING, make_room
from symbackprop.notation.spelling import RESERVED, SUPERSCRIPTS, spell
from symbackprop.notation.text_errors import explain

LARGEST_TEXT = 1_000_000
LONGEST_NUMBER = 400
_PIECES = re.compile(
    r"""(?P<string>"[^"\n]*"|'[^'\n]*')|(?P<comment>\#[^\n]*)|(?P<open>[(\[])|(?P<close>[)\]])|\n""",
    re.X,
)
_CLOSING = {"(": ")", "[": "]"}
#: Rules of the grammar that are no level of nesting of their own.
WITHOUT_DEPTH = frozenset({"parenthesis", "arguments", "items", "list", "ranges"})


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files("symbackprop.notation").joinpath("text.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start=["statement", "expression"],
        maybe_placeholders=True,
        propagate_positions=True,
    )


def read_expression(text: str, source: str = "<expression>") -> s.Tree:
    """The tree of one expression, comparisons included."""
    lines = _logical_lines(text, source, joined=True)
    if not lines:
        raise Malformed(
            "an expression", "nothing", Span(source, text, 0, 0), "write one, such as X @ W.T + b"
        )
    return _read(lines[0][1], lines[0][0], text, source, "expression")


def read_model(text: str, source: str = "<model>") -> tuple[s.Tree, ...]:
    """The statements of a model file, one a logical line."""
    return tuple(
        _read(line, start, text, source, "statement")
        for start, line in _logical_lines(text, source)
    )


def _logical_lines(text: str, source: str, joined: bool = False) -> list[tuple[int, str]]:
    """Lines that are not blank, with their offsets; comments are blanked and line ends inside
    brackets become spaces.
    """
    if len(text) > LARGEST_TEXT or len(text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
        raise Malformed(
            "at most 1 MB of text",
            f"{len(text):,} characters",
            None,
            f"split {source} into smaller files",
        )
    opened: list[tuple[str, int]] = []
    pieces: list[str] = []
    begin = 0
    for match in _PIECES.finditer(text):
        kind, at, found = match.lastgroup, match.start(), match.group()
        if kind == "string":
            continue
        pieces.append(text[begin:at])
        begin = match.end()
        pieces.append(
            " " * len(found) if kind == "comment" or (not kind and (opened or joined)) else found
        )
        if kind == "open":
            opened.append((found, at))
            if len(opened) > DEEPEST_NESTING:
                raise _too_deep(Span(source, text, at, at + 1))
        elif kind == "close":
            _close(opened, Span(source, text, at, at + 1))
    if opened:
        bracket, at = opened[-1]
        raise Malformed(
            f"a closing {_CLOSING[bracket]}",
            "the end of the text",
            Span(source, text, at, at + 1),
            "close this bracket",
        )
    pieces.append(text[begin:])
    lines, start = [], 0
    for line in "".join(pieces).split("\n"):
        if line.strip():
            lines.append((start, line))
        start += len(line) + 1
    return lines


def _close(opened: list[tuple[str, int]], span: Span) -> None:
    bracket = span.text[span.start]
    if not opened:
        raise Malformed(
            "an opening bracket before this one", bracket, span, "remove it, or open it earlier"
        )
    if _CLOSING[opened[-1][0]] != bracket:
        opener, at = opened[-1]
        where = Span(span.source, span.text, at, at + 1)
        raise Malformed(
            f"{_CLOSING[opener]} for the {opener} in column {where.column} of line {where.line}",
            bracket,
            span,
            "close the brackets in the order in which they were opened",
        )
    opened.pop()


def _too_deep(span: Span) -> Malformed:
    return Malformed(
        f"at most {DEEPEST_NESTING} levels of nesting",
        "more",
        span,
        "give the inner parts names on lines of their own",
    )


def _read(line: str, offset: int, text: str, source: str, start: str) -> s.Tree:
    try:
        parse = _parser().parse(line, start=start)
    except UnexpectedInput as problem:
        raise explain(problem, line, offset, text, source, start) from None
    return _Builder(text, source, offset).build(parse)


class _Builder:
    """Turns lark's tree into ours: one method a rule of the grammar, called with its place.

    A class only because all methods share the text and the place of the line in it.
    """

    def __init__(self, text: str, source: str, offset: int) -> None:
        self.text, self.source, self.offset = text, source, offset

    def build(self, parse: Parse[Token]) -> Any:
        """The tree of a whole line, from the leaves up and without recursion."""
        built: dict[int, Any] = {}
        depth: dict[int, int] = {}
        for part in parse.iter_subtrees():
            below = [c for c in part.children if isinstance(c, Parse)]
            span = self._place(part)
            depth[id(part)] = max((depth[id(c)] for c in below), default=0) + (
                part.data not in WITHOUT_DEPTH
            )
            if depth[id(part)] > DEEPEST_NESTING:
                raise _too_deep(span)
            rule: Callable[..., Any] = getattr(self, f"_{part.data}")
            given = (built[id(c)] if isinstance(c, Parse) else c for c in part.children)
            built[id(part)] = rule(span, *given)
        make_room(depth[id(parse)])
        return built[id(parse)]

    def _place(self, part: Parse[Token]) -> Span:
        meta = part.meta
        start, end = (0, 0) if meta.empty else (meta.start_pos, meta.end_pos)
        return Span(self.source, self.text, self.offset + start, self.offset + end)

    def _span(self, token: Token) -> Span:
        start = self.offset + (token.start_pos or 0)
        return Span(self.source, self.text, start, start + len(token))

    def _named(self, token: Token) -> s.Name:
        span, text = self._span(token), str(token)
        if text in RESERVED:
            raise Malformed(
                "a name", f"the reserved word {text}", span, f"call it {text}_ or otherwise"
            )
        if SUPERSCRIPTS & set(text):
            raise Malformed("a name of letters, digits and _", text, span, "write a power as x**2")
        return s.Name(span, spell(text))

    def _name(self, span: Span, token: Token) -> s.Tree:
        if token in ("None", "True", "False"):
            return s.Literal(span, str(token))
        return self._named(token)

    def _ellipsis(self, span: Span, token: Token) -> s.Tree:
        return s.Literal(span, str(token))

    def _number(self, span: Span, token: Token) -> s.Tree:
        mantissa, _, exponent = str(token).lower().partition("e")
        long = len(mantissa) > LONGEST_NUMBER or len(exponent) > 5
        if long or abs(int(exponent or 0)) > LONGEST_NUMBER:
            raise Malformed(
                f"a number of at most {LONGEST_NUMBER} digits",
                f"{token[:20]}…",
                span,
                "give it a name as data",
            )
        return s.Number(span, Rational(mantissa) * Rational(10) ** int(exponent or 0), str(token))

    def _string(self, span: Span, token: Token) -> s.Tree:
        return s.Text(span, str(token)[1:-1])

    def _parenthesis(self, span: Span, inside: s.Tree) -> s.Tree:
        """The tree inside; its stretch takes the brackets in, so that it can be quoted whole."""
        return replace(inside, span=span)

    def _group(self, span: Span, *parts: Any) -> s.Tree:
        given = (p if isinstance(p, tuple) else (p,) for p in parts if p is not None)
        return s.Group(span, tuple(x for p in given for x in p))

    def _list(self, span: Span, *items: Any) -> tuple[Any, ...]:
        return items

    _items = _ranges = _list

    def _arguments(self, span: Span, *items: Any) -> tuple[Any, ...]:
        return tuple(i for i in items if i is not None)

    def _unary(self, span: Span, op: Token, operand: s.Tree) -> s.Tree:
        return s.Unary(span, str(op), operand)

    def _binary(self, span: Span, left: s.Tree, op: Token, right: s.Tree) -> s.Tree:
        return s.Binary(span, str(op), left, right)

    def _comparison(self, span: Span, left: s.Tree, op: Token, right: s.Tree) -> s.Tree:
        return s.Comparison(span, str(op), left, right)

    def _attribute(self, span: Span, operand: s.Tree, name: Token) -> s.Tree:
        if name != "T":
            hint = f"write {name}(…): only .T stands after a dot"
            raise Malformed(".T", f".{name}", self._span(name), hint)
        return s.Transpose(span, operand)

    def _slice(self, span: Span, *parts: s.Tree | None) -> s.Tree:
        start, stop, step = parts
        return s.Slice(span, start, stop, step)

    def _subscript(self, span: Span, base: s.Tree, items: tuple[s.Tree, ...]) -> s.Tree:
        return s.Subscript(span, base, items)

    def _keyword(self, span: Span, name: Token, value: s.Tree) -> s.Tree:
        return s.Keyword(span, str(name), value)

    def _call(self, span: Span, function: s.Tree, given: tuple[s.Tree, ...] | None) -> s.Tree:
        keywords = tuple(a for a in given or () if isinstance(a, s.Keyword))
        plain = tuple(a for a in given or () if not isinstance(a, s.Keyword))
        single = len(plain) == 1 and not keywords
        match function:
            case s.Name():
                return s.Call(span, function, plain, keywords)
            case s.Subscript(base=s.Name(text=word), items=items) if single:
                told = tuple(i for i in items if isinstance(i, s.Range))
                names = tuple(
                    i.index if isinstance(i, s.Range) else i
                    for i in items
                    if isinstance(i, s.Name | s.Range)
                )
                if len(names) == len(items):
                    return s.Reduction(span, word, names, plain[0], told)
        raise Malformed(
            "the name of a function before (",
            "something else",
            function.span,
            "write * to multiply, sum[i](…) to sum by entries",
        )

    def _dims(self, span: Span, *items: s.DimItem) -> s.Tree:
        return s.Dims(span, items)

    def _dim_item(self, span: Span, name: Token, size: Token | None) -> s.DimItem:
        if size is not None and not (size.isdigit() and 0 < len(size) <= 9):
            raise Malformed(
                "a whole number as default size",
                str(size),
                self._span(size),
                "write for example N = 64",
            )
        return s.DimItem(span, self._named(name), None if size is None else int(size))

    def _role(self, span: Span, token: Token) -> Token:
        return token

    def _declaration(self, span: Span, role: Token, *items: s.Declared) -> s.Tree:
        return s.Declaration(span, str(role), items)

    def _declared_scalar(self, span: Span, name: Token) -> s.Tree:
        return s.Declared(span, self._named(name), ())

    def _declared_array(self, span: Span, name: Token, shape: tuple[s.Tree, ...]) -> s.Tree:
        return s.Declared(span, self._named(name), shape)

    def _declared_family(
        self, span: Span, name: Token, family: s.Range, shape: tuple[s.Tree, ...] = ()
    ) -> s.Tree:
        return s.Declared(span, self._named(name), shape, family)

    def _range(self, span: Span, index: Token, first: s.Tree, last: s.Tree) -> s.Tree:
        return s.Range(span, self._named(index), first, last)

    def _functions(self, span: Span, *names: Token) -> s.Tree:
        return s.Functions(span, tuple(self._named(n) for n in names))

    def _assume_kind(self, span: Span, name: Token, kind: Token) -> s.Tree:
        return s.AssumeKind(span, self._named(name), s.Name(self._span(kind), str(kind)))

    def _assume_relation(self, span: Span, relation: s.Comparison) -> s.Tree:
        return s.AssumeRelation(span, relation)

    def _index_data(self, span: Span, item: s.Declared, bound: s.Tree) -> s.Tree:
        return s.IndexData(span, item, bound)

    def _output(self, span: Span, name: Token) -> s.Tree:
        return s.Output(span, self._named(name))

    def _equation(
        self, span: Span, name: Token, value: s.Tree, ranges: tuple[s.Range, ...] | None
    ) -> s.Tree:
        return s.Equation(span, self._named(name), None, value, ranges or ())

    def _entry_equation(
        self,
        span: Span,
        name: Token,
        indices: tuple[s.Tree, ...],
        value: s.Tree,
        ranges: tuple[s.Range, ...] | None,
    ) -> s.Tree:
        return s.Equation(span, self._named(name), indices, value, ranges or ())
