"""One total-derivative function, from which reverse mode, Jacobians, Hessians and Hessian–vector
products all come.

``differential(e, tangent)`` is the derivative of an index expression along a *tangent*: a function
that says what the derivative of an entry is. With ``tangent(X[i,j]) = δ(i,k) δ(j,l)`` it is
∂e/∂X[k,l]; with ``tangent(X[i,j]) = V[i,j]`` it is a directional derivative. There is no rule per
layer: sums, powers, products and slopes of scalar functions are all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatch

from sympy import Add, Expr, Integer, Mul, Pow, Symbol

from symbackprop.errors import NotSupported
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
    entry_names,
    free_indices,
    fresh_index,
    substitute,
)
from symbackprop.ir.functions import PRIMITIVES, FunctionRule
from symbackprop.ir.matrix_functions import matrix_rule

Tangent = Callable[[Entry], Expr]
Recur = Callable[[Expr], Expr]


def differential(
    e: Expr, tangent: Tangent, moving: frozenset[str], rules: Mapping[str, FunctionRule]
) -> Expr:
    """The derivative of ``e`` along ``tangent``; only arrays named in ``moving`` have one.

    Raises
    ------
    NotSupported
        If ``e`` holds a node whose derivative is not known.
    """

    def recur(x: Expr) -> Expr:
        if not (entry_names(x) & moving):
            return Integer(0)
        return _rule(x, recur, tangent, rules)

    return recur(e)


@singledispatch
def _rule(e: Expr, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    raise NotSupported("an expression with a known derivative", f"{type(e).__name__}: {e}")


@_rule.register
def _(e: Entry, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    return tangent(e)


@_rule.register
def _(e: Add, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    return Add(*(recur(a) for a in e.args))


@_rule.register
def _(e: Mul, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """Product rule."""
    return Add(*(Mul(*e.args[:k], recur(a), *e.args[k + 1 :]) for k, a in enumerate(e.args)))


@_rule.register
def _(e: Pow, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """``(uᵛ)' = v uᵛ⁻¹ u' + uᵛ log(u) v'``."""
    by_base = e.exp * Pow(e.base, e.exp - 1) * recur(e.base)
    by_exponent = recur(e.exp)
    return by_base if by_exponent == 0 else by_base + e * Apply("log", e.base) * by_exponent


@_rule.register
def _(e: IndexSum, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    body = recur(e.body)
    return Integer(0) if body == 0 else IndexSum(body, *e.bound)


@_rule.register
def _(e: IndexMax, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """``(max_s x_s)' = Σ_s [x_s = max] x_s'``: away from ties one s alone is counted."""
    taken = free_indices(e.body) | set(e.bound)
    renaming = {i: fresh_index(i, taken) for i in e.bound}
    return IndexSum(
        Compare("==", e.body, IndexMax(substitute(e.body, renaming), *renaming.values()))
        * recur(e.body),
        *e.bound,
    )


@_rule.register
def _(e: IndexProduct, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """``(Π_s x_s)' = Π_s x_s · Σ_s x_s' / x_s`` where no factor is 0."""
    return e * IndexSum(recur(e.body) / e.body, *e.bound)


@_rule.register
def _(e: Apply, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """Chain rule with the textbook slope; an abstract ``f`` has the slopes ``f_prime``,
    ``f_pprime``.
    """
    inner = [recur(u) for u in e.operands]
    return Add(*(slope * du for slope, du in zip(slopes(e, rules), inner, strict=True) if du != 0))


def slopes(e: Apply, rules: Mapping[str, FunctionRule]) -> tuple[Expr, ...]:
    """The partial derivatives of a scalar function at its operands."""
    rule = PRIMITIVES[e.name].rule if e.name in PRIMITIVES else rules.get(e.name)
    if rule is not None:
        return tuple(rule.at(s, e.operands) for s in rule.slopes)
    if e.name.endswith("_pprime"):
        raise NotSupported(
            "at most two derivatives of an abstract function", f"the derivative of {e.name}"
        )
    following = (
        e.name[: -len("_prime")] + "_pprime" if e.name.endswith("_prime") else e.name + "_prime"
    )
    return (Apply(following, *e.operands),)


@_rule.register
def _(e: Where, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    condition, a, b = e.args
    return Where(condition, recur(a), recur(b))


@_rule.register
def _(e: MatrixFunction, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """``Σ_{k,l} slope[k,l] A[k,l]'`` with the slope of the function's row."""
    k, l = (Index(f"_{word}", e.extent) for word in ("row", "column"))  # noqa: E741
    moved = tangent(Entry(e.name, k, l))
    return IndexSum(matrix_rule(e.function).slope(e, k, l) * moved, k, l)


@_rule.register(Compare)
@_rule.register(FloorDiv)
@_rule.register(Modulo)
@_rule.register(Delta)
@_rule.register(InRange)
@_rule.register(Symbol)
def _(e: Expr, recur: Recur, tangent: Tangent, rules: Mapping[str, FunctionRule]) -> Expr:
    """Indicators are constant wherever they are differentiable."""
    return Integer(0)
