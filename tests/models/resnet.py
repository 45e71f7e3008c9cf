"""The text of ResNet-18, or of a residual net of the same kind with fewer stages or blocks."""

from __future__ import annotations

from collections.abc import Iterator

HEAD = """\
# ResNet-18 (He et al. 2016): strided convolutions, batch norm, residuals, global average pooling.
dims  N = 2, C = 1, H = 8, W = 8         # samples, channels (published: 3), height and width (224)
dims  {widths}   # channels of the stages (64, 128, 256, 512)
dims  R = 3                              # classes (1000)
data  X[N, C, H, W], eps
index t[N] < R
"""
NORM = """\
m{k} = mean(Z{k}, axis=(0, 2, 3), keepdims=True)
s{k} = sqrt(mean((Z{k} - m{k})**2, axis=(0, 2, 3), keepdims=True) + eps)
B{k} = (Z{k} - m{k}) / s{k}
Y{k} = g{k}[:, None, None] * B{k} + h{k}[:, None, None]
"""
TAIL = """
# head
F = mean({last}, axis=(2, 3))
S = F @ V.T + d
L = cross_entropy(S, t)

output L
"""


def _convolution(k: str, source: str, options: str) -> str:
    return f"Z{k} = conv2d({source}, K{k}{options})\n" + NORM.format(k=k)


def _block(name: str, source: str, strided: bool) -> Iterator[str]:
    """A basic block: two convolutions beside a shortcut, which is strided where they are."""
    stride = ", stride=2" if strided else ""
    yield f"\n# block {name}\n"
    yield _convolution(f"{name}a", source, f"{stride}, padding=1")
    yield f"A{name}a = relu(Y{name}a)\n"
    yield _convolution(f"{name}b", f"A{name}a", ", padding=1")
    if strided:
        yield _convolution(f"{name}c", source, stride)
    yield f"A{name} = relu(Y{name}b + {f'Y{name}c' if strided else source})\n"


def resnet(stages: int = 4, blocks: int = 2) -> str:
    """The model file with so many stages of so many basic blocks; ResNet-18 has four of two."""
    params = ["param K0[D1, C, 7, 7], g0[D1], h0[D1]\n"]
    body = ["\n# stem\n", _convolution("0", "X", ", stride=2, padding=3"), "A0 = relu(Y0)\n"]
    body.append("P0 = maxpool2d(A0, 3, stride=2, padding=1)\n")
    source = "P0"
    for stage in range(1, stages + 1):
        for number in range(1, blocks + 1):
            name, strided = f"{stage}{number}", stage > 1 and number == 1
            wide, own = f"D{stage - strided}", f"D{stage}"
            kernels = [("a", f"{own}, {wide}, 3, 3"), ("b", f"{own}, {own}, 3, 3")]
            kernels += [("c", f"{own}, {wide}, 1, 1")] if strided else []
            row = [f"K{name}{c}[{s}], g{name}{c}[{own}], h{name}{c}[{own}]" for c, s in kernels]
            params.append(f"param {', '.join(row)}\n")
            body += _block(name, source, strided)
            source = f"A{name}"
    widths = ", ".join(f"D{s} = {1 + s % 2}" for s in range(1, stages + 1))
    params.append(f"param V[R, D{stages}], d[R]\nassume eps positive\n")
    return "".join((HEAD.format(widths=widths), *params, *body, TAIL.format(last=source)))
