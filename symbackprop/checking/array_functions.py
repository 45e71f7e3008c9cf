"""Functions of whole arrays by their typography: sums, means, norms, softmax.

They are a table: name, and what it makes of its arguments. Sums along an axis go by NumPy's
meaning, ``sum(A, 1)`` in a text that writes as MATLAB does by MATLAB's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import Integer, Pow, Rational

from symbackprop.checking.matrices import determinants, inverted
from symbackprop.checking.operations import all_pairs, product, transpose
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    combined,
    dearer,
    position,
    show,
    squeezed,
)
from symbackprop.checking.reductions import (
    normed,
    reduced,
    summed_exponentials,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.stacked_columns import stacked
from symbackprop.checking.tensors import transposable
from symbackprop.ir.expressions import Apply, Delta, Index, IndexSum, substitute
from symbackprop.notation.written import (
    Bracket,
    Call,
    Juxt,
    Name,
    Node,
    Number,
    Root,
    Term,
    Terms,
)

MEAN = Note("the mean is over the first axis, the samples")
MATLAB = Note("axes are counted from 1, as in MATLAB")
MATLAB_SIGNS = (".*", ".^", "./", "%", "'")
NUMPY_SIGNS = ("np.", "axis", "@", ".T", "torch.")


@read.register
def _root(node: Root, scope: Scope) -> Readings:
    return rooted(read(node.body, scope))


def rooted(readings: Readings) -> Readings:
    return tuple(replace(r, expr=Pow(r.expr, Rational(1, 2))) for r in readings)


Maker = Callable[[list[Node], dict[str, Node], Call, Scope], Readings]


def each(positional: list[Node], node: Call, scope: Scope) -> Readings:
    if len(positional) != 1:
        raise Unreadable("notation", "one argument is read here", node)
    return read(positional[0], scope)


def _summing(mean: bool) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        axis = keywords.get("axis", keywords.get("dim"))
        said = keywords.get("keepdims", keywords.get("keepdim"))
        keep = getattr(said, "text", "") in ("True", "1")
        counted_from = 0
        if axis is None and len(positional) == 2:
            axis, counted_from = positional.pop(), int(_is_matlab(scope))
            keep = keep or counted_from == 1
        out = []
        for r in each(positional, node, scope):
            if axis is None:
                over: Sequence[int] = _averaged(r, scope) if mean else range(r.rank)
            else:
                over = _axes(axis, r, counted_from, node)
            found = reduced(r, tuple(over), keep, mean)
            part = mean and axis is None and len(over) < r.rank
            liberties = (*((MEAN,) if part else ()), *((MATLAB,) if counted_from else ()))
            out.append(dearer(found, 0.0, *liberties) if liberties else found)
        return tuple(out)

    return make


def _axes(axis: Node, r: Reading, counted_from: int, node: Node) -> tuple[int, ...]:
    """The axes meant: one, or several in brackets."""
    several = isinstance(axis, Bracket) and axis.kind == "("
    items = axis.items if isinstance(axis, Bracket) and several else (axis,)
    return tuple(dict.fromkeys(_axis(i, r, counted_from, node) for i in items))


def _axis(axis: Node, r: Reading, counted_from: int, node: Node) -> int:
    """The axis meant, ``-1`` being the last."""
    negative = isinstance(axis, Terms) and len(axis.terms) == 1 and axis.terms[0].sign == "-"
    number = axis.terms[0].body if isinstance(axis, Terms) and negative else axis
    if isinstance(number, Number) and number.text.isdigit():
        at = r.rank - int(number.text) if negative else int(number.text) - counted_from
        if 0 <= at < r.rank:
            return at
    raise Unreadable("shape", "an axis that the array does not have", node)


def _is_matlab(scope: Scope) -> bool:
    """Whether a text writes as MATLAB does, with transposes by a prime or dotted operators."""
    numpy = any(s in scope.text for s in NUMPY_SIGNS)
    return not numpy and not scope.latex and any(s in scope.text for s in MATLAB_SIGNS)


def _averaged(r: Reading, scope: Scope) -> tuple[int, ...]:
    """The axes of a mean that does not say so: all, or the first, as the document is read."""
    scope.averages = scope.averages or r.rank == 2
    return (0,) if scope.by_samples and r.rank == 2 else tuple(range(r.rank))


def _variance(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    """The mean squared distance from the mean, over the same axis as a mean."""
    out = []
    for r in each(positional, node, scope):
        over = _averaged(r, scope)
        centre = reduced(r, over, True, True)
        spread = dict(zip(centre.axes, r.axes, strict=True))
        away = replace(r, expr=(r.expr - substitute(centre.expr, spread)) ** 2)
        found = reduced(away, over, False, True)
        out.append(found if len(over) == r.rank else dearer(found, 0.0, MEAN))
    return tuple(out)


def _vec(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    return tuple(stacked(r, node, scope) for r in each(positional, node, scope))


def _inverse(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    return inverted(each(positional, node, scope), node, scope)


def _determinant(function: str) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        return determinants(each(positional, node, scope), node, scope, function)

    return make


def _rowsum(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    return tuple(reduced(r, (1,), keep=True) for r in _matrices(positional, node, scope))


def _colsum(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    return tuple(reduced(r, (0,)) for r in _matrices(positional, node, scope))


def _matrices(positional: list[Node], node: Call, scope: Scope) -> Readings:
    """The readings of an operand that are matrices."""
    found = each(positional, node, scope)
    matrices = tuple(r for r in found if r.rank == 2)
    if not matrices:
        shape = show(found[0])
        raise Unreadable("shape", "rows and columns are summed of a matrix", node, (shape,))
    return matrices


def _trace(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    out = []
    for r in each(positional, node, scope):
        if r.rank == 0:  # aᵀ X b is a matrix of one row and one column
            out.append(r)
        if r.rank == 2 and r.axes[0].extent == r.axes[1].extent:
            k = Index("_k", r.axes[0].extent)
            out.append(
                replace(
                    r, expr=IndexSum(substitute(r.expr, {r.axes[0]: k, r.axes[1]: k}), k), axes=()
                )
            )
    if not out:
        raise Unreadable("shape", "a trace of something that is not square", node)
    return tuple(out)


def _diag(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    out = []
    for r in each(positional, node, scope):
        if r.rank == 2 and 1 in r.shape:
            r = squeezed(r)
        if r.rank == 1:
            j = position(1, r.axes[0].extent)
            out.append(
                replace(r, expr=r.expr * Delta(r.axes[0], j), axes=(r.axes[0], j), row=False)
            )
        elif r.rank == 2:
            out.append(replace(r, expr=substitute(r.expr, {r.axes[1]: r.axes[0]}), axes=r.axes[:1]))
    if not out:
        raise Unreadable("shape", "diag of a scalar", node)
    return tuple(out)


def _norm(positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope) -> Readings:
    return tuple(normed(r) for r in each(positional, node, scope))


def _transposed(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    found = each(positional, node, scope)
    transposable(found, node, scope)
    return tuple(transpose(r, node) for r in found)


def _minimum(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    """``min(a, b) = -max(-a, -b)``."""
    minus: list[Node] = [Terms(n.start, n.end, (Term(n.start, n.end, "-", n),)) for n in positional]
    return tuple(replace(r, expr=-r.expr) for r in _maximum(minus, keywords, node, scope))


def _maximum(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    if len(positional) != 2:
        raise Unreadable("notation", "a maximum of two is read", node)
    out = []
    for a in read(positional[0], scope):
        for b in read(positional[1], scope):
            big, small = (b, a) if a.rank == 0 else (a, b)
            if small.rank and small.shape != big.shape:
                continue
            expr = Apply("relu", big.expr) if small.expr == 0 else Apply("maximum", a.expr, b.expr)
            out.append(replace(big, expr=expr, **combined(a, b)))
    if not out:
        raise Unreadable("shape", "the two shapes in the maximum differ", node)
    return tuple(out)


def _softmax(log: bool) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        out = []
        for r in each(positional, node, scope):
            if not r.rank:
                raise Unreadable("shape", "softmax of a scalar", node)
            total = summed_exponentials(r)
            out.append(
                replace(
                    r, expr=r.expr - Apply("log", total) if log else Apply("exp", r.expr) / total
                )
            )
        return tuple(out)

    return make


def _logsumexp(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    found = each(positional, node, scope)
    return tuple(
        array(
            Apply("log", summed_exponentials(r)),
            r.axes[:-1],
            cost=r.cost,
            notes=r.notes,
            guessed=r.guessed,
        )
        for r in found
        if r.rank
    )


def _two(sign: str, turn: bool) -> Maker:
    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        if len(positional) != 2:
            raise Unreadable("notation", "two arguments are read here", node)
        left, right = read(positional[0], scope), read(positional[1], scope)
        right = tuple(transpose(r, node) for r in right) if turn else right
        found = all_pairs(left, right, lambda a, b: product(a, b, sign))
        if not found:
            raise Unreadable("shape", "the two arguments do not fit", node)
        return found

    return make


def _cross_entropy(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    """``CE(y, p)``: the negative sum of y log p."""
    if len(positional) != 2:
        raise Unreadable("notation", "a cross-entropy of two is read", node)
    logs = (replace(r, expr=Apply("log", r.expr)) for r in read(positional[1], scope))
    found = all_pairs(read(positional[0], scope), tuple(logs), lambda a, b: product(a, b, "⊙"))
    if not found:
        raise Unreadable("shape", "the two arguments do not fit", node)
    sums = (reduced(r, range(r.rank)) for r in found)
    return tuple(replace(r, expr=-r.expr) for r in sums)


def _chained(
    positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
) -> Readings:
    """``prod(∂L/∂y, ∂y/∂x)``: the factors of the chain rule, multiplied as they fit."""
    return read(Juxt(node.start, node.end, tuple(positional)), scope)


def _filled(value: int) -> Maker:
    """``ones(N)``, ``zeros(N, M)``, ``ones((N, M))``."""

    def make(
        positional: list[Node], keywords: dict[str, Node], node: Call, scope: Scope
    ) -> Readings:
        items = positional
        if len(items) == 1 and isinstance(items[0], Bracket):
            items = list(items[0].items)
        known = [i for i in items if isinstance(i, Name) and i.text in scope.dims]
        if not 0 < len(known) == len(items) <= 2:
            raise Unreadable("notation", "extents of the model are read here", node)
        extents = [scope.dims[i.text] for i in known]
        return (Reading(Integer(value), tuple(position(k, e) for k, e in enumerate(extents))),)

    return make


# fmt: off
ARRAY_FUNCTIONS: dict[str, Maker] = {
    "sum": _summing(False), "mean": _summing(True), "rowsum": _rowsum, "trace": _trace,
    "diag": _diag, "norm2": _norm,
    "max": _maximum, "maximum": _maximum, "min": _minimum, "minimum": _minimum,
    "transpose": _transposed, "multiply": _two("⊙", False), "colsum": _colsum,
    "vec": _vec,
    "softmax": _softmax(False), "log_softmax": _softmax(True),
    "logsumexp": _logsumexp,
    "kron": _two("⊗", False), "dot": _two("@", False), "outer": _two(" ", True),
    "ones": _filled(1), "zeros": _filled(0), "var": _variance, "inv": _inverse,
    "det": _determinant("det"), "logdet": _determinant("logdet"),
    "chain": _chained, "cross_entropy": _cross_entropy,
}
# fmt: on
