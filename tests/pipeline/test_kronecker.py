"""The vec form of a Jacobian agrees with its entries, and is refused where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.ir.evaluate import evaluate, run
from symbackprop.ir.sample import draw
from tests.corpus_language import environment, value

# fmt: off
CASES = {   # statements: the form expected, and the same in NumPy
    "Y = A @ X @ B": (
        "kron(B.T, A)",
        lambda v: np.kron(v["B"].T, v["A"])),
    "Y = 3 * X @ B": (
        "3 * kron(B.T, eye(n))",
        lambda v: 3 * np.kron(v["B"].T, np.eye(v["X"].shape[0]))),
    "Y = sin(X)": (
        "diag(vec(cos(X)))",
        lambda v: np.diag(np.cos(v["X"]).T.ravel())),
    "Y = A @ sin(X)": (
        "kron(eye(m), A) @ diag(vec(cos(X)))",
        lambda v: np.kron(np.eye(v["X"].shape[1]), v["A"]) @ np.diag(np.cos(v["X"]).T.ravel())),
}
# fmt: on
DECLARED = "dims n, m, p, q\nparam X[n, m]\ndata A[p, n], B[m, q]\n"


@pytest.mark.parametrize("statement", sorted(CASES))
def test_vec_forms(statement: str) -> None:
    text, reference = CASES[statement]
    derivation = sb.derive(sb.parse(f"{DECLARED}{statement}\n"), of="Y", kind="jacobian")
    form = derivation["X"].kronecker
    assert form is not None
    if text is not None:
        assert form == text
    equation = derivation.record.derivatives[0].equation
    point = run(derivation.program, draw(derivation.program, np.random.default_rng(0)))
    entries = np.asarray(evaluate(equation.rhs, point, equation.indices), dtype=float)
    rows, columns = entries.shape[0] * entries.shape[1], entries.shape[2] * entries.shape[3]
    stacked = entries.transpose(1, 0, 3, 2).reshape(rows, columns)
    np.testing.assert_allclose(stacked, reference(point.values), atol=1e-12)
    values = {name: np.asarray(v, dtype=float) for name, v in point.values.items()}
    printed = value(form, values, environment(point.dims, {}))
    np.testing.assert_allclose(printed, stacked, atol=1e-12)


@pytest.mark.parametrize("statement", ["Y = softmax(X, axis=1)", "Y = X.T"])
def test_no_form_where_indices_mix(statement: str) -> None:
    derivation = sb.derive(sb.parse(f"{DECLARED}{statement}\n"), of="Y", kind="jacobian")
    assert derivation["X"].kronecker is None
    assert "(no such form)" in derivation.as_text(form="kronecker")
    assert derivation.as_json(form="kronecker")["derivatives"][0]["kronecker"] is None
