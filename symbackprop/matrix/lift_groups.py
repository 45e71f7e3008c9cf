"""The groups of a tensor network: factors that carry the same indices, few enough to search.

Sets of indices and of groups are bit masks. Beyond ``EXACT`` groups the pairs whose product has the
fewest axes left are contracted first, each becoming one factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, Mul

from symbackprop.ir.expressions import Index, IndexSum, free_indices

EXACT = 8
UNPRUNED = 5
Group = tuple[int, list[Expr]]


def grouped(
    factors: Sequence[Expr], bit: Mapping[Index, int], out: int
) -> tuple[list[list[Expr]], list[int]]:
    """Groups of ``factors`` and the indices of each; ``out`` are those wanted in the result."""
    found: dict[int, list[Expr]] = {}
    for f in factors:
        found.setdefault(sum(bit[i] for i in free_indices(f)), []).append(f)
    groups = list(found.items())
    while len(groups) > EXACT:
        groups = _without_smallest_pair(groups, bit, out)
    return [g for _, g in groups], [mask for mask, _ in groups]


def _without_smallest_pair(groups: list[Group], bit: Mapping[Index, int], out: int) -> list[Group]:
    """The groups with one pair contracted: that with the fewest axes left, then the most shared."""

    def left(a: int, b: int) -> int:
        wanted = out
        for k, (mask, _) in enumerate(groups):
            wanted |= 0 if k in (a, b) else mask
        return (groups[a][0] | groups[b][0]) & wanted

    pairs = ((a, b) for b in range(len(groups)) for a in range(b))
    a, b = min(
        pairs,
        key=lambda p: (left(*p).bit_count(), -(groups[p[0]][0] & groups[p[1]][0]).bit_count()),
    )
    kept = left(a, b)
    summed = (groups[a][0] | groups[b][0]) & ~kept
    over = [i for i, mask in bit.items() if mask & summed]
    body = Mul(*groups[a][1], *groups[b][1])
    merged = IndexSum(body, *over) if over else body
    return [g for k, g in enumerate(groups) if k not in (a, b)] + [(kept, [merged])]


def worthwhile(masks: Sequence[int]) -> list[bool]:
    """Which sets of groups are worth a form of their own.

    In a large network those that shared indices connect, and pairs (``outer(a, b)``).
    """
    count = 1 << len(masks)
    if len(masks) <= UNPRUNED:
        return [True] * count
    found, inside = [False] * count, [0] * count
    for chosen in range(1, count):
        lowest = chosen & -chosen
        inside[chosen] = inside[chosen ^ lowest] | masks[lowest.bit_length() - 1]
        found[chosen] = chosen.bit_count() <= 2 or any(
            found[chosen ^ 1 << k] and mask & inside[chosen ^ 1 << k]
            for k, mask in enumerate(masks)
            if chosen >> k & 1
        )
    return found
