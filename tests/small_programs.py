"""Programs from a few lines of text, for tests of the rooms below ``network``.

``program("data X[N,D], y[N]; param w[D]; assume Y onehot", "z = X @ w", …)``: declarations in one
text, then one statement a line. Every extent that is a single name is a dim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sympy import Expr, Integer

from symbackprop.ir.expressions import Apply, Compare, Index, Where, extent_symbol
from symbackprop.ir.functions import FunctionRule, Z
from symbackprop.ir.program import Fact, Program, Quantity
from symbackprop.ir.terms import Term
from symbackprop.matrix.lower import entry, lower
from symbackprop.notation.elaborate import Scope, elaborate
from symbackprop.notation.text_reader import read_expression

RULES = {
    "relu": FunctionRule("relu", (Z,), Apply("maximum", Z, 0), (Apply("step", Z),)),
    "sigmoid": FunctionRule(
        "sigmoid",
        (Z,),
        1 / (1 + Apply("exp", -Z)),
        (Apply("sigmoid", Z) * (1 - Apply("sigmoid", Z)),),
    ),
    "softplus": FunctionRule(
        "softplus", (Z,), Apply("log", 1 + Apply("exp", Z)), (Apply("sigmoid", Z),)
    ),
    "softlog": FunctionRule(
        "softlog", (Z,), Where(Compare(">", Z, 1), Apply("log", Z), Z - 1), (Z,)
    ),
}


def program(
    declarations: str, *statements: str, rules: Mapping[str, FunctionRule] = RULES
) -> Program:
    """The program of these declarations and statements."""
    inputs: list[Quantity] = []
    functions: list[str] = []
    facts: list[Fact] = []
    for line in (part.strip() for part in declarations.split(";")):
        word, _, rest = line.partition(" ")
        if word == "function":
            functions += re.findall(r"\w+", rest)
        elif word == "assume":
            name, kind = rest.split()
            facts.append(Fact(name, kind))
        elif word:
            for name, axes in re.findall(r"(\w+)(?:\[([^\]]*)\])?", rest):
                shape = tuple(_extent(a) for a in axes.split(",") if a)
                inputs.append(Quantity(name, shape, word))
    dims = tuple(
        sorted({s for q in inputs for e in q.shape for s in e.free_symbols}, key=lambda s: s.name)
    )
    made = Program(dims, tuple(inputs), tuple(functions), tuple(facts), (), "", rules=rules)
    lines: list[tuple[str, Term]] = []
    for statement in statements:
        name, _, right = (part.strip() for part in statement.partition("="))
        lines.append((name, _elaborate(right, made, {n: t.shape for n, t in lines})))
    return lower(
        dims=dims,
        inputs=inputs,
        functions=functions,
        facts=facts,
        statements=lines,
        rules=rules,
    )


def term(text: str, given: Program) -> Term:
    """An array expression in the names of a program."""
    return _elaborate(text, given, {e.name: e.shape for e in given.equations})


def both(left: str, right: str, given: Program) -> tuple[Expr, Expr, Program]:
    """Two array expressions as entries at the same indices, and the program that they need."""
    a = term(left, given)
    indices = tuple(Index(f"o{k}", e) for k, e in enumerate(a.shape))
    lhs, further = entry(a, indices, given)
    given = given.extended(further)
    rhs, further = entry(term(right, given), indices, given)
    return lhs, rhs, given.extended(further)


def _extent(text: str) -> Expr:
    return Integer(text) if text.strip().isdigit() else extent_symbol(text.strip())


def _elaborate(text: str, given: Program, defined: dict[str, tuple[Expr, ...]]) -> Term:
    scope = Scope(
        dims={d.name: d for d in given.dims},
        shapes={q.name: q.shape for q in given.inputs} | defined,
        functions=given.functions,
    )
    return elaborate(read_expression(text), scope)
