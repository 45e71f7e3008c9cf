"""The relations of one statement: every member of a chain against the chain's left end, at the true
values of all quantities.

Takes a statement as it stands and gives a step for each of its relations. A symbol that nobody
knows, alone on one side, is defined by the other side; a member that cannot be read is kept as
unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sympy import Integer

from symbackprop.checking.compare import Comparison, compare
from symbackprop.checking.conditions import Condition, where
from symbackprop.checking.definitions import Definitions, definable
from symbackprop.checking.held import with_others_held
from symbackprop.checking.letters_shown import shown_extents
from symbackprop.checking.optimum import holds_there, sets_to_zero
from symbackprop.checking.places import settled
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, Unreadable, show
from symbackprop.checking.remarks import after_update, is_count
from symbackprop.checking.running import Running
from symbackprop.checking.scope import Scope
from symbackprop.checking.shapes import is_shape, shape_step
from symbackprop.checking.step_kinds import kind_of, of_step, said_of
from symbackprop.checking.steps import Step, is_notation, says_what, unparsed
from symbackprop.checking.struck import has_struck, with_and_without
from symbackprop.checking.totals import Totals
from symbackprop.checking.truth import Values
from symbackprop.ir.expressions import Entry, entry_names
from symbackprop.notation.segment import EQUALITIES, Statement
from symbackprop.notation.written import Name, Node, Relation

WHICH_SCALAR = "the model does not say which scalar is differentiated"


@dataclass(frozen=True, slots=True)
class Question:
    """One relation of a chain: the left end and a later member, which is number ``at``."""

    statement: Statement
    left: Node
    lefts: Readings
    right: Node
    relation: str
    at: int

    def answer(self, kind: str, of: str, verdict: str, found: Comparison | None) -> Step:
        """The step that it comes to."""
        return Step(self.statement, self.left, self.right, kind, of, verdict, found, at=self.at)


@dataclass(slots=True)
class Relations:
    """What judging the statements of one document needs to keep: the document's definitions and
    sums, the gradients that it sets to zero, and under which condition the statement at hand is.
    """

    scope: Scope
    values: Values
    definitions: Definitions
    totals: Totals
    prove: bool = True
    running: Running | None = None
    condition: Condition | None = None
    zeroed: list[Entry] = field(default_factory=list)

    def judged(self, statement: Statement) -> tuple[Step, ...]:
        """The steps of a statement as it stands."""
        if not isinstance(statement.tree, Relation):
            return (unparsed(statement),)
        remaining = after_update(statement.tree)
        if remaining is None or is_count(statement.tree, self.running, self.scope):
            return ()
        assert isinstance(remaining, Relation), "what remains is a relation"
        statement = replace(statement, tree=remaining)
        self.definitions.here = statement.start
        members, relations = remaining.members, remaining.relations
        lefts, problem = self.left_end(members, relations)
        out: list[Step] = []
        previous = members[0]
        for k, (relation, member) in enumerate(zip(relations, members[1:], strict=True), start=1):
            if relation not in EQUALITIES:
                out.extend(self.other(statement, relation, previous, member, lefts))
                continue
            if lefts is None:
                assert problem is not None, "a left end without readings has a reason"
                out.append(self.without_left(statement, members[0], member, problem, k))
            elif self.is_optimum(lefts, member, [s.verdict for s in out]):
                continue
            else:
                out.append(self.member(Question(statement, members[0], lefts, member, relation, k)))
                if out[-1].kind == "definition" and self.definitions.is_new(members[0], statement):
                    lefts = self.definitions.defined_by(members[0]) or lefts
            previous = member
        return tuple(out)

    def left_end(
        self, members: tuple[Node, ...], relations: tuple[str, ...]
    ) -> tuple[Readings | None, Unreadable | None]:
        """The readings against which a chain is judged; an unknown symbol at its left end is
        defined by the next member.
        """
        self.scope.letters = {}
        try:
            lefts = self.reading(members[0])
            self.scope.letters = {i.name: i for i in lefts[0].letters}
            return lefts, None
        except Unreadable as problem:
            if (
                problem.kind != "name"
                or relations[0] not in (":=", "=")
                or not definable(members[0])
            ):
                return None, problem
            self.scope.shown = shown_extents(members[1], self.scope)
            try:
                found = self.reading(members[1])
            except Unreadable as deeper:
                return None, deeper
            finally:
                self.scope.shown = {}
            found = self.definitions.matching(found)
            self.definitions.record(members[0], found)
            return found, problem

    def reading(self, node: Node) -> Readings:
        """The readings of a member; the complaint that there are none says on which guesses it
        rests.
        """
        self.scope.supposed.clear()
        try:
            if has_struck(node):
                return with_and_without(node, self.scope, self.values)
            found = self.scope.weigh_doubling(read(node, self.scope), node)
            if found := settled(found, self.scope, node):
                return found
            raise Unreadable("notation", "this has no reading here", node)
        except Unreadable as problem:
            problem.guessed |= self.scope.supposed
            raise

    def is_optimum(self, lefts: Readings, member: Node, verdicts: list[str]) -> bool:
        """Whether a member sets the gradient of the chain to zero, which is then remembered."""
        expr = lefts[0].expr
        gradient = isinstance(expr, Entry) and expr.name in self.scope.gradients
        if not gradient or not sets_to_zero(member, verdicts):
            return False
        self.zeroed.append(expr)
        return True

    def without_left(
        self, statement: Statement, left: Node, right: Node, problem: Unreadable, k: int
    ) -> Step:
        """A relation whose left end has no reading: unread, or refuted where what it is defined by
        has shapes that cannot fit and none of them is a guess.
        """
        of, misfits = said_of(left, self.scope), problem.kind == "shape"
        kind = "definition" if misfits else kind_of(left, None, right, self.scope)
        step = Step(statement, left, right, kind, of, "unreadable", unread=problem, at=k)
        if not misfits or k > 1 or not self.scope.sure(problem.guessed):
            return step
        found = _misfitting(problem, (Reading(Integer(0)),), "the sides of a product")
        return replace(step, verdict="refuted", comparison=found)

    def member(self, q: Question) -> Step:
        """One relation of a chain."""
        definitions = self.definitions
        kind = kind_of(q.left, q.lefts[0], q.right, self.scope)
        of = of_step(q.left, q.lefts[0], self.scope)
        if q.at == 1 and definitions.is_new(q.left, q.statement):
            if definitions.defined_by(q.left) is q.lefts:
                known = definitions.defining(q.lefts)
                return q.answer("definition", of or said_of(q.left, self.scope), "proved", known)
        try:
            rights = self.reading(q.right)
        except Unreadable as problem:
            return self.unread(q, problem, kind, of)
        total = self.totals.after(q.left, q.statement, q.lefts, rights, q.relation)
        if total is None:
            unjudged = Unreadable("name", f"{q.relation} to something not said before", q.right)
            return replace(q.answer(kind, of, "unreadable", None), unread=unjudged)
        if self.totals.grows_after(q.left, q.statement):
            return q.answer("definition", of, "proved", _known(total))
        return self.compared(q, total, kind, of)

    def compared(self, q: Question, rights: Readings, kind: str, of: str) -> Step:
        """A relation of which both sides are read; one that differs may define its left side."""
        lefts = q.lefts
        if self.condition is not None:
            lefts, rights = where(lefts, self.condition), where(rights, self.condition)
        comparison = self.comparison(q, lefts, rights)
        defined = self.defined_instead(q, comparison, lefts, rights)
        if defined is not None:
            return defined
        if self.scope.any_scalar and comparison.verdict == "refuted":
            sides = (self.scope.mentions_gradient(r.expr) for r in (lefts[0], comparison.right))
            if [bool(side) for side in sides] == [True, False]:
                comparison = replace(comparison, verdict="undecided", why=WHICH_SCALAR)
        if comparison.left.guessed:
            of = of_step(q.left, comparison.left, self.scope)
        if is_notation(q.left, q.right, comparison):
            kind = "definition"
        if q.at == 1 and lefts[0].guessed and definable(q.left) and says_what(comparison):
            said = tuple(replace(r, guessed=frozenset()) for r in rights[:1])
            self.definitions.record(q.left, said)
        claim = comparison.right if kind in ("gradient", "chain-rule") else None
        return replace(q.answer(kind, of, comparison.verdict, comparison), claim=claim)

    def comparison(self, q: Question, lefts: Readings, rights: Readings) -> Comparison:
        """What comes of comparing two sides in the first reading in which they are equal."""
        found = compare(lefts, rights, self.scope.program, self.values, prove=self.prove)
        if found.verdict != "proved":
            again = with_others_held(q.left, q.right, self.condition, self.scope, self.prove)
            found = again or found
        if found.verdict == "refuted" and self.zeroed:
            found = holds_there(lefts, rights, self.zeroed, self.values) or found
        return found

    def defined_instead(
        self, q: Question, found: Comparison, lefts: Readings, rights: Readings
    ) -> Step | None:
        """The definition that a first relation is, where its symbol has another meaning by a letter
        in use or by a guess alone, and differs from that.
        """
        if q.at > 1 or found.verdict == "proved":
            return None
        symbol = said_of(q.left, self.scope)
        if found.shapes is not None and self.is_other(q.left):
            self.definitions.record(q.left, rights)
            return q.answer("definition", symbol, "proved", _known(rights))
        if self.is_letter_of_extent(q.left, found, rights):
            self.definitions.record(q.left, rights)
            return q.answer("definition", symbol, "proved", _known(rights))
        guessed = lefts[0].guessed
        if not guessed or self.scope.sure(guessed) or not definable(q.left):
            return None
        rights = self.definitions.matching(rights)
        self.definitions.record(q.left, rights)
        known = self.definitions.defining(rights)
        return replace(q.answer("definition", symbol, "proved", known), instead=guessed)

    def is_letter_of_extent(self, node: Node, found: Comparison, rights: Readings) -> bool:
        """Whether a symbol is only the model's letter for an extent, and is said to be something
        that is made of quantities: the document means its own.
        """
        if not isinstance(node, Name) or node.text not in self.scope.dims:
            return False
        if found.verdict != "refuted" or (node.text, ()) in self.scope.patterns:
            return False
        return all(entry_names(r.expr) for r in rights)

    def is_other(self, node: Node) -> bool:
        """Whether a symbol is a letter in use for losses, and not the name of the model's: with
        another shape it is something else.
        """
        named = isinstance(node, Name) and node.text != self.scope.loss
        return named and isinstance(node, Name) and node.text in self.scope.loss_names

    def unread(self, q: Question, problem: Unreadable, kind: str, of: str) -> Step:
        """A member without a reading: defined by the left end if it is a symbol that nobody knows,
        refuted where shapes that are certain cannot fit, else unread.
        """
        if problem.kind == "name" and definable(q.right):
            self.definitions.record(q.right, q.lefts)
            return q.answer("definition", said_of(q.right, self.scope), "proved", _known(q.lefts))
        doubts = problem.guessed.union(*(r.guessed for r in q.lefts))
        if problem.kind != "shape" or not self.scope.sure(doubts):
            return replace(q.answer(kind, of, "unreadable", None), unread=problem)
        found = _misfitting(problem, q.lefts, show(q.lefts[0]))
        return replace(q.answer(kind, of, "refuted", found), unread=problem)

    def other(
        self, statement: Statement, relation: str, left: Node, right: Node, lefts: Readings | None
    ) -> tuple[Step, ...]:
        """What is no equation: a remark on a shape is judged, an update or a limit is only
        mentioned.
        """
        if relation != "∈" or not is_shape(right):
            return ()
        verdict, why = shape_step(lefts, right, self.scope)
        if verdict == "mention" or lefts is None:
            return ()
        guessed = lefts[0].guessed
        if verdict == "refuted" and not self.scope.sure(guessed):
            verdict = "undecided"
        shapes = (said_of(right, self.scope), show(lefts[0]))
        comparison = Comparison(verdict, lefts[0], lefts[0], why, shapes=shapes)
        of = of_step(left, lefts[0], self.scope)
        return (Step(statement, left, right, "identity", of, verdict, comparison),)


def _known(found: Sequence[Reading]) -> Comparison:
    """What a definition says."""
    return Comparison("proved", found[0], found[0])


def _misfitting(problem: Unreadable, of: Readings, other: str) -> Comparison:
    """The refutation of something whose shapes fit in no reading."""
    shapes = (" and ".join(problem.shapes) or problem.message, other)
    return Comparison("refuted", of[0], of[0], problem.message, shapes=shapes)
