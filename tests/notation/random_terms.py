"""Random terms of a given shape, such as the elaborator makes: for round trips through text."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sympy import Integer, Rational

from symbackprop.ir import terms
from symbackprop.ir.expressions import extent_symbol
from symbackprop.ir.terms import Shape, Term
from symbackprop.notation.elaborate import Scope

N, D, M = (extent_symbol(x) for x in "NDM")
SHAPES: dict[str, Shape] = {
    "c": (), "y": (N,), "x": (D,), "b": (M,), "X": (N, D), "W": (M, D), "A": (D, D), "B": (N, M),
    "T": (N, M, D), "grad_X": (N, D),
}  # fmt: skip
SCOPE = Scope({"N": N, "D": D, "M": M}, SHAPES, ("f",))
UNARY = ("f", "f_prime", "exp", "sqrt", "tanh", "relu", "leaky_relu", "abs")
OPERATORS = (terms.add, terms.sub, terms.mul, terms.div)
REDUCTIONS = ("sum", "mean", "max", "norm2", "logsumexp", "prod", "var")
NUMBERS = (2, -1, 3, Rational(1, 2), Rational(-3, 4), Rational(1, 1000), Rational(-7, 1000))


def random_term(random: Random, shape: Shape, depth: int) -> Term:
    """A term of ``shape`` at most ``depth`` operations deep."""
    ways = [w for w in _WAYS if depth > 0 or w is _leaf]
    while True:
        made = random.choice(ways)(random, shape, depth - 1)
        if made is not None:
            assert made.shape == shape
            return made


def _leaf(random: Random, shape: Shape, depth: int) -> Term | None:
    names = [terms.name(n, s) for n, s in SHAPES.items() if s == shape]
    numbers = [terms.number(random.choice(NUMBERS)), terms.dim(N * M), terms.dim(N - D + 1)]
    filled = [terms.ones(*shape), terms.zeros(*shape)] if shape else numbers
    return random.choice(names * 3 + filled)


def _operator(random: Random, shape: Shape, depth: int) -> Term | None:
    # The right operand may broadcast; a sum of extents or a quotient of numbers is one literal.
    other = random.choice([shape, shape[1:], ()])
    a, b = random_term(random, shape, depth), random_term(random, other, depth)
    if all(t.op in ("number", "dim") for t in (a, b)):
        return None
    return random.choice(OPERATORS)(
        *((a, b) if random.random() < 0.8 or other == shape else (b, a))
    )


def _power(random: Random, shape: Shape, depth: int) -> Term | None:
    base = random_term(random, shape, depth)
    if base.op in ("number", "dim"):
        return None
    return terms.power(base, terms.number(random.choice((2, -1, 3, Rational(1, 2)))))


def _neg(random: Random, shape: Shape, depth: int) -> Term | None:
    inner = random_term(random, shape, depth)
    return None if inner.op == "number" and inner.attrs[0] > 0 else terms.neg(inner)


def _function(random: Random, shape: Shape, depth: int) -> Term | None:
    name = random.choice(UNARY)
    extra = (terms.number(Rational(1, 100)),) if name == "leaky_relu" else ()
    return terms.apply(name, random_term(random, shape, depth), *extra)


def _where(random: Random, shape: Shape, depth: int) -> Term | None:
    a, b, c, d = (random_term(random, shape, depth - 1) for _ in range(4))
    op = random.choice(("<", "<=", ">", ">=", "==", "!="))
    return terms.where(terms.compare(op, a, b), c, d)


def _matmul(random: Random, shape: Shape, depth: int) -> Term | None:
    inner = random.choice((N, D, M))
    if len(shape) == 2:
        left, right = (shape[0], inner), (inner, shape[1])
    elif len(shape) == 1:
        left, right = random.choice((((inner,), (inner, *shape)), ((*shape, inner), (inner,))))
    else:
        return None
    return terms.matmul(random_term(random, left, depth), random_term(random, right, depth))


def _transpose(random: Random, shape: Shape, depth: int) -> Term | None:
    if len(shape) != 2:
        return None
    return terms.transpose(random_term(random, shape[::-1], depth))


def _reduction(random: Random, shape: Shape, depth: int) -> Term | None:
    if len(shape) > 2:
        return None
    axis = random.randrange(len(shape) + 1)
    full = (*shape[:axis], random.choice((N, D, M)), *shape[axis:])
    axes = None if not shape and random.random() < 0.5 else axis
    return terms.reduce(random.choice(REDUCTIONS), random_term(random, full, depth), axes)


def _kept(random: Random, shape: Shape, depth: int) -> Term | None:
    """``a / sum(a, axis=1, keepdims=True)``."""
    if not shape:
        return None
    a, axis = random_term(random, shape, depth), random.randrange(len(shape))
    return terms.div(a, terms.reduce("sum", a, axis, keepdims=True))


def _softmax(random: Random, shape: Shape, depth: int) -> Term | None:
    if not shape:
        return None
    op = random.choice(("softmax", "log_softmax"))
    return terms.along(op, random_term(random, shape, depth), random.randrange(len(shape)))


def _vectors(random: Random, shape: Shape, depth: int) -> Term | None:
    if len(shape) == 2:
        return terms.outer(*(random_term(random, (e,), depth) for e in shape))
    if not shape:
        e = random.choice((N, D, M))
        return terms.dot(random_term(random, (e,), depth), random_term(random, (e,), depth))
    return terms.diag(random_term(random, shape * 2, depth)) if len(shape) == 1 else None


def _square(random: Random, shape: Shape, depth: int) -> Term | None:
    if not shape:
        return terms.trace(random_term(random, (D, D), depth))
    if len(shape) == 2 and shape[0] == shape[1]:
        return random.choice(
            (terms.eye(shape[0]), terms.diag(random_term(random, shape[:1], depth)))
        )
    return None


def _subscript(random: Random, shape: Shape, depth: int) -> Term | None:
    if len(shape) > 2:
        return None
    if random.random() < 0.5:
        return terms.index(
            random_term(random, (M, *shape), depth), (random.choice((Integer(0), M - 1)),)
        )
    longer = random_term(random, shape, depth)
    column = terms.index(longer, (*(slice(None) for _ in shape), None))
    return terms.reduce("sum", column, len(shape))


def _einsum(random: Random, shape: Shape, depth: int) -> Term | None:
    if len(shape) != 2:
        return None
    operands = (
        random_term(random, (shape[0], D), depth),
        random_term(random, (shape[1], D), depth),
    )
    return Term("einsum", operands, shape, ("nd,md->nm",))


_WAYS: tuple[Callable[[Random, Shape, int], Term | None], ...] = (
    _leaf, _operator, _operator, _operator, _power, _neg, _function, _where, _matmul, _matmul,
    _transpose, _reduction, _kept, _softmax, _vectors, _square, _subscript, _einsum,
)  # fmt: skip
