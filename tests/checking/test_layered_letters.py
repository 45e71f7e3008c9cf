"""Letters that mean something of each layer: activations, the input as layer 0, the last output."""

from __future__ import annotations

import pytest

from symbackprop.checking.judge import verify
from tests.checking.fixtures import written

MIXED = """
dims a, b, c, m
data X[a, m], Y[c, m]
param W1[b, a], b1[b, 1], W2[c, b], b2[c, 1]
Z1 = W1 @ X + b1
A1 = relu(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y * log(A2) + (1 - Y) * log(1 - A2)) / m
"""
ABSTRACT = MIXED.replace("Z1 = ", "function g\nZ1 = ", 1).replace("relu", "g")
DEEP = """
dims d1, d2, d3
data a1[d1], y[d3]
param w2[d2, d1], b2[d2], w3[d3, d2], b3[d3]
z2 = w2 @ a1 + b2
a2 = sigmoid(z2)
z3 = w3 @ a2 + b3
a3 = sigmoid(z3)
C = sum((a3 - y)**2) / 2
"""
SAME = """
dims N, D
data R[N, D]
param U[N, D]
S = tanh(U)
L = sum((R - S)**2) / 2
"""
LATEX = (
    r"$A^{[0]} = X$, $Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}$, $A^{[l]} = g(Z^{[l]})$, "
    r"$dZ^{[2]} = A^{[2]} - Y$, $dZ^{[1]} = W^{[2]T} dZ^{[2]} \odot g^{[1]\prime}(Z^{[1]})$, "
    r"$dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l-1]T}$"
)
TEXT = (
    "A[0] = X\nZ[i] = dot(W[i], A[i-1]) + b[i]\nA[i] = g(Z[i])\ndZ[2] = A[2] - Y\n"
    "dZ[1] = dot(W[2].T, dZ[2]) * g[1]'(Z[1])\ndW[i] = dot(dZ[i], A[i-1].T) / m\n"
)
NIELSEN = (
    r"$a^l = \sigma(z^l)$ $$\delta^L = \nabla_a C \odot \sigma'(z^L)$$ "
    r"$$\delta^l = (w^{l+1})^T \delta^{l+1} \odot \sigma'(z^l)$$ $\nabla_a C = a^L - y$ "
    r"$\frac{\partial C}{\partial b^l} = \delta^l$"
)
RESIDUAL = r"$E = S - R \in \mathbb{R}^{N \times D} = -(R - S)$ and $\nabla_S L = E$"
SLOPES = (
    r"$\frac{\partial L}{\partial S} = S - R$, $\frac{\partial L}{\partial U} = "
    r"\frac{\partial L}{\partial S} \odot \frac{\partial S}{\partial U}$"
)

# fmt: off
RIGHT = [(MIXED, LATEX), (ABSTRACT, LATEX), (MIXED, TEXT), (ABSTRACT, TEXT), (DEEP, NIELSEN),
         (SAME, RESIDUAL), (SAME, SLOPES)]
WRONG = [
    (MIXED, LATEX.replace("A^{[l-1]T}", "A^{[l]T}")),
    (MIXED, LATEX.replace("dZ^{[2]} = A^{[2]} - Y", "dZ^{[2]} = Y - A^{[2]}")),
    (MIXED, LATEX.replace("A^{[l-1]} + b", "A^{[l-1]} - b")),
    (ABSTRACT, LATEX.replace("A^{[l-1]T}", "A^{[l]T}")),
    (ABSTRACT, LATEX.replace("A^{[l]} = g(Z^{[l]})", "A^{[2]} = g(Z^{[2]})")),
    (ABSTRACT, TEXT.replace("dot(W[2].T, dZ[2])", "dot(W[2], dZ[2])")),
    (ABSTRACT, TEXT.replace("A[0] = X", "A[0] = 2 X")),
    (DEEP, NIELSEN.replace("a^L - y", "y - a^L")),
    (DEEP, NIELSEN.replace("(w^{l+1})^T", "w^{l+1}")),
    (SAME, RESIDUAL.replace("-(R", "(R")),
    (SAME, RESIDUAL.replace(r"\times D", r"\times N")),
    (SAME, SLOPES.replace(r"\odot \frac{\partial S}", r"\odot 2 \odot \frac{\partial S}")),
]
NEVER = [
    (MIXED, LATEX.replace("= g(Z^{[l]})", "= g(Z^{[l-1]})")),
    (ABSTRACT, LATEX.replace("= g(Z^{[l]})", "= 2 g(Z^{[l]})")),
    (ABSTRACT, LATEX.replace("= g(Z^{[l]})", "= g'(Z^{[l]})")),
    (DEEP, NIELSEN.replace(r"\nabla_a C \odot", r"\nabla_z C \odot")),
    (DEEP, NIELSEN.replace(r"\nabla_a C \odot", r"\nabla_a C +")),
]
# fmt: on


@pytest.mark.parametrize(("model", "text"), RIGHT)
def test_the_letter_of_each_layer_is_read(model: str, text: str) -> None:
    report = verify(written(model), text, explain=False)
    assert {s.verdict for s in report.steps} == {"proved"}
    assert report.verdict == "proved"


@pytest.mark.parametrize(("model", "text"), WRONG)
def test_it_excuses_nothing(model: str, text: str) -> None:
    assert verify(written(model), text, explain=False).verdict == "refuted"


@pytest.mark.parametrize(("model", "text"), NEVER)
def test_a_wrong_use_of_it_is_never_proved(model: str, text: str) -> None:
    assert verify(written(model), text, explain=False).verdict in ("refuted", "undecided")
