"""Brackets, sums over letters, and blocks ``[a_1, …, a_M]``: the notations that bind or
enumerate.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from sympy import Expr, Integer, expand

from symbackprop.checking.conditions import excluded, guard
from symbackprop.checking.operations import product
from symbackprop.checking.phrases import counted
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    clash,
    dearer,
)
from symbackprop.checking.reductions import normed, reduced
from symbackprop.checking.scope import Scope
from symbackprop.checking.special_names import indicator
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.ir.expressions import (
    Apply,
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
    Bracket,
    Mark,
    Name,
    Node,
    Number,
    Relation,
    Term,
    Terms,
    walk,
)

BINDERS = {"sum": IndexSum, "prod": IndexProduct, "max": IndexMax}
BLOCK = Note("the dots of the block stand for all entries between the first and the last")
ENTRIES = Note("a sum without index is over all entries")
LENGTH = Note("bars around a vector are its length")
LETTERS = Note("a sum without index is over the letter that the left side does not have")
UNWRITTEN = Note("the sum is over the axis whose letter it names, though the terms do not show it")
MOST_UNROLLED = 20
SPARE = "jkmnpqrstuvw"


@read.register
def _bracket(node: Bracket, scope: Scope) -> Readings:
    if len(node.items) == 2 and node.kind == "<":
        return _inner(node, scope)
    if len(node.items) != 1:
        return _block(node, scope)
    (item,) = node.items
    if node.kind == "‖":
        return tuple(normed(r) for r in read(item, scope))
    if node.kind == "|":
        found = read(item, scope)
        lengths = tuple(dearer(normed(r), 1.0, LENGTH) for r in found if r.rank == 1)
        return tuple(replace(r, expr=Apply("abs", r.expr)) for r in found) + lengths
    if isinstance(item, Relation):
        return indicator(item, scope)
    if isinstance(item, Mark):
        raise Unreadable("notation", "dots without a function before them", node)
    return read(item, scope)


def _inner(node: Bracket, scope: Scope) -> Readings:
    left, right = read(node.items[0], scope), read(node.items[1], scope)
    out = []
    for a in left:
        for b in right:
            for r in product(a, b, "⊙"):
                if r.axes:
                    bound = tuple(Index(f"_s{k}", i.extent) for k, i in enumerate(r.axes))
                    out.append(
                        Reading(
                            IndexSum(
                                r.expr.xreplace(dict(zip(r.axes, bound, strict=True))), *bound
                            ),
                            cost=r.cost,
                            notes=r.notes,
                            guessed=r.guessed,
                        )
                    )
    if not out:
        raise Unreadable("shape", "the two sides of the inner product do not fit", node)
    return cheapest(out)


def _block(node: Bracket, scope: Scope) -> Readings:
    """``[a_1, …, a_M]``: the columns (or entries) from the first to the last, by their generic
    one.
    """
    dots = [k for k, i in enumerate(node.items) if isinstance(i, Mark) and i.text == "dots"]
    if len(dots) != 1 or dots[0] not in (1, 2) or dots[0] != len(node.items) - 2:
        raise Unreadable("notation", "a list that is no block «first, …, last»", node)
    used = {n.text for item in node.items for n in walk(item) if isinstance(n, Name)}
    letter = next(
        c for c in SPARE if c not in used and c not in scope.dims and c not in scope.letters
    )
    first, last = node.items[0], node.items[-1]
    extents: set[str] = set()
    generic = _generic(first, last, letter, extents, scope)
    if generic is None or len(extents) != 1:
        raise Unreadable(
            "notation", "the first and the last entry of the block do not show what runs", node
        )
    if dots[0] == 2 and _generic(first, node.items[1], letter, set(), scope, step="2") != generic:
        raise Unreadable("notation", "the second entry of the block is not like the first", node)
    (extent,) = extents
    out = []
    for r in read(generic, scope):
        running = [i for i in r.letters if i.name == letter]
        if len(running) != 1 or not same_extent(running[0].extent, scope.dims[extent]):
            raise Unreadable(
                "shape",
                f"the block runs to {extent}, its index does not",
                node,
            )
        if r.rank <= 1 and not r.row:
            out.append(
                array(
                    r.expr,
                    (*r.axes, running[0]),
                    row=r.rank == 0,
                    cost=r.cost,
                    notes=r.notes | {BLOCK},
                    guessed=r.guessed,
                )
            )
    if not out:
        raise Unreadable("shape", "a block of matrices or rows", node)
    return tuple(out)


def _generic(
    a: Node, b: Node, letter: str, extents: set[str], scope: Scope, step: str = ""
) -> Node | None:
    """The tree that is ``a`` at 1 and ``b`` at the last place (or at ``step``); None if they differ
    otherwise.
    """
    if isinstance(a, Number) and a.text == "1":
        if step and isinstance(b, Number) and b.text == step:
            return Name(-1, -1, letter)
        if not step and isinstance(b, Name) and b.text in scope.dims:
            extents.add(b.text)
            return Name(-1, -1, letter)
    if type(a) is not type(b):
        return None
    updates: dict[str, Any] = {"start": -1, "end": -1}
    for f in fields(a):
        if f.name in ("start", "end"):
            continue
        merged = _merged(getattr(a, f.name), getattr(b, f.name), letter, extents, scope, step)
        if merged is None:
            return None
        updates[f.name] = merged
    return replace(a, **updates)


def _merged(
    x: object, y: object, letter: str, extents: set[str], scope: Scope, step: str
) -> object | None:
    if isinstance(x, Node) and isinstance(y, Node):
        return _generic(x, y, letter, extents, scope, step)
    if isinstance(x, tuple) and isinstance(y, tuple):
        if len(x) != len(y):
            return None
        parts = [_merged(p, q, letter, extents, scope, step) for p, q in zip(x, y, strict=True)]
        return None if any(p is None for p in parts) else tuple(parts)
    return x if x == y and x is not None else None


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
    letters, lower, outside = _bound(node, scope)
    if (unrolled := _unrolled(node, letters, lower, scope)) is not None:
        return unrolled
    scope.bound.extend(letters)
    try:
        bodies = read(node.body, scope)
    finally:
        del scope.bound[len(scope.bound) - len(letters) :]
    out: list[Reading] = []
    problem: Unreadable | None = None
    for r in bodies:
        try:
            for letter in letters:
                r = _over(_without(r, letter, outside, scope), letter, lower, node, scope)
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


def _bound(node: Big, scope: Scope) -> tuple[list[str], str, Outside]:
    """The letters below the sign, where counting begins (empty if not said), and the places that
    are left out.
    """
    letters: dict[str, None] = {}
    outside: Outside = {}
    lower = ""
    for item in _items_below(node):
        if is_letter(item):
            letters[item_text(item)] = None
            continue
        relation = item if isinstance(item, Relation) else None
        left, right = (relation.members[0], relation.members[-1]) if relation else (item, item)
        without = excluded(relation, scope.letters) if relation else None
        if without is not None:
            letters[without[0]] = None
            outside.setdefault(without[0], []).append(without[1])
        elif relation and relation.relations == ("=",) and isinstance(right, Number):
            letters[item_text(left)], lower = None, right.text
        elif relation and relation.relations == ("∈",):
            letters[item_text(left)] = None
        else:
            letters[""] = None
    if not letters or not all(len(x) == 1 and x.isalpha() for x in letters):
        raise Unreadable("notation", f"what stands below this {node.word} is not read", node)
    return list(letters), lower, outside


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


def _unrolled(node: Big, letters: list[str], lower: str, scope: Scope) -> Readings | None:
    """A sum between two numbers as the sum of its terms, where its letter counts names."""
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


def _over(r: Reading, letter: str, lower: str, node: Big, scope: Scope) -> Reading:
    running = [i for i in free_indices(r.expr) if i.name == letter]
    upper = _upper(node, scope)
    if running:
        if reason := clash(r):
            raise Unreadable("shape", f"the index {reason}", node)
        index = running[0]
        guard = _range(index, lower, upper, letter, node)
        if guard != 1 and node.word != "sum":
            raise Unreadable("notation", f"a {node.word} over part of a range is not read", node)
        return replace(r, expr=BINDERS[node.word](guard * r.expr, index))
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


def _upper(node: Big, scope: Scope) -> Expr | None:
    if not node.above:
        return None
    readings = read(node.above[0], scope) if len(node.above) == 1 else ()
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
