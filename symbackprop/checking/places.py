r"""Places on axes that are more than a letter: ``x_{i+k-1}``, ``X_{s i + u, s j + v}``.

Letters count from 1 or from 0: by the bounds of their sum, else as the document does
(``scope.base``). The extent of a letter that stands only in such a place is :data:`OPEN` until
another factor, the left side or the bounds of a sum tell. Entries outside their array count as 0,
which is noted wherever the writer does not say so himself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sympy import Expr, Integer, Mul, Pow, expand

from symbackprop.checking.extents import dim_of, whole_number_of
from symbackprop.checking.readings import OPEN, Note, Reading, Readings, Unreadable, closed
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.ir.affine import atoms_of, mirrored, plainer
from symbackprop.ir.expressions import (
    Compare,
    Entry,
    Index,
    InRange,
    Where,
    free_indices,
    substitute,
)
from symbackprop.matrix.rearrangements import guard
from symbackprop.notation.written import Juxt, Name, Node, Number

COUNTED = Note("letters of places are counted from 0")


def value_of(node: Node, scope: Scope, *, strict: bool = False) -> Expr | None:
    """The number that an index expression says, in the writer's counting; None if it is none.
    With ``strict`` only what a sum binds or the left side has is a letter.
    """

    def meaning(n: Node) -> Expr | None:
        known = is_letter(n) and item_text(n) in {*scope.bound, *scope.letters}
        return dim_of(n, scope) if strict and not known else _letter_value(n, scope)

    return whole_number_of(node, meaning)


def place_of(node: Node, scope: Scope, first: int | None = None) -> Expr | None:
    """The place from 0 that an index expression says; None if it is none. ``first`` is where its
    letters count from, if that is told.
    """
    found = value_of(node, scope)
    if found is None:
        return None
    if first is not None:
        letters = free_indices(found)
        shift = {i: i - scope.bases.get(i.name, scope.base) + first for i in letters}
        return expand(substitute(found, shift) - first)
    if not free_indices(found):
        return found - scope.base if found.is_Integer else None
    told = sum(c for i, c in atoms_of(found).items() if _by_document(i, scope))
    place = expand(found - scope.base)
    if told != 1:
        scope.counted = True
        if place.as_coeff_Add()[0] != 0:
            scope.askew.add(node.start)
    return place


def run_together(items: tuple[Node, ...], rank: int, scope: Scope) -> tuple[Node, ...]:
    """Scripts with a factor and its letter as one, where there are more of them than axes: ``2 i``
    on a sequence is a place, on a matrix two indices.
    """
    out: list[Node] = []
    for item in items:
        before = out[-1] if out else None
        factor = isinstance(before, Number) or (
            isinstance(before, Name) and before.text in scope.dims
        )
        surplus = len(items) - rank - sum(isinstance(o, Juxt) for o in out)
        if surplus > 0 and before is not None and factor and is_letter(item):
            out[-1] = Juxt(before.start, item.end, (before, item))
        else:
            out.append(item)
    return tuple(out) if len(out) == rank else items


def taken_apart(items: tuple[Node, ...], rank: int) -> tuple[Node, ...]:
    """Scripts with their numbers digit by digit, where only so there is one for each axis:
    ``m_{1d11}`` of four axes. A number that stands alone stays what it is.
    """
    out: list[Node] = []
    for item in items:
        if isinstance(item, Number) and item.text.isdigit():
            out.extend(
                Number(item.start + k, item.start + k + 1, c) for k, c in enumerate(item.text)
            )
        else:
            out.append(item)
    return tuple(out) if len(items) > 1 and len(out) == rank else items


def _by_document(atom: Expr, scope: Scope) -> bool:
    """Whether a letter counts from where the document does."""
    return isinstance(atom, Index) and atom.name not in scope.bases


def _letter_value(node: Node, scope: Scope) -> Expr | None:
    if not is_letter(node):
        return dim_of(node, scope)
    letter = item_text(node)
    if letter not in scope.bound:
        if letter in scope.dims:
            return scope.dims[letter]
        told = scope.patterns.get((letter, ()))
        if told is not None and told.readings[0].expr.is_Integer:
            return told.readings[0].expr
        if letter in scope.letters:
            return scope.letters[letter] + scope.base
    return Index(letter, OPEN) + scope.bases.get(letter, scope.base)


def settled(readings: Readings, scope: Scope, node: Node) -> Readings:
    """The readings of a member, with entries outside their arrays counted as 0.

    Raises
    ------
    Unreadable
        If nothing tells over what a letter runs.
    """
    out, problem = [], None
    for r in readings:
        if not _has_places(r.expr):
            out.append(r)
            continue
        r = closed(r, scope.letters.values())
        loose = sorted(i.name for i in r.letters if i.extent == OPEN)
        if loose:
            problem = Unreadable("notation", f"over what {loose[0]} runs is not said", node)
            continue
        outside: set[str] = set()
        expr = _bounded(r.expr, frozenset(), scope, outside)
        if expr != r.expr or outside:
            said = (
                Note(f"entries of {scope.spoken.get(n, n)} outside it count as 0") for n in outside
            )
            r = replace(r, expr=expr, notes=r.notes | frozenset(said))
        out.append(r)
    if problem is not None and not out:
        raise problem
    return tuple(out)


@lru_cache(maxsize=1 << 15)
def _has_places(e: Expr) -> bool:
    """Whether an entry stands at more than letters and numbers, or a guard is there."""
    if isinstance(e, InRange):
        return True
    if isinstance(e, Entry) and not all(_is_plain(i) for i in e.indices):
        return True
    if isinstance(e, Index):
        return e.extent == OPEN
    return any(_has_places(a) for a in e.args)


def _is_plain(place: Expr) -> bool:
    """Whether a place is a letter, a number, or one that an array of whole numbers holds, which
    lies inside since the model says so.
    """
    return isinstance(place, Index | Entry) or bool(place.is_number)


Guards = frozenset[Expr]


def _bounded(e: Expr, given: Guards, scope: Scope, outside: set[str]) -> Expr:
    """``e`` with guards at entries that may lie outside; ``given`` are those that hold here."""
    if isinstance(e, InRange):
        return oriented(e)
    if isinstance(e, Entry):
        return _guarded(e, given, scope, outside)
    if isinstance(e, Mul):
        return _bounded_product(e, given, scope, outside)
    if isinstance(e, Where):
        condition, inside, other = e.args
        holds = frozenset(f for f in Mul.make_args(condition) if isinstance(f, InRange))
        taken = _bounded(inside, given | holds, scope, outside)
        return Where(condition, taken, _bounded(other, given, scope, outside))
    if not e.args or isinstance(e, Index):
        return e
    return e.func(*(_bounded(a, given, scope, outside) if a.args else a for a in e.args))


def _bounded_product(e: Mul, given: Guards, scope: Scope, outside: set[str]) -> Expr:
    bases = [a.base if isinstance(a, Pow) else a for a in e.args]
    read = _places_read(e)
    own = [oriented(b, read) for b in bases if isinstance(b, InRange)]
    known = given | frozenset(g for g in own if isinstance(g, InRange))
    rest = [
        _bounded(a, known, scope, outside)
        for a, b in zip(e.args, bases, strict=True)
        if not isinstance(b, InRange)
    ]
    kept = [a for a in rest if not _implied(a, known)]
    return Mul(*dict.fromkeys(own), *kept)


@lru_cache(maxsize=1 << 12)
def _places_read(e: Expr) -> frozenset[Expr]:
    """The places at which entries are read in ``e``."""
    own = frozenset(e.indices) if isinstance(e, Entry) else frozenset[Expr]()
    return own.union(*(_places_read(a) for a in e.args if a.args))


def _guarded(e: Entry, given: Guards, scope: Scope, outside: set[str]) -> Expr:
    shape = scope.shape(e.name)
    if shape is None or len(shape) != len(e.indices):
        return e
    needed = []
    for place, extent in zip(e.indices, shape, strict=True):
        if _is_plain(place) or not free_indices(place):
            continue
        found = guard(place, extent)
        if found != 1 and found not in given:
            needed.append(found)
    if needed:
        outside.add(e.name)
    return Mul(*needed, e)


def _implied(e: Expr, given: Guards) -> bool:
    """Whether a one-sided bound follows from a guard."""
    if not isinstance(e, Compare) or e.op != ">=" or e.args[2] != 0:
        return False
    return any(e.args[1] in (g.args[0], expand(g.args[1] - 1 - g.args[0])) for g in given)


def oriented(e: InRange, read: frozenset[Expr] = frozenset()) -> Expr:
    """``[0 ≤ e < n]`` with ``e`` or ``n - 1 - e``, whichever is a place that is read, else the
    plainer; 1 where it always holds.
    """
    place, n = e.args
    seen = [p for p in (place, mirrored(place, n)) if p in read]
    return guard(seen[0] if seen else plainer(place, n), n)


def at_place(r: Reading, axis: Index, place: Expr) -> Expr:
    """The guard of what is no entry of an array where it is read at a place on its axis."""
    if isinstance(r.expr, Entry) or isinstance(place, Index | Entry) or not free_indices(place):
        return Integer(1)
    return guard(place, axis.extent)
