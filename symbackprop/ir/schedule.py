"""In which order equations can be worked out when some of them recur.

Equations that depend on each other's earlier steps form a block: its steps are worked out one after
the other, upwards for a forward pass, downwards for adjoints, and at each step the equations in
order. Blocks come in an order in which each uses only what stands in those before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sympy import Expr, expand

from symbackprop.ir.expressions import entry_names
from symbackprop.ir.families import Family, family_of
from symbackprop.ir.program import Equation

Numbers = Mapping[str, int]


def blocks(equations: Sequence[Equation]) -> tuple[tuple[Equation, ...], ...]:
    """The equations in blocks that depend on each other, in an order of work (Tarjan's strongly
    connected components, each left as soon as all that it uses is left).
    """
    parts: dict[str, list[Equation]] = {}
    for equation in equations:
        parts.setdefault(equation.name, []).append(equation)
    uses = {
        name: sorted(frozenset().union(*(entry_names(e.rhs) for e in own)) & parts.keys())
        for name, own in parts.items()
    }
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    out: list[tuple[Equation, ...]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for used in uses[name]:
            if used not in order:
                visit(used)
                low[name] = min(low[name], low[used])
            elif used in stack:
                low[name] = min(low[name], order[used])
        if low[name] == order[name]:
            at = stack.index(name)
            members = set(stack[at:])
            del stack[at:]
            out.append(tuple(e for e in equations if e.name in members))

    for name in parts:
        if name not in order:
            visit(name)
    return tuple(out)


def steps(
    equations: Sequence[Equation],
    families: Mapping[str, Family],
    sizes: Numbers,
    *,
    downwards: bool = False,
) -> Iterator[tuple[Equation, int | None]]:
    """Each equation with the value of its first index at which it is to be worked out; None for
    one that is worked out whole.
    """
    for block in blocks(equations):
        if all(e.start is None for e in block):
            yield from ((e, None) for e in block)
            continue
        told = [(e, *_labels(e, families, sizes)) for e in block]
        first = min(begin for _, begin, _ in told)
        last = max(begin + count for _, begin, count in told)
        labels = range(first, last)
        for label in reversed(labels) if downwards else labels:
            for equation, begin, count in told:
                if begin <= label < begin + count:
                    yield equation, label - begin


def _labels(equation: Equation, families: Mapping[str, Family], sizes: Numbers) -> tuple[int, int]:
    """The first label at which an equation of a family defines a member, and how many it
    defines.
    """
    family = family_of(equation.name, families)
    assert family is not None, "an equation with a start defines members of a family"
    start = equation.start if equation.start is not None else 0
    first = number(expand(start + family.first), sizes)
    return first, number(equation.indices[0].extent, sizes)


def number(e: Expr, sizes: Numbers) -> int:
    """An extent as a number."""
    return int(e.xreplace({s: sizes[s.name] for s in e.free_symbols}))
