r"""The reader of one formula: a precedence parser over tokens, the same for LaTeX and for plain
text.

From low to high: relations, ``+ -``, ``⊙ * · × ⊗ /``, juxtaposition, functions without brackets,
scripts. ``Σ`` takes the whole product to its right. Nothing is decided that needs a shape: the tree
is the one of :mod:`symbackprop.notation.written`. Refuses with what was expected, what came, and
the place.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from symbackprop.errors import Malformed, Span
from symbackprop.notation.nesting import DEEPEST_TREE, LEVELS_A_BRACKET, make_room
from symbackprop.notation.token_cursor import match_bars
from symbackprop.notation.tokens import Token
from symbackprop.notation.written import (
    Accent,
    Big,
    Binary,
    Bracket,
    Call,
    Cases,
    Fraction,
    Juxt,
    Keyword,
    Mark,
    Nabla,
    Name,
    Node,
    Number,
    Partial,
    Relation,
    Root,
    Script,
    Term,
    Terms,
    depth,
    side_by_side,
)
from symbackprop.notation.written_scripts import ScriptReader

KEYWORDS = (
    "axis", "keepdims", "dim", "keepdim", "stride", "padding", "dilation", "groups", "mode",
)  # fmt: skip
SHOWN = {
    "cases": r"\end{cases}",
    "(": ")",
    "[": "]",
    "{": r"\}",
    "|": "|",
    "‖": r"\|",
    "<": "⟩",
    "⌊": "⌋",
    "⌈": "⌉",
}
_STARTS = frozenset("NUM ID FN BIG PARTIAL NABLA FRAC SQRT ACC ONES OPEN LB DOTS".split())


def read_formula(tokens: list[Token], text: str, source: str = "<derivation>") -> Node:
    """The tree of one formula (a relation chain, an expression); all tokens are consumed.

    Raises
    ------
    Malformed
        At the first token that does not fit.
    """
    reader = _Reader(match_bars(tokens), text, source)
    node = reader.relation()
    if reader.kind != "END":
        raise reader.error("an operator or the end of the formula")
    levels = depth(node)
    if levels > DEEPEST_TREE:
        raise Malformed(
            f"a formula of at most {DEEPEST_TREE} levels",
            f"{levels}",
            Span(source, text, node.start, node.start + 1),
            "name the inner parts and use the names",
        )
    make_room(levels // LEVELS_A_BRACKET)
    return node


class _Reader(ScriptReader):
    """The grammar, lowest precedence first."""

    def relation(self) -> Node:
        """``a = b = c``, also with comparisons and ``∈``."""
        members, relations = [self.terms()], []
        while self.kind in ("REL", "CMP", "IN", "INCREMENT", "ARROW"):
            operator = self.next()
            if operator.kind == "INCREMENT":
                self.expect("REL", "=", "= after +")
                relations.append("+=")
            else:
                relations.append(operator.text)
            members.append(self.terms())
        if not relations:
            return members[0]
        return Relation(members[0].start, members[-1].end, tuple(members), tuple(relations))

    def terms(self) -> Node:
        start = self.token.start
        signs = self.kind in ("PLUS", "MINUS")
        terms = [self.term()]
        while self.kind in ("PLUS", "MINUS"):
            terms.append(self.term())
        if len(terms) == 1 and not signs:
            return terms[0].body
        return Terms(start, terms[-1].end, tuple(terms))

    def term(self) -> Term:
        start, sign = self.token.start, "+"
        while self.kind in ("PLUS", "MINUS"):
            sign = {"-": {"+": "-", "-": "+"}[sign]}.get(self.next().text, sign)
        body = self.product()
        return Term(start, body.end, sign, body)

    def product(self) -> Node:
        left = self.juxtaposed()
        while self.kind == "OP":
            if self.slot_follows():
                break
            sign = self.next()
            operator = sign.text
            told = self.scripted(Name(sign.start, sign.end, operator))
            right = self.negated() if self.kind == "MINUS" else self.juxtaposed()
            if isinstance(told, Script):
                left = Call(left.start, right.end, told, (left, right))
            elif operator == "/" and isinstance(left, Partial) and isinstance(right, Partial):
                left = Fraction(left.start, right.end, left, right)
            else:
                left = Binary(left.start, right.end, operator, left, right)
        return left

    def negated(self) -> Node:
        start = self.next().start
        body = self.juxtaposed()
        return Terms(start, body.end, (Term(start, body.end, "-", body),))

    def slot_follows(self) -> bool:
        """Whether a ``·`` ends a list of subscripts, where it is an empty place."""
        after = self.tokens[self.at + 1].kind if self.at + 1 < len(self.tokens) else "END"
        return self.token.text in ("·", "⊙", "*") and after in ("RB", "COMMA", "END", "CLOSE")

    def juxtaposed(self) -> Node:
        factors = [self.factor()]
        while self.kind in _STARTS:
            factors.append(self.factor())
        return side_by_side(factors)

    def factor(self) -> Node:
        """An atom with its scripts; ``∂ a / ∂ b`` written with a slash is one too."""
        self.descend()
        node = self.scripted(self.atom())
        while self.kind == "METHOD":
            node = self.scripted(self.method(node))
        if self.token.text == "/" and self.kind == "OP" and self.divides_differentials(node):
            self.next()
            bottom = self.factor()
            node = Fraction(node.start, bottom.end, node, bottom)
        self.depth -= 1
        return node

    def divides_differentials(self, node: Node) -> bool:
        """Whether the slash after ``node`` makes a derivative: ``∂a/∂b``, and ``da/db`` in
        words.
        """
        if isinstance(node, Partial):
            return self.ahead("PARTIAL")
        after = self.tokens[self.at + 1].text if self.ahead("ID") else ""
        return isinstance(node, Name) and all(
            len(w) > 1 and w[0] == "d" for w in (node.text, after)
        )

    def atom(self) -> Node:
        read = _ATOMS.get(self.kind)
        if read is None:
            raise self.error("a name, a number or a bracket")
        return read(self)

    def number(self) -> Node:
        t = self.next()
        return Number(t.start, t.end, t.text)

    def name(self) -> Node:
        t = self.next()
        return Name(t.start, t.end, t.text)

    def mark(self) -> Node:
        t = self.next()
        return Mark(t.start, t.end, {"DOTS": "dots", "ONES": "ones"}[t.kind])

    def accent(self) -> Node:
        t = self.next()
        body = self.argument()
        return Accent(t.start, max(t.end, body.end), t.text, body)

    def partial(self) -> Node:
        t = self.next()
        order: tuple[Node, ...] = ()
        if self.kind == "SUB":
            return self.subscripted_partial(t)
        immediate = self.immediate()
        if self.kind == "SUP":
            self.next()
            order = (self.argument(),)
        if self.kind not in _STARTS:
            body: Node = Mark(t.start, t.end, "partial")
        else:
            body = self.factor()
        node = Partial(t.start, body.end, body, immediate)
        return Script(t.start, body.end, node, (), order) if order else node

    def subscripted_partial(self, t: Token) -> Node:
        """``∂_W L``, another way to write ``∂L/∂W``."""
        self.next()
        by = self.argument()
        of = self.factor()
        return Fraction(t.start, of.end, Partial(t.start, of.end, of), Partial(t.start, t.end, by))

    def immediate(self) -> bool:
        """Whether ``^{+}`` stands here; it is then passed over."""
        for kinds in (("SUP", "LB", "PLUS", "RB"), ("SUP", "PLUS")):
            if tuple(t.kind for t in self.tokens[self.at : self.at + len(kinds)]) == kinds:
                for _ in kinds:
                    self.next()
                return True
        return False

    def nabla(self) -> Node:
        t = self.next()
        by: Node | None = None
        end = t.end
        if self.kind == "SUB":
            self.next()
            by = self.argument()
            end = self.last
        operand = self.kind in ("ID", "ACC", "LB", "FN") or (
            self.kind == "OPEN" and self.token.text in ("(", "‖")
        )
        of = self.factor() if operand else None
        return Nabla(t.start, of.end if of else end, by, of)

    def fraction(self) -> Node:
        t = self.next()
        top = self.argument()
        bottom = self.argument()
        return Fraction(t.start, self.last, top, bottom)

    def root(self) -> Node:
        t = self.next()
        if self.kind == "OPEN" and self.token.text == "[":
            raise self.error("a square root", "write an exponent")
        body = self.argument()
        return Root(t.start, self.last, body)

    def argument(self) -> Node:
        """``{…}``, or one atom; of a number without braces the first digit alone, as in TeX."""
        if self.kind == "LB":
            return self.group()
        if (
            self.kind == "NUM"
            and len(self.token.text) > 1
            and "." not in self.token.text
            and self.tokens[self.at - 1].kind != "SUP"
        ):
            t = self.token
            self.tokens[self.at] = Token("NUM", t.text[1:], t.start + 1, t.end)
            return Number(t.start, t.start + 1, t.text[0])
        if self.kind == "PRIME":
            t = self.next()
            return Mark(t.start, t.end, "prime")
        if self.kind == "OP" and self.token.text in ("*", "⊙", "·"):
            t = self.next()
            return Mark(t.start, t.end, ":" if t.text == "·" else "star")
        if self.kind in ("PLUS", "MINUS") and not (self.kind == "MINUS" and self.ahead("NUM")):
            t = self.next()
            return Mark(t.start, t.end, t.text)
        if self.kind == "MINUS":
            return self.negated()
        self.descend()
        atom = self.atom()
        self.depth -= 1
        return atom

    def group(self) -> Node:
        """Braces that only group; the place of what they hold includes them, and the font that they
        give.
        """
        start = self.next().start
        inner = self.relation()
        end = self.expect("RB", "", "a closing }").end
        return replace(inner, start=start, end=end)

    def method(self, node: Node) -> Node:
        """``dZ.sum(axis=0)``: the function of the name, with the operand before its arguments."""
        t = self.next()
        bracket = self.bracket()
        assert isinstance(bracket, Bracket), "a method is followed by a bracket"
        function = Name(t.start + 1, t.end, t.text)
        return Call(node.start, bracket.end, function, (node, *bracket.items))

    def bracket(self) -> Node:
        t = self.next()
        if t.text == "cases":
            return self.cases(t.start)
        items = self.items("CLOSE")
        if self.kind != "CLOSE" or (
            self.token.text != t.text and {self.token.text, t.text} - {"(", "[", "{"}
        ):
            raise self.error(
                f"a closing {SHOWN[t.text]}", "close the bracket" if self.kind == "END" else ""
            )
        close = self.next()
        return Bracket(t.start, close.end, t.text, items)

    def cases(self, start: int) -> Node:
        """Rows of a value and its condition; a row without one holds otherwise."""
        values: list[Node] = []
        conditions: list[Node] = []
        while self.kind not in ("CLOSE", "END"):
            values.append(self.relation())
            self.skip("COMMA")
            if self.kind in ("SEMI", "CLOSE") or self.token.text == "otherwise":
                t = self.next() if self.token.text == "otherwise" else self.token
                conditions.append(Mark(t.start, t.end, "otherwise"))
            else:
                conditions.append(self.condition())
            self.skip("COMMA", "SEMI", "STOP")
        end = self.expect("CLOSE", "cases", "the end of the cases").end
        return Cases(start, end, tuple(values), tuple(conditions))

    def condition(self) -> Node:
        """A relation, or several between which ``and`` stands: the product of their indicators."""
        parts = [self.relation()]
        while self.kind == "BOTH":
            self.next()
            if self.kind in ("COMMA", "SEMI", "STOP", "CLOSE"):
                break
            parts.append(self.relation())
        if len(parts) == 1:
            return parts[0]
        brackets = tuple(Bracket(p.start, p.end, "[", (p,)) for p in parts)
        return Juxt(parts[0].start, parts[-1].end, brackets)

    def skip(self, *kinds: str) -> None:
        while self.kind in kinds:
            self.next()

    def items(self, closing: str) -> tuple[Node, ...]:
        """Items between commas; ``:`` is a slot, ``::2`` one with a step, ``axis=1`` a keyword."""
        items: list[Node] = []
        while self.kind != closing and self.kind != "END":
            items.append(self.item())
            if self.slot_follows():
                continue
            if self.kind not in ("COMMA", "SEMI", "BAR"):
                break
            self.next()
        return tuple(items)

    def item(self) -> Node:
        t = self.token
        if self.kind == "COLON" or self.slot_follows():
            self.next()
            if t.kind == "COLON" and self.kind == "COLON" and self.ahead("NUM"):
                self.next()
                step = self.next()
                return Mark(t.start, step.end, "::" + step.text)
            return Mark(t.start, t.end, ":")
        if self.kind == "ID" and self.token.text in KEYWORDS and self.ahead("REL"):
            self.next()
            self.next()
            value = self.terms()
            return Keyword(t.start, value.end, t.text, value)
        return self.relation()

    def call(self) -> Node:
        """A function by typography: in brackets, or the one factor that follows; a power may stand
        between.
        """
        t = self.next()
        function: Node = Name(t.start, t.end, t.text)
        function = self.scripted(function)
        if self.kind == "OPEN" and self.token.text in ("(", "[", "{"):
            bracket = self.bracket()
            assert isinstance(bracket, Bracket), "bracket() reads a bracket"
            return Call(t.start, bracket.end, function, bracket.items)
        if self.kind not in _STARTS:
            return function
        argument = self.factor()
        return Call(t.start, argument.end, function, (argument,))

    def letters(self) -> tuple[Node, ...]:
        """The letters of ``sum[i,j](…)``, as in the model language; none if none stand here."""
        if (self.kind, self.token.text) != ("OPEN", "["):
            return ()
        inner = list(takewhile(lambda t: t.kind in ("ID", "COMMA"), self.tokens[self.at + 1 :]))
        after = self.at + 1 + len(inner)
        if [t.kind for t in self.tokens[after : after + 2]] != ["CLOSE", "OPEN"]:
            return ()
        self.at = after + 1
        return tuple(Name(t.start, t.end, t.text) for t in inner if t.kind == "ID")

    def big(self) -> Node:
        t = self.next()
        below: tuple[Node, ...] = ()
        above: tuple[Node, ...] = ()
        if letters := self.letters():
            body = self.bracket()
            return Big(t.start, body.end, t.text, letters, (), body)
        while self.kind in ("SUB", "SUP"):
            if self.next().kind == "SUB":
                below = self.script_items()
            else:
                above = self.script_items()
        self.descend()
        body = self.product()
        self.depth -= 1
        return Big(t.start, body.end, t.text, below, above, body)


_ATOMS = {
    "NUM": _Reader.number, "ID": _Reader.name, "FN": _Reader.call, "BIG": _Reader.big,
    "PARTIAL": _Reader.partial,
    "NABLA": _Reader.nabla, "FRAC": _Reader.fraction, "SQRT": _Reader.root, "ACC": _Reader.accent,
    "ONES": _Reader.mark,
    "DOTS": _Reader.mark, "OPEN": _Reader.bracket, "LB": _Reader.group,
}  # fmt: skip
