#| dims N, D, C
#| data X[N, D], Y[N, C]
#| param W[D, C], b[C], reg
#| assume Y onehot
#| S = X @ W + b
#| P = softmax(S)
#| L = -sum(Y * log(P)) / N + reg * sum(W**2) / 2
import numpy as np

# => loss(X, Y, W, b, reg) ; W,b ; proved
def loss(X, Y, W, b, reg):
    scores = X @ W + b
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    probs = np.exp(shifted)
    probs /= probs.sum(axis=1, keepdims=True)
    y = np.argmax(Y, axis=1)
    value = -np.log(probs[range(len(y)), y]).mean() + 0.5 * reg * np.sum(W * W)
    dscores = probs
    dscores[range(X.shape[0]), y] -= 1
    dscores /= X.shape[0]
    dW = X.T @ dscores + reg * W
    return value, {"W": dW, "b": dscores.sum(axis=0)}

# => grads(X, Y, W, b, reg, P) ; W,b ; proved
def grads(X, Y, W, b, reg, P):
    y = Y.argmax(1)
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    for i in range(X.shape[0]):
        d = P[i].copy()
        d[y[i]] -= 1
        dW += X[i][:, np.newaxis] * d
        db += d
    return dW / X.shape[0] + reg * W, db / X.shape[0]

# => grads(X, Y, W, reg, P) ; W,b ; proved
def grads(X, Y, W, reg, P):
    g = np.subtract(P, Y) / Y.shape[0]
    return np.einsum("ij,ik->jk", X, g) + W * reg, np.einsum("ik->k", g)

# => grads(X, Y, W, reg, P) ; W,b ; refuted W regulariser
def grads(X, Y, W, reg, P):
    dS = (P - Y) / Y.shape[0]
    dW = X.T @ dS
    db = dS.sum(axis=0)
    return dW, db

# => grads(X, Y, W, reg, P) ; W,b ; refuted W factor
def grads(X, Y, W, reg, P):
    dS = (P - Y) / Y.shape[0]
    dW = X.T @ dS + 2 * reg * W
    db = dS.sum(axis=0)
    return dW, db

# => grads(X, Y, W, reg, P) ; W,b ; refuted S sign
def grads(X, Y, W, reg, P):
    dS = (P + Y) / Y.shape[0]
    dW = X.T @ dS + reg * W
    db = dS.sum(axis=0)
    return dW, db
