"""Functions of whole matrices: identities that `prove` decides, and solutions of linear systems."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb

MATRICES = """
dims n, m
data A[n, n], B[n, n], C[n, n], P[m, m]
assume A invertible
assume B invertible
assume P invertible
L = sum(A) + sum(B) + sum(C) + sum(P)
"""
PROVED = (
    "solve(A, B) == inv(A) @ B",
    "det(A @ B) == det(A) * det(B)",
    "inv(A @ B) == inv(B) @ inv(A)",
    "trace(A @ B @ C) == trace(C @ A @ B)",
    "kron(A, P) @ kron(C, P) == kron(A @ C, P @ P)",
    "logdet(A @ B) == logdet(A) + logdet(B)",
    "trace(kron(A, P)) == trace(A) * trace(P)",
    "vec(A @ B @ C) == kron(C.T, A) @ vec(B)",
    "inv(kron(A, P)) == kron(inv(A), inv(P))",
    "det(kron(A, P)) == det(A) ** m * det(P) ** n",
    "logdet(kron(A, P)) == m * logdet(A) + n * logdet(P)",
    "matpow(A, 9) @ matpow(A, 3) == matpow(A, 12)",
    "matpow(A, 7) == A @ A @ A @ A @ A @ A @ A",
    "inv(A) @ matpow(A, 8) == matpow(A, 7)",
    "matpow(A, 8).T == matpow(A.T, 8)",
)
FALSE = (
    "det(A + B) == det(A) + det(B)",
    "inv(A @ B) == inv(A) @ inv(B)",
    "det(kron(A, P)) == det(A) ** n * det(P) ** m",
    "solve(A, B) == B @ inv(A)",
    "matpow(A, 4) @ B == B @ matpow(A, 4)",
)
SYSTEM = """
dims n
data y[n]
param A[n, n], b[n]
assume A invertible
x = solve(A, b)
L = sum((x - y)**2)
"""


@pytest.mark.parametrize("identity", PROVED)
def test_true_identities_are_proved(identity: str) -> None:
    assert sb.prove(identity, sb.parse(MATRICES)).verdict == "proved"


@pytest.mark.parametrize("identity", FALSE)
def test_false_identities_are_refuted(identity: str) -> None:
    assert sb.prove(identity, sb.parse(MATRICES)).verdict == "refuted"


def test_gradients_of_the_solution_of_a_system() -> None:
    derivation = sb.derive(sb.parse(SYSTEM))
    assert derivation["b"].closed == "2 * inv(A).T @ (x - y)"
    assert derivation["A"].closed == "-2 * outer(inv(A).T @ (x - y), x)"
    assert all(d.checked.passed for d in derivation.values())


POWER = """
dims n
data A[n, n]
param X[n, n]
y = trace({})
"""


@pytest.mark.parametrize(
    ("traced", "gradient"),
    [
        ("matpow(X, 9)", "9 * matpow(X, 8).T"),
        (
            "A @ matpow(X, 4)",
            "(matpow(X, 3) @ A + A @ matpow(X, 3) + X @ X @ A @ X + X @ A @ (X @ X)).T",
        ),
    ],
)
def test_gradients_of_traces_of_powers(traced: str, gradient: str) -> None:
    derivation = sb.derive(sb.parse(POWER.format(traced)))
    assert derivation["X"].closed == gradient
    assert derivation["X"].checked.passed


def test_gradient_of_the_factor_of_cholesky() -> None:
    source = "dims n\ndata G[n, n]\nparam A[n, n]\nassume A spd\nC = cholesky(A)\nL = sum(G * C)\n"
    derivation = sb.derive(sb.parse(source))
    assert derivation["A"].closed == (
        "inv(cholesky(A)).T @ (triu(G.T @ C) + tril(C.T @ G, -1)).T @ inv(cholesky(A)) / 2"
    )
    assert derivation["A"].checked.passed


def test_the_factor_of_cholesky_in_kernels() -> None:
    source = "dims n\ndata G[n, n]\nparam A[n, n]\nassume A spd\nL = sum(G * cholesky(A))\n"
    kernel = sb.kernel(sb.derive(sb.parse(source)))
    rng = np.random.default_rng(0)
    root, g = rng.standard_normal((2, 4, 4))
    a = root @ root.T + np.eye(4)
    loss, grads = kernel(A=a, G=g)
    step = 1e-6 * np.eye(16).reshape(16, 4, 4)
    slopes = [(kernel(A=a + d, G=g)[0] - kernel(A=a - d, G=g)[0]) / 2e-6 for d in step]
    assert np.isclose(loss, np.sum(g * np.linalg.cholesky(a)))
    np.testing.assert_allclose(grads["A"], np.reshape(slopes, (4, 4)), atol=1e-6)
