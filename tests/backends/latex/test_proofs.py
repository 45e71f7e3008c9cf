"""The proofs that notes print: every line has the value of the one before, by arithmetic here."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from sympy import Add, Expr, Mul, Pow

from symbackprop.backends.latex.proofs import DEFINITIONS, IDENTITIES, Identity
from symbackprop.ir.derivation import Step
from symbackprop.ir.expressions import Apply, Delta, Entry, IndexSum, Partial

POINTS = (-1.7, -0.3, 0.4, 2.1)
STEP = 1e-5
K = 3


def logistic(z: float) -> float:
    return 1 / (1 + math.exp(-z))


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "tanh": math.tanh,
    "log": math.log,
    "sigmoid": logistic,
    "softplus": lambda z: math.log(1 + math.exp(z)),
    "relu": lambda z: max(z, 0.0),
}


def slope(f: Callable[[float], float]) -> Callable[[float], float]:
    return lambda z: (f(z + STEP) - f(z - STEP)) / (2 * STEP)


FUNCTIONS |= {f"{name}_prime": slope(f) for name, f in list(FUNCTIONS.items())}


def softmax(z: list[float], j: int) -> float:
    return math.exp(z[j]) / sum(map(math.exp, z))


class Arithmetic:
    """Values at one point: a number ``z`` and a vector ``z`` with its softmax ``h``."""

    def __init__(self, z: float) -> None:
        self.z, self.vector = z, [z, 0.5, -z / 2]

    def value(self, e: Expr, at: dict[str, int]) -> float:
        if isinstance(e, Entry):
            if not e.indices:
                return self.z
            i = at[str(e.indices[0])]
            return self.vector[i] if e.name == "z" else softmax(self.vector, i)
        if isinstance(e, Partial):
            return self.derivative(at[str(e.args[0].indices[0])], at[str(e.args[1].indices[0])])
        if isinstance(e, Delta):
            return float(at[str(e.args[0])] == at[str(e.args[1])])
        if isinstance(e, IndexSum):
            return sum(self.value(e.body, at | {str(e.bound[0]): i}) for i in range(K))
        if isinstance(e, Apply):
            if e.name == "maximum":
                return max(self.value(u, at) for u in e.operands)
            return FUNCTIONS[e.name](self.value(e.operands[0], at))
        values = [self.value(a, at) for a in e.args]
        if isinstance(e, Add):
            return sum(values)
        if isinstance(e, Mul):
            return math.prod(values)
        return values[0] ** values[1] if isinstance(e, Pow) else float(e)

    def derivative(self, j: int, k: int) -> float:
        ahead, behind = ([*self.vector] for _ in range(2))
        ahead[k] += STEP
        behind[k] -= STEP
        return (softmax(ahead, j) - softmax(behind, j)) / (2 * STEP)


def close(a: Expr, b: Expr) -> bool:
    places = [{"j": j, "k": k} for j in range(K) for k in range(K)]
    return all(
        math.isclose(Arithmetic(z).value(a, at), Arithmetic(z).value(b, at), abs_tol=1e-8)
        for z in POINTS
        for at in places
    )


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda i: i.key)
def test_each_line_equals_the_one_before(identity: Identity) -> None:
    above = identity.left
    for step in identity.steps:
        assert isinstance(step, Step)
        assert isinstance(step.form, Expr)
        assert close(above, step.form), f"{above} is not {step.form}"
        above = step.form


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions_are_the_functions(name: str) -> None:
    for form in DEFINITIONS[name]:
        assert close(Apply(name, Entry("z")), form)


def test_a_wrong_line_would_be_noticed() -> None:
    z = Entry("z")
    assert not close(Apply("sigmoid_prime", z), Apply("sigmoid", z) * (2 - Apply("sigmoid", z)))
