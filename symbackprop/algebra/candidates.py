"""Equal forms of one expression among which presentation chooses: as it is, multiplied out,
collected, cancelled.

Every candidate has the value of the input. Which one a person would write is not decided here: the
caller lifts each and takes the cheapest by the written cost table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import permutations

from sympy import Add, Expr, Integer, Mul, Pow, cancel, factor

from symbackprop.algebra.context import Context
from symbackprop.algebra.elementary import hide_atoms
from symbackprop.algebra.expand import TooLarge, expand
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.recognition import recognise
from symbackprop.ir.expressions import Apply, Entry, Index, IndexSum, free_indices, substitute
from symbackprop.ir.ordering import order_key

EXPANSION_CAP = 12
MATRIX = 2  # indices of what is written without einsum


def candidates(e: Expr, context: Context) -> tuple[Expr, ...]:
    """Distinct equal forms of a normalised expression, itself first."""
    forms: dict[Expr, None] = {e: None}
    if e.has(Apply):
        e = normalise(recognise(e), context)
        forms[e] = None
    if not e.has(Add):
        return tuple(forms)
    collected = normalise(collect(e), context)
    forms[collected] = None
    if _width(e) <= EXPANSION_CAP:
        try:
            wide = expand(e, context)
        except TooLarge:
            wide = e
        if wide != e and len(Add.make_args(wide)) <= EXPANSION_CAP:
            forms[wide] = None
            forms[normalise(collect(wide), context)] = None
    for reduce in (cancel, factor):
        forms[normalise(_reduced(e, reduce), context)] = None
    return tuple(forms)


def _reduced(e: Expr, reduce: Callable[[Expr], Expr]) -> Expr:
    """``e`` with its fractions cancelled or factored, those under Σ first."""
    if isinstance(e, Add | Mul | IndexSum) and e.has(IndexSum):
        e = e.func(*(_reduced(a, reduce) if a.args else a for a in e.args))
    if not _has_quotient(e):
        return e
    hidden, shown = hide_atoms(e)
    return reduce(hidden).xreplace(shown)


def _width(e: Expr) -> int:
    """How many terms multiplying ``e`` out would give, roughly."""
    if isinstance(e, Add):
        return sum(_width(a) for a in e.args)
    if isinstance(e, Mul):
        total = 1
        for a in e.args:
            total *= _width(a)
        return total
    if isinstance(e, Pow) and e.exp.is_Integer and e.exp > 0:
        return int(_width(e.base) ** min(int(e.exp), 9))
    return _width(e.body) if isinstance(e, IndexSum) else 1


def _has_quotient(e: Expr) -> bool:
    """Whether a denominator holds a quantity: then cancelling may shorten."""
    if isinstance(e, Pow) and e.exp.is_negative and e.base.has(Entry, Apply):
        return True
    return isinstance(e, Add | Mul) and any(_has_quotient(a) for a in e.args)


def collect(e: Expr) -> Expr:
    """Draw common factors out of sums, the most frequent first: ``a b + a c → a (b + c)``, under Σ
    too.
    """
    if isinstance(e, Mul):
        return Mul(*(collect(a) for a in e.args))
    if isinstance(e, IndexSum):
        return IndexSum(collect(e.body), *e.bound)
    if not isinstance(e, Add):
        return e
    terms = _merge_sums([collect(t) for t in e.args])
    counts = Counter(f for t in terms for f in {x for x in _powers(t) if not x.is_Number})
    shared = [(n, order_key(f), f) for f, n in counts.items() if n > 1]
    if not shared:
        return Add(*terms)
    most = max(n for n, _, _ in shared)
    _, _, chosen = min(((0, k, f) for n, k, f in shared if n == most), key=lambda item: item[1])
    inside = [t / chosen for t in terms if chosen in _powers(t)]
    outside = [t for t in terms if chosen not in _powers(t)]
    drawn = Mul(chosen, collect(Add(*inside)), evaluate=False)
    return Add(drawn, collect(Add(*outside))) if outside else drawn


def _powers(term: Expr) -> set[Expr]:
    """Factors of a term that may be drawn out: each factor, and each base of a positive power.

    A base that occurs twice (``x`` beside ``x**y``) stays: SymPy would merge what is left into new
    powers for ever.
    """
    out = set()
    factors = Mul.make_args(term)
    bases = Counter(f.as_base_exp()[0] for f in factors)
    for f in factors:
        if bases[f.as_base_exp()[0]] > 1:
            continue
        out.add(f)
        if isinstance(f, Pow) and f.exp.is_Integer and f.exp > 1:
            out.add(f.base)
    return out


def _merge_sums(terms: list[Expr]) -> list[Expr]:
    """``c Σ_j a_j u_j + d Σ_j b_j u_j → Σ_j (c a_j + d b_j) u_j`` where both share what stands
    outside and a factor inside.
    """
    merged: list[Expr] = []
    for term in terms:
        for k, other in enumerate(merged):
            joined = _join(other, term)
            if joined is not None:
                merged[k] = joined
                break
        else:
            merged.append(term)
    return merged


def _join(a: Expr, b: Expr) -> Expr | None:
    (ca, outside_a, sum_a), (cb, outside_b, sum_b) = _single_sum(a), _single_sum(b)
    if (
        sum_a is None
        or sum_b is None
        or outside_a != outside_b
        or len(sum_a.bound) != len(sum_b.bound)
    ):
        return None
    factors_a = set(Mul.make_args(sum_a.body))
    best: tuple[int, int, str, Expr] | None = None
    for order in permutations(sum_b.bound) if len(sum_b.bound) <= 4 else (sum_b.bound,):
        if any(x.extent != y.extent for x, y in zip(order, sum_a.bound, strict=True)):
            continue
        body_b = substitute(sum_b.body, dict(zip(order, sum_a.bound, strict=True)))
        common = factors_a & set(Mul.make_args(body_b))
        if common:
            left = free_indices(sum_a.body / Mul(*common)) | free_indices(body_b / Mul(*common))
            inside = left & free_indices(Mul(*common)) | left.difference(sum_a.bound)
            key = max(len(inside), MATRIX), -len(common), order_key(body_b)
            if best is None or key < best[:3]:
                best = (*key, body_b)
    if best is None:
        return None
    body_b = best[3]
    common = _drawn(factors_a & set(Mul.make_args(body_b)), sum_a.body + body_b, sum_a.bound)
    common_part = Mul(*sorted(common, key=order_key))
    rest = ca * sum_a.body / common_part + cb * body_b / common_part
    own = [i for i in sum_a.bound if i not in free_indices(common_part)]
    if not own or len(free_indices(rest)) <= MATRIX:
        return outside_a * IndexSum(Mul(common_part, collect(rest), evaluate=False), *sum_a.bound)
    # Σ_{k,l} (p[i,k,l] + q[i,k,l]) u[j,k]: the sums over l are matrices, the brackets are not.
    inner = collect(Add(*(_sum_of(t, own) for t in Add.make_args(rest))))
    shared = [i for i in sum_a.bound if i not in own]
    product = Mul(common_part, inner, evaluate=False)
    return outside_a * (IndexSum(product, *shared) if shared else product)


def _drawn(common: set[Expr], bodies: Expr, bound: Sequence[Index]) -> set[Expr]:
    """The common factors without those in one index, if that alone makes a matrix of the rest."""
    inside = [i for i in bound if i in free_indices(Mul(*common))]
    ends = free_indices(bodies).difference(bound)

    def rank(kept: set[Expr]) -> int:
        outer = free_indices(Mul(*kept))
        left = (t / Mul(*kept) for t in Add.make_args(bodies))
        met = frozenset[Index]().union(*(free_indices(t) for t in left))
        return len({i for i in met if i in outer or i in ends})

    if rank(common) <= MATRIX:
        return common
    for i in inside:
        kept = {f for f in common if i not in free_indices(f)}
        if kept and rank(kept) <= MATRIX:
            return kept
    return common


def _sum_of(term: Expr, bound: Sequence[Index]) -> Expr:
    """``Σ_{bound} term``, with the extent of an index that the term lacks."""
    borne = [i for i in bound if i in free_indices(term)]
    coefficient, rest = Mul(term, *(i.extent for i in bound if i not in borne)).as_coeff_Mul()
    return coefficient * (IndexSum(rest, *borne) if borne else rest)


def _single_sum(term: Expr) -> tuple[Expr, Expr, IndexSum | None]:
    coefficient, rest = term.as_coeff_Mul()
    sums = [f for f in Mul.make_args(rest) if isinstance(f, IndexSum)]
    if len(sums) != 1:
        return Integer(1), term, None
    return coefficient, Mul(*(f for f in Mul.make_args(rest) if f is not sums[0])), sums[0]
