"""Sums over steps, and equations over members as equations over stacks.

Statements of a recurrence are lowered as if every member were an array of its own; here their
entries become entries of the stacks, ``H[l-1][n,m] → H[l-1-first, n, m]``, and hidden quantities
that change from step to step become families too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Integer, expand

from symbackprop.ir.expressions import Entry, Index, IndexSum, entry_names, fresh_index, substitute
from symbackprop.ir.families import (
    Family,
    Loop,
    letters_in,
    read_label,
    split_member,
    stacked,
)
from symbackprop.ir.program import Equation
from symbackprop.ir.replacement import replace_entries
from symbackprop.ir.terms import Term
from symbackprop.matrix.operations import At, Lowers, Place, Rule, Scope, registrar

RULES: dict[str, Rule] = {}
_rule = registrar(RULES)


@_rule("series")
def _series(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``Σ_l a[l]``: what is hidden in ``a`` changes with the step and is written out."""
    letter, first, last = t.attrs
    step = fresh_index(
        Index(letter, expand(last - first + 1)), (Index(name, Integer(2)) for name in scope)
    )
    body = run.within(t.args[0], at, scope | {step.name})
    return IndexSum(stacked(body, run.families, {letter: step + first}), step)


def stack_equations(
    equations: Sequence[Equation], families: Mapping[str, Family], loops: Mapping[str, Loop]
) -> tuple[tuple[Equation, ...], dict[str, Family]]:
    """The equations over stacks, and the families with those of hidden quantities."""
    known = dict(families)
    stepped: dict[str, str] = {}
    out = []
    for equation in equations:
        letter = _letter(equation, stepped, loops)
        parts = split_member(equation.name)
        if letter and equation.hidden:
            loop = loops[letter]
            known[equation.name] = Family(equation.name, letter, loop.first, loop.count)
            stepped[equation.name] = letter
        if letter:
            name = parts[0] if parts else equation.name
            out.append(_step(equation, name, loops[letter], known, stepped))
        elif parts:
            label = expand(read_label(parts[1], {}) - known[parts[0]].first)
            rhs = stacked(equation.rhs, known, {})
            indices = (Index(known[parts[0]].index, Integer(1)), *equation.indices)
            out.append(replace(equation, name=parts[0], indices=indices, rhs=rhs, start=label))
        else:
            out.append(replace(equation, rhs=stacked(equation.rhs, known, {})))
    return tuple(out), known


def _letter(equation: Equation, stepped: Mapping[str, str], loops: Mapping[str, Loop]) -> str:
    """The letter of the step at which an equation stands; nothing for one outside."""
    if not equation.hidden:
        return next(iter(letters_in(equation.name, loops)), "")
    for name in sorted(entry_names(equation.rhs)):
        found = stepped.get(name) or next(iter(sorted(letters_in(name, loops))), "")
        if found:
            return found
    return ""


def _step(
    equation: Equation,
    name: str,
    loop: Loop,
    families: Mapping[str, Family],
    stepped: Mapping[str, str],
) -> Equation:
    place = Index(loop.index, loop.count)
    at: Expr = Integer(0) if loop.count == 1 else place
    rhs = replace_entries(
        equation.rhs,
        {h: lambda e: Entry(e.args[0], at, *e.indices) for h, x in stepped.items() if x},
    )
    rhs = stacked(rhs, families, {loop.index: at + loop.first})
    start = expand(loop.first - families[name].first)
    return replace(
        equation,
        name=name,
        indices=(place, *equation.indices),
        rhs=rhs,
        start=start,
        step=loop.index,
    )


def written_out(e: Expr, equations: Sequence[Equation]) -> Expr:
    """``e`` with the given equations put in, last first."""
    for equation in reversed(equations):
        e = replace_entries(e, {equation.name: lambda entry, q=equation: _at(q, entry)})
    return e


def _at(equation: Equation, entry: Entry) -> Expr:
    return substitute(equation.rhs, dict(zip(equation.indices, entry.indices, strict=True)))
