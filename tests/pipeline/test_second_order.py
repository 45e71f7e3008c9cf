"""Second derivatives: what is known of a variable at a point is not true along its way.

A gradient simplified by ``X = Xᵀ`` must not be differentiated by the entries of ``X``: these move
one by one.
"""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.calculus import directional
from symbackprop.ir.program import Program

# fmt: off
CURVED = {                   # facts that a moving entry breaks, and what would use them
    "symmetric": "param X[n, n]\nassume X spd\nL = logdet(X)",
    "powers":    "param X[n, n]\nassume X symmetric\nassume X invertible\nL = det(X)",
    "simplex":   "param p[n]\nassume p simplex\ns = sum(p)\nL = s**3 * p @ p",
    "sign":      "param y[n]\nassume y sign\nL = sum(y**4)",
    "onehot":    "param Y[m, n]\ndata C[m, n]\nassume Y onehot\nL = sum(Y**2 * sum(Y) * C)",
    "defined":   "data z[n], y[n]\np = softmax(z)\nL = -y @ log(p) * sum(p)**2",
}
# fmt: on


def second(name: str, kind: str) -> sb.Derivation:
    model = sb.parse(f"dims n, m\n{CURVED[name]}\noutput L\n")
    return sb.derive(model, kind=kind, wrt="p" if name == "defined" else None)


@pytest.mark.parametrize("kind", ["hessian", "hvp"])
@pytest.mark.parametrize("name", sorted(CURVED))
def test_facts_of_a_variable_are_not_used_before_it_moves(name: str, kind: str) -> None:
    for d in second(name, kind).values():
        assert d.checked.passed, (d, d.checked)


def test_a_fact_used_too_early_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_is(program: Program, names: object) -> Program:
        return program

    monkeypatch.setattr(directional, "movable", as_it_is)
    assert not second("symmetric", "hessian")["X"].checked.passed


def test_indices_do_not_end_up_in_the_bracket_of_a_direction() -> None:
    model = sb.parse("dims n\nparam x[n], b\nL = sum(x**3) * b\noutput L\n")
    derivation = sb.derive(model, kind="hvp")
    assert derivation["x"].index.startswith("(d2(L)/d(x)d(x)[v_x] + d2(L)/d(x)d(b)[v_b])[i] = ")
    assert derivation["b"].index.startswith("d2(L)/d(b)d(x)[v_x] + d2(L)/d(b)d(b)[v_b] = ")


def test_blocks_of_a_net_are_jacobians_and_the_curvature_of_units() -> None:
    derivation = sb.derive(sb.load("three-layer-tanh"), kind="hessian", wrt=["b", "theta"])
    assert derivation["b"].text == (
        "2 * (diag(theta) @ ((1 - H**2).T @ (theta * (1 - H**2)) "
        "+ 2 * diag((H * (1 - H**2)).T @ (y - yhat))))"
    )
    assert derivation["b", "theta"].text == (
        "2 * ((theta * (1 - H**2)).T @ H - diag((1 - H**2).T @ (y - yhat)))"
    )
    for d in derivation.values():
        assert d.checked.passed, (d, d.checked)
