#| dims N, V, E
#| data g[N, E]
#| index t[N] < V
#| param T[V, E]
#| h = T[t]
#| L = sum(g * h)
import numpy as np

# => backward(g, t, T) ; T ; proved
def backward(g, t, T):
    dT = np.zeros_like(T)
    np.add.at(dT, t, g)
    return dT

# => backward(g, t, T) ; T ; proved
def backward(g, t, T):
    dT = np.zeros(T.shape)
    for i, k in enumerate(t):
        dT[k] += g[i]
    return dT

# => backward(g, t, T) ; T ; proved
def backward(g, t, T):
    return np.eye(T.shape[0])[t].T @ g

# => backward(g, t, T) ; T ; undecided
def backward(g, t, T):
    dT = np.zeros_like(T)
    dT[t] += g
    return dT
