"""Lifting sums of products: a tensor network is contracted in the cheapest order that array
notation can say.

The factors of ``Σ_{bound} f·g·h`` are grouped by the indices that they carry. A dynamic programme
over sets of groups finds for each set the cheapest form in each asked layout: two disjoint sets
meet in a product entry by entry, an outer product, a scaling by ``diag(v)``, a product ``@`` in
either orientation, or a sum over a product; ``einsum`` is the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from sympy import Expr

from symbackprop.ir import terms
from symbackprop.ir.expressions import Delta, Entry, Index
from symbackprop.matrix.cost import PRICES
from symbackprop.matrix.lift_arithmetic import times
from symbackprop.matrix.lift_contractions import Operand, contracted
from symbackprop.matrix.lift_forms import (
    Form,
    Layout,
    Recur,
    axes_asked,
    best,
    build,
    has_unit_axis,
    indices_in,
    strip,
    transposed,
    with_new_axes,
)
from symbackprop.matrix.lift_groups import grouped, worthwhile
from symbackprop.matrix.lift_reductions import chain, inner_product, over_orders

LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


class Network:
    """One tensor network: groups of factors that carry the same indices, and the indices wanted
    outside.
    """

    def __init__(self, factors: Sequence[Expr], out: Iterable[Index], recur: Recur) -> None:
        self.recur = recur
        self.bit: dict[Index, int] = {}
        for f in factors:
            for i in indices_in(f):
                self.bit.setdefault(i, 1 << len(self.bit))
        self.unit_axes = any(has_unit_axis(f) for f in factors)
        self.out = sum(self.bit.get(i, 0) for i in out)
        self.groups, self.masks = grouped(factors, self.bit, self.out)
        self.everything = (1 << len(self.groups)) - 1
        self.worthwhile = worthwhile(self.masks)
        self.flat = all(mask.bit_count() <= 2 for mask in self.masks)
        self.known: dict[tuple[int, Layout], Form | None] = {}
        self.plain: dict[tuple[int, Layout], Form | None] = {}

    def indices(self, mask: int) -> tuple[Index, ...]:
        return tuple(i for i, b in self.bit.items() if b & mask)

    def axes(self, chosen: int) -> int:
        """The indices of a set of groups that are needed outside it."""
        inside, outside = 0, self.out
        for k, mask in enumerate(self.masks):
            if chosen >> k & 1:
                inside |= mask
            else:
                outside |= mask
        return inside & outside

    def solve(self, layout: Layout) -> Form | None:
        """The cheapest form of the whole; leading axes of extent 1 by ``keepdims`` where it can."""
        if layout and layout[0] is None:
            kept = self.direct(self.everything, layout)
            if kept is not None:
                return kept
        return self.best(self.everything, layout)

    def best(self, chosen: int, layout: Layout) -> Form | None:
        """The cheapest form of a set of groups, transposes and new axes included."""
        if layout and layout[0] is None and not self.unit_axes:
            layout = strip(layout)
        key = (chosen, layout)
        if key not in self.known:
            found = self.direct(chosen, layout)
            if layout and layout[0] is None:
                found = best((self.best(chosen, strip(layout)), found))
            elif None in layout:
                inner = self.best(chosen, axes_asked(layout))
                found = best((found, None if inner is None else with_new_axes(inner, layout)))
            elif len(layout) == 2:
                found = best((transposed(self.direct(chosen, layout[::-1])), found))
            self.known[key] = found
        return self.known[key]

    def direct(self, chosen: int, layout: Layout) -> Form | None:
        key = (chosen, layout)
        if key not in self.plain:
            if chosen & (chosen - 1):
                found = best(self._meetings(chosen, layout))
                if (found is None or _may_be_dear(found, layout)) and None not in layout:
                    found = best((found, self._einsum(chosen, layout)))
            else:
                found = self._single(chosen.bit_length() - 1, layout)
            self.plain[key] = found
        return self.plain[key]

    def _single(self, k: int, layout: Layout) -> Form | None:
        """One group: its product entry by entry, summed over what nothing outside needs."""
        group, mask = self.groups[k], self.masks[k]
        over = self.indices(mask & ~self.axes(1 << k))
        if not over:
            return chain(group, layout, self.recur)
        own = indices_in(group[0])
        total = over_orders("sum", lambda order: self._whole(group, order), over, layout, own)
        if layout == () and len(over) == 1:
            total = best((inner_product(group, over, self.recur), total))
        return total

    def _whole(self, group: Sequence[Expr], order: Layout) -> Form | None:
        return (
            self.recur.get(group[0], order) if len(group) == 1 else chain(group, order, self.recur)
        )

    def _meetings(self, chosen: int, layout: Layout) -> Iterator[Form | None]:
        """All ways in which two halves of ``chosen`` meet in one operation."""
        lowest, target = chosen & -chosen, self.axes(chosen)
        rest = chosen ^ lowest
        half = rest
        while half:
            half = (half - 1) & rest
            one, two = lowest | half, rest ^ half
            if self.worthwhile[chosen] and not (self.worthwhile[one] and self.worthwhile[two]):
                continue
            a, b = self.axes(one), self.axes(two)
            if (a | b) & ~target:
                yield from self._contractions(one, two, a, b, target, layout)
            else:
                yield from self._products(one, two, a, b, layout)

    def _part(self, chosen: int, layout: Layout, axes: int) -> Form | None:
        return self.best(
            chosen, tuple(i if i is not None and self.bit[i] & axes else None for i in layout)
        )

    def _products(
        self, one: int, two: int, a: int, b: int, layout: Layout
    ) -> Iterator[Form | None]:
        """No index is summed: ``A * B``, ``outer(a, b)``, ``diag(v)``, ``diag(v) @ A``."""
        first, second = self._part(one, layout, a), self._part(two, layout, b)
        if first is not None and second is not None:
            yield times(first, second)
        if None in layout or len(layout) < 2:
            return
        if len(layout) > 2:
            yield self._outer_einsum(one, two, a, b, layout)
            return
        row, column = (self.bit[i] for i in layout if i is not None)
        for x, y, ax, ay in ((one, two, a, b), (two, one, b, a)):
            if (ax, ay) == (row, column):
                yield self._two(terms.outer, x, layout[:1], y, layout[1:])
            elif ax == row and ay == row | column:
                v = self._part(x, layout[:1], ax)
                if v is not None and self._is_delta(y):
                    yield build(terms.diag, v)
                elif v is not None:
                    m = self.best(y, layout)
                    yield None if m is None else build(terms.matmul, build(terms.diag, v), m)
            elif ax == column and ay == row | column:
                v = self._part(x, layout[1:], ax)
                if v is not None and self._is_delta(y):
                    yield build(terms.diag, v)
                elif v is not None:
                    m = self.best(y, layout)
                    yield None if m is None else build(terms.matmul, m, build(terms.diag, v))

    def _is_delta(self, chosen: int) -> bool:
        return not chosen & (chosen - 1) and all(
            isinstance(f, Delta) for f in self.groups[chosen.bit_length() - 1]
        )

    def _contractions(
        self, one: int, two: int, a: int, b: int, target: int, layout: Layout
    ) -> Iterator[Form | None]:
        """Some indices are summed: ``A @ B`` in either orientation, or a sum over a product entry
        by entry.
        """
        over, shared = (a | b) & ~target, a & b
        found: Form | None = None
        # Axes of vectors and matrices are not merged: what the product of two of them would need
        # to be reshaped is better said in another order, and looking for it takes long.
        merging = self.flat and any(
            part.bit_count() > 1 for part in (over, a & ~shared, b & ~shared)
        )
        if not (over & ~shared or merging) and None not in layout:
            wanted, summed = axes_asked(layout), self.indices(over)
            for x, y, ax, ay in ((one, two, a, b), (two, one, b, a)):
                for product in contracted(
                    self._operand(x, ax), self._operand(y, ay), summed, wanted
                ):
                    found = found or product
                    yield product
        # Where ``@`` serves, it costs no more than the sum over a product.
        if found is None and (a | b).bit_count() <= 3:
            both = self.indices(over)
            yield over_orders(
                "sum", lambda order: self._hadamard(one, two, a, b, order), both, layout
            )

    def _operand(self, chosen: int, axes: int) -> Operand:
        return Operand(frozenset(self.indices(axes)), lambda layout: self.best(chosen, layout))

    def _two(
        self, make: Callable[..., terms.Term], x: int, left: Layout, y: int, right: Layout
    ) -> Form | None:
        f, g = self.best(x, left), self.best(y, right)
        return None if f is None or g is None else build(make, f, g)

    def _hadamard(self, one: int, two: int, a: int, b: int, order: Layout) -> Form | None:
        f, g = self._part(one, order, a), self._part(two, order, b)
        return None if f is None or g is None else times(f, g)

    def _outer_einsum(self, one: int, two: int, a: int, b: int, layout: Layout) -> Form | None:
        """``einsum("ij,k->ijk", A, v)``: a product of two halves that reaches rank 3 or more."""
        letter = dict(zip(axes_asked(layout), LETTERS, strict=False))
        parts = []
        for chosen, axes in ((one, a), (two, b)):
            own = tuple(i for i in letter if self.bit[i] & axes)
            f = self.best(chosen, own)
            if f is None:
                return None
            parts.append(("".join(letter[i] for i in own), f))
        parts.sort(key=lambda part: part[0])
        subscripts = ",".join(s for s, _ in parts) + "->" + "".join(letter.values())
        return build(lambda *t: einsum(subscripts, *t), *(f for _, f in parts))

    def _einsum(self, chosen: int, layout: Layout) -> Form | None:
        """``einsum`` of all groups in the set, each in the order that is cheapest for it, sorted by
        their letters.
        """
        wanted = tuple(i for i in layout if i is not None)
        summed = tuple(i for i in self.indices(self._inside(chosen)) if i not in wanted)
        letter = dict(zip((*wanted, *summed), LETTERS, strict=False))
        parts: list[tuple[str, Form]] = []
        for k, group in enumerate(self.groups):
            if not chosen >> k & 1:
                continue
            ways = [
                (self._whole(group, p), "".join(letter[i] for i in p))
                for p in self._orders(k, letter)
            ]
            found = [(f.cost, subscript, f) for f, subscript in ways if f is not None]
            if not found:
                return None
            _, subscript, f = min(found, key=lambda w: w[:2])
            parts.append((subscript, f))
        parts.sort(key=lambda part: part[0])
        subscripts = ",".join(s for s, _ in parts) + "->" + "".join(letter[i] for i in wanted)
        return build(lambda *t: einsum(subscripts, *t), *(f for _, f in parts))

    def _orders(self, k: int, letter: Mapping[Index, str]) -> Iterable[tuple[Index, ...]]:
        """Orders of a group's axes: of an entry at plain indices its own, which is the cheapest; of
        one at other places none.
        """
        own = self.indices(self.masks[k])
        (first, *others) = self.groups[k]
        if isinstance(first, Entry) and not others:
            if first.indices == indices_in(first):
                return (indices_in(first),)
            if not all(isinstance(i, Index) or i.is_Integer for i in first.indices):
                return ()
        return permutations(sorted(own, key=lambda i: letter[i]))

    def _inside(self, chosen: int) -> int:
        inside = 0
        for k, mask in enumerate(self.masks):
            inside |= mask if chosen >> k & 1 else 0
        return inside


def _may_be_dear(f: Form, layout: Layout) -> bool:
    """Whether ``einsum``, which is never cheaper in operations, might be so in style."""
    return len(layout) > 2 and f.cost[1] >= PRICES["einsum"]


def einsum(subscripts: str, *operands: terms.Term) -> terms.Term:
    """The einsum term; letters of one name have one extent by construction of the network."""
    inputs, target = subscripts.split("->")
    extent = {
        c: e
        for s, t in zip(inputs.split(","), operands, strict=True)
        for c, e in zip(s, t.shape, strict=True)
    }
    return terms.Term("einsum", operands, tuple(extent[c] for c in target), (subscripts,))
