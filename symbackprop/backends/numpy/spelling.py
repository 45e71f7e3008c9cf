"""What rules that spell terms share: levels of binding, and the face of the writer."""

from __future__ import annotations

from typing import Protocol

from sympy import Expr

from symbackprop.ir.terms import Term

ADD, MUL, NEG, POW, ATOM = range(1, 6)
Code = tuple[str, int]


class Spells(Protocol):
    """What a rule needs of the writer."""

    def source(self, term: Term) -> str:
        """The code of ``term`` as an expression of its own, never a bare mask."""

    def code(self, term: Term) -> Code:
        """The code and how strongly its outermost operator binds."""

    def inside(self, term: Term, level: int) -> str:
        """The code of an operand, in parentheses where it binds more weakly than ``level``."""

    def extent(self, e: Expr) -> str:
        """The code of an extent."""

    def shape(self, shape: tuple[Expr, ...]) -> str:
        """The code of a shape: always a tuple."""
