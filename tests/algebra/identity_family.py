"""A random family of identities over whole-matrix expressions with symbolic shapes.

A :class:`Tree` is drawn, restyled by rewrites that keep its value, or spoiled by one that does not.
It is printed as text of the language, so that reading and lowering are tried as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from symbackprop.ir.program import Program
from symbackprop.library.functions import RULES
from tests.small_programs import program

Shape = tuple[str, ...]
EXTENTS = ("N", "M")
SHAPES: tuple[Shape, ...] = ((), ("N",), ("M",), ("N", "M"), ("M", "N"), ("N", "N"), ("M", "M"))
LEAVES: dict[Shape, tuple[str, ...]] = {
    (): ("a", "c"),
    ("N",): ("u", "v", "q"),
    ("M",): ("r", "t"),
    ("N", "M"): ("X", "Y"),
    ("M", "N"): ("W", "V"),
    ("N", "N"): ("A", "B", "S"),
    ("M", "M"): ("C", "D"),
}
DECLARED = (
    "data X[N,M], Y[N,M], W[M,N], V[M,N], A[N,N], B[N,N], S[N,N], C[M,M], D[M,M], "
    "u[N], v[N], q[N], r[M], t[M], a, c; function f; "
    "assume Y onehot; assume S symmetric; assume q positive"
)
GIVEN: Program = program(DECLARED, rules=RULES)
FUNCTIONS = ("tanh", "sigmoid", "exp", "sin", "relu", "f", "softplus", "abs")


@dataclass(frozen=True, slots=True)
class Tree:
    """An operation on trees; ``text`` is its template, ``{0}`` the first operand."""

    op: str
    args: tuple[Tree, ...]
    shape: Shape
    text: str

    def __str__(self) -> str:
        return self.text.format(*(str(a) for a in self.args))


def leaf(name: str, shape: Shape) -> Tree:
    return Tree("leaf", (), shape, name)


def apply(function: str, x: Tree) -> Tree:
    return Tree(function, (x,), x.shape, f"{function}({{0}})")


def binary(op: str, x: Tree, y: Tree) -> Tree:
    shape = max(x.shape, y.shape, key=len)
    return Tree(op, (x, y), shape, f"({{0}} {op} {{1}})")


def turned(x: Tree) -> Tree:
    return Tree("T", (x,), x.shape[::-1], "{0}.T" if x.op == "leaf" else "({0}).T")


def matmul(x: Tree, y: Tree) -> Tree:
    return Tree("@", (x, y), x.shape[:-1] + y.shape[1:], "({0} @ {1})")


def outer(x: Tree, y: Tree) -> Tree:
    return Tree("outer", (x, y), x.shape + y.shape, "outer({0}, {1})")


def total(x: Tree) -> Tree:
    return Tree("sum", (x,), (), "sum({0})")


def along(x: Tree, axis: int) -> Tree:
    return Tree(f"sum{axis}", (x,), (x.shape[1 - axis],), f"sum({{0}}, axis={axis})")


def softmax(x: Tree) -> Tree:
    return Tree("softmax", (x,), x.shape, f"softmax({{0}}, axis={len(x.shape) - 1})")


def number(text: str) -> Tree:
    return leaf(text, ())


def ones(extent: str) -> Tree:
    return leaf(f"ones({extent})", (extent,))


def minus(x: Tree) -> Tree:
    return Tree("neg", (x,), x.shape, "(-{0})")


def times(k: str, x: Tree) -> Tree:
    return binary("*", number(k), x)


def trace(x: Tree) -> Tree:
    return Tree("trace", (x,), (), "trace({0})")


def diagonal(x: Tree) -> Tree:
    """The diagonal of a matrix, or the diagonal matrix of a vector."""
    return Tree("diag", (x,), x.shape[:1] if len(x.shape) == 2 else x.shape * 2, "diag({0})")


def draw(rng: random.Random, shape: Shape, depth: int) -> Tree:
    """A random tree of this shape."""
    if depth <= 0:
        return leaf(rng.choice(LEAVES[shape]), shape)

    def inner(s: Shape) -> Tree:
        return draw(rng, s, depth - rng.choice((1, 1, 2)))

    makers: list[Callable[[], Tree]] = [
        lambda: binary(rng.choice("+-"), inner(shape), inner(shape)),
        lambda: binary("*", inner(shape), inner(shape)),
        lambda: apply(rng.choice(FUNCTIONS), inner(shape)),
        lambda: times(rng.choice(("2", "a", "1/3")), inner(shape)),
    ]
    e = rng.choice(EXTENTS)
    if len(shape) == 2:
        n, m = shape
        makers += [
            lambda: matmul(inner((n, e)), inner((e, m))),
            lambda: matmul(inner((n, e)), inner((e, m))),
            lambda: turned(inner((m, n))),
            lambda: outer(inner((n,)), inner((m,))),
            lambda: softmax(inner(shape)),
        ]
        if n == m:
            makers.append(lambda: diagonal(inner((n,))))
    elif len(shape) == 1:
        makers += [
            lambda: matmul(inner((shape[0], e)), inner((e,))),
            lambda: along(inner((shape[0], e)), 1),
            lambda: along(inner((e, shape[0])), 0),
            lambda: softmax(inner(shape)),
            lambda: diagonal(inner(shape * 2)),
        ]
    else:
        makers += [
            lambda: total(inner(rng.choice(SHAPES[1:]))),
            lambda: matmul(inner((e,)), inner((e,))),
            lambda: trace(inner((e, e))),
            lambda: Tree("logsumexp", (inner((e,)),), (), "logsumexp({0})"),
        ]
    return rng.choice(makers)()


def places(x: Tree, at: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Tree]]:
    """All subtrees with their positions."""
    yield at, x
    for k, y in enumerate(x.args):
        yield from places(y, (*at, k))


def put(x: Tree, at: tuple[int, ...], new: Tree) -> Tree:
    """The tree with another subtree at a position."""
    if not at:
        return new
    args = tuple(put(y, at[1:], new) if k == at[0] else y for k, y in enumerate(x.args))
    return replace(x, args=args)
