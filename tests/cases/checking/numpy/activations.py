#| dims N, D
#| param x[N, D]
#| data dout[N, D]
#| out = relu(x)
#| L = sum(dout * out)
import numpy as np

# => backward(dout, x) ; x ; proved
def backward(dout, x):
    return np.where(x > 0, dout, 0)

# => backward(dout, x) ; x ; proved
def backward(dout, x):
    dx = np.array(dout, copy=True)
    dx[~(x > 0)] = 0.0
    return dx

# => backward(dout, out) ; x ; proved
def backward(dout, out):
    return dout * (out > 0).astype(float)

# => backward(dout, x) ; x ; proved
def backward(dout, x):
    dx = np.empty_like(x)
    for i in range(x.shape[0]):
        dx[i, :] = dout[i] * (x[i] >= 0)
    return dx

# => Relu().backward(dout, x) ; x ; proved
class Relu:
    def backward(self, dout, x):
        self.mask = (x <= 0)
        dout = dout.copy()
        dout[self.mask] = 0
        return dout

# => backward(dout, x) ; x ; proved
def backward(dout, x):
    return dout * np.sign(np.maximum(x, 0))

# => backward(dout, x) ; x ; refuted x mask
def backward(dout, x):
    dx = dout.copy()
    dx[x > 0] = 0
    return dx

# => backward(dout, x) ; x ; refuted x wrong-slope
def backward(dout, x):
    dx = dout * np.clip(x, 0, 1)
    return dx

# => backward(dout, x) ; x ; refuted x missing-slope
def backward(dout, x):
    dx = dout
    return dx

# => backward(dout, x) ; x ; refuted x
def backward(dout, x):
    dx = dout
    dx[x <= 0] = 1
    return dx
