"""Models: what a file declares, where it is found, and the models that ship."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from sympy import Integer

from symbackprop.errors import Malformed
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.program import DECLARABLE_FACTS, Fact
from symbackprop.ir.sample import draw
from symbackprop.matrix.lower import lower
from symbackprop.network.facts import CLASHES
from symbackprop.network.model import Model, load, parse
from symbackprop.network.shipped import shipped_models
from symbackprop.notation.text_printer import show

MODELS = tuple(shipped_models())
SIZES = {"conv1d": {"L": 5, "K": 3}}
OF_THE_NOTES = {
    "deep-tanh", "linear-neuron", "logistic-regression", "mlp", "relu-neuron", "sigmoid-neuron",
    "softmax-layer", "softmax-regression", "tanh-neuron", "three-layer", "three-layer-outputs",
    "three-layer-scalar", "three-layer-tanh",
}  # fmt: skip
THREE_LAYER = {
    "Z": "X @ W.T + b", "H": "f(Z)", "yhat": "H @ theta + c", "L": "sum((yhat - y)**2)",
}  # fmt: skip


def run_model(model: Model, point: Point) -> dict[str, np.ndarray]:
    program = lower(
        dims=model.dims, inputs=model.inputs, functions=model.functions, facts=model.facts,
        statements=[(n, t) for n, t, _ in model.statements], output=model.output,
        sizes=model.sizes, conditions=model.conditions, rules=model.rules,
        families=model.families, loops=model.loops,
    )  # fmt: skip
    given = point if point.values else draw(program, np.random.default_rng(0), dims=point.dims)
    return {k: np.asarray(v, dtype=float) for k, v in run(program, given).values.items()}


def test_models_that_ship() -> None:
    assert set(MODELS) > OF_THE_NOTES
    assert sorted(MODELS) == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_model(name: str) -> None:
    model = load(name)
    assert model.name == name
    assert model.title.endswith(".")
    assert set(model.sizes) == {d.name for d in model.dims}
    small = {d.name: 2 + k % 3 for k, d in enumerate(model.dims)} | SIZES.get(name, {})
    values = run_model(model, Point(small, {}))
    assert np.isfinite(values[model.output]).all()


def test_the_three_layer_net_of_the_notes() -> None:
    model = load("three-layer")
    assert {n: show(t) for n, t, _ in model.statements} == THREE_LAYER
    assert [(q.name, q.role) for q in model.inputs] == [
        ("X", "data"), ("y", "data"), ("W", "param"), ("b", "param"), ("theta", "param"),
        ("c", "param"),
    ]  # fmt: skip
    assert (model.functions, model.output) == (("f",), "L")


def test_three_layer_scalar_is_one_sample_of_the_vectorised_net() -> None:
    random = np.random.default_rng(1)
    dims = {"N": 1, "D": 3, "M": 2}
    shapes = {"X": (1, 3), "y": (1,), "W": (2, 3), "b": (2,), "theta": (2,), "c": ()}
    values = {k: random.normal(size=s) for k, s in shapes.items()}
    point = Point(dims, values, {"f": np.tanh})
    one = {**values, "x": values["X"][0], "y": values["y"][0]}
    scalar = Point(dims, one, {"f": np.tanh})
    a, b = run_model(load("three-layer"), point), run_model(load("three-layer-scalar"), scalar)
    np.testing.assert_allclose(a["L"], b["L"])
    np.testing.assert_allclose(a["H"][0], b["h"])


def test_declarations() -> None:
    model = parse(
        "dims N = 64, K, L\ndata X[N, L-K+1], Y[N, 3]\nparam θ[2*K], c\nfunction f, g\n"
        "assume Y onehot\nassume c positive\nassume K <= L\nassume sum(X, axis=1) == N\n"
        "A = f(X)\nB = sum(A) + g(c)\noutput A\n",
        "some/where.net",
    )
    assert (model.name, model.output, model.sizes) == ("where", "A", {"N": 64})
    assert [str(d) for d in model.dims] == ["N", "K", "L"]
    assert [str(q.shape) for q in model.inputs] == ["(N, -K + L + 1)", "(N, 3)", "(2*K,)", "()"]
    assert model.inputs[2].name == "theta"
    assert model.facts == (
        Fact("Y", "onehot"), Fact("c", "positive"), Fact("X", "sum", 1, model.dims[0]),
    )  # fmt: skip
    assert [(str(a), op, str(b)) for a, op, b in model.conditions] == [("K", "<=", "L")]


def test_facts_on_intermediates() -> None:
    model = parse("dims N\ndata x[N]\np = softmax(x)\nassume sum(p) == 1\nL = sum(p**2)")
    assert model.facts == (Fact("p", "sum", None, Integer(1)),)


@pytest.mark.parametrize("kind", DECLARABLE_FACTS)
def test_every_fact_can_be_declared_alone(kind: str) -> None:
    assert parse(f"dims N\ndata A[N, N]\nassume A {kind}\nL = sum(A)").facts == (Fact("A", kind),)


@pytest.mark.parametrize("pair", sorted(tuple(sorted(c)) for c in CLASHES), ids="-".join)
def test_facts_that_cannot_hold_together(pair: tuple[str, str]) -> None:
    for first, second in (pair, pair[::-1]):
        text = f"dims N\ndata A[N, N]\nassume A {first}\nassume A {second}\nL = sum(A)"
        with pytest.raises(Malformed, match="hold together"):
            parse(text)


def test_load_from_a_file_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.net"
    path.write_text("# Mine.\ndata x\nL = x**2\n", encoding="utf-8")
    assert (load(str(path)).name, load(str(path)).title) == ("mine", "Mine.")
    monkeypatch.setattr("sys.stdin", io.StringIO("data x\nL = x**2\n"))
    assert load("-").output == "L"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("three-layr", "did you mean three-layer?"), ("xyz", "`symbackprop models` lists"),
     ("no/such.net", "lists the models"), ("three-layer.netx", "three-layer"), ("", "lists"),
     ("a\0b", "lists the models"), ("../models/x", "lists"), ("x" * 5000, "a name, a path")],
)  # fmt: skip
def test_a_model_that_is_not_there(name: str, hint: str) -> None:
    with pytest.raises(Malformed) as caught:
        load(name)
    assert hint in caught.value.hint


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.net"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Malformed, match="UTF-8"):
        load(str(path))


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.net"
    path.write_text("x" * 2_000_000)
    with pytest.raises(Malformed, match="1 MB"):
        load(str(path))


@pytest.mark.parametrize("name", ["__import__", "lambda", "forward", "self", "None_"])
def test_odd_names(name: str) -> None:
    if name.startswith("_"):
        with pytest.raises(Malformed, match="begins with a letter"):
            parse(f"data {name}\nL = {name}**2")
    else:
        assert parse(f"data {name}\nL = {name}**2").inputs[0].name == name
