"""δ of affine indices under a sum.

* ``Σ_v δ(v + a, b) f(v) → [0 ≤ b - a < extent] f(b - a)``, the guard only where it says something;
* ``Σ_{t,s} δ(p·t + s, j) f(t, s) → f(j // p, j % p)`` where s runs to p (a tiling);
* ``δ(e // p, i) δ(e % p, j) → δ(e, p·i + j)`` where j < p;
* ``δ(e, i) [0 ≤ e < n] → δ(e, i)`` where i < n;
* ``Σ_v δ(t[n], v) f(v) → f(t[n])`` for integer data below the extent; without the sum,
  ``δ(t[n], v) f(t[n]) → δ(t[n], v) f(v)``;
* ``Σ_j f(j // p, j % p, j) → Σ_{a,b} f(a, b, p·a + b)`` where p divides the extent and j counts no
  windows (``x[j + k]``);
* ``Σ_u f(K-1-u) → Σ_u f(u)`` over all u < K;
* guards by the laws of :mod:`symbackprop.algebra.guards`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sympy import Add, Expr, Integer, Mul, Pow, cancel

from symbackprop.algebra.context import Context
from symbackprop.algebra.guards import guarded, ways
from symbackprop.ir.affine import (
    atoms_of,
    bounds,
    expanded,
    floor_div,
    inside,
    is_affine,
    modulo,
    nonnegative,
    with_place,
    worked_out,
    worked_out_throughout,
)
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    FloorDiv,
    Index,
    InRange,
    Modulo,
    free_indices,
    substitute,
)
from symbackprop.ir.ordering import order_key

ZERO, ONE = Integer(0), Integer(1)


@dataclass(slots=True)
class Solution:
    """Bound indices and what they are, and the guards under which that is so."""

    values: dict[Index, Expr]
    guards: list[Expr] = field(default_factory=list)


def eliminate(factors: list[Expr], bound: list[Index], context: Context) -> bool:
    """One of the laws of this file, once, in place; True if one was applied."""
    for position, f in enumerate(factors):
        base = f.base if isinstance(f, Pow) else f
        if isinstance(base, Delta) and not _is_plain(base):
            if any(_floors(base)) and _split_one([base], factors, bound):
                return True
            if _paired(factors, position, base) or _delta(factors, position, base, bound, context):
                return True
        elif isinstance(base, InRange) and guarded(factors, position, base, bound, context):
            return True
    return _split_one(factors, factors, bound) or _reverse_one(factors, bound)


def _paired(factors: list[Expr], position: int, delta: Delta) -> bool:
    """``δ(e // p, i) δ(e % p, j) → δ(e, p·i + j)`` where j < p."""
    for rest, j in (delta.args, delta.args[::-1]):
        if not isinstance(rest, Modulo) or not inside(j, rest.args[1]):
            continue
        e, p = rest.args
        quotient = floor_div(e, p)
        for k, other in enumerate(factors):
            if k != position and isinstance(other, Delta) and quotient in other.args:
                i = other.args[1] if other.args[0] == quotient else other.args[0]
                factors[position] = Delta(e, expanded(p * i + j))
                del factors[k]
                return True
    return False


def _renamed(factors: list[Expr], position: int, a: Expr, b: Expr) -> bool:
    """``δ(t[n], v) f(t[n]) → δ(t[n], v) f(v)``."""
    for old, new in ((a, b), (b, a)):
        if isinstance(old, Entry) and isinstance(new, Index):
            moved = [f if k == position else with_place(f, old, new) for k, f in enumerate(factors)]
            if moved != factors:
                factors[:] = moved
                return True
    return False


def _is_plain(delta: Delta) -> bool:
    """Whether the plain law serves: numbers within the range, and indices of one extent."""
    extents = {x.extent for x in delta.args if isinstance(x, Index)}
    numbers = [x for x in delta.args if x.is_Integer]
    if any((x - n).is_nonnegative for x in numbers for n in extents):
        return False
    return len(extents) < 2 and all(isinstance(x, Index) or x.is_Integer for x in delta.args)


def _delta(
    factors: list[Expr], position: int, delta: Delta, bound: list[Index], context: Context
) -> bool:
    a, b = (worked_out(x) for x in delta.args)
    parts = atoms_of(a - b)
    if not is_affine(parts):
        return False
    value = _decided(a, b, parts)
    if value is not None:
        factors[position] = value
        return True
    solution = _solved(parts, bound, context)
    if solution is not None:
        del factors[position]
        for v in solution.values:
            bound.remove(v)
        factors[:] = [substitute(g, solution.values) for g in factors] + solution.guards
        return True
    if _renamed(factors, position, a, b) or _guards_dropped(factors, parts, context):
        return True
    canonical = _canonical(parts)
    if canonical != delta or isinstance(factors[position], Pow):
        factors[position] = canonical
        return True
    return False


def _guards_dropped(factors: list[Expr], parts: dict[Expr, Expr], context: Context) -> bool:
    """``δ(e, i) [0 ≤ e < n] → δ(e, i)`` where i < n, in place; True if there was one."""
    for i, c in parts.items():
        if not isinstance(i, Index) or abs(c) != 1:
            continue
        e = _rest(parts, (i,), c)
        for k, g in enumerate(factors):
            if isinstance(g, InRange) and e in ways(g, context) and inside(i, g.args[1]):
                del factors[k]
                return True
    return False


def _decided(a: Expr, b: Expr, parts: dict[Expr, Expr]) -> Expr | None:
    """1 or 0 where the two indices are always or never equal."""
    if not parts:
        return ONE
    own = bounds(expanded(a - b))
    if own is not None and (nonnegative(own[0] - 1) or nonnegative(-1 - own[1])):
        return ZERO
    return None


def _canonical(parts: dict[Expr, Expr]) -> Delta:
    """``δ(positive part, negative part)``, so that equal conditions are equal objects."""
    left: Expr = ZERO
    right: Expr = ZERO
    for atom, coefficient in parts.items():
        negative = coefficient.could_extract_minus_sign()
        if negative:
            right = right - coefficient * atom
        else:
            left = left + coefficient * atom
    return Delta(*sorted((left, right), key=order_key))


def _solved(parts: dict[Expr, Expr], bound: list[Index], context: Context) -> Solution | None:
    """The bound indices that ``Σ coefficient · atom = 0`` determines."""
    inside_atoms = frozenset[Index]().union(
        *(free_indices(a) for a in parts if not isinstance(a, Index))
    )
    open_ = [v for v in bound if v in parts and v not in inside_atoms]
    chains = [c for sign in (1, -1) for c in _chains(parts, open_, sign)]
    if chains:
        tilings = [_tiled(parts, chain, sign, context) for chain, sign in chains]
        return min(tilings, key=lambda t: (-len(t.values), len(t.guards)))
    return None


def _chains(
    parts: dict[Expr, Expr], open_: list[Index], sign: int
) -> Iterator[tuple[tuple[Index, ...], int]]:
    """Bound indices ``c₁ i₁ + c₂ i₂ + …`` with c₁ = 1 and each further coefficient the number of
    places of those before: together they count through a range.
    """
    for first in open_:
        if parts[first] != sign:
            continue
        chain, places = [first], first.extent
        while True:
            following = next(
                (v for v in open_ if v not in chain and expanded(parts[v] - sign * places) == 0),
                None,
            )
            if following is None:
                break
            chain.append(following)
            places = expanded(places * following.extent)
        yield tuple(chain), sign


def _rest(parts: dict[Expr, Expr], without: tuple[Index, ...], sign: int) -> Expr:
    out: Expr = ZERO
    for atom, coefficient in parts.items():
        if atom not in without:
            out = out - sign * coefficient * atom
    return expanded(out)


def _tiled(
    parts: dict[Expr, Expr], chain: tuple[Index, ...], sign: int, context: Context
) -> Solution:
    rest = _rest(parts, chain, sign)
    values: dict[Index, Expr] = {}
    left, places = rest, ONE
    for k, v in enumerate(chain):
        values[v] = left if k == len(chain) - 1 else modulo(left, v.extent)
        left = floor_div(left, v.extent)
        places = expanded(places * v.extent)
    fits = inside(rest, places) or _looked_up(rest, places, context)
    return Solution(values, [] if fits else [InRange(rest, places)])


def _looked_up(e: Expr, extent: Expr, context: Context) -> bool:
    """Whether ``e`` is an entry of integer data whose values are below ``extent``."""
    if not isinstance(e, Entry):
        return False
    for q in context.program.inputs:
        if q.name == e.name and q.bound is not None:
            return nonnegative(expanded(extent - q.bound))
    return False


def _reverse_one(factors: list[Expr], bound: list[Index]) -> bool:
    """``Σ_u f(K-1-u) → Σ_u f(u)`` where an entry is read at K-1-u and none at u."""
    for v in bound:
        mirrored = expanded(v.extent - 1 - v)
        if any(_reads(f, mirrored) for f in factors) and not any(_reads(f, v) for f in factors):
            factors[:] = [worked_out_throughout(substitute(f, {v: mirrored})) for f in factors]
            return True
    return False


def _reads(e: Expr, place: Expr) -> bool:
    """Whether an entry in ``e`` is read at this very place."""
    if isinstance(e, Entry) and place in e.indices:
        return True
    return any(_reads(a, place) for a in e.args if a.args)


def _split_one(among: list[Expr], factors: list[Expr], bound: list[Index]) -> bool:
    """``j`` as ``p·a + b`` where ``j // p`` or ``j % p`` occurs ``among`` the factors and p divides
    the extent of j.
    """
    for f in among:
        for node in _floors(f):
            j, p = node.args
            if j not in bound or not isinstance(j, Index):
                continue
            if among is factors and any(_at_windows(g, j) for g in factors):
                continue
            count = cancel(j.extent / p)
            if not (nonnegative(count - 1) or _is_product_of_extents(count)):
                continue
            a, b = Index(j.name + "a", count), Index(j.name + "b", p)
            bound.remove(j)
            bound.extend((a, b))
            factors[:] = [worked_out_throughout(substitute(g, {j: p * a + b})) for g in factors]
            return True
    return False


def _at_windows(e: Expr, j: Index) -> bool:
    """Whether ``j`` counts windows in ``e``, as in ``x[j + k]``: taken apart it would not."""
    if isinstance(e, Entry):
        return any(
            isinstance(i, Add) and j in atoms_of(i) and len(free_indices(i)) > 1 for i in e.indices
        )
    return any(_at_windows(a, j) for a in e.args if a.args)


def _is_product_of_extents(e: Expr) -> bool:
    """Whether ``e`` is a whole number because all its factors are."""
    return all(
        isinstance(f, FloorDiv) or f.is_Symbol or (f.is_Integer and f.is_positive)
        for f in Mul.make_args(e)
    )


def _floors(e: Expr) -> Iterator[Expr]:
    if isinstance(e, FloorDiv | Modulo):
        yield e
    for a in e.args:
        if a.args:
            yield from _floors(a)
