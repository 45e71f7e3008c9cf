"""Work that several steps of a loop would do again is done once, under a name of its own.

``grad_h[t] * (1 - h[t]**2)`` in the sums over the steps is what ``grad_h[t-1]`` needs of the step
above: subterms are the same if they are up to a shift of the step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr, expand

from symbackprop.backends.numpy.names import describe
from symbackprop.backends.numpy.plan import Statement, Turns, free_name, is_work, key_of
from symbackprop.ir.families import letter_symbol, member, read_label, split_member
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Term, name, names_in
from symbackprop.matrix.relabelling import relabelled


def shared(
    forward: Sequence[Statement], backward: Sequence[Statement], program: Program
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Both passes with repeated subterms of loops taken out."""
    taken = {q.name for q in program.inputs} | {d.name for d in program.dims}
    taken |= {s.key.partition("[")[0] for s in (*forward, *backward)}
    taken |= {*program.functions, *program.loops}
    run = _Sharing(taken, _counted((*forward, *backward)))
    above = run.side(forward)
    return above, run.side(backward)


def _counted(statements: Sequence[Statement]) -> Counter[object]:
    count: Counter[object] = Counter()

    def visit(term: Term, turns: Turns) -> None:
        canonical = _at_own_step(term, turns)
        if canonical is not None and is_work(term):
            count[key_of(canonical[0])] += 1
            if count[key_of(canonical[0])] > 1:
                return
        for a in term.args:
            visit(a, turns)

    for s in statements:
        if s.turns is not None:
            visit(s.term, s.turns)
    return count


def _at_own_step(term: Term, turns: Turns) -> tuple[Term, Expr] | None:
    """``term`` shifted so that the latest step it names is the letter itself, and the shift; None
    where it names no step.
    """
    letter = letter_symbol(turns.letter)
    gaps = []
    for used in sorted(names_in(term)):
        parts = split_member(used)
        if parts is None:
            continue
        gap = expand(read_label(parts[1], {turns.letter: letter}) - letter)
        if not gap.is_Integer:
            return None
        gaps.append(gap)
    if not gaps:
        return None
    shift = max(gaps, key=int)
    return relabelled(term, turns.letter, letter - shift), shift


@dataclass(slots=True)
class _Sharing:
    taken: set[str]
    count: Counter[object]
    known: dict[object, tuple[str, Turns]] = field(default_factory=dict)

    def side(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """One pass: each loop by itself."""
        out: list[Statement] = []
        k = 0
        while k < len(statements):
            turns = statements[k].turns
            group = [statements[k]]
            while k + len(group) < len(statements) and turns is not None:
                following = statements[k + len(group)]
                if following.turns is not turns and following.turns != turns:
                    break
                group.append(following)
            k += len(group)
            out += group if turns is None else self._loop(group, turns)
        return tuple(out)

    def _loop(self, group: Sequence[Statement], turns: Turns) -> list[Statement]:
        out: list[Statement] = []
        made: list[tuple[str, Term]] = []
        own = {s.key.partition("[")[0]: k for k, s in enumerate(group)}

        def visit(term: Term) -> Term:
            canonical = _at_own_step(term, turns)
            if canonical is not None and is_work(term):
                short, shift = canonical
                same = key_of(short)
                if same not in self.known and self.count[same] > 1 and self._is_whole(short, turns):
                    inner = replace(short, args=tuple(visit(a) for a in short.args))
                    key = free_name(describe(short), self.taken)
                    self.taken.add(key)
                    self.known[same] = key, turns
                    made.append((key, inner))
                if same in self.known and self.known[same][1].covers(turns):
                    label = letter_symbol(turns.letter) + shift
                    return name(member(self.known[same][0], label), term.shape)
            args = tuple(visit(a) for a in term.args)
            return term if args == term.args else replace(term, args=args)

        def top(s: Statement) -> Term:
            """A statement's own term is computed by it, unless that was done above."""
            if s.adds:
                return visit(s.term)
            canonical = _at_own_step(s.term, turns) if is_work(s.term) else None
            same = key_of(canonical[0]) if canonical is not None else None
            if canonical is not None and same in self.known:
                return visit(s.term)
            args = tuple(visit(a) for a in s.term.args)
            if canonical is not None and canonical[1] == 0 and not s.guard:
                self.known[same] = s.key.partition("[")[0], turns
            return s.term if args == s.term.args else replace(s.term, args=args)

        changed = [replace(s, term=top(s)) for s in group]
        ready: dict[int, list[Statement]] = {}
        places: dict[str, int] = dict(own)
        for key, term in made:
            here = f"[{turns.letter}]"
            used = {n.removesuffix(here) for n in names_in(term) if n.endswith(here)}
            place = max((places[u] for u in used if u in places), default=-1)
            letter = letter_symbol(turns.letter)
            places[key] = place
            ready.setdefault(place, []).append(Statement(member(key, letter), term, None, turns))
        out += ready.get(-1, [])
        for k, s in enumerate(changed):
            out.append(s)
            if s.guard != "below" or not (k + 1 < len(changed) and changed[k + 1].guard == "last"):
                out += ready.get(k, [])
            elif k in ready:
                ready.setdefault(k + 1, [])[:0] = ready[k]
        return out

    def _is_whole(self, term: Term, turns: Turns) -> bool:
        """Whether a term is there at every turn: it looks at no step before the first."""
        letter = letter_symbol(turns.letter)
        for used in names_in(term):
            parts = split_member(used)
            if parts is None:
                continue
            gap = expand(read_label(parts[1], {turns.letter: letter}) - letter)
            if gap < -1:
                return False
        return True
