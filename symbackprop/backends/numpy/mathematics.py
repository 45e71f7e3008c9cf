"""What a statement computes, as mathematics on one line of Unicode, for the comment beside it.

The code says ``grad_W = grad_Z.T @ X``; the comment says ``∇W = ∇Zᵀ X``, where ``∇W`` is short for
the gradient of the output by ``W``. What has no sign of its own is written as in the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sympy import Expr, Symbol

from symbackprop.backends.numpy.economy import OPERATIONS
from symbackprop.ir.terms import Term
from symbackprop.notation.text_printer import show

SUM, PRODUCT, FACTOR, ATOM = range(1, 5)
Text = tuple[str, int]
_DIGITS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def mathematics(key: str, term: Term) -> str:
    """``key = term`` in mathematical signs."""
    if term.op == "entries":
        place = f"[{','.join(i.name for i in term.attrs[0])}]" if term.attrs[0] else ""
        entry = re.sub(r"\bsum\[([\w,]+)\]", r"Σ_\1 ", show(term))
        return f"{symbol(key)}{place} = {entry}"
    return f"{symbol(key)} = {_text(term)[0]}"


def symbol(key: str) -> str:
    """An adjoint as a gradient; any other name as it stands."""
    return f"∇{key.removeprefix('grad_')}" if key.startswith("grad_") else key


def _text(term: Term) -> Text:
    rule = _RULES.get(term.op)
    if rule is not None:
        return rule(term)
    if _is_of_kernels(term):
        return f"{term.op}({', '.join(_text(a)[0] for a in term.args)})", ATOM
    return show(term), ATOM


def _is_of_kernels(term: Term) -> bool:
    """Whether some operation in ``term`` is none of the language."""
    return term.op in OPERATIONS or any(_is_of_kernels(a) for a in term.args)


def _inside(term: Term, level: int) -> str:
    text, own = _text(term)
    return text if own >= level else f"({text})"


def _sum(sign: str) -> Callable[[Term], Text]:
    right = SUM + (sign == "-")
    return lambda t: (f"{_inside(t.args[0], SUM)} {sign} {_inside(t.args[1], right)}", SUM)


def _mul(t: Term) -> Text:
    """Entry by entry between arrays; a scalar stands before or after a dot."""
    sign = "⊙" if all(a.rank for a in t.args) else "·"
    return f"{_inside(t.args[0], PRODUCT)} {sign} {_inside(t.args[1], FACTOR)}", PRODUCT


def _matmul(t: Term) -> Text:
    left, right = t.args
    first = _inside(left, FACTOR if left.op != "matmul" else PRODUCT)
    if left.rank == 1:  # a vector on the left is a row
        first = f"{_inside(left, ATOM)}ᵀ"
    return f"{first} {_inside(right, FACTOR)}", PRODUCT


def _outer(t: Term) -> Text:
    return f"{_inside(t.args[0], FACTOR)} {_inside(t.args[1], ATOM)}ᵀ", PRODUCT


def _dot(t: Term) -> Text:
    return f"{_inside(t.args[0], ATOM)}ᵀ {_inside(t.args[1], FACTOR)}", PRODUCT


def _pow(t: Term) -> Text:
    base, exponent = t.args
    if exponent.op == "number" and exponent.attrs[0].is_Integer:
        return f"{_inside(base, ATOM)}{str(exponent.attrs[0]).translate(_DIGITS)}", FACTOR
    return f"{_inside(base, ATOM)}^{_inside(exponent, ATOM)}", FACTOR


def _compare(t: Term) -> Text:
    """A condition as a number, in Iverson's brackets."""
    return f"[{_text(t.args[0])[0]} {t.attrs[0]} {_text(t.args[1])[0]}]", ATOM


def _apply(t: Term) -> Text:
    function = t.attrs[0]
    for suffix, mark in (("_pprime", "″"), ("_prime", "′")):
        if function.endswith(suffix):
            function = function.removesuffix(suffix) + mark
    if function == "step":
        return f"[{_text(t.args[0])[0]} > 0]", ATOM
    function = {"sigmoid": "σ"}.get(function, function)
    return f"{function}({', '.join(_text(a)[0] for a in t.args)})", ATOM


def _reduce(t: Term) -> Text:
    """``Σ_n u``: under the sign the letters of the axes."""
    axes = range(t.args[0].rank) if t.attrs[0] is None else t.attrs[0]
    letters = [_letter(t.args[0].shape[a]) for a in axes]
    if None in letters or len(set(letters)) != len(letters):
        return f"{t.op}({_text(t.args[0])[0]})", ATOM
    under = "".join(str(c) for c in letters)
    if t.op != "sum":
        return f"{t.op}_{under}({_text(t.args[0])[0]})", ATOM
    return f"Σ_{under} {_inside(t.args[0], PRODUCT)}", PRODUCT


def _letter(extent: Expr) -> str | None:
    return extent.name.lower() if isinstance(extent, Symbol) and len(extent.name) == 1 else None


# fmt: off
_RULES: Mapping[str, Callable[[Term], Text]] = {
    "name":      lambda t: (symbol(t.attrs[0]), ATOM),
    "add":       _sum("+"),
    "sub":       _sum("-"),
    "mul":       _mul,
    "div":       lambda t: (f"{_inside(t.args[0], PRODUCT)} / {_inside(t.args[1], ATOM)}", PRODUCT),
    "neg":       lambda t: (f"-{_inside(t.args[0], PRODUCT)}", SUM),
    "matmul":    _matmul,
    "outer":     _outer,
    "dot":       _dot,
    "transpose": lambda t: (f"{_inside(t.args[0], ATOM)}ᵀ", ATOM),
    "pow":       _pow,
    "apply":     _apply,
    "compare":   _compare,
    "sum":       _reduce,
    "mean":      _reduce,
    "max":       _reduce,
    "min":       _reduce,
    "softmax":   lambda t: (f"softmax({_text(t.args[0])[0]})", ATOM),
    "broadcast": lambda t: _text(t.args[0]),
}
# fmt: on
