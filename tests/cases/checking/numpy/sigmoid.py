#| dims N, D
#| data X[N, D], y[N]
#| param w[D], b
#| assume y binary
#| z = X @ w + b
#| p = sigmoid(z)
#| L = -sum(y * log(p) + (1 - y) * log(1 - p)) / N
import numpy as np

# => grads(X, y, w, b) ; w,b ; proved
def sigmoid(t):
    return 1.0 / (1.0 + np.exp(-t))


def grads(X, y, w, b):
    p = sigmoid(X @ w + b)
    err = p - y
    return X.T @ err / len(y), np.mean(err)

# => grads(X, y, p) ; w,b ; proved
def grads(X, y, p):
    gw, gb = 0, 0
    for xi, yi, pi in zip(X, y, p):
        gw = gw + (pi - yi) * xi
        gb += pi - yi
    return gw / X.shape[0], gb / X.shape[0]

# => grads(X, y, p) ; w,b ; proved
def grads(X, y, p):
    dp = -(y / p - (1 - y) / (1 - p)) / y.size
    dz = dp * p * (1 - p)
    return (dz[:, None] * X).sum(axis=0), dz.sum()

# => grads(X, y, p) ; w,b ; proved
def grads(X, y, p):
    s = lambda u: (u - y).reshape(-1, 1)
    return np.squeeze(X.T @ s(p)) / X.shape[0], (s(p) / X.shape[0]).sum()

# => grads(X, y, p) ; w,b ; refuted z extra-slope
def grads(X, y, p):
    dz = (p - y) * p * (1 - p) / len(y)
    return X.T @ dz, dz.sum()

# => grads(X, y, p) ; w,b ; refuted w mean-for-sum
def grads(X, y, p):
    dz = (p - y) / len(y)
    dw = X.T @ dz / len(y)
    db = dz.sum()
    return dw, db

# => grads(X, y, p) ; w,b ; refuted b bias-not-summed
def grads(X, y, p):
    dz = (p - y) / len(y)
    dw = X.T @ dz
    db = dz
    return dw, db
