"""Random points that respect what a program declares: extents, facts, ranges of integer data.

Takes a program and a random generator, gives a :class:`Point`; float64, or with ``exact`` small
fractions. Facts that cannot hold together, and conditions that no small extents meet, are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.random import Generator
from sympy import Expr

from symbackprop.errors import Malformed
from symbackprop.ir.arithmetic import Array
from symbackprop.ir.evaluate import Point, extent_value
from symbackprop.ir.facts import holds
from symbackprop.ir.program import Fact, Program, Quantity
from symbackprop.ir.smooth import concrete

__all__ = ["Point", "draw", "fitting"]
ATTEMPTS = 60


@dataclass(frozen=True, slots=True)
class _Source:
    """Random numbers of one kind: float64, or small fractions (whole ones up to ``whole``)."""

    rng: Generator
    exact: bool
    whole: int = 0

    def plain(self, shape: tuple[int, ...]) -> Array:
        """Values of both signs, none 0."""
        if not self.exact:
            return self.rng.normal(size=shape)
        return self.positive(shape) * self.rng.choice((-1, 1), size=shape)

    def positive(self, shape: tuple[int, ...]) -> Array:
        if not self.exact:
            return self.rng.uniform(0.2, 2.0, size=shape)
        if self.whole:
            return self.fractions(self.rng.integers(1, self.whole + 1, size=shape))
        return self.fractions(
            self.rng.integers(1, 6, size=shape), self.rng.integers(1, 4, size=shape)
        )

    def fractions(self, numerators: Array, denominators: Array | int = 1) -> Array:
        return np.asarray(np.frompyfunc(Fraction, 2, 1)(numerators, denominators), dtype=object)

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> Array:
        """Integers from ``low`` to ``high``, both included, as numbers of this kind."""
        values = np.asarray(self.rng.integers(low, high + 1, size=shape))
        return self.fractions(values) if self.exact else values.astype(float)

    def eye(self, n: int) -> Array:
        return self.fractions(np.eye(n, dtype=int)) if self.exact else np.eye(n)


def _onehot(source: _Source, shape: tuple[int, ...]) -> Array:
    chosen = source.rng.integers(0, shape[-1], size=shape[:-1])
    hot = (np.arange(shape[-1]) == chosen[..., None]).astype(int)
    return source.fractions(hot) if source.exact else hot.astype(float)


def _simplex(source: _Source, shape: tuple[int, ...]) -> Array:
    values = source.positive(shape)
    return values / values.sum(axis=-1, keepdims=True)


def _unit(source: _Source, shape: tuple[int, ...]) -> Array:
    values = source.positive(shape)
    return values / (1 + values)


def _symmetric(source: _Source, shape: tuple[int, ...]) -> Array:
    values = source.plain(shape)
    return values + values.swapaxes(-1, -2)


def _spd(source: _Source, shape: tuple[int, ...]) -> Array:
    values = source.plain(shape)
    return values @ values.swapaxes(-1, -2) + source.eye(shape[-1])


def _invertible(source: _Source, shape: tuple[int, ...]) -> Array:
    """Unit lower times unit upper triangular, rows turned, so that no pattern shows."""
    lower = np.tril(source.plain(shape), -1) + source.eye(shape[-1])
    upper = np.triu(source.plain(shape), 1) + source.eye(shape[-1])
    return np.roll(lower @ upper, 1, axis=-2)


def _orthogonal(source: _Source, shape: tuple[int, ...]) -> Array:
    """A product of two reflections (Householder), which keeps rational numbers rational."""
    out = source.eye(shape[-1])
    for _ in range(2):
        v = source.plain((*shape[:-1], 1))
        square = v.swapaxes(-1, -2) @ v
        out = out @ (source.eye(shape[-1]) - 2 * (v @ v.swapaxes(-1, -2)) / square)
    return out


def _causal(source: _Source, shape: tuple[int, ...]) -> Array:
    """0 on and below the diagonal, -∞ above: what is added to attention scores."""
    below = np.tri(shape[-2], shape[-1], dtype=bool)
    zero = source.fractions(np.zeros(shape, dtype=int)) if source.exact else np.zeros(shape)
    return np.where(below, zero, -np.inf)


# fmt: off
# In the order in which they are tried: the narrowest first; a quantity with several facts is drawn
# by the first.
_DRAW: Mapping[str, Callable[[_Source, tuple[int, ...]], Array]] = {
    "onehot":      _onehot,
    "causal":      _causal,
    "simplex":     _simplex,
    "orthogonal":  _orthogonal,
    "spd":         _spd,
    "symmetric":   _symmetric,
    "invertible":  _invertible,
    "binary":      lambda source, shape: source.integers(0, 1, shape),
    "sign":        lambda source, shape: 2 * source.integers(0, 1, shape) - 1,
    "unit":        _unit,
    "positive":    lambda source, shape: source.positive(shape),
    "nonnegative": lambda source, shape: source.positive(shape),
}
# fmt: on


def draw(
    program: Program,
    rng: Generator,
    *,
    dims: Mapping[str, int] | None = None,
    exact: bool = False,
    whole: int = 0,
) -> Point:
    """A random point of the program's inputs, its facts and conditions respected.

    Parameters
    ----------
    program : Program
        Whose inputs and abstract functions get values.
    rng : Generator
        Source of randomness; the same state gives the same point.
    dims : mapping, optional
        Extents by name; those left out are drawn, distinct and small.
    exact : bool
        Small fractions rather than float64; abstract functions are then cubics.
    whole : int
        If not 0: of these fractions, whole numbers up to this size, wherever the facts allow.

    Raises
    ------
    Malformed
        If no small extents meet the conditions, or the facts about a quantity cannot hold together.
    """
    sizes = fitting(program, rng, dims or {})
    source = _Source(rng, exact, whole)
    values = {q.name: _values(q, program.facts, sizes, source) for q in program.inputs}
    functions = concrete(program.functions, exact, int(rng.integers(4)))
    return Point(sizes, values, functions, program.rules, exact)


def fitting(program: Program, rng: Generator, fixed: Mapping[str, int]) -> dict[str, int]:
    """Extents for every dim: distinct numbers from 2 if the conditions allow, none of an array's
    extents below 1.
    """
    free = [d.name for d in program.dims if d.name not in fixed]
    known = {d.name: fixed[d.name] for d in program.dims if d.name in fixed}
    for attempt in range(ATTEMPTS):
        equal = attempt >= ATTEMPTS // 2
        top = 3 + len(free) + (0 if equal else attempt // 4)
        pool = [k for k in range(2, top) if equal or k not in known.values()]
        chosen = rng.choice(pool, size=len(free), replace=equal or len(pool) < len(free))
        sizes = known | dict(zip(free, (int(k) for k in chosen), strict=True))
        if admissible(program, sizes):
            return sizes
    if len(free) <= 5:
        for several in product(range(1, 7), repeat=len(free)):
            sizes = known | dict(zip(free, several, strict=True))
            if admissible(program, sizes):
                return sizes
    said = ", ".join(f"{a} {op} {b}" for a, op, b in program.conditions)
    raise Malformed("conditions on dims that small extents can meet", said or "extents below 1")


_RELATIONS: Mapping[str, Callable[[int, int], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def admissible(program: Program, sizes: Mapping[str, int]) -> bool:
    """Whether the conditions hold at these extents and every array has at least one entry."""

    def number(e: Expr) -> int:
        return extent_value(e, sizes)

    if not all(_RELATIONS[op](number(a), number(b)) for a, op, b in program.conditions):
        return False
    shapes = [q.shape for q in program.inputs] + [e.shape for e in program.equations]
    compound = {e for shape in shapes for e in shape if not e.is_Atom}
    return all(number(e) >= 1 for e in compound)


def _values(q: Quantity, facts: Sequence[Fact], sizes: Mapping[str, int], source: _Source) -> Array:
    shape = tuple(extent_value(e, sizes) for e in q.shape)
    if q.role == "index":
        bound = extent_value(q.bound, sizes) if q.bound is not None else 2
        return source.integers(0, bound - 1, shape)
    own = [f for f in facts if f.name == q.name]
    kinds = {f.kind for f in own}
    kind = next((k for k in _DRAW if k in kinds), "")
    for _ in range(ATTEMPTS):
        values: Any = _DRAW[kind](source, shape) if kind else source.plain(shape)
        for fact in own:
            if fact.kind == "sum":
                values = _with_sum(values, fact, sizes)
        if all(holds(f, values, sizes) for f in own):
            return np.asarray(values)
    said = " and ".join(str(f) for f in own)
    raise Malformed(f"facts about {q.name} that can hold together", said)


def _with_sum(values: Array, fact: Fact, sizes: Mapping[str, int]) -> Array:
    """The values scaled, if they are positive, else shifted, so that their sums are as declared."""
    total = values.sum(axis=fact.axis, keepdims=fact.axis is not None)
    wanted = 0 if fact.value is None else extent_value(fact.value, sizes)
    if wanted > 0 and bool(np.all(values > 0)):
        return values * wanted / total
    count = values.size if fact.axis is None else values.shape[fact.axis]
    return values + (wanted - total) / count
