"""Why a step is wrong: the cheapest single edit of what was written that makes it right.

Edits are made on the tree as written and read again, so the suggestion is in the writer's own
notation; a suggestion must hold in value at every point. Where no edit explains the step, the
gradients that forget a path are tried; then *other*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Literal

from symbackprop.checking.compare import Comparison, compare
from symbackprop.checking.document import Document
from symbackprop.checking.double_edits import Tried, applied, constant_edit, pairs
from symbackprop.checking.edit_sites import Edit, is_turned
from symbackprop.checking.edits import edits
from symbackprop.checking.multiples import multiple_of
from symbackprop.checking.operations import BY_ENTRIES, EACH_ROW
from symbackprop.checking.paths import Forgotten, forgotten
from symbackprop.checking.places import settled
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, Unreadable
from symbackprop.checking.report import Diagnosis
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.steps import Step
from symbackprop.checking.symmetric import right_if_symmetric
from symbackprop.checking.work import EXPLAINING
from symbackprop.ir.expressions import Entry
from symbackprop.notation.written import Binary, Juxt, Node
from symbackprop.notation.written_printer import write

MOST_EDITS = 700
EDITING = 75  # per cent of the work for the edits; there is more that may explain a step
MOST_POINTS = 20


def diagnose(step: Step, document: Document) -> tuple[Diagnosis, Node | None]:
    """The diagnosis of a refuted step and the smallest wrong part of it."""
    if step.left is None or step.right is None or step.comparison is None:
        return Diagnosis("other", "the relation does not hold"), None
    try:
        found = _explanation(step, step.left, step.right, step.comparison, document)
    except Unreadable:
        # Wherever a part of the text is read once more, the work may be done.
        if not document.values.work.is_over():
            raise
        found = None
    why = step.comparison.why or "the two sides differ"
    return found or (Diagnosis("other", why), step.right)


def _explanation(
    step: Step, own: Node, member: Node, comparison: Comparison, document: Document
) -> tuple[Diagnosis, Node] | None:
    """What explains a step; None where nothing does."""
    scope = document.scope
    left = comparison.left
    lefts = _lefts(own, left, document)
    scope.letters = {i.name: i for i in left.letters}
    found: Sequence[Edit] = ()
    if not document.values.work.is_over():
        _tell_apart(step, document)
        found = edits(member, left, scope)[:MOST_EDITS]
    tried: list[Tried] = []
    work = document.values.work
    enough = work.done + work.left(EXPLAINING) * EDITING // 100
    for edit in found:
        if work.is_over() or work.done > enough:
            break
        outcome = _tried(edit, member, lefts, document)
        if outcome is True:
            return _explained(edit, step, document)
        if outcome is not None:
            tried.append(outcome)
    path = Forgotten()
    if document.cuts > 0:
        document.cuts -= 1
        path = forgotten(step, document)
        alone = path.exact or right_if_symmetric(step, document)
        if alone is not None:
            return alone, member
    double = _doubled(step, tried, lefts, document)
    if double is not None:
        return double
    return None if path.near is None else (path.near, member)


def _tell_apart(step: Step, document: Document) -> None:
    """Further points, until the step fails at one: an edit must not be right by accident."""
    found = step.comparison
    if found is None or found.shapes is not None:
        return
    for seed in range(100, 100 + MOST_POINTS):
        if not document.values.agree(found.left.expr, found.right.expr):
            return
        document.values.more(seed)


def _lefts(node: Node, fallback: Reading, document: Document) -> Readings:
    try:
        return settled(read(node, document.scope), document.scope, node)
    except Unreadable:
        return (fallback,)


def _doubled(
    step: Step, tried: Sequence[Tried], lefts: Readings, document: Document
) -> tuple[Diagnosis, Node] | None:
    """The diagnosis that two edits explain together, or a constant of two parts."""
    found, member, scope = step.comparison, step.right, document.scope
    assert found is not None, "a diagnosed step was compared"
    assert member is not None, "a diagnosed step has two sides"
    alone = None
    if found.shapes is None:
        alone = multiple_of(found.left.expr, found.right.expr, document.values, signed=True)
    options: Iterable[Edit] = [constant_edit(member, 1 / alone, scope.latex)] if alone else []
    both = pairs(member, tried, found.left, scope, lambda e: _worded(e, step, document))
    for edit in chain(options, both):
        if document.values.work.is_over():
            return None
        if _tried(edit, member, lefts, document) is True:
            return _explained(edit, step, document)
    return None


def _tried(
    edit: Edit, member: Node, lefts: Readings, document: Document
) -> Literal[True] | Tried | None:
    """Whether an edit explains a step; if not, how near it comes."""
    tree = applied(member, edit)
    try:
        rights = settled(read(tree, document.scope), document.scope, tree)
    except Unreadable:
        return None
    found = compare(lefts, rights, document.scope.program, document.values, prove=False)
    if _is_itself(found):
        return None  # it would say nothing
    liberties = {n.text for n in found.right.notes} - {n.text for n in lefts[0].notes}
    if found.verdict == "refuted" and found.shapes is None:
        values = document.values
        return Tried(edit, multiple_of(found.left.expr, found.right.expr, values, signed=True))
    if found.verdict != "proved" or liberties & LOOSE:
        return None
    proof = compare(lefts, rights, document.scope.program, document.values)
    return True if proof.verdict == "proved" and not document.values.work.is_over() else None


def _is_itself(found: Comparison) -> bool:
    """Whether a gradient is compared with its own name."""
    expr = found.left.expr
    gradient = isinstance(expr, Entry) and expr.name.startswith(GRADIENT)
    return gradient and expr == found.right.expr


LOOSE = frozenset((BY_ENTRIES.text, EACH_ROW.text))


def _source(node: Node, document: Document) -> str:
    return document.scope.text[node.start : node.end]


def _explained(edit: Edit, step: Step, document: Document) -> tuple[Diagnosis, Node]:
    scope = document.scope
    assert step.left is not None, "an edit is of a relation"
    assert step.right is not None, "an edit is of a relation"
    tree = applied(step.right, edit)
    suggestion = f"{_source(step.left, document)} = {write(tree, scope.text, scope.latex)}"
    category, message = _worded(edit, step, document)
    part = edit.old if edit.old.start >= 0 else step.right
    return Diagnosis(category, message, suggestion), part


def _worded(edit: Edit, step: Step, document: Document) -> tuple[str, str]:
    """The category of an edit and its sentence, with what it quotes."""
    scope = document.scope
    assert step.right is not None, "an edit is of a relation"
    if edit.said == "{layout}":
        return _whole_transposed(step.right, step, document)
    old = " ".join(_source(edit.old, document).split()) if edit.old.start >= 0 else ""
    new = write(edit.new, scope.text, scope.latex)
    return edit.category, edit.said.replace("{old}", old).replace("{new}", new)


def _whole_transposed(node: Node, step: Step, document: Document) -> tuple[str, str]:
    """What it means that the whole is transposed: an outer product turned, or the other layout."""
    assert step.comparison is not None, "a diagnosed step was compared"
    if _is_outer(node) or _are_vectors(node, document.scope):
        return "outer-transposed", "the outer product is transposed"
    if step.kind in ("gradient", "chain-rule", "jacobian"):
        return "layout", "this is the transpose; it is right in the other layout"
    return "transpose", "the whole is transposed"


def _are_vectors(node: Node, scope: Scope) -> bool:
    """Whether a node is the product of a column and a row, with a sign for products."""
    if not isinstance(node, Binary) or not is_turned(node.right):
        return False
    try:
        return all(read(n, scope)[0].rank == 1 for n in (node.left, node.right))
    except Unreadable:
        return False


def _is_outer(node: Node) -> bool:
    if isinstance(node, Juxt):
        return (
            is_turned(node.factors[-1])
            and not any(is_turned(f) for f in node.factors[:-1])
            and len(node.factors) <= 3
        )
    return False
