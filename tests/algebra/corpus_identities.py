"""The derivation corpus as identities: what the tool derived against what a person wrote.

The corpus' own driver needs jax; only its data file is read here. ``let`` names of an expected
formula are written out, and a formula that leaves the shape to broadcasting is spread to the shape
of the derivative.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sympy import Expr

import symbackprop as sb
from symbackprop.errors import SymbackpropError
from symbackprop.ir import terms
from symbackprop.ir.letters import letters
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Shape, Term
from symbackprop.library.scopes import scope_of
from symbackprop.matrix.lower import entry
from symbackprop.matrix.substitution import replace_names
from symbackprop.notation.elaborate import elaborate
from symbackprop.notation.text_reader import read_expression

CORPUS = Path(__file__).parent.parent / "corpus"
# fmt: off
FACT = {
    "onehot": "onehot", "spd": "spd", "pm1": "sign", "positive": "positive", "unit": "unit",
    "binary": "binary", "simplex": "simplex", "symmetric": "symmetric", "wellcond": "invertible",
    "causal": "causal",
}
# fmt: on
CONDITION = re.compile(r"[\w\s+*/()-]+(<=|>=|<|>)[\w\s+*/()-]+")


@dataclass(frozen=True, slots=True)
class Identity:
    """A derivative in closed form and the expected formula, as entries against a program."""

    name: str
    closed: str
    expected: str
    lhs: Expr
    rhs: Expr
    program: Program


def problems(*areas: str, file: str = "derive.jsonl") -> Iterator[dict[str, Any]]:
    """The first-order problems of these areas."""
    for line in (CORPUS / file).read_text(encoding="utf-8").splitlines():
        p = json.loads(line)
        if p["area"] in areas and p["kind"] in ("gradient", "jacobian"):
            yield p


def model_text(p: dict[str, Any]) -> str:
    """The problem as a model file."""
    names = {
        w for shape in p["vars"].values() for e in shape for w in re.findall(r"[A-Za-z_]\w*", e)
    }
    assumed = p.get("assume", {})
    names |= {a[4:] for a in assumed.values() if a.startswith("int:")}
    lines = [f"dims {', '.join(sorted(names))}"] if names else []
    for name, shape in p["vars"].items():
        brackets = f"[{', '.join(shape)}]" if shape else ""
        fact = assumed.get(name, "")
        if fact.startswith("int:"):
            lines.append(f"index {name}{brackets} < {fact[4:]}")
            continue
        role = "param" if name in p["expected"] or name in p["wrt"] else "data"
        lines.append(f"{role} {name}{brackets}")
        if fact in FACT:
            lines.append(f"assume {name} {FACT[fact]}")
    lines += [f"assume {c}" for c in p.get("dim_constraints", []) if CONDITION.fullmatch(c)]
    lines += [f"function {f}" for f in p["elementwise_functions"]]
    return "\n".join([*lines, *p["forward"], f"output {p['output']}"]) + "\n"


def identities(p: dict[str, Any]) -> Iterator[Identity]:
    """Each derivative of a problem that the tool answers, with the expected formula."""
    try:
        derivation = sb.derive(sb.parse(model_text(p)), wrt=sorted(p["expected"]), kind=p["kind"])
    except SymbackpropError:
        return
    for wrt, expected in p["expected"].items():
        closed, shape = derivation[wrt].closed_term, derivation[wrt]._derivative.shape
        if closed is None:
            continue
        program = derivation.program
        wanted = terms.broadcast(written(expected, p.get("let", []), program), shape)
        names = {q.name for q in program.inputs} | {e.name for e in program.equations}
        indices = letters(shape, names | {d.name for d in program.dims})
        lhs, extra = entry(closed, indices, program)
        program = program.extended(extra)
        rhs, extra = entry(wanted, indices, program)
        name = f"{p['id']}-{wrt}"
        yield Identity(
            name, derivation[wrt].closed or "", expected, lhs, rhs, program.extended(extra)
        )


def written(expected: str, let: list[str], program: Program) -> Term:
    """An expected formula with its ``let`` names written out."""
    scope = scope_of(program)
    values: dict[str, Term] = {}
    shapes: dict[str, Shape] = dict(scope.shapes)

    def term(text: str) -> Term:
        here = replace(scope, shapes=shapes)
        return replace_names(elaborate(read_expression(text.strip()), here), values)

    for line in let:
        name, text = line.split("=", 1)
        value = term(text)
        values[name.strip()] = value
        shapes[name.strip()] = value.shape
    return term(expected)
