"""Terms as text: the inverse of the reader, with no bracket more than Python's precedences need.

``show(term)`` gives array notation, ``show_entry(expr)`` index notation, ``show_equation`` a line
of a model. What the elaborator produces is printed so that reading it again gives the same term.
Only ``broadcast`` is said in other words: as a product with ``ones`` or a sum with ``zeros``; and
an array given by its entries has no array notation, so its entry is shown.

>>> from symbackprop.ir import terms
>>> show(terms.mul(terms.number(2), terms.sub(terms.name("yhat"), terms.name("y"))))
'2 * (yhat - y)'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symbackprop.ir import array_terms
from symbackprop.ir.program import Equation
from symbackprop.ir.terms import Term
from symbackprop.notation.entry_printer import (
    COMPARE,
    POSTFIX,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    entry_with_level,
    extent_with_level,
    show_entry,
    show_extent,
)
from symbackprop.notation.numbers import show_number
from symbackprop.notation.words import ELEMENTWISE, REDUCTIONS

__all__ = ["show", "show_entry", "show_equation", "show_extent", "show_index_equation"]

Shown = tuple[str, int]


def show(term: Term) -> str:
    """``term`` in the language of model files."""
    return _shown(term)[0]


def show_equation(equation: Equation) -> str:
    """``Z = X @ W.T + b``; by entries if it was written so."""
    if equation.term.op == "entries" and equation.term.attrs[0]:
        return show_index_equation(equation)
    return f"{equation.name} = {show(equation.term)}"


def show_index_equation(equation: Equation) -> str:
    """``Z[n,m] = sum[d](X[n,d]*W[m,d]) + b[m]``."""
    left = f"[{','.join(i.name for i in equation.indices)}]" if equation.indices else ""
    return f"{equation.name}{left} = {show_entry(equation.rhs, equation.indices)}"


def _shown(term: Term) -> Shown:
    return _PRINTERS[term.op](term)


def _at(term: Term, level: int) -> str:
    """``term``, in brackets where it binds less than ``level``."""
    text, own = _shown(term)
    return text if own >= level else f"({text})"


def _name(term: Term) -> Shown:
    return str(term.attrs[0]), POSTFIX


def _number(term: Term) -> Shown:
    value, *written = term.attrs
    text = str(written[0]) if written else show_number(value)
    return text, PRODUCT if "/" in text else UNARY if text.startswith("-") else POSTFIX


def _dim(term: Term) -> Shown:
    return extent_with_level(term.attrs[0])


def _binary(op: str, level: int) -> Callable[[Term], Shown]:
    def printer(term: Term) -> Shown:
        a, b = term.args
        return f"{_at(a, level)} {op} {_at(b, level + 1)}", level

    return printer


def _power(term: Term) -> Shown:
    base, exponent = term.args
    return f"{_at(base, POSTFIX)}**{_at(exponent, UNARY)}", POWER


def _neg(term: Term) -> Shown:
    return f"-{_at(term.args[0], UNARY)}", UNARY


def _compare(term: Term) -> Shown:
    a, b = term.args
    return f"{_at(a, SUM)} {term.attrs[0]} {_at(b, SUM)}", COMPARE


def _transpose(term: Term) -> Shown:
    return f"{_at(term.args[0], POSTFIX)}.T", POSTFIX


def _called(word: str, *arguments: str) -> Shown:
    return f"{word}({', '.join(arguments)})", POSTFIX


def _call(term: Term) -> Shown:
    return _called(term.op, *(show(a) for a in term.args))


def _apply(term: Term) -> Shown:
    name, operands = term.attrs[0], term.args
    _, defaults = ELEMENTWISE.get(name, (0, ()))
    while (
        defaults
        and len(operands) > 1
        and operands[-1].op == "number"
        and operands[-1].attrs[0] == defaults[-1]
    ):
        operands, defaults = operands[:-1], defaults[:-1]
    return _called(name, *(show(a) for a in operands))


def _reduction(term: Term) -> Shown:
    axes, keepdims = term.attrs
    options = []
    if axes is not None:
        options.append(
            f"axis={axes[0]}" if len(axes) == 1 else f"axis=({', '.join(str(a) for a in axes)})"
        )
    if keepdims:
        options.append("keepdims=True")
    return _called(term.op, show(term.args[0]), *options)


def _along(term: Term) -> Shown:
    options = [f"axis={term.attrs[0]}"] if term.rank > 1 else []
    return _called(term.op, show(term.args[0]), *options)


def _filled(term: Term) -> Shown:
    return _called(term.op, *(show_extent(e) for e in term.shape))


def _eye(term: Term) -> Shown:
    n, m = term.attrs
    return _called("eye", *(show_extent(e) for e in ((n,) if n == m else (n, m))))


def _item(item: object) -> str:
    if item is None:
        return "None"
    if isinstance(item, slice):
        start, stop = ("" if p is None else show_extent(p) for p in (item.start, item.stop))
        return f"{start}:{stop}" if item.step is None else f"{start}:{stop}:{item.step}"
    return show_extent(item)


def _index(term: Term) -> Shown:
    return f"{_at(term.args[0], POSTFIX)}[{', '.join(_item(i) for i in term.attrs[0])}]", POSTFIX


def _broadcast(term: Term) -> Shown:
    (inner,) = term.args
    extents = ", ".join(show_extent(e) for e in term.shape)
    if inner.op == "number" and inner.attrs[0] in (0, 1):
        return _called("ones" if inner.attrs[0] == 1 else "zeros", extents)
    text, level = _shown(inner)
    if level == SUM:
        return f"{text} + zeros({extents})", SUM
    return f"{_at(inner, PRODUCT)} * ones({extents})", PRODUCT


def _take(term: Term) -> Shown:
    a, picked = term.args
    (axis,) = term.attrs
    items = ", ".join([":"] * axis + [show(picked)])
    return f"{_at(a, POSTFIX)}[{items}]", POSTFIX


def _gather(term: Term) -> Shown:
    a, *picked = term.args
    return f"{_at(a, POSTFIX)}[{', '.join(show(p) for p in picked)}]", POSTFIX


def _onehot(term: Term) -> Shown:
    return _called("onehot", show(term.args[0]), show_extent(term.attrs[0]))


def _with_number(default: int | None = None) -> Callable[[Term], Shown]:
    """``f(x, k)``; without k where it is the default."""

    def printer(term: Term) -> Shown:
        (k,) = term.attrs
        further = [] if k == default else [str(k)]
        return _called(term.op, show(term.args[0]), *further)

    return printer


def _cumsum(term: Term) -> Shown:
    options = [f"axis={term.attrs[0]}"] if term.rank > 1 else []
    return _called("cumsum", show(term.args[0]), *options)


def _swap(term: Term) -> Shown:
    return _called("swap", show(term.args[0]), *(str(k) for k in term.attrs))


def _reshape(term: Term) -> Shown:
    return _called("reshape", show(term.args[0]), *(show_extent(e) for e in term.shape))


def _flip(term: Term) -> Shown:
    (axes,) = term.attrs
    every = len(axes) == term.rank
    listed = str(axes[0]) if len(axes) == 1 else f"({', '.join(str(k) for k in axes)})"
    return _called("flip", show(term.args[0]), *([] if every else [f"axis={listed}"]))


def _repeat(term: Term) -> Shown:
    times, axis = term.attrs
    options = [f"axis={axis}"] if axis != term.rank - 1 else []
    return _called("repeat", show(term.args[0]), show_extent(times), *options)


def _pad(term: Term) -> Shown:
    """``pad`` of the last axis, ``pad2d`` of the last two; of other axes by joining zeros."""
    (a,), (widths,) = term.args, term.attrs
    first = next((k for k, w in enumerate(widths) if any(p != 0 for p in w)), len(widths) - 1)
    shown = [_width(*w) for w in widths[first:]]
    if len(shown) <= 2:
        return _called("pad" if len(shown) == 1 else "pad2d", show(a), *shown)
    if all(not any(w) for w in widths[first + 1 :]):
        moved = array_terms.swap(a, first, term.rank - 1)
        inner = array_terms.pad(moved, widths[first : first + 1])
        return _shown(array_terms.swap(inner, first, term.rank - 1))
    inner = array_terms.pad(a, [*widths[: first + 1], *[(0, 0)] * (term.rank - first - 1)])
    return _shown(array_terms.pad(inner, [(0, 0), *widths[first + 1 :]]))


def _width(before: object, after: object) -> str:
    return (
        show_extent(before)
        if before == after
        else (f"({show_extent(before)}, {show_extent(after)})")
    )


def _joined(term: Term) -> Shown:
    (axis,) = term.attrs
    options = [] if axis == 0 else [f"axis={axis}"]
    return _called(term.op, *(show(a) for a in term.args), *options)


def _per_axis(numbers: Sequence[Any]) -> str:
    """One number where all axes have the same, else a pair."""
    shown = [show_extent(n) for n in numbers]
    return shown[0] if len(set(shown)) == 1 else f"({', '.join(shown)})"


def _told(**options: Sequence[Any]) -> list[str]:
    """What a window is told and does not go without saying."""
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    return [
        f"{word}={_per_axis(numbers)}"
        for word, numbers in options.items()
        if any(n != usual[word] for n in numbers)
    ]


def _correlation(term: Term) -> Shown:
    strides, paddings, dilations, groups = term.attrs
    options = _told(stride=strides, padding=paddings, dilation=dilations, groups=(groups,))
    return _called(f"conv{len(strides)}d", *(show(a) for a in term.args), *options)


def _windows(term: Term) -> Shown:
    """``unfold`` with the extents of the window, ``fold`` with those of the result."""
    extents, strides, paddings, dilations = term.attrs
    options = _told(stride=strides, padding=paddings, dilation=dilations)
    shown = (show_extent(e) for e in extents)
    return _called(f"{term.op}{len(extents)}d", show(term.args[0]), *shown, *options)


def _pool(term: Term) -> Shown:
    """The stride is left out where windows touch."""
    windows, strides, paddings = term.attrs
    options = [f"stride={_per_axis(strides)}"] if strides != windows else []
    options += _told(padding=paddings)
    shown = (show(term.args[0]), _per_axis(windows), *options)
    return _called(f"{term.op}{len(windows)}d", *shown)


def _einsum(term: Term) -> Shown:
    return _called("einsum", f'"{term.attrs[0]}"', *(show(a) for a in term.args))


def _series(term: Term) -> Shown:
    letter, first, last = term.attrs
    ends = f"{show_extent(first)}..{show_extent(last)}"
    return f"sum[{letter} in {ends}]({show(term.args[0])})", POSTFIX


def _entries(term: Term) -> Shown:
    return entry_with_level(term.attrs[1], term.attrs[0])


_PRINTERS: dict[str, Callable[[Term], Shown]] = {
    "name": _name, "number": _number, "dim": _dim, "constant": _name,
    "add": _binary("+", SUM), "sub": _binary("-", SUM),
    "mul": _binary("*", PRODUCT), "div": _binary("/", PRODUCT), "matmul": _binary("@", PRODUCT),
    "pow": _power, "neg": _neg, "transpose": _transpose, "apply": _apply, "compare": _compare,
    **dict.fromkeys(REDUCTIONS.values(), _reduction),
    "softmax": _along, "log_softmax": _along,
    **dict.fromkeys(("where", "dot", "outer", "diag", "trace"), _call),
    **dict.fromkeys(("inv", "det", "logdet", "cholesky", "kron", "vec"), _call),
    "matpow": _with_number(), "tril": _with_number(0), "triu": _with_number(0), "cumsum": _cumsum,
    "take": _take, "gather": _gather, "onehot": _onehot, "swap": _swap, "reshape": _reshape,
    "flip": _flip, "repeat": _repeat, "pad": _pad, "concat": _joined, "stack": _joined,
    "ones": _filled, "zeros": _filled, "arange": _filled, "eye": _eye,
    "conv": _correlation, "unfold": _windows, "fold": _windows, "maxpool": _pool, "avgpool": _pool,
    "index": _index, "broadcast": _broadcast, "einsum": _einsum, "entries": _entries,
    "series": _series,
}  # fmt: skip
