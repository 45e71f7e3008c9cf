"""Affine indices: ``s*i + u - p`` with integer or extent coefficients, their ranges, floor and
remainder.

One small solver for slices, paddings, windows, reshapes and recurrences. Extents are positive
integers, an index runs from 0 to its extent - 1; everything decided here is true for all extents.

>>> from symbackprop.ir.expressions import Index, extent_symbol
>>> K, T = extent_symbol("K"), extent_symbol("T")
>>> t, k = Index("t", T), Index("k", K)
>>> floor_div(K*t + k, K), modulo(K*t + k, K), inside(K*t + k, K*T)
(t, k, True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Poly, cancel
from sympy import expand as multiplied_out

from symbackprop.ir.expressions import Entry, FloorDiv, Index, Modulo, free_indices
from symbackprop.ir.ordering import order_key


def written_close(summands: Iterable[Expr]) -> str:
    """``H-K+1``: summands in their order, without spaces."""
    return "+".join(map(str, summands)).replace(" ", "").replace("+-", "-")


@lru_cache(maxsize=1 << 15)
def expanded(e: Expr) -> Expr:
    """An extent or an index expression multiplied out, remembered: SymPy forgets soon.

    Of SymPy's ways to expand only those are asked for that change a polynomial.
    """
    return e if e.is_Atom else multiplied_out(e, basic=False, log=False, power_base=False)


@lru_cache(maxsize=1 << 14)
def nonnegative(e: Expr) -> bool:
    """Whether a polynomial in extents is ≥ 0 for all extents ≥ 1: written in ``extent - 1`` it has
    no negative coefficient. A sufficient condition.
    """
    if e.is_Integer:
        return bool(e >= 0)
    e = _without_floors(e)
    symbols = sorted(e.free_symbols, key=lambda s: s.name)
    if any(isinstance(s, Index) for s in symbols) or not e.is_polynomial(*symbols):
        return False
    if not symbols:
        return bool(e.is_nonnegative)
    shifted = expanded(e.xreplace({s: s + 1 for s in symbols}))
    return all(c >= 0 for c in Poly(shifted, *symbols).coeffs())


def _without_floors(e: Expr) -> Expr:
    """A lower bound of ``e`` in which no floor stands: ``(a - b + 1)/b ≤ a // b ≤ a/b``, the floor
    that holds others first, since they may cancel then.
    """
    while e.has(FloorDiv):
        rows = [t.as_coeff_Mul() for t in Add.make_args(expanded(e))]
        floors = [(c, f) for c, f in rows if isinstance(f, FloorDiv)]
        if not floors:
            break
        coefficient, outer = max(floors, key=lambda row: _depth(row[1]))
        a, b = outer.args
        bound = (a - (b - 1 if coefficient > 0 else 0)) / b
        e = expanded(Add(*(c * f for c, f in rows if f != outer)) + coefficient * bound)
    return e


def _depth(e: Expr) -> int:
    """How deep floors are nested in ``e``."""
    return max((_depth(a) for a in e.args), default=0) + isinstance(e, FloorDiv)


def atoms_of(e: Expr) -> dict[Expr, Expr]:
    """``e`` as ``Σ coefficient · atom``: atoms are indices, floors, remainders and look-ups; the
    constant part stands at the key 1.
    """
    return _collected(e, lambda f: isinstance(f, Index | FloorDiv | Modulo | Entry))


def _moving(f: Expr) -> bool:
    """Whether a factor is an index, a look-up, or a floor or remainder that holds one."""
    if isinstance(f, FloorDiv | Modulo):
        return bool(f.has(Index, Entry))
    return isinstance(f, Index | Entry)


def _collected(e: Expr, is_atom: Callable[[Expr], bool]) -> dict[Expr, Expr]:
    found: dict[Expr, Expr] = {}
    for t in Add.make_args(expanded(e)):
        coefficient: Expr = Integer(1)
        atom: Expr = Integer(1)
        for f in Mul.make_args(t):
            if is_atom(f):
                atom = atom * f
            else:
                coefficient = coefficient * f
        found[atom] = expanded(found.get(atom, Integer(0)) + coefficient)
    return {a: c for a, c in found.items() if c != 0}


def is_affine(parts: dict[Expr, Expr]) -> bool:
    """Whether each atom stands alone, and coefficients hold extents only."""
    return all(
        (a == 1 or isinstance(a, Index | FloorDiv | Modulo | Entry)) and not free_indices(c)
        for a, c in parts.items()
    )


@lru_cache(maxsize=1 << 14)
def bounds(e: Expr) -> tuple[Expr, Expr] | None:
    """The least and the greatest value of an affine index, or bounds of them; None if unknown."""
    parts = _collected(e, _moving)
    if not is_affine(parts):
        return None
    low: Expr = Integer(0)
    high: Expr = Integer(0)
    for atom, coefficient in parts.items():
        if atom == 1:
            low, high = low + coefficient, high + coefficient
            continue
        own = _bounds_of_atom(atom)
        if own is None:
            return None
        if nonnegative(coefficient):
            low, high = low + coefficient * own[0], high + coefficient * own[1]
        elif nonnegative(-coefficient):
            low, high = low + coefficient * own[1], high + coefficient * own[0]
        else:
            return None
    return expanded(low), expanded(high)


def _bounds_of_atom(atom: Expr) -> tuple[Expr, Expr] | None:
    if isinstance(atom, Index):
        return Integer(0), atom.extent - 1
    if isinstance(atom, Modulo):
        return Integer(0), atom.args[1] - 1
    if isinstance(atom, FloorDiv):
        above, below = bounds(atom.args[0]), atom.args[1]
        if above is None:
            return None
        quotients = _floors(above[0], below), _floors(above[1], below)
        return (
            None if quotients[0] is None or quotients[1] is None else (quotients[0], quotients[1])
        )
    return None


def _floors(a: Expr, b: Expr) -> Expr | None:
    """``a // b`` of extents, where it has a form without floor."""
    split = _split(a, b)
    if split is None:
        return None
    quotient, rest = split
    for shift in (0, 1):
        low = expanded(rest + shift * b)
        if nonnegative(low) and nonnegative(b - 1 - low):
            return expanded(quotient - shift)
    return None


