"""NumPy functions that pad, repeat and slide: ``pad``, ``repeat``, ``convolve``, ``correlate``,
``sliding_window_view``.

Their entries are those of the model language's own operations (:mod:`.by_terms`); a mode or an
operand that has none there makes the call unfollowed.
"""

from __future__ import annotations

from functools import partial

from sympy import Expr

from symbackprop.checking import execution_arrays as ops
from symbackprop.checking.by_terms import Build, entry_of
from symbackprop.checking.execution import Machine, an_array, loose
from symbackprop.checking.execution_creation import (
    Keywords,
    Operands,
    Rule,
    axes_of,
    shape_of,
)
from symbackprop.checking.execution_values import Array, Unfollowed, Value, array, integer
from symbackprop.checking.stars import Told, correlated
from symbackprop.ir import array_terms, window_terms


def _made(build: Build, *sources: Array) -> Array:
    """The array that an operation of the language makes of these."""
    found = entry_of(build, [(a.expr, a.axes) for a in sources])
    if found is None:
        raise ops.misfit("an operation on windows", *sources[:2])
    return array(*found, sources)


def _pad(m: Machine, given: Operands, named: Keywords) -> Value:
    """Zeros around an array: a width for all sides, a pair for all axes, or a pair for each."""
    a = an_array(given[0])
    width = loose(given[1] if len(given) > 1 else named.pop("pad_width", None))
    mode = given[2] if len(given) > 2 else named.pop("mode", "constant")
    value = named.pop("constant_values", None)
    if mode != "constant" or named or (value is not None and integer(value) != 0):
        raise Unfollowed("pad with something else than zeros")
    pairs = _pairs(width, a.rank)
    return _made(lambda t: array_terms.pad(t, pairs), a)


def _pairs(width: Value, rank: int) -> list[tuple[Expr, Expr]]:
    items = width if isinstance(width, tuple | list) else (width,)
    nested = [loose(i) for i in items]
    if all(isinstance(i, tuple | list) for i in nested):
        pairs = [shape_of(i) for i in nested]
    else:
        pairs = [shape_of(width)]
    pairs = pairs * rank if len(pairs) == 1 else pairs
    if len(pairs) != rank or not all(1 <= len(p) <= 2 for p in pairs):
        raise Unfollowed("a width of pad that does not fit the axes")
    return [(p[0], p[-1]) for p in pairs]


def _repeat(m: Machine, given: Operands, named: Keywords) -> Value:
    a = an_array(given[0])
    times = shape_of(given[1] if len(given) > 1 else named.pop("repeats", None))
    axis = given[2] if len(given) > 2 else named.pop("axis", None)
    if named or len(times) != 1 or (loose(axis) is None and a.rank != 1):
        raise Unfollowed("repeat of a flattened array, or by several numbers")
    (k,) = axes_of(axis, a.rank)
    return _made(lambda t: array_terms.repeat(t, times[0], k), a)


def _sliding(usual: str, flipped: bool) -> Rule:
    """``correlate`` and ``convolve`` of two sequences."""

    def rule(m: Machine, given: Operands, named: Keywords) -> Value:
        a, w = an_array(given[0]), an_array(given[1])
        mode = given[2] if len(given) > 2 else named.pop("mode", usual)
        if mode not in ("full", "valid", "same") or named or a.rank != 1 or w.rank != 1:
            raise Unfollowed("a convolution of these operands")
        told = Told(mode="" if mode == "valid" else str(mode), flipped=flipped)
        return _made(partial(correlated, told=told), a, w)

    return rule


def _windows(m: Machine, given: Operands, named: Keywords) -> Value:
    """``sliding_window_view(x, K)``: the last axes are those of the windows."""
    a = an_array(given[0])
    shape = shape_of(given[1] if len(given) > 1 else named.pop("window_shape", None))
    axis = given[2] if len(given) > 2 else named.pop("axis", None)
    over = axes_of(axis, a.rank)
    if named or len(over) != len(shape) or over != list(range(a.rank - len(shape), a.rank)):
        raise Unfollowed("windows along axes that are not the last")
    return _made(lambda t: window_terms.unfold(t, shape), a)


# fmt: off
WINDOWS: dict[str, Rule] = {
    "pad":       _pad,
    "repeat":    _repeat,
    "convolve":  _sliding("full", True),
    "correlate": _sliding("valid", False),
    "lib.stride_tricks.sliding_window_view": _windows,
}
# fmt: on
