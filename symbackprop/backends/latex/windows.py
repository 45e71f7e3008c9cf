r"""Correlation, windows and pooling → LaTeX: rules for the term printer.

Cross-correlation is ``X \star w``, as in the literature on signals; what goes without saying
(stride 1, no padding, dilation 1, one group) is not mentioned. Windows and pooling keep their
names, with the extents of the window (of the result, for ``fold``) in the subscript.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from symbackprop.backends.latex.matrices import Rule, Writer, extent
from symbackprop.backends.latex.pieces import HADAMARD, POWER, Piece, at_least, bracket
from symbackprop.ir.terms import Shape, Term

LISTED = r",\, "


def _per_axis(numbers: Sequence[Expr], write: Writer) -> str:
    """One number where all axes have the same, else one for each."""
    shown = [extent(n, write).text for n in numbers]
    return shown[0] if len(set(shown)) == 1 else r" \times ".join(shown)


def _told(write: Writer, strides: Shape, paddings: Shape, dilations: Shape = ()) -> list[str]:
    rows = (("stride", strides, 1), ("padding", paddings, 0), ("dilation", dilations, 1))
    return [
        rf"\mathrm{{{word}}}\,{_per_axis(numbers, write)}"
        for word, numbers, usual in rows
        if any(n != usual for n in numbers)
    ]


def correlation(term: Term, write: Writer) -> Piece:
    strides, paddings, dilations, groups = term.attrs
    told = _told(write, strides, paddings, dilations)
    if groups != 1:
        told.append(rf"\mathrm{{groups}}\,{extent(groups, write).text}")
    left, right = (at_least(write(a), POWER) for a in term.args)
    star = rf"\mathbin{{\star_{{{LISTED.join(told)}}}}}" if told else r"\star"
    return Piece(f"{left} {star} {right}", HADAMARD)


def _named(word: str, inner: Term, told: list[str], write: Writer) -> Piece:
    return Piece(rf"\operatorname{{{word}}}_{{{LISTED.join(told)}}}{bracket(write(inner).text)}")


def windows(term: Term, write: Writer) -> Piece:
    """``unfold`` and ``fold``."""
    extents, *further = term.attrs
    shown = r" \times ".join(extent(e, write).text for e in extents)
    return _named(term.op, term.args[0], [shown, *_told(write, *further)], write)


def pool(term: Term, write: Writer) -> Piece:
    """The stride is left out where windows touch."""
    extents, strides, paddings = term.attrs
    shown = r" \times ".join(extent(e, write).text for e in extents)
    usual = (extents[0] * 0 + 1,) * len(extents)
    told = _told(write, usual if strides == extents else strides, paddings)
    return _named(term.op, term.args[0], [shown, *told], write)


# fmt: off
RULES: dict[str, Rule] = {
    "conv":    correlation,
    "unfold":  windows,
    "fold":    windows,
    "maxpool": pool,
    "avgpool": pool,
}
# fmt: on
