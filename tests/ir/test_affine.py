"""The affine solver against brute force: what it claims holds for all small extents and places."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest
from sympy import Expr, Integer, expand

from symbackprop.ir.affine import bounds, floor_div, inside, modulo, nonnegative, outside
from symbackprop.ir.expressions import FloorDiv, Index, Modulo, extent_symbol

K, T = extent_symbol("K"), extent_symbol("T")
INDICES = (Index("k", K), Index("t", T), Index("j", K * T), Index("s", Integer(2)))
EXTENTS = (Integer(1), Integer(2), Integer(3), K, T, K * T, 2 * K, K + 1, K + T - 1)


def affine(rng: random.Random) -> Expr:
    e: Expr = Integer(rng.randint(-3, 3)) + rng.choice((0, 0, K, -K, T - 1))
    for i in rng.sample(INDICES, rng.randint(1, 2)):
        e += rng.choice((1, 1, -1, 2, K, T)) * i
    if rng.random() < 0.3:
        kind = rng.choice((FloorDiv, Modulo))
        e += kind(rng.choice(INDICES), rng.choice(EXTENTS[1:]))
    return expand(e)


def value(e: Expr, at: dict[Expr, int]) -> int:
    """A slow obvious evaluator of index expressions."""
    if isinstance(e, FloorDiv | Modulo):
        a, b = (value(x, at) for x in e.args)
        return a // b if isinstance(e, FloorDiv) else a % b
    if not e.args:
        return at[e] if e in at else int(e)
    parts = [value(a, at) for a in e.args]
    if e.is_Add:
        return sum(parts)
    assert e.is_Mul or e.is_Pow, e
    if e.is_Pow:
        return int(parts[0] ** parts[1])
    out = 1
    for p in parts:
        out *= p
    return out


def points() -> Iterator[dict[Expr, int]]:
    """Every place for all extents up to 3."""
    for k, t in product((1, 2, 3), repeat=2):
        sizes: dict[Expr, int] = {K: k, T: t}
        ranges = (range(value(i.extent, sizes)) for i in INDICES)
        for at in product(*ranges):
            yield sizes | dict(zip(INDICES, at, strict=True))


POINTS = tuple(points())


@pytest.mark.parametrize("seed", range(150))
def test_ranges_hold_everywhere(seed: int) -> None:
    e = affine(random.Random(seed))
    own = bounds(e)
    if own is not None:
        assert all(value(own[0], at) <= value(e, at) <= value(own[1], at) for at in POINTS)


@pytest.mark.parametrize("seed", range(150))
def test_guards_are_settled_rightly(seed: int) -> None:
    rng = random.Random(seed)
    e, n = affine(rng), rng.choice(EXTENTS)
    held = {0 <= value(e, at) < value(n, at) for at in POINTS}
    assert not inside(e, n) or held == {True}
    assert not outside(e, n) or held == {False}


@pytest.mark.parametrize("seed", range(150))
def test_floors_and_remainders_keep_their_values(seed: int) -> None:
    rng = random.Random(seed)
    e, n = affine(rng), rng.choice(EXTENTS)
    for plain, worked in ((FloorDiv(e, n), floor_div(e, n)), (Modulo(e, n), modulo(e, n))):
        assert all(value(plain, at) == value(worked, at) for at in POINTS), (plain, worked)


@pytest.mark.parametrize("seed", range(60))
def test_nonnegative_claims_no_more_than_is_true(seed: int) -> None:
    rng = random.Random(seed)
    e = expand(sum(rng.randint(-2, 3) * x for x in (Integer(1), K, T, K * T, K**2)))
    if nonnegative(e):
        assert all(value(e, {K: k, T: t}) >= 0 for k, t in product(range(1, 8), repeat=2))


# fmt: off
WORKED = (
    (K * INDICES[1] + INDICES[0], K, INDICES[1], INDICES[0]),
    (K * T - 1, K, T - 1, K - 1),
    (K * T, K, T, Integer(0)),
    (Modulo(INDICES[2], 2 * K), K, Modulo(FloorDiv(INDICES[2], K), Integer(2)),
     Modulo(INDICES[2], K)),
)
# fmt: on


@pytest.mark.parametrize(("e", "n", "quotient", "rest"), WORKED)
def test_what_is_worked_out(e: Expr, n: Expr, quotient: Expr, rest: Expr) -> None:
    assert (floor_div(e, n), modulo(e, n)) == (quotient, rest)
