"""Activations: rows in our own notation, closed under the primitives of ``ir.functions``.

``slopes`` are what a textbook writes; a test proves each from ``definition``. ``remark`` is a
sentence for notes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Activation:
    """A scalar function: parameters ``z`` (and ``alpha``), definition, slopes by each, what is
    known of its sign.
    """

    name: str
    definition: str
    slopes: tuple[str, ...]
    sign: str = ""
    at_zero: str = ""
    remark: str = ""
    defaults: tuple[str, ...] = ()


# fmt: off
ACTIVATIONS = (
    Activation("sigmoid",    "1/(1 + exp(-z))",
               ("sigmoid(z)*(1 - sigmoid(z))",), "positive",
               remark="common in hidden layers; its slope is a function of its value"),
    Activation("softplus",   "log(1 + exp(z))",
               ("sigmoid(z)",), "positive",
               remark="a smooth threshold; its slope is the sigmoid"),
    Activation("relu",       "maximum(z, 0)",
               ("step(z)",), "nonnegative", "relu'(0) = step(0) = 0",
               remark="a threshold: passes what is positive"),
    Activation("leaky_relu", "where(z > 0, z, alpha*z)",
               ("where(z > 0, 1, alpha)", "where(z > 0, 0, z)"), "", "at 0 the slope is alpha",
               remark="a threshold that leaks, so that no neuron dies", defaults=("1/100",)),
    Activation("elu",        "where(z > 0, z, alpha*expm1(z))",
               ("where(z > 0, 1, alpha*exp(z))", "where(z > 0, 0, expm1(z))"), "",
               "at 0 the slope is alpha",
               remark="a threshold with a smooth negative part", defaults=("1",)),
    Activation("gelu",       "z*(1 + erf(z/sqrt(2)))/2",
               ("(1 + erf(z/sqrt(2)))/2 + z*exp(-z**2/2)/sqrt(2*pi)",),
               remark="the input, weighted by the normal distribution function"),
    Activation("silu",       "z*sigmoid(z)",
               ("sigmoid(z) + z*sigmoid(z)*(1 - sigmoid(z))",),
               remark="the input, weighted by its sigmoid (also called swish)"),
    Activation("log1p",      "log(1 + z)",
               ("1/(1 + z)",),
               remark="the logarithm of 1 + z, exact for small z"),
    Activation("expm1",      "exp(z) - 1",
               ("exp(z)",),
               remark="the exponential minus 1, exact for small z"),
)

#: What notes say of neurons whose function is a primitive, an array function or none.
REMARKS = {
    "linear":  "used at the output layer of regression",
    "tanh":    "similar to the sigmoid, which it is when shifted and scaled, with a larger slope",
    "softmax": "in the output layer of classification; its outputs are positive and sum to 1",
}

#: Functions by exponentials and logarithms: identities are decided by rational algebra in exp(z).
EXP_FORMS = {
    "sigmoid":  "1/(1 + exp(-z))",
    "tanh":     "(exp(z) - exp(-z))/(exp(z) + exp(-z))",
    "sinh":     "(exp(z) - exp(-z))/2",
    "cosh":     "(exp(z) + exp(-z))/2",
    "softplus": "log(1 + exp(z))",
    "silu":     "z/(1 + exp(-z))",
    "log1p":    "log(1 + z)",
    "expm1":    "exp(z) - 1",
}

#: Jacobians of functions of a whole vector ``z``, in array notation; ``p`` is the value.
VECTOR_JACOBIANS = {
    "softmax":     "diag(p) - outer(p, p)",
    "log_softmax": "eye(K) - outer(ones(K), exp(p))",
    "logsumexp":   "softmax(z)",
}
# fmt: on
