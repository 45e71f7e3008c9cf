"""The derivative of each array operation: proved to be its entry, equal to central differences, and
computed by the kernel.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbackprop as sb
from tests.array_operations import DECLARED, OPERATIONS

PARAMETERS = ("X", "Y", "Z", "S", "V", "W", "a")


def _derivation(operation: str) -> sb.Derivation:
    model = sb.parse(DECLARED + f"F = {operation}\nL = sum(F**2) + sum(F)\n")
    used = set(re.findall(r"\w+", operation))
    return sb.derive(model, wrt=[p for p in PARAMETERS if p in used])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_gradient_is_proved_and_agrees_with_differences(operation: str) -> None:
    for derivative in _derivation(operation).values():
        check = derivative.checked
        assert check.passed, (operation, derivative.text, check)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_kernel_agrees_with_differences(operation: str) -> None:
    kernel = sb.kernel(_derivation(operation))
    namespace: dict[str, object] = {"__name__": "kernel"}
    exec(compile(kernel.source, "kernel", "exec"), namespace)
    assert namespace["_self_test"]() < 1e-5  # type: ignore[operator]


def test_gradient_of_a_look_up_adds_up_rows_that_are_taken_twice() -> None:
    model = sb.parse(
        "dims N, V, D\nparam E[V, D]\ndata G[N, D]\nindex t[N] < V\nL = sum(G * E[t])\n"
    )
    derivation = sb.derive(model)
    assert derivation["E"].closed == "onehot(t, V).T @ G"
    kernel = sb.kernel(derivation)
    rows, table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.zeros((4, 2))
    _, gradients = kernel(E=table, G=rows, t=np.array([1, 1, 3]))
    np.testing.assert_array_equal(gradients["E"], [[0, 0], [4, 6], [0, 0], [5, 6]])


def test_integer_labels_give_the_textbook_gradient_of_cross_entropy() -> None:
    model = sb.parse(
        "dims N, K\nparam Z[N, K]\nindex c[N] < K\n"
        "P = softmax(Z, axis=1)\nL = -mean(log(P[arange(N), c]))\n"
    )
    assert sb.derive(model)["Z"].closed == "(P - onehot(c, K)) / N"
