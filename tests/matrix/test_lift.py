"""Lifting: the forms people write (text cases), exact shapes, `lower(lift(e)) = e`, speed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sympy import Integer, Rational, S

from symbackprop.algebra.prove import decide
from symbackprop.ir import terms
from symbackprop.ir.expressions import (
    Apply,
    Delta,
    Entry,
    Index,
    IndexSum,
    InRange,
    extent_symbol,
)
from symbackprop.ir.verdict import Equal
from symbackprop.matrix.lift import Lifter, lift
from symbackprop.matrix.lower import entry
from symbackprop.notation.text_printer import show
from tests.matrix.relifted import relift, relifted
from tests.small_programs import program, term

BLOCKS = (
    (Path(__file__).parents[1] / "cases" / "matrix" / "lift.txt")
    .read_text("utf-8")
    .strip()
    .split("\n\n")
)
N, M, D = (extent_symbol(x) for x in "NMD")
n, m, d, p = Index("n", N), Index("m", M), Index("d", D), Index("p", M)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.split("\n")[0][2:])
def test_forms_that_people_write(block: str) -> None:
    given, _, expected = block.partition("\n=>\n")
    _, declarations, *lines = given.split("\n")
    assert relifted(declarations, *lines) == expected


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.split("\n")[0][2:])
def test_lowering_inverts_lifting(block: str) -> None:
    _, declarations, *statements, formula = block.partition("\n=>\n")[0].split("\n")
    given = program(declarations, *statements)
    before = term(formula, given)
    after = relift(given, before)
    assert terms.same_shape(before.shape, after.shape)
    indices = tuple(Index(f"o{k}", e) for k, e in enumerate(before.shape))
    lhs, further = entry(before, indices, given)
    given = given.extended(further)
    rhs, further = entry(after, indices, given)
    assert isinstance(decide(lhs, rhs, given.extended(further)), Equal)


SHAPES = {"X": (N, D), "W": (M, D), "g": (N,), "u": (N, Integer(1)), "r": (Integer(1), D)}


# fmt: off
SMALL = (
    (S.One,                               (n,),      "ones(N)"),
    (S.Zero,                              (n, d),    "zeros(N, D)"),
    (S.One,                               (),        "1"),
    (N,                                   (),        "N"),
    (N - D + 1,                           (),        "N - D + 1"),
    (Rational(1, 2) / N,                  (),        "1 / (2 * N)"),
    (Entry("g", n),                       (n, d),    "outer(g, ones(D))"),
    (Entry("c"),                          (n, d),    "c * ones(N, D)"),
    (Entry("u", n, 0),                    (n,),      "u[:, 0]"),
    (Entry("u", n, 0) * Entry("X", n, d), (n, d),    "X * u"),
    (Entry("r", 0, d) + Entry("X", n, d), (n, d),    "X + r"),
    (Entry("r", 0, d),                    (d,),      "r[0, :]"),
    (Entry("X", n, 2),                    (n,),      "X[:, 2]"),
    (Delta(m, p),                         (m, p),    "eye(M)"),
    (Delta(m, p) * Entry("W", p, d),      (m, p, d), 'einsum("ij,jk->ijk", eye(M), W)'),
    (IndexSum(S.One, n),                  (),        "N"),
    (IndexSum(Entry("g", n), n, m),       (),        "M * sum(g)"),
    (Apply("f", Entry("X", n, d)),        (d, n),    "f(X).T"),
)
# fmt: on


@pytest.mark.parametrize(("e", "indices", "expected"), SMALL)
def test_small_forms(e: object, indices: tuple[Index, ...], expected: str) -> None:
    assert show(lift(e, indices, {"c": (), **SHAPES})) == expected  # type: ignore[arg-type]


def test_axes_of_extent_one_are_kept() -> None:
    one = Index("i", 1)
    column = lift(IndexSum(Entry("X", n, d), d), (n, one), SHAPES)
    assert show(column) == "sum(X, axis=1, keepdims=True)"
    assert column.shape == (N, 1)
    row = lift(IndexSum(Entry("X", n, d), n), (one, d), SHAPES)
    assert show(row) == "sum(X, axis=0, keepdims=True)"
    assert lift(Entry("r", 0, d), (one, d), SHAPES) == terms.name("r", (Integer(1), D))


def test_what_array_notation_cannot_say_stays_index_notation() -> None:
    e = InRange(n + d - 1, N) * Entry("g", n)
    assert lift(e, (n, d), SHAPES) == terms.entries((n, d), e)


def test_free_indices_must_be_axes() -> None:
    with pytest.raises(ValueError, match="no axes"):
        lift(Entry("X", n, d), (n,), SHAPES)


def test_hidden_names_are_written_out() -> None:
    written = {"_1": terms.matmul(terms.name("X", (N, D)), terms.name("v", (D,)))}
    lifted = lift(2 * Entry("_1", n), (n,), SHAPES, written=written)
    assert show(lifted) == "2 * (X @ v)"


def test_names_of_indices_do_not_matter() -> None:
    a, b = Index("z", N), Index("a", M)
    first = IndexSum(Entry("H", n, m) * Entry("g", n), n)
    second = IndexSum(Entry("H", a, b) * Entry("g", a), a)
    shapes = {"H": (N, M), "g": (N,)}
    assert lift(first, (m,), shapes) == lift(second, (b,), shapes)


def test_nested_sums_with_the_same_bound_index() -> None:
    total = IndexSum(Entry("g", n), n)
    e = IndexSum(Entry("X", n, d) * total, n) * total
    assert show(lift(e, (d,), SHAPES)) == "sum(g) * sum(g) * sum(X, axis=0)"


SCRIPT = """
from tests.matrix.test_lift import BLOCKS
from tests.matrix.relifted import relifted
for block in BLOCKS[:20]:
    _, declarations, *lines = block.partition("\\n=>\\n")[0].split("\\n")
    print(relifted(declarations, *lines))
"""


def test_hash_seeds_do_not_matter() -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=root,
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second


def test_the_last_adjoints_of_a_deep_net_cost_no_more_than_the_first() -> None:
    lifter = Lifter({})
    times = [time.process_time()]
    for layer in range(200):
        grad, h = Entry(f"grad_H{layer}", n, m), Entry(f"H{layer}", n, m)
        lifter.lift(grad * (1 - h**2), (n, m))
        lifter.lift(IndexSum(grad * (1 - h**2) * Entry(f"H{layer}", n, p), n), (m, p))
        lifter.lift(IndexSum(grad * (1 - h**2), n), (m,))
        times.append(time.process_time())
    assert times[200] - times[150] < 2 * (times[60] - times[10])
