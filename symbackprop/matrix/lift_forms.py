"""Forms: terms with their cost, layouts, and the rule that each family of expressions registers.

A *layout* is what a parent asks of a child: a tuple of indices with None for an axis of extent 1,
without leading None (that is NumPy's broadcasting). A child answers with a :class:`Form` of exactly
that shape, or None where it has none. Rows, columns and ``keepdims`` need no cases: an operation
entry by entry asks each child for the layout restricted to the child's own indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, singledispatch
from typing import NamedTuple, Protocol

from sympy import Basic, Expr, Integer

from symbackprop.ir import terms
from symbackprop.ir.expressions import Entry, Index, free_indices
from symbackprop.ir.terms import Term
from symbackprop.matrix.cost import Cost, own_cost
from symbackprop.matrix.lift_orders import Orders

Layout = tuple[Index | None, ...]


class Form(NamedTuple):
    """A term and its cost."""

    cost: Cost
    term: Term


class Recur(Protocol):
    """What a rule may ask: the cheapest form of a smaller expression, the leaf of a name, the
    written orders.
    """

    orders: Orders

    def get(self, e: Expr, layout: Layout) -> Form | None:
        """The cheapest form; with leading None in ``layout`` it may have those axes or not, by
        NumPy's broadcasting.
        """

    def leaf(self, name: str, indices: tuple[Expr, ...]) -> Term:
        """The term for an array."""

    def is_symmetric(self, name: str) -> bool:
        """Whether an array is known to be its own transpose."""


@singledispatch
def natural(e: Basic, layout: Layout, recur: Recur) -> Form | None:
    """The cheapest form of ``e`` whose axes arise in the order of ``layout``; None where there is
    none.
    """
    return None


def form(term: Term, *parts: Form) -> Form:
    """``term`` as a form, when the costs of its operands are those of ``parts``."""
    work, price, nodes = own_cost(term)
    for part in parts:
        w, p, n = part.cost
        work, price, nodes = work + w, price + p, nodes + n
    return Form((work, price, nodes), term)


def build(make: Callable[..., Term], *parts: Form) -> Form:
    """The form of ``make`` applied to the terms of ``parts``."""
    return form(make(*(p.term for p in parts)), *parts)


def best(forms: Iterable[Form | None]) -> Form | None:
    """The cheapest form; the first among equals."""
    found: Form | None = None
    for f in forms:
        if f is not None and (found is None or f.cost < found.cost):
            found = f
    return found


def strip(layout: Layout) -> Layout:
    """``layout`` without leading None."""
    start = 0
    while start < len(layout) and layout[start] is None:
        start += 1
    return layout[start:] if start else layout


def restrict(layout: Layout, keep: frozenset[Index]) -> Layout:
    """``layout`` with None for every index outside ``keep``; leading None stays, for operands entry
    by entry.
    """
    return tuple(i if i in keep else None for i in layout)


@lru_cache(maxsize=1 << 15)
def has_unit_axis(e: Basic) -> bool:
    """Whether an entry in ``e`` is read at 0 on some axis: it may stand as it is where an axis of
    extent 1 is asked.
    """
    if isinstance(e, Entry):
        return any(isinstance(i, Integer) for i in e.indices)
    return any(has_unit_axis(a) for a in e.args if a.args)


@lru_cache(maxsize=1 << 15)
def indices_in(e: Basic) -> tuple[Index, ...]:
    """The free indices of ``e`` in the order met, which no hash decides."""
    free = free_indices(e)
    if isinstance(e, Index):
        return (e,)
    met = (i for a in e.args if a.args or isinstance(a, Index) for i in indices_in(a))
    return tuple(dict.fromkeys(i for i in met if i in free))


def axes_asked(layout: Layout) -> tuple[Index, ...]:
    """The indices of a layout without None."""
    return tuple(i for i in layout if i is not None)


def number(value: Expr | int) -> Form:
    return form(terms.number(value))


def with_new_axes(f: Form, layout: Layout) -> Form:
    """A form without axes of extent 1, given those that ``layout`` asks for."""
    return form(terms.index(f.term, tuple(None if i is None else slice(None) for i in layout)), f)


def transposed(f: Form | None) -> Form | None:
    return None if f is None else build(terms.transpose, f)


def reduced(op: str, f: Form, order: Layout, layout: Layout) -> Form | None:
    """``op`` over the axes of ``order`` that ``layout`` lacks: with ``keepdims`` where ``layout``
    has None in their place.
    """
    over = tuple(k for k, i in enumerate(order) if i is not None and i not in layout)
    if op == "sum" and len(order) == 1 and f.term.op == "diag":
        (matrix,) = f.term.args
        return form(
            terms.trace(matrix),
            Form((f.cost[0], f.cost[1] - own_cost(f.term)[1], f.cost[2] - 1), matrix),
        )
    dropped = tuple(i for k, i in enumerate(order) if k not in over)
    if dropped == layout:
        return form(terms.reduce(op, f.term, None if len(over) == len(order) else over), f)
    kept = tuple(None if k in over else i for k, i in enumerate(order))
    return form(terms.reduce(op, f.term, over, keepdims=True), f) if kept == layout else None
