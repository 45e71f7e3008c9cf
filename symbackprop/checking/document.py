"""A document as steps: chains are judged member by member, unknown left sides define, the rest is
kept as unread.

Every member of a chain is compared with the chain's left end, at the true values of all quantities.
A symbol that nobody knows, alone on one side, is defined by the other side; statements that cannot
be read are tried again after the others, since definitions may follow their use. Gives records from
which the report is made; decides nothing about the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Integer

from symbackprop.checking import (  # noqa: F401 - they register the rules of reading
    array_functions,
    brackets,
    names,
    products,
)
from symbackprop.checking.compare import Comparison, compare, fit
from symbackprop.checking.conditions import Condition, conditions_of, where
from symbackprop.checking.held import accepted, shows_it, with_others_held
from symbackprop.checking.indexing import whole
from symbackprop.checking.operations import all_pairs, sum_of
from symbackprop.checking.optimum import holds_there, sets_to_zero
from symbackprop.checking.read import read
from symbackprop.checking.readings import Reading, Readings, Unreadable, show, squeezed
from symbackprop.checking.remarks import after_update, is_count
from symbackprop.checking.running import Running, running_of
from symbackprop.checking.scope import AS, Definition, Scope
from symbackprop.checking.shapes import is_shape, shape_step
from symbackprop.checking.spellings import (
    Scripts,
    is_letter,
    item_text,
    numbered,
    scripts_of,
    spellings,
)
from symbackprop.checking.step_kinds import kind_of, of_step, said_of
from symbackprop.checking.struck import has_struck, with_and_without
from symbackprop.checking.truth import Values
from symbackprop.checking.work import TOO_LONG
from symbackprop.ir.expressions import Entry
from symbackprop.ir.verdict import Equal
from symbackprop.notation.segment import EQUALITIES, Statement
from symbackprop.notation.written import (
    Accent,
    Fraction,
    Nabla,
    Name,
    Node,
    Relation,
    Script,
    Terms,
    bare,
    same_text,
    walk,
)

ROUNDS = 3
MOST_SEARCHES = 30  # steps for which a counterexample in small numbers is searched
MOST_CUTS = 5  # steps for which the gradients that forget something are derived
WHICH_SCALAR = "the model does not say which scalar is differentiated"


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


@dataclass(slots=True)
class Document:
    """The statements of a text under one scope."""

    scope: Scope
    values: Values
    statements: tuple[Statement, ...]
    prove: bool = True
    results: dict[int, tuple[Step, ...]] = field(default_factory=dict)
    totals: dict[Node, dict[int, Readings]] = field(default_factory=dict)
    merged: Scope | None = None  # the same with all extents one number, once that was asked for
    cuts: int = MOST_CUTS
    searches: int = MOST_SEARCHES
    conditions: Mapping[int, Condition] = field(default_factory=dict)
    condition: Condition | None = None
    running: Running | None = None
    introduced: dict[Node, int] = field(default_factory=dict)
    here: int = -1
    zeroed: list[Entry] = field(default_factory=list)

    def judge(self) -> tuple[Step, ...]:
        """All steps in reading order."""
        self.start()
        self.running = running_of(self.statements, self.scope)
        self.conditions, stated = conditions_of(self.statements, self.scope.text, self.scope)
        waiting = [k for k, s in enumerate(self.statements) if s.is_relation and k not in stated]
        for round_ in range(ROUNDS):
            still = []
            for k in waiting:
                self.condition = self.conditions.get(k)
                steps = self.steps(self.statements[k])
                self.results[k] = steps
                if any(s.unread is not None and s.unread.kind == "name" for s in steps):
                    still.append(k)
            if not still or (still == waiting and round_):
                break
            waiting = still
        found = [s for k in sorted(self.results) for s in self.results[k]]
        if shows_it([s.comparison for s in found]):
            found = [_with_others_held(s) for s in found]
        return tuple(map(self.settled, found))

    def settled(self, step: Step) -> Step:
        """A step that differs and rests only on guesses that are kept to is refuted."""
        found = step.comparison
        if step.verdict != "undecided" or found is None or not found.guessed:
            return step
        if not self.scope.sure(found.guessed):
            return step
        why = found.why if found.shapes is None else "the shapes differ"
        refuted = replace(found, verdict="refuted", why=why if found.shapes else "")
        return replace(step, verdict="refuted", comparison=refuted)

    def steps(self, statement: Statement) -> tuple[Step, ...]:
        """The steps of one statement, within what a document may take; what holds is free."""
        work, since = self.values.work, self.values.work.done
        steps = () if work.over else self.instances(statement)
        if work.over:  # a reading may have been cut short, so that nothing is certain
            return self.too_long(statement)
        if all(s.verdict == "proved" for s in steps):
            work.forgive(since)
        return steps

    def instances(self, statement: Statement) -> tuple[Step, ...]:
        """The steps of one statement; what runs over layers or time is judged at each number."""
        found = self.running.instances(statement.tree) if self.running and statement.tree else ()
        if not found:
            return self.judged(statement)
        each = [(said, self.judged(replace(statement, tree=tree))) for said, tree in found]
        return together(each)

    def too_long(self, statement: Statement) -> tuple[Step, ...]:
        """The relations of a statement for which there is no time left."""
        if not isinstance(statement.tree, Relation):
            return self.judged(statement)
        empty = Reading(Integer(0))
        left, *rights = statement.tree.members
        of = said_of(left, self.scope)
        return tuple(
            Step(
                statement,
                left,
                right,
                kind_of(left, None, right, self.scope),
                of,
                "undecided",
                Comparison("undecided", empty, empty, TOO_LONG),
                at=k,
            )
            for k, right in enumerate(rights, start=1)
            if statement.tree.relations[k - 1] in EQUALITIES
        )

    def judged(self, statement: Statement) -> tuple[Step, ...]:
        """The steps of one statement as it stands."""
        if not isinstance(statement.tree, Relation):
            return (Step(statement, None, None, "identity", "", "unreadable"),)
        remaining = after_update(statement.tree)
        if remaining is None or is_count(statement.tree, self.running, self.scope):
            return ()
        statement = replace(statement, tree=remaining)
        assert isinstance(statement.tree, Relation), "what remains is a relation"
        self.here = statement.start
        members, relations = statement.tree.members, statement.tree.relations
        first, lefts, problem = self.left_end(members, relations)
        out: list[Step] = []
        previous = members[0]
        for k, (relation, member) in enumerate(zip(relations, members[1:], strict=True), start=1):
            if relation not in EQUALITIES:
                out.extend(self.other(statement, relation, previous, member, lefts))
                continue
            if k <= first:
                previous = member
                continue
            if lefts is not None and self.is_optimum(lefts, member, [s.verdict for s in out]):
                continue
            if lefts is None and problem is not None and problem.kind == "shape":
                out.append(self.ill_defined(statement, members[0], member, problem, k))
            elif lefts is None:
                assert problem is not None, "a left end without readings has a reason"
                out.append(
                    Step(
                        statement,
                        members[0],
                        member,
                        kind_of(members[0], None, member, self.scope),
                        said_of(members[0], self.scope),
                        "unreadable",
                        unread=problem,
                        at=k,
                    )
                )
            else:
                out.append(
                    self.member(
                        statement,
                        members[0] if first == 0 else members[first],
                        lefts,
                        member,
                        relation,
                        k,
                    )
                )
            previous = member
        return tuple(out)

    def left_end(
        self, members: tuple[Node, ...], relations: tuple[str, ...]
    ) -> tuple[int, Readings | None, Unreadable | None]:
        """The readings against which a chain is judged; an unknown symbol at its left end is
        defined by the next member.
        """
        self.scope.letters = {}
        try:
            lefts = self.reading(members[0])
            self.learn_letters(lefts)
            return 0, lefts, None
        except Unreadable as problem:
            if (
                problem.kind != "name"
                or relations[0] not in (":=", "=")
                or not definable(members[0])
            ):
                return 0, None, problem
            try:
                found = self.reading(members[1])
            except Unreadable as deeper:
                return 0, None, deeper
            found = self.matching(found)
            self.record(members[0], found)
            return 0, found, problem

    def is_optimum(self, lefts: Readings, member: Node, verdicts: list[str]) -> bool:
        """Whether a member sets the gradient of the chain to zero, which is then remembered."""
        expr = lefts[0].expr
        gradient = isinstance(expr, Entry) and expr.name in self.scope.gradients
        if not gradient or not sets_to_zero(member, verdicts):
            return False
        self.zeroed.append(expr)
        return True

    def ill_defined(
        self, statement: Statement, left: Node, right: Node, problem: Unreadable, k: int
    ) -> Step:
        """A definition whose shapes cannot fit, which is refuted where none of them is a guess."""
        of = said_of(left, self.scope)
        step = Step(statement, left, right, "definition", of, "unreadable", unread=problem, at=k)
        if not self.scope.sure(problem.guessed) or k > 1:
            return step
        empty = Reading(Integer(0))
        shapes = (" and ".join(problem.shapes) or problem.message, "the sides of a product")
        found = Comparison("refuted", empty, empty, problem.message, shapes=shapes)
        return replace(step, verdict="refuted", comparison=found)

    def reading(self, node: Node) -> Readings:
        """The readings of a member; the complaint that there are none says on which guesses it
        rests.
        """
        self.scope.supposed.clear()
        try:
            if has_struck(node):
                return with_and_without(node, self.scope, self.values)
            return read(node, self.scope)
        except Unreadable as problem:
            problem.guessed |= self.scope.supposed
            raise

    def learn_letters(self, lefts: Readings) -> None:
        self.scope.letters = {i.name: i for i in lefts[0].letters}

    def record(self, symbol: Node, found: Readings) -> None:
        self.introduced[bare(symbol)] = self.here
        scripts = numbered(scripts_of(symbol))
        free = {i.name for i in found[0].letters}
        pattern, letters = [], []
        for item in scripts.items:
            running = is_letter(item) and item_text(item) in free
            pattern.append("*" if running else item_text(item))
            if running:
                letters.append(item_text(item))
        if scripts.turned:
            found = tuple(replace(r, row=not r.row) for r in found)
        alias = self.nameless(found[0])
        if alias:
            found = (whole(alias, self.scope),)
            self.scope.spoken[alias] = self.source(symbol)
        shown = self.meaning(found[0]) or ("an inner quantity" if alias else "defined here")
        self.scope.patterns[spellings(scripts.base)[0], tuple(pattern)] = Definition(
            tuple(letters), found, True, shown
        )
        self.scope.tell(symbol, shown)

    def matching(self, found: Readings) -> Readings:
        """Of several readings of what is defined, that which is a gradient."""
        known = tuple(r for r in found if self.meaning(r)) if len(found) > 1 else ()
        return known[:1] or found

    def defining(self, found: Readings) -> Comparison:
        """What a definition says; where it is a gradient, that is evidence for its guesses."""
        name = self.meaning(found[0])
        left = replace(found[0], expr=Entry(name, *found[0].axes)) if name else found[0]
        return Comparison("proved", left, found[0])

    def meaning(self, r: Reading) -> str:
        """The gradient that a defined quantity is, if it is one."""
        for name in self.scope.gradients:
            shape = self.scope.shape(name)
            if (
                shape is not None
                and not r.letters
                and len(shape) == r.rank
                and tuple(shape) == r.shape
            ):
                if self.values.agree(r.expr, Entry(name, *r.axes)):
                    return name
        return ""

    def nameless(self, r: Reading) -> str:
        """The quantity without a name that a defined symbol is, proved; its gradients are then
        those by the symbol.
        """
        if r.letters or r.guessed or isinstance(r.expr, Entry):
            return ""
        for name in self.scope.nameless:
            pair = fit(squeezed(r), squeezed(whole(name, self.scope)))
            if pair is not None and self.values.agree(pair[0].expr, pair[1].expr):
                found = self.values.decide(pair[0].expr, pair[1].expr, self.scope.program)
                if isinstance(found, Equal):
                    return name
        return ""

    def member(
        self, statement: Statement, left: Node, lefts: Readings, right: Node, relation: str, k: int
    ) -> Step:
        """One relation of a chain."""
        kind, of = kind_of(left, lefts[0], right, self.scope), of_step(left, lefts[0], self.scope)
        if k == 1 and self.is_new(left, statement) and self.defined_by(left) is lefts:
            return Step(
                statement,
                left,
                right,
                "definition",
                of or said_of(left, self.scope),
                "proved",
                self.defining(lefts),
                at=k,
            )
        try:
            rights = self.reading(right)
        except Unreadable as problem:
            if problem.kind == "name" and definable(right):
                self.record(right, lefts)
                return Step(
                    statement,
                    left,
                    right,
                    "definition",
                    said_of(right, self.scope),
                    "proved",
                    Comparison("proved", lefts[0], lefts[0]),
                    at=k,
                )
            return self.unread(statement, left, right, lefts, problem, k)
        if relation in ("+=", "-="):
            old = self.before(left, statement) or self.unsaid(lefts, left)
            if not old:
                unjudged = Unreadable("name", f"{relation} to something not said before", right)
                return Step(statement, left, right, kind, of, "unreadable", unread=unjudged, at=k)
            signed = (replace(r, expr=-r.expr) if relation == "-=" else r for r in rights)
            rights = all_pairs(old, tuple(signed), sum_of) or rights
        self.totals.setdefault(bare(left), {})[statement.start] = rights
        if self.grows_after(left, statement):
            known = Comparison("proved", rights[0], rights[0])
            return Step(statement, left, right, "definition", of, "proved", known, at=k)
        if self.condition is not None:
            lefts, rights = where(lefts, self.condition), where(rights, self.condition)
        comparison = compare(lefts, rights, self.scope.program, self.values, prove=self.prove)
        if comparison.verdict != "proved":
            again = with_others_held(left, right, self.condition, self.scope, self.prove)
            comparison = again or comparison
        if comparison.verdict == "refuted" and self.zeroed:
            comparison = holds_there(lefts, rights, self.zeroed, self.values) or comparison
        if k == 1 and comparison.shapes is not None and self.is_other(left):
            self.record(left, rights)
            known = Comparison("proved", rights[0], rights[0])
            symbol = said_of(left, self.scope)
            return Step(statement, left, right, "definition", symbol, "proved", known, at=k)
        doubtful = bool(lefts[0].guessed) and not self.scope.sure(lefts[0].guessed)
        if comparison.verdict != "proved" and k == 1 and doubtful and definable(left):
            rights = self.matching(rights)
            self.record(left, rights)
            return Step(
                statement,
                left,
                right,
                "definition",
                said_of(left, self.scope),
                "proved",
                self.defining(rights),
                at=k,
                instead=lefts[0].guessed,
            )
        if self.scope.any_scalar and comparison.verdict == "refuted":
            sides = (self.scope.mentions_gradient(r.expr) for r in (lefts[0], comparison.right))
            if [bool(side) for side in sides] == [True, False]:
                comparison = replace(comparison, verdict="undecided", why=WHICH_SCALAR)
        if comparison.left.guessed:
            of = of_step(left, comparison.left, self.scope)
        if is_notation(left, right, comparison):
            kind = "definition"
        if k == 1 and lefts[0].guessed and definable(left) and says_what(comparison):
            self.record(left, tuple(replace(r, guessed=frozenset()) for r in rights[:1]))
        claim = comparison.right if kind in ("gradient", "chain-rule") else None
        return Step(
            statement, left, right, kind, of, comparison.verdict, comparison, claim=claim, at=k
        )

    def start(self) -> None:
        """What the map says of a symbol to which something is added is its value before that."""
        for s in self.statements:
            if isinstance(s.tree, Relation) and s.tree.relations[0] in ("+=", "-="):
                key = bare(s.tree.members[0])
                if key in self.scope.phrases:
                    self.totals[key] = {-1: self.scope.phrases.pop(key)}

    def before(self, left: Node, statement: Statement) -> Readings | None:
        """What a symbol was worth before a statement adds to it."""
        known = self.totals.get(bare(left), {})
        earlier = [at for at in known if at < statement.start]
        return known[max(earlier)] if earlier else None

    def unsaid(self, lefts: Readings, left: Node) -> Readings:
        """What a symbol may have been worth before a text that only adds to it: an input."""
        symbol = f"{self.source(left)} before"
        shape = lefts[0].shape
        return tuple(
            replace(whole(q.name, self.scope), guessed=frozenset((symbol + AS + q.name,)))
            for q in self.scope.forward.inputs
            if q.shape == shape
        )

    def grows_after(self, left: Node, statement: Statement) -> bool:
        """Whether a later statement adds to this symbol, which is then judged with the last."""
        return any(
            s.start > statement.start
            and isinstance(s.tree, Relation)
            and s.tree.relations[0] in ("+=", "-=")
            and same_text(s.tree.members[0], left)
            for s in self.statements
        )

    def unread(
        self,
        statement: Statement,
        left: Node,
        right: Node,
        lefts: Readings,
        problem: Unreadable,
        k: int,
    ) -> Step:
        """A member without a reading: refuted where shapes that are certain cannot fit, else
        unread.
        """
        kind, of = kind_of(left, lefts[0], right, self.scope), of_step(left, lefts[0], self.scope)
        doubts = problem.guessed.union(*(r.guessed for r in lefts))
        certain = problem.kind == "shape" and self.scope.sure(doubts)
        if not certain:
            return Step(statement, left, right, kind, of, "unreadable", unread=problem, at=k)
        shapes = (" and ".join(problem.shapes) or problem.message, show(lefts[0]))
        comparison = Comparison("refuted", lefts[0], lefts[0], problem.message, shapes=shapes)
        return Step(statement, left, right, kind, of, "refuted", comparison, unread=problem, at=k)

    def other(
        self, statement: Statement, relation: str, left: Node, right: Node, lefts: Readings | None
    ) -> tuple[Step, ...]:
        """What is no equation: a remark on a shape is judged, an update or a limit is only
        mentioned.
        """
        if relation == "∈" and is_shape(right):
            verdict, why = shape_step(lefts, right, self.scope)
            if verdict == "mention" or lefts is None:
                return ()
            comparison = Comparison(
                verdict, lefts[0], lefts[0], why, shapes=(self.source(right), show(lefts[0]))
            )
            return (
                Step(
                    statement,
                    left,
                    right,
                    "identity",
                    of_step(left, lefts[0], self.scope),
                    verdict,
                    comparison,
                ),
            )
        return ()

    def source(self, node: Node) -> str:
        return self.scope.text[node.start : node.end]

    def is_other(self, node: Node) -> bool:
        """Whether a symbol is a letter in use for losses, and not the name of the model's: with
        another shape it is something else.
        """
        named = isinstance(node, Name) and node.text != self.scope.loss
        return named and isinstance(node, Name) and node.text in self.scope.loss_names

    def is_new(self, node: Node, statement: Statement) -> bool:
        """Whether a symbol is defined by this very statement; a later one is judged against it."""
        return definable(node) and self.introduced.get(bare(node)) == statement.start

    def defined_by(self, node: Node) -> Readings | None:
        scripts = numbered(scripts_of(node))
        texts = tuple(item_text(i) for i in scripts.items)
        for (name, pattern), definition in self.scope.patterns.items():
            if definition.own and name == spellings(scripts.base)[0] and len(pattern) == len(texts):
                if all(p in ("*", t) for p, t in zip(pattern, texts, strict=True)):
                    return definition.readings
        return None


def together(each: Sequence[tuple[str, tuple[Step, ...]]]) -> tuple[Step, ...]:
    """Each step of a line that was judged at several numbers: the worst of them. A number at which
    a name is missing does not count where another has all.
    """
    named = [e for e in each if not any(_nameless(s) for s in e[1])] or list(each[:1])
    length = min(len(steps) for _, steps in named)
    where_ = "; ".join(said for said, _ in named)
    out = []
    for k in range(length):
        said, worst = max(((s, steps[k]) for s, steps in named), key=lambda e: WORST[e[1].verdict])
        read_at = said if worst.verdict != "proved" else where_
        out.append(replace(worst, at_number=f"read for {read_at}"))
    return tuple(out)


def _with_others_held(step: Step) -> Step:
    """A step in the reading that the document was seen to use."""
    found = accepted(step.comparison) if step.comparison is not None else None
    changed = found is not None and found is not step.comparison
    verdict = "proved" if changed and step.verdict == "undecided" else step.verdict
    return replace(step, comparison=found, verdict=verdict)


def says_what(found: Comparison) -> bool:
    """Whether a line that holds only says what a symbol stands for."""
    return found.verdict == "proved" and found.left.expr == found.right.expr


WORST = {"proved": 0, "undecided": 1, "unreadable": 2, "refuted": 3}


def _nameless(step: Step) -> bool:
    return step.unread is not None and step.unread.kind == "name"


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


def definable(node: Node) -> bool:
    """Whether a side is a lone symbol, which a definition can introduce."""
    scripts: Scripts = numbered(scripts_of(node))
    if not isinstance(node, Name | Accent | Script) or not isinstance(scripts.base, Name | Accent):
        return False
    return (
        not scripts.powers
        and bool(spellings(scripts.base))
        and all(item_text(i) for i in scripts.items)
    )


def stepping_letters(found: Sequence[Statement]) -> frozenset[str]:
    """Letters that count steps, since somewhere a script is ``t-1``: elsewhere they may be
    names.
    """
    out: set[str] = set()
    for statement in found:
        for node in walk(statement.tree) if statement.tree is not None else ():
            for script in (*node.subs, *node.sups) if isinstance(node, Script) else ():
                if isinstance(script, Terms) and len(script.terms) == 2:
                    out.update(t.body.text for t in script.terms if isinstance(t.body, Name))
    return frozenset(out)
