"""NumPy's operations on arrays in index notation: broadcasting, products, reductions, shapes.

Each takes arrays with canonical axes and gives one. Extents are symbols, so shapes either fit for
all sizes or clash: a clash raises :class:`Misfitting`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy import Expr, Integer, Mul, Rational, Symbol, cancel, expand

from symbackprop.checking.execution_guards import delta
from symbackprop.checking.execution_values import (
    Array,
    Misfitting,
    Unfollowed,
    array,
    position,
    positions,
)
from symbackprop.ir.expressions import (
    Apply,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    fresh_index,
    substitute,
)
from symbackprop.ir.terms import Shape, ShapeError, broadcast_shapes, same_extent, show_shape
from symbackprop.matrix.rearrangements import reshaped

ZERO, ONE = Integer(0), Integer(1)


def misfit(what: str, *arrays: Array) -> Misfitting:
    """The error that the shapes of these operands do not fit."""
    shapes = [a.shape for a in arrays]
    said = " and ".join(show_shape(s) for s in shapes)
    guessed: frozenset[str] = frozenset().union(*(a.guessed for a in arrays))
    return Misfitting(f"{what}: {said}", shapes, guessed)


def spread(a: Array, shape: Shape) -> Expr:
    """The entry of ``a`` broadcast to a shape, at the canonical indices of that shape."""
    shift = len(shape) - a.rank
    to: dict[Index, Expr] = {
        old: Integer(0) if old.extent == 1 else position(k + shift, shape[k + shift])
        for k, old in enumerate(a.axes)
    }
    return substitute(a.expr, to)


def common(what: str, arrays: Sequence[Array]) -> Shape:
    """The shape to which all broadcast."""
    try:
        return broadcast_shapes(*(a.shape for a in arrays))
    except ShapeError:
        raise misfit(what, *arrays) from None


def elementwise(
    f: Callable[..., Expr], *arrays: Array, boolean: bool = False, what: str = "broadcasting"
) -> Array:
    """``f`` entry by entry, with broadcasting."""
    shape = common(what, arrays)
    return array(f(*(spread(a, shape) for a in arrays)), positions(shape), arrays, boolean)


def broadcast(a: Array, shape: Shape) -> Array:
    """The array in a larger shape."""
    return array(spread(a, shape), positions(shape), (a,))


def bound(extent: Expr, *bodies: Expr) -> Index:
    """An index to sum over that occurs in none of the bodies."""
    taken: set[Index] = set().union(*(b.atoms(Index) for b in bodies))
    return fresh_index(Index("r", extent), taken)


def total(body: Expr, index: Index) -> Expr:
    """``Σ_index body``; over a single place the body itself."""
    if index.extent == 1:
        return substitute(body, {index: Integer(0)})
    return Integer(0) if body == 0 else IndexSum(body, index)


def matmul(a: Array, b: Array, what: str = "a @ b") -> Array:
    """``a @ b`` as in NumPy: rank 1 is contracted, higher ranks are stacks of matrices."""
    if not a.axes or not b.axes:
        raise misfit(f"{what} needs arrays", a, b)
    rows = a.rank > 1
    columns = b.rank > 1
    inner_a, inner_b = a.axes[-1], b.axes[-2] if columns else b.axes[0]
    if not same_extent(inner_a.extent, inner_b.extent):
        raise misfit(what, a, b)
    stack_a, stack_b = a.shape[:-2], b.shape[:-2]
    try:
        stack = broadcast_shapes(stack_a, stack_b)
    except ShapeError:
        raise misfit(what, a, b) from None
    letters = [Index(f"_s{k}", e) for k, e in enumerate(stack)]
    i = Index("_row", a.shape[-2]) if rows else None
    j = Index("_col", b.shape[-1]) if columns else None
    k = bound(inner_a.extent, a.expr, b.expr)
    left = _at(a, [*letters[len(letters) - len(stack_a) :], *([i] if i else []), k])
    right = _at(b, [*letters[len(letters) - len(stack_b) :], k, *([j] if j else [])])
    axes = [*letters, *([i] if i else []), *([j] if j else [])]
    return array(total(left * right, k), axes, (a, b))


def _at(a: Array, places: Sequence[Expr]) -> Expr:
    to: dict[Index, Expr] = {
        old: Integer(0) if old.extent == 1 else place
        for old, place in zip(a.axes, places, strict=True)
    }
    return substitute(a.expr, to)


def dot(a: Array, b: Array) -> Array:
    """``np.dot``: a product with a number, else the last axis with the second last."""
    if not a.axes or not b.axes:
        return elementwise(lambda x, y: x * y, a, b)
    if a.rank <= 2 and b.rank <= 2:
        return matmul(a, b, "a product (dot)")
    return tensordot(a, b, [a.rank - 1], [max(0, b.rank - 2)])


def tensordot(a: Array, b: Array, over_a: Sequence[int], over_b: Sequence[int]) -> Array:
    """The product summed over pairs of axes; what is left of ``a`` comes first."""
    pairs = list(zip(over_a, over_b, strict=True))
    if not all(same_extent(a.shape[x], b.shape[y]) for x, y in pairs):
        raise misfit("tensordot", a, b)
    sums = []
    at_a: list[Expr] = [Index(f"_a{k}", e) for k, e in enumerate(a.shape)]
    at_b: list[Expr] = [Index(f"_b{k}", e) for k, e in enumerate(b.shape)]
    for n, (x, y) in enumerate(pairs):
        index = fresh_index(Index(f"r{n}", a.shape[x]), a.expr.atoms(Index) | b.expr.atoms(Index))
        at_a[x] = at_b[y] = index
        sums.append(index)
    axes = [i for k, i in enumerate(at_a) if k not in over_a]
    axes += [i for k, i in enumerate(at_b) if k not in over_b]
    body = _at(a, at_a) * _at(b, at_b)
    for index in sums:
        body = total(body, index)
    return array(body, axes, (a, b))


def outer(a: Array, b: Array) -> Array:
    """``np.outer``, which flattens its operands."""
    a, b = flatten(a), flatten(b)
    i, j = Index("_row", a.shape[0]), Index("_col", b.shape[0])
    return array(_at(a, [i]) * _at(b, [j]), [i, j], (a, b))


def einsum(subscripts: str, operands: Sequence[Array]) -> Array:
    """``np.einsum`` with named axes."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if "." in subscripts or not all(s.isalpha() or not s for s in [*inputs, right]):
        raise Unfollowed(f"einsum {subscripts!r}")
    if not arrow:
        right = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if len(inputs) != len(operands) or len(set(right)) != len(right):
        raise Unfollowed(f"einsum {subscripts!r} of {len(operands)} arrays")
    extents: dict[str, Expr] = {}
    for letters, operand in zip(inputs, operands, strict=True):
        if len(letters) != operand.rank:
            raise misfit(f"einsum {subscripts!r}", *operands)
        for letter, extent in zip(letters, operand.shape, strict=True):
            known = extents.setdefault(letter, extent)
            if not same_extent(known, extent):
                if ONE not in (known, extent):
                    raise misfit(f"einsum {subscripts!r}", *operands)
                extents[letter] = extent if known == 1 else known
    if not set(right) <= set(extents):
        raise Unfollowed(f"einsum {subscripts!r}")
    taken = set[Index]().union(*(o.expr.atoms(Index) for o in operands))
    index = {c: fresh_index(Index(f"e{c}", e), taken) for c, e in extents.items()}
    body = Mul(*(_at(o, [index[c] for c in s]) for s, o in zip(inputs, operands, strict=True)))
    for letter in sorted(set(extents) - set(right)):
        body = total(body, index[letter])
    return array(body, [index[c] for c in right], operands)


