"""The value of every node of index notation at a point.

A :class:`Point` gives numbers to extents, arrays to names and callables to abstract functions; an
:class:`Evaluation` gives an expression as an array with one named axis for each of its free
indices, aligned by broadcasting, and remembers it. One rule for each node; what a node means is
said in :mod:`symbackprop.ir.evaluate`, through which it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import singledispatch

import mpmath
import numpy as np
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, floor
from sympy.core.numbers import ComplexInfinity, Infinity, NaN, NegativeInfinity, Pi

from symbackprop.errors import Malformed
from symbackprop.ir.arithmetic import (
    ANALYTIC,
    FLOATING,
    PRECISE,
    Arithmetic,
    Array,
    boxed,
    exactly,
)
from symbackprop.ir.contraction import contracted
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    InRange,
    MatrixFunction,
    Modulo,
    Where,
)
from symbackprop.ir.functions import PRIMITIVES, FunctionRule
from symbackprop.ir.matrix_functions import matrix_rule

Axes = tuple[Index, ...]
Named = tuple[Array, Axes]
INDICATORS = (Delta, InRange, Compare)


@dataclass(frozen=True, slots=True)
class Point:
    """Numbers for extents, arrays for names, callables for abstract functions (``f``, ``f_prime``,
    ``f_pprime``).

    ``rules`` define the functions that are neither abstract nor primitive. With ``exact``
    everything is computed to 50 digits; arrays of objects imply it.
    """

    dims: Mapping[str, int]
    values: Mapping[str, Array]
    functions: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    rules: Mapping[str, FunctionRule] = field(default_factory=dict)
    exact: bool = False

    @property
    def arithmetic(self) -> Arithmetic:
        kinds = {np.asarray(v).dtype.kind for v in self.values.values()}
        if self.exact or "O" in kinds:
            return PRECISE
        return ANALYTIC if "c" in kinds else FLOATING


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation: the point, its arithmetic, and what was computed so far.

    An index is known by name and extent, so equal subexpressions have equal values wherever they
    stand.
    """

    point: Point
    arithmetic: Arithmetic
    memo: dict[Expr, Named] = field(default_factory=dict)

    def __call__(self, e: Expr) -> Named:
        found = self.memo.get(e)
        if found is None:
            found = self.memo[e] = _value(e, self)
        return found

    def extent(self, e: Expr) -> int:
        """An extent as a number."""
        if isinstance(e, Integer):
            return int(e)
        if isinstance(e, Symbol) and e.name in self.point.dims:
            return self.point.dims[e.name]
        return int(self(e)[0])

    def integers(self, e: Expr) -> Named:
        """An index expression as an array of machine integers."""
        values, axes = self(e)
        return values.astype(float).round().astype(int), axes

    def aligned(self, *operands: Named) -> tuple[tuple[Array, ...], Axes]:
        """The arrays with one common order of axes, ready to broadcast."""
        union: Axes = tuple(dict.fromkeys(i for _, axes in operands for i in axes))
        return tuple(spread(a, axes, union) for a, axes in operands), union


def spread(a: Array, axes: Axes, order: Axes) -> Array:
    """``a`` with its axes in ``order``, an axis of extent 1 for each index that it lacks."""
    if axes == order:
        return a
    a = a.transpose([axes.index(i) for i in order if i in axes])
    return a[tuple(slice(None) if i in axes else None for i in order)]


@singledispatch
def _value(e: Expr, run: Evaluation) -> Named:
    """The value of one node; the default refuses nodes that the language does not have."""
    raise Malformed("an expression of index notation", f"{type(e).__name__}: {e}")


@_value.register
def _rational(e: Rational, run: Evaluation) -> Named:
    return run.arithmetic.number(int(e.p), int(e.q)), ()


@_value.register
def _pi(e: Pi, run: Evaluation) -> Named:
    return run.arithmetic.pi(), ()


@_value.register(Infinity)
@_value.register(NegativeInfinity)
def _infinity(e: Expr, run: Evaluation) -> Named:
    return run.arithmetic.infinity(1 if isinstance(e, Infinity) else -1), ()


