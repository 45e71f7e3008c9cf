"""The fixtures of this room, lines ``model: formula => expected words``, and programs of models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from symbackprop.checking.judge import verify
from symbackprop.checking.report import Report
from symbackprop.checking.truth import gradients, with_library
from symbackprop.ir.program import Equation, Program
from symbackprop.network.model import load, parse
from symbackprop.pipeline.compilation import program_of

FOLDER = Path(__file__).parents[1] / "cases" / "checking"
# A net of two layers without biases.
LAYERS = """
dims N, D, M
data X[N, D], y[N]
param W[M, D], v[M]
Z = X @ W.T
H = tanh(Z)
p = H @ v
L = sum((p - y)**2) / 2
"""


@dataclass(frozen=True)
class Case:
    """One line of a fixture; a bar between blanks stands for the end of a line."""

    model: str
    text: str
    expected: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.model}: {self.text}"[:100]


def cases(name: str) -> list[Case]:
    """The cases of ``tests/cases/checking/<name>.txt``."""
    out = []
    for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            given, _, expected = line.rpartition("=>")
            model, _, text = given.partition(":")
            out.append(Case(model, text.strip().replace(" | ", "\n"), tuple(expected.split())))
    return out


def judged_lines(model: str, lines: Iterable[str]) -> Report:
    """What is said of formulas, each a display of its own, without a search for what is wrong."""
    text = "\n".join(rf"\[ {line} \]" for line in lines)
    return verify(program_of(parse(model)), text, explain=False)


@cache
def shipped(name: str) -> Program:
    """The program of a model that ships."""
    return program_of(load(name))


@cache
def written(text: str) -> Program:
    """The program of a model given as text."""
    return program_of(parse(text))


@cache
def true_gradients(name: str) -> tuple[Equation, ...]:
    """The adjoints of a shipped model, derived once."""
    return gradients(with_library(shipped(name)))
