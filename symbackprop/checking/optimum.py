"""Conditions for an optimum: ``∇J = XᵀXθ − Xᵀy = 0``, and what follows from it.

A zero at the end of a chain for a gradient, after a member that holds, is no claim that the
gradient vanishes everywhere: it says where the optimum is. An equation between the parts of that
gradient (``XᵀXθ = Xᵀy``) then holds there, and is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Rational

from symbackprop.checking.compare import Comparison, fit
from symbackprop.checking.readings import Readings
from symbackprop.checking.truth import Values
from symbackprop.ir.expressions import Entry
from symbackprop.ir.terms import same_shape
from symbackprop.notation.written import Node, Number

ONLY_THERE = "it holds where the gradient is zero"
FACTORS = (1, -1, 2, -2, Rational(1, 2), Rational(-1, 2))


def sets_to_zero(right: Node, verdicts: Sequence[str]) -> bool:
    """Whether a member of a chain is the zero to which a gradient is set."""
    return isinstance(right, Number) and right.text == "0" and verdicts[-1:] == ["proved"]


def holds_there(
    lefts: Readings, rights: Readings, gradients: Sequence[Entry], values: Values
) -> Comparison | None:
    """The verdict on an equation whose two sides differ by a gradient that is set to zero."""
    for a in lefts:
        for b in rights:
            pair = fit(a, b)
            for gradient in gradients if pair is not None else ():
                assert pair is not None, "there are none otherwise"
                shape = [i.extent for i in pair[0].axes]
                if not same_shape(shape, [i.extent for i in gradient.indices]):
                    continue
                entry = Entry(gradient.name, *pair[0].axes)
                difference = pair[0].expr - pair[1].expr
                if any(values.agree(difference, c * entry) for c in FACTORS):
                    return Comparison("undecided", a, b, ONLY_THERE)
    return None
