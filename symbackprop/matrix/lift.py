"""From index notation back to array notation: the cheapest term, under the written cost table, with
the given entries.

``lift(Σ_n H[n,m]·r[n], (m,), shapes)`` is ``H.T @ r``. The value is exactly that of the expression,
the shape exactly that of the indices: an axis that the value lacks is filled with ``ones``. What
array notation cannot say comes back as ``entries``, index notation kept as a term. One
:class:`Lifter` shares its work among the expressions of one program.

The expression should be normalised (sums split into connected components, deltas collapsed): any
form is lifted to a term of equal value, but the search does not rewrite one form of an expression
into another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sympy import Expr, sympify

from symbackprop.ir import terms
from symbackprop.ir.expressions import Entry, Index, free_indices
from symbackprop.ir.terms import Shape, Term
from symbackprop.matrix import lift_atoms, lift_matrices, lift_products, lift_sums
from symbackprop.matrix.cost import cost
from symbackprop.matrix.lift_forms import (
    Form,
    Layout,
    axes_asked,
    best,
    has_unit_axis,
    natural,
    strip,
    transposed,
    with_new_axes,
)
from symbackprop.matrix.lift_joins import joined, refolded
from symbackprop.matrix.lift_matrices import with_powers, with_triangles
from symbackprop.matrix.lift_orders import learn
from symbackprop.matrix.lift_views import plain

Shapes = Callable[[str], Shape] | Mapping[str, Shape]
FAMILIES = (
    lift_atoms,
    lift_matrices,
    lift_products,
    lift_sums,
)  # importing a family registers its rules


class Lifter:
    """Lifts expressions over the same arrays.

    Parameters
    ----------
    shapes : callable or mapping
        Shape of an array by name; a name it does not know (KeyError) has the extents of its
        indices.
    hints : iterable of Term
        Forward terms, whose written order of sums and products is kept.
    written : mapping
        Terms to stand for names that people do not see (hidden equations).
    symmetric : iterable of str
        Arrays that are their own transposes.
    """

    def __init__(
        self,
        shapes: Shapes,
        hints: Iterable[Term] = (),
        written: Mapping[str, Term] | None = None,
        symmetric: Iterable[str] = (),
    ) -> None:
        self.shapes = shapes
        self.orders = learn(hints)
        self.written = dict(written or {})
        self.symmetric = frozenset(symmetric)
        self._views: dict[Term, str] = {}
        self._natural: dict[tuple[Expr, Layout], Form | None] = {}
        self._known: dict[tuple[Expr, Layout], Form | None] = {}

    def leaf(self, name: str, indices: tuple[Expr, ...]) -> Term:
        """The term for an array."""
        if name in self.written:
            return self.written[name]
        try:
            shape = self.shapes[name] if isinstance(self.shapes, Mapping) else self.shapes(name)
        except KeyError:
            if not all(isinstance(i, Index) for i in indices):
                raise
            shape = tuple(i.extent for i in indices)
        return terms.name(name, shape)

    def is_symmetric(self, name: str) -> bool:
        """Whether an array is known to be its own transpose."""
        return name in self.symmetric

    def named(self, term: Term) -> str:
        """A name that stands for ``term`` while sums are lifted."""
        if term.op == "name":
            return str(term.attrs[0])
        if term not in self._views:
            self._views[term] = f"_view{len(self._views)}"
            self.written[self._views[term]] = term
        return self._views[term]

    def get(self, e: Expr, layout: Layout) -> Form | None:
        """The cheapest form of ``e`` with the axes of ``layout``; transposes and new axes are paid
        for.
        """
        if layout and layout[0] is None and not has_unit_axis(e):
            layout = strip(layout)
        key = (e, layout)
        if key not in self._known:
            found = self._as_it_stands(e, layout)
            if layout and layout[0] is None:
                found = best((self.get(e, strip(layout)), found))
            elif None in layout:
                inner = self.get(e, axes_asked(layout))
                found = best((found, None if inner is None else with_new_axes(inner, layout)))
            elif len(layout) == 2:
                found = best((transposed(self._as_it_stands(e, layout[::-1])), found))
            self._known[key] = found
        return self._known[key]

    def _as_it_stands(self, e: Expr, layout: Layout) -> Form | None:
        key = (e, layout)
        if key not in self._natural:
            self._natural[key] = natural(e, layout, self)
        return self._natural[key]

    def lift(self, e: Expr, indices: tuple[Index, ...]) -> Term:
        """The term whose entry at ``indices`` is ``e``."""
        given = e = sympify(e)
        join = joined(e, indices, self.lift)
        if join is not None:
            e = Entry(self.named(join[0]), *join[1])
        e = plain(e, self, indices)
        free = free_indices(e)
        if free - set(indices):
            raise ValueError(
                f"{sorted(i.name for i in free - set(indices))} are free in the entry and no axes"
            )
        own: Layout = tuple(i if i in free else None for i in indices if i in free or i.extent == 1)
        found = self._exact(e, own)
        if found is None:
            return refolded(given, indices, self.lift) or terms.entries(indices, given)
        return with_triangles(with_powers(filled(found.term, own, indices)))

    def _exact(self, e: Expr, layout: Layout) -> Form | None:
        """The cheapest form with the axes of ``layout``, those of extent 1 in front included."""
        found = [self.get(e, strip(layout))]
        if layout != strip(layout):
            found = [
                None if found[0] is None else with_new_axes(found[0], layout),
                self._as_it_stands(e, layout),
            ]
        return best(f for f in found if f is not None and f.term.rank == len(layout))


def filled(term: Term, own: Layout, indices: tuple[Index, ...]) -> Term:
    """``term`` over its own axes, repeated along the further axes of ``indices``."""
    if len(own) == len(indices):
        return term
    shape = tuple(i.extent for i in indices)
    if not own:
        if term.op == "number" and term.attrs[0] in (0, 1):
            return terms.ones(*shape) if term.attrs[0] == 1 else terms.zeros(*shape)
        return terms.mul(term, terms.ones(*shape))
    if len(indices) == 2 and None not in own:
        lacking = terms.ones(*(i.extent for i in indices if i not in own))
        return terms.outer(term, lacking) if own == indices[:1] else terms.outer(lacking, term)
    items = tuple(slice(None) if i in own or i.extent == 1 else None for i in indices)
    while items[0] is None:
        items = items[1:]
    return terms.broadcast(term if None not in items else terms.index(term, items), shape)


def lift(
    e: Expr,
    indices: tuple[Index, ...],
    shapes: Shapes,
    *,
    hints: Iterable[Term] = (),
    written: Mapping[str, Term] | None = None,
) -> Term:
    """The cheapest term whose entry at ``indices`` is ``e``: see :class:`Lifter`."""
    return Lifter(shapes, hints, written).lift(e, indices)


__all__ = ["Lifter", "cost", "lift"]
