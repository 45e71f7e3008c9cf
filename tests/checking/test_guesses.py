"""Symbols without a map: what the lines of a text show is kept to, what they do not show never
proves or refutes.
"""

from __future__ import annotations

import pytest

from symbackprop.checking.judge import verify
from tests.checking.fixtures import written

AFFINE = "dims N, D, M\nparam X[N,D], W[D,M], b[M]\ndata dout[N,M]\nout = X @ W + b\n"
AFFINE += "L = sum(dout * out)\n"
NET = "dims N, D, H, K\ndata X[N,D], Y[N,K]\nparam W1[D,H], W2[H,K]\nZ1 = X @ W1\nH1 = relu(Z1)\n"
NET += "S = H1 @ W2\nL = sum((S - Y)**2)\n"
STEP = "dims D, H\ndata x[D], h0[H], dh[H]\nparam Wx[H,D], Wh[H,H], b[H]\n"
STEP += "a = Wx @ x + Wh @ h0 + b\nh = tanh(a)\nL = sum(dh * h)\n"
NORM = "dims N, D\ndata X[N,D], dout[N,D]\nparam gamma[D], beta[D]\nout = gamma * X + beta\n"
NORM += "L = sum(dout * out)\n"

# fmt: off
TEXTS = [
    ("the output", AFFINE, r"$Y = XW + b$, $\nabla_W L = X^\top\nabla_Y L$", "proved"),
    ("the output, wrong", AFFINE, r"$Y = XW + b$, $\nabla_X L = \nabla_Y L\,X^\top$", "refuted"),
    ("a sum dropped in a second line", AFFINE,
     r"$Y = XW + b$, $Y_{ij} = X_{ik}W_{kj} + b_j$, $\nabla_W L = X^\top\nabla_Y L$", "refuted"),
    ("no name for another array", NET,
     r"$\nabla_S L = 2(S - Y)$, $\nabla_{W_2} L = H^\top\nabla_S L$, "
     r"$\nabla_Z L = \nabla_S L\,W_2^\top$",
     "undecided"),
    ("scripts of a state", STEP,
     r"$a_t = W_{hx}x_t + W_{hh}h_{t-1} + b$, $da_t = dh_t\circ(1 - h_t^2)$, "
     r"$dW_{hx} = da_t x_t^\top$", "proved"),
    ("scripts of a state, wrong", STEP,
     r"$a_t = W_{hx}x_t + W_{hh}h_{t-1} + b$, $da_t = dh_t\circ(1 - h_t^2)$, "
     r"$dW_{hh} = da_t h_t^\top$", "refuted"),
    ("names of another kind", NORM,
     r"$\nabla_w L = \sum_n \nabla_y L\odot x$, $\nabla_x L = \nabla_y L\odot w$", "proved"),
    ("names of another kind, wrong", NORM,
     r"$\nabla_w L = \sum_n \nabla_y L\odot x$, $\nabla_x L = 2\,\nabla_y L\odot w$", "refuted"),
]
# fmt: on


@pytest.mark.parametrize(
    ("model", "text", "verdict"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS]
)
def test_symbols_are_told_from_the_lines(model: str, text: str, verdict: str) -> None:
    report = verify(written(model), text, explain=False)
    assert report.verdict == verdict, str(report)
