"""The issue's own lines: what the three-layer net, softmax regression and Jacobians give."""

from __future__ import annotations

import json

import pytest

import symbackprop as sb
from symbackprop.errors import Malformed
from tests.models.whole import SINGLE

# fmt: off
THREE_LAYER = {
    "yhat":  "2 * (yhat - y)",
    "theta": "H.T @ grad_yhat",
    "c":     "sum(grad_yhat)",
    "H":     "outer(grad_yhat, theta)",
    "Z":     "grad_H * f_prime(Z)",
    "W":     "grad_Z.T @ X",
    "b":     "sum(grad_Z, axis=0)",
    "X":     "grad_Z @ W",
}
JACOBIANS = {
    ("three-layer", "yhat", "theta"):   "H",
    ("three-layer-scalar", "h", "z"):   "diag(f_prime(z))",
    ("softmax-layer", "h", "z"):        "diag(h) - outer(h, h)",
}
GRADIENT_BY_JACOBIAN = {        # ∇_θL = (∂ŷ/∂θ)ᵀ ∇_ŷL
    ("three-layer", "theta"): "H.T @ (2 * (yhat - y)) == 2 * H.T @ (yhat - y)",
}
# fmt: on


def test_three_layer_texts() -> None:
    derivation = sb.derive(sb.load("three-layer"), wrt="all")
    document = json.loads(json.dumps(derivation.as_json()))
    assert document["schema"] == 1
    texts = {d["wrt"]: d["text"] for d in document["derivatives"]}
    assert {name: texts[name] for name in THREE_LAYER} == THREE_LAYER
    for d in document["derivatives"]:
        assert d["checked"]["proved"] is True
        assert d["checked"]["max_error"] < 1e-6
        assert d["steps"]


def test_sums_are_written_with_ones_as_the_notes_do() -> None:
    derivation = sb.derive(sb.load("three-layer"))
    assert derivation["c"].latex == r"\nabla_{c} L = \mathbf{1}_{N}^\top \nabla_{\hat{y}} L"
    assert derivation["b"].latex == r"\nabla_{b} L = (\nabla_{Z} L)^\top \mathbf{1}_{N}"


def test_the_scalar_net_by_entries() -> None:
    derivation = sb.derive(sb.load("three-layer-scalar"))
    assert derivation["W"].index == "grad_W[j,i] = x[i]*grad_z[j]"
    steps = json.dumps(derivation["W"].as_json()["steps"])
    assert "2*(yhat - y)*x[i]*theta[j]*f_prime(z[j])" in steps


def test_softmax_regression_uses_the_fact() -> None:
    derivation = sb.derive(sb.load("softmax-regression"))
    assert derivation["Z"].text == "(P - Y) / N"
    assert derivation["Z"].facts == ("Y onehot",)
    source = sb.load("softmax-regression").source.replace("assume Y onehot", "")
    free = sb.derive(sb.parse(source))
    assert free["Z"].text != "(P - Y) / N"
    assert free["Z"].checked.passed


@pytest.mark.parametrize("case", sorted(JACOBIANS), ids="-".join)
def test_jacobians(case: tuple[str, str, str]) -> None:
    model, of, wrt = case
    derivation = sb.derive(sb.load(model), of=of, wrt=wrt, kind="jacobian")
    assert derivation[wrt].text == JACOBIANS[case]
    assert derivation[wrt].checked.passed


@pytest.mark.parametrize("case", sorted(GRADIENT_BY_JACOBIAN), ids="-".join)
def test_the_gradient_is_the_transposed_jacobian_times_the_gradient(case: tuple[str, str]) -> None:
    model = sb.load(case[0])
    jacobian = sb.derive(model, of="yhat", wrt=case[1], kind="jacobian")[case[1]].closed
    gradient = sb.derive(model, wrt=[case[1]])
    inner, outer = gradient["yhat"].closed, gradient[case[1]].closed
    assert sb.prove(f"({jacobian}).T @ ({inner}) == {outer}", model).verdict == "proved"