@_value.register(ComplexInfinity)
@_value.register(NaN)
def _undefined(e: Expr, run: Evaluation) -> Named:
    return boxed(mpmath.nan if run.arithmetic is PRECISE else np.nan), ()


@_value.register
def _extent(e: Symbol, run: Evaluation) -> Named:
    if e.name not in run.point.dims:
        raise Malformed("an extent with a size", e.name, hint=f"give a size for {e.name}")
    return run.arithmetic.number(run.point.dims[e.name], 1), ()


@_value.register
def _index(e: Index, run: Evaluation) -> Named:
    numbers = [run.arithmetic.number(k, 1) for k in range(run.extent(e.extent))]
    return np.array([n[()] for n in numbers], dtype=run.arithmetic.number(0, 1).dtype), (e,)


@_value.register
def _entry(e: Entry, run: Evaluation) -> Named:
    """``X[i, j]``; ``nan`` where an index lies outside."""
    array = _array(e.name, run)
    if array.ndim != len(e.indices):
        raise Malformed(f"{array.ndim} indices for {e.name}", f"{len(e.indices)}: {e}")
    return _picked(array, e.indices, run)


def _array(name: str, run: Evaluation) -> Array:
    """The values of an array in the arithmetic at hand."""
    if name not in run.point.values:
        raise Malformed("a name with a value", name)
    array = boxed(run.point.values[name])
    if run.arithmetic is FLOATING:
        return array.astype(float)
    if run.arithmetic is ANALYTIC:
        return array
    return array if array.dtype == object else exactly(array)


def _picked(array: Array, indices: tuple[Expr, ...], run: Evaluation) -> Named:
    """The entries of an array at these index expressions."""
    if not indices:
        return array, ()
    if all(isinstance(i, Index) for i in indices) and len(set(indices)) == len(indices):
        if array.shape == tuple(run.extent(i.extent) for i in indices):
            return array, indices
    places, axes = run.aligned(*(run.integers(i) for i in indices))
    inside, clipped = np.asarray(True), []
    for place, extent in zip(places, array.shape, strict=True):
        inside = inside & (place >= 0) & (place < extent)
        clipped.append(np.clip(place, 0, max(extent - 1, 0)))
    nan = mpmath.nan if array.dtype == object else np.nan
    if not array.size:
        return np.full(inside.shape, nan, dtype=array.dtype), axes
    picked = boxed(array[tuple(clipped)])
    return (picked if inside.all() else np.where(inside, picked, boxed(nan))), axes


@_value.register
def _matrix_function(e: MatrixFunction, run: Evaluation) -> Named:
    """An entry of a function of a whole array, which is computed once."""
    whole = MatrixFunction(*e.args[:3])
    if whole not in run.memo:
        rule, array = matrix_rule(e.function), _array(e.name, run)
        value = rule.precise(array) if run.arithmetic is PRECISE else rule.floating(array)
        run.memo[whole] = value, ()
    return _picked(run.memo[whole][0], e.indices, run)


@_value.register
def _sum(e: Add, run: Evaluation) -> Named:
    terms, axes = run.aligned(*(run(a) for a in e.args))
    total = terms[0]
    for term in terms[1:]:
        total = boxed(total + term)
    return total, axes


@_value.register
def _product(e: Mul, run: Evaluation) -> Named:
    factors, axes = run.aligned(*(run(a) for a in e.args))
    total = factors[0]
    for factor in factors[1:]:
        total = boxed(total * factor)
    guards = [f for a, f in zip(e.args, factors, strict=True) if _is_indicator(a)]
    for guard in guards:
        total = np.where(guard == 0, run.arithmetic.number(0, 1), total)
    return total, axes


def _is_indicator(e: Expr) -> bool:
    return isinstance(e.base if isinstance(e, Pow) else e, INDICATORS)


@_value.register
def _power(e: Pow, run: Evaluation) -> Named:
    (base, exponent), axes = run.aligned(run(e.base), run(e.exp))
    return run.arithmetic.power(base, exponent), axes


