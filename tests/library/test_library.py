"""Rows of the library: each redundant column is a claim, tested by value and by proof."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from sympy import Expr, Rational, diff

from symbackprop.algebra.prove import decide
from symbackprop.ir.evaluate import Point, evaluate, run
from symbackprop.ir.expressions import Entry
from symbackprop.ir.functions import ALPHA, PRIMITIVES, FunctionRule, Z
from symbackprop.ir.program import Program, Quantity
from symbackprop.ir.verdict import Equal
from symbackprop.library.activations import ACTIVATIONS, EXP_FORMS, REMARKS, VECTOR_JACOBIANS
from symbackprop.library.functions import RULES, exp_forms, formula
from symbackprop.library.identities import IDENTITIES, Identity
from symbackprop.library.losses import FORMULAS, LOSSES, Loss
from symbackprop.matrix.lower import lower
from symbackprop.network.model import parse
from symbackprop.notation.words import ELEMENTWISE

POINTS = (-2.3, -0.7, 0.4, 1.9)
EMPTY = Program((), (Quantity("z", (), "data"), Quantity("alpha", (), "data")), (), (), (), "z")


def value(e: Expr, z: float, alpha: float = 0.3) -> float:
    """A formula in placeholders at numbers, by the evaluator."""
    scalars = e.xreplace({Z: Entry("z"), ALPHA: Entry("alpha")})
    point = Point({}, {"z": np.array(z), "alpha": np.array(alpha)}, {}, RULES)
    return float(evaluate(scalars, point))


@pytest.mark.parametrize("name", sorted(RULES))
def test_slopes_are_the_derivatives_of_the_definition(name: str) -> None:
    rule = RULES[name]
    assert rule.definition is not None
    for z in POINTS if name != "log1p" else POINTS[1:]:
        for place, slope in enumerate(rule.slopes):

            def along(t: float, z: float = z, place: int = place) -> float:
                return value(rule.definition, *((t, 0.3) if place == 0 else (z, t)))

            step = 1e-6
            middle = z if place == 0 else 0.3
            central = (along(middle + step) - along(middle - step)) / (2 * step)
            assert value(slope, z) == pytest.approx(central, rel=1e-7, abs=1e-8)


def test_every_function_of_the_language_has_a_meaning() -> None:
    for name, (count, defaults) in ELEMENTWISE.items():
        rule = RULES.get(name)
        if rule is None:
            # sqrt is a power in index notation.
            assert name in PRIMITIVES or name == "sqrt"
        else:
            assert len(rule.parameters) == count == len(rule.slopes)
            assert rule.defaults == defaults


def test_rules_are_closed_under_primitives() -> None:
    from symbackprop.ir.expressions import Apply

    for rule in RULES.values():
        assert rule.definition is not None
        for form in (rule.definition, *rule.slopes):
            for call in form.atoms(Apply):
                assert call.name in PRIMITIVES or call.name in RULES


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda r: r.name)
def test_signs_and_conventions(row: object) -> None:
    rule: FunctionRule = RULES[row.name]  # type: ignore[attr-defined]
    values = [value(rule.definition, z) for z in (*POINTS, 0.0)]  # type: ignore[arg-type]
    if rule.sign:
        assert all(v > 0 if rule.sign == "positive" else v >= 0 for v in values)
    else:
        assert any(v < 0 for v in values)
    if rule.name == "relu":
        assert value(rule.slopes[0], 0.0) == 0
    if "alpha" in rule.at_zero:
        assert value(rule.slopes[0], 0.0) == pytest.approx(0.3)


@pytest.mark.parametrize("name", EXP_FORMS)
def test_exponential_forms(name: str) -> None:
    form = exp_forms[name]
    names = {call.name for call in form.atoms(type(formula("exp(z)")))}
    assert names <= {"exp", "log"}
    for z in (0.4, 1.9):
        assert value(form, z) == pytest.approx(value(formula(f"{name}(z)"), z), rel=1e-12)


@pytest.mark.parametrize("row", IDENTITIES, ids=lambda r: f"{r.left} == {r.right}")
def test_identities_are_proved_and_hold(row: Identity) -> None:
    left, right = formula(row.left), formula(row.right)
    for z in POINTS:
        assert value(left, z) == pytest.approx(value(right, z), rel=1e-12, abs=1e-12)
    entries = {Z: Entry("z")}
    verdict = decide(left.xreplace(entries), right.xreplace(entries), _with_rules())
    assert isinstance(verdict, Equal)


def _with_rules() -> Program:
    return Program((), EMPTY.inputs, (), (), (), "z", rules=RULES)


def test_sigmoid_agrees_with_mpmath() -> None:
    for z in POINTS:
        exact = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        assert value(formula("sigmoid(z)"), z) == pytest.approx(float(exact), rel=1e-14)


def test_rules_are_looked_up_by_name() -> None:
    assert "tanh" not in RULES
    with pytest.raises(KeyError):
        RULES["tanh"]
    assert len(RULES) == len(ACTIVATIONS)
    assert RULES["relu"] is RULES["relu"]
    assert REMARKS["linear"]


def gradient_and_differences(text: str, name: str, sizes: dict[str, int]) -> tuple[object, object]:
    """The claimed gradient ``G`` of ``L`` by ``name`` in a model, and central differences."""
    model = parse(text)
    program = lower(
        dims=model.dims, inputs=model.inputs, functions=model.functions, facts=model.facts,
        statements=[(n, t) for n, t, _ in model.statements], output="L", rules=model.rules,
    )  # fmt: skip
    random = np.random.default_rng(5)
    dims = {d.name: sizes[d.name] for d in model.dims}
    values = {}
    for q in model.inputs:
        shape = tuple(int(e.subs({d: dims[d.name] for d in model.dims})) for e in q.shape)
        values[q.name] = random.uniform(0.1, 0.9, size=shape)
    point = Point(dims, values, {}, model.rules)
    claimed = np.asarray(run(program, point).values["G"], dtype=float)
    wanted = np.zeros_like(values[name])
    for at in np.ndindex(wanted.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = values[name].copy()
            moved[at] += step
            ends.append(
                float(
                    run(program, Point(dims, {**values, name: moved}, {}, model.rules)).values["L"]
                )
            )
        wanted[at] = (ends[0] - ends[1]) / 2e-6
    return claimed, wanted


SIZES = {"N": 3, "K": 2}


@pytest.mark.parametrize("row", LOSSES, ids=lambda r: r.name)
def test_gradients_of_losses(row: Loss) -> None:
    declared = ", ".join(
        f"{p}[{s}]" if s else p for p, s in zip(row.parameters, row.shapes, strict=True)
    )
    dims = sorted({d for s in row.shapes for d in s.split(",") if d})
    one = row.parameters[0]
    # The gradient of cross-entropy holds where rows of Y sum to 1.
    fixed = row.definition.replace("Y*", "(Y/sum(Y, axis=1, keepdims=True))*")
    gradient = row.gradient.replace("- Y)", "- Y/sum(Y, axis=1, keepdims=True))")
    call = f"{row.name}({', '.join(row.parameters)})" if fixed == row.definition else fixed
    text = (
        f"dims {', '.join(dims)}\ndata {declared}\nL = {call}\nG = {gradient} + 0 * {one}\noutput L"
    )
    claimed, wanted = gradient_and_differences(text, one, SIZES)
    np.testing.assert_allclose(claimed, wanted, rtol=1e-6, atol=1e-8)


def test_a_loss_is_written_out_where_it_is_called() -> None:
    head = "dims N, K\ndata Z[N, K], Y[N, K]\n"
    called = parse(head + "L = cross_entropy(Z, Y)")
    written = parse(head + "L = mean(-sum(Y*log_softmax(Z, axis=-1), axis=-1))")
    assert called.statements[0][1] == written.statements[0][1]


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_of_formulas(name: str) -> None:
    definition, gradient = FORMULAS[name]
    shape, one = ("N, K", "Z") if "Z" in definition else ("N", "z" if "z" in definition else "yhat")
    other = "Y" if one == "Z" else "y"
    fixed = f"{other}0 / sum({other}0, axis=1, keepdims=True)" if one == "Z" else f"{other}0"
    text = (
        f"dims {shape}\ndata {one}[{shape}], {other}0[{shape}]\n{other} = {fixed}\n"
        f"L = {definition}\nG = {gradient}\noutput L"
    )
    claimed, wanted = gradient_and_differences(text, one, SIZES)
    np.testing.assert_allclose(claimed, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", VECTOR_JACOBIANS)
def test_jacobians_of_vector_functions(name: str) -> None:
    model = parse(f"dims K\ndata z[K]\np = {name}(z)\nG = {VECTOR_JACOBIANS[name]}\noutput p")
    program = lower(
        dims=model.dims, inputs=model.inputs, rules=model.rules, output="p",
        statements=[(n, t) for n, t, _ in model.statements],
    )  # fmt: skip
    z = np.array([0.3, -0.8, 1.1])

    def values(at: np.ndarray) -> dict[str, np.ndarray]:
        got = run(program, Point({"K": 3}, {"z": at}, {}, model.rules)).values
        return {k: np.asarray(v, dtype=float) for k, v in got.items()}

    columns = [(values(z + e)["p"] - values(z - e)["p"]) / 2e-6 for e in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(values(z)["G"], np.stack(columns, axis=-1), rtol=1e-6, atol=1e-8)


def test_slopes_by_sympy() -> None:
    """Where SymPy knows the function, its own derivative is the slope."""
    z = Z
    assert diff(1 / z, z) == -1 / z**2
    assert RULES["log1p"].slopes[0] == 1 / (1 + z)
    assert RULES["leaky_relu"].defaults == (Rational(1, 100),)
