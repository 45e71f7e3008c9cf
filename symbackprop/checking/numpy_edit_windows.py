"""Edits of NumPy code that slides: kernels turned round or not, ``convolve`` for ``correlate``, and
modes. Rows of the table of :mod:`.numpy_edits`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symbackprop.checking.numpy_sites import Edit, Place, called, parsed

TURNED = "a[::-1]"
OTHER = {"convolve": "correlate", "correlate": "convolve"}


def flips(p: Place) -> Iterator[Edit]:
    """A kernel that should be turned round, or should not be; correlation for convolution."""
    node = p.node
    plain = _plain(node)
    if plain is not None:
        yield Edit("wrong-index", node, plain, 1.0, "{old} should not be turned round")
        return
    if called(node) not in OTHER or not isinstance(node, ast.Call) or len(node.args) < 2:
        return
    first, kernel, *rest = node.args
    if _plain(kernel) is None:
        new = ast.Call(node.func, [first, parsed(TURNED, a=kernel), *rest], node.keywords)
        yield Edit("wrong-index", node, new, 0.95, "the kernel in {old} should be turned round")
    for mode in ("full", "valid"):
        told = [ast.keyword("mode", ast.Constant(mode))]
        for word in (called(node), OTHER[called(node)]):
            function = parsed(f"np.{word}")
            new = ast.Call(function, [first, kernel], told)
            yield Edit("wrong-index", node, new, 1.1, "{new} is meant")


def turned(p: Place) -> Iterator[Edit]:
    """A kernel that multiplies a window and should be turned round."""
    if isinstance(p.node, ast.Name) and p.parents and isinstance(p.parents[0], ast.BinOp):
        said = "{old} should be turned round"
        yield Edit("wrong-index", p.node, parsed(TURNED, a=p.node), 1.3, said)


def _plain(node: ast.AST) -> ast.expr | None:
    """What is turned round in ``w[::-1]`` or ``np.flip(w)``."""
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return node.value
    if called(node) == "flip" and isinstance(node, ast.Call) and len(node.args) == 1:
        return node.args[0]
    return None
