"""From a term to a NumPy expression.

``Writer(names)`` knows the identifier of every name; ``writer.source(term)`` gives the code. One
table row an operation. Rules that the ablation table of the benchmarks asks for live here: powers
with small integer exponents are products, masks are boolean products, scalars stay Python numbers
(``np.sqrt(2)`` would be a ``np.float64`` and would silently turn float32 into float64).

>>> from symbackprop.ir.terms import add, matmul, name, transpose
>>> from sympy import symbols
>>> N, D, M = symbols("N D M")
>>> Z = add(matmul(name("X", (N, D)), transpose(name("W", (M, D)))), name("b", (M,)))
>>> Writer({"X": "X", "W": "W", "b": "b"}).source(Z)
'X @ W.T + b'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Rational, Symbol

from symbackprop.backends.numpy import arrays, windows
from symbackprop.backends.numpy.spelling import ADD, ATOM, MUL, NEG, POW, Code
from symbackprop.errors import NotSupported
from symbackprop.ir.terms import Term

# fmt: off
UFUNCS: Mapping[str, str] = {name: f"np.{name}" for name in (
    "exp", "log", "log1p", "expm1", "sqrt", "abs", "sign", "sin", "cos", "tanh", "sinh", "cosh",
    "maximum", "minimum", "square",
)}
# Functions for which the generated file carries a helper of its own, stable at every argument.
HELPERS: Mapping[str, str] = {name: f"_{name}" for name in (
    "sigmoid", "log_sigmoid", "softplus", "erf", "softmax", "log_softmax", "logsumexp",
)}
# Operations of kernels alone that come with a helper.
ARRAY_HELPERS: Mapping[str, str] = {name: f"_{name}" for name in ("scatter", "less_one")}
BINARY: Mapping[str, tuple[str, int]] = {
    "add": ("+", ADD), "sub": ("-", ADD), "mul": ("*", MUL), "div": ("/", MUL),
    "matmul": ("@", MUL),
}
REDUCTIONS: Mapping[str, str] = {
    op: f"np.{op}" for op in ("sum", "mean", "var", "max", "min", "prod")
}
# fmt: on
FOR_SCALARS = {"exp": "np.exp", "log": "np.log", "tanh": "np.tanh", "erf": "_erf"}


def is_static(term: Term) -> bool:
    """Whether only numbers, extents and constants occur: a plain Python number in the code."""
    if term.op in ("number", "dim", "constant"):
        return True
    return term.rank == 0 and bool(term.args) and all(is_static(a) for a in term.args)


def is_mask(term: Term) -> bool:
    """Whether NumPy would hold the value as booleans."""
    if term.op in ("transpose", "index", "broadcast"):
        return is_mask(term.args[0])
    return term.op == "compare" or (term.op == "apply" and term.attrs[0] == "step")


@dataclass(frozen=True, slots=True)
class Writer:
    """Spells terms, given the identifier of every array, function and extent."""

    names: Mapping[str, str]

    def source(self, term: Term) -> str:
        """The code of ``term`` as an expression of its own, never a bare mask."""
        return self._floating(term)[0] if is_mask(term) else self.code(term)[0]

    def code(self, term: Term) -> Code:
        """The code and how strongly its outermost operator binds."""
        if is_static(term) and term.op == "apply" and not is_mask(term):
            return self._static_call(term)
        rule = _RULES.get(term.op)
        if rule is None:
            raise NotSupported(
                "an operation that NumPy code can be written for",
                f"{term.op} of {', '.join(a.op for a in term.args) or 'nothing'}",
                hint="name the part with a definition in array notation and derive again",
            )
        return rule(self, term)

    def inside(self, term: Term, level: int) -> str:
        """The code of an operand, in parentheses where it binds more weakly than ``level``."""
        text, own = self._floating(term) if is_mask(term) else self.code(term)
        return text if own >= level else f"({text})"

    def factor(self, term: Term, level: int) -> str:
        """As :meth:`inside`, but a mask stays boolean: bool times float is a float."""
        text, own = self.code(term)
        return text if own >= level else f"({text})"

    def extent(self, e: Expr) -> str:
        """The code of an extent."""
        text = str(e.xreplace({s: Symbol(self.names[s.name]) for s in e.free_symbols}))
        return re.sub(r"(?<!\*)\*(?!\*)", " * ", text)

    def shape(self, shape: tuple[Expr, ...]) -> str:
        """The code of a shape: always a tuple."""
        inner = ", ".join(self.extent(e) for e in shape)
        return f"({inner},)" if len(shape) == 1 else f"({inner})"

    def _floating(self, term: Term) -> Code:
        text, own = self.code(term)
        if is_static(term):
            return f"float({text})", ATOM
        return f"{text if own >= ATOM else f'({text})'}.astype(dtype)", ATOM

    def _static_call(self, term: Term) -> Code:
        function, args = term.attrs[0], term.args
        if function == "sqrt":
            return f"{self.inside(args[0], ATOM)} ** 0.5", POW
        if function == "relu":
            return f"max({self.source(args[0])}, 0)", ATOM
        called = FOR_SCALARS.get(function, UFUNCS.get(function, HELPERS.get(function, function)))
        return f"float({called}({', '.join(self.source(a) for a in args)}))", ATOM


def decimal(q: Rational) -> Code:
    """An exact number as Python writes it: ``2``, ``0.5``, ``1 / 3``."""
    if q.q == 1:
        return (str(q.p), ATOM) if q.p >= 0 else (str(q.p), NEG)
    as_float = q.p / q.q
    if Rational(repr(as_float)) == q:
        return repr(as_float), ATOM if q.p >= 0 else NEG
    return f"{q.p} / {q.q}", MUL if q.p >= 0 else ADD


def _name(w: Writer, t: Term) -> Code:
    return w.names[t.attrs[0]], ATOM


def _dim(w: Writer, t: Term) -> Code:
    text = w.extent(t.attrs[0])
    return text, ATOM if text.isidentifier() else ADD


def _binary(w: Writer, t: Term) -> Code:
    sign, level = BINARY[t.op]
    part = w.factor if t.op == "mul" else w.inside
    # Products stand in parentheses beside a mixed product: a * (b @ c).
    left = level + 1 if level == MUL and t.args[0].op == "matmul" and t.op != "matmul" else level
    return f"{part(t.args[0], left)} {sign} {part(t.args[1], level + 1)}", level


def _neg(w: Writer, t: Term) -> Code:
    return f"-{w.inside(t.args[0], NEG if t.args[0].op != 'neg' else ATOM)}", NEG


def _pow(w: Writer, t: Term) -> Code:
    base, exponent = t.args
    p = exponent.attrs[0] if exponent.op == "number" else None
    if is_static(t):
        return f"{w.inside(base, ATOM)} ** {w.inside(exponent, ATOM)}", POW
    if p == 2:
        return f"np.square({w.source(base)})", ATOM
    if p == -2:
        return f"1 / np.square({w.source(base)})", MUL
    if p == -1:
        return f"1 / {w.inside(base, NEG)}", MUL
    if p == Rational(1, 2):
        return f"np.sqrt({w.source(base)})", ATOM
    if p == Rational(-1, 2):
        return f"1 / np.sqrt({w.source(base)})", MUL
    if p is not None and p.q == 1 and 2 < abs(p) <= 4:
        # A product is some three hundred times faster than the general power.
        product = " * ".join([w.inside(base, MUL + 1)] * abs(int(p)))
        return (product, MUL) if p > 0 else (f"1 / ({product})", MUL)
    return f"{w.inside(base, ATOM)} ** {w.inside(exponent, ATOM)}", POW


def _transpose(w: Writer, t: Term) -> Code:
    return (f"{w.factor(t.args[0], ATOM)}.T", ATOM) if t.rank == 2 else w.code(t.args[0])


def _apply(w: Writer, t: Term) -> Code:
    function = t.attrs[0]
    if function == "step":
        return f"{w.inside(t.args[0], ADD)} > 0", 0
    if function == "relu":
        return f"np.maximum({w.source(t.args[0])}, 0)", ATOM
    called = UFUNCS.get(function) or HELPERS.get(function) or w.names[function]
    return f"{called}({', '.join(w.source(a) for a in t.args)})", ATOM


def _compare(w: Writer, t: Term) -> Code:
    return f"{w.inside(t.args[0], ADD)} {t.attrs[0]} {w.inside(t.args[1], ADD)}", 0


def _where(w: Writer, t: Term) -> Code:
    condition, a, b = t.args
    chosen = f"np.where({w.factor(condition, 0)}, {w.source(a)}, {w.source(b)})"
    # Of two Python numbers NumPy would make float64 or integers.
    return (f"{chosen}.astype(dtype)" if is_static(a) and is_static(b) else chosen), ATOM


def axes_of(t: Term) -> str:
    """``axis=…, keepdims=True`` of a reduction, with a leading comma; empty where all is meant."""
    axes, keepdims = t.attrs
    over = (
        ""
        if axes is None or (len(axes) == t.args[0].rank and not keepdims)
        else (f", axis={axes[0] if len(axes) == 1 else axes}")
    )
    return over + (", keepdims=True" if keepdims else "")


def _reduce(w: Writer, t: Term) -> Code:
    return f"{REDUCTIONS[t.op]}({w.source(t.args[0])}{axes_of(t)})", ATOM


def _logsumexp(w: Writer, t: Term) -> Code:
    return f"_logsumexp({w.source(t.args[0])}{axes_of(t)})", ATOM


def _along(w: Writer, t: Term) -> Code:
    return f"_{t.op}({w.source(t.args[0])}, axis={t.attrs[0]})", ATOM


def _call(function: str) -> Callable[[Writer, Term], Code]:
    return lambda w, t: (f"{function}({', '.join(w.source(a) for a in t.args)})", ATOM)


def _filled(function: str) -> Callable[[Writer, Term], Code]:
    return lambda w, t: (f"{function}({w.shape(t.shape)}, dtype)", ATOM)


def _eye(w: Writer, t: Term) -> Code:
    rows, columns = (w.extent(e) for e in t.shape)
    return f"np.eye({rows if rows == columns else f'{rows}, {columns}'}, dtype=dtype)", ATOM


def _index(w: Writer, t: Term) -> Code:
    items = ", ".join(_item(w, i) for i in t.attrs[0])
    if is_static(t.args[0]):  # a Python number has no axes to add to
        return f"np.array({w.source(t.args[0])}, dtype)[{items}]", ATOM
    return f"{w.factor(t.args[0], ATOM)}[{items}]", ATOM


def _item(w: Writer, item: object) -> str:
    if item is None:
        return "None"
    if isinstance(item, slice):
        start = "" if item.start in (None, 0) else w.extent(Integer(0) + item.start)
        stop = "" if item.stop is None else w.extent(Integer(0) + item.stop)
        return f"{start}:{stop}" if item.step is None else f"{start}:{stop}:{item.step}"
    return w.extent(Integer(0) + item)


def _broadcast(w: Writer, t: Term) -> Code:
    return f"np.broadcast_to({w.source(t.args[0])}, {w.shape(t.shape)})", ATOM


def _einsum(w: Writer, t: Term) -> Code:
    operands = ", ".join(w.source(a) for a in t.args)
    return f'np.einsum("{t.attrs[0]}", {operands}, optimize=True)', ATOM


# fmt: off
_RULES: Mapping[str, Callable[[Writer, Term], Code]] = {
    "name":        _name,
    "number":      lambda w, t: decimal(t.attrs[0]),
    "dim":         _dim,
    "constant":    lambda w, t: (f"np.{t.attrs[0]}", ATOM),
    **dict.fromkeys(BINARY, _binary),
    "pow":         _pow,
    "neg":         _neg,
    "transpose":   _transpose,
    "apply":       _apply,
    "compare":     _compare,
    "where":       _where,
    **dict.fromkeys(REDUCTIONS, _reduce),
    "logsumexp":   _logsumexp,
    "softmax":     _along,
    "log_softmax": _along,
    "dot":         _call("np.dot"),
    "outer":       _call("np.outer"),
    "diag":        _call("np.diag"),
    "trace":       _call("np.trace"),
    "ones":        _filled("np.ones"),
    "zeros":       _filled("np.zeros"),
    "eye":         _eye,
    "arange":      lambda w, t: (f"np.arange({w.extent(t.shape[0])}, dtype=dtype)", ATOM),
    "index":       _index,
    "broadcast":   _broadcast,
    "einsum":      _einsum,
    **arrays.RULES,
    **windows.RULES,
}
# fmt: on
