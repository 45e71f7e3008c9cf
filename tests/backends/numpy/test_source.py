"""The generated file as text: how it reads, what it may contain, that it is the same each time."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop.backends.numpy.kernel import kernel_source
from symbackprop.backends.numpy.layout import laid_out
from symbackprop.backends.numpy.names import RESERVED, describe, identifiers
from symbackprop.network.model import parse
from symbackprop.pipeline.compilation import derive
from tests.backends.numpy.loading import SHIPPED, draw, kernel, record, source
from tests.backends.numpy.test_terms import term

HOSTILE = """\
dims np, out, axis
data lambda[np, out], list[np]
param forward[axis, out], ws[axis], softmax[axis], dtype
function fit
cache = lambda @ forward.T + ws
workspace = fit(cache)
θ = sigmoid(workspace @ softmax + dtype)
loss = -sum(list * log(θ))
"""
JACOBIANS = {"of": "yhat", "wrt": "W", "kind": "jacobian"}
RULES = "E,W,F,I,UP,B,C4,SIM,RET,PIE,PERF,RUF,D2,D3,D4"
# Unicode is meant; what a section is called and whether a summary ends in a dot is taste.
IGNORED = "RUF001,RUF002,RUF003,D203,D205,D213,D400,D401,D406,D407,D413,D415,D212,B023,E741,PERF401"


def test_three_layer_reads_as_expected(golden: Callable[[str, str], None]) -> None:
    golden("numpy/three_layer.py", source("three-layer"))


def test_softmax_layer_reads_as_expected(golden: Callable[[str, str], None]) -> None:
    golden("numpy/softmax_layer.py", source("softmax-layer"))


@pytest.mark.parametrize("model", SHIPPED)
def test_only_numpy_is_imported_and_lines_are_short(model: str) -> None:
    text = source(model)
    imports = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(n) for n in imports] == ["import numpy as np"]
    assert max(map(len, text.splitlines())) <= 100
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert f"symbackprop kernel {model}\n" in text
    assert "sha256:" in text


def test_the_same_bytes_each_time_and_a_hash_of_the_text() -> None:
    made = derive(parse(HOSTILE)).record
    once, twice = (kernel_source(made, title="x", source_text=t) for t in (HOSTILE, HOSTILE + "\n"))
    assert once == kernel_source(derive(parse(HOSTILE)).record, title="x", source_text=HOSTILE)
    pairs = zip(once.splitlines(), twice.splitlines(), strict=True)
    assert len([a for a, b in pairs if a != b]) == 1


def test_linters_and_the_type_checker_accept_it(
    tmp_path: Path, require: Callable[..., str]
) -> None:
    for tool in ("ruff", "mypy"):
        require(tool, package=True)
    for model in SHIPPED:
        (tmp_path / f"{model.replace('-', '_')}.py").write_text(source(model), encoding="utf-8")
    texts = {
        "hostile": source(HOSTILE), "jacobian": source("three-layer", **JACOBIANS),
        "fixed": source("mlp", "float32"),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    lint = [
        "ruff", "check", "--isolated", "--no-cache", "--line-length", "100", "--select", RULES,
        "--ignore", IGNORED, str(tmp_path),
    ]  # fmt: skip
    types = ["mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "--config-file", ""]
    for command in (lint, [*types, *map(str, sorted(tmp_path.glob("*.py")))]):
        run = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_hostile_names_work_and_keys_keep_them() -> None:
    k, program = kernel(HOSTILE), record(HOSTILE).program
    assert k._self_test() < 1e-6
    given = draw(program, {"np": 3, "out": 2, "axis": 4})
    spelled = {n: v for n, v in given.items() if n not in RESERVED and not n.startswith("_")}
    spelled |= {n + "_": v for n, v in given.items() if n not in spelled}
    loss, cache = k.forward(**spelled, fit_=np.tanh)
    grads = k.backward(cache, fit_prime=lambda z: 1 - np.tanh(z) ** 2)
    assert list(grads) == ["forward", "ws", "softmax", "dtype"]
    assert np.isfinite(loss)
    data = {n: given[n] for n in program.data}
    params = {n: given[n] for n in program.params}
    slopes = {"fit_": np.tanh, "fit_prime": lambda z: 1 - np.tanh(z) ** 2}
    after, history = k.fit(data, params, rate=1e-3, epochs=5, batch=2, **slopes)
    assert len(history) == 5
    assert list(after) == list(params)


def test_a_title_cannot_leave_its_docstring() -> None:
    title = 'x"""\nimport os\nos.system("false")\n"""\\'
    text = kernel_source(record("three-layer-tanh"), title=title, source_text='"""\nimport os')
    assert "system(" not in text
    assert [n.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.alias)] == ["numpy"]


