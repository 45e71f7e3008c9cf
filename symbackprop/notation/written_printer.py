r"""From the tree as written back to text: what nobody changed is quoted from the source, the rest
is printed by rule.

So a suggestion stands in the writer's own notation: only the edited piece is new. LaTeX and plain
text differ in a table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

from symbackprop.notation.tokens import GREEK
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
    Quoted,
    Relation,
    Root,
    Script,
    Term,
    Terms,
)  # fmt: skip

Recur = Callable[[Node], str]

# fmt: off
LATEX = {
    "⊙": r" \odot ", "·": r" \cdot ", "×": r" \times ", "⊗": r" \otimes ", "*": " * ", "@": " @ ",
    "/": " / ", "⋆": r" \star ", "mod": r" \bmod ",
    "dots": r"\dots", "partial": r"\partial", "ones": r"\mathbf{1}", "prime": r"\prime",
    "T": r"\top", "star": "*",
    "sum": r"\sum", "prod": r"\prod", "max": r"\max", "∂": r"\partial ", "∇": r"\nabla",
}
SIGNS = ("⋆", "*", "⊗")  # operations that may be told something
PLAIN = {
    "⊙": " ⊙ ", "·": " · ", "×": " × ", "⊗": " ⊗ ", "*": " * ", "@": " @ ", "/": " / ",
    "⋆": " ⋆ ", "mod": " mod ", "dots": "...", "partial": "∂", "ones": "1", "prime": "'", "T": "T",
    "star": "*", "sum": "sum", "prod": "prod", "max": "max", "∂": "∂", "∇": "∇",
}
BRACKETS = {
    "(": "()", "[": "[]", "{": (r"\{", r"\}"), "|": "||", "‖": (r"\|", r"\|"),
    "<": (r"\langle ", r"\rangle"), "⌊": ("⌊", "⌋"), "⌈": ("⌈", "⌉"),
}
# fmt: on


def write(node: Node, source: str, latex: bool) -> str:
    """The text of a tree whose unchanged parts stand in ``source``."""
    words = LATEX if latex else PLAIN

    def recur(n: Node) -> str:
        return source[n.start : n.end] if n.start >= 0 else _print(n, recur, words)

    return recur(node)


@singledispatch
def _print(node: Node, recur: Recur, words: dict[str, str]) -> str:
    raise TypeError(f"a {type(node).__name__} is never made by an edit")


def _bare(text: str) -> str:
    """A text without the braces around all of it."""
    if not text.startswith("{"):
        return text
    level = 0
    for k, c in enumerate(text):
        level += (c == "{") - (c == "}")
        if level == 0:
            return text[1:-1] if k == len(text) - 1 else text
    return text


def _latex(words: dict[str, str]) -> bool:
    return words is LATEX


@_print.register(Number)
@_print.register(Quoted)
def _(node: Number | Quoted, recur: Recur, words: dict[str, str]) -> str:
    return node.text


@_print.register
def _(node: Name, recur: Recur, words: dict[str, str]) -> str:
    if _latex(words) and (node.text in GREEK or node.text in ("log", "exp", "tanh", "max", "ell")):
        return f"\\{node.text}"
    return node.text if len(node.text) == 1 or not _latex(words) else rf"\mathrm{{{node.text}}}"


@_print.register
def _(node: Accent, recur: Recur, words: dict[str, str]) -> str:
    return (
        rf"\{node.accent}{{{_bare(recur(node.body))}}}"
        if _latex(words)
        else recur(node.body) + node.accent
    )


@_print.register
def _(node: Mark, recur: Recur, words: dict[str, str]) -> str:
    return words.get(node.text, node.text)


@_print.register
def _(node: Script, recur: Recur, words: dict[str, str]) -> str:
    base = recur(node.base)
    if isinstance(node.base, Juxt | Terms | Binary | Nabla | Fraction | Partial | Big):
        base = (
            f"({base})"
            if not _latex(words) or not isinstance(node.base, Fraction)
            else rf"\left({base}\right)"
        )
    primes = sum(isinstance(s, Mark) and s.text == "prime" for s in node.sups)
    others = [s for s in node.sups if not (isinstance(s, Mark) and s.text == "prime")]
    above = "".join(_superscript(s, recur, words) for s in others)
    below = (
        "".join(recur(s) for s in node.subs)
        if all(len(recur(s)) == 1 for s in node.subs)
        else ",".join(map(recur, node.subs))
    )
    out = base + "'" * primes
    if below:
        out += f"_{below}" if len(below) == 1 else f"_{{{below}}}"
    return (
        out + (f"^{{{above}}}" if len(above) > 1 and not above.startswith("\\") else f"^{above}")
        if above
        else out
    )


def _superscript(node: Node, recur: Recur, words: dict[str, str]) -> str:
    return words["T"] if isinstance(node, Name) and node.text == "T" else _bare(recur(node))


@_print.register
def _(node: Juxt, recur: Recur, words: dict[str, str]) -> str:
    out = ""
    before: Node = node
    for f in node.factors:
        text = f"({recur(f)})" if isinstance(f, Terms | Binary) else recur(f)
        tight = not out or (_latex(words) and text.startswith(("(", r"\left", r"\big", r"\Big")))
        called = isinstance(before, Name) and len(before.text) > 1 and text.startswith("(")
        out += text if tight or called else f" {text}"
        before = f
    return out


@_print.register
def _(node: Binary, recur: Recur, words: dict[str, str]) -> str:
    left = f"({recur(node.left)})" if isinstance(node.left, Terms) else recur(node.left)
    right = (
        f"({recur(node.right)})" if isinstance(node.right, Terms | Binary) else recur(node.right)
    )
    return left + words[node.op] + right


@_print.register
def _(node: Term, recur: Recur, words: dict[str, str]) -> str:
    return f"({recur(node.body)})" if isinstance(node.body, Terms) else recur(node.body)


@_print.register
def _(node: Terms, recur: Recur, words: dict[str, str]) -> str:
    out = ""
    for k, term in enumerate(node.terms):
        body = f"({recur(term.body)})" if isinstance(term.body, Terms) else recur(term.body)
        sign = ("" if term.sign == "+" else "-") if k == 0 else f" {term.sign} "
        out += sign + body
    return out


@_print.register
def _(node: Bracket, recur: Recur, words: dict[str, str]) -> str:
    left, right = BRACKETS[node.kind]
    return left + ", ".join(map(recur, node.items)) + right


@_print.register
def _(node: Fraction, recur: Recur, words: dict[str, str]) -> str:
    top, bottom = _bare(recur(node.top)), _bare(recur(node.bottom))
    return rf"\frac{{{top}}}{{{bottom}}}" if _latex(words) else f"{top}/{bottom}"


@_print.register
def _(node: Root, recur: Recur, words: dict[str, str]) -> str:
    return rf"\sqrt{{{_bare(recur(node.body))}}}" if _latex(words) else f"sqrt({recur(node.body)})"


@_print.register
def _(node: Call, recur: Recur, words: dict[str, str]) -> str:
    if is_told_sign(node.function) and len(node.arguments) == 2:
        assert isinstance(node.function, Script), "just tested"
        sign = node.function.base
        assert isinstance(sign, Name), "just tested"
        told = _told((*node.function.subs, *node.function.sups), recur, words)
        sides = [f"({recur(a)})" if isinstance(a, Terms) else recur(a) for a in node.arguments]
        return f"{sides[0]} {words[sign.text].strip()}_{{{told}}} {sides[1]}"
    return f"{recur(node.function)}({', '.join(map(recur, node.arguments))})"


def is_told_sign(function: Node) -> bool:
    r"""Whether a function is the sign of an operation that is told something:
    ``*_{\text{full}}``.
    """
    sign = function.base if isinstance(function, Script) else None
    return isinstance(sign, Name) and sign.text in SIGNS


def _told(items: tuple[Node, ...], recur: Recur, words: dict[str, str]) -> str:
    """What a sign is told: letters that make a word are one."""
    spelled = "".join(i.text if isinstance(i, Name) else " " for i in items)
    if len(items) > 1 and spelled.isalpha():
        return rf"\mathrm{{{spelled}}}" if _latex(words) else spelled
    return ",".join(map(recur, items))


@_print.register
def _(node: Keyword, recur: Recur, words: dict[str, str]) -> str:
    return f"{node.key}={recur(node.value)}"


@_print.register
def _(node: Big, recur: Recur, words: dict[str, str]) -> str:
    below = ",".join(map(recur, node.below))
    above = ",".join(map(recur, node.above))
    body = f"({recur(node.body)})" if isinstance(node.body, Terms) else recur(node.body)
    return (
        words[node.word]
        + (f"_{{{below}}}" if below else "")
        + (f"^{{{above}}}" if above else "")
        + " "
        + body
    )


@_print.register
def _(node: Partial, recur: Recur, words: dict[str, str]) -> str:
    sign = words["∂"]
    return (f"{sign.rstrip()}^{{+}} " if node.immediate else sign) + recur(node.body)


@_print.register
def _(node: Nabla, recur: Recur, words: dict[str, str]) -> str:
    by = f"_{{{_bare(recur(node.by))}}}" if node.by is not None else ""
    return words["∇"] + by + (f" {recur(node.of)}" if node.of is not None else "")


@_print.register
def _(node: Relation, recur: Recur, words: dict[str, str]) -> str:
    out = recur(node.members[0])
    for relation, member in zip(node.relations, node.members[1:], strict=True):
        out += f" {relation} {recur(member)}"
    return out


@_print.register
def _(node: Cases, recur: Recur, words: dict[str, str]) -> str:
    rows = []
    for value, condition in zip(node.values, node.conditions, strict=True):
        when = rf"\text{{{recur(condition)}}}" if isinstance(condition, Mark) else recur(condition)
        rows.append(f"{recur(value)} & {when}")
    return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
