"""Identities of scalar functions: pairs that the prover proves in the tests and that notes may
quote.

The first two are those of the handwritten notes, both directions of one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """``left == right`` for every z; ``says`` is what follows from it."""

    left: str
    right: str
    says: str


# fmt: off
IDENTITIES = (
    Identity("sigmoid(z)",  "1/2 + tanh(z/2)/2",
             "a sigmoid neuron is a tanh neuron, shifted and scaled"),
    Identity("tanh(z)",     "2*sigmoid(2*z) - 1",
             "a tanh neuron is a sigmoid neuron, shifted and scaled"),
    Identity("sigmoid(z)",  "exp(z)/(1 + exp(z))",    "the two ways to write the sigmoid"),
    Identity("sigmoid(z)",  "1/(1 + exp(-z))",        "the two ways to write the sigmoid"),
    Identity("tanh(z)",     "(exp(z) - exp(-z))/(exp(z) + exp(-z))",
             "the hyperbolic tangent by exponentials"),
    Identity("tanh(z)",     "sinh(z)/cosh(z)",        "the hyperbolic tangent as a quotient"),
    Identity("sigmoid(-z)", "1 - sigmoid(z)",         "the sigmoid is symmetric about (0, 1/2)"),
    Identity("tanh(-z)",    "-tanh(z)",               "the hyperbolic tangent is odd"),
    Identity("relu(z)",     "z*step(z)",              "a threshold passes the positive part"),
    Identity("softplus(z)", "-log(sigmoid(-z))",      "softplus is the logistic loss"),
    Identity("softplus(z)", "z + softplus(-z)",       "softplus exceeds z by softplus(-z)"),
    Identity("silu(z)",     "z*sigmoid(z)",           "the input, weighted by its sigmoid"),
    Identity("cosh(z)**2 - sinh(z)**2", "1",          "the hyperbolic Pythagoras"),
)
# fmt: on
