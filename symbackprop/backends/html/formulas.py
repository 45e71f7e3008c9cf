"""Formulas for a page: LaTeX or text, a writer's or our own, read into a tree, shown in MathML.

What does not read as one formula is shown as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from symbackprop.backends.html.mathml import formula
from symbackprop.errors import Malformed
from symbackprop.notation.segment import definitions, statements
from symbackprop.notation.written import Node, walk


@dataclass(frozen=True, slots=True)
class Reader:
    """How the formulas of one text are read: its format, the names declared, its own macros."""

    format: str
    declared: frozenset[str] = frozenset()
    macros: str = ""

    @classmethod
    def of(cls, text: str, format: str, declared: frozenset[str]) -> Reader:
        """The reader for the formulas of a text."""
        return cls(format, declared, definitions(text) if format == "latex" else "")

    def show(self, piece: str, wrong: str | None = None) -> Markup | None:
        """A formula in MathML with its smallest wrong part marked; None if it does not read."""
        said = " ".join(piece.replace("&", " ").split())
        source = f"{self.macros}${said}$" if self.format == "latex" else said
        if self.format == "numpy":
            return None
        try:
            found = [s for s in statements(source, self.format, self.declared) if s.text]
        except Malformed:
            return None
        trees = [s.tree for s in found if s.tree is not None]
        if len(found) != 1 or len(trees) != 1:
            return None
        return formula(trees[0], said, _part(trees[0], source, wrong))


OURS = Reader("latex")


def _part(tree: Node, source: str, wrong: str | None) -> Node | None:
    """The node that was written so."""
    if not wrong:
        return None
    said = " ".join(wrong.split())
    for node in walk(tree):
        if node.start >= 0 and " ".join(source[node.start : node.end].split()) == said:
            return node
    return None
