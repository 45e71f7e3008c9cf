r"""Shapes, roles and facts as a reader of the notes sees them: ``\mathbb{R}^{N \times D}``."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.symbols import Notation, ascii_only
from symbackprop.ir.program import Fact
from symbackprop.ir.terms import Shape

ROLES: Mapping[str, str] = {
    "data": "data", "param": "parameter", "index": "whole numbers, used as indices",
}  # fmt: skip

# fmt: off
# The sentence for each kind of fact; ``{x}`` is the array in dollars.
FACTS: Mapping[str, str] = {
    "onehot":      "each row of {x} is one-hot: one entry is $1$, the others are $0$",
    "simplex":     "the entries of each row of {x} are non-negative and sum to $1$",
    "binary":      "each entry of {x} is $0$ or $1$",
    "sign":        "each entry of {x} is $-1$ or $1$",
    "unit":        "each entry of {x} lies between $0$ and $1$",
    "positive":    "each entry of {x} is positive",
    "nonnegative": "no entry of {x} is negative",
    "symmetric":   "{x} is symmetric",
    "spd":         "{x} is symmetric and positive definite",
    "invertible":  "{x} is invertible",
    "orthogonal":  "{x} is orthogonal",
    "causal":      "{x} is $0$ on and below the diagonal and $-\\infty$ above it",
}
# fmt: on


def extent_text(e: Expr, notation: Notation) -> str:
    """An extent; in a product with others it stands in brackets if it is a sum."""
    text = latex_entry(e, notation)
    return f"({text})" if e.is_Add else text


def shape_text(shape: Shape, notation: Notation) -> str:
    r"""``N \times D``; a scalar has the shape $1$."""
    if len(shape) == 1:
        return latex_entry(shape[0], notation)
    return r" \times ".join(extent_text(e, notation) for e in shape) or "1"


def space_text(shape: Shape, notation: Notation) -> str:
    r"""``\mathbb{R}^{N \times D}``, and ``\mathbb{R}`` for a scalar."""
    return rf"\mathbb{{R}}^{{{shape_text(shape, notation)}}}" if shape else r"\mathbb{R}"


def fact_sentence(fact: Fact, notation: Notation) -> str:
    """A fact as a clause without its full stop."""
    symbol = f"${notation.name(fact.name)}$"
    if fact.kind != "sum":
        return FACTS[fact.kind].format(x=symbol)
    value = "a constant" if fact.value is None else f"${latex_entry(fact.value, notation)}$"
    if fact.axis is None:
        return f"the entries of {symbol} sum to {value}"
    along = {0: "column", 1: "row"}.get(fact.axis, f"line along axis {fact.axis}")
    return f"each {along} of {symbol} sums to {value}"


def forward_label(name: str) -> str:
    """The label of the equation that computes ``name`` (``_1`` for a nameless subexpression)."""
    return f"eq:sb:forward:{label_key(name)}"


def label_key(name: str) -> str:
    """A name as part of a label: letters and digits, ``-`` for ``_``."""
    return "".join(c if c.isalnum() else "-" for c in ascii_only(name))
