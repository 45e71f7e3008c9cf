"""The text of GPT-2 with any number of blocks; the model that ships has twelve."""

from __future__ import annotations

HEAD = """\
# GPT-2 (Radford et al. 2019): {blocks} pre-norm blocks, causal attention, tied embedding.
dims  N = 2, T = 3, V = 5                # sequences, tokens in each (1024), words (50257)
dims  D = 4, A = 2, E = 2, M = 3         # width (768), heads (12), their width (64), hidden (3072)
index t[N, T] < V                        # the tokens
index u[N, T] < V                        # at each place the token that follows
data  C[T, T], eps                       # causal mask
param Wte[V, D], Wpe[T, D]               # embeddings of tokens (also for the scores) and of places
"""
PARAMETERS = """\

param ga{k}[D], ba{k}[D], gm{k}[D], bm{k}[D]
param Wq{k}[D, A*E], bq{k}[A, E], Wk{k}[D, A*E], bk{k}[A, E], Wv{k}[D, A*E], bv{k}[A, E]
param Wo{k}[A*E, D], bo{k}[D], W{k}[D, M], b{k}[M], U{k}[M, D], c{k}[D]
"""
FACTS = """
param g[D], b[D]
assume C causal
assume eps positive

X0 = Wte[t] + Wpe
"""
BLOCK = """
# block {k}
mu{k} = mean(X{j}, axis=2, keepdims=True)
sa{k} = sqrt(mean((X{j} - mu{k})**2, axis=2, keepdims=True) + eps)
Xa{k} = (X{j} - mu{k}) / sa{k}
Z{k}  = ga{k} * Xa{k} + ba{k}
Q{k}  = swap(reshape(Z{k} @ Wq{k}, N, T, A, E) + bq{k}, 1, 2)
K{k}  = swap(reshape(Z{k} @ Wk{k}, N, T, A, E) + bk{k}, 1, 2)
V{k}  = swap(reshape(Z{k} @ Wv{k}, N, T, A, E) + bv{k}, 1, 2)
P{k}  = softmax(Q{k} @ swap(K{k}, 2, 3) / sqrt(E) + C, axis=3)
O{k}  = reshape(swap(P{k} @ V{k}, 1, 2), N, T, A*E)
R{k}  = X{j} + O{k} @ Wo{k} + bo{k}
nu{k} = mean(R{k}, axis=2, keepdims=True)
sm{k} = sqrt(mean((R{k} - nu{k})**2, axis=2, keepdims=True) + eps)
Xm{k} = (R{k} - nu{k}) / sm{k}
Y{k}  = gm{k} * Xm{k} + bm{k}
F{k}  = Y{k} @ W{k} + b{k}
B{k}  = tanh(sqrt(2 / pi) * (F{k} + 0.044715 * F{k}**3))    # GELU in its tanh form
G{k}  = F{k} * (1 + B{k}) / 2
X{k}  = R{k} + G{k} @ U{k} + c{k}
"""
TAIL = """
mu = mean(X{blocks}, axis=2, keepdims=True)
s  = sqrt(mean((X{blocks} - mu)**2, axis=2, keepdims=True) + eps)
X  = (X{blocks} - mu) / s
H  = g * X + b
Z  = H @ Wte.T
L  = cross_entropy(Z, u)

output L
"""

#: The same with one block in a loop; what follows the blocks has other names, as theirs are taken.
LOOP = """
param ga[l in 1..{k}][D], ba[l in 1..{k}][D], gm[l in 1..{k}][D], bm[l in 1..{k}][D]
param Wq[l in 1..{k}][D, A*E], bq[l in 1..{k}][A, E], Wk[l in 1..{k}][D, A*E], bk[l in 1..{k}][A, E]
param Wv[l in 1..{k}][D, A*E], bv[l in 1..{k}][A, E], Wo[l in 1..{k}][A*E, D], bo[l in 1..{k}][D]
param W[l in 1..{k}][D, M], b[l in 1..{k}][M], U[l in 1..{k}][M, D], c[l in 1..{k}][D]
param gf[D], bf[D]
assume C causal
assume eps positive

X[0]  = Wte[t] + Wpe
mu[l] = mean(X[l-1], axis=2, keepdims=True) for l in 1..{k}
sa[l] = sqrt(mean((X[l-1] - mu[l])**2, axis=2, keepdims=True) + eps) for l in 1..{k}
Xa[l] = (X[l-1] - mu[l]) / sa[l] for l in 1..{k}
Z[l]  = ga[l] * Xa[l] + ba[l] for l in 1..{k}
Q[l]  = swap(reshape(Z[l] @ Wq[l], N, T, A, E) + bq[l], 1, 2) for l in 1..{k}
K[l]  = swap(reshape(Z[l] @ Wk[l], N, T, A, E) + bk[l], 1, 2) for l in 1..{k}
V[l]  = swap(reshape(Z[l] @ Wv[l], N, T, A, E) + bv[l], 1, 2) for l in 1..{k}
P[l]  = softmax(Q[l] @ swap(K[l], 2, 3) / sqrt(E) + C, axis=3) for l in 1..{k}
O[l]  = reshape(swap(P[l] @ V[l], 1, 2), N, T, A*E) for l in 1..{k}
R[l]  = X[l-1] + O[l] @ Wo[l] + bo[l] for l in 1..{k}
nu[l] = mean(R[l], axis=2, keepdims=True) for l in 1..{k}
sm[l] = sqrt(mean((R[l] - nu[l])**2, axis=2, keepdims=True) + eps) for l in 1..{k}
Xm[l] = (R[l] - nu[l]) / sm[l] for l in 1..{k}
Y[l]  = gm[l] * Xm[l] + bm[l] for l in 1..{k}
F[l]  = Y[l] @ W[l] + b[l] for l in 1..{k}
B[l]  = tanh(sqrt(2 / pi) * (F[l] + 0.044715 * F[l]**3)) for l in 1..{k}
G[l]  = F[l] * (1 + B[l]) / 2 for l in 1..{k}
X[l]  = R[l] + G[l] @ U[l] + c[l] for l in 1..{k}

mf = mean(X[{k}], axis=2, keepdims=True)
sf = sqrt(mean((X[{k}] - mf)**2, axis=2, keepdims=True) + eps)
Xf = (X[{k}] - mf) / sf
H  = gf * Xf + bf
Zf = H @ Wte.T
L  = cross_entropy(Zf, u)

output L
"""


def gpt(blocks: int) -> str:
    """The model file of GPT-2 with so many blocks."""
    numbers = range(1, blocks + 1)
    parameters = (PARAMETERS.format(k=k).lstrip("\n" if k > 1 else "") for k in numbers)
    bodies = (BLOCK.format(k=k, j=k - 1) for k in numbers)
    head, tail = HEAD.format(blocks=blocks), TAIL.format(blocks=blocks)
    return "".join((head, *parameters, FACTS, *bodies, tail))


def gpt_in_a_loop(blocks: int) -> str:
    """GPT-2 with so many blocks, all in the lines of one."""
    head = HEAD.format(blocks=blocks).replace("V = 5", "S = 5").replace("< V", "< S")
    return head.replace("Wte[V", "Wte[S") + LOOP.format(k=blocks)
