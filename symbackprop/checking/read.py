"""The dispatcher of elaboration: :func:`read` gives the readings of a node; each family of nodes
has a file with its rules.
"""

from __future__ import annotations

from functools import singledispatch

from sympy import Rational

from symbackprop.checking.readings import Reading, Readings, Unreadable
from symbackprop.checking.scope import Scope
from symbackprop.notation.written import Node, Number


@singledispatch
def read(node: Node, scope: Scope) -> Readings:
    """The readings of a piece of a formula, at least one.

    Raises
    ------
    Unreadable
        If it has none, with the reason and the piece.
    """
    raise Unreadable("notation", f"this notation ({type(node).__name__}) is not read yet", node)


@read.register
def _number(node: Number, scope: Scope) -> Readings:
    return (Reading(Rational(node.text)),)
