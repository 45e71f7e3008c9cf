"""Single edits of a member as it was written: the mistakes that people make, undone.

Each row of ``EDITS`` takes one place of the tree and gives what might have been meant there, with
the category of the mistake, a sentence and a price. Nothing is judged here:
:mod:`symbackprop.checking.diagnose` reads each edited member again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symbackprop.checking.edit_names import (
    masks,
    other_indices,
    other_names,
    shifts,
    slope_kinds,
    slopes,
)
from symbackprop.checking.edit_products import (
    arrays,
    drops,
    factors,
    inversions,
    operators,
    sides,
    transposes,
)
from symbackprop.checking.edit_sites import Edit, Place, places
from symbackprop.checking.edit_slopes import (
    exchanged,
    misplaced_squares,
    renamed,
    replaced,
    superfluous,
)
from symbackprop.checking.edit_terms import bounds, ones, powers, regulariser, signs, sums
from symbackprop.checking.edit_windows import windows
from symbackprop.checking.readings import Reading
from symbackprop.checking.scope import Scope
from symbackprop.notation.written import Name, Node, walk

Row = Callable[[Place], Iterator[Edit]]
EDITS: tuple[Row, ...] = (
    transposes, signs, sides, factors, drops, slopes, other_names, other_indices, shifts,
    sums, ones, bounds, powers, operators, slope_kinds, masks, regulariser,
    replaced, renamed, exchanged, superfluous, misplaced_squares, inversions,
    arrays, windows,
)  # fmt: skip


def edits(member: Node, left: Reading, scope: Scope) -> list[Edit]:
    """All single edits of a member, the likeliest first."""
    names = frozenset(n.text for n in walk(member) if isinstance(n, Name))
    out: list[Edit] = []
    for place in places(Place(member, 0, None, scope, left, names)):
        for row in EDITS:
            out.extend(replace(e, cost=e.cost + 0.05 * place.depth) for e in row(place))
    return sorted(out, key=lambda e: e.cost)
