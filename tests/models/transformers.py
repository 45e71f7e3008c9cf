"""The text of a language model of any depth: pre-norm blocks over embedded tokens."""

from __future__ import annotations

HEAD = """\
# A transformer of {blocks} pre-norm blocks: causal attention with heads, GELU, cross-entropy.
dims  T = 3, D = 4, A = 2, E = 2, M = 5, V = 3
data  X0[T, D], Y[T, V], C[T, T], eps
assume Y onehot
assume C causal
assume eps positive
"""
PARAMETERS = """\
param g{k}[D], h{k}[D], Wq{k}[A, D, E], Wk{k}[A, D, E], Wv{k}[A, D, E], Wo{k}[A, E, D]
param i{k}[D], j{k}[D], W{k}[M, D], b{k}[M], U{k}[D, M], c{k}[D]
"""
BLOCK = """
mu{k}  = mean(X{j}, axis=1, keepdims=True)
s{k}   = sqrt(mean((X{j} - mu{k})**2, axis=1, keepdims=True) + eps)
N{k}   = g{k} * ((X{j} - mu{k}) / s{k}) + h{k}
Q{k}   = N{k} @ Wq{k}
K{k}   = N{k} @ Wk{k}
V{k}   = N{k} @ Wv{k}
P{k}   = softmax(Q{k} @ swap(K{k}, 1, 2) / sqrt(E) + C, axis=2)
H{k}   = P{k} @ V{k}
R{k}   = X{j} + sum(H{k} @ Wo{k}, axis=0)
nu{k}  = mean(R{k}, axis=1, keepdims=True)
t{k}   = sqrt(mean((R{k} - nu{k})**2, axis=1, keepdims=True) + eps)
Z{k}   = (i{k} * ((R{k} - nu{k}) / t{k}) + j{k}) @ W{k}.T + b{k}
B{k}   = tanh(sqrt(2 / pi) * (Z{k} + 0.044715 * Z{k}**3))
X{k}   = R{k} + (Z{k} * (1 + B{k}) / 2) @ U{k}.T + c{k}
"""
TAIL = """
S = softmax(X{blocks} @ Wu.T, axis=1)
L = -sum(Y * log(S)) / T

output L
"""


def transformer(blocks: int) -> str:
    """The model file of a transformer with so many blocks, every block with its own parameters."""
    parameters = (PARAMETERS.format(k=k) for k in range(1, blocks + 1))
    bodies = (BLOCK.format(k=k, j=k - 1) for k in range(1, blocks + 1))
    head, tail = HEAD.format(blocks=blocks), TAIL.format(blocks=blocks)
    return "".join((head, *parameters, "param Wu[V, D]\n", *bodies, tail))
