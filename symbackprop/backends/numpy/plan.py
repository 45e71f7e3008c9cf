"""Which statements a kernel runs, and in which order: a derivation as straight-line code.

Takes a record, gives a :class:`Plan`: forward and backward statements in order of derivation,
with hidden equations named where backward needs them, common subterms computed once under a name
that says what they hold, and nothing that no result needs. Names here are the model's (keys), not
yet identifiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from symbackprop.backends.numpy.economy import economical
from symbackprop.backends.numpy.names import describe
from symbackprop.backends.numpy.stable import seen, steady
from symbackprop.backends.numpy.terms import is_static
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.program import Equation
from symbackprop.ir.terms import Shape, Term, name, names_in
from symbackprop.matrix.lift import Lifter

Key = tuple[Any, ...]
VIEWS = frozenset(("name", "number", "dim", "constant", "transpose", "index", "broadcast", "neg"))


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of a loop: ``letter`` from ``first`` to ``last``, or the other way."""

    letter: str
    first: Expr
    last: Expr
    downwards: bool

    def covers(self, other: Turns) -> bool:
        """Whether what is there at each of these turns is there at each of the other's."""
        return (self.letter, self.first, self.last) == (other.letter, other.first, other.last)


@dataclass(frozen=True, slots=True)
class Statement:
    """``key = term``; ``equation`` is the entry form, absent for a common subterm.

    With ``turns`` it stands in a loop: ``guard`` says at which turns, ``below`` the last or
    ``last`` alone; with ``adds`` the term is added to what ``key`` holds, at first 0.
    """

    key: str
    term: Term
    equation: Equation | None = None
    turns: Turns | None = None
    guard: str = ""
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Statements of both passes, the forward quantities that backward uses, the results by key;
    ``single`` says that there is one result, which goes by no name.
    """

    of: str
    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    saved: tuple[str, ...]
    results: Mapping[str, str]
    seed: str
    single: bool = False


def plan(record: DerivationRecord) -> Plan:
    """The statements of both passes of ``record``."""
    program = record.program
    inputs = [q.name for q in program.inputs]

    made = {d.equation.name: d.shape for d in record.derivatives}

    def shape_of(name: str) -> Shape:
        return made.get(name) or program.shape_of(name.removeprefix("grad_"))

    lifter = Lifter(shape_of, [e.term for e in program.equations])
    definitions = {e.name: _in_arrays(e.term, lifter) for e in program.equations}
    hidden = {e.name: definitions[e.name] for e in program.equations if e.hidden}
    results = results_of(record, inputs)

    def calm(term: Term) -> Term:
        return economical(steady(term, definitions, program.rules), lambda t: seen(t, definitions))

    above = [
        Statement(e.name, calm(expand(definitions[e.name], hidden)), e) for e in program.equations
    ]
    equations = [d.equation for d in record.derivatives]
    below = [Statement(e.name, calm(_in_arrays(e.term, lifter)), e) for e in equations]
    wanted = needed([*above, *below], {record.of, *results.values()})
    above = [s for s in above if s.key in wanted]
    below = [s for s in below if s.key in wanted]
    above, below = _named(above, below, hidden, {*inputs, *definitions, *program.functions})
    taken = {*inputs, *(s.key for s in (*above, *below)), *program.functions}
    taken |= {d.name for d in program.dims}
    forward, backward = _shared(above, below, taken)
    saved = _saved(forward, backward, inputs)
    seed = f"grad_{record.of}"
    if all(s.key == seed or seed not in names_in(s.term) for s in backward):
        seed = ""
    single = record.kind == "jvp"
    return Plan(record.of, tuple(forward), tuple(backward), saved, results, seed, single)


def results_of(record: DerivationRecord, inputs: Sequence[str]) -> dict[str, str]:
    """Key of each returned derivative and its equation: those asked for, inputs first, as declared.

    A record that does not say what was asked for gives those by inputs, or all if there are none.
    """
    if record.structure is not None:
        return {d.equation.name: d.equation.name for d in record.derivatives}
    asked = set(record.wrt or inputs)
    found = {
        d.wrt: d.equation.name
        for d in record.derivatives
        if set(d.wrt) <= asked and record.is_asked_for(d)
    }
    if not found:
        return {",".join(d.wrt): d.equation.name for d in record.derivatives}
    places = {name: k for k, name in enumerate(inputs)}
    order = sorted(found, key=lambda wrt: [places.get(w, len(places)) for w in wrt])
    if record.kind == "hessian":
        order = sorted(found, key=lambda wrt: [places.get(wrt[k], len(places)) for k in (0, -1)])
        return {f"{wrt[0]},{wrt[-1]}": found[wrt] for wrt in order}
    return {",".join(wrt): found[wrt] for wrt in order}


def _in_arrays(term: Term, lifter: Lifter) -> Term:
    """``term`` with formulas by entries read as array notation, where it can say them."""
    if term.op == "entries":
        indices, body = term.attrs
        return lifter.lift(body, indices)
    args = tuple(_in_arrays(a, lifter) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def expand(term: Term, hidden: Mapping[str, Term]) -> Term:
    """Names of hidden equations replaced by what they stand for."""
    if term.op == "name" and term.attrs[0] in hidden:
        return expand(hidden[term.attrs[0]], hidden)
    args = tuple(expand(a, hidden) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def needed(statements: Sequence[Statement], roots: Iterable[str]) -> set[str]:
    """The keys that the roots use, directly or through others."""
    return reached({s.key: names_in(s.term) for s in statements}, roots)


def reached(uses: Mapping[str, Iterable[str]], roots: Iterable[str]) -> set[str]:
    """The keys of ``uses`` that the roots use, directly or through others."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key in uses and key not in found:
            found.add(key)
            waiting.extend(uses[key])
    return found


