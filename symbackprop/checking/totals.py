"""What is added up over several statements: ``dW += …`` after ``dW = …``.

What a symbol is worth is what it was worth before and what is added; only the last of its
statements is judged against the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symbackprop.checking.indexing import whole
from symbackprop.checking.operations import all_pairs, sum_of
from symbackprop.checking.readings import Readings
from symbackprop.checking.scope import AS, Scope
from symbackprop.checking.step_kinds import said_of
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Node, Relation, bare, same_text

ADDING = ("+=", "-=")


@dataclass(slots=True)
class Totals:
    """What symbols are worth after each statement that adds to them, by where it begins."""

    scope: Scope
    statements: Sequence[Statement]
    known: dict[Node, dict[int, Readings]] = field(default_factory=dict)
    added: tuple[tuple[int, Node], ...] = field(init=False)  # where to which symbol something is

    def __post_init__(self) -> None:
        self.added = tuple(
            (s.start, s.tree.members[0])
            for s in self.statements
            if isinstance(s.tree, Relation) and s.tree.relations[0] in ADDING
        )

    def start(self) -> None:
        """What the map says of a symbol to which something is added is its value before that."""
        for _, left in self.added:
            key = bare(left)
            if key in self.scope.phrases:
                self.known[key] = {-1: self.scope.phrases.pop(key)}

    def before(self, left: Node, statement: Statement) -> Readings | None:
        """What a symbol was worth before a statement adds to it."""
        known = self.known.get(bare(left), {})
        earlier = [at for at in known if at < statement.start]
        return known[max(earlier)] if earlier else None

    def unsaid(self, lefts: Readings, left: Node) -> Readings:
        """What a symbol may have been worth before a text that only adds to it: an input."""
        symbol = f"{said_of(left, self.scope)} before"
        shape = lefts[0].shape
        return tuple(
            replace(whole(q.name, self.scope), guessed=frozenset((symbol + AS + q.name,)))
            for q in self.scope.forward.inputs
            if q.shape == shape
        )

    def grows_after(self, left: Node, statement: Statement) -> bool:
        """Whether a later statement adds to this symbol, which is then judged with the last."""
        return any(at > statement.start and same_text(other, left) for at, other in self.added)

    def after(
        self, left: Node, statement: Statement, lefts: Readings, rights: Readings, relation: str
    ) -> Readings | None:
        """What a symbol is worth once a statement has said its right side; None where that adds to
        something not said before.
        """
        if relation in ADDING:
            old = self.before(left, statement) or self.unsaid(lefts, left)
            if not old:
                return None
            signed = (replace(r, expr=-r.expr) if relation == "-=" else r for r in rights)
            rights = all_pairs(old, tuple(signed), sum_of) or rights
        self.known.setdefault(bare(left), {})[statement.start] = rights
        return rights
