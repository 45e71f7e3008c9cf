"""The text of ResNet-18, or of a residual net with fewer stages of the same kind."""

from __future__ import annotations

HEAD = """\
# ResNet-18 (He et al. 2016): strided convolutions, batch norm, residual blocks, global average pooling.
dims  N = 2, C = 1, R = 3                # samples, channels of an image (published: 3), classes (1000)
dims  H = 8, W = 8                       # height and width of an image (224)
dims  {dims}    # channels of a stage (64, 128, 256, 512)
data  X[N, C, H, W], eps
index t[N] < R
"""
STEM = """
# stem
Z0 = conv2d(X, K0, stride=2, padding=3)
{norm}P  = maxpool2d(relu(Y0), 3, stride=2, padding=1)
"""
NORM = """\
m{k} = mean(Z{k}, axis=(0, 2, 3), keepdims=True)
s{k} = sqrt(mean((Z{k} - m{k})**2, axis=(0, 2, 3), keepdims=True) + eps)
B{k} = (Z{k} - m{k}) / s{k}
Y{k} = g{k}[:, None, None] * B{k} + h{k}[:, None, None]
"""
