#| dims N, D
#| param X[N, D], gamma[D], beta[D]
#| data dout[N, D], eps
#| assume eps positive
#| mu = mean(X, axis=1, keepdims=True)
#| Xc = X - mu
#| var = mean(Xc**2, axis=1, keepdims=True)
#| std = sqrt(var + eps)
#| Xh = Xc / std
#| out = gamma * Xh + beta
#| L = sum(dout * out)
import numpy as np

# => backward(dout, X, gamma, eps) ; X,gamma,beta ; proved
def backward(dout, X, gamma, eps):
    std = np.sqrt(X.var(axis=1, keepdims=True) + eps)
    xhat = (X - X.mean(axis=1, keepdims=True)) / std
    g = gamma * dout
    dx = (g - np.mean(g, axis=1, keepdims=True)
          - xhat * np.mean(g * xhat, axis=-1, keepdims=True)) / std
    return dx, (dout * xhat).sum(0), dout.sum(0)

# => backward(dout, Xh, gamma, std) ; gamma,beta ; proved
def backward(dout, xhat, gamma, std):
    dgamma, dbeta = np.zeros_like(gamma), np.zeros_like(gamma)
    for d, x in zip(dout, xhat):
        dgamma += d * x
        dbeta += d
    return dgamma, dbeta

# => backward(dout, Xh, gamma, std) ; X,gamma,beta ; refuted X
def backward(dout, xhat, gamma, std):
    dxhat = dout * gamma
    dx = (dxhat - xhat * (dxhat * xhat).mean(axis=1, keepdims=True)) / std
    return dx, (dout * xhat).sum(0), dout.sum(0)

# => backward(dout, Xh, gamma, std) ; gamma,beta ; refuted gamma wrong-name
def backward(dout, xhat, gamma, std):
    dgamma = np.sum(dout * dout, axis=0)
    return dgamma, dout.sum(0)
