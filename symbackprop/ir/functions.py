"""Scalar functions that act entry by entry: the primitives, and the record by which the library
adds further ones.

A primitive is computed by the evaluator; every other function has a definition in terms of
primitives and of functions above it. A program carries the rules of the functions it uses
(``Program.rules``), so that no room below the library needs to know which activations exist.
Placeholders stand for the operands: ``Z`` for the first, ``ALPHA`` for the second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import erf
from typing import Any

import mpmath
import numpy as np
from sympy import Expr, Integer, Rational, Symbol, pi

from symbackprop.ir.expressions import Apply, Compare

Z, ALPHA = Symbol("z"), Symbol("alpha")


@dataclass(frozen=True, slots=True)
class FunctionRule:
    """A scalar function.

    Parameters
    ----------
    name : str
        Its name in the language.
    parameters : tuple of Symbol
        Placeholders of its operands.
    definition : Expr or None
        Its value in placeholders; None for a primitive.
    slopes : tuple of Expr
        Its partial derivatives by each operand, as a person writes them: ``sigmoid`` has
        ``sigmoid(z)*(1 - sigmoid(z))``. A claim that a test proves from ``definition``.
    defaults : tuple of Rational
        Values of trailing operands that may be left out.
    sign : str
        ``positive``, ``nonnegative`` or empty: what is known of every value.
    at_zero : str
        A sentence on the convention at a kink, empty where there is none.
    """

    name: str
    parameters: tuple[Symbol, ...]
    definition: Expr | None
    slopes: tuple[Expr, ...]
    defaults: tuple[Rational, ...] = ()
    sign: str = ""
    at_zero: str = ""

    def at(self, form: Expr, operands: tuple[Expr, ...]) -> Expr:
        """``form`` (the definition or a slope) at ``operands``; neither binds an index, so nothing
        is captured.
        """
        return form.xreplace(dict(zip(self.parameters, operands, strict=True)))


@dataclass(frozen=True, slots=True)
class Primitive:
    """A function that the evaluator computes: in floating point on arrays, and to any precision on
    one number.
    """

    rule: FunctionRule
    floating: Callable[..., Any]
    precise: Callable[..., Any]


def _sign(x: Any) -> Any:
    return (x > 0) - (x < 0)


def _primitive(
    name: str,
    slopes: tuple[Expr, ...],
    floating: Callable[..., Any],
    precise: Callable[..., Any],
    sign: str = "",
    at_zero: str = "",
) -> Primitive:
    return Primitive(
        FunctionRule(name, (Z, ALPHA)[: len(slopes)], None, slopes, (), sign, at_zero),
        floating,
        precise,
    )


def _f(name: str, *operands: Expr) -> Apply:
    return Apply(name, *(operands or (Z,)))


_HALF = Rational(1, 2)
# fmt: off
_TABLE = (
    _primitive("exp",   (_f("exp"),),                               np.exp,
    mpmath.exp,   "positive"), _primitive("log",   (1 / Z,),
    np.log,                  mpmath.log), _primitive("sin",   (_f("cos"),),
    np.sin,                  mpmath.sin), _primitive("cos",   (-_f("sin"),),
    np.cos,                  mpmath.cos), _primitive("tanh",  (1 - _f("tanh")**2,),
    np.tanh,                 mpmath.tanh), _primitive("sinh",  (_f("cosh"),),
    np.sinh,                 mpmath.sinh), _primitive("cosh",  (_f("sinh"),),
    np.cosh,                 mpmath.cosh,  "positive"), _primitive("erf",   (2 * _f("exp", -Z**2) *
    pi**-_HALF,),       np.vectorize(erf, otypes=[float]), mpmath.erf), _primitive("abs",
    (_f("sign"),),                              np.abs,                  abs,
    "nonnegative", "sign(0) = 0, so the slope of abs at 0 is 0"), _primitive("sign",  (Integer(0),),
    np.sign,                 _sign,        "",            "sign(0) = 0"), _primitive("step",
    (Integer(0),),                              lambda x: (x > 0) * 1.0, lambda x: int(x > 0),
    "nonnegative", "step(0) = 0"), _primitive("maximum", (Compare(">", Z, ALPHA), Compare(">",
    ALPHA, Z)), np.maximum,      max,          "",            "the slope at a tie is 0"),
    _primitive("minimum", (Compare("<", Z, ALPHA), Compare("<", ALPHA, Z)), np.minimum,      min,
    "",            "the slope at a tie is 0"),
)
# fmt: on
PRIMITIVES: Mapping[str, Primitive] = {p.rule.name: p for p in _TABLE}
