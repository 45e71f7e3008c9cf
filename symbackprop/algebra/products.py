"""A product under bound indices, and the laws by which it is brought to working form.

Σ over a set of indices of a product of powers is held flat in a :class:`Product`. :func:`collapse`
applies, in turn:

* ``Σ_j δ(i,j) f(j) → f(i)``; free deltas rename in the rest: ``δ(i,j) f(j) → δ(i,j) f(i)``;
* ``Σ_j (δ(i,j) a_j + b_j) c_j → …``: an Add that contains δ of a bound index is distributed;
* powers of one base are merged; ``y² → 1`` for signs, ``yᵏ → y`` for 0/1 values, ``(b²)^½ → b`` for
b ≥ 0; * known products are folded to the quantity they define (:mod:`symbackprop.algebra.fold`); *
``Σ_k Y[n,k] → 1`` where a fact says so; ``Σ_k 1 → extent``; * factors free of bound indices move
out, what remains is split into independent sums; * bound indices are named by height, so that equal
sums are identical objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sympy import Add, Expr, Integer, Mul, Number, Pow, Symbol

from symbackprop.algebra.affine import eliminate
from symbackprop.algebra.context import Context, is_constant, is_nonnegative
from symbackprop.algebra.fold import fold
from symbackprop.algebra.inverses import cancel_inverses
from symbackprop.algebra.naming import name_bound, primitive
from symbackprop.algebra.settled import FACTORS, settled
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexSum,
    InRange,
    free_indices,
    substitute,
)
from symbackprop.ir.ordering import order_key

Recur = Callable[[Expr, Context], Expr]
LOOP_LIMIT = 200


class Product:
    """``coefficient · Π factors`` summed over ``bound``; a worklist, private to the passes of this
    file.
    """

    __slots__ = ("bound", "coefficient", "factors", "named")

    def __init__(self, coefficient: Expr, factors: list[Expr], bound: list[Index]) -> None:
        self.coefficient, self.factors, self.bound = coefficient, factors, bound
        self.named = len(bound)  # indices named so far: a name is never given twice

    @classmethod
    def of(cls, e: Expr) -> Product:
        return cls(Integer(1), [e], [])


def collapse(p: Product, context: Context, recur: Recur) -> Expr:
    """The working form of a product under bound indices."""
    context.depth += 1
    try:
        for _ in range(LOOP_LIMIT):
            _flatten(p, context)
            if p.coefficient == 0:
                return Integer(0)
            if _eliminate_delta(p) or eliminate(p.factors, p.bound, context):
                continue
            distributed = _distribute_deltas(p)
            if distributed is not None:
                return recur(distributed, context)
            if _normalise_factors(p, context, recur) or _merge_powers(p, context):
                continue
            if cancel_inverses(p.factors, p.bound, context):
                continue
            if context.folding and fold(p.factors, context):
                continue
            if _sum_by_fact(p, context):
                continue
            return _close(p, context)
        raise AssertionError(f"normalisation did not settle: {p.factors}")
    finally:
        context.depth -= 1


def _flatten(p: Product, context: Context) -> None:
    """Bring nested products, sums and numbers to the one level of ``p``; inner bound indices are
    renamed apart.
    """
    queue, p.factors = p.factors, []
    while queue:
        f = settled(queue.pop(0), context)
        if isinstance(f, Number) or (isinstance(f, Symbol) and not isinstance(f, Index)):
            p.coefficient = p.coefficient * f
        elif isinstance(f, Mul):
            queue[:0] = f.args
        elif isinstance(f, IndexSum):
            fresh = {}
            for i in f.bound:
                fresh[i] = Index(f"_t{context.depth}_{p.named}", i.extent)
                p.named += 1
                p.bound.append(fresh[i])
            queue.insert(0, substitute(f.body, fresh))
        elif isinstance(f, Pow) and is_constant(f):
            p.coefficient = p.coefficient * f
        else:
            p.factors.append(f)


def _eliminate_delta(p: Product) -> bool:
    """``Σ_j δ(i,j) f(j) → f(i)`` once; or settle a delta of two free indices."""
    for position, f in enumerate(p.factors):
        delta = f.base if isinstance(f, Pow) else f
        if not isinstance(delta, Delta):
            continue
        a, b = (Integer(0) if isinstance(x, Index) and x.extent == 1 else x for x in delta.args)
        if a == b:
            p.factors[position] = Integer(1)
            return True
        if a.is_Integer and b.is_Integer:
            p.coefficient = Integer(0)
            return True
        for old, new in ((a, b), (b, a)):
            if old in p.bound and _covers(new, old):
                del p.factors[position]
                p.bound.remove(old)
                p.factors = [substitute(g, {old: new}) for g in p.factors]
                return True
        if isinstance(a, Index) and isinstance(b, Index):
            first, second = sorted((a, b), key=order_key)
            kept = Delta(first, second)
            rest = [g for k, g in enumerate(p.factors) if k != position]
            moved = [substitute(g, {second: first}) for g in rest]
            if moved != rest or kept != f:
                p.factors = [kept, *moved]
                return True
    return False


def _covers(new: Expr, old: Index) -> bool:
    """Whether every value of ``new`` is in the range of ``old``, so that no guard is needed."""
    if isinstance(new, Index):
        return bool(new.extent == old.extent)
    return bool(new.is_Integer and new.is_nonnegative and (old.extent - new - 1).is_nonnegative)


def _distribute_deltas(p: Product) -> Expr | None:
    """Multiply out the first Add that contains a delta of a bound index."""
    for position, f in enumerate(p.factors):
        if isinstance(f, Add) and any(_delta_on(t, p.bound) for t in f.args):
            rest = p.factors[:position] + p.factors[position + 1 :]
            terms = [Mul(p.coefficient, t, *rest) for t in f.args]
            return Add(*(IndexSum(t, *p.bound) if p.bound else t for t in terms))
    return None


def _delta_on(e: Expr, bound: Iterable[Index]) -> bool:
    if isinstance(e, Delta):
        return any(i in e.args for i in bound)
    if isinstance(e, Mul | Add):
        return any(_delta_on(a, bound) for a in e.args)
    return isinstance(e, IndexSum) and _delta_on(e.body, bound)


def _normalise_factors(p: Product, context: Context, recur: Recur) -> bool:
    """Bring each factor's inside to working form; True if one came apart and ``p`` must be
    flattened again.
    """
    again = False
    for position, f in enumerate(p.factors):
        base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        if isinstance(base, FACTORS):
            continue
        if isinstance(base, Add):
            inner: Expr = Add(*(recur(t, context) for t in base.args))
            if isinstance(inner, Add):
                content, inner = primitive(inner)
                if content != 1 and (exponent.is_Integer or content.is_positive):
                    p.coefficient = p.coefficient * content**exponent
                elif content != 1:
                    inner = content * inner
        elif isinstance(base, Apply):
            inner = known_value(
                Apply(base.args[0], *(recur(u, context) for u in base.operands)), context
            )
        else:
            inner = recur(base, context) if base.args else base
        recurred = recur(exponent, context) if not exponent.is_Number else exponent
        new = inner if recurred == 1 else Pow(inner, recurred)
        p.factors[position] = new
        came_apart = isinstance(new, Mul | Number | IndexSum) or (
            isinstance(new, Add) and not isinstance(base, Add)
        )
        again = (
            again or came_apart or (isinstance(new, Add) and new != f and _delta_on(new, p.bound))
        )
    return again


def known_value(e: Apply, context: Context) -> Expr:
    """``f(u)`` simplified where that holds for every argument: exp(0) = 1, log(1) = 0, log(exp(u))
    = u, exp(log(u)) = u.
    """
    u = e.operands[0]
    if e.name == "exp" and u == 0:
        return Integer(1)
    if e.name == "log":
        if u == 1:
            return Integer(0)
        if isinstance(u, Apply) and u.name == "exp":
            return u.operands[0]
    if e.name == "exp" and isinstance(u, Apply) and u.name == "log":
        return u.operands[0]
    if e.name == "abs" and is_nonnegative(u, context):
        return u
    if e.name in ("tanh", "sin", "sinh", "erf", "sign", "step", "abs") and u == 0:
        return Integer(0)
    return e


def _merge_powers(p: Product, context: Context) -> bool:
    """Collect powers of one base, then apply what facts say of powers; True if a factor changed
    kind.
    """
    powers: dict[Expr, Expr] = {}
    for f in p.factors:
        base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        powers[base] = powers.get(base, Integer(0)) + exponent
    again = False
    merged: list[Expr] = []
    _settle_kinks(powers, context)
    for base, exponent in powers.items():
        if exponent == 0:
            continue
        base, exponent = _power_by_fact(base, exponent, context)
        if exponent == 0:
            continue
        factor = base if exponent == 1 else Pow(base, exponent)
        again = (
            again
            or isinstance(factor, Mul | IndexSum | Number)
            or (isinstance(factor, Pow) and factor.base != base)
        )
        merged.append(factor)
    again = again or any(isinstance(f, IndexSum) for f in merged)
    p.factors = merged
    return again


def _settle_kinks(powers: dict[Expr, Expr], context: Context) -> None:
    """``step(u)ᵏ → step(u)``, ``relu(u) step(u) → relu(u)``, ``|u| sign(u) → u``: away from the
    kink, in place. A quantity that is defined as ``relu(u)`` counts as such.
    """
    for base, exponent in list(powers.items()):
        if not isinstance(base, Apply) or not exponent.is_Integer or exponent < 1:
            continue
        u = base.operands[0]
        if base.name == "step":
            positive = powers.get(_called(Apply("relu", u), context), Integer(0)).is_positive
            powers[base] = Integer(0) if positive else Integer(1)
        elif base.name == "sign":
            absolute = _called(Apply("abs", u), context)
            if powers.get(absolute, Integer(0)).is_positive:
                powers[base] = exponent - 1
                powers[absolute] = powers[absolute] - 1
                powers[u] = powers.get(u, Integer(0)) + 1


def _called(e: Expr, context: Context) -> Expr:
    """``e``, or the entry that it folds to."""
    factors = [e]
    return factors[0] if context.folding and fold(factors, context) and len(factors) == 1 else e


def _power_by_fact(base: Expr, exponent: Expr, context: Context) -> tuple[Expr, Expr]:
    if isinstance(base, Delta | InRange | Compare) and exponent.is_positive:
        return base, Integer(1)
    if isinstance(base, Entry) and exponent.is_Integer and exponent != 1:
        if context.knows(base.name, "sign"):
            return base, exponent % 2
        if exponent > 1 and context.knows(base.name, "binary"):
            return base, Integer(1)
    if isinstance(base, Pow) and is_nonnegative(base.base, context):
        return base.base, base.exp * exponent
    if isinstance(base, Pow) and base.exp.is_Integer and base.exp * exponent == 1:
        return Apply("abs", base.base), Integer(1)
    return base, exponent


def _sum_by_fact(p: Product, context: Context) -> bool:
    """``Σ_k Y[n,k] → value`` for a bound index that one entry alone bears, at an axis with a known
    sum.
    """
    for v in p.bound:
        bearers = [f for f in p.factors if v in free_indices(f)]
        if (
            len(bearers) != 1
            or not isinstance(bearers[0], Entry)
            or bearers[0].indices.count(v) != 1
        ):
            continue
        entry = bearers[0]
        fact = context.sums.get((entry.name, entry.indices.index(v)))
        if fact is None or fact.value is None:
            continue
        context.used[fact] = None
        p.factors.remove(entry)
        p.factors.append(fact.value)
        p.bound.remove(v)
        return True
    return False


def _close(p: Product, context: Context) -> Expr:
    """Unused bound indices become extents; free factors move out; the rest is split into
    independent sums.
    """
    coefficient = p.coefficient
    live: list[Index] = []
    for v in p.bound:
        if any(v in free_indices(f) for f in p.factors):
            live.append(v)
        else:
            coefficient = coefficient * v.extent
    outside = [f for f in p.factors if not any(v in free_indices(f) for v in live)]
    groups: list[tuple[list[Expr], list[Index]]] = []
    for f in p.factors:
        mine = [v for v in live if v in free_indices(f)]
        if not mine:
            continue
        factors, bound = [f], mine
        rest = []
        for group in groups:
            if any(v in bound for v in group[1]):
                factors, bound = group[0] + factors, bound + [v for v in group[1] if v not in bound]
            else:
                rest.append(group)
        groups = [*rest, (factors, bound)]
    sums = [name_bound(IndexSum, factors, bound, context) for factors, bound in groups]
    result = Mul(coefficient, *outside, *sums)
    if sums and context.folding:
        folded = list(Mul.make_args(result))
        if fold(folded, context):
            return Mul(*folded)
    return result
