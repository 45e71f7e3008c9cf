"""Correlation, windows and pooling on NumPy arrays, written for reading: the corpus' meaning with
stride, padding, dilation and groups.

``correlation_by_loops`` and ``pool_by_loops`` say entry by entry what is meant; the functions of
the language below use views and are tested against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = Any
Numbers = int | Sequence[int]


def per_axis(numbers: Numbers, axes: int) -> tuple[int, ...]:
    return tuple(numbers) if isinstance(numbers, Sequence) else (int(numbers),) * axes


def padded(x: Array, widths: Sequence[int], value: float = 0.0) -> Array:
    """``widths`` zeros on both sides of each of the last axes."""
    before = [(0, 0)] * (x.ndim - len(widths))
    return np.pad(x, [*before, *((p, p) for p in widths)], constant_values=value)


def unfolded(
    x: Array, windows: Sequence[int], stride: Numbers = 1, padding: Numbers = 0,
    dilation: Numbers = 1, value: float = 0.0,
) -> Array:  # fmt: skip
    """``[…, L] → […, T, K]`` and ``[…, H, W] → […, T, S, K, J]``."""
    axes = len(windows)
    s, p, d = (per_axis(n, axes) for n in (stride, padding, dilation))
    reach = tuple(step * (k - 1) + 1 for step, k in zip(d, windows, strict=True))
    views = sliding_window_view(padded(x, p, value), reach, axis=tuple(range(-axes, 0)))
    every = (..., *(slice(None, None, n) for n in s), *(slice(None, None, n) for n in d))
    return views[every]


def folded(
    w: Array, lengths: Sequence[int], stride: Numbers = 1, padding: Numbers = 0,
    dilation: Numbers = 1,
) -> Array:  # fmt: skip
    """Entries of windows added up where they came from, one place in the window at a time."""
    axes = len(lengths)
    s, p, d = (per_axis(n, axes) for n in (stride, padding, dilation))
    counts, windows = w.shape[-2 * axes : -axes], w.shape[-axes:]
    out = padded(np.zeros((*w.shape[: -2 * axes], *lengths)), p)
    for k in product(*map(range, windows)):
        at = tuple(
            slice(gap * i, gap * i + step * (n - 1) + 1, step)
            for i, n, step, gap in zip(k, counts, s, d, strict=True)
        )
        out[(..., *at)] += w[(..., *k)]
    return out[(..., *(slice(n, n + e) for n, e in zip(p, lengths, strict=True)))]


def correlation(axes: int) -> Callable[..., Array]:
    """``conv1d`` or ``conv2d``."""
    t, k = "ts"[:axes], "kj"[:axes]

    def conv(
        x: Array, w: Array, stride: Numbers = 1, padding: Numbers = 0, dilation: Numbers = 1,
        groups: int = 1,
    ) -> Array:  # fmt: skip
        views = unfolded(x, w.shape[-axes:], stride, padding, dilation)
        if w.ndim == axes:
            return np.einsum(f"...{t}{k},{k}->...{t}", views, w)
        each, out = x.shape[-axes - 1] // groups, w.shape[0] // groups
        parts = [
            np.einsum(
                f"...c{t}{k},oc{k}->...o{t}",
                views.take(range(g * each, (g + 1) * each), axis=-2 * axes - 1),
                w[g * out : (g + 1) * out],
            )
            for g in range(groups)
        ]
        return np.concatenate(parts, axis=-axes - 1)

    return conv


def pool(axes: int, reduce: Callable[..., Array], outside: float) -> Callable[..., Array]:
    """``maxpool`` or ``avgpool``; windows touch unless a stride is given."""

    def pooled(x: Array, p: Numbers, stride: Numbers | None = None, padding: Numbers = 0) -> Array:
        windows = per_axis(p, axes)
        views = unfolded(x, windows, windows if stride is None else stride, padding, 1, outside)
        return reduce(views, axis=tuple(range(-axes, 0)))

    return pooled


def width(p: Numbers) -> tuple[int, int]:
    return (p[0], p[1]) if isinstance(p, Sequence) else (p, p)


def pad(x: Array, p: Numbers) -> Array:
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [width(p)])


def pad2d(x: Array, p: Numbers, q: Numbers) -> Array:
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [width(p), width(q)])


def unfold1d(x: Array, width: int, *options: Any, **named: Any) -> Array:
    return unfolded(x, (width,), *options, **named)


def unfold2d(x: Array, height: int, width: int, *options: Any, **named: Any) -> Array:
    return unfolded(x, (height, width), *options, **named)


def fold1d(w: Array, length: int, *options: Any, **named: Any) -> Array:
    return folded(w, (length,), *options, **named)


def fold2d(w: Array, height: int, width: int, *options: Any, **named: Any) -> Array:
    return folded(w, (height, width), *options, **named)


# fmt: off
FUNCTIONS: dict[str, Callable[..., Array]] = {
    "conv1d": correlation(1), "conv2d": correlation(2), "unfold1d": unfold1d,
    "unfold2d": unfold2d, "fold1d": fold1d, "fold2d": fold2d, "pad": pad, "pad2d": pad2d,
    "avgpool1d": pool(1, np.mean, 0.0), "maxpool1d": pool(1, np.max, -np.inf),
    "avgpool2d": pool(2, np.mean, 0.0), "maxpool2d": pool(2, np.max, -np.inf),
}
# fmt: on


# The same by loops, entry by entry


def counts(
    lengths: Sequence[int], windows: Sequence[int], s: Sequence[int], p: Sequence[int],
    d: Sequence[int],
) -> tuple[int, ...]:  # fmt: skip
    rows = zip(lengths, windows, s, p, d, strict=True)
    return tuple((n + 2 * b - g * (k - 1) - 1) // a + 1 for n, k, a, b, g in rows)


def places(
    t: Sequence[int], windows: Sequence[int], lengths: Sequence[int], s: Sequence[int],
    p: Sequence[int], d: Sequence[int],
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:  # fmt: skip
    """Each place in the window ``t`` with the place in the array, if it lies inside."""
    for k in product(*map(range, windows)):
        at = tuple(a * i + g * j - b for i, j, a, b, g in zip(t, k, s, p, d, strict=True))
        if all(0 <= i < n for i, n in zip(at, lengths, strict=True)):
            yield k, at


def correlation_by_loops(
    x: Array, w: Array, stride: int, padding: int, dilation: int, groups: int
) -> Array:
    """``x`` is [N, C, …] and ``w`` [O, C/groups, …]."""
    axes = x.ndim - 2
    s, p, d = (per_axis(n, axes) for n in (stride, padding, dilation))
    lengths, windows = x.shape[2:], w.shape[2:]
    out = np.zeros((x.shape[0], w.shape[0], *counts(lengths, windows, s, p, d)))
    each = w.shape[0] // groups
    for n, o, *t in np.ndindex(*out.shape):
        for k, at in places(t, windows, lengths, s, p, d):
            for c in range(w.shape[1]):
                channel = o // each * w.shape[1] + c
                out[(n, o, *t)] += x[(n, channel, *at)] * w[(o, c, *k)]
    return out


def slopes_by_loops(
    x: Array, w: Array, g: Array, stride: int, padding: int, dilation: int, groups: int
) -> tuple[Array, Array]:
    """The gradients of ``sum(g * conv(x, w))`` with respect to ``x`` and ``w``."""
    axes = x.ndim - 2
    s, p, d = (per_axis(n, axes) for n in (stride, padding, dilation))
    dx, dw, each = np.zeros_like(x), np.zeros_like(w), w.shape[0] // groups
    for n, o, *t in np.ndindex(*g.shape):
        for k, at in places(t, w.shape[2:], x.shape[2:], s, p, d):
            for c in range(w.shape[1]):
                channel = o // each * w.shape[1] + c
                dx[(n, channel, *at)] += g[(n, o, *t)] * w[(o, c, *k)]
                dw[(o, c, *k)] += g[(n, o, *t)] * x[(n, channel, *at)]
    return dx, dw
