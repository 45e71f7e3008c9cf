r"""A model: what a model file declares and defines, with names resolved and shapes worked out.

``parse`` takes the text, ``load`` a name of a model that ships, a path, or ``-``. The result is
plain data; ``matrix.lower`` makes the program of it. Names, facts and shapes that do not fit are
``Malformed``, with their place in the file.

>>> parse("data x, y\nL = x*y").output
'L'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Expr, Symbol

from symbackprop.errors import Malformed, NotSupported, Span
from symbackprop.ir.families import Family, Loop, split_member
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.program import Fact, Quantity
from symbackprop.ir.terms import Term
from symbackprop.library.functions import RULES
from symbackprop.network import members
from symbackprop.network.shipped import read_source, title_of
from symbackprop.network.statements import Reading
from symbackprop.notation.syntax import Tree
from symbackprop.notation.text_reader import read_model

__all__ = ["Model", "load", "parse"]


@dataclass(frozen=True, slots=True)
class Model:
    """Declarations, facts, equations and output of a network, in the order written.

    ``statements`` are ``(name, term, place)``; ``sizes`` default extents; ``conditions`` relations
    between extents. ``members`` has the arrays of each family that is written out, by label.
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
    members: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    place: str = "<model>"
    rules: Mapping[str, FunctionRule] = field(
        default_factory=lambda: RULES, repr=False, compare=False
    )

    def member(self, name: str) -> str:
        """``H[2]`` by the name that it has where members are arrays of their own; others as they
        are.
        """
        family, label = split_member(name) or (name, "")
        return self.members.get(family, {}).get(int(label), name) if label.isdigit() else name


def parse(text: str, source: str = "<model>") -> Model:
    """The model that ``text`` describes; ``source`` names it in messages."""
    trees = read_model(text, source)
    try:
        return _model(trees, text, source)
    except (Malformed, NotSupported):
        plain = _written_out(trees, text, source)
        if plain is None:
            raise
        return plain


def in_members(model: Model) -> Model | None:
    """The model with an array of its own for each member of its families; None unless all their
    ranges end in integers.
    """
    return _written_out(read_model(model.source, model.place), model.source, model.place)


def _written_out(trees: tuple[Tree, ...], text: str, source: str) -> Model | None:
    """None where it cannot be written out, or is no model then either."""
    written = members.written_out(trees)
    if written is None:
        return None
    try:
        model = _model(written.trees, text, source)
    except (Malformed, NotSupported):
        return None
    return None if model.families else replace(model, members=written.families)


def _model(trees: tuple[Tree, ...], text: str, source: str) -> Model:
    reading = Reading(source, text)
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
        place=source,
    )


def load(name_or_path: str) -> Model:
    """The model that ships under this name, or that stands in this file; ``-`` reads standard
    input.
    """
    text, source = read_source(str(name_or_path))
    return parse(text, source)