@pytest.mark.parametrize("model", SINGLE)
def test_every_derivative_of_every_model_is_proved_and_agrees(model: str) -> None:
    for d in sb.derive(sb.load(model)).values():
        assert d.checked.passed, (d, d.checked)


@pytest.mark.parametrize("kind", ["jacobian", "hessian", "hvp", "jvp", "vjp"])
@pytest.mark.parametrize("model", ["three-layer", "softmax-regression", "logistic-regression"])
def test_every_kind_is_proved_and_agrees(model: str, kind: str) -> None:
    of = {"jvp": "L", "vjp": "L", "jacobian": "L"}.get(kind)
    for d in sb.derive(sb.load(model), kind=kind, of=of).values():
        assert d.checked.passed, (d, d.checked)


@pytest.mark.parametrize("layout", ["notes", "jacobian", "gradient"])
def test_layouts(layout: str) -> None:
    derivation = sb.derive(sb.load("three-layer"), layout=layout)
    assert derivation["W"].shape == (("D", "M") if layout == "jacobian" else ("M", "D"))
    assert all(d.checked.passed for d in derivation.values())
    turned = sb.derive(
        sb.load("three-layer"), of="yhat", wrt="theta", kind="jacobian", layout=layout
    )
    assert turned["theta"].shape == (("M", "N") if layout == "gradient" else ("N", "M"))
    assert turned["theta"].checked.passed


def test_closed_forms_name_no_adjoint() -> None:
    for model in SINGLE:
        derivation = sb.derive(sb.load(model))
        seeded = f"grad_{derivation.of}"
        for d in derivation.values():
            if d.closed is None:  # of a recurrence, say
                assert d.closed_reason
                continue
            assert "grad_" not in d.closed.replace(seeded, "")


def test_a_closed_form_that_would_be_too_long_is_refused_with_a_reason() -> None:
    lines = ["dims N, M", "data X[N, M]", "H0 = X"]
    for k in range(1, 14):
        lines.insert(2, f"param W{k}[M, M]")
        lines.append(f"H{k} = H{k - 1} + tanh(H{k - 1} @ W{k}.T)")
    derivation = sb.derive(sb.parse("\n".join([*lines, "L = sum(H13**2)"]) + "\n"))
    assert derivation["W1"].closed is None
    assert "5000" in str(derivation["W1"].closed_reason)
    assert derivation["W1"].text


# fmt: off
WRONG = {
    "unknown wrt":     dict(wrt="V"),
    "unknown of":      dict(of="V"),
    "unknown kind":    dict(kind="divergence"),
    "unknown layout":  dict(layout="sideways"),
    "independent":     dict(of="Z", wrt="theta"),
    "no direction":    dict(kind="gradient", direction="y"),
    "wrong direction": dict(kind="hvp", wrt="W", direction="y"),
}
# fmt: on


@pytest.mark.parametrize("case", sorted(WRONG))
def test_wrong_requests_are_told_in_four_parts(case: str) -> None:
    with pytest.raises(Malformed) as caught:
        sb.derive(sb.load("three-layer"), **WRONG[case])
    assert "expected" in str(caught.value)
    assert "got" in str(caught.value)


def test_same_input_gives_the_same_answer() -> None:
    first, second = (json.dumps(sb.derive(sb.load("mlp")).as_json()) for _ in range(2))
    assert first == second


def test_the_adjoint_of_a_probability_cancels_against_the_slope_of_sigmoid() -> None:
    assert sb.derive(sb.load("logistic-regression"))["z"].text == "(p - y) / N"


def test_blocks_of_a_hessian_are_derived_when_one_is_asked_for() -> None:
    derivation = sb.derive(sb.load("softmax-regression"), kind="hessian")
    sb.kernel(derivation)
    assert "record" not in vars(derivation)
    assert [d.wrt for d in derivation.values()] == ["W", "W,b", "b,W", "b"]
    assert "record" in vars(derivation)
