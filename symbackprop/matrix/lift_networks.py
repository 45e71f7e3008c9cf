"""Lifting sums of products: a tensor network is contracted in the cheapest order that array
notation can say.

The factors of ``Σ_{bound} f·g·h`` are grouped by the indices that they carry. A dynamic programme
over sets of groups finds for each set the cheapest form in each asked layout: two disjoint sets
meet in a product entry by entry, an outer product, a scaling by ``diag(v)``, a product ``@`` in
either orientation, or a sum over a product; ``einsum`` is the last resort. Beyond ``EXACT`` groups,
pairs whose result is smallest are contracted first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations

from sympy import Expr, Integer, Mul, Pow

from symbackprop.ir import terms
from symbackprop.ir.expressions import Delta, Index, IndexSum, free_indices
from symbackprop.matrix.lift_arithmetic import divided, times
from symbackprop.matrix.lift_forms import (
    Form,
    Layout,
    Recur,
    axes_asked,
    best,
    build,
    has_unit_axis,
    number,
    reduced,
    strip,
    transposed,
    with_new_axes,
)

EXACT = 8
UNPRUNED = 5
LETTERS = "ijklmnopqrstuvwxyzabcdefgh"
Get = Callable[[Layout], Form | None]


def orders(bound: Sequence[Index], layout: Layout) -> Iterator[Layout]:
    """Layouts over the indices of ``layout`` and ``bound`` from which a reduction over ``bound``
    leaves ``layout``.
    """
    if None in layout:
        holes = [k for k, i in enumerate(layout) if i is None]
        if len(holes) == len(bound):
            for chosen in permutations(bound):
                filled = list(layout)
                for k, i in zip(holes, chosen, strict=True):
                    filled[k] = i
                yield tuple(filled)
        return
    if len(bound) > 1 and len(layout) + len(bound) > 2:
        yield (*layout, *bound)
        yield (*bound, *layout)
        return
    found: list[Layout] = [layout]
    for b in bound:
        found = [(*o[:k], b, *o[k:]) for o in found for k in range(len(o), -1, -1)]
    yield from found


def over_orders(op: str, body: Get, bound: Sequence[Index], layout: Layout) -> Form | None:
    """The cheapest reduction ``op`` of what ``body`` gives in any order that leaves ``layout``."""
    found = []
    for order in orders(bound, layout):
        f = body(order)
        found.append(None if f is None else reduced(op, f, order, layout))
    return best(found)


def chain(factors: Sequence[Expr], layout: Layout, recur: Recur) -> Form | None:
    """``a * b / c`` of factors that all carry the indices of ``layout``, in their written order."""
    above: Form | None = None
    below: list[Form] = []
    for factor in factors:
        inverse = is_divisor(factor)
        f = recur.get(1 / factor if inverse else factor, layout)
        if f is None:
            return None
        if inverse:
            below.append(f)
        else:
            above = f if above is None else times(above, f)
    if not below:
        return above
    return divided(number(1) if above is None else above, below)


def is_divisor(e: Expr) -> bool:
    return isinstance(e, Pow) and e.exp.is_Rational is True and e.exp.is_negative is True


class Network:
    """One tensor network: groups of factors that carry the same indices, and the indices wanted
    outside.
    """

    def __init__(self, factors: Sequence[Expr], out: Iterable[Index], recur: Recur) -> None:
        self.recur = recur
        self.bit: dict[Index, int] = {}
        for f in factors:
            for i in sorted(free_indices(f), key=lambda i: i.name):
                self.bit.setdefault(i, 1 << len(self.bit))
        self.unit_axes = any(has_unit_axis(f) for f in factors)
        self.out = sum(self.bit.get(i, 0) for i in out)
        grouped: dict[int, list[Expr]] = {}
        for f in factors:
            grouped.setdefault(self.mask(f), []).append(f)
        self.groups = self._merged(grouped)
        self.masks = [self.mask(g[0]) for g in self.groups]
        self.everything = (1 << len(self.groups)) - 1
        self.worthwhile = self._worthwhile()
        self.known: dict[tuple[int, Layout], Form | None] = {}
        self.plain: dict[tuple[int, Layout], Form | None] = {}

    def _worthwhile(self) -> list[bool]:
        """Which sets of groups are worth a form of their own: in a large network, those that shared
        indices connect, and pairs (``outer(a, b)``).
        """
        count = 1 << len(self.groups)
        if len(self.groups) <= UNPRUNED:
            return [True] * count
        found = [False] * count
        for chosen in range(1, count):
            if chosen.bit_count() <= 2:
                found[chosen] = True
                continue
            for k, mask in enumerate(self.masks):
                without = chosen & ~(1 << k)
                if chosen >> k & 1 and found[without] and mask & self._inside(without):
                    found[chosen] = True
                    break
        return found

    def mask(self, e: Expr) -> int:
        return sum(self.bit[i] for i in free_indices(e))

    def indices(self, mask: int) -> tuple[Index, ...]:
        return tuple(i for i, b in self.bit.items() if b & mask)

    def _merged(self, grouped: dict[int, list[Expr]]) -> list[list[Expr]]:
        """The groups, greedily contracted in pairs until the exact search can take the rest."""
        groups = [(mask, list(g)) for mask, g in grouped.items()]
        while len(groups) > EXACT:
            _, _, a, b = min(
                (self._rank_after(groups, a, b), -(groups[a][0] & groups[b][0]).bit_count(), a, b)
                for b in range(len(groups))
                for a in range(b)
            )
            (mask_a, left), (mask_b, right) = groups[a], groups[b]
            rest = self.out
            for k, (mask, _) in enumerate(groups):
                rest |= 0 if k in (a, b) else mask
            over = self.indices((mask_a | mask_b) & ~rest)
            body = Mul(*left, *right)
            merged = IndexSum(body, *over) if over else body
            groups = [g for k, g in enumerate(groups) if k not in (a, b)] + [
                ((mask_a | mask_b) & rest, [merged])
            ]
        return [g for _, g in groups]

    def _rank_after(self, groups: list[tuple[int, list[Expr]]], a: int, b: int) -> int:
        rest = self.out
        for k, (mask, _) in enumerate(groups):
            rest |= 0 if k in (a, b) else mask
        return ((groups[a][0] | groups[b][0]) & rest).bit_count()

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
                if (found is None or len(layout) > 2) and None not in layout:
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
        total = over_orders("sum", lambda order: self._whole(group, order), over, layout)
        if layout == () and len(over) == 1:
            total = best((self._inner_product(group, over), total))
        return total

    def _whole(self, group: Sequence[Expr], order: Layout) -> Form | None:
        return (
            self.recur.get(group[0], order) if len(group) == 1 else chain(group, order, self.recur)
        )

    def _inner_product(self, group: Sequence[Expr], layout: Layout) -> Form | None:
        """``Σ_k a_k b_k c_k → (a * b) @ c`` and ``Σ_k a_k² → a @ a``."""
        factors: list[Expr] = []
        for f in group:
            even = (
                isinstance(f, Pow) and isinstance(f.exp, Integer) and f.exp > 0 and f.exp % 2 == 0
            )
            factors += [f.base ** (f.exp / 2)] * 2 if even else [f]
        above = [f for f in factors if not is_divisor(f)]
        if len(above) < 2:
            return None
        last = above[-1]
        rest = [*above[:-1], *(f for f in factors if is_divisor(f))]
        a, b = chain(rest, layout, self.recur), self.recur.get(last, layout)
        return None if a is None or b is None else build(terms.matmul, a, b)

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
        over, stack = (a | b) & ~target, a & b & target
        found: Form | None = None
        if over == a & b and over.bit_count() == 1 and None not in layout:
            (k,) = self.indices(over)
            for x, y, ax, ay in ((one, two, a, b), (two, one, b, a)):
                rows, columns = ax & ~over & ~stack, ay & ~over & ~stack
                product = self._matmul(x, y, rows, columns, stack, k, layout)
                found = found or product
                yield product
        # Where ``@`` serves, it costs no more than the sum over a product.
        if found is None and (a | b).bit_count() <= 3:
            both = self.indices(over)
            yield over_orders(
                "sum", lambda order: self._hadamard(one, two, a, b, order), both, layout
            )

    def _matmul(
        self, x: int, y: int, rows: int, columns: int, stack: int, k: Index, layout: Layout
    ) -> Form | None:
        """``x @ y`` if that yields ``layout``: its indices are the stack's, then the row, then the
        column.
        """
        if rows.bit_count() > 1 or columns.bit_count() > 1 or (stack and not (rows and columns)):
            return None
        r, c = self.indices(rows), self.indices(columns)
        split = len(layout) - len(r) - len(c)
        head, tail = layout[:split], layout[split:]
        if tail != (*r, *c) or (head and sum(self.bit[i] for i in head if i is not None) != stack):
            return None
        return self._two(terms.matmul, x, (*head, *r, k), y, (*head, k, *c))

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
            own = sorted(self.indices(self.masks[k]), key=lambda i: letter[i])
            ways = [
                (self._whole(group, p), "".join(letter[i] for i in p)) for p in permutations(own)
            ]
            found = [(f.cost, subscript, f) for f, subscript in ways if f is not None]
            if not found:
                return None
            _, subscript, f = min(found, key=lambda w: w[:2])
            parts.append((subscript, f))
        parts.sort(key=lambda part: part[0])
        subscripts = ",".join(s for s, _ in parts) + "->" + "".join(letter[i] for i in wanted)
        return build(lambda *t: einsum(subscripts, *t), *(f for _, f in parts))

    def _inside(self, chosen: int) -> int:
        inside = 0
        for k, mask in enumerate(self.masks):
            inside |= mask if chosen >> k & 1 else 0
        return inside


def einsum(subscripts: str, *operands: terms.Term) -> terms.Term:
    """The einsum term; letters of one name have one extent by construction of the network."""
    inputs, target = subscripts.split("->")
    extent = {
        c: e
        for s, t in zip(inputs.split(","), operands, strict=True)
        for c, e in zip(s, t.shape, strict=True)
    }
    return terms.Term("einsum", operands, tuple(extent[c] for c in target), (subscripts,))
