"""Terms that read arrays through windows: correlation, unfold and fold, pooling.

The builders of :mod:`symbackprop.ir.terms` for this family, for one and two axes alike: the number
of windows' axes is the length of the tuples among the attributes. Window ``t`` starts at
``stride * t - padding`` and has its entries ``dilation`` apart; what lies outside the array counts
as 0 (in a maximum it does not count). Places that no whole window fills any more are left out, so
that an axis of extent L has ``(L + 2 padding - dilation (K - 1) - 1) // stride + 1`` windows.

>>> from symbackprop.ir.expressions import extent_symbol
>>> from symbackprop.ir.terms import name, show_shape
>>> L, K = extent_symbol("L"), extent_symbol("K")
>>> show_shape(correlation(name("x", (L,)), name("w", (K,))).shape)
'L-K+1'
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Integer, cancel, sympify

from symbackprop.ir.affine import expanded, floor_div, nonnegative
from symbackprop.ir.terms import Shape, ShapeError, Term, same_extent, show_shape

Numbers = Sequence[Expr | int]


def _exprs(numbers: Numbers) -> Shape:
    return tuple(sympify(n) for n in numbers)


def _ones(axes: int) -> Shape:
    return (Integer(1),) * axes


def _zeros(axes: int) -> Shape:
    return (Integer(0),) * axes


def reach(window: Expr, dilation: Expr) -> Expr:
    """How many places a window covers: ``dilation (K - 1) + 1``."""
    return expanded(dilation * (window - 1) + 1)


def window_count(length: Expr, window: Expr, stride: Expr, padding: Expr, dilation: Expr) -> Expr:
    """How many windows an axis holds.

    Raises
    ------
    ShapeError
        If not even one fits, whatever the extents are.
    """
    span = expanded(length + 2 * padding - reach(window, dilation))
    if nonnegative(expanded(-1 - span)):
        padded = expanded(length + 2 * padding)
        raise ShapeError(
            f"a window that fits into {padded} entries",
            f"{reach(window, dilation)} places (window {window}, dilation {dilation})",
            "shorten the window, or pad",
        )
    return expanded(floor_div(span, stride) + 1)


def _counts(
    shape: Shape, windows: Shape, strides: Shape, paddings: Shape, dilations: Shape
) -> Shape:
    rows = zip(shape, windows, strides, paddings, dilations, strict=True)
    return tuple(window_count(*row) for row in rows)


def correlation(
    a: Term,
    w: Term,
    strides: Numbers | None = None,
    paddings: Numbers | None = None,
    dilations: Numbers | None = None,
    groups: Expr | int = 1,
    axes: int = 1,
) -> Term:
    """Cross-correlation along the last ``axes`` axes: ``conv1d`` and ``conv2d``.

    A kernel of rank ``axes`` slides over each array along the axes before; one of rank ``axes + 2``
    holds output and input channels first, and the array has its channels before the windows' axes.
    """
    s, p, d = (
        _exprs(given or fallback(axes))
        for given, fallback in ((strides, _ones), (paddings, _zeros), (dilations, _ones))
    )
    g = sympify(groups)
    word = f"conv{axes}d"
    attrs = (s, p, d, g)
    if w.rank == axes and a.rank >= axes:
        if g != 1:
            raise ShapeError(
                f"a kernel with channels in {word} with groups",
                show_shape(w.shape),
                "its shape is (out, in / groups, window …)",
            )
        counts = _counts(a.shape[-axes:], w.shape, s, p, d)
        return Term("conv", (a, w), (*a.shape[:-axes], *counts), attrs)
    if w.rank != axes + 2 or a.rank not in (axes + 1, axes + 2):
        plain, one, many = ("L", "C×L", "N×C×L") if axes == 1 else ("H×W", "C×H×W", "N×C×H×W")
        kernel, kernels = ("K", "O×C×K") if axes == 1 else ("K×J", "O×C×K×J")
        raise ShapeError(
            f"{word} of {plain} by {kernel}, or of {one} or {many} by {kernels}",
            f"{show_shape(a.shape)} and {show_shape(w.shape)}",
        )
    channels = a.shape[-axes - 1]
    if not same_extent(channels, expanded(g * w.shape[1])):
        by = "" if g == 1 else f" times {g} groups"
        raise ShapeError(
            f"as many channels as the kernel reads{by}",
            f"{channels} channels and a kernel {show_shape(w.shape)}",
            "the kernel's second axis is the channels of the input divided by groups",
        )
    if share(w.shape[0], g) is None:
        raise ShapeError(
            f"a number of output channels that {g} divides",
            f"{w.shape[0]} in the kernel {show_shape(w.shape)}",
            "declare it as a multiple of groups",
        )
    counts = _counts(a.shape[-axes:], w.shape[2:], s, p, d)
    return Term("conv", (a, w), (*a.shape[: -axes - 1], w.shape[0], *counts), attrs)


def share(channels: Expr, groups: Expr) -> Expr | None:
    """Channels of one group; None where ``groups`` is not known to divide them."""
    each = expanded(cancel(channels / groups))
    whole = each.is_polynomial() and all(c.is_Integer for c in each.as_coefficients_dict().values())
    return each if whole else None


def unfold(
    a: Term,
    windows: Numbers,
    strides: Numbers | None = None,
    paddings: Numbers | None = None,
    dilations: Numbers | None = None,
) -> Term:
    """All windows: ``[…, L] → […, T, K]`` and ``[…, H, W] → […, T, S, K, J]``."""
    axes = len(windows)
    if a.rank < axes:
        raise ShapeError(f"an array with {axes} axes or more in unfold{axes}d", show_shape(a.shape))
    k = _exprs(windows)
    s, p = _exprs(strides or _ones(axes)), _exprs(paddings or _zeros(axes))
    d = _exprs(dilations or _ones(axes))
    counts = _counts(a.shape[-axes:], k, s, p, d)
    return Term("unfold", (a,), (*a.shape[:-axes], *counts, *k), (k, s, p, d))


def fold(
    a: Term,
    lengths: Numbers,
    strides: Numbers | None = None,
    paddings: Numbers | None = None,
    dilations: Numbers | None = None,
) -> Term:
    """The adjoint of ``unfold``: entries of windows are added up where they came from,
    ``[…, T, K] → […, L]``.
    """
    axes = len(lengths)
    if a.rank < 2 * axes:
        raise ShapeError(
            f"windows along {2 * axes} axes or more in fold{axes}d", show_shape(a.shape)
        )
    n, s = _exprs(lengths), _exprs(strides or _ones(axes))
    p, d = _exprs(paddings or _zeros(axes)), _exprs(dilations or _ones(axes))
    counts, windows = a.shape[-2 * axes : -axes], a.shape[-axes:]
    wanted = _counts(n, windows, s, p, d)
    if not all(map(same_extent, counts, wanted)):
        raise ShapeError(
            f"{show_shape(wanted)} windows of {show_shape(windows)} for {show_shape(n)}",
            f"{show_shape(counts)} in {show_shape(a.shape)}",
        )
    return Term("fold", (a,), (*a.shape[: -2 * axes], *n), (n, s, p, d))


def pool(
    word: str,
    a: Term,
    windows: Numbers,
    strides: Numbers | None = None,
    paddings: Numbers | None = None,
) -> Term:
    """``maxpool`` or ``avgpool`` along the last axes; windows touch unless a stride is given."""
    axes = len(windows)
    if a.rank < axes:
        raise ShapeError(f"an array with {axes} axes or more in {word}{axes}d", show_shape(a.shape))
    k = _exprs(windows)
    s, p = _exprs(strides or k), _exprs(paddings or _zeros(axes))
    counts = _counts(a.shape[-axes:], k, s, p, _ones(axes))
    return Term(word, (a,), (*a.shape[:-axes], *counts), (k, s, p))
