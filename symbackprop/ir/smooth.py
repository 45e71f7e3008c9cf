"""Concrete smooth functions that stand for abstract ones when something is computed.

Each takes NumPy arrays, fractions and mpmath numbers. Cubics with small coefficients keep rational
numbers rational, so that an expression in an abstract ``f`` can be refuted exactly; the others
have a slope of every shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from re import sub
from typing import Any

import mpmath
import numpy as np


@dataclass(frozen=True, slots=True)
class Cubic:
    """``a z³ + b z² + c z + d`` with small whole coefficients."""

    a: int
    b: int
    c: int
    d: int

    def __call__(self, z: Any) -> Any:
        return ((self.a * z + self.b) * z + self.c) * z + self.d

    def slope(self) -> Cubic:
        """Its derivative."""
        return Cubic(0, 3 * self.a, 2 * self.b, self.c)

    def __str__(self) -> str:
        powers = ("z**3", "z**2", "z", "")
        coefficients = zip((self.a, self.b, self.c, self.d), powers, strict=True)
        terms = (f"{c}*{p}" if p else str(c) for c, p in coefficients if c)
        shown = " + ".join(terms) or "0"
        return sub(r"\b1\*", "", shown.replace("+ -", "- "))


def _library(z: Any) -> Any:
    return np if isinstance(z, np.ndarray | np.number | float) else mpmath


# fmt: off
# Value, slope and second slope; ``m`` is NumPy or mpmath.
_SMOOTH: tuple[tuple[Callable[[Any, Any], Any], ...], ...] = (
    (lambda m, z: m.tanh(z),
     lambda m, z: 1 - m.tanh(z)**2,
     lambda m, z: -2 * m.tanh(z) * (1 - m.tanh(z)**2)),
    (lambda m, z: m.sin(1.25 * z + 0.5),
     lambda m, z: 1.25 * m.cos(1.25 * z + 0.5),
     lambda m, z: -1.5625 * m.sin(1.25 * z + 0.5)),
    (lambda m, z: m.exp(z / 2) - z,
     lambda m, z: m.exp(z / 2) / 2 - 1,
     lambda m, z: m.exp(z / 2) / 4),
    (lambda m, z: z / m.sqrt(1 + z*z),
     lambda m, z: 1 / ((1 + z*z) * m.sqrt(1 + z*z)),
     lambda m, z: -3 * z / ((1 + z*z)**2 * m.sqrt(1 + z*z))),
)
# fmt: on
_CUBICS = (Cubic(0, 1, 1, 0), Cubic(1, 0, 1, 0), Cubic(0, 1, -1, 1), Cubic(1, -1, 0, 1))


@dataclass(frozen=True, slots=True)
class _Smooth:
    """A function of the table, on numbers of any kind."""

    form: Callable[[Any, Any], Any]

    def __call__(self, z: Any) -> Any:
        library = _library(z)
        return self.form(library, z if library is np else mpmath.mpmathify(z))


def concrete(names: tuple[str, ...], exact: bool, turn: int = 0) -> dict[str, Callable[..., Any]]:
    """A function for each abstract ``f``, with ``f_prime`` and ``f_pprime``; ``turn`` chooses
    among the rows.
    """
    out: dict[str, Callable[..., Any]] = {}
    for k, f in enumerate(names, start=turn):
        if exact:
            value = _CUBICS[k % len(_CUBICS)]
            forms: tuple[Callable[..., Any], ...] = (value, value.slope(), value.slope().slope())
        else:
            forms = tuple(_Smooth(form) for form in _SMOOTH[k % len(_SMOOTH)])
        out |= zip((f, f"{f}_prime", f"{f}_pprime"), forms, strict=True)
    return out
