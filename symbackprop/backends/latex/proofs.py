"""The proofs that the notes print for the functions of a network, line by line with reasons.

A row is data in our own notation; a test shows that consecutive lines are equal, so no line is
taken on trust. ``DEFINITIONS`` has the textbook definition of each function that the notes explain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Integer, Rational

from symbackprop.ir.derivation import Step
from symbackprop.ir.expressions import (
    Apply,
    Delta,
    Entry,
    Index,
    IndexSum,
    Partial,
    extent_symbol,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """``left = form = form = …``, each form with its reason; printed where ``function`` occurs.

    ``key`` is the label's last part, ``title`` what is shown, as plain text.
    """

    key: str
    function: str
    title: str
    left: Expr
    steps: tuple[Step, ...]
    remark: str = ""


_z = Entry("z")
_HALF = Rational(1, 2)


def _exp(u: Expr) -> Expr:
    return Apply("exp", u)


def _sigmoid(u: Expr) -> Expr:
    return Apply("sigmoid", u)


def _tanh(u: Expr) -> Expr:
    return Apply("tanh", u)


_up, _down = _exp(_z), _exp(-_z)
_logistic = 1 / (1 + _down)
_up_half, _down_half = _exp(_z / 2), _exp(-_z / 2)
At = Callable[[Index], Expr]


def softmax_slope(h: At, z: At, extent: Expr) -> Identity:
    """The Jacobian of ``h = softmax(z)``, both given by what stands at an index of this extent."""
    j, k, i = Index("j", extent), Index("k", extent), Index("i", extent)
    up, whole = _exp(z(j)), IndexSum(_exp(z(i)), i)
    return Identity("softmax-slope", "softmax", "The Jacobian of softmax", Partial(h(j), z(k)), (
        Step((Delta(j, k) * up * whole - up * _exp(z(k))) / whole**2, "quotient rule"),
        Step(h(j) * (Delta(j, k) - h(k)), "divide, then definition"),
    ))  # fmt: skip


# fmt: off
DEFINITIONS: dict[str, tuple[Expr, ...]] = {
    "sigmoid":  (_up / (1 + _up), _logistic),
    "tanh":     ((_up - _down) / (_up + _down),),
    "relu":     (Apply("maximum", _z, Integer(0)),),
    "softplus": (Apply("log", 1 + _up),),
}

IDENTITIES: tuple[Identity, ...] = (
    Identity("sigmoid-slope", "sigmoid", "The slope of σ", Apply("sigmoid_prime", _z), (
        Step(_down / (1 + _down)**2, "quotient rule, from the definition"),
        Step(_logistic - _logistic**2, "the numerator is (1 plus itself) minus 1"),
        Step(_sigmoid(_z) * (1 - _sigmoid(_z)), "definition of σ"),
    )),
    Identity("tanh-slope", "tanh", "The slope of tanh", Apply("tanh_prime", _z), (
        Step(((_up + _down)**2 - (_up - _down)**2) / (_up + _down)**2,
             "quotient rule: numerator and denominator are each other's slope"),
        Step(1 - _tanh(_z)**2, "divide, then definition of tanh"),
    )),
    Identity("softplus-slope", "softplus", "The slope of softplus", Apply("softplus_prime", _z), (
        Step(_up / (1 + _up), "chain rule"),
        Step(_sigmoid(_z), "definition of σ"),
    )),
    Identity("sigmoid-tanh", "sigmoid", "σ is a tanh, shifted and scaled", _HALF + _tanh(_z/2)/2, (
        Step(_HALF + (_up_half - _down_half) / (2 * (_up_half + _down_half)),
             "definition of tanh, at z/2"),
        Step(_up_half / (_up_half + _down_half), "one denominator"),
        Step(_logistic, "divide both by the numerator"),
        Step(_sigmoid(_z), "definition of σ"),
    )),
    Identity("tanh-sigmoid", "tanh", "tanh is a σ, shifted and scaled", 2 * _sigmoid(2*_z) - 1, (
        Step(2 / (1 + _exp(-2 * _z)) - 1, "definition of σ, at 2z"),
        Step((1 - _exp(-2 * _z)) / (1 + _exp(-2 * _z)), "one denominator"),
        Step((_up - _down) / (_up + _down), "multiply both by the exponential of z"),
        Step(_tanh(_z), "definition of tanh"),
    ), "Therefore a tanh neuron and a σ neuron are equivalent, by shifting and scaling."),
    softmax_slope(lambda i: Entry("h", i), lambda i: Entry("z", i), extent_symbol("K")),
)
# fmt: on
