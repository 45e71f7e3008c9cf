"""Functions of whole matrices: identities that `prove` decides, and solutions of linear systems."""

from __future__ import annotations

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
)
FALSE = (
    "det(A + B) == det(A) + det(B)",
    "inv(A @ B) == inv(A) @ inv(B)",
    "det(kron(A, P)) == det(A) ** n * det(P) ** m",
    "solve(A, B) == B @ inv(A)",
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
