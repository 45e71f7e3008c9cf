"""Functions with known verdicts, and the same functions run: the reference for symbolic execution.

A fixture is Python: ``#|`` lines are the model, each ``# => call ; returns ; expected`` begins a
section with one function (and its helpers), after the preamble that all sections share.
"""

from __future__ import annotations

import ast
import copy
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from symbackprop.checking.judge import verify
from symbackprop.checking.report import Report
from symbackprop.checking.truth import Values, gradients, with_library
from symbackprop.ir.program import Program
from symbackprop.network.model import parse
from symbackprop.pipeline.compilation import program_of
from tests.checking.fixtures import FOLDER


@dataclass(frozen=True)
class Section:
    """One function of a fixture and what is expected of it."""

    file: str
    model: str
    code: str
    call: str
    returns: str
    expected: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.call} => {' '.join(self.expected)}"


def sections() -> list[Section]:
    """All sections of all fixtures."""
    out = []
    for path in sorted((FOLDER / "numpy").glob("*.txt")):
        text = path.read_text("utf-8")
        model = "\n".join(line[3:] for line in text.splitlines() if line.startswith("#| "))
        preamble, *rest = re.split(r"^# => ", text, flags=re.MULTILINE)
        shared = "\n".join(line for line in preamble.splitlines() if not line.startswith("#|"))
        for section in rest:
            head, _, code = section.partition("\n")
            call, returns, expected = (part.strip() for part in head.split(" ; "))
            full = f"{shared}\n{code}"
            out.append(
                Section(path.name, model + "\n", full, call, returns, tuple(expected.split()))
            )
    return out


@cache
def setting(model: str) -> tuple[Program, Values]:
    """A model's program, with all its quantities and gradients at a few points."""
    program = with_library(program_of(parse(model)))
    return program, Values(program.extended(gradients(program)))


def judged(section: Section, code: str | None = None, explain: bool = True) -> Report:
    """The verdict on a section, or on other code in its place."""
    return verify(
        setting(section.model)[0],
        section.code if code is None else code,
        format="numpy",
        call=section.call,
        returns=section.returns,
        explain=explain,
    )


def runs_right(section: Section, code: str) -> bool:
    """Whether the code, run, returns the true gradients at all points."""
    program, values = setting(section.model)
    names = section.returns.split(",")
    for point in values.points:
        given = {
            q.name: np.array(point.values[q.name], dtype=int if q.role == "index" else float)
            for q in program.inputs
        }
        given |= {e.name: np.array(point.values[e.name]) for e in program.equations}
        space: dict[str, Any] = {}
        try:
            with np.errstate(all="ignore"):
                exec(compile(code, section.file, "exec"), space)
                result = eval(section.call, {**space, **given})  # noqa: S307 - our own text
            found = returned(result, names)
        except Exception:  # noqa: BLE001 - whatever a mutant does, it does not work
            return False
        for name in names:
            true = np.asarray(point.values[f"grad_{name}"])
            if not same(found.get(name), true):
                return False
    return True


def same(value: Any, true: np.ndarray) -> bool:
    """Equal in value; a vector may have axes of extent 1."""
    try:
        value = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return False
    if value.shape != true.shape:
        if value.size != true.size or max(true.ndim, 0) > 2:
            return False
        if np.squeeze(value).ndim > 1 or np.squeeze(true).ndim > 1:
            return False
        value, true = np.squeeze(value), np.squeeze(true)
    return bool(np.allclose(value, true, rtol=1e-6, atol=1e-8))


def returned(result: Any, names: list[str]) -> dict[str, Any]:
    """What is returned for each name."""
    if isinstance(result, tuple) and result and isinstance(result[-1], dict):
        result = result[-1]
    if isinstance(result, dict):
        return {k if k in names else k.removeprefix("d"): v for k, v in result.items()}
    flat: list[Any] = []
    pending = [result]
    while pending:
        here = pending.pop(0)
        if isinstance(here, tuple):
            pending = [*here, *pending]
        else:
            flat.append(here)
    return dict(zip(names, flat, strict=True))


def mutants(code: str, rng: random.Random, count: int) -> Iterator[str]:
    """The code with one random edit each."""
    tree = ast.parse(code)
    for _ in range(count):
        twin = copy.deepcopy(tree)
        if _edit(twin, rng):
            yield ast.unparse(ast.fix_missing_locations(twin))


CALLS = {
    "sum": "mean", "mean": "sum", "zeros_like": "ones_like", "zeros": "ones", "maximum": "minimum",
    "tanh": "sin", "exp": "cosh", "dot": "outer", "outer": "dot", "copy": "squeeze", "sqrt": "abs",
    "ones": "zeros", "square": "sqrt", "argmax": "max", "empty_like": "zeros_like", "sign": "abs",
}  # fmt: skip
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def _edit(tree: ast.Module, rng: random.Random) -> bool:
    """One random edit in place; False if the place drawn has none."""
    inside = [n for f in tree.body if isinstance(f, ast.FunctionDef | ast.ClassDef)
              for n in ast.walk(f)]  # fmt: skip
    node = rng.choice(inside)
    names = sorted({n.id for n in inside if isinstance(n, ast.Name)} - {"np", "range", "len"})
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        node.id = rng.choice(names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        node.value = rng.choice((0, 1, 2, -1, node.value * 2, node.value + 1))
    elif isinstance(node, ast.BinOp):
        if rng.random() < 0.3:
            node.left, node.right = node.right, node.left
        else:
            node.op = rng.choice(OPERATORS)()
    elif isinstance(node, ast.AugAssign):
        node.op = rng.choice(OPERATORS[:4])()
    elif isinstance(node, ast.Compare):
        node.ops = [rng.choice(COMPARISONS)()]
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        node.attr = "real"
    elif isinstance(node, ast.Attribute) and node.attr in CALLS:
        node.attr = CALLS[node.attr]
    elif isinstance(node, ast.Call) and node.keywords:
        node.keywords.pop(rng.randrange(len(node.keywords)))
    elif isinstance(node, ast.FunctionDef | ast.For | ast.If) and len(node.body) > 1:
        node.body.pop(rng.randrange(len(node.body)))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        rng.shuffle(node.value.elts)
    else:
        return False
    return True
