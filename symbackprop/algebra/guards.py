"""Guards ``[0 ≤ e < n]`` under a sum: ranges of bound indices that make them needless.

* ``Σ_v [0 ≤ v - a < n] f(v) → Σ_w f(w + a)`` where that range lies within the extent of v;
* ``Σ_u [0 ≤ a-u < T] f(a-u, u) → Σ_t [0 ≤ a-t < K] f(t, a-t)`` where K, the extent of u, is less
  simple than T;
* ``Σ_t [0 ≤ e - p·t < p] f(t, e - p·t) → f(e // p, e % p)`` where e // p is below the extent of t,
  or, in a proof, with a guard that says so.
"""

from __future__ import annotations

from sympy import Expr, Integer, preorder_traversal

from symbackprop.algebra.context import Context
from symbackprop.ir.affine import (
    atoms_of,
    expanded,
    floor_div,
    inside,
    is_affine,
    mirrored,
    modulo,
    with_place,
    worked_out,
)
from symbackprop.ir.expressions import Index, InRange, free_indices, substitute
from symbackprop.ir.ordering import order_key

ZERO = Integer(0)


def ways(guard: InRange, context: Context) -> tuple[Expr, ...]:
    """The places that a guard may be written with: in a proof also the mirrored one, which may have
    been taken.
    """
    place, n = guard.args
    return (place, mirrored(place, n)) if context.proving else (place,)


def guarded(
    factors: list[Expr], position: int, guard: InRange, bound: list[Index], context: Context
) -> bool:
    """A guard that is decided, or that a new range of a bound index makes needless."""
    place, n = worked_out(guard.args[0]), guard.args[1]
    parts = atoms_of(place)
    if not is_affine(parts):
        return False
    for v in bound:
        if v in parts and _tiles(factors, position, v, bound, context):
            return True
        if v not in parts or abs(parts[v]) != 1:
            continue
        if any(v in free_indices(a) for a in parts if a != v):
            continue
        w = Index(v.name + "_", n)
        value = expanded(parts[v] * (w - (place - parts[v] * v)))
        if w not in bound and inside(value, v.extent):
            del factors[position]
            bound[bound.index(v)] = w
            factors[:] = [substitute(g, {v: value}) for g in factors]
            return True
    return any(_exchanged(factors, position, v, bound, context) for v in bound if v in parts)


def _exchanged(
    factors: list[Expr], position: int, v: Index, bound: list[Index], context: Context
) -> bool:
    """``Σ_u [0 ≤ a-u < T] f(a-u, u) → Σ_t [0 ≤ a-t < K] f(t, a-t)`` where that is simpler."""
    guard = factors[position]
    if not isinstance(guard, InRange):
        return False
    n = guard.args[1]
    place = next((p for p in ways(guard, context) if atoms_of(p).get(v) == -1), None)
    if place is None or not _simplicity(n) < _simplicity(v.extent):
        return False
    parts = atoms_of(place)
    if len(parts) < 2 or any(v in free_indices(a) for a in parts if a != v):
        return False
    w = Index(v.name + "_", n)
    if w in bound:
        return False
    value = expanded(place + v - w)
    bound[bound.index(v)] = w
    rest = [with_place(g, place, w) for k, g in enumerate(factors) if k != position]
    factors[:] = [*(substitute(g, {v: value}) for g in rest), InRange(value, v.extent)]
    return True


def _simplicity(extent: Expr) -> tuple[int, str]:
    """How much there is to an extent; a total order."""
    return sum(1 for _ in preorder_traversal(extent)), order_key(extent)


def _tiles(
    factors: list[Expr], position: int, t: Index, bound: list[Index], context: Context
) -> bool:
    """``Σ_t [0 ≤ e - p·t < p] f(t, e - p·t) → f(e // p, e % p)``: one tile alone holds e.

    Where it may lie past the last one, a guard says that it does not; as that is no plainer, only
    in a proof.
    """
    guard = factors[position]
    if not isinstance(guard, InRange):
        return False
    p = guard.args[1]
    place = next(
        (w for w in ways(guard, context) if expanded(atoms_of(w).get(t, ZERO) + p) == 0), None
    )
    if place is None:
        return False
    e = expanded(place + p * t)
    tile = floor_div(e, p)
    fits = inside(tile, t.extent)
    if t in free_indices(e) or not (fits or context.proving):
        return False
    del factors[position]
    bound.remove(t)
    within = [with_place(g, place, modulo(e, p)) for g in factors]
    guards = [] if fits else [InRange(e, expanded(p * t.extent))]
    factors[:] = [*(substitute(g, {t: tile}) for g in within), *guards]
    return True
