"""Programs that forget something: one use of a quantity cut, intermediates held constant, a softmax
taken entry by entry.

Each is the true program with some occurrences replaced by constant copies of the same values, and
is named by the mistake of which its gradients are the result.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sympy import Add, Expr, Mul, Pow, fraction, preorder_traversal

from symbackprop.ir.expressions import Entry, entries, entry_names
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.replacement import replace_entries

HELD = "_held"
MOST_PAIRS = 30
SOFTMAXES = ("softmax", "log_softmax")


@dataclass(frozen=True, slots=True)
class Cut:
    """A program that forgets something, and what that mistake is called."""

    program: Program
    category: str
    message: str


def cuts(forward: Program, wrt: str) -> Iterator[Cut]:
    """Programs with something forgotten, the variable's own uses first."""
    uses = [e for e in forward.equations if wrt in entry_names(e.rhs)]
    for equation in uses if len(uses) > 1 else ():
        yield _use_cut(forward, equation, wrt)
    yield from _softmaxes(forward)
    yield from _held_somewhere(forward, wrt)
    for equation in uses:
        own = [e for e in entries(equation.rhs) if e.name == wrt]
        for entry in own[1:] + own[:1] if len(own) > 1 else ():
            yield _occurrence_cut(forward, equation, wrt, entry)
    for equation in uses:
        yield from _terms_held(forward, equation, wrt)
        yield from _factors_held(forward, equation, wrt)
    yield from _all_but_one(forward, uses, wrt)
    yield from _held_everywhere(forward, wrt)


def _occurrence_cut(forward: Program, equation: Equation, wrt: str, entry: Entry) -> Cut:
    program = _cut(forward, equation, wrt, entry)
    said = f"{wrt} occurs more than once in {equation.name}: "
    if equation.term.op in SOFTMAXES:
        said += "the softmax has it above and below"
        return Cut(program, "softmax-elementwise", said)
    return Cut(program, "product-rule", said + "a term of the product rule is missing")


def _terms_held(forward: Program, equation: Equation, wrt: str) -> Iterator[Cut]:
    """Of a sum in whose terms the variable occurs, one is left out."""
    own = [t for t in Add.make_args(equation.rhs) if wrt in entry_names(t)]
    held = {wrt: lambda e: Entry(wrt + HELD, *e.indices)}
    for term in own if len(own) > 1 else ():
        rhs = equation.rhs - term + replace_entries(term, held)
        category = (
            "quotient-rule"
            if _divides(term, wrt)
            else "regulariser"
            if _is_penalty(equation.rhs, wrt, forward) and wrt in forward.params
            else "missing-path"
        )
        said = f"{wrt} occurs in several terms of {shown(equation.name)}, of which one is left out"
        yield Cut(_with(forward, replace(equation, rhs=rhs), [wrt]), category, said)


def _factors_held(forward: Program, equation: Equation, wrt: str) -> Iterator[Cut]:
    """Of a product with several factors in which the variable occurs, one is held constant, or all
    but one.
    """
    held = {wrt: lambda e: Entry(wrt + HELD, *e.indices)}
    for node in preorder_traversal(equation.rhs):
        own = [f for f in node.args if wrt in entry_names(f)] if isinstance(node, Mul) else []
        for f in own if len(own) > 1 else ():
            for kept in {False, len(own) > 2}:
                changed = [
                    replace_entries(g, held) if (g in own and (g == f) != kept) else g
                    for g in node.args
                ]
                under = any(isinstance(g, Pow) and g.exp.is_negative for g in own)
                category = "quotient-rule" if under else "product-rule"
                rhs = equation.rhs.xreplace({node: Mul(*changed)})
                said = "a term of the quotient rule" if under else "a term of the product rule"
                yield Cut(
                    _with(forward, replace(equation, rhs=rhs), [wrt]),
                    category,
                    f"{wrt} occurs in several factors of {shown(equation.name)}: {said} is missing",
                )


def _all_but_one(forward: Program, uses: list[Equation], wrt: str) -> Iterator[Cut]:
    """Of all the places where the variable is used, one alone is differentiated."""
    places = [(q, e) for q in uses for e in dict.fromkeys(entries(q.rhs)) if e.name == wrt]
    for kept in places if len(places) > 2 else ():
        program = forward
        for equation, entry in places:
            if (equation, entry) != kept:
                program = _cut(program, program.equation(equation.name), wrt, entry)
        category = "shared-once" if wrt in forward.params else "missing-path"
        said = f"{wrt} is used in {len(places)} places, of which only one is differentiated"
        yield Cut(program, category, said)


def _use_cut(forward: Program, equation: Equation, wrt: str) -> Cut:
    loss = equation.name == forward.output and wrt in forward.params
    said = "by the term in the loss" if loss else f"in {shown(equation.name)}"
    if equation.name == forward.output and _is_penalty(equation.rhs, wrt, forward):
        category = "regulariser"
    elif _divides_alone(equation.name, forward):
        category = "quotient-rule"
    elif _multiplies(equation, wrt, forward):
        category = "product-rule"
    else:
        category = "shared-once" if wrt in forward.params else "missing-path"
    message = f"{wrt} is used more than once, and its use {said} is left out"
    return Cut(_cut(forward, equation, wrt), category, message)


