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
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, UnexpectedInput
from lark import Tree as Parse
from sympy import Rational

from symbackprop.errors import Malformed, Span
from symbackprop.notation import syntax as s
from symbackprop.notation.spelling import RESERVED, SUPERSCRIPTS, spell
from symbackprop.notation.text_errors import explain

LARGEST_TEXT = 1_000_000
DEEPEST_NESTING = 200
LONGEST_NUMBER = 400
_PIECES = re.compile(
    r"""(?P<string>"[^"\n]*"|'[^'\n]*')|(?P<comment>\#[^\n]*)|(?P<open>[(\[])|(?P<close>[)\]])|\n""",
    re.X,
)
_CLOSING = {"(": ")", "[": "]"}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files("symbackprop.notation").joinpath("text.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start=["statement", "expression"], maybe_placeholders=True)


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
        at = opened[-1][1]
        where = Span(span.source, span.text, at, at + 1)
        raise Malformed(
            f"{_CLOSING[opened[-1][0]]} for the bracket opened in column {where.column} of line {where.line}", bracket, span,
            "close the brackets in the order in which they were opened",
        )  # fmt: skip
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
    builder = _Builder(text, source, offset)
    if isinstance(parse, Parse):
        _check_depth(
            parse,
            Span(
                source, text, offset + len(line) - len(line.lstrip()), offset + len(line.rstrip())
            ),
        )
    return builder.build(parse)


def _check_depth(parse: Parse[Token], span: Span) -> None:
    """Refuses a tree that later recursion could not walk; walks it level by level itself."""
    level: list[Parse[Token]] = [parse]
    for _ in range(DEEPEST_NESTING + 1):
        level = [c for t in level for c in t.children if isinstance(c, Parse)]
        if not level:
            return
    raise _too_deep(span)


class _Builder:
    """Turns lark's tree into ours. One method a grammar alias; a class only because the place of
    the text is shared.
    """

    def __init__(self, text: str, source: str, offset: int) -> None:
        self.text, self.source, self.offset = text, source, offset

    def build(self, parse: Parse[Token]) -> Any:
        rule: Callable[..., Any] = getattr(self, f"_{parse.data}")
        return rule(*(self.build(c) if isinstance(c, Parse) else c for c in parse.children))

    def _span(self, token: Token) -> Span:
        start = self.offset + (token.start_pos or 0)
        return Span(self.source, self.text, start, start + len(token))

    def _over(self, *parts: s.Tree | Token | None) -> Span:
        spans = [p.span if isinstance(p, s.Tree) else self._span(p) for p in parts if p is not None]
        return Span(self.source, self.text, min(p.start for p in spans), max(p.end for p in spans))

    def _to_bracket(self, span: Span, bracket: str) -> Span:
        """The span lengthened to the closing bracket that follows it."""
        end = self.text.find(bracket, span.end)
        return Span(span.source, span.text, span.start, span.end if end < 0 else end + 1)

    def _named(self, token: Token) -> s.Name:
        span, text = self._span(token), str(token)
        if text in RESERVED:
            raise Malformed(
                "a name", f"the reserved word {text}", span, f"call it {text}_ or otherwise"
            )
        if SUPERSCRIPTS & set(text):
            raise Malformed("a name of letters, digits and _", text, span, "write a power as x**2")
        return s.Name(span, spell(text))

    def _name(self, token: Token) -> s.Tree:
        if token in ("None", "True", "False"):
            return s.Literal(self._span(token), str(token))
        return self._named(token)

    def _ellipsis(self, token: Token) -> s.Tree:
        return s.Literal(self._span(token), "...")

    def _number(self, token: Token) -> s.Tree:
        span = self._span(token)
        mantissa, _, exponent = str(token).lower().partition("e")
        if (
            len(mantissa) > LONGEST_NUMBER
            or len(exponent) > 5
            or abs(int(exponent or 0)) > LONGEST_NUMBER
        ):
            raise Malformed(
                f"a number of at most {LONGEST_NUMBER} digits",
                f"{token[:20]}…",
                span,
                "give it a name as data",
            )
        return s.Number(span, Rational(mantissa) * Rational(10) ** int(exponent or 0), str(token))

    def _string(self, token: Token) -> s.Tree:
        return s.Text(self._span(token), str(token)[1:-1])

    def _parenthesis(self, inside: s.Tree) -> s.Tree:
        return inside

    def _group(self, *parts: Any) -> s.Tree:
        items = tuple(
            x for p in parts if p is not None for x in (p if isinstance(p, tuple) else (p,))
        )
        return s.Group(self._over(*items), items)

    def _list(self, *items: s.Tree) -> tuple[s.Tree, ...]:
        return items

    _items = _ranges = _arguments = _list

    def _unary(self, op: Token, operand: s.Tree) -> s.Tree:
        return s.Unary(self._over(op, operand), str(op), operand)

    def _binary(self, left: s.Tree, op: Token, right: s.Tree) -> s.Tree:
        return s.Binary(self._over(left, right), str(op), left, right)

    def _comparison(self, left: s.Tree, op: Token, right: s.Tree) -> s.Tree:
        return s.Comparison(self._over(left, right), str(op), left, right)

    def _attribute(self, operand: s.Tree, name: Token) -> s.Tree:
        if name != "T":
            raise Malformed(
                ".T", f".{name}", self._span(name), f"write {name}(…): only .T stands after a dot"
            )
        return s.Transpose(self._over(operand, name), operand)

    def _slice(self, start: s.Tree | None, stop: s.Tree | None, step: s.Tree | None) -> s.Tree:
        given = [p for p in (start, stop, step) if p is not None]
        span = (
            self._over(*given) if given else Span(self.source, self.text, self.offset, self.offset)
        )
        return s.Slice(span, start, stop, step)

    def _subscript(self, base: s.Tree, items: tuple[s.Tree, ...]) -> s.Tree:
        placed = [i for i in items if i.span.start >= base.span.end]
        return s.Subscript(self._to_bracket(self._over(base, *placed), "]"), base, items)

    def _keyword(self, name: Token, value: s.Tree) -> s.Tree:
        return s.Keyword(self._over(name, value), str(name), value)

    def _call(self, function: s.Tree, arguments: tuple[s.Tree, ...] | None) -> s.Tree:
        given = tuple(a for a in arguments or () if a is not None)
        span = self._to_bracket(self._over(function, *given), ")")
        match function:
            case s.Name():
                keywords = tuple(a for a in given if isinstance(a, s.Keyword))
                return s.Call(
                    span,
                    function,
                    tuple(a for a in given if not isinstance(a, s.Keyword)),
                    keywords,
                )
            case s.Subscript(base=s.Name(text=word), items=items) if len(
                given
            ) == 1 and not isinstance(given[0], s.Keyword):
                names = tuple(i for i in items if isinstance(i, s.Name))
                if len(names) == len(items):
                    return s.Reduction(span, word, names, given[0])
        raise Malformed(
            "the name of a function before (",
            "something else",
            function.span,
            "write * to multiply",
        )

    def _dims(self, *items: s.DimItem) -> s.Tree:
        return s.Dims(self._over(*items), items)

    def _dim_item(self, name: Token, size: Token | None) -> s.DimItem:
        if size is not None and not (size.isdigit() and 0 < len(size) <= 9):
            raise Malformed(
                "a whole number as default size",
                str(size),
                self._span(size),
                "write for example N = 64",
            )
        return s.DimItem(
            self._over(name, size), self._named(name), None if size is None else int(size)
        )

    def _role(self, token: Token) -> Token:
        return token

    def _declaration(self, role: Token, *items: s.Declared) -> s.Tree:
        return s.Declaration(self._over(role, *items), str(role), items)

    def _declared_scalar(self, name: Token) -> s.Tree:
        return s.Declared(self._span(name), self._named(name), ())

    def _declared_array(self, name: Token, shape: tuple[s.Tree, ...]) -> s.Tree:
        return s.Declared(self._to_bracket(self._over(name, *shape), "]"), self._named(name), shape)

    def _declared_family(
        self, name: Token, family: s.Range, shape: tuple[s.Tree, ...] = ()
    ) -> s.Tree:
        return s.Declared(
            self._to_bracket(self._over(name, family, *shape), "]"),
            self._named(name),
            shape,
            family,
        )

    def _range(self, index: Token, first: s.Tree, last: s.Tree) -> s.Tree:
        return s.Range(self._over(index, last), self._named(index), first, last)

    def _functions(self, *names: Token) -> s.Tree:
        return s.Functions(self._over(*names), tuple(self._named(n) for n in names))

    def _assume_kind(self, name: Token, kind: Token) -> s.Tree:
        return s.AssumeKind(
            self._over(name, kind), self._named(name), s.Name(self._span(kind), str(kind))
        )

    def _assume_relation(self, relation: s.Comparison) -> s.Tree:
        return s.AssumeRelation(relation.span, relation)

    def _index_data(self, item: s.Declared, bound: s.Tree) -> s.Tree:
        return s.IndexData(self._over(item, bound), item, bound)

    def _output(self, name: Token) -> s.Tree:
        return s.Output(self._span(name), self._named(name))

    def _equation(self, name: Token, value: s.Tree, ranges: tuple[s.Range, ...] | None) -> s.Tree:
        return s.Equation(self._over(name, value), self._named(name), None, value, ranges or ())

    def _entry_equation(
        self,
        name: Token,
        indices: tuple[s.Tree, ...],
        value: s.Tree,
        ranges: tuple[s.Range, ...] | None,
    ) -> s.Tree:
        return s.Equation(self._over(name, value), self._named(name), indices, value, ranges or ())