@_value.register
def _floor(e: floor, run: Evaluation) -> Named:
    numerator, denominator = e.args[0].as_numer_denom()
    return run(FloorDiv(numerator, denominator))


def _reduced(
    e: IndexSum | IndexMax | IndexProduct, run: Evaluation
) -> tuple[Array, tuple[int, ...], Axes]:
    """The body with every bound axis present, the positions of the bound axes, and the axes that
    stay.
    """
    body, axes = run(e.body)
    order = (*(i for i in axes if i not in e.bound), *e.bound)
    kept = order[: len(order) - len(e.bound)]
    whole = spread(body, axes, order)
    shape = whole.shape[: len(kept)] + tuple(run.extent(i.extent) for i in e.bound)
    return np.broadcast_to(whole, shape), tuple(range(len(kept), len(order))), kept


@_value.register
def _index_sum(e: IndexSum, run: Evaluation) -> Named:
    if isinstance(e.body, Mul) and run.arithmetic is FLOATING:
        guards = [_is_indicator(a) for a in e.body.args]
        found = contracted([run(a) for a in e.body.args], guards, e.bound)
        if found is not None:
            return found
    body, over, kept = _reduced(e, run)
    return boxed(np.sum(body, axis=over)), kept


@_value.register
def _index_product(e: IndexProduct, run: Evaluation) -> Named:
    body, over, kept = _reduced(e, run)
    return boxed(np.prod(body, axis=over)), kept


@_value.register
def _index_max(e: IndexMax, run: Evaluation) -> Named:
    body, over, kept = _reduced(e, run)
    if not body.size:
        raise Malformed("at least one entry in a maximum", "an empty axis")
    return run.arithmetic.maximum(body, over), kept


def _indicator(holds: Array, run: Evaluation) -> Array:
    return np.where(holds, run.arithmetic.number(1, 1), run.arithmetic.number(0, 1))


@_value.register
def _delta(e: Delta, run: Evaluation) -> Named:
    (a, b), axes = run.aligned(run.integers(e.args[0]), run.integers(e.args[1]))
    return _indicator(a == b, run), axes


@_value.register
def _in_range(e: InRange, run: Evaluation) -> Named:
    (a, n), axes = run.aligned(run.integers(e.args[0]), run.integers(e.args[1]))
    return _indicator((a >= 0) & (a < n), run), axes


@_value.register(FloorDiv)
@_value.register(Modulo)
def _division(e: Expr, run: Evaluation) -> Named:
    (a, b), axes = run.aligned(run.integers(e.args[0]), run.integers(e.args[1]))
    whole = a // b if isinstance(e, FloorDiv) else a % b
    if run.arithmetic is PRECISE:
        return boxed(np.frompyfunc(Fraction, 1, 1)(whole)), axes
    return whole.astype(float), axes


@_value.register
def _compare(e: Compare, run: Evaluation) -> Named:
    (a, b), axes = run.aligned(run(e.args[1]), run(e.args[2]))
    return run.arithmetic.compare(e.op, a, b), axes


@_value.register
def _where(e: Where, run: Evaluation) -> Named:
    (c, a, b), axes = run.aligned(*(run(x) for x in e.args))
    return np.where(c != 0, a, b), axes


@_value.register
def _apply(e: Apply, run: Evaluation) -> Named:
    """A declared name shadows the library, so abstract functions are looked up first."""
    if e.name in run.point.functions:
        operand, axes = run(e.operands[0])
        return run.arithmetic.abstract(run.point.functions[e.name], operand), axes
    if e.name in PRIMITIVES:
        operands, axes = run.aligned(*(run(u) for u in e.operands))
        return run.arithmetic.primitive(PRIMITIVES[e.name], operands), axes
    rule = run.point.rules.get(e.name)
    if rule is None or rule.definition is None:
        raise Malformed("a function with a definition", e.name)
    return run(rule.at(rule.definition, e.operands))
