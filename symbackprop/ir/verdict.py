"""What a decision about equality says: equal, and by which steps; different, and where; or
undecided, and why.

A check returns one of these, never a bool: what neither a proof nor a counterexample settles is
not a no. A :class:`Witness` is a counterexample that a person can follow: small extents, small
values, one entry, both results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr

from symbackprop.ir.program import Fact


@dataclass(frozen=True, slots=True)
class Witness:
    """A point at which two expressions differ.

    ``values`` maps the names that matter to arrays (or numbers) of exact values; ``entry`` says
    which entry is compared, by index name; ``claimed`` and ``true`` are its two values.
    ``functions`` says which concrete functions stood for the abstract ones.
    """

    dims: Mapping[str, int]
    values: Mapping[str, Any]
    entry: Mapping[str, int]
    claimed: Any
    true: Any
    functions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Equal:
    """Proved: ``by`` lists the steps in words, ``facts`` what was assumed on the way.

    ``lines`` shows both sides after each step that a person would write down: left, right, because.
    """

    by: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    lines: tuple[tuple[Expr, Expr, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Different:
    """Refuted by a counterexample."""

    witness: Witness


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither proved nor refuted; ``why`` says where the search stopped."""

    why: str


Verdict = Equal | Different | Undecided