def _is_penalty(rhs: Expr, wrt: str, forward: Program) -> bool:
    """Whether the variable stands in a term of its own, with inputs alone."""
    inputs = {q.name for q in forward.inputs}
    own = [t for t in Add.make_args(rhs) if wrt in entry_names(t)]
    return isinstance(rhs, Add) and all(entry_names(t) <= inputs for t in own)


def _multiplies(equation: Equation, wrt: str, forward: Program) -> bool:
    """Whether the variable is multiplied there by something that depends on it: of a parameter, in
    the same formula, since a named quantity that depends on it is another use.
    """
    reached = {wrt}
    for e in forward.equations:
        if entry_names(e.rhs) & reached and (e.hidden or wrt not in forward.params):
            reached.add(e.name)
    return any(
        wrt in entry_names(f) and entry_names(g) & (reached - {wrt})
        for node in preorder_traversal(equation.rhs)
        if isinstance(node, Mul)
        for f, g in itertools.permutations(node.args, 2)
    )


def _divides_alone(name: str, forward: Program) -> bool:
    """Whether a quantity only serves to divide others, or to make what does."""
    uses = [e for e in forward.equations if name in entry_names(e.rhs)]
    return bool(uses) and all(
        _only_divides(e.rhs, name) or _divides_alone(e.name, forward) for e in uses
    )


def _only_divides(rhs: Expr, name: str) -> bool:
    """Whether a quantity stands below fractions, and nowhere else."""
    above = {n for t in Add.make_args(rhs) for n in entry_names(fraction(t)[0])}
    return name in entry_names(rhs) and name not in above


def _held_somewhere(forward: Program, wrt: str) -> Iterator[Cut]:
    for equation in forward.equations:
        for name in sorted(entry_names(equation.rhs)):
            if name != wrt and any(e.name == name for e in forward.equations):
                under = _divides(equation.rhs, name)
                yield Cut(
                    _cut(forward, equation, name),
                    "quotient-rule" if under else "missing-path",
                    f"the path through {shown(name)} is left out: it is held constant",
                )


def _held_everywhere(forward: Program, wrt: str) -> Iterator[Cut]:
    """Two intermediates held constant at once, wherever they are used."""
    reached = {wrt}
    names = []
    for e in forward.equations:
        if entry_names(e.rhs) & reached:
            reached.add(e.name)
            if e.name != forward.output:
                names.append(e.name)
    for pair in list(itertools.combinations(names, 2))[:MOST_PAIRS]:
        program = forward
        for name in pair:
            for equation in forward.equations:
                if name in entry_names(equation.rhs):
                    program = _cut(program, program.equation(equation.name), name)
        said = " and ".join(map(shown, pair))
        yield Cut(
            program,
            "missing-path",
            f"the paths through {said} are left out: they are held constant",
        )


def _softmaxes(forward: Program) -> Iterator[Cut]:
    """A softmax of which each entry depends on its own logit alone."""
    for equation in forward.equations:
        if equation.term.op in SOFTMAXES:
            top, bottom = fraction(equation.rhs)
            names = sorted(entry_names(equation.rhs))
            if bottom == 1:
                continue
            rule = {n: lambda e: Entry(e.name + HELD, *e.indices) for n in names}
            below = replace_entries(bottom, rule) - replace_entries(top, rule) + top
            program = _with(forward, replace(equation, rhs=top / below), names)
            yield Cut(
                program,
                "softmax-elementwise",
                f"the softmax {equation.name} is differentiated entry by entry: "
                "each entry depends on all logits",
            )


def _divides(rhs: Expr, name: str) -> bool:
    return any(
        isinstance(n, Pow) and n.exp.is_negative and name in entry_names(n.base)
        for n in preorder_traversal(rhs)
    )


def shown(name: str) -> str:
    """A name as people see it."""
    return name if not name.startswith("_") else "an inner quantity"


def _cut(forward: Program, equation: Equation, name: str, only: Entry | None = None) -> Program:
    """The program with ``name`` held constant in one equation (or one of its entries there)."""
    rule = {name: lambda e: Entry(name + HELD, *e.indices) if only is None or e == only else e}
    return _with(forward, replace(equation, rhs=replace_entries(equation.rhs, rule)), [name])


def _with(forward: Program, changed: Equation, held: list[str]) -> Program:
    known = {q.name for q in forward.inputs}
    copies = tuple(
        Quantity(n + HELD, forward.shape_of(n), "data") for n in held if n + HELD not in known
    )
    equations = tuple(changed if e.name == changed.name else e for e in forward.equations)
    return replace(forward, inputs=(*forward.inputs, *copies), equations=equations)
