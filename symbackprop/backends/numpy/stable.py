"""Formulas that floating point cannot stand, replaced by equals that it can.

Softmax and log-sum-exp mean the unshifted formula; the shift is the kernel's business, and so is
that ``log(softmax(z))`` must never see the logarithm of an underflowed zero. A rule looks through
names: in ``P = softmax(Z)``, ``L = -sum(Y*log(P))`` the logarithm's argument is a softmax by its
definition. The helpers that the result calls (``log_softmax``, ``log_sigmoid``, ``softplus``) are
exact to rounding for every finite argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symbackprop.backends.numpy.definitions import written_out
from symbackprop.backends.numpy.terms import HELPERS, UFUNCS
from symbackprop.ir import terms
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.terms import Term

Definitions = Mapping[str, Term]
SPELLED = frozenset(UFUNCS) | frozenset(HELPERS) | {"relu", "step"}
ONE = terms.number(1)


def steady(term: Term, definitions: Definitions, rules: Mapping[str, FunctionRule]) -> Term:
    """``term`` with every rule of this file applied, innermost first."""
    args = tuple(steady(a, definitions, rules) for a in term.args)
    out = term if args == term.args else Term(term.op, args, term.shape, term.attrs)
    if out.op == "apply" and out.attrs[0] in rules and out.attrs[0] not in SPELLED:
        return steady(written_out(rules[out.attrs[0]], args), definitions, rules)
    for rule in _RULES.get(out.op, ()):
        found = rule(out, lambda t: seen(t, definitions))
        if found is not None:
            return found
    return out


Look = Callable[[Term], Term]


def seen(term: Term, definitions: Definitions) -> Term:
    """What a name stands for, if an equation says so; any other term itself."""
    while term.op == "name" and term.attrs[0] in definitions:
        term = definitions[term.attrs[0]]
    return term


def _is_apply(term: Term, function: str) -> bool:
    return term.op == "apply" and term.attrs[0] == function


def _negated(term: Term) -> Term:
    return term.args[0] if term.op == "neg" else terms.neg(term)


def _log(t: Term, look: Look) -> Term | None:
    """``log(softmax(u)) → log_softmax(u)`` and its kin; see the cases."""
    if not _is_apply(t, "log"):
        return None
    u = look(t.args[0])
    if u.op == "softmax":
        return terms.along("log_softmax", u.args[0], u.attrs[0])
    if _is_apply(u, "sigmoid"):  # log σ(u)
        return terms.apply("log_sigmoid", u.args[0])
    if _is_apply(u, "exp"):
        return u.args[0]
    if u.op == "sum" and _is_apply(inner := look(u.args[0]), "exp"):
        return terms.reduce("logsumexp", inner.args[0], u.attrs[0], u.attrs[1])
    if u.op == "sub" and u.args[0] == ONE and _is_apply(p := look(u.args[1]), "sigmoid"):
        return terms.apply("log_sigmoid", _negated(p.args[0]))  # log(1 - σ(u)) = log σ(-u)
    if u.op == "add" and ONE in u.args:
        other = look(u.args[1] if u.args[0] == ONE else u.args[0])
        if _is_apply(other, "exp"):
            return terms.apply("softplus", other.args[0])
    return None


def _log1p(t: Term, look: Look) -> Term | None:
    """``log1p(exp(u)) → softplus(u)``"""
    if _is_apply(t, "log1p") and _is_apply(u := look(t.args[0]), "exp"):
        return terms.apply("softplus", u.args[0])
    return None


def _softmax(t: Term, look: Look) -> Term | None:
    """``exp(u) / sum(exp(u), axis, keepdims=True) → softmax(u, axis)``"""
    top, below = look(t.args[0]), look(t.args[1])
    if not (_is_apply(top, "exp") and below.op == "sum" and look(below.args[0]) == top):
        return None
    axes, keepdims = below.attrs
    over = tuple(range(top.rank)) if axes is None else axes
    if len(over) != 1 or not (keepdims or top.rank == 1):
        return None
    return terms.along("softmax", top.args[0], over[0])


def _sigmoid(t: Term, look: Look) -> Term | None:
    """``1 / (1 + exp(-u)) → sigmoid(u)`` and ``exp(u) / (1 + exp(u)) → sigmoid(u)``"""
    top, below = look(t.args[0]), look(t.args[1])
    if below.op != "add" or ONE not in below.args:
        return None
    power = look(below.args[1] if below.args[0] == ONE else below.args[0])
    if not _is_apply(power, "exp"):
        return None
    if top == ONE:
        return terms.apply("sigmoid", _negated(power.args[0]))
    return terms.apply("sigmoid", power.args[0]) if top == power else None


def _norm1(t: Term, look: Look) -> Term | None:
    """``norm1(u) → sum(abs(u))``"""
    return terms.reduce("sum", terms.apply("abs", t.args[0]), *t.attrs)


def _norm2(t: Term, look: Look) -> Term | None:
    """``norm2(u) → sqrt(sum(u**2))``"""
    squares = terms.power(t.args[0], terms.number(2))
    return terms.apply("sqrt", terms.reduce("sum", squares, *t.attrs))


def _quotient(t: Term, look: Look) -> Term | None:
    """``p / q → number`` of two exact numbers"""
    if all(a.op == "number" for a in t.args) and t.args[1].attrs[0] != 0:
        return terms.number(t.args[0].attrs[0] / t.args[1].attrs[0])
    return None


def _minus(t: Term, look: Look) -> Term | None:
    """``-(q) → number`` of an exact number"""
    return terms.number(-t.args[0].attrs[0]) if t.args[0].op == "number" else None


_RULES: Mapping[str, tuple[Callable[[Term, Look], Term | None], ...]] = {
    "apply": (_log, _log1p),
    "div": (_softmax, _sigmoid, _quotient),
    "neg": (_minus,),
    "norm1": (_norm1,),
    "norm2": (_norm2,),
}
