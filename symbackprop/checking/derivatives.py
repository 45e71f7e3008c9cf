r"""Derivatives as written: ``\frac{\partial a}{\partial b}``, ``da/db``, and lines of the chain
rule.

The derivative of the loss is its true gradient (an entry ``grad_X``), that of any other quantity
the true Jacobian, output axes first. ``∂L/∂X`` follows the layout, ``∇`` never does. A product of
derivatives in which each denominator is the next numerator states the chain rule, and is read as
the contraction over what cancels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Mul

from symbackprop.checking.indexing import said
from symbackprop.checking.operations import transpose
from symbackprop.checking.partials import differentiable, direct, total
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Note,
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    clash,
    combined,
    squeezed,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.second_derivatives import second_derivative
from symbackprop.checking.special_names import gradient_of
from symbackprop.checking.stacked_columns import inside_vec, stacked, stacked_at
from symbackprop.ir.expressions import Delta, Entry, Index, IndexSum, substitute
from symbackprop.ir.terms import same_shape
from symbackprop.notation.written import (
    Accent,
    Binary,
    Bracket,
    Fraction,
    Juxt,
    Mark,
    Name,
    Node,
    Partial,
    Script,
)

CHAIN = Note("a line of the chain rule, read as the contraction over what cancels")
DIAGONAL = Note("the Jacobian of an elementwise map, written as its diagonal")
EITHER = Note("the derivative of a scalar by a vector, as a row or a column")


@dataclass(frozen=True, slots=True)
class Derivative:
    """``∂of/∂by`` of two entries, each with its own positional axes; ``expr`` is over both, renamed
    apart by ``tag``.
    """

    of: Reading
    by: Reading


def derivative(node: Fraction | Binary, scope: Scope, operand: Node | None = None) -> Readings:
    """The readings of a fraction of differentials; none if it is no such fraction."""
    pair = differentials(node, scope, operand)
    if pair is None:
        return second_derivative(node, scope) if operand is None else ()
    if any(map(inside_vec, pair)):
        return _of_stacked(*pair, node, scope)
    found = [r for of, by in _entries(*pair, node, scope) for r in _ratio(of, by, node, scope)]
    if not found:
        raise Unreadable("notation", "this derivative is not read", node)
    return cheapest(found)


def differentials(
    node: Fraction | Binary, scope: Scope, operand: Node | None = None
) -> tuple[Node, Node] | None:
    """Numerator and denominator of a fraction of differentials; None if it is no such fraction."""
    if isinstance(node, Binary) and node.op != "/":
        return None
    top, bottom = (node.top, node.bottom) if isinstance(node, Fraction) else (node.left, node.right)
    by = differential_of(bottom, scope)
    of = differential_of(top, scope)
    if by is None or of is None:
        return None
    if isinstance(of, Mark) and of.text == "partial":
        of = operand
    elif operand is not None:
        return None
    return (of, by) if of is not None else None


def differential_of(node: Node, scope: Scope) -> Node | None:
    r"""What stands after ``∂`` or ``d``; None if the node is no differential."""
    if isinstance(node, Partial):
        return node.body
    if isinstance(node, Juxt) and isinstance(node.factors[0], Partial):
        first, *rest = node.factors
        assert isinstance(first, Partial), "just tested"
        return replace(node, start=first.body.start, factors=(first.body, *rest))
    if (
        isinstance(node, Juxt)
        and isinstance(node.factors[0], Name)
        and node.factors[0].text == "d"
        and scope.shape("d") is None
    ):
        rest = list(node.factors[1:])
        return (
            rest[0] if len(rest) == 1 else replace(node, start=rest[0].start, factors=tuple(rest))
        )
    if (
        isinstance(node, Name)
        and len(node.text) > 1
        and node.text[0] == "d"
        and scope.shape(node.text) is None
    ):
        return Name(node.start + 1, node.end, node.text[1:])
    if isinstance(node, Name) and node.text == "d":
        return Mark(node.start, node.end, "partial")
    if isinstance(node, Script) and all(map(turns, node.sups)):
        base = (
            differential_of(node.base, scope)
            if isinstance(node.base, Name) and len(node.base.text) > 1
            else None
        )
        return replace(node, start=base.start, base=base) if base is not None else None
    return None


def turns(node: Node) -> bool:
    """Whether a superscript is a prime or a transpose."""
    return (isinstance(node, Mark) and node.text == "prime") or (
        isinstance(node, Name) and node.text == "T"
    )


def _entries(of: Node, by: Node, node: Node, scope: Scope) -> list[tuple[Reading, Reading]]:
    """Numerators and denominators that are entries of quantities; an expression is the loss if it
    is so in value, else it is differentiated as it stands.
    """
    tops: list[Reading] = []
    expressions: list[Reading] = []
    for r in read(of, scope):
        if (
            not isinstance(r.expr, Entry)
            and r.rank == 0
            and scope.same_value(r.expr, Entry(scope.loss))
        ):
            r = replace(r, expr=Entry(scope.loss))
        if isinstance(r.expr, Entry) and r.rank and squeezed(r).rank == 0:
            alone = squeezed(r)
            if scope.same_value(alone.expr, Entry(scope.loss)):
                r = replace(alone, expr=Entry(scope.loss))
        if isinstance(r.expr, Entry):
            tops.append(r)
        elif differentiable(r.expr, scope):
            expressions.append(r)
    tops = tops or expressions
    bottoms = [
        r
        for r in read(by, scope)
        if isinstance(r.expr, Entry) and not r.expr.name.startswith("grad_")
    ]
    if not tops or not bottoms:
        missing = of if not tops else by
        raise Unreadable(
            "notation",
            f"a derivative with {said(missing, scope)}, which is no quantity of the model",
            missing,
        )
    if reason := clash(tops[0], bottoms[0]):
        raise Unreadable("shape", f"the index {reason}", node)
    return [(a, b) for a in tops[:2] for b in bottoms[:2]]


def is_immediate(node: Node) -> bool:
    """Whether a fraction is ``∂⁺a/∂b``: the derivative by the equation of a, all else held."""
    top = (
        node.top if isinstance(node, Fraction) else node.left if isinstance(node, Binary) else None
    )
    if isinstance(top, Juxt):
        top = top.factors[0]
    return isinstance(top, Partial) and top.immediate


def _ratio(of: Reading, by: Reading, node: Node, scope: Scope) -> list[Reading]:
    if is_immediate(node):
        return jacobians(of, by, scope, immediate=True)
    gradient = _gradient(of, by, node, scope)
    if gradient is not None:
        return [
            transpose(gradient, node)
            if scope.layout == "jacobian" and gradient.rank <= 2
            else gradient
        ]
    return jacobians(of, by, scope)


def _gradient(of: Reading, by: Reading, node: Node, scope: Scope) -> Reading | None:
    """The gradient, where it is the scalar loss that is differentiated."""
    if not _is_loss(of, scope) or of.rank or scope.shape(scope.loss):
        return None
    return replace(gradient_of(by, node, scope), **combined(of, by))


def _of_stacked(of: Node, by: Node, node: Fraction | Binary, scope: Scope) -> Readings:
    """The readings of ``∂ vec(Z) / ∂ vec(W)``, where either or both are a vec."""
    top, bottom = inside_vec(of), inside_vec(by)
    found = []
    for a, b in _entries(top or of, bottom or by, node, scope):
        gradient = _gradient(a, b, node, scope)
        if gradient is not None:
            column = stacked(gradient, node, scope)
            found.append(replace(column, row=scope.layout == "jacobian"))
            continue
        expr, outer, inner = spread(a, b, scope, immediate=is_immediate(node))
        whole = array(expr, (*outer, *inner), **combined(a, b))
        if bottom is not None and len(inner) == 2:
            whole = stacked_at(whole, len(outer), scope)
        if top is not None and len(outer) == 2:
            whole = stacked_at(whole, 0, scope)
        found.append(whole)
    return cheapest(found)


def _is_loss(of: Reading, scope: Scope) -> bool:
    return isinstance(of.expr, Entry) and of.expr.name == scope.loss


def jacobians(of: Reading, by: Reading, scope: Scope, *, immediate: bool = False) -> list[Reading]:
    """The Jacobian, output axes first; of an elementwise map also its diagonal."""
    if of.rank + by.rank > 2:
        of, by = squeezed(of), squeezed(by)
    expr, outer, inner = spread(of, by, scope, immediate=immediate)
    rest = combined(of, by)
    if not outer and len(inner) == 1:
        row = array(expr, inner, row=True, **rest)
        return [
            row,
            replace(array(expr, inner, **rest), cost=row.cost + 0.3, notes=row.notes | {EITHER}),
        ]
    full = array(expr, (*outer, *inner), **rest)
    if not outer or not same_shape([i.extent for i in outer], [i.extent for i in inner]):
        return [full]
    diagonal = substitute(expr, dict(zip(inner, outer, strict=True)))
    if not scope.same_value(
        expr, diagonal * Mul(*(Delta(a, b) for a, b in zip(outer, inner, strict=True)))
    ):
        return [full]
    return [full, array(diagonal, outer, **combined(of, by, 1.0, DIAGONAL))]


def spread(
    of: Reading, by: Reading, scope: Scope, tag: str = "", *, immediate: bool = False
) -> tuple[Expr, tuple[Index, ...], tuple[Index, ...]]:
    """The Jacobian's entry with the axes of both renamed apart, and these axes."""
    outer = tuple(Index(f"_o{tag}{k}", i.extent) for k, i in enumerate(of.axes))
    inner = tuple(Index(f"_i{tag}{k}", i.extent) for k, i in enumerate(by.axes))
    a = substitute(of.expr, dict(zip(of.axes, outer, strict=True)))
    b = substitute(by.expr, dict(zip(by.axes, inner, strict=True)))
    assert isinstance(b, Entry), "renaming keeps entries"
    if not isinstance(a, Entry):
        return (direct if scope.held or immediate else total)(a, b, scope), outer, inner
    if immediate or (scope.held and a.name != scope.loss):
        return scope.immediate(a, b), outer, inner
    if a.name == scope.loss and not a.indices:
        gradient = scope.gradient(b)
        assert gradient is not None, "every quantity has a gradient"
        return gradient, outer, inner
    return scope.jacobian(a, b), outer, inner


