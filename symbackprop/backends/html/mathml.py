r"""The tree as written → MathML: what a person wrote, or what our own printers wrote, as a browser
shows it.

One rule a kind of node. A piece may be marked, the smallest wrong one of a step. Takes trees of
:mod:`symbackprop.notation.written`; refuses nothing that these can hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import singledispatch

from markupsafe import Markup

from symbackprop.backends.html.elements import (
    ACCENTS,
    APPLY,
    FENCES,
    GREEK,
    TIMES,
    element,
    leaf,
    listed,
    row,
    sign,
    word,
)
from symbackprop.notation.written import (
    Accent,
    Big,
    Binary,
    Bracket,
    Call,
    Fraction,
    Juxt,
    Keyword,
    Mark,
    Nabla,
    Name,
    Node,
    Number,
    Partial,
    Quoted,
    Relation,
    Root,
    Script,
    Term,
    Terms,
)
from symbackprop.notation.written_printer import is_told_sign

Recur = Callable[[Node], Markup]
_NAME = re.compile(r"(?P<head>[A-Za-z]+?)(?P<digits>\d*)(?:_(?P<rest>\w+))?")
_WORDS = frozenset({"what", "that"})  # a letter and an accent, but a word of English
_LOW = Juxt | Terms | Binary | Nabla | Partial | Big | Relation


def formula(tree: Node, source: str, wrong: Node | None = None) -> Markup:
    """A whole formula as a ``<math>`` element, with its source beside it for whoever copies it."""

    def recur(node: Node) -> Markup:
        shown = mathml(node, recur)
        return element("mrow", shown, class_="wrong") if node is wrong else shown

    note = leaf("annotation", source, encoding="application/x-tex")
    return element("math", element("semantics", row(recur(tree)), note), display="block")


@singledispatch
def mathml(node: Node, recur: Recur) -> Markup:
    """A node as an element."""
    raise TypeError(f"a {type(node).__name__} has no MathML")


@mathml.register
def _number(node: Number, recur: Recur) -> Markup:
    return leaf("mn", node.text)


@mathml.register
def _quoted(node: Quoted, recur: Recur) -> Markup:
    return leaf("mtext", node.text)


@mathml.register
def _name(node: Name, recur: Recur) -> Markup:
    return spelled(node.text)


def spelled(name: str) -> Markup:
    """A name of the model: ``yhat`` ŷ, ``theta1`` θ₁, ``W_hx`` with a subscript, ``grad_Z`` ∇."""
    if name.startswith("grad_") and len(name) > len("grad_"):
        return element("msub", sign("∇"), spelled(name.removeprefix("grad_")))
    found = _NAME.fullmatch(name)
    if found is None or len(name) == 1 or name in GREEK:
        return word(name)
    below = [leaf("mn", found["digits"])] if found["digits"] else []
    if found["rest"]:
        below.append(leaf("mn", found["rest"]) if found["rest"].isdigit() else word(found["rest"]))
    head = _head(found["head"])
    return element("msub", head, listed(below)) if below else head


def _head(name: str) -> Markup:
    for accent, mark in ACCENTS.items():
        base = name.removesuffix(accent)
        if base != name and name not in _WORDS and (len(base) == 1 or base in GREEK):
            return element("mover", word(base), sign(mark), accent="true")
    return word(name)


@mathml.register
def _accent(node: Accent, recur: Recur) -> Markup:
    mark = ACCENTS.get(node.accent, node.accent)
    return element("mover", recur(node.body), sign(mark), accent="true")


@mathml.register
def _mark(node: Mark, recur: Recur) -> Markup:
    return leaf("mn", "𝟏") if node.text == "ones" else sign(node.text)


@mathml.register
def _script(node: Script, recur: Recur) -> Markup:
    base = recur(node.base)
    if isinstance(node.base, _LOW | Fraction):
        base = fenced("(", [base])
    below = listed([recur(n) for n in node.subs])
    above = row(*(_above(n, recur) for n in node.sups))
    if not node.sups:
        return element("msub", base, below)
    if not node.subs:
        return element("msup", base, above)
    return element("msubsup", base, below, above)


def _above(node: Node, recur: Recur) -> Markup:
    """A superscript, in which T alone or negated is the transpose."""
    if isinstance(node, Name) and node.text == "T":
        return sign("T")
    if isinstance(node, Terms) and len(node.terms) == 1:
        return row(sign(node.terms[0].sign, form="prefix"), _above(node.terms[0].body, recur))
    return recur(node)


@mathml.register
def _juxt(node: Juxt, recur: Recur) -> Markup:
    out: list[Markup] = []
    for factor in node.factors:
        shown = recur(factor)
        if isinstance(factor, Terms | Binary | Relation):
            shown = fenced("(", [shown])
        out += [sign(TIMES), shown] if out else [shown]
    return row(*out)


@mathml.register
def _binary(node: Binary, recur: Recur) -> Markup:
    left, right = recur(node.left), recur(node.right)
    if isinstance(node.left, Terms | Relation):
        left = fenced("(", [left])
    if isinstance(node.right, Terms | Binary | Relation):
        right = fenced("(", [right])
    return row(left, sign(node.op), right)


@mathml.register
def _terms(node: Terms, recur: Recur) -> Markup:
    out: list[Markup] = []
    for k, term in enumerate(node.terms):
        if k or term.sign == "-":
            out.append(sign(term.sign, **({} if k else {"form": "prefix"})))
        out.append(recur(term))
    return row(*out)


@mathml.register
def _term(node: Term, recur: Recur) -> Markup:
    body = recur(node.body)
    return fenced("(", [body]) if isinstance(node.body, Terms | Relation) else body


@mathml.register
def _bracket(node: Bracket, recur: Recur) -> Markup:
    return fenced(node.kind, [recur(n) for n in node.items])


def fenced(kind: str, items: list[Markup]) -> Markup:
    """Items in brackets that grow with them."""
    left, right = FENCES.get(kind, (kind, kind))
    return row(
        sign(left, form="prefix", lspace="0", rspace="0"),
        listed(items),
        sign(right, form="postfix", lspace="0", rspace="0"),
    )


@mathml.register
def _fraction(node: Fraction, recur: Recur) -> Markup:
    return element("mfrac", recur(node.top), recur(node.bottom))


@mathml.register
def _root(node: Root, recur: Recur) -> Markup:
    return element("msqrt", recur(node.body))


@mathml.register
def _call(node: Call, recur: Recur) -> Markup:
    arguments = [recur(n) for n in node.arguments]
    function = recur(node.function)
    if len(arguments) == 2 and is_told_sign(node.function):
        return row(arguments[0], function, arguments[1])
    if len(arguments) == 1 and isinstance(node.arguments[0], Bracket):
        return row(function, sign(APPLY), arguments[0])
    return row(function, sign(APPLY), fenced("(", arguments))


@mathml.register
def _keyword(node: Keyword, recur: Recur) -> Markup:
    return row(word(node.key), sign("="), recur(node.value))


@mathml.register
def _big(node: Big, recur: Recur) -> Markup:
    head = sign(node.word) if node.word in ("sum", "prod") else word(node.word)
    below, above = ([recur(n) for n in side] for side in (node.below, node.above))
    if below and above:
        head = element("munderover", head, listed(below), listed(above))
    elif below:
        head = element("munder", head, listed(below))
    elif above:
        head = element("mover", head, listed(above))
    body = recur(node.body)
    return row(head, fenced("(", [body]) if isinstance(node.body, Terms) else body)


@mathml.register
def _partial(node: Partial, recur: Recur) -> Markup:
    if isinstance(node.body, Mark):
        return sign("∂")
    body = recur(node.body)
    return row(sign("∂"), fenced("(", [body]) if isinstance(node.body, Terms | Binary) else body)


@mathml.register
def _nabla(node: Nabla, recur: Recur) -> Markup:
    head = sign("∇")
    if node.by is not None:
        head = element("msub", head, recur(node.by))
    return head if node.of is None else row(head, recur(node.of))


@mathml.register
def _relation(node: Relation, recur: Recur) -> Markup:
    out = [recur(node.members[0])]
    for relation, member in zip(node.relations, node.members[1:], strict=True):
        out += [sign(relation), recur(member)]
    return row(*out)
