"""Functions of ``-u`` by functions of ``u``: ``sigmoid(-u) → 1 − sigmoid(u)``, nothing spelled out.

A cheap step of a proof, before functions are spelled by exponentials. Of ``u`` and ``-u`` the one
is kept whose first term has a positive coefficient.
"""

from __future__ import annotations

from sympy import Add, Expr

from symbackprop.algebra.context import Context
from symbackprop.algebra.expand import expand
from symbackprop.algebra.naming import primitive
from symbackprop.ir.expressions import Apply, Delta, Entry, Index
from symbackprop.ir.functions import Z


def _f(name: str) -> Expr:
    return Apply(name, Z)


# fmt: off
REFLECTED: dict[str, Expr] = {    # f(-z), by f(z)
    "tanh":     -_f("tanh"),
    "sinh":     -_f("sinh"),
    "sin":      -_f("sin"),
    "erf":      -_f("erf"),
    "sign":     -_f("sign"),
    "cosh":     _f("cosh"),
    "cos":      _f("cos"),
    "abs":      _f("abs"),
    "sigmoid":  1 - _f("sigmoid"),
    "softplus": _f("softplus") - Z,
    "relu":     _f("relu") - Z,
    "silu":     _f("silu") - Z,
    "gelu":     _f("gelu") - Z,
}
# fmt: on


def reflect(e: Expr, context: Context) -> Expr:
    """``e`` with the functions above at arguments of one sign, inner ones first."""
    done: dict[Expr, Expr] = {}

    def visit(x: Expr) -> Expr:
        if not x.args or isinstance(x, Entry | Index | Delta):
            return x
        if x not in done:
            inner = x.func(*(visit(a) if a.args else a for a in x.args))
            reflects = isinstance(inner, Apply) and inner.name in REFLECTED
            done[x] = _reflected(inner, context) if reflects else inner
        return done[x]

    return visit(e)


def _reflected(e: Apply, context: Context) -> Expr:
    if context.rule(e.name) is None:
        return e
    u = expand(e.operands[0], context)
    content = primitive(u)[0] if isinstance(u, Add) else u.as_coeff_Mul()[0]
    if not content.is_negative:
        return Apply(e.args[0], u)
    return REFLECTED[e.name].xreplace({Z: expand(-u, context)})
