#| dims D, H
#| data x1[D], x2[D], g[H]
#| param h0[H], U[H, D], W[H, H], b[H]
#| a1 = U @ x1 + W @ h0 + b
#| h1 = tanh(a1)
#| a2 = U @ x2 + W @ h1 + b
#| h2 = tanh(a2)
#| L = dot(g, h2)
import numpy as np

# => bptt(g, [x1, x2], [h0, h1, h2], U, W) ; U,W,b,h0 ; proved
def bptt(dh, xs, hs, U, W):
    dU, dW = np.zeros_like(U), np.zeros_like(W)
    db = np.zeros(W.shape[0])
    for t in range(len(xs) - 1, -1, -1):
        da = dh * (1 - hs[t + 1] ** 2)
        dU += np.outer(da, xs[t])
        dW += np.outer(da, hs[t])
        db += da
        dh = W.T @ da
    return dU, dW, db, dh

# => bptt(g, {0: x1, 1: x2}, {-1: h0, 0: h1, 1: h2}, U, W) ; U,W,b,h0 ; proved
def step(dh, x, prev, h, W):
    da = dh * (1 - h * h)
    return np.outer(da, x), np.outer(da, prev), da, da @ W


def bptt(dh, xs, hs, U, W):
    total = [0, 0, 0]
    for t in reversed(range(2)):
        *_, = ()
        dU, dW, da, dh = step(dh, xs[t], hs[t - 1], hs[t], W)
        total[0] = total[0] + dU
        total[1] = total[1] + dW
        total[2] = total[2] + da
    return total[0], total[1], total[2], dh

# => bptt(g, x1, x2, h0, h1, h2, W) ; U,W,b ; refuted U
def bptt(g, x1, x2, h0, h1, h2, W):
    da2 = g * (1 - h2 ** 2)
    da1 = (W.T @ da2) * (1 - h1 ** 2)
    dU = np.outer(da2, x2)
    dW = np.outer(da2, h1) + np.outer(da1, h0)
    db = da1 + da2
    return dU, dW, db

# => bptt(g, x1, x2, h0, h1, h2, W) ; U,W,b ; refuted W wrong-name
def bptt(g, x1, x2, h0, h1, h2, W):
    da2 = g * (1 - h2 ** 2)
    da1 = (W.T @ da2) * (1 - h1 ** 2)
    dU = np.outer(da2, x2) + np.outer(da1, x1)
    dW = np.outer(da2, h2) + np.outer(da1, h0)
    db = da1 + da2
    return dU, dW, db

# => bptt(g, x1, x2, h0, h1, h2, W) ; U,W,b ; refuted a1 transpose
def bptt(g, x1, x2, h0, h1, h2, W):
    da2 = g * (1 - h2 ** 2)
    da1 = (W @ da2) * (1 - h1 ** 2)
    dU = np.outer(da2, x2) + np.outer(da1, x1)
    dW = np.outer(da2, h1) + np.outer(da1, h0)
    db = da1 + da2
    return dU, dW, db

# => bptt(g, x1, x2, h0, h1, h2, W) ; U,W,b ; refuted U outer-transposed
def bptt(g, x1, x2, h0, h1, h2, W):
    da2 = g * (1 - h2 ** 2)
    da1 = (W.T @ da2) * (1 - h1 ** 2)
    dU = (x2[:, None] * da2 + x1[:, None] * da1)
    dW = np.outer(da2, h1) + np.outer(da1, h0)
    db = da1 + da2
    return dU, dW, db