@lru_cache(maxsize=1 << 14)
def _split(a: Expr, b: Expr) -> tuple[Expr, Expr] | None:
    """``a = b · quotient + rest`` term by term, the quotient of what ``b`` divides."""
    quotient: Expr = Integer(0)
    rest: Expr = Integer(0)
    for t in Add.make_args(expanded(a)):
        if t.is_Integer and b.is_Integer:
            whole = Integer(int(t) // int(b))
            quotient, rest = quotient + whole, rest + t - whole * b
            continue
        share = t / b  # a product by a product: their powers cancel as they meet
        if _is_polynomial(share):
            quotient = quotient + share
        else:
            rest = rest + t
    if b.is_Add and not free_indices(a):
        ratio = cancel(a / b)
        if _is_polynomial(ratio):
            return expanded(ratio), Integer(0)
    return expanded(quotient), expanded(rest)


def _is_polynomial(e: Expr) -> bool:
    """Whether ``e`` has no denominator."""
    return all(
        t.as_coeff_Mul()[0].is_Integer
        and not any(f.is_Pow and f.exp.is_negative for f in Mul.make_args(t))
        for t in Add.make_args(e)
    )


def inside(e: Expr, n: Expr) -> bool:
    """Whether ``0 ≤ e < n`` always."""
    if isinstance(e, FloorDiv) and isinstance(n, FloorDiv) and e.args[1] == n.args[1]:
        own, b = bounds(e.args[0]), e.args[1]  # a // b < m // b where a ≤ m - b
        if own is not None and nonnegative(own[0]) and nonnegative(n.args[0] - b - own[1]):
            return True
    own = bounds(e)
    return own is not None and nonnegative(own[0]) and nonnegative(expanded(n - 1 - own[1]))


def outside(e: Expr, n: Expr) -> bool:
    """Whether ``0 ≤ e < n`` never."""
    own = bounds(e)
    if own is None:
        return False
    return nonnegative(expanded(-1 - own[1])) or nonnegative(expanded(own[0] - n))


@lru_cache(maxsize=1 << 14)
def floor_div(a: Expr, b: Expr) -> Expr:
    """``a // b``, worked out as far as the ranges of the indices tell."""
    if b == 1:
        return a
    if isinstance(a, FloorDiv):
        return floor_div(a.args[0], expanded(a.args[1] * b))
    if isinstance(a, Modulo):
        count = cancel(a.args[1] / b)
        if _is_polynomial(count):
            return modulo(floor_div(a.args[0], b), count)
    split = _split(a, b)
    if split is None:
        return FloorDiv(a, b)
    quotient, rest = split
    if rest == 0 or inside(rest, b):
        return quotient
    known = _floors(rest, b) if not free_indices(rest) else None
    if known is not None:
        return expanded(quotient + known)
    return quotient + FloorDiv(rest, b)


@lru_cache(maxsize=1 << 14)
def modulo(a: Expr, b: Expr) -> Expr:
    """``a % b``, worked out as far as the ranges of the indices tell."""
    if b == 1:
        return Integer(0)
    if isinstance(a, Modulo) and _is_polynomial(cancel(a.args[1] / b)):
        return modulo(a.args[0], b)
    split = _split(a, b)
    if split is None:
        return Modulo(a, b)
    _, rest = split
    if rest == 0 or inside(rest, b):
        return rest
    known = _floors(rest, b) if not free_indices(rest) else None
    if known is not None:
        return expanded(rest - known * b)
    return Modulo(rest, b)


@lru_cache(maxsize=1 << 15)
def worked_out(i: Expr) -> Expr:
    """An index expression with its floors and remainders worked out; an index of extent 1 is 0."""
    if isinstance(i, Index):
        return Integer(0) if i.extent == 1 else i
    if not i.args:
        return i
    if isinstance(i, Entry):
        return Entry(i.args[0], *(worked_out(a) for a in i.indices))
    inner = [worked_out(a) for a in i.args]
    if isinstance(i, FloorDiv):
        return floor_div(inner[0], inner[1])
    if isinstance(i, Modulo):
        return modulo(inner[0], inner[1])
    return _rejoined(expanded(i.func(*inner)))


def _rejoined(e: Expr) -> Expr:
    """``p (a // p) + a % p → a``."""
    if not isinstance(e, Add) or not e.has(Modulo):
        return e
    parts = atoms_of(e)
    for rest in [a for a in parts if isinstance(a, Modulo)]:
        whole = FloorDiv(*rest.args)
        if parts.get(whole, 0) == expanded(parts[rest] * rest.args[1]):
            apart = parts[rest] * (rest.args[1] * whole + rest - rest.args[0])
            return _rejoined(expanded(e - apart))
    return e


def mirrored(place: Expr, n: Expr) -> Expr:
    """``n - 1 - e``, which lies in 0..n-1 just where ``e`` does."""
    return worked_out(n - 1 - place)


def plainer(place: Expr, n: Expr) -> Expr:
    """``e`` or its mirror, whichever has fewer terms; of equally many, the first by order."""
    both = (place, mirrored(place, n))
    return min(both, key=lambda e: (len(Add.make_args(e)), order_key(e)))


def worked_out_throughout(e: Expr) -> Expr:
    """``e`` with the index expressions in it worked out, at every depth."""
    if isinstance(e, FloorDiv | Modulo | Index) or not e.args:
        return worked_out(e)
    if isinstance(e, Entry):
        return Entry(e.args[0], *(worked_out(i) for i in e.indices))
    return e.func(*(worked_out_throughout(a) if a.args else a for a in e.args))


def with_place(e: Expr, old: Expr, new: Expr) -> Expr:
    """``e`` with one index expression in place of another; neither holds a bound index of ``e``."""
    if e == old:
        return new
    return e.func(*(with_place(a, old, new) if a.args else a for a in e.args)) if e.args else e
