"""Every lifted term has the value of its expression, in exactly the shape that was asked: random
expressions.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from sympy import Add, Expr, Integer, Mul, Rational

from symbackprop.ir.evaluate import Point, evaluate
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
    free_indices,
)
from symbackprop.ir.terms import Shape, Term
from symbackprop.matrix.cost import cost
from symbackprop.matrix.lift import Lifter, lift
from tests.matrix.term_values import FUNCTIONS, extents, value

DIMS = {"N": 3, "M": 4, "D": 2}
N, M, D = (extent_symbol(name) for name in "NMD")
n, n2, m, m2, d, d2 = (
    Index(name, extent)
    for name, extent in (("n", N), ("p", N), ("m", M), ("q", M), ("d", D), ("e", D))
)
ALL = (n, n2, m, m2, d, d2)


class World:
    """Arrays made on demand: one for each sequence of extents asked, of positive values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.shapes: dict[str, Shape] = {"c": ()}
        self.values: dict[str, np.ndarray] = {"c": np.array(0.7)}

    def entry(self, indices: Sequence[Index]) -> Entry:
        order = list(indices)
        self.random.shuffle(order)
        unit = self.random.random() < 0.15
        name = self.random.choice("AB") + "".join(i.extent.name for i in order) + "u" * unit
        shape = (*(i.extent for i in order), *([Integer(1)] if unit else []))
        if name not in self.shapes:
            self.shapes[name] = shape
            self.values[name] = self.numbers.uniform(0.5, 1.5, extents(shape, DIMS))
        return Entry(name, *order, *([Integer(0)] if unit else []))

    def expression(self, free: Sequence[Index], depth: int) -> Expr:
        """A random expression, positive, whose free indices are among ``free``."""
        kinds = [self.leaf, self.leaf]
        if depth:
            kinds = [
                self.leaf,
                self.product,
                self.product,
                self.sum,
                self.sum,
                self.add,
                self.function,
                self.choice,
            ]
        return self.random.choice(kinds)(free, depth - 1)

    def some(self, indices: Sequence[Index], most: int) -> list[Index]:
        return self.random.sample(list(indices), self.random.randint(0, min(most, len(indices))))

    def leaf(self, free: Sequence[Index], depth: int) -> Expr:
        if self.random.random() < 0.1:
            return self.random.choice((Integer(2), Rational(1, 3), N, Entry("c")))
        pairs = [(a, b) for a in free for b in free if a.extent == b.extent and a != b]
        if pairs and self.random.random() < 0.25:
            return Delta(*self.random.choice(pairs))
        return self.entry(self.some(free, 2))

    def product(self, free: Sequence[Index], depth: int) -> Expr:
        factors = [self.expression(free, depth) for _ in range(self.random.randint(2, 4))]
        if self.random.random() < 0.3:
            factors.append(1 / (1 + self.entry(self.some(free, 2)) ** 2))
        return Mul(*factors, self.random.choice((1, 1, 2, -1, Rational(1, 2), 1 / N)))

    def sum(self, free: Sequence[Index], depth: int) -> Expr:
        unused = [i for i in ALL if i not in free]
        if not unused:
            return self.leaf(free, depth)
        bound = self.random.sample(unused, min(len(unused), self.random.randint(1, 2)))
        return IndexSum(self.expression([*free, *bound], depth), *bound)

    def add(self, free: Sequence[Index], depth: int) -> Expr:
        signs = [self.random.choice((1, -1, 2)) for _ in range(self.random.randint(2, 3))]
        return Add(*(s * self.expression(free, depth) for s in signs))

    def function(self, free: Sequence[Index], depth: int) -> Expr:
        body = self.expression(free, depth)
        choices = (
            Apply("tanh", body),
            Apply("f", body),
            (1 + body**2) ** Rational(-3, 2),
            (body**2 + 1) ** Rational(1, 2),
        )
        return self.random.choice(choices)

    def choice(self, free: Sequence[Index], depth: int) -> Expr:
        a, b = self.expression(free, depth), self.expression(free, depth)
        unused = [i for i in ALL if i not in free]
        if unused and self.random.random() < 0.5:
            return IndexMax(self.entry([*self.some(free, 1), unused[0]]), unused[0])
        return Where(Compare(">", a, 1), a, b)


def assert_equal_by_value(e: Expr, indices: tuple[Index, ...], world: World) -> Term:
    term = lift(e, indices, world.shapes)
    assert term.shape == tuple(i.extent for i in indices)
    functions = {"f": FUNCTIONS["f"]}
    expected = evaluate(e, Point(DIMS, world.values, functions), indices)
    found = value(term, world.values, DIMS)
    assert np.shape(found) == extents(term.shape, DIMS)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=f"{e}\n{term}")
    return term


@pytest.mark.parametrize("seed", range(400))
def test_random_expressions_are_lifted_to_their_value(seed: int) -> None:
    world = World(seed)
    indices = tuple(world.some(ALL, 3))
    e = world.expression(indices, 3)
    term = assert_equal_by_value(e, indices, world)
    assert "entries" not in str(term.op)
    again = Lifter(world.shapes).lift(e, indices)
    assert again == term or cost(again) == cost(term)


@pytest.mark.parametrize("seed", range(100))
def test_products_of_many_factors_are_lifted_to_their_value(seed: int) -> None:
    world = World(seed + 5000)
    indices = tuple(world.some(ALL, 2))
    factors = [world.entry(world.some(ALL, 2)) for _ in range(world.random.randint(3, 10))]
    body = Mul(*factors)
    bound = tuple(i for i in ALL if i in free_indices(body) and i not in indices)
    assert_equal_by_value(IndexSum(body, *bound) if bound else body, indices, world)
