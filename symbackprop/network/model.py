r"""A model: what a model file declares and defines, with names resolved and shapes worked out.

``parse`` takes the text, ``load`` a name of a model that ships, a path, or ``-``. The result is
plain data; ``matrix.lower`` makes the program of it. Names, facts and shapes that do not fit are
``Malformed``, with their place in the file.

>>> parse("data x, y\nL = x*y").output
'L'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from symbackprop.errors import Span
from symbackprop.ir.families import Family, Loop
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.program import Fact, Quantity
from symbackprop.ir.terms import Term
from symbackprop.library.functions import RULES
from symbackprop.network.shipped import read_source, title_of
from symbackprop.network.statements import Reading
from symbackprop.notation.text_reader import read_model

__all__ = ["Model", "load", "parse"]


@dataclass(frozen=True, slots=True)
class Model:
    """Declarations, facts, equations and output of a network, in the order written.

    ``statements`` are ``(name, term, place)``; ``sizes`` default extents; ``conditions`` relations
    between extents.
    """

    name: str
    source: str
    dims: tuple[Symbol, ...]
    sizes: Mapping[str, int]
    inputs: tuple[Quantity, ...]
    functions: tuple[str, ...]
    facts: tuple[Fact, ...]
    conditions: tuple[tuple[Expr, str, Expr], ...]
    statements: tuple[tuple[str, Term, Span], ...]
    output: str
    title: str = ""
    families: Mapping[str, Family] = field(default_factory=dict)
    loops: Mapping[str, Loop] = field(default_factory=dict)
    rules: Mapping[str, FunctionRule] = field(
        default_factory=lambda: RULES, repr=False, compare=False
    )


def parse(text: str, source: str = "<model>") -> Model:
    """The model that ``text`` describes; ``source`` names it in messages."""
    reading = Reading(source, text)
    trees = read_model(text, source)
    reading.foresee(trees)
    for tree in trees:
        reading.take(tree)
    output = reading.finish()
    name = source.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".net")
    return Model(
        "model" if name.startswith("<") or name == "-" else name,
        text,
        tuple(reading.dims.values()),
        dict(reading.sizes),
        tuple(reading.inputs),
        tuple(reading.functions),
        tuple(reading.facts),
        tuple(reading.conditions),
        tuple(reading.statements),
        output,
        title_of(text),
        dict(reading.recurrences.families),
        dict(reading.recurrences.loops),
    )


def load(name_or_path: str) -> Model:
    """The model that ships under this name, or that stands in this file; ``-`` reads standard
    input.
    """
    text, source = read_source(str(name_or_path))
    return parse(text, source)
