"""Counterexamples: false equations get the smallest one, true ones never get any."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import Integer, Poly, Symbol, sympify

from symbackprop.algebra.refute import agree, needed, refute
from symbackprop.ir.evaluate import Point, evaluate, run
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
from symbackprop.ir.program import Fact, Program, Quantity
from symbackprop.ir.verdict import Witness
from symbackprop.matrix.lower import entry
from tests.small_programs import both, program, term

DECLARED = (
    "data X[N,D], Y[N,M], t[N]; param W[M,D], b[M], A[N,N], S[N,N], B[N,N], v[N], u[N], z, q[N]; "
    "function f; assume Y onehot; assume S symmetric; assume q positive"
)
GIVEN = program(DECLARED, "Z = X @ W.T + b", "H = f(Z)", "P = softmax(Z, axis=1)")

# fmt: off
TRUE = (
    ("(A @ B).T",                    "B.T @ A.T"),
    ("S @ v",                        "v @ S"),
    ("sum(Y, axis=1)",               "ones(N)"),
    ("Y * Y",                        "Y"),
    ("sum(P, axis=1)",               "ones(N)"),
    ("sqrt(q**2)",                   "q"),
    ("sqrt(v**2)",                   "abs(v)"),
    ("sigmoid(z)",                   "1/2 + tanh(z/2)/2"),
    ("tanh(z)",                      "2*sigmoid(2*z) - 1"),
    ("f(Z)",                         "H"),
    ("relu(z)",                      "z * step(z)"),
    ("abs(v)",                       "v * sign(v)"),
    ("sign(v)",                      "2 * step(v) - 1"),
    ("log(z**2)",                    "2 * log(z)"),
    ("v / v",                        "ones(N)"),
    ("exp(z) * exp(-z)",             "z ** 0"),
    ("max(v)",                       "-min(-v)"),
    ("trace(A @ B)",                 "sum(A * B.T)"),
    ("where(Y > 0, A @ ones(N, M), 0)", "Y * (A @ ones(N, M))"),
)
FALSE = (
    ("A @ B",               "B @ A",                {"N": 2}),
    ("A.T",                 "A",                    {"N": 2}),
    ("outer(u, v)",         "outer(v, u)",          {"N": 2}),
    ("A @ v",               "v @ A",                {"N": 2}),
    ("A",                   "-A",                   {"N": 1}),
    ("2 * A",               "A",                    {"N": 1}),
    ("mean(v)",             "sum(v)",               {"N": 2}),
    ("sum(Y, axis=0)",      "ones(M)",              {"M": 1, "N": 2}),
    ("softmax(v)",          "sigmoid(v)",           {"N": 1}),
    ("f(Z)",                "Z * f_prime(Z)",       {"D": 1, "M": 1, "N": 1}),
    ("tanh(z)",             "2*sigmoid(z) - 1",     {}),
    ("relu(z)",             "abs(z)",               {}),
    ("abs(z)",              "z",                    {}),
    ("step(z)",             "1 - sign(z)",          {}),
    ("(A @ B) @ v",         "A @ (v @ B)",          {"N": 2}),
    ("sum(H, axis=1)",      "sum(H) * ones(N)",     {"D": 1, "M": 1, "N": 2}),
    ("P - Y",               "Y - P",                {"D": 1, "M": 2, "N": 1}),
    ("A + B / 1000000",     "A",                    {"N": 1}),
)
# fmt: on


@pytest.mark.parametrize(("left", "right"), TRUE, ids=[" == ".join(row) for row in TRUE])
@pytest.mark.parametrize("seed", range(3))
def test_true_equations_have_no_counterexample(left: str, right: str, seed: int) -> None:
    lhs, rhs, given = both(left, right, GIVEN)
    assert refute(lhs, rhs, given, seed=seed) is None
    assert agree(lhs, rhs, given, seed) is not False


@pytest.mark.parametrize(("left", "right", "dims"), FALSE, ids=[f"{a} == {b}" for a, b, _ in FALSE])
@pytest.mark.parametrize("seed", range(3))
def test_false_equations_have_the_smallest_counterexample(
    left: str, right: str, dims: dict[str, int], seed: int
) -> None:
    lhs, rhs, given = both(left, right, GIVEN)
    witness = refute(lhs, rhs, given, seed=seed)
    assert witness is not None
    assert dict(witness.dims) == dims
    assert agree(lhs, rhs, given, seed) is False
    assert recomputed(lhs, rhs, given, witness) == (witness.claimed, witness.true)
    assert all(abs(x) <= 5 for values in witness.values.values() for x in np.asarray(values).flat)


def recomputed(lhs: Any, rhs: Any, given: Program, witness: Witness) -> tuple[Any, Any]:
    """Both sides at the witness, computed again from what it says."""
    order = tuple(sorted(free_indices(lhs) | free_indices(rhs), key=lambda i: i.name))
    place = tuple(witness.entry[i.name] for i in order)
    functions = {}
    for name, text in witness.functions.items():
        z = Symbol("z")
        for suffix, form in (("", sympify(text)), ("_prime", sympify(text).diff(z))):
            functions[name + suffix] = polynomial([int(c) for c in Poly(form, z).all_coeffs()])
    point = Point(witness.dims, witness.values, functions, given.rules, exact=True)
    here = run(needed(given, lhs, rhs), point)
    return evaluate(lhs, here, order)[place], evaluate(rhs, here, order)[place]


def polynomial(coefficients: list[int]) -> Any:
    return lambda x: sum(c * x**k for k, c in enumerate(reversed(coefficients)))


def test_values_are_exact_where_they_can_be_and_else_fifty_digits() -> None:
    lhs, rhs, given = both("outer(u, v)", "outer(v, u)", GIVEN)
    witness = refute(lhs, rhs, given)
    assert witness is not None
    assert isinstance(witness.claimed, Fraction)
    assert sorted(witness.values) == ["u", "v"]
    assert witness.functions == {}
    lhs, rhs, given = both("tanh(z)", "z", GIVEN)
    witness = refute(lhs, rhs, given)
    assert witness is not None
    with mpmath.workdps(60):
        exact = mpmath.tanh(int(witness.values["z"][()]))
        assert abs(witness.claimed - exact) < mpmath.mpf(10) ** -45


def test_a_tiny_difference_is_seen_and_rounding_is_not() -> None:
    lhs, rhs, given = both("A + B / 10**30", "A", GIVEN)
    assert agree(lhs, rhs, given)
    assert refute(lhs, rhs, given) is not None
    lhs, rhs, given = both("sqrt(q + 1/10**12)", "sqrt(q)", GIVEN)
    assert refute(lhs, rhs, given) is not None
    lhs, rhs, given = both("exp(z + 30) / exp(z)", "exp(30)", GIVEN)
    assert refute(lhs, rhs, given) is None


KINKS = (
    (Apply("step", Entry("z")), 1 - Apply("step", -Entry("z"))),
    (Apply("sign", Entry("z")) ** 2, Integer(1)),
    (Compare(">", Entry("z"), 0), Compare(">=", Entry("z"), 0)),
    (Where(Compare("<", Entry("z"), 1), 0, 1), Compare(">", Entry("z"), 1)),
    (Apply("maximum", Entry("z"), 1) - Apply("relu", Entry("z") - 1), Integer(1)),
)


@pytest.mark.parametrize(("lhs", "rhs"), KINKS, ids=[f"{a} == {b}" for a, b in KINKS])
@pytest.mark.parametrize("seed", range(4))
def test_a_kink_is_no_counterexample(lhs: Any, rhs: Any, seed: int) -> None:
    assert refute(lhs, rhs, GIVEN, seed=seed) is None


def test_a_tie_of_a_maximum_is_no_counterexample() -> None:
    N = extent_symbol("N")
    n, m = Index("n", N), Index("m", N)
    largest = IndexMax(Entry("v", n), n)
    hits = IndexSum(Compare("==", Entry("v", m), largest), m)
    for seed in range(6):
        assert refute(hits, Integer(1), GIVEN, seed=seed) is None


def test_discrete_data_have_no_kinks() -> None:
    lhs, rhs, given = both("step(Y)", "1 - Y", GIVEN)
    assert refute(lhs, rhs, given) is not None
    n, m = Index("n", extent_symbol("N")), Index("m", extent_symbol("N"))
    assert refute(Compare("<=", n, m), Compare("<", n, m), GIVEN) is not None


def test_points_where_a_side_is_undefined_count_for_nothing() -> None:
    z = Entry("z")
    assert refute(Apply("log", z - 100), Integer(0), GIVEN) is None
    assert agree(Apply("log", z - 100), Integer(0), GIVEN) is None
    assert refute(Apply("log", z), Apply("log", Apply("abs", z)), GIVEN) is None


def test_conditions_and_bounds_are_respected() -> None:
    N, V = extent_symbol("N"), extent_symbol("V")
    inputs = (Quantity("E", (V, V), "param"), Quantity("t", (N,), "index", V))
    given = Program((N, V), inputs, (), (), (), "", conditions=((N, "<", V),))
    n, v = Index("n", N), Index("v", V)
    picked = Entry("E", Entry("t", n), v)
    witness = refute(picked, Entry("E", v, Entry("t", n)), given)
    assert witness is not None
    assert dict(witness.dims) == {"N": 1, "V": 2}
    rows = IndexSum(
        Delta(Entry("t", n), Index("k", V)) * Entry("E", Index("k", V), v), Index("k", V)
    )
    assert refute(picked, rows, given) is None


def test_only_what_is_needed_is_sampled() -> None:
    lhs, rhs, given = both("sum(P)", "sum(Y)", GIVEN)
    part = needed(given, lhs, rhs)
    assert [e.name for e in part.equations] == ["Z", "P"]
    assert [q.name for q in part.inputs] == ["X", "Y", "W", "b"]
    assert part.facts == (Fact("Y", "onehot"),)


def cost_of_depth(layers: int) -> float:
    """Processor time to refute one relation about the last layer and fail to refute another."""
    lines = ["H0 = X"]
    declared = ["data X[N,D]"]
    for k in range(layers):
        declared.append(f"param W{k}[D,D]")
        lines += [f"Z{k} = H{k} @ W{k}.T", f"H{k + 1} = tanh(Z{k})"]
    deep = program("; ".join(declared), *lines)
    indices = (Index("n", extent_symbol("N")), Index("d", extent_symbol("D")))
    lhs, _ = entry(term(f"1 - H{layers}**2", deep), indices, deep)
    rhs, _ = entry(term(f"H{layers}**2 - 1", deep), indices, deep)
    start = time.process_time()
    assert refute(lhs, rhs, deep) is not None
    assert refute(lhs, lhs + 0, deep) is None
    return time.process_time() - start


def test_the_cost_is_linear_in_depth() -> None:
    cost_of_depth(5)
    assert cost_of_depth(100) < 8 * cost_of_depth(25)
