"""Edits of products: transposes, sides, factors too many or missing, the wrong kind of product."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.checking.edit_sites import (
    TRANSPOSE,
    Edit,
    N,
    Place,
    flat,
    held,
    is_atom,
    is_turned,
    times,
    transposed,
)
from symbackprop.checking.edit_slopes import is_complement
from symbackprop.checking.functions import function_of
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import spellings
from symbackprop.checking.suggest import written
from symbackprop.ir.terms import same_shape
from symbackprop.notation.written import (
    Big,
    Binary,
    Bracket,
    Call,
    Fraction,
    Juxt,
    Name,
    Node,
    Number,
    Script,
    Term,
    Terms,
    children,
    side_by_side,
    walk,
)  # fmt: skip

MOST_DEEP = 3  # how deep in a formula a factor is put in


def transposes(p: Place) -> Iterator[Edit]:
    if is_atom(p.node) and not isinstance(p.parent, Script):
        said = (
            "«{old}» should not be transposed"
            if is_turned(p.node)
            else "«{old}» should be transposed: {new}"
        )
        yield Edit("transpose", p.node, transposed(p.node), 1.0, said)
    if p.depth == 0 and isinstance(p.node, Juxt) and all(map(is_atom, p.node.factors)):
        turned = tuple(transposed(f) for f in reversed(p.node.factors))
        yield Edit("layout", p.node, Juxt(N, N, turned), 0.85, "{layout}")
    if p.depth == 0 and not is_atom(p.node):
        yield Edit(
            "layout",
            p.node,
            Script(N, N, Bracket(N, N, "(", (p.node,)), (), (TRANSPOSE,)),
            0.9,
            "{layout}",
        )


def sides(p: Place) -> Iterator[Edit]:
    """Neighbours swapped, as they are or with transposes."""
    node = p.node
    if isinstance(node, Juxt):
        for k in range(len(node.factors) - 1):
            a, b = node.factors[k : k + 2]
            for x, y, cost in (
                (b, a, 1.15),
                (transposed(b), a, 1.3),
                (b, transposed(a), 1.3),
                (transposed(b), transposed(a), 1.4),
            ):
                yield Edit(
                    "side-of-product",
                    node,
                    Juxt(N, N, (*node.factors[:k], x, y, *node.factors[k + 2 :])),
                    cost,
                    "the factors are on the wrong sides: {new}",
                )
    if isinstance(node, Binary) and node.op in "·×@*" and _is_product(node.left):
        inner = node.left
        assert isinstance(inner, Binary), "just tested"
        turned = Binary(N, N, node.op, Binary(N, N, inner.op, inner.left, node.right), inner.right)
        said = "the factors are on the wrong sides: {new}"
        yield Edit("side-of-product", node, turned, 1.0, said)
    if isinstance(node, Binary) and node.op in "·×@*⊗":
        for x, y, cost in (
            (node.right, node.left, 1.15),
            (transposed(node.right), node.left, 1.3),
            (node.right, transposed(node.left), 1.3),
        ):
            yield Edit(
                "side-of-product",
                node,
                Binary(N, N, node.op, x, y),
                cost,
                "the factors are on the wrong sides: {new}",
            )


def _is_product(node: Node) -> bool:
    return isinstance(node, Binary) and node.op in "·×@*"


def factors(p: Place) -> Iterator[Edit]:
    """A missing or superfluous number or extent, at the whole or at a term."""
    node = p.node
    if (
        isinstance(node, Number)
        and node.text in ("1", "2", "3", "4")
        and not isinstance(p.parent, Script)
    ):
        for other in ("1", "2", "4"):
            if other != node.text:
                yield Edit(
                    "factor", node, Number(N, N, other), 0.95, "the factor {old} should be {new}"
                )
    if (
        isinstance(node, Fraction)
        and isinstance(node.top, Number)
        and isinstance(node.bottom, Number)
    ):
        for other in ("1", "2"):
            yield Edit(
                "factor", node, Number(N, N, other), 0.95, "the factor {old} should be {new}"
            )
    if (
        isinstance(node, Name)
        and node.text in p.scope.dims
        and not isinstance(p.parent, Big | Script)
    ):
        for name in sorted(p.scope.dims):
            if name != node.text:
                said = "the extent {old} should be {new}"
                yield Edit("mean-for-sum", node, Name(N, N, name), 1.1, said)
        root = Call(N, N, Name(N, N, "sqrt"), (node,))
        yield Edit("factor", node, root, 1.3, "the root of {old} is meant: {new}")
    if p.depth and not isinstance(p.parent, Term | Bracket | Big):
        return
    if isinstance(node, Term | Name) and p.depth:
        return
    for text in ("2", "3", "4"):
        yield Edit(
            "factor", node, times(Number(N, N, text), node), 1.1, f"a factor {text} is missing"
        )
    yield Edit(
        "factor",
        node,
        Binary(N, N, "/", held(node), Number(N, N, "2")),
        1.15,
        "a factor 2 is too much",
    )
    for q in p.scope.forward.inputs:
        if not q.shape:
            scalar = written(q.name, p.scope)
            for new in (Binary(N, N, "/", held(node), scalar), times(scalar, node)):
                cost = 1.4 if q.role == "data" else 1.6
                said = f"a factor with {q.name} is missing: {{new}}"
                yield Edit("factor", node, new, cost, said)
    for name in sorted(p.scope.dims):
        dim = Name(N, N, name)
        yield Edit(
            "mean-for-sum",
            node,
            Binary(N, N, "/", held(node), dim),
            1.25,
            f"a division by {name} is missing: the mean is meant, this is the sum",
        )
        yield Edit(
            "mean-for-sum",
            node,
            times(dim, node),
            1.25,
            f"the division by {name} is too much: the sum is meant, this is the mean",
        )
        root = Call(N, N, Name(N, N, "sqrt"), (dim,))
        yield Edit(
            "factor",
            node,
            Binary(N, N, "/", held(node), root),
            1.6,
            f"a division by the root of {name} is missing",
        )


def arrays(p: Place) -> Iterator[Edit]:
    """An array that is a factor and left out: a gate, a scale, a mask of the model."""
    inner = isinstance(p.node, Binary) and p.node.op == "⊙" and 0 < p.depth <= MOST_DEEP
    if p.left.letters or not p.left.rank or (p.depth and not inner):
        return
    for name in p.scope.arrays:
        shape = p.scope.shape(name)
        if shape and (inner or same_shape(shape, p.left.shape[-len(shape) :])):
            new = Binary(N, N, "⊙", held(p.node), written(name, p.scope))
            yield Edit("factor", p.node, new, 1.7, f"the factor {name} is missing: {{new}}")


def inversions(p: Place) -> Iterator[Edit]:
    """A scalar factor that should divide."""
    node = p.node
    if not isinstance(node, Juxt):
        return
    for k, f in enumerate(node.factors):
        if isinstance(f, Name) and (f.text in p.scope.dims or p.scope.shape(f.text) == ()):
            rest = node.factors[:k] + node.factors[k + 1 :]
            left = side_by_side(rest, made=True)
            new = Binary(N, N, "/", held(left), f)
            yield Edit("factor", node, new, 1.35, f"the factor {f.text} should divide: {{new}}")


def drops(p: Place) -> Iterator[Edit]:
    """A factor or a term too much."""
    node = p.node
    if isinstance(node, Juxt):
        for k, f in enumerate(node.factors):
            if k and isinstance(f, Bracket) and function_of(node.factors[k - 1], p.scope):
                continue
            rest = node.factors[:k] + node.factors[k + 1 :]
            yield Edit(
                _category(f, p),
                node,
                side_by_side(rest, made=True),
                1.5,
                "a factor is too much: {new}",
            )
        for k in range(len(node.factors) - 1):
            if function_of(node.factors[k], p.scope) is not None and isinstance(
                node.factors[k + 1], Bracket
            ):
                rest = node.factors[:k] + node.factors[k + 2 :]
                if rest:
                    yield Edit(
                        "extra-slope",
                        node,
                        side_by_side(rest, made=True),
                        1.3,
                        "the slope is too much: {new}",
                    )
    if isinstance(node, Binary):
        yield Edit(_category(node.right, p), node, node.left, 1.5, "a factor is too much: {new}")
        if node.op != "/":
            yield Edit(
                _category(node.left, p), node, node.right, 1.5, "a factor is too much: {new}"
            )
    if isinstance(node, Terms) and len(node.terms) > 1:
        for k in range(len(node.terms)):
            yield Edit(
                "regulariser" if _is_penalty(node.terms[k], p) else "other",
                node,
                Terms(N, N, node.terms[:k] + node.terms[k + 1 :]),
                1.7,
                "a term is too much: {new}",
            )
    if isinstance(node, Big):
        yield Edit("axis", node, node.body, 1.6, "the sum is too much")


def _is_penalty(term: Term, p: Place) -> bool:
    """Whether a term has a scalar weight that is given: the gradient of a penalty."""
    weights = {q.name for q in p.scope.forward.inputs if not q.shape and q.role == "data"}
    symbols = (n for n in walk(term) if isinstance(n, Name))
    return any(not weights.isdisjoint(spellings(n)) for n in symbols)


def _category(factor: Node, p: Place) -> str:
    if isinstance(factor, Number):
        return "factor"
    if isinstance(factor, Name) and factor.text in p.scope.dims:
        return "mean-for-sum"
    slope = _is_slope(factor, p.scope) or is_complement(factor)
    return "extra-slope" if slope else "other"


def _is_slope(node: Node, scope: Scope) -> bool:
    if isinstance(node, Juxt) and len(node.factors) == 2:
        function = function_of(node.factors[0], scope)
        return function is not None and function.order > 0
    if isinstance(node, Juxt | Bracket | Terms | Binary):
        return any(_is_slope(c, scope) for c in children(node))
    return False


def operators(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Binary) and node.op in "⊙·*×":
        yield Edit(
            "other",
            node,
            Juxt(N, N, (*flat(node.left), *flat(node.right))),
            1.5,
            "a matrix product is meant, not one entry by entry: {new}",
        )
    if isinstance(node, Juxt) and len(node.factors) == 2:
        yield Edit(
            "other",
            node,
            Binary(N, N, "⊙", *node.factors),
            1.5,
            "a product entry by entry is meant, not a matrix product: {new}",
        )
