"""Small models in which quantities recur, of many kinds, and the same nets written out for a number
of steps.
"""

from __future__ import annotations

# fmt: off
MODELS = {
    "products without a name": """
        dims N, M, K
        data X[N, M], y[N, M]
        param W[l in 1..K][M, M], b[l in 1..K][M]
        H[0] = X
        H[l] = tanh(H[l-1] @ W[l].T + b[l]) for l in 1..K
        L = sum((H[K] - y)**2)
    """,
    "a stack as a whole": """
        dims T, N, D, M
        data X[t in 1..T][N, D], Y[t in 1..T][N, M]
        param U[M, M], W[M, D], lam
        h[0] = zeros(N, M)
        h[t] = tanh(h[t-1] @ U.T + X[t] @ W.T) for t in 1..T
        yhat[t] = h[t] * lam for t in 1..T
        L = sum((yhat - Y)**2)
    """,
    "weight decay over all layers": """
        dims N, M, K
        data X[N, M], y[N, M]
        param W[l in 1..K][M, M], lam
        H[0] = X
        H[l] = H[l-1] + tanh(H[l-1] @ W[l].T) for l in 1..K
        L = sum((H[K] - y)**2) + lam * sum(W**2)
    """,
    "numbers": """
        dims T
        data x[t in 1..T]
        param w, u
        h[0] = 0
        h[t] = tanh(w * h[t-1] + u * x[t]) for t in 1..T
        L = h[T]**2
    """,
    "columns and an abstract function": """
        dims M, K
        data x[M], y[M]
        param W[l in 1..K][M, M], b[l in 1..K][M]
        function f
        a[0] = x
        z[l] = W[l] @ a[l-1] + b[l] for l in 1..K
        a[l] = f(z[l]) for l in 1..K
        L = sum((a[K] - y)**2) / 2
    """,
    "look-ups and softmax at every step": """
        dims T, N, V, M
        index x[t in 1..T][N] < V
        data Y[t in 1..T][N, V]
        assume Y onehot
        param E[V, M], U[M, M], C[V, M]
        h[0] = zeros(N, M)
        h[t] = tanh(E[x[t]] + h[t-1] @ U.T) for t in 1..T
        P[t] = softmax(h[t] @ C.T, axis=1) for t in 1..T
        L = -sum[t](sum(Y[t] * log(P[t]))) / (N*T)
    """,
    "one recurrence after another": """
        dims S, T, N, D, M
        data X[s in 1..S][N, D], Y[t in 1..T][N, M]
        param A[M, M], B[M, D], C[M, M]
        e[0] = zeros(N, M)
        e[s] = tanh(e[s-1] @ A.T + X[s] @ B.T) for s in 1..S
        h[0] = e[S]
        h[t] = tanh(h[t-1] @ C.T) for t in 1..T
        L = sum[t](sum((h[t] - Y[t])**2))
    """,
    "a number of layers": """
        dims N, M
        data X[N, M], y[N, M]
        param W[l in 1..3][M, M]
        H[0] = X
        H[l] = tanh(H[l-1] @ W[l].T) for l in 1..3
        L = sum((H[3] - y)**2)
    """,
    "control": """
        dims T, D
        data A[D, D], y[D]
        param u[t in 1..T][D], x0[D]
        x[0] = x0
        x[t] = A @ x[t-1] + u[t] for t in 1..T
        L = sum((x[T] - y)**2) + sum[t](sum(u[t]**2))
    """,
}
# fmt: on


def deep_net(steps: int) -> str:
    """``deep-net`` written out."""
    names = range(1, steps + 1)
    lines = [
        "dims N, M",
        "data X[N, M], Y[N, M]",
        "param " + ", ".join(f"W{k}[M, M], b{k}[M]" for k in names),
    ]
    for k in names:
        before = f"H{k - 1}" if k > 1 else "X"
        lines += [f"Z{k} = {before} @ W{k}.T + b{k}", f"H{k} = tanh(Z{k})"]
    return "\n".join([*lines, f"L = sum((H{steps} - Y)**2) / N"])


def rnn(steps: int) -> str:
    """``rnn`` written out."""
    names = range(1, steps + 1)
    lines = [
        "dims N, D, M, C",
        "data " + ", ".join(f"X{t}[N, D], Y{t}[N, C]" for t in names),
        "param U[M, M], W[M, D], b[M], V[C, M], c[C], h0[M]",
        "s0 = zeros(N, M) + h0",
    ]
    for t in names:
        lines += [
            f"a{t} = s{t - 1} @ U.T + X{t} @ W.T + b",
            f"s{t} = tanh(a{t})",
            f"yhat{t} = s{t} @ V.T + c",
            f"loss{t} = sum((yhat{t} - Y{t})**2)",
        ]
    total = " + ".join(f"loss{t}" for t in names)
    return "\n".join([*lines, f"L = ({total}) / N"])
