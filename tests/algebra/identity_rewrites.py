"""Rewrites of random identities: those that keep the value, and those that change it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.algebra.identity_family import (
    FUNCTIONS,
    LEAVES,
    Tree,
    along,
    apply,
    binary,
    diagonal,
    leaf,
    matmul,
    minus,
    number,
    ones,
    outer,
    places,
    put,
    softmax,
    times,
    total,
    trace,
    turned,
)

ELEMENTWISE = frozenset(FUNCTIONS) | {"neg"}
LINEAR = ("T", "sum", "sum0", "sum1", "trace", "diag", "neg")


def same_value(x: Tree, rng: random.Random) -> Iterator[Tree]:
    """Other ways to write the root of a tree."""
    yield from _arithmetic(x, rng)
    yield from _matrices(x, rng)
    yield from _functions(x, rng)


def _arithmetic(x: Tree, rng: random.Random) -> Iterator[Tree]:
    y = leaf(rng.choice(LEAVES[x.shape]), x.shape)
    yield binary("-", binary("+", x, y), y)
    yield binary("-", times("3", x), times("2", x))
    yield binary("/", times("c", x), number("c"))
    if x.op in ("+", "*"):
        yield binary(x.op, x.args[1], x.args[0])
        b = x.args[1]
        if b.op == x.op:
            yield binary(x.op, binary(x.op, x.args[0], b.args[0]), b.args[1])
    if x.op == "-":
        yield binary("+", x.args[0], minus(x.args[1]))
        yield minus(binary("-", x.args[1], x.args[0]))
    if x.op == "*":
        a, b = x.args
        if b.op in ("+", "-"):
            yield binary(b.op, binary("*", a, b.args[0]), binary("*", a, b.args[1]))
        if a == b:
            yield Tree("square", (a,), x.shape, "({0})**2")


def _matrices(x: Tree, rng: random.Random) -> Iterator[Tree]:
    if len(x.shape) == 2:
        yield turned(turned(x))
    if x.op == "@":
        yield from _products(*x.args)
    if x.op == "outer":
        a, b = x.args
        yield turned(outer(b, a))
        yield binary("*", outer(a, ones(b.shape[0])), outer(ones(a.shape[0]), b))
    if x.op in LINEAR:
        (a,) = x.args
        if a.op in ("+", "-") and a.args[0].shape == a.args[1].shape == a.shape:
            yield binary(a.op, _like(x, a.args[0]), _like(x, a.args[1]))
    if x.op == "T":
        yield from _transposed(x.args[0])
    if x.op == "sum1":
        yield matmul(x.args[0], ones(x.args[0].shape[1]))
        yield along(turned(x.args[0]), 0)
    if x.op == "sum0":
        yield matmul(ones(x.args[0].shape[0]), x.args[0])
        yield along(turned(x.args[0]), 1)
    if x.op == "sum" and len(x.args[0].shape) == 2:
        yield total(along(x.args[0], 0))
        yield total(turned(x.args[0]))
    if x.op == "trace":
        yield from _traces(x.args[0])
    if x.op == "diag" and x.args[0].op == "@" and len(x.shape) == 1:
        a, b = x.args[0].args
        yield along(binary("*", a, turned(b)), 1)


def _like(x: Tree, inner: Tree) -> Tree:
    """The operation of ``x`` on another operand of the same shape."""
    return put(x, (0,), inner)


def _products(a: Tree, b: Tree) -> Iterator[Tree]:
    if len(a.shape) == len(b.shape) == 2:
        yield turned(matmul(turned(b), turned(a)))
    elif len(a.shape) == 2:
        yield matmul(b, turned(a))
        yield along(binary("*", a, b), 1)
    elif len(b.shape) == 2:
        yield matmul(turned(b), a)
        yield along(turned(binary("*", turned(b), a)), 0)
    else:
        yield total(binary("*", a, b))
        yield trace(outer(a, b))
        yield matmul(b, a)
    if a.op == "@" and len(a.args[1].shape) == 2 and len(a.args[0].shape) == 2:
        yield matmul(a.args[0], matmul(a.args[1], b))
    if b.op == "@" and len(a.shape) == 2 and len(b.args[0].shape) == 2:
        yield matmul(matmul(a, b.args[0]), b.args[1])
    if a.op in ("+", "-"):
        yield binary(a.op, matmul(a.args[0], b), matmul(a.args[1], b))
    if b.op in ("+", "-"):
        yield binary(b.op, matmul(a, b.args[0]), matmul(a, b.args[1]))
    if a.op == "outer":
        u, w = a.args
        if len(b.shape) == 1:
            yield binary("*", u, matmul(w, b))
        else:
            yield outer(u, matmul(turned(b), w))
    if a.op == "diag" and len(a.shape) == len(b.shape) == 2:
        yield turned(binary("*", turned(b), a.args[0]))
    if b.op == "diag" and len(b.shape) == 2:
        yield binary("*", a, b.args[0])


def _transposed(a: Tree) -> Iterator[Tree]:
    if a.op == "T":
        yield a.args[0]
    if a.op in ELEMENTWISE:
        yield put(a, (0,), turned(a.args[0]))
    if a.op in ("+", "-", "*") and all(len(y.shape) == 2 for y in a.args):
        yield binary(a.op, turned(a.args[0]), turned(a.args[1]))
    if a.op == "outer":
        yield outer(a.args[1], a.args[0])
    if a.op in ("diag",) or str(a) == "S":
        yield a


def _traces(a: Tree) -> Iterator[Tree]:
    yield trace(turned(a))
    yield total(diagonal(a))
    if a.op == "@":
        yield trace(matmul(a.args[1], a.args[0]))
        yield total(binary("*", a.args[0], turned(a.args[1])))
    if a.op == "outer":
        yield matmul(*a.args)


def _functions(x: Tree, rng: random.Random) -> Iterator[Tree]:
    if not x.args:
        return
    z, one = x.args[0], number("1")
    if x.op == "tanh":
        yield binary("-", times("2", apply("sigmoid", times("2", z))), one)
        yield minus(apply("tanh", minus(z)))
    if x.op == "sigmoid":
        yield binary("-", one, apply("sigmoid", minus(z)))
        yield binary("/", one, binary("+", one, apply("exp", minus(z))))
        yield binary("+", number("1/2"), times("1/2", apply("tanh", times("1/2", z))))
    if x.op == "exp":
        yield binary("/", one, apply("exp", minus(z)))
        if z.op == "+":
            yield binary("*", apply("exp", z.args[0]), apply("exp", z.args[1]))
    if x.op == "sin":
        yield minus(apply("sin", minus(z)))
    if x.op == "softplus":
        yield binary("+", z, apply("softplus", minus(z)))
        yield apply("log", binary("+", one, apply("exp", z)))
    if x.op == "relu":
        yield binary("*", z, apply("step", z))
        yield times("1/2", binary("+", z, apply("abs", z)))
        yield Tree("max0", (z,), x.shape, "maximum({0}, 0)")
    if x.op == "abs":
        yield binary("*", z, apply("sign", z))
        yield apply("abs", minus(z))
        yield binary("+", apply("relu", z), apply("relu", minus(z)))
    if x.op == "softmax":
        yield softmax(binary("+", z, number(rng.choice(LEAVES[()]))))
        axis = len(x.shape) - 1
        text = f"exp({{0}}) / sum(exp({{0}}), axis={axis}, keepdims=True)"
        yield Tree("quotient", (z,), x.shape, f"({text})")
    if x.op == "logsumexp":
        yield apply("log", total(apply("exp", z)))
        a = number(rng.choice(LEAVES[()]))
        yield binary("+", a, Tree("logsumexp", (binary("-", z, a),), (), "logsumexp({0})"))


def other_value(x: Tree, rng: random.Random) -> Iterator[Tree]:
    """Ways to spoil the root of a tree."""
    yield minus(x)
    yield times("2", x)
    yield binary("+", x, number("1"))
    if x.op == "leaf" and x.shape in LEAVES:
        yield from (leaf(n, x.shape) for n in LEAVES[x.shape] if n != x.text)
    if len(x.shape) == 2 and x.shape[0] == x.shape[1]:
        yield turned(x)
    if x.op in ("+", "-") and x.shape == x.args[0].shape == x.args[1].shape:
        yield x.args[0]
        yield x.args[1]
        yield binary("-", x.args[1], x.args[0])
        yield binary("+" if x.op == "-" else "-", *x.args)
    if x.op == "@" and len(x.shape) == 2:
        a, b = x.args
        if a.shape == b.shape:
            yield matmul(b, a)
            yield matmul(a, turned(b))
            yield binary("*", a, b)
    if x.op in ("outer",) and x.args[0].shape == x.args[1].shape:
        yield outer(x.args[1], x.args[0])
    if x.op in ("sum0", "sum1"):
        (a,) = x.args
        if a.shape[0] == a.shape[1]:
            yield along(a, 1 if x.op == "sum0" else 0)
    if x.op == "softmax" and len(x.shape) == 2:
        yield turned(softmax(turned(x.args[0])))
    if x.op in FUNCTIONS:
        yield from (apply(g, x.args[0]) for g in FUNCTIONS if g != x.op)
    if x.op == "trace":
        yield total(x.args[0])


def restyled(x: Tree, rng: random.Random, times_over: int) -> Tree:
    """The tree rewritten at random places, its value kept."""
    for _ in range(times_over):
        at, part = rng.choice(list(places(x)))
        ways = list(same_value(part, rng))
        if ways:
            x = put(x, at, rng.choice(ways))
    return x


def spoiled(x: Tree, rng: random.Random) -> Tree:
    """The tree with its value changed at one place, unless that change cancels."""
    at, part = rng.choice(list(places(x)))
    return put(x, at, rng.choice(list(other_value(part, rng))))