def reduce(name: str, a: Array, axes: Sequence[int], keepdims: bool) -> Array:
    """``sum mean max min prod var std norm`` over axes."""
    over = sorted(axes)
    if name in ("var", "std"):
        centre = elementwise(lambda x, y: x - y, a, reduce("mean", a, over, True))
        spreads = reduce("mean", elementwise(lambda x: x**2, centre), over, keepdims)
        return spreads if name == "var" else elementwise(lambda x: x ** Rational(1, 2), spreads)
    if name == "norm":
        squares = reduce("sum", elementwise(lambda x: x**2, a), over, keepdims)
        return elementwise(lambda x: x ** Rational(1, 2), squares)
    body = -a.expr if name == "min" else a.expr
    for k in over:
        index = bound(a.axes[k].extent, body)
        body = substitute(body, {a.axes[k]: index})
        body = _reduced(name, body, index)
    if name == "mean":
        body = body / Mul(*(a.shape[k] for k in over))
    kept = [
        Index(f"_kept{k}", ONE) if k in over else i
        for k, i in enumerate(a.axes)
        if keepdims or k not in over
    ]
    return array(-body if name == "min" else body, kept, (a,))


def _reduced(name: str, body: Expr, index: Index) -> Expr:
    if name in ("sum", "mean"):
        return total(body, index)
    if index.extent == 1:
        return substitute(body, {index: Integer(0)})
    return IndexProduct(body, index) if name == "prod" else IndexMax(body, index)


