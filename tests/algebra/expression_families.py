"""Random index expressions for property tests: sums, products, powers, deltas, functions, over a
few named arrays.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from sympy import Add, Expr, Integer, Mul, Pow, Rational

from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexMax,
    IndexSum,
    Where,
    extent_symbol,
    substitute,
)
from symbackprop.ir.program import Fact, Program, Quantity
from symbackprop.library.functions import RULES

N, M = extent_symbol("N"), extent_symbol("M")
FREE = (Index("n", N), Index("m", M))
ARRAYS = {
    "A": (N, M),
    "B": (M, N),
    "C": (N, N),
    "u": (N,),
    "v": (M,),
    "s": (),
    "Y": (N, M),
    "q": (N,),
}


def program(*facts: Fact) -> Program:
    """A program whose inputs are the arrays that random expressions mention; ``q`` is positive,
    ``Y`` one-hot.
    """
    inputs = tuple(Quantity(name, shape, "param") for name, shape in ARRAYS.items())
    facts = (Fact("q", "positive"), Fact("Y", "onehot"), *facts)
    return Program((N, M), inputs, ("f",), facts, (), "", rules=RULES)


def expression(
    rng: random.Random, depth: int, scope: tuple[Index, ...] = FREE, level: int = 0
) -> Expr:
    """A random expression whose free indices are in ``scope``."""
    kind = (
        rng.choice(("entry", "entry", "add", "mul", "mul", "sum", "sum", "power", "apply", "delta"))
        if depth
        else "entry"
    )
    if kind == "entry":
        return entry(rng, scope)
    if kind == "add":
        return Add(
            *(
                rng.choice((1, -1, 2, Rational(1, 3))) * expression(rng, depth - 1, scope, level)
                for _ in range(2)
            )
        )
    if kind == "mul":
        return Mul(*(expression(rng, depth - 1, scope, level) for _ in range(rng.choice((2, 3)))))
    if kind == "power":
        return Pow(expression(rng, depth - 1, scope, level), rng.choice((2, 3)))
    if kind == "apply":
        return Apply(
            rng.choice(("tanh", "sin", "exp")), expression(rng, depth - 1, scope, level) / 9
        )
    if kind == "delta":
        extent = rng.choice((N, M))
        same = [i for i in scope if i.extent == extent]
        return Delta(rng.choice(same), rng.choice(same)) * expression(rng, depth - 1, scope, level)
    bound = tuple(
        Index(f"{rng.choice('ab')}{level}{k}", rng.choice((N, M)))
        for k in range(rng.choice((1, 1, 2)))
    )
    return IndexSum(expression(rng, depth - 1, scope + bound, level + 1), *bound)


def entry(rng: random.Random, scope: tuple[Index, ...]) -> Entry:
    """A random entry of one of the arrays."""
    name = rng.choice(sorted(ARRAYS))
    return Entry(name, *(rng.choice([i for i in scope if i.extent == e]) for e in ARRAYS[name]))


def disguised(e: Expr, rng: random.Random, level: int = 0) -> Expr:
    """The same expression with bound indices renamed and sums of several indices nested in random
    order.
    """
    if not e.args:
        return e
    if isinstance(e, IndexSum):
        fresh = [Index(f"z{level}{k}", i.extent) for k, i in enumerate(e.bound)]
        body = disguised(substitute(e.body, dict(zip(e.bound, fresh, strict=True))), rng, level + 1)
        rng.shuffle(fresh)
        for i in fresh:
            body = IndexSum(body, i)
        return body
    if isinstance(e, Entry | Delta):
        return e
    args = [disguised(a, rng, level) for a in e.args]
    rng.shuffle(args) if isinstance(e, Add | Mul) else None
    return e.func(*args)


def is_zero(e: Expr) -> bool:
    return e == Integer(0)


FUNCTIONS = ("tanh", "sigmoid", "relu", "abs", "sign", "step", "exp", "sin", "cos", "erf", "f")


def elementwise(rng: random.Random, depth: int) -> Expr:
    """A random expression of scalar functions, roots, logarithms, fractions and branches, over the
    entries of ``u``, ``q`` and ``Y`` and a maximum.
    """
    n, m = FREE
    if depth == 0:
        leaves = (Entry("u", n), Entry("u", n), Entry("q", n), Entry("s"), Entry("Y", n, m))
        return rng.choice(leaves)

    def inner() -> Expr:
        return elementwise(rng, depth - 1)

    positive = Entry("q", n) * Apply("exp", inner())
    makers: tuple[Callable[[], Expr], ...] = (
        lambda: Apply(rng.choice(FUNCTIONS), inner()),
        lambda: Apply(rng.choice(FUNCTIONS), inner()),
        lambda: Apply(rng.choice(("maximum", "minimum")), inner(), inner()),
        lambda: Apply("log", positive),
        lambda: Pow(positive, Rational(rng.choice((-1, 1)), 2)),
        lambda: inner() / (1 + positive),
        lambda: Where(Compare(rng.choice(("<", ">=")), inner(), inner()), inner(), inner()),
        lambda: rng.choice((-1, 2, Rational(1, 3))) * inner() + inner(),
        lambda: inner() * inner(),
        lambda: IndexSum(Apply("exp", Entry("v", m) + inner()), m),
        lambda: IndexMax(Entry("v", m) * Entry("q", n) + inner(), m),
    )
    return rng.choice(makers)()