def _named(
    above: list[Statement], below: list[Statement], hidden: Mapping[str, Term], taken: set[str]
) -> tuple[list[Statement], list[Statement]]:
    """Hidden equations, and their adjoints, under names that say what they hold."""
    rename: dict[str, str] = {}
    out: list[Statement] = []
    for s in above:
        for earlier in out:
            if earlier.key in rename.values():
                s = replace(s, term=_swap(s.term, earlier.term, _as_name(earlier)))
        if s.key in hidden:
            key = free_name(describe(s.term), taken)
            rename[s.key] = key
            taken.add(key)
            s = replace(s, key=key)
        out.append(s)
    rename |= {f"grad_{old}": f"grad_{new}" for old, new in rename.items()}
    return out, [
        replace(s, key=rename.get(s.key, s.key), term=_renamed(s.term, rename)) for s in below
    ]


def free_name(wish: str, taken: Iterable[str]) -> str:
    """``wish``, numbered if it is taken."""
    taken, word, count = set(taken), wish, 1
    while word in taken:
        count += 1
        word = f"{wish}_{count}"
    return word


def _as_name(s: Statement) -> Term:
    return name(s.key, s.term.shape)


def _swap(term: Term, old: Term, new: Term) -> Term:
    """``term`` with every occurrence of ``old`` replaced by ``new``."""
    if term == old:
        return new
    args = tuple(_swap(a, old, new) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def _renamed(term: Term, rename: Mapping[str, str]) -> Term:
    if term.op == "name" and term.attrs[0] in rename:
        return replace(term, attrs=(rename[term.attrs[0]],))
    args = tuple(_renamed(a, rename) for a in term.args)
    return term if args == term.args else replace(term, args=args)


def _shared(
    above: list[Statement], below: list[Statement], taken: set[str]
) -> tuple[list[Statement], list[Statement]]:
    """Every subterm that is used twice or more becomes a statement before its first use."""
    count = _uses([*above, *below])
    known: dict[Key, Term] = {}

    def visit(term: Term, out: list[Statement]) -> Term:
        same = key_of(term)
        if same in known:
            return known[same]
        args = tuple(visit(a, out) for a in term.args)
        short = term if args == term.args else replace(term, args=args)
        if count.get(same, 0) < 2 or not is_work(term):
            return short
        key = free_name(describe(short), taken)
        taken.add(key)
        out.append(Statement(key, short))
        known[same] = name(key, term.shape)
        return known[same]

    sides: list[list[Statement]] = []
    for side in (above, below):
        out: list[Statement] = []
        for s in side:
            args = tuple(visit(a, out) for a in s.term.args)
            same = key_of(s.term)
            out.append(replace(s, term=known.get(same) or replace(s.term, args=args)))
            if is_work(s.term):
                known.setdefault(same, _as_name(s))
        sides.append(out)
    return sides[0], sides[1]


def _uses(statements: Sequence[Statement]) -> dict[Key, int]:
    """How often each distinct subterm stands under a distinct parent or statement."""
    count: dict[Key, int] = {}

    def visit(term: Term) -> None:
        same = key_of(term)
        count[same] = count.get(same, 0) + 1
        if count[same] == 1:
            for a in term.args:
                visit(a)

    for s in statements:
        visit(s.term)
    return count


def key_of(term: Term) -> Key:
    """What two equal terms have in common, hashable where a term with slices is not."""
    items = term.attrs
    if term.op == "index":
        items = tuple((i.start, i.stop) if isinstance(i, slice) else i for i in term.attrs[0])
    return (term.op, items, term.shape, *(key_of(a) for a in term.args))


def is_work(term: Term) -> bool:
    """Whether a second computation would cost something: no view, no number, no fill."""
    return bool(term.args) and term.op not in VIEWS and not is_static(term)


def _saved(
    forward: Sequence[Statement], backward: Sequence[Statement], inputs: Sequence[str]
) -> tuple[str, ...]:
    used = frozenset[str]().union(*(names_in(s.term) for s in backward)) if backward else set()
    return tuple(k for k in (*inputs, *(s.key for s in forward)) if k in used)