def softmax(a: Array, axis: int) -> Array:
    """``exp(a) / Σ exp(a)`` along an axis."""
    powers = elementwise(lambda x: Apply("exp", x), a)
    return elementwise(lambda x, y: x / y, powers, reduce("sum", powers, [axis], True))


def permute(a: Array, order: Sequence[int]) -> Array:
    """The axes in another order."""
    return array(a.expr, [a.axes[k] for k in order], (a,))


def diag(a: Array) -> Array:
    """The diagonal matrix of a vector, the diagonal of a matrix."""
    from_vector = a.rank == 1
    if from_vector:
        i, j = Index("_row", a.shape[0]), Index("_col", a.shape[0])
        return array(_at(a, [i]) * delta(i, j), [i, j], (a,))
    if a.rank != 2 or not same_extent(*a.shape):
        raise misfit("diag of a matrix that is not square", a)
    i = Index("_row", a.shape[0])
    return array(_at(a, [i, i]), [i], (a,))


def eye(n: Expr, m: Expr) -> Array:
    """The identity."""
    i, j = Index("_row", n), Index("_col", m)
    return array(delta(i, j), [i, j])


def flatten(a: Array) -> Array:
    """All entries in one row."""
    return a if a.rank == 1 else reshape(a, (Mul(*a.shape),))


def reshape(a: Array, shape: Sequence[Expr]) -> Array:
    """The entries in row-major order in another shape; one extent may be -1."""
    whole = Mul(*a.shape)
    # NumPy takes any negative extent for -1.
    shape = [Integer(-1) if e.is_Integer and e < 0 else e for e in shape]
    if shape.count(Integer(-1)) > 1:
        raise misfit("reshape", a, Array(ONE, positions(shape)))
    if any(e == -1 for e in shape):
        rest = Mul(*(e for e in shape if e != -1))
        missing = cancel(whole / rest)
        if not missing.is_polynomial(*whole.free_symbols):
            raise misfit("reshape", a, Array(ONE, positions(shape)))
        shape = tuple(expand(missing) if e == -1 else e for e in shape)
    shape = tuple(shape)
    if not same_extent(whole, Mul(*shape)):
        raise misfit("reshape", a, Array(ONE, positions(shape)))
    new = [Index(f"_n{k}", e) for k, e in enumerate(shape)]
    places = tuple(ZERO if i.extent == 1 else i for i in new)
    return array(_at(a, reshaped(a.shape, places, shape)), new, (a,))


def is_extent(e: Expr) -> bool:
    """Whether a number is an extent: whole, and made of extents alone."""
    return e.is_Integer or all(
        isinstance(s, Symbol) and not isinstance(s, Index) and bool(s.is_integer)
        for s in e.free_symbols
    )
