"""NumPy code of operations that read arrays through windows, and their terms that kernels alone
have.

A correlation is a product of matrices with the *columns* of an array: ``columns(X)`` holds every
window of an image as a column, ``(N, C·K·J, T·S)``, and is computed once for the forward pass and
the kernel's gradient. What maximal pooling hands back goes to the first maximum of a window in
row-major order (``unpool``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce

from sympy import Expr

from symbackprop.backends.numpy.spelling import ATOM, Code, Spells
from symbackprop.ir import array_terms, terms
from symbackprop.ir.array_terms import count
from symbackprop.ir.terms import Shape, Term, same_shape
from symbackprop.ir.window_terms import window_count

Rule = Callable[[Spells, Term], Code]
Look = Callable[[Term], Term]  # what a name stands for
EVERY = slice(None)

# Terms of kernels


def columns(a: Term, windows: Shape, strides: Shape, paddings: Shape, dilations: Shape) -> Term:
    """Every window of an image as a column: ``(N, C·K·J, T·S)`` of an array ``(N, C, H, W)``."""
    axes = len(windows)
    rows = zip(a.shape[-axes:], windows, strides, paddings, dilations, strict=True)
    places = [window_count(*row) for row in rows]
    shape = (a.shape[0], count((a.shape[1], *windows)), count(places))
    return Term("columns", (a,), shape, (windows, strides, paddings, dilations))


def correlation(t: Term) -> Term | None:
    """``conv2d(X, w) → w · columns(X)`` for images with channels and one group."""
    (a, w), (strides, paddings, dilations, groups) = t.args, t.attrs
    axes = len(strides)
    if w.rank != axes + 2 or a.rank != axes + 2 or groups != 1:
        return None
    found = columns(a, w.shape[2:], strides, paddings, dilations)
    flat = array_terms.reshape(w, (w.shape[0], count(w.shape[1:])))
    product = Term("matmul", (flat, found), (a.shape[0], w.shape[0], found.shape[2]))
    return array_terms.reshape(product, t.shape)


def kernel_gradient(t: Term, look: Look) -> Term | None:
    """``swap(conv2d(swap(X, 0, 1), swap(G, 0, 1)), 0, 1) → Σ_n G · columns(X)ᵀ``: the same columns
    as forward; of images with a single channel ``conv2d(X[:, 0], swap(G, 0, 1))``.
    """
    conv = t if t.op == "conv" else t.args[0]
    if conv.op != "conv" or conv.attrs[3] != 1 or not (t is conv or t.attrs == (0, 1)):
        return None
    a, g = conv.args
    strides, paddings, dilations, _ = conv.attrs
    if not (_is_swapped(g) and (_is_lone_channel(a) if t is conv else _is_swapped(a))):
        return None
    image, grad = a.args[0], g.args[0]
    if image.rank != grad.rank:
        return None
    found = columns(image, t.shape[-len(strides) :], dilations, paddings, strides)
    flat = array_terms.reshape(grad, (*grad.shape[:2], count(grad.shape[2:])))
    if not same_shape(flat.shape[2:], found.shape[2:]):
        return None
    product = terms.matmul(flat, array_terms.swap(found, 1, 2))
    return array_terms.reshape(terms.reduce("sum", product, (0,)), t.shape)


def _is_swapped(t: Term) -> bool:
    return t.op == "swap" and t.attrs == (0, 1)


def _is_lone_channel(t: Term) -> bool:
    """``X[:, 0]`` of images with one channel."""
    if t.op != "index" or t.args[0].rank < 2 or t.args[0].shape[1] != 1:
        return False
    items: tuple[object, ...] = t.attrs[0]
    return len(items) > 1 and items[1] == 0 and all(i == EVERY for i in (items[0], *items[2:]))


def unpooled(t: Term, look: Look) -> Term | None:
    """``fold2d(G[…, None, None] * (unfold2d(X) == P[…, None, None])) → unpool``, where P is the
    maximum of the windows of X.
    """
    for rest, seen, best in _masked(t.args[0]):
        if seen.op != "unfold" or not same_shape(t.shape, seen.args[0].shape):
            continue
        windows, strides, paddings, dilations = seen.attrs
        axes, image = len(windows), seen.args[0]
        p = _without_windows(best, axes)
        grads = [_without_windows(g, axes) if g.rank else g for g in rest]
        if p is None or t.attrs[1:] != (strides, paddings, dilations) or None in grads:
            continue
        if _is_maximum(p, image, (windows, strides, paddings), look):
            grad = _product([g for g in grads if g is not None])
            return Term("unpool", (grad, image, p), t.shape, (windows, strides, paddings))
    return None


def unpooled_tiles(t: Term, look: Look) -> Term | None:
    """``repeat(G, p) * (X == repeat(P, p)) → unpool``, further factors behind."""
    for rest, image, best in _masked(t):
        p, windows = _repeated(best)
        if not windows or p.rank != image.rank:
            continue
        for k, factor in enumerate(rest):
            grad, own = _repeated(factor)
            if own == windows and _is_maximum(p, image, (*[windows] * 2, None), look):
                zeros = tuple(n - n for n in windows)
                found = Term("unpool", (grad, image, p), t.shape, (windows, windows, zeros))
                return _product([found, *rest[:k], *rest[k + 1 :]])
    return None


def _masked(t: Term) -> Iterator[tuple[list[Term], Term, Term]]:
    """Each way to read a product as ``rest * (X == P)``."""
    factors = _factors(t)
    for k, mask in enumerate(factors):
        if mask.op == "compare" and mask.attrs[0] == "==":
            rest = factors[:k] + factors[k + 1 :]
            if rest:
                yield rest, mask.args[0], mask.args[1]
                yield rest, mask.args[1], mask.args[0]


def _factors(t: Term) -> list[Term]:
    return [f for a in t.args for f in _factors(a)] if t.op == "mul" else [t]


def _product(factors: Sequence[Term]) -> Term:
    return reduce(terms.mul, factors)


def _repeated(t: Term) -> tuple[Term, Shape]:
    """What is repeated along the last axes, and how often along each."""
    times: dict[int, Expr] = {}
    while t.op == "repeat":
        count_, axis = t.attrs
        if axis in times:
            break
        times[axis] = count_
        t = t.args[0]
    axes = sorted(times)
    if axes != list(range(t.rank - len(axes), t.rank)):
        return t, ()
    return t, tuple(times[k] for k in axes)


def _is_maximum(p: Term, image: Term, attrs: tuple[Shape | None, ...], look: Look) -> bool:
    """Whether ``p`` is by definition the maximum of these windows of ``image``."""
    pool = look(p)
    if pool.op != "maxpool" or look(pool.args[0]) != look(image):
        return False
    own = pool.attrs if attrs[2] is not None else (*pool.attrs[:2], None)
    return own == attrs and (attrs[2] is not None or not any(pool.attrs[2]))


def _without_windows(t: Term, axes: int) -> Term | None:
    """``G`` of ``G[…, None, None]``."""
    items = t.attrs[0] if t.op == "index" else ()
    if not items or items[-axes:] != (None,) * axes or any(i != EVERY for i in items[:-axes]):
        return None
    return t.args[0] if len(items) - axes == t.args[0].rank else None


# Their code, and that of the terms of the language


def numbers(w: Spells, values: Shape) -> str:
    """The code of a tuple of extents."""
    inner = ", ".join(w.extent(v) for v in values)
    return f"({inner},)" if len(values) == 1 else f"({inner})"


def arguments(w: Spells, t: Term) -> str:
    """The attributes as further arguments, with a leading comma."""
    return "".join(f", {numbers(w, v) if isinstance(v, tuple) else w.extent(v)}" for v in t.attrs)


def _call(w: Spells, t: Term) -> Code:
    operands = ", ".join(w.source(a) for a in t.args)
    return f"{HELPERS[t.op]}({operands}{arguments(w, t)})", ATOM


HELPERS: Mapping[str, str] = {
    "conv": "_conv", "unfold": "_windows", "fold": "_fold", "maxpool": "_maxpool",
    "avgpool": "_avgpool", "columns": "_columns", "unpool": "_unpool",
}  # fmt: skip
RULES: Mapping[str, Rule] = dict.fromkeys(HELPERS, _call)
#: Those that can leave their value in a given array.
BUFFERED = frozenset({"conv", "fold", "maxpool", "avgpool", "columns", "unpool"})
#: Helpers, and those that they call.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "conv": ("columns", "windows", "padded"), "columns": ("windows", "padded"),
    "windows": ("padded",), "fold": ("taps",), "maxpool": ("taps", "padded"),
    "avgpool": ("taps", "padded"), "unpool": ("taps", "padded"),
}  # fmt: skip


def helpers_in(is_called: Callable[[str], bool]) -> tuple[str, ...]:
    """The helpers that code calls, with those that they call, in the table's order."""
    called = [h for h in NEEDS if is_called(f"_{h}")]
    needed = {n for h in called for n in (h, *NEEDS[h])}
    return tuple(h for h in (*NEEDS, "taps", "padded") if h in needed)
