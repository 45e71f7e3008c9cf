"""Logistic functions recognised in exponentials: derivatives only, proofs go the other way.

* ``exp(u) / (1 + exp(u)) → sigmoid(u)``, ``1 / (1 + exp(u)) → sigmoid(-u)``
* ``(exp(u) - exp(-u)) / (exp(u) + exp(-u)) → tanh(u)``
* ``log(1 + exp(u)) → softplus(u)``
* ``1 - sigmoid(-u) → sigmoid(u)``
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.ir.expressions import Apply, Entry, Index


def recognise(e: Expr) -> Expr:
    """``e`` with logistic functions by name, at every depth; value is preserved."""
    if not e.args or isinstance(e, Entry | Index):
        return e
    if isinstance(e, Mul | Pow):
        return _sigmoids(e)
    e = e.func(*(recognise(a) if a.args else a for a in e.args))
    if isinstance(e, Add):
        return _complement(e)
    if isinstance(e, Apply) and e.name == "log":
        u = _exponent_of_one_plus_exp(e.operands[0])
        return e if u is None else Apply("softplus", u)
    return e


def _complement(e: Expr) -> Expr:
    """``1 - sigmoid(-u) → sigmoid(u)``; ``1 - sigmoid(u)`` stays, as people write it."""
    if len(e.args) == 2 and Integer(1) in e.args:
        (other,) = (a for a in e.args if a != 1)
        if isinstance(-other, Apply) and (-other).name == "sigmoid":
            (u,) = (-other).operands
            if u.as_coeff_Mul()[0].is_negative:
                return Apply("sigmoid", -u)
    return e


def _exponent_of_one_plus_exp(e: Expr) -> Expr | None:
    """``u`` of ``1 + exp(u)``, else None."""
    if isinstance(e, Add) and len(e.args) == 2 and Integer(1) in e.args:
        (other,) = (a for a in e.args if a != 1)
        if isinstance(other, Apply) and other.name == "exp":
            return other.operands[0]
    return None


def _sigmoids(e: Expr) -> Expr:
    powers: dict[Expr, Expr] = {}
    for f in Mul.make_args(e):
        base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        base = recognise(base)
        powers[base] = powers.get(base, Integer(0)) + exponent
    _hyperbolic_tangents(powers)
    for base in list(powers):
        u = _exponent_of_one_plus_exp(base)
        times = -powers[base]
        if u is None or not times.is_Integer or times <= 0:
            continue
        del powers[base]
        above = Apply("exp", u)
        taken = min(times, max(powers.get(above, Integer(0)), Integer(0)))
        powers[above] = powers.get(above, Integer(0)) - taken
        for name, count in ((Apply("sigmoid", u), taken), (Apply("sigmoid", -u), times - taken)):
            powers[name] = powers.get(name, Integer(0)) + count
    return Mul(*(Pow(b, x) for b, x in powers.items()))


def _hyperbolic_tangents(powers: dict[Expr, Expr]) -> None:
    """Each ``sinh / cosh`` that exponentials spell becomes a tangent, in place."""
    for below in [b for b, x in powers.items() if x == -1 and isinstance(b, Add)]:
        u = _exponent_of_pair(below)
        if u is None:
            continue
        difference = Apply("exp", u) - Apply("exp", -u)
        for above, name in ((difference, u), (-difference, -u)):
            if powers.get(above) == 1:
                del powers[below], powers[above]
                powers[Apply("tanh", name)] = powers.get(Apply("tanh", name), Integer(0)) + 1
                break


def _exponent_of_pair(e: Add) -> Expr | None:
    """``u`` of ``exp(u) + exp(-u)`` with a positive number in front, else None."""
    if len(e.args) != 2 or not all(isinstance(a, Apply) and a.name == "exp" for a in e.args):
        return None
    (u,), (v,) = (a.operands for a in e.args)
    if u + v != 0:
        return None
    return v if u.as_coeff_Mul()[0].is_negative else u