def chain(factors: Sequence[Node], node: Node, scope: Scope) -> Readings:
    """A product of derivatives as a line of the chain rule; nothing if it is none."""
    pairs = []
    if not any(isinstance(f, Fraction | Binary) for f in _flat(factors)):
        return ()
    for factor in _flat(factors):
        pair = differentials(factor, scope) if isinstance(factor, Fraction | Binary) else None
        if pair is None and (known := _known_gradient(factor, scope)) is not None:
            pairs.append(known)
            continue
        if pair is None or is_immediate(factor):
            return ()
        pairs.append(_entries(*pair, factor, scope)[0])
    for ordered in (pairs, pairs[::-1]):
        if len(pairs) > 1 and all(_links(a[1], b[0]) for a, b in itertools.pairwise(ordered)):
            return _contracted(ordered, scope)
    return ()


def _known_gradient(factor: Node, scope: Scope) -> tuple[Reading, Reading] | None:
    """A symbol such as δ that stands for a gradient, as the derivative that it is."""
    if not isinstance(factor, Name | Accent | Script) or scope.shape(scope.loss):
        return None
    before = set(scope.supposed)
    try:
        r = read(factor, scope)[0]
    except Unreadable:
        scope.supposed = before
        return None
    if not isinstance(r.expr, Entry) or not r.expr.name.startswith("grad_") or r.row:
        return None
    by = replace(r, expr=Entry(r.expr.name.removeprefix("grad_"), *r.expr.indices))
    return Reading(Entry(scope.loss), guessed=r.guessed), by


