"""The relations of a document, judged: what came of each, and what many of them say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Integer

from symbackprop.checking.compare import Comparison
from symbackprop.checking.held import accepted
from symbackprop.checking.readings import Reading, Unreadable
from symbackprop.checking.scope import AS, Scope
from symbackprop.checking.step_kinds import kind_of, said_of
from symbackprop.checking.work import TOO_LONG
from symbackprop.ir.expressions import Entry
from symbackprop.notation.segment import EQUALITIES, Statement
from symbackprop.notation.written import Fraction, Nabla, Node, Relation, walk

WORST = {"proved": 0, "undecided": 1, "unreadable": 2, "refuted": 3}


@dataclass(frozen=True, slots=True)
class Step:
    """One relation, judged: the trees of both sides and what came of comparing them. ``instead``
    are the guesses that a definition sets aside.
    """

    statement: Statement
    left: Node | None
    right: Node | None
    kind: str
    of: str
    verdict: str
    comparison: Comparison | None = None
    unread: Unreadable | None = None
    claim: Reading | None = None
    at: int = 0
    instead: frozenset[str] = frozenset()
    at_number: str = ""


def settled(step: Step, scope: Scope) -> Step:
    """A step that differs and rests only on guesses that are kept to is refuted."""
    found = step.comparison
    if step.verdict != "undecided" or found is None or not found.guessed:
        return step
    if not scope.sure(found.guessed):
        return step
    why = found.why if found.shapes is None else "the shapes differ"
    refuted = replace(found, verdict="refuted", why=why if found.shapes else "")
    return replace(step, verdict="refuted", comparison=refuted)


def out_of_time(statement: Statement, scope: Scope) -> tuple[Step, ...]:
    """The relations of a statement for which there is no work left."""
    if not isinstance(statement.tree, Relation):
        return (unparsed(statement),)
    empty = Reading(Integer(0))
    found = Comparison("undecided", empty, empty, TOO_LONG)
    left, *rights = statement.tree.members
    of = said_of(left, scope)
    return tuple(
        Step(
            statement,
            left,
            right,
            kind_of(left, None, right, scope),
            of,
            "undecided",
            found,
            at=k,
        )
        for k, right in enumerate(rights, start=1)
        if statement.tree.relations[k - 1] in EQUALITIES
    )


def unparsed(statement: Statement) -> Step:
    """A statement that has no tree."""
    return Step(statement, None, None, "identity", "", "unreadable")


def together(each: Sequence[tuple[str, tuple[Step, ...]]]) -> tuple[Step, ...]:
    """Each step of a line that was judged at several numbers: the worst of them. A number at which
    a name is missing does not count where another has all.
    """
    named = [e for e in each if not any(lacks_name(s) for s in e[1])] or list(each[:1])
    length = min(len(steps) for _, steps in named)
    where_ = "; ".join(said for said, _ in named)
    out = []
    for k in range(length):
        said, worst = max(((s, steps[k]) for s, steps in named), key=lambda e: WORST[e[1].verdict])
        read_at = said if worst.verdict != "proved" else where_
        out.append(replace(worst, at_number=f"read for {read_at}"))
    return tuple(out)


def lacks_name(step: Step) -> bool:
    """Whether a step could not be read for want of the meaning of a symbol."""
    return step.unread is not None and step.unread.kind == "name"


def with_held_accepted(step: Step) -> Step:
    """A step in the reading that the document was seen to use."""
    found = accepted(step.comparison) if step.comparison is not None else None
    changed = found is not None and found is not step.comparison
    verdict = "proved" if changed and step.verdict == "undecided" else step.verdict
    return replace(step, comparison=found, verdict=verdict)


def says_what(found: Comparison) -> bool:
    """Whether a line that holds only says what a symbol stands for."""
    return found.verdict == "proved" and found.left.expr == found.right.expr


def confirmed(steps: Sequence[Step]) -> dict[str, str]:
    """The guesses on which a line that holds rests, and that no other line contradicts.

    A line that holds with ``x`` read as X, and is no tautology, shows that this is meant; so does
    a definition that turns out to be a gradient.
    """
    meanings: dict[str, set[str]] = {}
    for step in steps:
        found = step.comparison
        if step.verdict != "proved" or found is None or found.left.expr == found.right.expr:
            continue
        for guess in found.left.guessed | found.right.guessed:
            symbol, sign, meaning = guess.partition(AS)
            if sign:
                meanings.setdefault(symbol, set()).add(meaning)
    return {s: m.pop() for s, m in meanings.items() if len(m) == 1}


def is_open(steps: Sequence[Step], choices: Mapping[str, str]) -> bool:
    """Whether steps are undecided, or define a symbol of which other lines show the meaning."""
    guesses = {g.partition(AS)[0] for s in steps for g in s.instead}
    return any(s.verdict != "proved" for s in steps) or not guesses.isdisjoint(choices)


def is_notation(left: Node, right: Node, found: Comparison) -> bool:
    r"""Whether a line only says how a gradient is written: ``\bar Y = \partial L/\partial Y``."""
    same = isinstance(found.left.expr, Entry) and found.left.expr == found.right.expr
    return same and not _differentiates(left) and _differentiates(right)


def _differentiates(node: Node) -> bool:
    return any(isinstance(n, Fraction | Nabla) for n in walk(node))
