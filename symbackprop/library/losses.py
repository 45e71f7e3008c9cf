"""Losses: formulas in our own notation that are written out where they are called, and their
textbook gradients.

Rows of batches are samples; a mean over samples divides by their number. Meanings are PyTorch's
with its default ``mean`` reduction, except where ``remark`` says otherwise. ``gradient`` is by
``wrt`` (``p`` abbreviates what ``where`` defines); a test checks it against the definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from symbackprop.notation.scope import Expansion
from symbackprop.notation.text_reader import read_expression


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss: parameters with the rank they are tested at, definition, gradient by the first, a
    sentence.
    """

    name: str
    parameters: tuple[str, ...]
    shapes: tuple[str, ...]
    definition: str
    gradient: str
    fact: str = ""
    defaults: tuple[int, ...] = ()
    remark: str = ""
    labels: str = ""


# fmt: off
LOSSES = (
    Loss("mse", ("a", "b"), ("N", "N"),
         "mean((a - b)**2)",
         "2*(a - b)/N",
         remark="mean squared error: the loss of regression"),
    Loss("cross_entropy", ("Z", "Y"), ("N,K", "N,K"),
         "mean(-sum(Y*log_softmax(Z, axis=-1), axis=-1))",
         "(softmax(Z, axis=1) - Y)/N", "Y onehot", labels="Y",
         remark="softmax cross-entropy of scores against labels or one-hot rows: classification"),
    Loss("binary_cross_entropy", ("p", "y"), ("N", "N"),
         "mean(-y*log(p) - (1 - y)*log(1 - p))",
         "(p - y)/(p*(1 - p))/N",
         remark="logistic cross-entropy of probabilities p against labels y in {0, 1}"),
    Loss("hinge", ("s", "y"), ("N", "N"),
         "mean(relu(1 - y*s))",
         "-y*step(1 - y*s)/N",
         remark="the margin loss of support vector machines, labels y in {-1, 1}"),
    Loss("huber", ("a", "b", "delta"), ("N", "N", ""),
         "mean(where(abs(a - b) <= delta, (a - b)**2/2, delta*(abs(a - b) - delta/2)))",
         "where(abs(a - b) <= delta, a - b, delta*sign(a - b))/N", defaults=(1,),
         remark="quadratic near 0, linear far away: regression with outliers"),
    Loss("kl_div", ("p", "q"), ("K", "K"),
         "sum(p*log(p/q))",
         "log(p/q) + 1",
         remark="the Kullback-Leibler divergence of q from p, of probabilities and summed"),
)

#: Losses as the notes write them, with the gradient by the first name: formulas, no functions.
FORMULAS = {
    "squared error":         ("sum((yhat - y)**2)",             "2*(yhat - y)"),
    "logistic loss":         ("sum(softplus(z) - y*z)",         "sigmoid(z) - y"),
    "softmax cross-entropy": ("-sum(Y*log_softmax(Z, axis=1))", "softmax(Z, axis=1) - Y"),
}
# fmt: on


@lru_cache(maxsize=1)
def expansions() -> Mapping[str, Expansion]:
    """The losses as functions that a model may call."""
    return {
        row.name: Expansion(
            row.name,
            row.parameters,
            read_expression(row.definition, "<library>"),
            row.defaults,
            row.labels,
        )
        for row in LOSSES
    }
