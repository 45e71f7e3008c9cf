"""Closed forms where quantities recur: an adjoint that follows from a later one has none."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from symbackprop.calculus.reverse import PREFIX
from symbackprop.ir.derivation import Derivative
from symbackprop.ir.families import letter_symbol, split_member
from symbackprop.ir.program import Program
from symbackprop.ir.schedule import blocks
from symbackprop.ir.terms import Term, broadcast, names_in, size
from symbackprop.matrix.relabelling import Definition, put_in
from symbackprop.matrix.substitution import draw_out_scale
from symbackprop.pipeline.closed import SIZE_LIMIT


class RecurrentClosing:
    """Closed forms of one derivation, each worked out once and only when asked for."""

    def __init__(self, derivatives: Sequence[Derivative], program: Program) -> None:
        self._by_name = {d.equation.name: d for d in derivatives}
        self._letters = {x: letter_symbol(x) for x in _letters(program)}
        self._open = _without_closed_form(derivatives)
        self._known: dict[str, Term | None] = {}

    def recurs(self, name: str) -> bool:
        """Whether an adjoint is told by a recurrence, its own or that of one that it uses."""
        return name in self._open

    def term(self, name: str) -> Term | None:
        """The closed term of the adjoint ``name``; None if it recurs or is too large."""
        if name not in self._known:
            self._known[name] = None if name in self._open else self._close(name)
        return self._known[name]

    def _close(self, name: str) -> Term | None:
        derivative = self._by_name[name]
        local = derivative.equation.term
        known: dict[str, Definition] = {}
        for used in _adjoints_in(local):
            inner = self.term(used) if used in self._by_name else None
            if inner is None and used in self._by_name:
                return None
            if inner is not None:
                recurrence = self._by_name[used].recurrence
                known[used] = Definition(inner, recurrence.index if recurrence else "")
        own = derivative.equation.shape[derivative.equation.start is not None :]
        written = broadcast(draw_out_scale(put_in(local, known, self._letters)), own)
        return written if size(written) <= SIZE_LIMIT else None


def _letters(program: Program) -> frozenset[str]:
    return frozenset(f.index for f in program.families.values()) | program.loops.keys()


def _adjoints_in(term: Term) -> tuple[str, ...]:
    found = []
    for name in sorted(names_in(term)):
        parts = split_member(name)
        base = parts[0] if parts else name
        if base.startswith(PREFIX):
            found.append(base)
    return tuple(dict.fromkeys(found))


def _without_closed_form(derivatives: Sequence[Derivative]) -> Collection[str]:
    """Adjoints that recur or have several cases, and all that use them."""
    equations = tuple(e for d in derivatives for e in d.equations)
    several = {d.equation.name for d in derivatives if d.recurrence and d.recurrence.boundary}
    found: set[str] = set(several)
    for block in blocks(equations):
        names = {e.name for e in block}
        uses = {n for e in block for n in _adjoints_in(e.term)}
        if len(names) > 1 or uses & (found | names):
            found |= names
    return found
