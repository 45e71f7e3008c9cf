"""What names mean at one place: extents, arrays with shapes, abstract functions, indices, and
formulas that expand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from sympy import Symbol

from symbackprop.errors import Malformed, Span
from symbackprop.ir.expressions import Index
from symbackprop.ir.families import Family, Loop
from symbackprop.ir.terms import Shape, Term
from symbackprop.notation.syntax import Tree

NOTHING: Mapping[str, Any] = MappingProxyType({})
SLOPES = ("_prime", "_pprime")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A function defined by a formula: ``mse(a, b)`` stands for ``mean((a - b)**2)``.

    ``defaults`` are values of trailing parameters that may be left out; ``labels`` is the parameter
    that may be integers, one for each row of the first: they stand for their one-hot rows.
    """

    name: str
    parameters: tuple[str, ...]
    body: Tree
    defaults: tuple[int, ...] = ()
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that an expression may use.

    Parameters
    ----------
    dims : mapping of str to Symbol
        Extents by name.
    shapes : mapping of str to Shape
        Arrays that are declared or defined above, adjoints (``grad_Z``) included where they may be
        named.
    functions : tuple of str
        Abstract elementwise functions; their slopes ``f_prime``, ``f_pprime`` come with them.
    indices : mapping of str to Index
        Indices that may occur free, in index notation.
    expansions : mapping of str to Expansion
        Formulas of the library that are written out where they are called.
    bound : mapping of str to Term
        Parameters of the expansion at hand.
    later : mapping of str to Span
        Names that are defined further down, for the message about one used too early.
    defining : str
        The name that the statement at hand defines.
    integers : frozenset of str
        Arrays whose entries are integers: they may stand in brackets.
    families : mapping of str to Family
        Stacked arrays, of which members may be taken.
    steps : mapping of str to Loop
        Letters of steps that may stand in the bracket of a family.
    unfinished : mapping of str to bool
        Families that the recurrence at hand defines, and whether their equation stands above.
    """

    dims: Mapping[str, Symbol] = field(default_factory=lambda: NOTHING)
    shapes: Mapping[str, Shape] = field(default_factory=lambda: NOTHING)
    functions: tuple[str, ...] = ()
    indices: Mapping[str, Index] = field(default_factory=lambda: NOTHING)
    expansions: Mapping[str, Expansion] = field(default_factory=lambda: NOTHING)
    bound: Mapping[str, Term] = field(default_factory=lambda: NOTHING)
    later: Mapping[str, Span] = field(default_factory=lambda: NOTHING)
    defining: str = ""
    integers: frozenset[str] = frozenset()
    families: Mapping[str, Family] = field(default_factory=lambda: NOTHING)
    steps: Mapping[str, Loop] = field(default_factory=lambda: NOTHING)
    unfinished: Mapping[str, bool] = field(default_factory=lambda: NOTHING)

    def declares(self, name: str) -> bool:
        """Whether ``name`` is an array, an extent or a parameter here."""
        return name in self.shapes or name in self.dims or name in self.bound

    def calls(self, name: str) -> bool:
        """Whether ``name`` is a declared abstract function or the slope of one."""
        return name in self.functions or any(name == f + s for f in self.functions for s in SLOPES)


def unknown(
    name: str,
    span: Span,
    scope: Scope,
    expected: str = "a declared name",
    further: tuple[str, ...] = (),
) -> Malformed:
    """The error for a name that means nothing here: used too early, defined by itself, or
    unknown.
    """
    if name == scope.defining:
        return Malformed(
            f"{name} to be defined by other names",
            f"{name} on both sides of =",
            span,
            "give the new quantity a new name",
        )
    if name in scope.later:
        below = scope.later[name].line
        return Malformed(
            f"{name} to be defined above its use",
            f"{name}, which is defined on line {below}",
            span,
            "move that line up",
        )
    near = close_to(
        name, (*scope.shapes, *scope.dims, *scope.functions, *scope.bound, *scope.indices, *further)
    )
    declare = f"`dims {name}`" if "extent" in expected else f"for example `data {name}[N]`"
    hint = f"did you mean {near}?" if near else f"declare it, {declare}"
    return Malformed(expected, f"the unknown name {name}", span, hint)


def close_to(name: str, known: tuple[str, ...]) -> str:
    """The known word most like ``name``, or nothing."""
    close = get_close_matches(name, [k for k in known if k != name], n=1, cutoff=0.6)
    if not close:
        close = [k for k in known if k.lower() == name.lower() and k != name]
    return close[0] if close else ""
