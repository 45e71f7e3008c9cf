"""NumPy code of operations that move, join, pick and pad entries, and of whole matrices.

Arrays of integers index as they are; an ``arange`` between brackets is integer too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Integer

from symbackprop.backends.numpy.spelling import ATOM, Code, Spells
from symbackprop.ir.terms import Term

Rule = Callable[[Spells, Term], Code]


def _call(function: str) -> Rule:
    return lambda w, t: (f"{function}({', '.join(w.source(a) for a in t.args)})", ATOM)


def _with_attribute(function: str, word: str = "") -> Rule:
    """``f(x, k)``, or ``f(x, word=k)``."""
    return lambda w, t: (f"{function}({w.source(t.args[0])}, {word}{t.attrs[0]})", ATOM)


def _logdet(w: Spells, t: Term) -> Code:
    return f"np.linalg.slogdet({w.source(t.args[0])})[1]", ATOM


def _cholesky(w: Spells, t: Term) -> Code:
    """Of the symmetric part: NumPy itself reads one triangle only."""
    text = w.inside(t.args[0], ATOM)
    return f"np.linalg.cholesky(({text} + {text}.T) / 2)", ATOM


def _vec(w: Spells, t: Term) -> Code:
    return f"{w.inside(t.args[0], ATOM)}.T.reshape(-1)", ATOM


def _integers(w: Spells, t: Term) -> str:
    """An array of integers, as it may stand between brackets."""
    if t.op == "arange":
        return f"np.arange({w.extent(t.shape[0])})"
    text = w.code(t)[0]
    return f"({text}).astype(int)" if _has_arange(t) else text


def _has_arange(t: Term) -> bool:
    return t.op == "arange" or any(_has_arange(a) for a in t.args)


def _take(w: Spells, t: Term) -> Code:
    a, picked = t.args
    items = ", ".join([":"] * t.attrs[0] + [_integers(w, picked)])
    return f"{w.inside(a, ATOM)}[{items}]", ATOM


def _gather(w: Spells, t: Term) -> Code:
    a, *picked = t.args
    return f"{w.inside(a, ATOM)}[{', '.join(_integers(w, p) for p in picked)}]", ATOM


def _onehot(w: Spells, t: Term) -> Code:
    (picked,) = t.args
    every = ", ".join([":"] * picked.rank + ["None"])
    place = f"({_integers(w, picked)})" if picked.op != "name" else _integers(w, picked)
    at = f"{place}[{every}]" if picked.rank else place
    return f"({at} == np.arange({w.extent(t.attrs[0])})).astype(dtype)", ATOM


def _scatter(w: Spells, t: Term) -> Code:
    values, labels = t.args
    return (
        f"_scatter({w.source(values)}, {_integers(w, labels)}, {w.extent(t.attrs[0])})",
        ATOM,
    )


def _less_one(w: Spells, t: Term) -> Code:
    return f"_less_one({w.source(t.args[0])}, {_integers(w, t.args[1])})", ATOM


def _pick(w: Spells, t: Term) -> Code:
    a, labels = t.args
    at = _integers(w, labels)
    at = f"{at if labels.op == 'name' else f'({at})'}[..., None]"
    return f"np.take_along_axis({w.source(a)}, {at}, axis=-1)[..., 0]", ATOM


def _swap(w: Spells, t: Term) -> Code:
    return f"np.swapaxes({w.source(t.args[0])}, {t.attrs[0]}, {t.attrs[1]})", ATOM


def _reshape(w: Spells, t: Term) -> Code:
    return f"{w.inside(t.args[0], ATOM)}.reshape({w.shape(t.shape)})", ATOM


def _flip(w: Spells, t: Term) -> Code:
    (axes,) = t.attrs
    axis = str(axes[0]) if len(axes) == 1 else str(axes)
    return f"np.flip({w.source(t.args[0])}, axis={axis})", ATOM


def _repeat(w: Spells, t: Term) -> Code:
    times, axis = t.attrs
    return f"np.repeat({w.source(t.args[0])}, {w.extent(times)}, axis={axis})", ATOM


def _pad(w: Spells, t: Term) -> Code:
    (widths,) = t.attrs
    pairs = ", ".join(
        f"({w.extent(Integer(0) + before)}, {w.extent(Integer(0) + after)})"
        for before, after in widths
    )
    return f"np.pad({w.source(t.args[0])}, ({pairs}{',' if len(widths) == 1 else ''}))", ATOM


def _joined(function: str) -> Rule:
    def rule(w: Spells, t: Term) -> Code:
        parts = ", ".join(w.source(a) for a in t.args)
        comma = "," if len(t.args) == 1 else ""
        return f"{function}(({parts}{comma}), axis={t.attrs[0]})", ATOM

    return rule


# fmt: off
RULES: Mapping[str, Rule] = {
    "inv":    _call("np.linalg.inv"),
    "det":    _call("np.linalg.det"),
    "logdet": _logdet,
    "cholesky": _cholesky,
    "matpow": _with_attribute("np.linalg.matrix_power"),
    "kron":   _call("np.kron"),
    "vec":    _vec,
    "take":   _take,
    "gather": _gather,
    "onehot": _onehot,
    "tril":   _with_attribute("np.tril"),
    "triu":   _with_attribute("np.triu"),
    "cumsum": _with_attribute("np.cumsum", "axis="),
    "scatter":  _scatter,
    "less_one": _less_one,
    "pick":   _pick,
    "swap":   _swap,
    "reshape": _reshape,
    "flip":   _flip,
    "repeat": _repeat,
    "pad":    _pad,
    "concat": _joined("np.concatenate"),
    "stack":  _joined("np.stack"),
}
# fmt: on
