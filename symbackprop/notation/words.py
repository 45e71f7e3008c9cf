"""The functions of the language: which names may be called, and with how many operands.

``ELEMENTWISE`` act entry by entry, ``REDUCTIONS`` take axes, ``ALONG`` act along one axis. Their
meaning stands elsewhere (``ir.functions``, ``library``). To teach one: add its row, and its rule to
the elaborator if it is of no family here.
"""

from __future__ import annotations

from sympy import Rational

# fmt: off
#: name: (number of operands, values of trailing operands that may be left out)
ELEMENTWISE: dict[str, tuple[int, tuple[Rational, ...]]] = {
    "exp":        (1, ()),
    "log":        (1, ()),
    "log1p":      (1, ()),
    "expm1":      (1, ()),
    "sqrt":       (1, ()),
    "abs":        (1, ()),
    "sign":       (1, ()),
    "sin":        (1, ()),
    "cos":        (1, ()),
    "tanh":       (1, ()),
    "sinh":       (1, ()),
    "cosh":       (1, ()),
    "erf":        (1, ()),
    "sigmoid":    (1, ()),
    "softplus":   (1, ()),
    "relu":       (1, ()),
    "step":       (1, ()),
    "leaky_relu": (2, (Rational(1, 100),)),
    "elu":        (2, (Rational(1),)),
    "gelu":       (1, ()),
    "silu":       (1, ()),
    "maximum":    (2, ()),
    "minimum":    (2, ()),
}
#: name in the language: operation of the vocabulary
REDUCTIONS = {
    "sum": "sum", "mean": "mean", "var": "var", "max": "max", "min": "min", "prod": "prod",
    "norm": "norm2", "norm1": "norm1", "norm2": "norm2", "logsumexp": "logsumexp",
}
ALONG = ("softmax", "log_softmax")
CONSTANTS = ("pi", "inf")
# fmt: on
