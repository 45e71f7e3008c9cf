#| dims N, D, H, K
#| data X[N, D], T[N, K]
#| param W1[D, H], b1[H], W2[H, K], b2[K]
#| Z1 = X @ W1 + b1
#| A1 = tanh(Z1)
#| Z2 = A1 @ W2 + b2
#| L = sum((Z2 - T)**2) / (2*N)
import numpy as np

# => backward(X, T, (W1, b1, W2, b2)) ; W1,b1,W2,b2 ; proved
def forward(X, params):
    W1, b1, W2, b2 = params
    Z1 = X.dot(W1) + b1
    A1 = np.tanh(Z1)
    return A1, A1.dot(W2) + b2


def backward(X, T, params):
    A1, out = forward(X, params)
    d = (out - T) / X.shape[0]
    dW2 = A1.T.dot(d)
    dh = d.dot(params[2].T) * (1 - np.square(A1))
    return X.T.dot(dh), dh.sum(0), dW2, d.sum(0)

# => backward(X, T, W1, b1, W2, b2) ; W1,b1,W2,b2 ; proved
def backward(X, T, W1, b1, W2, b2):
    N = len(X)
    dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
    dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
    for n in range(N):
        h = np.tanh(X[n] @ W1 + b1)
        e = h @ W2 + b2 - T[n]
        dW2 += np.outer(h, e) / N
        db2 += e / N
        delta = (W2 @ e) * (1 - h ** 2)
        dW1 += np.outer(X[n], delta) / N
        db1 += delta / N
    return dW1, db1, dW2, db2

# => backward(X, T, {"W": [W1, W2], "b": [b1, b2]}) ; W1,W2,b1,b2 ; proved
def backward(X, T, p):
    acts = [X]
    for layer in range(2):
        z = acts[layer] @ p["W"][layer] + p["b"][layer]
        acts.append(np.tanh(z) if layer == 0 else z)
    delta = (acts[-1] - T) / T.shape[0]
    dW, db = [None, None], [None, None]
    for layer in reversed(range(2)):
        dW[layer] = acts[layer].T @ delta
        db[layer] = np.sum(delta, axis=0)
        if layer > 0:
            delta = (delta @ p["W"][layer].T) * (1 - acts[layer] ** 2)
    return dW[0], dW[1], db[0], db[1]

# => backward(X, T, A1, Z2, W2) ; W1,b1,W2,b2 ; proved
def backward(X, T, A1, out, W2):
    # as in many courses, the mean is taken last
    dZ2 = out - T
    m = X.shape[0]
    dW2 = A1.T @ dZ2 / m
    db2 = np.sum(dZ2, axis=0, keepdims=True) / m
    dZ1 = dZ2 @ W2.T * (1 - np.power(A1, 2))
    return {"dW1": X.T @ dZ1 / m, "db1": dZ1.mean(axis=0), "dW2": dW2, "db2": db2}

# => backward(X, T, A1, Z2, W2) ; W1,b1,W2,b2 ; refuted b2 mean-for-sum
def backward(X, T, A1, out, W2):
    dZ2 = out - T
    m = X.shape[0]
    dW2 = A1.T @ dZ2 / m
    db2 = np.sum(dZ2, axis=0)
    dZ1 = dZ2 @ W2.T * (1 - np.power(A1, 2))
    dW1 = X.T @ dZ1 / m
    db1 = dZ1.mean(axis=0)
    return dW1, db1, dW2, db2

# => backward(X, T, A1, Z2, W2) ; W1,b1,W2,b2 ; refuted Z1 missing-slope
def backward(X, T, A1, out, W2):
    dZ2 = (out - T) / X.shape[0]
    dZ1 = dZ2 @ W2.T
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)

# => backward(X, T, A1, Z2, W2) ; W1,b1,W2,b2 ; refuted Z1 wrong-slope
def backward(X, T, A1, out, W2):
    dZ2 = (out - T) / X.shape[0]
    dZ1 = dZ2 @ W2.T * (A1 * (1 - A1))
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)

# => backward(X, T, A1, Z2, W2) ; W1,b1,W2,b2 ; refuted Z2 sign
def backward(X, T, A1, out, W2):
    dZ2 = (T - out) / X.shape[0]
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    dW2 = A1.T @ dZ2
    return X.T @ dZ1, dZ1.sum(0), dW2, dZ2.sum(0)

# => backward(X, T, A1, Z2, Z1, W2) ; W1,b1,W2,b2 ; refuted Z1 slope-point
def backward(X, T, A1, out, Z1, W2):
    dZ2 = (out - T) / X.shape[0]
    dZ1 = dZ2 @ W2.T * (1 - Z1 ** 2)
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)

# => backward(X, T, A1, Z2, W2) ; W1,b1,W2,b2 ; refuted Z2 factor
def backward(X, T, A1, out, W2):
    dZ2 = 2 * (out - T) / X.shape[0]
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    return X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)

# => step(X, T, W1, b1, W2, b2, A1, Z2) ; W1,b1,W2,b2 ; refuted Z1 updated-weights
def step(X, T, W1, b1, W2, b2, A1, out):
    dZ2 = (out - T) / X.shape[0]
    dW2 = A1.T @ dZ2
    W2 -= 0.1 * dW2
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    return X.T @ dZ1, dZ1.sum(0), dW2, dZ2.sum(0)

# => backward(X, T, A1, Z2, W2) ; W1,b1 ; refuted W1
def backward(X, T, A1, out, W2):
    dZ2 = (out - T) / X.shape[0]
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dW1 = A1.T @ dZ2 @ W2.T
    return dW1, db1
