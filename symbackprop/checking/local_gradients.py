r"""Gradients named by the writer's own definition: ``dZ = A - Y`` without the ``1/m`` of the loss.

A name of the gradient of an intermediate (``dZ``, ``\delta_z``; never ``∂L/∂Z``, which is a
statement) may stand for a constant multiple of it, the same for all of them, which the claims for
the parameters put right (``dW = 1/m dZ Aᵀ``). This file takes a judged document, proposes such
multiples from the lines that are wrong by a constant alone, and says whether a document judged so
is the better explained: some claim for a parameter holds by it, and less is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Mul, factor_terms

from symbackprop.checking.claims import without_factor
from symbackprop.checking.document import Document
from symbackprop.checking.multiples import multiple_of
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.spellings import scripts_of
from symbackprop.checking.steps import Step
from symbackprop.checking.truth import Values
from symbackprop.ir.expressions import Entry, IndexSum
from symbackprop.notation.written import Fraction, Juxt, Nabla, Name, Node, walk

Scales = Mapping[str, Expr]
MOST_FACTORS = 2  # each costs judging the document once more, and once more with the inputs


def local_scales(document: Document, steps: Sequence[Step]) -> Iterator[Scales]:
    """The multiples as which a document may define the names of its gradients, the likeliest
    first: of intermediates, then of the data as well.
    """
    scope = document.scope
    inner = {e.name for e in scope.forward.equations if e.name != scope.loss}
    data = {q.name for q in scope.forward.inputs if q.role == "data"}
    if any(_says_it_is_true(s, inner) for s in steps):
        return
    factors: dict[Expr, None] = {}
    for step in steps:
        if step.verdict == "refuted" and _names(step, inner):
            factor = _factor(step, document.values)
            if factor is not None:
                factors[factor] = None
    named = {n for s in steps for n in data if _names(s, {n})}
    for factor in list(factors)[:MOST_FACTORS]:
        yield dict.fromkeys(sorted(inner), factor)
        if named:
            yield dict.fromkeys(sorted(inner | named), factor)


def better(after: Sequence[Step], before: Sequence[Step], scope: Scope) -> bool:
    """Whether less is wrong in the reading of ``scope``, and a claim for a parameter needs it."""
    wrong = [sum(s.verdict == "refuted" for s in steps) for steps in (after, before)]
    return wrong[0] < wrong[1] and any(_needs_it(s, scope) for s in after)


def as_definitions(steps: Sequence[Step], scope: Scope) -> tuple[Step, ...]:
    """The steps, those that say what such a name stands for as definitions of it."""
    return tuple(_as_definition(s, scope) for s in steps)


def multiple(step: Step, scope: Scope) -> str:
    """What a step's left side is worth in true gradients, for people; empty where it is no such
    name.
    """
    if step.comparison is None or step.left is None:
        return ""
    entry, factor = without_factor(step.comparison.left.expr)
    name = entry.name.removeprefix(GRADIENT) if isinstance(entry, Entry) else ""
    if factor == 1 or scope.scales.get(name) != factor:
        return ""
    symbol = " ".join(scope.written(step.left).split())
    return f"{symbol} is {factor} times the gradient here, as the lines after it show"


def _as_definition(step: Step, scope: Scope) -> Step:
    found = step.comparison
    if found is None or not multiple(step, scope):
        return step
    entry, factor = without_factor(found.left.expr)
    assert isinstance(entry, Entry), "a multiple is that of an entry"
    claim = replace(found.right, expr=found.right.expr / factor)
    of = entry.name.removeprefix(GRADIENT)
    return replace(step, kind="definition", of=scope.spoken.get(of, of), claim=claim)


def _needs_it(step: Step, scope: Scope) -> bool:
    """Whether a proved step for a gradient that is not the writer's own rests on one that is."""
    if step.verdict != "proved" or step.claim is None or step.kind == "definition":
        return False
    found = step.comparison
    assert found is not None, "a proved claim was compared"
    if not isinstance(found.left.expr, Entry):
        return False
    of = found.left.expr.name.removeprefix(GRADIENT)
    used = scope.mentions_gradient(found.right.expr)
    return of not in scope.scales and not used.isdisjoint(scope.scales)


def _names(step: Step, names: set[str]) -> bool:
    """Whether the left side of a step is a name of the gradient of one of these quantities."""
    found = step.comparison
    if found is None or step.left is None or not _is_name(step.left):
        return False
    expr = found.left.expr
    return isinstance(expr, Entry) and expr.name.removeprefix(GRADIENT) in names


def _is_name(node: Node) -> bool:
    r"""Whether a side is ``dZ`` or a δ with scripts, and no derivative written out."""
    if any(isinstance(n, Fraction | Nabla) for n in walk(node)):
        return False
    first = node.factors[0] if isinstance(node, Juxt) else scripts_of(node).base
    return isinstance(first, Name) and first.text[:1] == "d"


def _says_it_is_true(step: Step, inner: set[str]) -> bool:
    """Whether a line says that such a name is the gradient: ``dZ = ∂L/∂Z``."""
    found = step.comparison
    same = found is not None and found.left.expr == found.right.expr
    if not same or step.left is None or step.right is None:
        return False
    sides = [any(isinstance(n, Fraction | Nabla) for n in walk(x)) for x in (step.left, step.right)]
    assert found is not None, "just tested"
    entry = found.left.expr
    return (
        sides[0] != sides[1]
        and isinstance(entry, Entry)
        and entry.name.removeprefix(GRADIENT) in inner
    )


def _factor(step: Step, values: Values) -> Expr | None:
    """The constant by which the right side of a step differs from the left; None if none does.

    Never with a minus: two slips in sign would make each other right. What is left out is the
    division by a number of samples, or every constant there is; one half of ``(P - Y) / N`` is a
    slip.
    """
    found = step.comparison
    if found is None or found.shapes is not None:
        return None
    factor = multiple_of(found.left.expr, found.right.expr, values)
    if factor is None or factor.is_Symbol:
        return factor
    return None if _has_constant(found.right.expr) else factor


def _has_constant(e: Expr) -> bool:
    """Whether a constant other than -1 can be taken out of ``e``."""
    factors = Mul.make_args(factor_terms(e))
    return any(f != -1 and not f.atoms(Entry, IndexSum) for f in factors)
