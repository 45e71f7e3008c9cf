"""The passes of the algebra by name, each as a function of an expression and its program, and the
text cases ``tests/cases/algebra/<pass>.txt``.

A case has a line of declarations, statements, and last the expression as ``e[n:N, m:M] = …``, its
indices with their extents; after ``=>`` stands what the pass makes of it, in the same notation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sympy import Expr

import symbackprop as sb
from symbackprop.algebra.arguments import unify_arguments
from symbackprop.algebra.candidates import collect
from symbackprop.algebra.declared import use_declared
from symbackprop.algebra.elementary import to_elementary
from symbackprop.algebra.expand import expand, numerator
from symbackprop.algebra.exponents import split_exponents
from symbackprop.algebra.extrema import draw_out_of_extrema
from symbackprop.algebra.knowledge import inline, proof_context, working_context
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.rational import vanishing
from symbackprop.algebra.recognition import recognise
from symbackprop.algebra.reflection import reflect
from symbackprop.algebra.whole_matrices import relate_matrices
from symbackprop.ir.expressions import Index
from symbackprop.ir.program import Program
from symbackprop.library.scopes import scope_of
from symbackprop.notation.elaborate import elaborate_entry
from symbackprop.notation.text_reader import read_expression
from symbackprop.pipeline.compilation import program_of

CASES = Path(__file__).parents[1] / "cases" / "algebra"
Pass = Callable[[Expr, Program], Expr]


def _plain(e: Expr, program: Program) -> Expr:
    return normalise(e, proof_context(program))


def _folded(e: Expr, program: Program) -> Expr:
    return normalise(e, working_context(program))


def _expanded(e: Expr, program: Program) -> Expr:
    return expand(e, proof_context(program))


def _collected(e: Expr, program: Program) -> Expr:
    context = proof_context(program)
    return normalise(collect(normalise(e, context)), context)


def _recognised(e: Expr, program: Program) -> Expr:
    context = proof_context(program)
    return normalise(recognise(normalise(e, context)), context)


def _on_expanded(work: Callable[..., Expr]) -> Pass:
    """A pass of the prover, which works on the expanded form and is expanded after."""

    def pass_(e: Expr, program: Program) -> Expr:
        context = proof_context(program)
        return expand(work(expand(e, context), context), context)

    return pass_


def _matrices(e: Expr, program: Program) -> Expr:
    context = proof_context(program)
    for equation in reversed(program.equations):
        e = inline(e, (equation,))
    return relate_matrices(expand(e, context), program, context)


# fmt: off
PASSES: Mapping[str, Pass] = {
    "deltas":     _plain,
    "powers":     _plain,
    "facts":      _plain,
    "sums":       _plain,
    "names":      _plain,
    "fold":       _folded,
    "expand":     _expanded,
    "collect":    _collected,
    "recognise":  _recognised,
    "reflect":    _on_expanded(reflect),
    "elementary": _on_expanded(to_elementary),
    "exponents":  _on_expanded(split_exponents),
    "extrema":    _on_expanded(draw_out_of_extrema),
    "declared":   _on_expanded(use_declared),
    "arguments":  _on_expanded(unify_arguments),
    "matrices":   _matrices,
    "numerator":  _on_expanded(numerator),
    "rational":   _on_expanded(vanishing),
}
# fmt: on
ZERO_ONLY = frozenset({"numerator", "rational"})  # what they keep is whether the value is 0


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what it is about, the expression with its indices and program, and what is
    expected.
    """

    about: str
    entry: Expr
    indices: tuple[Index, ...]
    program: Program
    expected: str


def read(declarations: str, lines: list[str]) -> tuple[Expr, tuple[Index, ...], Program]:
    """The last line's expression, its indices, and the program of all lines above it."""
    brackets = " ".join(re.findall(r"\[(.*?)\]", declarations))
    names = sorted(set(re.findall(r"\b[A-Z]\w*\b", brackets)))
    head = [f"dims {', '.join(names)}"] if names else []
    inputs = [d.strip() for d in declarations.split(";")]
    # A model has at least one equation; this one stands for an empty program.
    text = "\n".join([*head, *inputs, *(lines[:-1] or ["nothing = 0"])]) + "\n"
    program = program_of(sb.parse(text))
    left, _, right = lines[-1].partition(" = ")
    told = re.findall(r"(\w+):(\w+)", left)
    dims = {d.name: d for d in program.dims}
    indices = tuple(Index(i, dims[extent]) for i, extent in told)
    entry = elaborate_entry(read_expression(right), scope_of(program, indices=indices))
    return entry, indices, program


def cases(name: str) -> list[Case]:
    """The cases of a pass."""
    found = []
    for block in (CASES / f"{name}.txt").read_text("utf-8").strip().split("\n\n"):
        about, *rest = block.splitlines()
        at = rest.index("=>")
        entry, indices, program = read(rest[0], rest[1:at])
        found.append(Case(about.lstrip("# "), entry, indices, program, "\n".join(rest[at + 1 :])))
    return found