def test_identifiers_never_meet() -> None:
    names = ["lambda", "lambda_", "np", "np_", "θ", "theta", "_x", "é", "W", "中", "print"]
    made = identifiers(names)
    assert made["W"] == "W"
    assert made["theta"] == "theta"
    assert made["lambda_"] == "lambda_"
    assert made["lambda"] == "lambda__"
    assert made["θ"] == "theta_"
    assert made["print"] == "print_"
    assert len(set(made.values())) == len(names)
    assert all(v.isidentifier() and v.isascii() and v not in RESERVED for v in made.values())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("X - grad_X", "X_minus_grad_X"), ("X**2", "X_squared"), ("1 - X", "one_minus_X"),
        ("exp(X)", "exp_X"), ("X @ W.T", "X_WT"), ("sum(X, axis=0)", "sum_X"),
        ("(X + 1) * (X + 2) * (X + 3) * (X + 4)", "shared"),
    ],
)  # fmt: skip
def test_common_subterms_are_named_by_what_they_hold(text: str, word: str) -> None:
    assert describe(term(text)) == word


@pytest.mark.parametrize(
    "statement",
    [
        "x = " + " + ".join(f"first{k} * second{k}" for k in range(12)),
        "x = np.diag(" + " * ".join(f"factor{k}" for k in range(20)) + ")",
        "x = f(" + ", ".join(f"some_long_argument{k} + 1" for k in range(9)) + ").T.copy()",
        ", ".join(f"x{k}" for k in range(40)) + f" = g({', '.join(f'n{k}' for k in range(40))})",
        "x = (" + " + ".join(f"a{k} * (b{k} - c{k} / d{k})" for k in range(9)) + ") / N",
        "for key in (" + ", ".join(f'"key{k}"' for k in range(30)) + "):",
    ],
    ids=["sum", "call", "arguments", "unpacking", "quotient", "loop"],
)  # fmt: skip
def test_broken_statements_are_short_and_mean_the_same(statement: str) -> None:
    whole = statement + "\n    pass\n" if statement.endswith(":") else statement + "\n"
    text = laid_out(whole)
    assert max(map(len, text.splitlines())) <= 100 < len(statement)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(whole))


def test_each_common_subterm_is_computed_once() -> None:
    loss = "sum(exp(X @ w) + exp(X @ w)**2) + sum(tanh(X @ w))"
    model = f"dims N, D\nparam X[N, D], w[D]\nL = {loss}\n"
    forward = source(model).partition("def backward")[0]
    assert forward.count("@ w") == 1
    assert forward.count("np.exp(") == 1
    everything = source(model).partition("def loss_and_grad")[0]
    assert everything.count("@ w\n") + everything.count("@ w  #") == 1
    assert everything.count("np.exp(") == 1


def test_nothing_unneeded_is_computed() -> None:
    model = "dims N\nparam a[N], b[N]\nu = a * b\nunused = exp(a)\nL = sum(u)\n"
    text = source(model)
    assert "unused" not in text
    assert "np.exp" not in text
    softmax: Any = source("softmax-regression")
    assert "grad_P" not in softmax
