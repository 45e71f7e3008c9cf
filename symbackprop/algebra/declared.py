"""Declared facts that relate entries to each other, used on the expanded form. For proofs.

* orthogonal: ``Σ_k Q[k,i] Q[k,j] → δ(i,j)``, and so for rows
* one-hot: ``Y[n,i] Y[n,j] → δ(i,j) Y[n,i]``, and ``g(Σ_k Y[n,k] u_k) → Σ_k Y[n,k] g(u_k)``, since
  just one summand is not 0
"""

from __future__ import annotations

from itertools import combinations

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.algebra.atoms import base_and_exponent
from symbackprop.algebra.context import Context
from symbackprop.algebra.expand import expand, flat_factors
from symbackprop.ir.expressions import (
    Apply,
    Delta,
    Entry,
    Index,
    IndexSum,
    entry_names,
    free_indices,
)

RELATING = ("orthogonal", "onehot")
ROUNDS = 40
Kinds = dict[str, frozenset[str]]


def use_declared(e: Expr, context: Context) -> Expr:
    """``e`` with the facts above used as far as they go."""
    kinds = {k: _named(e, k, context) for k in RELATING}
    if kinds["onehot"]:
        e = expand(_pick(e, kinds["onehot"], context), context)
    return _use(e, kinds, context) if kinds["orthogonal"] or kinds["onehot"] else e


def _named(e: Expr, kind: str, context: Context) -> frozenset[str]:
    return frozenset(n for n in entry_names(e) if kind in context.kinds.get(n, ()))


def _use(e: Expr, kinds: Kinds, context: Context) -> Expr:
    """Relations used in every term, first within functions and powers, until nothing changes."""
    for _ in range(ROUNDS):
        terms = [_relate(_within(t, kinds, context), kinds, context) for t in Add.make_args(e)]
        new = expand(Add(*terms), context)
        if new == e:
            break
        e = new
    return e


def _within(e: Expr, kinds: Kinds, context: Context) -> Expr:
    if not e.args or isinstance(e, Entry | Index | Delta):
        return e
    if isinstance(e, Apply):
        return Apply(e.args[0], *(_use(u, kinds, context) for u in e.operands))
    if isinstance(e, Pow) and not (e.exp.is_Integer and e.exp.is_positive):
        return Pow(_use(e.base, kinds, context), e.exp)
    return e.func(*(_within(a, kinds, context) if a.args else a for a in e.args))


def _pick(e: Expr, names: frozenset[str], context: Context) -> Expr:
    """A function of what a one-hot row picks out is picked out of the function's values."""
    if not e.args or isinstance(e, Entry | Index):
        return e
    new: Expr = e.func(*(_pick(a, names, context) if a.args else a for a in e.args))
    if isinstance(new, Apply) and len(new.operands) == 1:
        picked = _picked(new.operands[0], names, context)
        if picked is not None:
            y, u, bound = picked
            return IndexSum(y * Apply(new.name, u), *bound)
    if isinstance(new, Pow) and new.exp.is_Rational and new.exp != 1:
        picked = _picked(new.base, names, context)
        if picked is not None:
            y, u, bound = picked
            return IndexSum(y * Pow(u, new.exp), *bound)
    return new


def _picked(
    e: Expr, names: frozenset[str], context: Context
) -> tuple[Entry, Expr, tuple[Index, ...]] | None:
    """``Y[n,k]``, ``u`` and ``(k,)`` of ``Σ_k Y[n,k] u_k``."""
    if not isinstance(e, IndexSum) or len(e.bound) != 1:
        return None
    for f in Mul.make_args(e.body):
        if isinstance(f, Entry) and f.name in names and f.indices[-1] == e.bound[0]:
            if e.bound[0] not in frozenset[Index]().union(*map(free_indices, f.indices[:-1])):
                context.knows(f.name, "onehot")
                return f, e.body / f, e.bound
    return None


def _relate(term: Expr, kinds: Kinds, context: Context) -> Expr:
    """One use of orthogonality or of one-hot rows in a term, under its sums."""
    if not entry_names(term) & (kinds["orthogonal"] | kinds["onehot"]):
        return term
    factors, bound = flat_factors(term)
    spread: list[Expr] = []
    for f in factors:
        base, exponent = base_and_exponent(f)
        twice = isinstance(base, Entry) and exponent.is_Integer and 2 <= exponent <= 4
        spread.extend([base] * int(exponent) if twice else [f])
    found = [k for k, f in enumerate(spread) if isinstance(f, Entry)]
    for i, j in combinations(found, 2):
        a, b = spread[i], spread[j]
        if a.args[0] != b.args[0] or (a == b and a.name in kinds["onehot"]):
            continue
        rest = spread[:i] + spread[i + 1 : j] + spread[j + 1 :]
        new = None
        if a.name in kinds["onehot"] and a.indices[:-1] == b.indices[:-1]:
            context.knows(a.name, "onehot")
            new = [Delta(a.indices[-1], b.indices[-1]), a, *rest]
        elif a.name in kinds["orthogonal"]:
            new, bound = _contracted(a, b, rest, bound)
            if new is not None:
                context.knows(a.name, "orthogonal")
        if new is not None:
            body = Mul(*new)
            return IndexSum(body, *bound) if bound else body
    return term


def _contracted(
    a: Entry, b: Entry, rest: list[Expr], bound: list[Index]
) -> tuple[list[Expr] | None, list[Index]]:
    """``Σ_k Q[k,i] Q[k,j] → δ(i,j)`` where nothing else depends on k; None if that is not so."""
    if a.indices[:-2] != b.indices[:-2]:
        return None, bound
    for place in (-1, -2):
        k, other = a.indices[place], -3 - place
        if k not in bound or b.indices[place] != k:
            continue
        if any(k in free_indices(f) for f in (*rest, *a.indices[:-2])):
            continue
        x, y = a.indices[other], b.indices[other]
        if k in free_indices(x) | free_indices(y):
            continue
        same: Expr = Integer(1) if x == y else Delta(x, y)
        return [same, *rest], [i for i in bound if i != k]
    return None, bound
