"""The fixtures of this room, lines ``model: formula => expected words``, and programs of models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from symbackprop.checking.truth import gradients, with_library
from symbackprop.ir.program import Equation, Program
from symbackprop.matrix.lower import lower
from symbackprop.network.model import load, parse

FOLDER = Path(__file__).parents[1] / "cases" / "checking"


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


@cache
def shipped(name: str) -> Program:
    """The program of a model that ships."""
    return program_of(load(name))


def program_of(model) -> Program:  # type: ignore[no-untyped-def]
    """A model as equations."""
    return lower(
        dims=model.dims,
        inputs=model.inputs,
        functions=model.functions,
        facts=model.facts,
        statements=[(name, term) for name, term, _ in model.statements],
        output=model.output,
        sizes=model.sizes,
        conditions=model.conditions,
        families=model.families,
        loops=model.loops,
        rules=model.rules,
    )


@cache
def written(text: str) -> Program:
    """The program of a model given as text."""
    return program_of(parse(text))


@cache
def true_gradients(name: str) -> tuple[Equation, ...]:
    """The adjoints of a shipped model, derived once."""
    return gradients(with_library(shipped(name)))
