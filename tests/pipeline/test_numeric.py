"""``check``: functions that are right and wrong, run for real; what cannot be run is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop import pipeline
from symbackprop.checking.numeric import reference
from symbackprop.errors import Malformed
from symbackprop.pipeline.compilation import program_of
from symbackprop.pipeline.numeric import _points

CODE = """
import numpy as np
SECRET = 3

def grads(X, y, W, b, theta, c, f, f_prime, unused=None):
    Z = X @ W.T + b
    H = f(Z)
    r = H @ theta + c - y
    dyhat = 2 * r
    dZ = np.outer(dyhat, theta) * f_prime(Z)
    X[:] = 0  # a copy: the next point is not spoilt
    return {"dW": dZ.T @ X_of(dZ, X, 0), "db": dZ.sum(0), "dtheta": H.T @ dyhat, "loss": r @ r}

def X_of(dZ, X, k):
    return X

def upstream(dyhat, cache):
    X, theta, slope, H = cache
    dZ = np.outer(dyhat, theta) * slope
    return dZ.T @ X, dZ.sum(0, keepdims=True), H.T @ dyhat

def forward(X, W, b, theta, c, f, f_prime):
    Z = X @ W.T + b
    return f(Z) @ theta + c, (X, theta, f_prime(Z), f(Z))

class Net:
    def __init__(self, X, W, b, theta, c):
        self.parts = X, np.tanh(X @ W.T + b), theta
        self.yhat = self.parts[1] @ theta + c
    def backward(self, y, factor=2):
        X, H, theta = self.parts
        d = factor * (self.yhat - y)
        return d.sum(), np.outer(d, theta) * (1 - H ** 2)

def turned(X, grad_Z):
    return X.T @ grad_Z

def half(grad_Z, X):
    out = grad_Z.T @ X
    out[0, 0] += 1
    return out

def raises(X):
    return X @ X

def endless(X):
    while True:
        pass

def leaves(X):
    import os
    os._exit(3)

def foreign(dout):
    return dout
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("code") / "net.py"
    file.write_text(CODE)
    return str(file)


def checked(path: str, **options: Any) -> pipeline.NumericCheck:
    return pipeline.check(sb.load("three-layer"), path, **options)


@pytest.mark.parametrize(
    ("function", "call", "returns", "expected"),
    [
        ("grads", None, None, {"W": "refuted", "b": "agrees", "theta": "agrees"}),
        ("upstream", "upstream(grad_yhat, forward(X, W, b, theta, c, f, f_prime)[1])", "W,b,theta",
         {"W": "agrees", "b": "agrees", "theta": "agrees"}),
        ("backward", "Net(X, W, b, theta, c).backward(y)", "c,Z", {"c": "agrees", "Z": "agrees"}),
        ("backward", "Net(X, W, b, theta, c).backward(y, factor=-2)", "_,Z", {"Z": "refuted"}),
        ("turned", None, "W", {"W": "refuted"}),
        ("half", None, ["W"], {"W": "refuted"}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_verdicts(
    path: str, function: str, call: str | None, returns: Any, expected: dict[str, str]
) -> None:
    found = checked(path, function=function, call=call, returns=returns)
    assert {g.of: g.verdict for g in found.gradients} == expected
    assert found.verdict == ("refuted" if "refuted" in expected.values() else "agrees")
    assert found.as_json()["gradients"]


def test_the_entries_that_differ_are_shown(path: str) -> None:
    found = checked(path, function="half", returns="W")
    (gradient,) = found.gradients
    assert gradient.differing == 1
    (entry,) = gradient.entries
    assert entry.index == (0, 0)
    assert entry.got == pytest.approx(entry.expected + 1)
    assert entry.differences == pytest.approx(entry.expected, rel=1e-5)
    assert entry.complex_step == pytest.approx(entry.expected, rel=1e-12)
    assert "W[0, 0]: got" in str(found)


def test_patterns_are_told(path: str) -> None:
    assert "transpose is right" in str(checked(path, function="turned", returns="W"))
    call = "Net(X, W, b, theta, c).backward(y, factor=-2)"
    assert "-1 times" in str(checked(path, function="backward", call=call, returns="_,Z"))
    assert "ignored: loss" in str(checked(path, function="grads"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"function": "raises", "returns": "X"}, "ValueError"),
        ({"function": "endless", "returns": "X", "seconds": 3}, "no answer"),
        ({"function": "leaves", "returns": "X"}, "ended with 3"),
        ({"function": "foreign", "returns": "X"}, "parameter dout"),
        ({"function": "missing"}, "no function missing"),
        ({"function": "turned"}, "without names"),
        ({"function": "turned", "returns": "W,b"}, "2 values"),
        ({"function": "turned", "returns": "Q"}, "names of the model"),
        ({"function": "turned", "call": "turned(X, (lambda: 1)())", "returns": "W"}, "more than"),
        ({"function": "turned", "call": "turned(X, nowhere)", "returns": "W"}, "nowhere"),
        ({"function": "turned", "call": "turned(X,", "returns": "W"}, "Python"),
    ],
    ids=lambda v: " ".join(map(str, v.values())) if isinstance(v, dict) else "",
)
def test_what_cannot_be_compared_is_an_error(path: str, options: Any, said: str) -> None:
    with pytest.raises(Malformed) as error:
        checked(path, **options)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["three-layer", "mlp", "softmax-regression", "layer-norm"])
def test_three_ways_to_the_truth_agree(name: str) -> None:
    program = program_of(sb.load(name))
    point = _points(program)[0]
    for of in program.params:
        true = reference(of, program, point)
        assert np.allclose(true.differences, true.derived, rtol=1e-5, atol=1e-6)
        assert true.complex_step is not None
        assert np.allclose(true.complex_step, true.derived, rtol=1e-10, atol=1e-12)
