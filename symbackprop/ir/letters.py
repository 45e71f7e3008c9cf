"""Which letter an index gets: the extent's own letter in lower case (N → n), else the next of ``i,
j, k, …``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sympy import Expr, Integer, Symbol

from symbackprop.ir.expressions import Index

SPARE = ("i", "j", "k", "l", "p", "q", "r", "s", "t", "u", "v")


def letters(shape: Sequence[Expr], taken: Collection[str] = ()) -> tuple[Index, ...]:
    """One index for each extent of ``shape``, none with a name in ``taken`` and no name twice."""
    used, out = set(taken), []
    for extent in shape:
        name = next(c for c in _candidates(extent) if c not in used)
        used.add(name)
        out.append(Index(name, extent))
    return tuple(out)


def places(indices: Sequence[Index]) -> tuple[Expr, ...]:
    """Where a generic entry is read: at its indices, at 0 on an axis of extent 1 (NumPy's
    broadcasting).
    """
    return tuple(Integer(0) if i.extent == 1 else i for i in indices)


def _candidates(extent: Expr) -> Iterator[str]:
    if isinstance(extent, Symbol) and extent.name[0].isalpha():
        own = extent.name[0].lower()
        yield own
    yield from SPARE
    round_ = 1
    while True:
        yield from (f"{c}{round_}" for c in SPARE)
        round_ += 1
