"""MathML elements as text in which everything is escaped; a few letters and signs by name.

MathML Core knows no fonts but the upright one, so a letter is what Unicode has for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from symbackprop.notation.spelling import GREEK as SPELLED

# fmt: off
GREEK: Mapping[str, str] = {
    **{name: letter for letter, name in reversed(SPELLED.items())},
    "eps": "ε", "lam": "λ", "ell": "ℓ", "inf": "∞",
}
ACCENTS: Mapping[str, str] = {
    "hat": "^", "bar": "¯", "tilde": "~", "dot": "˙", "vec": "→", "check": "ˇ", "breve": "˘",
}
SIGNS: Mapping[str, str] = {
    "-": "−", "*": "∗", "dots": "…", "partial": "∂", "ones": "𝟏", "prime": "′", "T": "⊤",
    "star": "∗", "sum": "∑", "prod": "∏", "<=": "≤", ">=": "≥", "!=": "≠", ":=": "≔", "=:": "≕",
    "==": "=", "@": "@",
}
FENCES: Mapping[str, tuple[str, str]] = {
    "(": ("(", ")"), "[": ("[", "]"), "{": ("{", "}"), "|": ("|", "|"), "‖": ("‖", "‖"),
    "<": ("⟨", "⟩"),
}
# fmt: on
APPLY, TIMES = "\u2061", "\u2062"  # what is between a function and its argument, and two factors


def element(tag: str, *inside: Markup, **attributes: str) -> Markup:
    """``<tag …>…</tag>``; an underscore in the name of an attribute stands for nothing."""
    said = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_"), value) for key, value in attributes.items()
    )
    return Markup(f"<{tag}{{}}>{{}}</{tag}>").format(said, Markup("").join(inside))


def leaf(tag: str, text: str, **attributes: str) -> Markup:
    """An element with text in it."""
    return element(tag, escape(text), **attributes)


def row(*inside: Markup, **attributes: str) -> Markup:
    """One element of what may be several."""
    if len(inside) == 1 and not attributes:
        return inside[0]
    return element("mrow", *inside, **attributes)


def sign(text: str, **attributes: str) -> Markup:
    return leaf("mo", SIGNS.get(text, text), **attributes)


def word(text: str) -> Markup:
    """A word, upright; a single letter in italics, as everywhere in mathematics."""
    letter = GREEK.get(text, text)
    return leaf("mi", letter) if len(letter) == 1 else leaf("mi", letter, mathvariant="normal")


def listed(items: list[Markup]) -> Markup:
    """Items with commas between them."""
    out: list[Markup] = []
    for item in items:
        out += [sign(","), item] if out else [item]
    return row(*out)
