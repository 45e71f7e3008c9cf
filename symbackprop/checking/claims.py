"""What a document claims in the end: the last gradient for each variable, after its own steps are
put in.

A claim whose right side leads back to the gradient that it claims says nothing (``∇L = ∇L``, or a
circle of two lines); such a claim is listed as undecided and does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Integer, Mul

from symbackprop.checking.readings import Reading
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.second_derivatives import operands
from symbackprop.checking.steps import Step
from symbackprop.checking.truth import Values
from symbackprop.ir.expressions import Entry, Index, IndexSum, free_indices, substitute
from symbackprop.ir.replacement import replace_entries
from symbackprop.notation.written import walk

Equations = dict[str, tuple[tuple[Index, ...], Expr]]


@dataclass(frozen=True, slots=True)
class Claims:
    """Verdicts by variable, and whether anything was claimed that is not empty."""

    verdicts: Mapping[str, str]
    substantial: bool


def judge_claims(steps: Sequence[Step], scope: Scope, values: Values) -> Claims:
    """The verdict on the last claim for each variable."""
    last: dict[str, Step] = {}
    for step in steps:
        if (
            step.kind in ("gradient", "chain-rule")
            and step.comparison is not None
            and isinstance(step.comparison.left.expr, Entry)
        ):
            if step.claim is not None or step.verdict == "refuted":
                last[step.of] = step
    own: Equations = {}
    for step in steps:
        if step.claim is not None:
            _learn(step, own)
    verdicts: dict[str, str] = {}
    substantial = False
    for name, step in last.items():
        circular = _circular(name, step, own, scope)
        verdicts[name] = (
            "undecided"
            if circular and step.verdict == "proved"
            else _verdict(step, steps, own, scope, values)
        )
        substantial = substantial or not circular
    substantial = substantial or any(_of_second_order(s, scope) for s in steps)
    if not scope.loss_names or scope.any_scalar:
        for step in steps:
            if step.kind == "jacobian" and step.comparison is not None:
                verdicts[step.of] = step.verdict
                substantial = substantial or step.comparison.left.expr != step.comparison.right.expr
    return Claims(verdicts, substantial)


def _of_second_order(step: Step, scope: Scope) -> bool:
    """Whether a step says what a second derivative is, by none itself, or what becomes of a
    gradient at a direction.
    """
    if step.left is None or step.comparison is None:
        return False
    if step.kind == "jacobian":
        return any(operands(n) is not None for n in walk(step.left))
    sides = (step.comparison.left.expr, step.comparison.right.expr)
    gradient, none = (scope.mentions_gradient(e) for e in sides)
    return bool(scope.stated) and step.kind == "identity" and bool(gradient) and not none


def whole_claim(step: Step) -> tuple[str, tuple[Index, ...], Expr] | None:
    """The quantity of which a step claims every entry, its indices and what is claimed."""
    if step.comparison is None or step.comparison.shapes is not None:
        return None
    entry, factor = without_factor(step.comparison.left.expr)
    if (
        isinstance(entry, Entry)
        and all(isinstance(i, Index) for i in entry.indices)
        and len(set(entry.indices)) == len(entry.indices)
    ):
        return entry.name, entry.indices, step.comparison.right.expr / factor
    return None


def without_factor(e: Expr) -> tuple[Expr, Expr]:
    """A constant multiple of one gradient as that gradient and the constant; else all, and 1."""
    parts = Mul.make_args(e)
    found = [p for p in parts if isinstance(p, Entry) and p.name.startswith(GRADIENT)]
    rest = Mul(*(p for p in parts if p not in found))
    if len(found) != 1 or len(parts) == 1 or free_indices(rest) or rest.atoms(IndexSum):
        return e, Integer(1)
    return found[0], rest


def _learn(step: Step, own: Equations) -> None:
    """Take a claim for a whole gradient as the writer's equation for it."""
    assert step.claim is not None, "only claims are learnt"
    found = whole_claim(step)
    if found is not None:
        own[found[0]] = found[1], step.claim.expr


def _circular(name: str, step: Step, own: Equations, scope: Scope) -> bool:
    if step.claim is None:
        return False
    seen: set[str] = set()
    stack = list(scope.mentions_gradient(step.claim.expr))
    while stack:
        here = stack.pop()
        if here == name:
            return True
        if here not in seen and GRADIENT + here in own:
            seen.add(here)
            stack.extend(scope.mentions_gradient(own[GRADIENT + here][1]))
    return False


def _verdict(
    step: Step, steps: Sequence[Step], own: Equations, scope: Scope, values: Values
) -> str:
    if step.verdict != "proved" or step.claim is None:
        return step.verdict
    used = scope.mentions_gradient(step.claim.expr)
    wrong = {s.of for s in steps if s.verdict != "proved" and s.of in used}
    if not wrong:
        return "proved"
    assert step.comparison is not None, "a proved step was compared"
    written = _written_out(step.claim, own, 0)
    return "undecided" if values.agree(step.comparison.left.expr, written) else "refuted"


def _written_out(claim: Reading, own: Equations, depth: int) -> Expr:
    """The claim with the writer's own gradients put in, as far as a few levels."""
    rules = {
        name: (lambda e, i=indices, v=value: substitute(v, dict(zip(i, e.indices, strict=True))))
        for name, (indices, value) in own.items()
    }
    expr = claim.expr
    for _ in range(8):
        expr = replace_entries(expr, rules)
    return expr
