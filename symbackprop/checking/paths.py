"""Gradients that forget something: one use of a variable cut, or an intermediate quantity held
constant.

The commonest deep mistakes (a missing path, a shared weight used once, half of a product rule) are
the true gradient of another program, in which one occurrence of a quantity is replaced by a
constant copy of it. The copy has the same values, so the claim is compared at the same points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sympy import Expr, Integer

from symbackprop.calculus.reverse import reverse
from symbackprop.checking.compare import fit
from symbackprop.checking.cuts import HELD, cuts
from symbackprop.checking.derivatives import differentials, jacobians
from symbackprop.checking.document import Document
from symbackprop.checking.double_edits import said_of_factor
from symbackprop.checking.multiples import multiple_of
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading
from symbackprop.checking.report import Diagnosis
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.steps import Step
from symbackprop.ir import terms
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.expressions import Entry, entry_names, substitute
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.replacement import replace_entries
from symbackprop.notation.written import Binary, Fraction, Node

MOST_EQUATIONS = 40
CUT = 12  # units of work for an equation of a program in which something is cut


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The diagnosis that a gradient forgets something: of a claim that is the gradient of such a
    program, and of one that is a multiple of it.
    """

    exact: Diagnosis | None = None
    near: Diagnosis | None = None


def forgotten(step: Step, document: Document) -> Forgotten:
    """What a gradient forgets, if the claim is that of a program that forgets something."""
    comparison = step.comparison
    if comparison is not None and step.left is not None and step.kind == "jacobian":
        return Forgotten(_jacobian(step.left, comparison.right, document))
    if comparison is None or step.claim is None or not isinstance(comparison.left.expr, Entry):
        return Forgotten()
    name = comparison.left.expr.name
    forward = document.scope.forward
    claims = _as_claimed(step)
    if not name.startswith(GRADIENT) or len(forward.equations) > MOST_EQUATIONS or not claims:
        return Forgotten()
    near: Diagnosis | None = None
    work = document.values.work
    for cut in cuts(forward, name.removeprefix(GRADIENT)):
        if work.is_over():
            break
        work.spend(CUT * len(forward.equations))
        for claim, said in claims.items():
            times = _claimed(step, claim, cut.program, name, document)
            if times == 1:
                return Forgotten(Diagnosis(cut.category, cut.message + said))
            if times is not None and near is None:
                also = f"; and {said_of_factor(1 / times)}"
                near = Diagnosis(cut.category, cut.message + said + also)
    return Forgotten(near=near)


def _as_claimed(step: Step) -> dict[Expr, str]:
    """What a step claims, by the indices of its left side; transposed where only that fits."""
    found = step.comparison
    assert found is not None, "only claims are compared"
    assert step.claim is not None, "only claims are compared"
    if found.shapes is None:
        return {step.claim.expr: ""}
    axes, own = found.left.axes, step.claim.axes
    if len(axes) != 2 or [i.extent for i in own] != [i.extent for i in reversed(axes)]:
        return {}
    turned = dict(zip(own, reversed(axes), strict=True))
    return {substitute(step.claim.expr, turned): "; and it is transposed"}


def _jacobian(left: Node, claim: Reading, document: Document) -> Diagnosis | None:
    """The same for a Jacobian: the claim is that of a program that forgets something."""
    scope = document.scope
    pair = differentials(left, scope) if isinstance(left, Fraction | Binary) else None
    if pair is None or len(scope.forward.equations) > MOST_EQUATIONS:
        return None
    of, by = (read(node, scope)[0] for node in pair)
    if not isinstance(of.expr, Entry) or not isinstance(by.expr, Entry):
        return None
    for cut in cuts(scope.forward, by.expr.name):
        twin = Scope(scope.program, cut.program, document.values, scope.layout)
        points = document.values.points
        try:
            document.values.points = [_held(p, cut.program) for p in points]
            document.values.forget()
            for r in jacobians(of, by, twin):
                fitted = fit(r, claim)
                if fitted and document.values.agree(fitted[0].expr, fitted[1].expr):
                    return Diagnosis(cut.category, cut.message)
        finally:
            document.values.points = points
            document.values.forget()
    return None


def _claimed(
    step: Step, claim: Expr, program: Program, name: str, document: Document
) -> Expr | None:
    """By which constant the claim is a multiple of the gradient in this program, at the document's
    points.
    """
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
        return None
    left = step.comparison.left.expr
    assert isinstance(left, Entry), "gradients are entries"
    wanted = Entry(_other(name), *left.indices)
    values = document.values
    points = values.points
    try:
        values.points = [_extended(p, program, equations) for p in points]
        values.forget()
        if values.agree(claim, wanted):
            return Integer(1)
        return multiple_of(wanted, claim, values, signed=True)
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
    held = _held(point, program)
    return run(replace(program, equations=equations), held)


def _held(point: Point, program: Program) -> Point:
    """The point with the constant copies."""
    values = dict(point.values)
    for q in program.inputs:
        if q.name.endswith(HELD):
            values[q.name] = values[q.name.removesuffix(HELD)]
    return replace(point, values=values)
