r"""Formulas that are too long for a line: their largest parts that fit get names, ``S_{1} = …``.

Takes a term or an index expression, gives it with parts replaced by names, and the definitions of
those names. A part of an index expression that depends on indices is named with those indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sympy import Add, Basic, Expr

from symbackprop.backends.latex.display import broken, width
from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.symbols import Notation
from symbackprop.backends.latex.terms import latex_term
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexSum,
    InRange,
    Modulo,
    free_indices,
)
from symbackprop.ir.terms import Term, name

Part = TypeVar("Part")
# What holds places on axes, which are no values.
AT_PLACES = (Entry, InRange, Delta, FloorDiv, Modulo)
# Below this many signs a part is not worth a name.
SMALLEST = 10.0
# Room for the name of a part and the sign of equality where it is defined.
OWN_NAME = 12.0


@dataclass(slots=True)
class Abbreviator:
    """Names parts of formulas; names are numbered through a document."""

    notation: Notation
    count: int = 0
    letter: str = field(init=False)

    def __post_init__(self) -> None:
        heads = {n[0] for n in self.notation.names} | {
            s[0] for s in self.notation.spelling.values()
        }
        heads |= {h.swapcase() for h in heads}
        letters = (*"SQGRVFAC", r"\Psi", r"\Phi", r"\Xi")
        self.letter = next((c for c in letters if c.removeprefix("\\")[0] not in heads), r"\Psi")

    def term(self, term: Term, limit: float) -> tuple[str, tuple[str, ...]]:
        """LaTeX of a term that fits ``limit`` signs a line, and the definitions it needs."""
        definitions: list[str] = []
        while not _fits(text := latex_term(term, self.notation), limit):
            parts = [s for s in _subterms(term) if s is not term]
            part = _largest(parts, lambda t: latex_term(t, self.notation), limit - OWN_NAME)
            if part is None:
                break
            short = name(self._new(), part.shape)
            term = _replaced(term, part, short)
            definitions.append(self._definition(latex_term(short, self.notation), part))
        return text, tuple(reversed(definitions))

    def _definition(self, left: str, part: Term) -> str:
        return f"{left} = {latex_term(part, self.notation)}"

    def entry(
        self, expr: Expr, limit: float, free: tuple[Index, ...]
    ) -> tuple[str, tuple[str, ...]]:
        """LaTeX of an index expression that fits ``limit`` signs a line, and the definitions."""
        definitions: list[str] = []
        while not _fits(text := latex_entry(expr, self.notation, free=free), limit):
            parts = [p for p in _subexpressions(expr) if p != expr]
            part = _largest(
                parts, lambda e: latex_entry(e, self.notation, free=free), limit - OWN_NAME
            )
            if part is None:
                break
            indices = sorted(free_indices(part), key=lambda i: i.name)
            short = Entry(self._new(bool(indices)), *indices)
            expr = expr.xreplace({part: short})
            left = latex_entry(short, self.notation, free=free)
            definitions.append(f"{left} = {latex_entry(part, self.notation, free=free)}")
        return text, tuple(reversed(definitions))

    def _new(self, indexed: bool = False) -> str:
        """A new name; its number stands above where indices stand below."""
        self.count += 1
        made = f"_part{self.count}"
        number = f"^{{({self.count})}}" if indexed else f"_{{{self.count}}}"
        spelling = {**self.notation.spelling, made: self.letter + number}
        self.notation = replace(self.notation, spelling=spelling)
        return made


def _fits(text: str, limit: float) -> bool:
    return all(width(line) <= limit for line in broken(text, limit))


def _largest(parts: list[Part], latex: Callable[[Part], str], limit: float) -> Part | None:
    """The widest part that fits on a line, the first of equals."""
    sized = [(width(latex(p)), -k, p) for k, p in enumerate(parts)]
    fitting = [s for s in sized if SMALLEST <= s[0] <= limit]
    return max(fitting, key=lambda s: s[:2])[2] if fitting else None


def _subterms(term: Term) -> Iterator[Term]:
    yield term
    for a in term.args:
        yield from _subterms(a)


def _replaced(term: Term, part: Term, short: Term) -> Term:
    if term == part:
        return short
    args = tuple(_replaced(a, part, short) for a in term.args)
    return replace(term, args=args)


def _subexpressions(e: Basic) -> Iterator[Expr]:
    """Sums inside ``e``: what is added, or summed over an index; places on axes stay as they are,
    since they are printed counted from 1.
    """
    if isinstance(e, Add | IndexSum):
        yield e
    if not isinstance(e, AT_PLACES):
        for a in e.args:
            yield from _subexpressions(a)
