"""A document as steps: its statements judged in reading order, within what a document may take.

Statements that cannot be read are tried again after the others, since definitions may follow their
use. Gives records from which the report is made; decides nothing about the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace

from symbackprop.checking import (  # noqa: F401 - they register the rules of reading
    big_signs,
    brackets,
    calls,
    nablas,
    names,
    products,
)
from symbackprop.checking.conditions import Condition, conditions_of
from symbackprop.checking.definitions import Definitions, definable, symbol_of
from symbackprop.checking.held import shows_it
from symbackprop.checking.layer_functions import with_layers
from symbackprop.checking.relations import Relations
from symbackprop.checking.running import kept, running_of
from symbackprop.checking.scope import Scope
from symbackprop.checking.steps import (
    Step,
    lacks_name,
    out_of_time,
    settled,
    together,
    with_held_accepted,
)
from symbackprop.checking.totals import Totals
from symbackprop.checking.truth import Values
from symbackprop.notation.segment import Statement
from symbackprop.notation.written import Name, Number, Relation, Script, Terms, walk

ROUNDS = 3
MOST_SEARCHES = 30  # steps for which a counterexample in small numbers is searched
MOST_CUTS = 5  # steps for which the gradients that forget something are derived


@dataclass(slots=True)
class Document:
    """The statements of a text under one scope. What is ``merged`` is the same with all extents one
    number, once that was asked for.
    """

    scope: Scope
    values: Values
    statements: tuple[Statement, ...]
    prove: InitVar[bool] = True
    results: dict[int, tuple[Step, ...]] = field(default_factory=dict)
    merged: Scope | None = None
    cuts: int = MOST_CUTS
    searches: int = MOST_SEARCHES
    conditions: Mapping[int, Condition] = field(default_factory=dict)
    said: frozenset[tuple[str, tuple[str, ...]]] = frozenset()  # symbols that some relation defines
    relations: Relations = field(init=False)

    def __post_init__(self, prove: bool) -> None:
        definitions = Definitions(self.scope, self.values)
        totals = Totals(self.scope, self.statements)
        self.relations = Relations(self.scope, self.values, definitions, totals, prove)

    def judge(self) -> tuple[Step, ...]:
        """All steps in reading order."""
        self.relations.totals.start()
        self.relations.running = running_of(self.statements, self.scope)
        self.conditions, stated = conditions_of(self.statements, self.scope.text, self.scope)
        self.said = frozenset(_defined(self.statements))
        waiting = [k for k, s in enumerate(self.statements) if s.is_relation and k not in stated]
        for round_ in range(ROUNDS):
            still = []
            for k in waiting:
                self.relations.condition = self.conditions.get(k)
                steps = self.steps(self.statements[k])
                self.results[k] = steps
                if any(map(lacks_name, steps)):
                    still.append(k)
            if not still or (still == waiting and round_):
                break
            waiting = still
        found = [s for k in sorted(self.results) for s in self.results[k]]
        if shows_it([s.comparison for s in found]):
            found = [with_held_accepted(s) for s in found]
        return tuple(settled(s, self.scope) for s in found)

    def steps(self, statement: Statement) -> tuple[Step, ...]:
        """The steps of one statement, within what a document may take. Free is what holds, and what
        has to wait for a definition below it.
        """
        work, since = self.values.work, self.values.work.done
        steps = () if work.is_over() else self.instances(statement)
        if work.is_over():  # a reading may have been cut short, so that nothing is certain
            return out_of_time(statement, self.scope)
        if all(s.verdict == "proved" for s in steps) or any(map(self.waits, steps)):
            work.forgive(since)
        return steps

    def waits(self, step: Step) -> bool:
        """Whether a step lacks the meaning of a symbol that another relation defines."""
        return (
            lacks_name(step)
            and step.unread is not None
            and symbol_of(step.unread.node) in self.said
        )

    def instances(self, statement: Statement) -> tuple[Step, ...]:
        """The steps of one statement; what runs over layers or time is judged at each number."""
        running, judged = self.relations.running, self.relations.judged
        found = running.instances(statement.tree) if running and statement.tree else ()
        if not found:
            return judged(statement)
        assert running is not None, "something runs"
        letters, scope = running.functions, self.scope
        trees = [(said, with_layers(tree, letters, scope, kept)) for said, tree in found]
        return together([(said, judged(replace(statement, tree=tree))) for said, tree in trees])


def _defined(found: Sequence[Statement]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The symbols that stand alone on the left of a relation."""
    for statement in found:
        if isinstance(statement.tree, Relation) and definable(statement.tree.members[0]):
            yield symbol_of(statement.tree.members[0])


def stepping_letters(found: Sequence[Statement]) -> frozenset[str]:
    """Letters that count steps, since somewhere a script is ``t-1``: elsewhere they may be
    names.
    """
    out: set[str] = set()
    for statement in found:
        for node in walk(statement.tree) if statement.tree is not None else ():
            for script in (*node.subs, *node.sups) if isinstance(node, Script) else ():
                if isinstance(script, Terms) and _is_step(script):
                    out.update(t.body.text for t in script.terms if isinstance(t.body, Name))
    return frozenset(out)


def _is_step(script: Terms) -> bool:
    """Whether a script is a letter and a number, and no sum of letters such as ``i + k``."""
    return len(script.terms) == 2 and any(isinstance(t.body, Number) for t in script.terms)
