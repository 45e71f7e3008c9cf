"""Gradients that forget something: one use of a variable cut, or an intermediate quantity held
constant.

The commonest deep mistakes (a missing path, a shared weight used once, half of a product rule) are
the true gradient of another program, in which one occurrence of a quantity is replaced by a
constant copy of it. The copy has the same values, so the claim is compared at the same points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sympy import Expr

from symbackprop.calculus.reverse import reverse
from symbackprop.checking.document import Document, Step
from symbackprop.checking.report import Diagnosis
from symbackprop.checking.scope import GRADIENT
from symbackprop.ir import terms
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.expressions import Entry, entries, entry_names, replace_entries
from symbackprop.ir.program import Equation, Program, Quantity

HELD = "_held"
MOST_EQUATIONS = 40


@dataclass(frozen=True, slots=True)
class Cut:
    """A program in which one use of ``name`` (in ``equation``) is a constant, and what that mistake
    is called.
    """

    program: Program
    category: str
    message: str


def forgotten(step: Step, document: Document) -> Diagnosis | None:
    """The diagnosis that a gradient forgets something, if the claim is the gradient of such a
    program.
    """
    comparison = step.comparison
    if comparison is None or step.claim is None or not isinstance(comparison.left.expr, Entry):
        return None
    name = comparison.left.expr.name
    forward = document.scope.forward
    if (
        not name.startswith(GRADIENT)
        or len(forward.equations) > MOST_EQUATIONS
        or comparison.shapes is not None
    ):
        return None
    for cut in _cuts(forward, name.removeprefix(GRADIENT)):
        if _claimed(step, cut.program, name, document):
            return Diagnosis(cut.category, cut.message)
    return None


def _cuts(forward: Program, wrt: str) -> Iterator[Cut]:
    """Programs with one use cut, the variable's own uses first."""
    uses = [e for e in forward.equations if wrt in entry_names(e.rhs)]
    for equation in uses:
        if len(uses) > 1:
            said = (
                "by the term in the loss"
                if equation.name == forward.output
                else f"in {equation.name}"
            )
            category = (
                "regulariser"
                if equation.name == forward.output and wrt in forward.params
                else "shared-once"
                if wrt in forward.params
                else "missing-path"
            )
            yield Cut(
                _cut(forward, equation, wrt),
                category,
                f"{wrt} is used more than once, and its use {said} is left out",
            )
    for equation in forward.equations:
        for name in sorted(entry_names(equation.rhs)):
            if name != wrt and any(e.name == name for e in forward.equations):
                category = "missing-path"
                shown = name if not name.startswith("_") else "an inner quantity"
                yield Cut(
                    _cut(forward, equation, name),
                    category,
                    f"the path through {shown} is left out: it is held constant",
                )
    for equation in uses:
        own = [e for e in entries(equation.rhs) if e.name == wrt]
        for entry in own[1:] + own[:1] if len(own) > 1 else ():
            yield Cut(
                _cut(forward, equation, wrt, entry),
                "product-rule",
                f"{wrt} occurs more than once in {equation.name}: "
                "a term of the product rule is missing",
            )


def _cut(forward: Program, equation: Equation, name: str, only: Entry | None = None) -> Program:
    """The program with ``name`` held constant in one equation (or one of its entries there)."""
    shape = forward.shape_of(name)
    held = Quantity(name + HELD, shape, "data")
    rule = {name: lambda e: Entry(name + HELD, *e.indices) if only is None or e == only else e}
    changed = replace(equation, rhs=replace_entries(equation.rhs, rule))
    equations = tuple(changed if e.name == equation.name else e for e in forward.equations)
    return replace(forward, inputs=(*forward.inputs, held), equations=equations)


def _claimed(step: Step, program: Program, name: str, document: Document) -> bool:
    """Whether the claim has the values of the gradient in this program, at the document's
    points.
    """
    assert step.claim is not None, "only claims are compared"
    assert step.comparison is not None, "only claims are compared"
    adjoints = reverse(program, program.output, [name.removeprefix(GRADIENT)])
    equations = tuple(
        Equation(
            _other(a.name),
            a.indices,
            replace_entries(a.entry, _renaming(a.entry)),
            terms.name(a.name, [i.extent for i in a.indices]),
            a.hidden,
        )
        for a in adjoints
    )
    if _other(name) not in {e.name for e in equations}:
        return False
    left = step.comparison.left.expr
    assert isinstance(left, Entry), "gradients are entries"
    wanted = Entry(_other(name), *left.indices)
    values = document.values
    points = values.points
    try:
        values.points = [_extended(p, program, equations) for p in points]
        values.forget()
        return values.agree(step.claim.expr, wanted)
    finally:
        values.points = points
        values.forget()


def _other(name: str) -> str:
    return f"{name}{HELD}"


def _renaming(entry: Expr) -> dict[str, Callable[[Entry], Expr]]:
    def renamed(e: Entry) -> Expr:
        return Entry(_other(e.name), *e.indices)

    return {n: renamed for n in entry_names(entry) if n.startswith(GRADIENT)}


def _extended(point: Point, program: Program, equations: tuple[Equation, ...]) -> Point:
    """The point with the constant copies and the adjoints of the cut program."""
    values = dict(point.values)
    for q in program.inputs:
        if q.name.endswith(HELD):
            values[q.name] = values[q.name.removesuffix(HELD)]
    return run(replace(program, equations=equations), replace(point, values=values))
