"""The structure of a Hessian over samples: ``± Jᵀ J`` plus curvature on diagonals.

The second derivative of a sum over samples falls into two kinds of summands. Where the rows' and
the columns' indices stand in different factors, ``c Σ_n w[n] A[n,i] B[n,j]``, it is a product of
two matrices over the samples: the Gauss–Newton part, one ``J`` for all parameters with ``√(c w)``
drawn into it. Where a δ ties a row to a column it is the curvature of one unit, a block on the
diagonal (Schraudolph, "Fast curvature matrix-vector products", Neural Computation 14, 2002). What
is neither stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, sqrt

from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.algebra.expand import TooLarge, expand
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.expressions import (
    Apply,
    Delta,
    Entry,
    Index,
    IndexSum,
    free_indices,
    fresh_index,
    substitute,
)
from symbackprop.ir.letters import letters

Ties = tuple[tuple[int, int], ...]
MOST_SUMMANDS = 64


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a Hessian: its generic entry, and the indices of its rows and columns."""

    entry: Expr
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a block has beside its Gauss–Newton part, where the axes of ``ties`` (one of the rows,
    one of the columns) have equal indices.
    """

    first: str
    second: str
    ties: Ties
    indices: tuple[Index, ...]
    entry: Expr


@dataclass(frozen=True, slots=True)
class Split:
    """``sign · Jᵀ J`` with the entries ``J[n, …]`` of each parameter, and the corrections."""

    sample: Index
    sign: int
    parts: Mapping[str, tuple[tuple[Index, ...], Expr]]
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class _Summand:
    factors: tuple[Expr, ...]
    bound: tuple[Index, ...]
    ties: Ties

    @property
    def entry(self) -> Expr:
        product = Mul(*self.factors)
        return IndexSum(product, *self.bound) if self.bound else product


@dataclass(frozen=True, slots=True)
class _Product:
    """``scale Σ_n weight[n] left[n, rows] right[n, columns]``."""

    scale: Expr
    weight: Expr
    left: Expr
    right: Expr


def split(blocks: Mapping[tuple[str, str], Block], context: Context) -> Split | None:
    """The structure of a Hessian; None where its blocks have no common ``J``.

    Parameters
    ----------
    blocks : mapping
        The block of every pair of parameters, the first not after the second.
    context : Context
        Facts, for the signs of weights.
    """
    names = tuple(dict.fromkeys(a for a, _ in blocks))
    found = {pair: list(_summands(block, context)) for pair, block in blocks.items()}
    if any(len(s) > MOST_SUMMANDS for s in found.values()):
        return None
    sample = _sample(found, blocks)
    if sample is None:
        return None
    products = {pair: _products(s, sample, blocks[pair]) for pair, s in found.items()}
    for name in names:
        own = products[name, name]
        if len(own) == 1 and blocks[name, name].rows:
            (reference,) = own.values()
            if _is_square(reference, blocks[name, name]):
                return _completed(blocks, found, products, sample, name, reference, context)
    return None


def _summands(block: Block, context: Context) -> Iterator[_Summand]:
    """The entry as a sum of products: sums multiplied out where a δ, or rows and columns, meet."""
    rows, columns = frozenset(block.rows), frozenset(block.columns)

    def splits(e: Expr) -> bool:
        if not isinstance(e, Add):
            return False
        held = free_indices(e)
        return bool(e.has(Delta)) or bool(held & rows and held & columns)

    def flat(e: Expr, taken: frozenset[Index]) -> Iterator[tuple[list[Expr], list[Index]]]:
        factors: list[Expr] = []
        bound: list[Index] = []
        waiting = list(Mul.make_args(e))
        while waiting:
            f = waiting.pop(0)
            if isinstance(f, IndexSum):
                renaming = {}
                for b in f.bound:
                    renaming[b] = fresh_index(b, taken)
                    taken |= {renaming[b]}
                bound += renaming.values()
                waiting = [*Mul.make_args(substitute(f.body, renaming)), *waiting]
            elif splits(f):
                for summand in f.args:
                    rest = Mul(*factors, summand, *waiting)
                    for more, inner in flat(rest, taken):
                        yield more, [*bound, *inner]
                return
            else:
                factors.append(f)
        yield factors, bound

    entries = Add.make_args(block.entry)
    for e in entries:
        for factors, bound in flat(e, rows | columns | free_indices(block.entry)):
            yield _tied(factors, tuple(bound), block)


def _tied(factors: Sequence[Expr], bound: tuple[Index, ...], block: Block) -> _Summand:
    """A summand with every δ between a row and a column put in."""
    out, ties = list(factors), []
    for delta in [f for f in factors if isinstance(f, Delta)]:
        for row, column in (delta.args, delta.args[::-1]):
            if row in block.rows and column in block.columns:
                ties.append((block.rows.index(row), block.columns.index(column)))
                out.remove(delta)
                out = [substitute(f, {column: row}) for f in out]
                break
    return _Summand(tuple(out), bound, tuple(sorted(ties)))


def _sample(
    found: Mapping[tuple[str, str], Sequence[_Summand]], blocks: Mapping[tuple[str, str], Block]
) -> Index | None:
    """The index of the samples: over its extent all products are summed."""
    extents = {s.bound[0].extent for own in found.values() for s in own if len(s.bound) == 1}
    if len(extents) != 1:
        return None
    taken = {i.name for b in blocks.values() for i in (*b.rows, *b.columns)}
    (sample,) = letters([extents.pop()], taken)
    return sample


def _products(
    summands: Sequence[_Summand], sample: Index, block: Block
) -> dict[_Summand, _Product]:
    """The summands that are products over the samples, taken apart."""
    out = {}
    for s in summands:
        product = _product(s, sample, block) if not s.ties and len(s.bound) == 1 else None
        if product is not None:
            out[s] = product
    return out


def _product(s: _Summand, sample: Index, block: Block) -> _Product | None:
    parts: dict[str, list[Expr]] = {"scale": [], "weight": [], "left": [], "right": []}
    rows, columns = frozenset(block.rows), frozenset(block.columns)
    for f in s.factors:
        f = substitute(f, {s.bound[0]: sample})
        held = free_indices(f)
        if (held & rows and held & columns) or f.has(Delta):
            return None
        place = "left" if held & rows else "right" if held & columns else ""
        parts[place or ("weight" if held else "scale")].append(f)
    return _Product(*(Mul(*p) for p in parts.values()))


def _is_square(p: _Product, block: Block) -> bool:
    renaming = dict(zip(block.rows, block.columns, strict=True))
    return substitute(p.left, renaming) == p.right


def _completed(
    blocks: Mapping[tuple[str, str], Block],
    found: Mapping[tuple[str, str], Sequence[_Summand]],
    products: Mapping[tuple[str, str], Mapping[_Summand, _Product]],
    sample: Index,
    name: str,
    reference: _Product,
    context: Context,
) -> Split | None:
    """The split in which ``reference`` is the square of the part of ``name``; None where another
    parameter has no part that fits.
    """
    negative = reference.scale.could_extract_minus_sign()
    strength = (-reference.scale if negative else reference.scale) * reference.weight
    if not is_nonnegative(strength, context) and not _in_unit(strength, context):
        return None
    names = tuple(dict.fromkeys(a for a, _ in blocks))
    parts: dict[str, Expr] = {}
    for other in names:
        part = _part(other, name, blocks, products, reference)
        if part is None:
            return None
        parts[other] = part
    corrections: list[Correction] = []
    for (a, b), block in blocks.items():
        right = substitute(parts[b], dict(zip(blocks[b, b].rows, block.columns, strict=True)))
        left = substitute(parts[a], dict(zip(blocks[a, a].rows, block.rows, strict=True)))
        square = (-1 if negative else 1) * IndexSum(strength * left * right, sample)
        claimed = Add(*(s.entry for s in products[a, b]))
        rest = [s for s in found[a, b] if s not in products[a, b]]
        if _is_zero(claimed - square, context):
            corrections += _corrections(a, b, block, rest, context)
        elif _is_zero(Add(claimed, *(s.entry for s in rest if not s.ties)) - square, context):
            corrections += _corrections(a, b, block, [s for s in rest if s.ties], context)
        else:
            return None
    root = sqrt(strength)
    drawn = {a: (blocks[a, a].rows, normalise(root * parts[a], context)) for a in names}
    return Split(sample, -1 if negative else 1, drawn, tuple(corrections))


def _part(
    other: str,
    name: str,
    blocks: Mapping[tuple[str, str], Block],
    products: Mapping[tuple[str, str], Mapping[_Summand, _Product]],
    reference: _Product,
) -> Expr | None:
    """What ``other`` contributes to J, read off its block with ``name``, weight and scale apart."""
    own = blocks[other, other].rows
    if other == name:
        renaming = dict(zip(blocks[name, name].rows, own, strict=True))
        return substitute(reference.left, renaming)
    pair = (name, other) if (name, other) in blocks else (other, name)
    if len(products[pair]) != 1:
        return None
    (product,) = products[pair].values()
    block = blocks[pair]
    side, held = (product.right, block.columns) if pair[1] == other else (product.left, block.rows)
    ratio = product.scale * product.weight / (reference.scale * reference.weight)
    return substitute(side, dict(zip(held, own, strict=True))) * ratio


def _corrections(
    a: str, b: str, block: Block, rest: Sequence[_Summand], context: Context
) -> Iterator[Correction]:
    """The summands that are no products, those with the same ties added up."""
    for ties in dict.fromkeys(s.ties for s in rest):
        kept = tuple(c for k, c in enumerate(block.columns) if k not in {t[1] for t in ties})
        entry = normalise(Add(*(s.entry for s in rest if s.ties == ties)), context)
        if entry != 0:
            yield Correction(a, b, ties, block.rows + kept, entry)


def _is_zero(e: Expr, context: Context) -> bool:
    e = normalise(e, context)
    if e == 0:
        return True
    try:
        return bool(expand(e, context) == 0)
    except TooLarge:
        return False


def _in_unit(e: Expr, context: Context) -> bool:
    """Whether a product is ≥ 0 because of factors p and 1 − p of a probability p."""
    return all(
        is_nonnegative(f, context) or _is_probability(f, context) or _is_probability(1 - f, context)
        for f in Mul.make_args(e)
    )


def _is_probability(e: Expr, context: Context) -> bool:
    if isinstance(e, Apply):
        return e.name == "sigmoid"
    if not isinstance(e, Entry):
        return False
    if context.knows(e.name, "unit"):
        return True
    rhs = next((q.rhs for q in context.program.equations if q.name == e.name), Integer(0))
    shares = any(value == 1 for _, value in context.sums_of(e.name))
    return (isinstance(rhs, Apply) and rhs.name == "sigmoid") or (
        shares and context.knows(e.name, "nonnegative")
    )
