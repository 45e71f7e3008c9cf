"""Sums, products and maxima over letters, over what is told below the sign and above it, and over
all entries where nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sympy import Expr, Integer, expand

from symbackprop.checking.conditions import excluded, guard
from symbackprop.checking.extents import extent_of
from symbackprop.checking.phrases import counted
from symbackprop.checking.ranges import Limits, limits_of, over_limits
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    OPEN,
    Note,
    Reading,
    Readings,
    Unreadable,
    clash,
    dearer,
    joined,
)
from symbackprop.checking.reductions import reduced
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.ir.expressions import (
    Compare,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    free_indices,
)
from symbackprop.ir.terms import same_extent
from symbackprop.notation.written import (
    Big,
    Binary,
    Bracket,
    Juxt,
    Name,
    Node,
    Number,
    Relation,
    Script,
    Term,
    Terms,
    walk,
)

BINDERS = {"sum": IndexSum, "prod": IndexProduct, "max": IndexMax}
ENTRIES = Note("a sum without index is over all entries")
LETTERS = Note("a sum without index is over the letter that the left side does not have")
UNWRITTEN = Note("the sum is over the axis whose letter it names, though the terms do not show it")
MOST_UNROLLED = 20


@read.register
def _big(node: Big, scope: Scope) -> Readings:
    if not node.below and not node.above:
        if node.word != "sum":
            raise Unreadable("notation", f"a {node.word} without its index", node)
        open_ = tuple(_over_new_letters(r, scope) for r in read(node.body, scope))
        if any(r is not None for r in open_):
            return tuple(r for r in open_ if r is not None)
        whole = [reduced(r, tuple(range(r.rank))) for r in read(node.body, scope) if r.rank]
        return tuple(dearer(r, 0.5, ENTRIES) for r in whole) or read(node.body, scope)
    node = _between(node)
    below = _bound(node, scope)
    if not _at_places(node.body, below.letters):
        unrolled = _unrolled(node, below, scope)
        return _whole_sum(node, below, scope) if unrolled is None else unrolled
    try:
        return _whole_sum(node, below, scope)
    except Unreadable:
        unrolled = _unrolled(node, below, scope)
        if unrolled is None:
            raise
        return unrolled


def _at_places(body: Node, letters: list[str]) -> bool:
    """Whether a letter stands in a place such as ``2 i + k``, and does not only count names."""
    scripts = (s for n in walk(body) if isinstance(n, Script) for s in n.subs)
    names = [
        {m.text for m in walk(s) if isinstance(m, Name)}
        for s in scripts
        if isinstance(s, Terms | Juxt | Bracket | Binary)
    ]
    return any(len(found) > 1 and not found.isdisjoint(letters) for found in names)


def _whole_sum(node: Big, below: Below, scope: Scope) -> Readings:
    """The sum by its letters, the body being read once."""
    before = dict(scope.bases)
    scope.bound.extend(below.letters)
    scope.bases.update(below.bases)
    try:
        return _summed_over(read(node.body, scope), below, node, scope)
    finally:
        del scope.bound[len(scope.bound) - len(below.letters) :]
        scope.bases = before


def _summed_over(bodies: Readings, below: Below, node: Big, scope: Scope) -> Readings:
    """The bodies under the sign, those that fit what stands below it."""
    out: list[Reading] = []
    problem: Unreadable | None = None
    for r in bodies:
        try:
            for letter in below.letters:
                r = _over(_without(r, letter, below.outside, scope), letter, below, node, scope)
        except Unreadable as reason:  # δ_ij may be over any extent: the bounds tell which is meant
            problem = problem or reason
            continue
        out.append(r)
    if problem is not None and not out:
        raise problem
    return tuple(out)


def _between(node: Big) -> Big:
    """``1 ≤ n ≤ N`` below the sign is ``n = 1`` below it and N above."""
    below = node.below[0] if len(node.below) == 1 else None
    if not isinstance(below, Relation) or below.relations != ("<=", "<=") or node.above:
        return node
    first, letter, last = below.members
    start = replace(below, members=(letter, first), relations=("=",))
    return replace(node, below=(start,), above=(last,))


def _over_new_letters(r: Reading, scope: Scope) -> Reading | None:
    """The sum over the letters that nothing else binds and the left side does not have."""
    new = sorted(
        (i for i in r.letters if i.name not in scope.letters and i.name not in scope.bound),
        key=lambda i: i.name,
    )
    if r.rank or not new or not scope.letters:
        return None
    return dearer(replace(r, expr=IndexSum(r.expr, *new)), 0.2, LETTERS)


Outside = dict[str, list[Node]]


@dataclass(slots=True)
class Below:
    """What stands below a sign: its letters, where counting begins (empty if not said), the places
    that are left out, and the letters with limits of their own.
    """

    letters: list[str] = field(default_factory=list)
    lower: str = ""
    outside: Outside = field(default_factory=dict)
    limits: dict[str, Limits] = field(default_factory=dict)

    @property
    def bases(self) -> dict[str, int]:
        """From where the letters count, as far as their bounds tell."""
        firsts = {n: self.limits[n].first if n in self.limits else None for n in self.letters}
        told = {n: f.text if isinstance(f, Number) else "" for n, f in firsts.items()}
        texts = {n: t if n in self.limits else self.lower for n, t in told.items()}
        return {n: int(t) for n, t in texts.items() if t in ("0", "1")}


def _bound(node: Big, scope: Scope) -> Below:
    """What stands below the sign."""
    out = Below()
    letters: dict[str, None] = {}
    for item in _items_below(node):
        if is_letter(item):
            letters[item_text(item)] = None
            continue
        relation = item if isinstance(item, Relation) else None
        left, right = (relation.members[0], relation.members[-1]) if relation else (item, item)
        without = excluded(relation, scope.letters) if relation else None
        if without is not None:
            letters[without[0]] = None
            out.outside.setdefault(without[0], []).append(without[1])
        elif relation and relation.relations == ("=",) and isinstance(right, Number):
            letters[item_text(left)], out.lower = None, right.text
        elif relation and relation.relations == ("∈",):
            letters[item_text(left)] = None
        elif relation and (limited := limits_of(relation)) is not None:
            letters[limited[0]], out.limits[limited[0]] = None, limited[1]
        else:
            letters[""] = None
    if not letters or not all(len(x) == 1 and x.isalpha() for x in letters):
        raise Unreadable("notation", f"what stands below this {node.word} is not read", node)
    out.letters = list(letters)
    return out


def _items_below(node: Big) -> tuple[Node, ...]:
    """What stands below the sign, the brackets of a pair ``(n, m)`` left out."""
    if len(node.below) == 1 and isinstance(node.below[0], Bracket):
        return node.below[0].items
    return node.below


def _without(r: Reading, letter: str, outside: Outside, scope: Scope) -> Reading:
    """The body of a sum, 0 at the places that are left out."""
    for place in outside.get(letter, ()):
        for index in (i for i in free_indices(r.expr) if i.name == letter):
            r = replace(r, expr=r.expr * guard(index, place, scope))
    return r


def _unrolled(node: Big, below: Below, scope: Scope) -> Readings | None:
    """A sum between two numbers as the sum of its terms, where its letter counts names."""
    letters, lower = below.letters, below.lower
    last = node.above[0] if len(node.above) == 1 else None
    if node.word != "sum" or len(letters) != 1 or not lower or not isinstance(last, Number):
        return None
    if not (lower.isdigit() and last.text.isdigit()):
        return None
    numbers = range(int(lower), int(last.text) + 1)
    if not 0 < len(numbers) <= MOST_UNROLLED:
        return None
    bodies = (counted(node.body, letters[0], n) for n in numbers)
    terms = tuple(Term(node.start, node.end, "+", body) for body in bodies)
    return read(Terms(node.start, node.end, terms), scope)


def _over(r: Reading, letter: str, below: Below, node: Big, scope: Scope) -> Reading:
    r, lower = joined(r), below.lower
    running = [i for i in free_indices(r.expr) if i.name == letter]
    if running and (letter in below.limits or running[0].extent == OPEN or _clipped(node)):
        return _limited(r, running[0], below, node, scope)
    upper = _upper(node, scope)
    if running:
        if reason := clash(r):
            raise Unreadable("shape", f"the index {reason}", node)
        index = running[0]
        guard = _range(index, lower, upper, letter, node)
        if guard != 1 and node.word != "sum":
            raise Unreadable("notation", f"a {node.word} over part of a range is not read", node)
        return replace(r, expr=_binding(node.word, guard * r.expr, index))
    if node.word == "sum" and upper is None and not lower and letter.upper() in scope.dims:
        axes = [
            k for k, i in enumerate(r.axes) if same_extent(i.extent, scope.dims[letter.upper()])
        ]
        if len(axes) == 1:
            return dearer(reduced(r, axes), 1.0, UNWRITTEN)
    if node.word == "sum" and upper is not None and lower in ("", "0", "1"):
        count = upper + (1 if lower == "0" else 0)
        return replace(r, expr=r.expr * count)
    if node.word == "sum" and r.expr == 0:
        return r
    raise Unreadable("notation", f"{letter} does not occur under the {node.word}", node)


def _limited(r: Reading, index: Index, below: Below, node: Big, scope: Scope) -> Reading:
    """A sum over a letter with limits that are no plain range."""
    if reason := clash(r):
        raise Unreadable("shape", f"the index {reason}", node)
    lower = Number(node.start, node.start, below.lower) if below.lower else None
    limits = below.limits.get(index.name, Limits(first=lower))
    if limits.last is None and node.above:
        limits = replace(limits, last=_above(node))
    base = scope.bases.get(index.name, scope.base)
    r, index, part = over_limits(r, index, limits, base, node, scope)
    if part != 1 and node.word != "sum":
        raise Unreadable("notation", f"a {node.word} over part of a range is not read", node)
    return replace(r, expr=_binding(node.word, part * r.expr, index))


def _binding(word: str, body: Expr, index: Index) -> Expr:
    """``Σ_index body``; a sum of a sum is one over both."""
    binder = BINDERS[word]
    if isinstance(body, binder) and index not in body.bound:
        return binder(body.body, *body.bound, index)
    return binder(body, index)


def _clipped(node: Big) -> bool:
    """Whether the upper bound is the least of several, or moves with another letter."""
    names = {n.text for item in node.above for n in walk(item) if isinstance(n, Name)}
    return "min" in names


def _above(node: Big) -> Node:
    """What stands above the sign, as one node: ``2 S`` is a product."""
    if len(node.above) == 1:
        return node.above[0]
    return Juxt(node.above[0].start, node.above[-1].end, node.above)


def _upper(node: Big, scope: Scope) -> Expr | None:
    if not node.above:
        return None
    above = _above(node)
    extent = extent_of(above, scope)
    if extent is not None:
        return extent
    readings = read(above, scope)
    if (
        not readings
        or readings[0].rank
        or not readings[0].expr.free_symbols <= set(scope.dims.values())
    ):
        raise Unreadable("notation", f"the upper bound of this {node.word} is not read", node)
    return readings[0].expr


def _range(index: Index, lower: str, upper: Expr | None, letter: str, node: Big) -> Expr:
    """The indicator of a part of the index's range, 1 for all of it; ignored bounds would prove
    false lines.
    """
    if upper is None and not lower:
        return Integer(1)
    first = 0 if lower == "0" else 1
    start = int(lower) if lower.isdigit() else 1
    missing = expand(index.extent - 1 + first - upper) if upper is not None else Integer(0)
    if (upper is None and first == 0) or not missing.is_Integer or missing < 0:
        said = (f"1…{index.extent}", f"{start}…{upper}")
        raise Unreadable(
            "notation" if missing.is_Integer else "shape",
            f"{letter} runs over {said[0]}, the {node.word} over {said[1]}",
            node,
            said,
        )
    guard: Expr = Integer(1)
    if start > 1:
        guard *= Compare(">=", index, start - 1)
    if missing > 0:
        guard *= Compare("<", index, index.extent - missing)
    return guard
