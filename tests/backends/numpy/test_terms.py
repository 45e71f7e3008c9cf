"""Terms as NumPy code: by text, and by value against the evaluator; with and without buffers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sympy import Rational, sympify

from symbackprop.backends.numpy.buffers import Buffered
from symbackprop.backends.numpy.kernel import kernel_source
from symbackprop.backends.numpy.plan import Statement
from symbackprop.backends.numpy.stable import steady
from symbackprop.backends.numpy.terms import HELPERS, Writer, decimal
from symbackprop.backends.templates import environment
from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir import terms
from symbackprop.ir.terms import Term
from symbackprop.library.functions import RULES
from symbackprop.notation.elaborate import elaborate
from symbackprop.notation.text_reader import read_expression
from tests.backends.numpy.loading import draw, kernel, record
from tests.notation.random_terms import SCOPE, SHAPES, D, M, N, random_term

CASES = [
    line.split(" => ")
    for line in (Path(__file__).parents[2] / "cases" / "backends" / "numpy-terms.txt")
    .read_text("utf-8")
    .splitlines()
    if line and not line.startswith("#")
]
NAMES = {n: n for n in (*SHAPES, "N", "D", "M", "f", "f_prime")}
SIZES = {"N": 3, "D": 2, "M": 4}


def term(text: str) -> Term:
    """An expression of the language, made steady."""
    return steady(elaborate(read_expression(text.strip()), SCOPE), {}, RULES)


@pytest.mark.parametrize(("text", "code"), CASES, ids=[c[0].strip() for c in CASES])
def test_code(text: str, code: str) -> None:
    assert Writer(NAMES).source(term(text)) == code.strip()


def helpers() -> dict[str, Any]:
    """The helpers of the templates, run."""
    made = ModuleType("helpers")
    made.__dict__.update(np=np, Array=np.ndarray)
    for helper in HELPERS:
        exec(environment("py").get_template(f"numpy/{helper}.py.jinja").render(), made.__dict__)
    return made.__dict__


def run(code: str, local: dict[str, Any]) -> Any:
    """The value of generated code."""
    frame = dict(local)
    exec(f"value = {code}", frame)
    return frame["value"]


def values(rng: np.random.Generator) -> dict[str, Any]:
    """Arrays for the names of the scope, the functions, the extents."""
    given = {
        n: np.asarray(rng.uniform(0.5, 1.5, [SIZES[str(e)] for e in s])) for n, s in SHAPES.items()
    }
    return {**given, **SIZES, "f": np.tanh, "f_prime": lambda z: 1 - np.tanh(z) ** 2}


def meaning(t: Term, given: dict[str, Any]) -> Any:
    """What a term means, by the plainest NumPy, apart from the code under test."""
    args = [meaning(a, given) for a in t.args]
    axes = {} if t.op not in REDUCED else {"axis": t.attrs[0], "keepdims": t.attrs[1]}
    match t.op:
        case "name":
            return given[t.attrs[0]]
        case "number":
            return float(t.attrs[0])
        case "dim":
            return float(t.attrs[0].subs({N: SIZES["N"], D: SIZES["D"], M: SIZES["M"]}))
        case "ones" | "zeros":
            return getattr(np, t.op)([SIZES[str(e)] for e in t.shape])
        case "compare":
            return COMPARE[t.attrs[0]](*args).astype(float)
        case "where":
            return np.where(args[0] != 0, args[1], args[2])
        case "apply":
            return APPLY.get(t.attrs[0], given.get(t.attrs[0]))(*args)
        case "softmax":
            return np.exp(args[0]) / np.exp(args[0]).sum(axis=t.attrs[0], keepdims=True)
        case "log_softmax":
            return np.log(np.exp(args[0]) / np.exp(args[0]).sum(axis=t.attrs[0], keepdims=True))
        case "index":
            return np.asarray(args[0])[tuple(_place(i) for i in t.attrs[0])]
        case "einsum":
            return np.einsum(t.attrs[0], *args)
    return REDUCED[t.op](*args, **axes) if axes else PLAIN[t.op](*args)


def _place(item: Any) -> Any:
    at = {N: SIZES["N"], D: SIZES["D"], M: SIZES["M"]}
    return item if item is None or isinstance(item, slice) else int(sympify(item).subs(at))


# fmt: off
REDUCED = {
    "sum": np.sum, "mean": np.mean, "var": np.var, "max": np.max, "min": np.min, "prod": np.prod,
    "norm1": lambda a, **k: np.sum(np.abs(a), **k),
    "norm2": lambda a, **k: np.sum(a**2, **k) ** 0.5,
    "logsumexp": lambda a, **k: np.log(np.sum(np.exp(a), **k)),
}
PLAIN = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide,
    "neg": np.negative,
    "matmul": np.matmul, "transpose": np.transpose, "pow": lambda a, b: np.float_power(a, b),
    "outer": np.outer, "dot": np.dot, "diag": np.diag, "trace": np.trace,
}
COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal,
}
APPLY = {
    "exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh, "abs": np.abs,
    "relu": lambda z: z * (z > 0), "leaky_relu": lambda z, a: np.where(z > 0, z, a * z),
}
# fmt: on


@pytest.mark.parametrize("seed", range(400))
def test_code_and_buffers_have_the_value_that_is_meant(seed: int) -> None:
    random = Random(seed)
    shape = random.choice([(), (N,), (N, D), (N, M)])
    t = random_term(random, shape, 3)
    given = values(np.random.default_rng(seed))
    calm = steady(t, {}, RULES)
    with np.errstate(all="ignore"):
        want = np.broadcast_to(meaning(t, given), [SIZES[str(e)] for e in shape])
        if not np.all(np.isfinite(want)) or np.max(np.abs(want), initial=0) > 1e100:
            return  # a random term may divide by zero or overflow
        local = {**helpers(), **given, "dtype": np.dtype(float)}
        got = run(Writer(NAMES).source(calm), local)
        buffered = _buffered(calm, local)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(buffered, want, rtol=1e-9, atol=1e-9)


def _buffered(t: Term, local: dict[str, Any]) -> Any:
    emit = Buffered({**NAMES, "out": "out"})
    lines = emit.statement(Statement("out", t), copy=True)
    ws = ModuleType("ws")
    for b in emit.buffers:
        full = np.full(run(b.shape, local), True if b.mask else np.nan)
        setattr(ws, b.name, full)
    before = {n: np.array(v) for n, v in local.items() if isinstance(v, np.ndarray)}
    frame = {**local, "ws": ws}
    exec("\n".join(lines), frame)
    for n, v in before.items():
        np.testing.assert_array_equal(local[n], v, err_msg=f"{n} was written to")
    return frame["out"]


@pytest.mark.parametrize(
    ("q", "code"),
    [(2, "2"), (-2, "-2"), ("1/2", "0.5"), ("1/3", "1 / 3"), ("-1/8", "-0.125")],
)
def test_exact_numbers(q: Any, code: str) -> None:
    assert decimal(Rational(q))[0] == code


def test_what_has_no_code_says_so() -> None:
    with pytest.raises(NotSupported, match="entries"):
        Writer({}).source(terms.entries((), N))
    right = record("three-layer-tanh")
    with pytest.raises(NotSupported, match="second order"):
        kernel_source(replace(right, kind="hessian"), title="x", source_text="")
    with pytest.raises(Malformed, match="layout"):
        kernel_source(replace(right, layout="jacobian"), title="x", source_text="")
    with pytest.raises(Malformed, match="float16"):
        kernel_source(right, title="x", source_text="", dtype="float16")


def test_erf_is_exact_to_rounding() -> None:
    erf = helpers()["_erf"]
    x = np.concatenate([np.linspace(-7, 7, 20001), np.logspace(-20, 0, 200), [np.inf, -np.inf]])
    want = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(erf(x), want, rtol=5e-16, atol=0)
    assert erf(x.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(erf(x, out=np.empty_like(x)), erf(x))
    assert np.isnan(erf(np.array([np.nan])))[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_helpers_are_stable_at_both_ends(dtype: Any) -> None:
    h = helpers()
    z = np.array([-1e30, -800, -100, -1, -0.0, 0.5, 1, 100, 800, 1e30], dtype)
    with np.errstate(all="raise", under="ignore"):
        s, ls, sp = h["_sigmoid"](z), h["_log_sigmoid"](z), h["_softplus"](z)
        rows = np.stack([z, -z, np.zeros_like(z)])
        p, lp = h["_softmax"](rows, axis=1), h["_log_softmax"](rows, axis=1)
        top = h["_logsumexp"](rows, axis=1)
    exact = [1 / (1 + math.exp(-v)) if v > -700 else 0.0 for v in z.tolist()]
    np.testing.assert_allclose(s, exact, rtol=1e-6 if dtype == np.float32 else 1e-15, atol=1e-40)
    np.testing.assert_allclose(ls[:3], z[:3])
    np.testing.assert_allclose(sp[-3:], z[-3:])
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    assert np.all(np.isfinite(lp))
    assert np.all(np.isfinite(top))
    assert {a.dtype for a in (s, ls, sp, p, lp, top)} == {np.dtype(dtype)}


def test_every_activation_of_the_library_has_a_kernel() -> None:
    unary = [name for name, rule in RULES.items() if len(rule.parameters) - len(rule.defaults) == 1]
    assert "sigmoid" in unary
    assert "relu" in unary
    for name in unary:
        model = f"dims N\nparam x[N]\nL = sum({name}(x))\n"
        k = kernel(model)
        assert k._self_test() < 1e-6, name
        x = draw(record(model).program, {"N": 5}, np.float32)["x"]
        loss, grads = k.loss_and_grad(x=x)
        assert loss.dtype == grads["x"].dtype == np.float32, name