def _flat(factors: Sequence[Node]) -> list[Node]:
    out: list[Node] = []
    for f in factors:
        if isinstance(f, Juxt):
            out.extend(_flat(f.factors))
        elif isinstance(f, Binary) and f.op in "·*×":
            out.extend(_flat((f.left, f.right)))
        elif isinstance(f, Bracket) and len(f.items) == 1:
            out.extend(_flat(f.items))
        else:
            out.append(f)
    return out


def _links(by: Reading, of: Reading) -> bool:
    return by.expr == of.expr and by.axes == of.axes


def _contracted(pairs: list[tuple[Reading, Reading]], scope: Scope) -> Readings:
    body: list[Expr] = []
    bound: list[Index] = []
    axes: list[Index] = []
    upper: tuple[Index, ...] = ()
    for k, (of, by) in enumerate(pairs):
        expr, outer, inner = spread(of, by, scope, f"{k}_")
        if k == 0:
            axes.extend(outer)
        else:
            expr = substitute(expr, dict(zip(outer, upper, strict=True)))
            bound.extend(upper)
        body.append(expr)
        upper = inner
    axes.extend(upper)
    product = Mul(*body)
    whole = IndexSum(product, *bound) if bound else product
    guessed = frozenset().union(*(r.guessed for pair in pairs for r in pair))
    notes = frozenset().union(*(r.notes for pair in pairs for r in pair)) | (
        {CHAIN} if bound else frozenset()
    )
    reading = array(
        whole, axes, notes=notes, guessed=guessed, cost=sum(r.cost for pair in pairs for r in pair)
    )
    loss = isinstance(pairs[0][0].expr, Entry) and pairs[0][0].expr.name == scope.loss
    return (
        transpose(reading, None)
        if loss and scope.layout == "jacobian" and reading.rank <= 2
        else reading,
    )
