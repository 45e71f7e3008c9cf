#| dims N, D, M
#| param X[N, D], W[D, M], b[M]
#| data dout[N, M]
#| out = X @ W + b
#| L = sum(dout * out)
import numpy as np

# => backward(dout, (X, W, b)) ; X,W,b ; proved
def backward(dout, cache):
    x, w, _ = cache
    return dout @ w.T, np.einsum("nd,nm->dm", x, dout), np.ones(len(x)) @ dout

# => backward({"x": X, "w": W}, dout) ; W,b ; proved
def backward(cache, g):
    grads = dict(W=cache["x"].T @ g)
    grads["b"] = np.add(g, 0).sum(0)
    return grads

# => backward(dout, X, W) ; X,W,b ; proved
def backward(dout, x, w):
    N, D = x.shape
    M = w.shape[1]
    dx, dw, db = np.zeros((N, D)), np.zeros((D, M)), np.zeros(M)
    for i in range(N):
        for m in range(M):
            db[m] += dout[i, m]
            dw[:, m] += x[i] * dout[i, m]
            dx[i] += w[:, m] * dout[i, m]
    return dx, dw, db

# => Affine(W, b).backward(dout, X) ; X,W,b ; proved
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def backward(self, dout, x):
        self.dW = np.dot(x.T, dout)
        self.db = dout.sum(axis=0, keepdims=True)
        dx = np.dot(dout, self.W.T)
        return dx, self.dW, self.db

# => backward(dout, X, W) ; X,W,b ; proved
def backward(dout, x, w):
    rows = [r for r in (0, 1)]
    dx = np.tensordot(dout, w, axes=([1], [1]))
    dw = np.tensordot(x, dout, axes=(0, 0))
    db = dout.swapaxes(0, 1) @ np.ones(dout.shape[0])
    return (dx, dw), db

# => backward(dout, X, W) ; X,W,b ; refuted X transpose
def backward(dout, x, w):
    dx = dout @ w
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db

# => backward(dout, X, W) ; X,W,b ; refuted W layout
def backward(dout, x, w):
    dx = dout @ w.T
    dw = dout.T @ x
    db = dout.sum(axis=0)
    return dx, dw, db

# => backward(dout, X, W) ; X,W,b ; refuted b mean-for-sum
def backward(dout, x, w):
    return dout @ w.T, x.T @ dout, dout.mean(axis=0)

# => backward(dout, X, W) ; X,W,b ; refuted b axis
def backward(dout, x, w):
    return dout @ w.T, x.T @ dout, dout.sum(axis=1)

# => backward(dout, X, W) ; X,W ; refuted W mean-for-sum
def backward(dout, x, w):
    dw = np.zeros_like(w)
    for i, row in enumerate(x):
        dw += np.outer(row, dout[i])
    dw /= len(x)
    return dout.dot(w.T), dw

# => backward(dout, X, W) ; X,W,b ; undecided
def backward(dout, x, w):
    return mystery(dout, w), x.T @ dout, dout.sum(0)

# => backward(dout, X, W) ; W ; undecided
def backward(dout, x, w):
    dw = x.T @ dout
    scramble(dw)
    return dw

# => backward(grad_W) ; W ; undecided
def backward(dw):
    return dw

# => Affine(W, b).backward(dout) ; X,W,b ; proved
class Affine:
    def __init__(self, W, b):
        self.params = {"W": W, "b": b}
        self.X = None
        self.grads = {}

    def forward(self, X):
        self.X = X
        return X @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.X.T @ dout
        self.grads["b"] = dout.sum(axis=0)
        return dout @ self.params["W"].T, self.grads["W"], self.grads["b"]
