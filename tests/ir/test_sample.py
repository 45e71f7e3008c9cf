"""Points: every fact and condition holds, the same seed gives the same point, slopes are slopes."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from sympy import Integer

from symbackprop.errors import Malformed
from symbackprop.ir.expressions import extent_symbol
from symbackprop.ir.facts import HOLDS, holds
from symbackprop.ir.program import DECLARABLE_FACTS, Equation, Fact, Program, Quantity
from symbackprop.ir.sample import admissible, draw, fitting
from symbackprop.ir.smooth import Cubic, concrete
from symbackprop.ir.terms import ones

N, D, K = (extent_symbol(x) for x in "NDK")


def with_facts(*facts: Fact, shape: tuple[object, ...] = (N, N)) -> Program:
    inputs = (Quantity("A", shape, "param"), Quantity("v", (D,), "data"))  # type: ignore[arg-type]
    return Program((N, D), inputs, (), facts, (), "")


def test_every_declarable_fact_has_a_row() -> None:
    assert set(HOLDS) == set(DECLARABLE_FACTS)


@pytest.mark.parametrize("exact", [False, True], ids=["floating", "exact"])
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("kind", DECLARABLE_FACTS)
def test_facts_hold(kind: str, size: int, exact: bool) -> None:
    fact = Fact("A", kind)
    rng = np.random.default_rng(3)
    for _ in range(5):
        values = draw(with_facts(fact), rng, dims={"N": size}, exact=exact).values["A"]
        assert values.shape == (size, size)
        assert (values.dtype == object) == exact
        assert holds(fact, values, {"N": size})


TOGETHER = (
    ("symmetric", "positive"),
    ("onehot", "nonnegative"),
    ("simplex", "positive"),
    ("spd", "symmetric", "invertible"),
    ("onehot", "binary"),
)


@pytest.mark.parametrize("kinds", TOGETHER, ids=" ".join)
@pytest.mark.parametrize("exact", [False, True], ids=["floating", "exact"])
def test_several_facts_hold_together(kinds: tuple[str, ...], exact: bool) -> None:
    facts = tuple(Fact("A", kind) for kind in kinds)
    point = draw(with_facts(*facts), np.random.default_rng(0), exact=exact)
    assert all(holds(f, point.values["A"], point.dims) for f in facts)


def test_facts_that_cannot_hold_together_are_refused() -> None:
    program = with_facts(Fact("A", "sign"), Fact("A", "simplex"))
    with pytest.raises(Malformed, match="A simplex"):
        draw(program, np.random.default_rng(0))


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("kind", ["", "positive"])
@pytest.mark.parametrize("exact", [False, True], ids=["floating", "exact"])
def test_sums_are_as_declared(axis: int | None, kind: str, exact: bool) -> None:
    fact = Fact("A", "sum", axis, 2 * N if axis is None else Integer(1))
    facts = (fact, Fact("A", kind)) if kind else (fact,)
    point = draw(with_facts(*facts), np.random.default_rng(1), exact=exact)
    assert all(holds(f, point.values["A"], point.dims) for f in facts)


def test_extents_are_small_distinct_and_as_given() -> None:
    program = with_facts()
    for seed in range(20):
        dims = fitting(program, np.random.default_rng(seed), {"D": 3})
        assert dims["D"] == 3
        assert dims["N"] != 3
        assert 2 <= dims["N"] <= 6


CONDITIONS = (
    ((K, "<=", N),),
    ((K, "==", N), (D, ">", Integer(3))),
    ((K, ">=", N), (N, "!=", D), (D, "<", N)),
)


@pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
def test_conditions_hold(conditions: tuple[tuple[object, str, object], ...]) -> None:
    program = Program((N, D, K), (), (), (), (), "", conditions=conditions)  # type: ignore[arg-type]
    for seed in range(10):
        assert admissible(program, fitting(program, np.random.default_rng(seed), {}))


def test_conditions_that_never_hold_are_refused() -> None:
    program = Program((N,), (), (), (), (), "", conditions=((N, "<", N),))
    with pytest.raises(Malformed, match="N < N"):
        fitting(program, np.random.default_rng(0), {})


def test_derived_extents_are_at_least_one() -> None:
    from symbackprop.ir.letters import letters

    shape = (N - K + 1,)
    equation = Equation("y", letters(shape), Integer(1), ones(*shape))
    program = Program((N, K), (), (), (), (equation,), "y")
    for seed in range(20):
        dims = fitting(program, np.random.default_rng(seed), {})
        assert dims["N"] >= dims["K"]


def test_integer_data_stays_below_its_bound() -> None:
    program = Program((N, K), (Quantity("t", (N,), "index", K),), (), (), (), "")
    for seed in range(20):
        point = draw(program, np.random.default_rng(seed), exact=bool(seed % 2))
        values = point.values["t"]
        assert all(v == int(v) and 0 <= v < point.dims["K"] for v in values)


def test_the_same_seed_gives_the_same_point() -> None:
    program = with_facts(Fact("A", "invertible"))
    one, two = (draw(program, np.random.default_rng(9), exact=True) for _ in range(2))
    assert one.dims == two.dims
    assert (one.values["A"] == two.values["A"]).all()


def test_whole_values_are_whole_and_small() -> None:
    point = draw(with_facts(), np.random.default_rng(0), exact=True, whole=2)
    assert all(abs(v) in (1, 2) for v in point.values["A"].flat)


@pytest.mark.parametrize("exact", [False, True], ids=["floating", "exact"])
def test_slopes_of_concrete_functions_are_their_slopes(exact: bool) -> None:
    functions = concrete(("f", "g", "h", "k"), exact)
    for name in ("f", "g", "h", "k"):
        f, slope, second = (functions[name + s] for s in ("", "_prime", "_pprime"))
        for at in (mpmath.mpf("0.3"), mpmath.mpf("-1.7")):
            assert mpmath.almosteq(mpmath.diff(f, at), slope(at), 1e-10)
            assert mpmath.almosteq(mpmath.diff(slope, at), second(at), 1e-10)
        array = np.array([0.3, -1.7])
        np.testing.assert_allclose(f(array), [float(f(mpmath.mpf(float(z)))) for z in array])
        assert f(array).dtype == float
    assert len({str(functions[f](Fraction(1, 3))) for f in ("f", "g", "h", "k")}) == 4


def test_cubics_are_exact_and_readable() -> None:
    f = Cubic(1, -1, 0, 2)
    assert f(Fraction(1, 2)) == Fraction(15, 8)
    assert str(f) == "z**3 - z**2 + 2"
    assert str(f.slope()) == "3*z**2 - 2*z"
    assert str(Cubic(0, 0, 0, 0)) == "0"
    assert str(Cubic(0, 0, -1, 1)) == "-z + 1"
