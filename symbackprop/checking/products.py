"""Factors, terms and fractions: what stands side by side, bracketed in every way that fits.

A juxtaposition is first grouped (a function and its bracket are one factor, so is ``d W``), then
all bracketings of the factors are tried by spans, as in chart parsing; scalars make the order
irrelevant, matrices do not. A run of derivatives in Leibniz's notation is also read as one line of
the chain rule, and then contracted.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.dependence import dependent
from symbackprop.checking.derivatives import chain, derivative
from symbackprop.checking.functions import function_of
from symbackprop.checking.neighbours import pair_at
from symbackprop.checking.operations import (
    all_pairs,
    divide,
    misfit,
    product,
    sum_of,
    sum_of_columns,
)
from symbackprop.checking.read import read
from symbackprop.checking.readings import Note, Readings, Unreadable, cheapest, dearer
from symbackprop.checking.scope import Scope
from symbackprop.checking.second_derivatives import second_derivative
from symbackprop.checking.stars import CORRELATION, PLAIN, UNDECIDED, shown, starred
from symbackprop.checking.tensors import entry_by_entry, no_tensors
from symbackprop.checking.work import PRODUCT
from symbackprop.notation.written import (
    Binary,
    Bracket,
    Fraction,
    Juxt,
    Mark,
    Nabla,
    Name,
    Node,
    Partial,
    Script,
    Terms,
    side_by_side,
)  # fmt: skip

MOST_FACTORS = 12
ALL_THAT_FOLLOWS = Note("the derivative is taken of all that follows")


@read.register
def _juxt(node: Juxt, scope: Scope) -> Readings:
    known = chain(node.factors, node, scope) or second_derivative(node, scope)
    if known:
        return known
    items = _grouped(with_dependence(node.factors, scope), node, scope)
    if len(items) > MOST_FACTORS:
        raise Unreadable("notation", f"more than {MOST_FACTORS} factors side by side", node)
    if not all(items):
        raise Unreadable("notation", "a factor that has no reading here", node)
    no_tensors(node.factors, items, node, scope)
    return _bracketed(items, node, scope)


@read.register
def _binary(node: Binary, scope: Scope) -> Readings:
    special = derivative(node, scope) if node.op == "/" else chain((node,), node, scope)
    if special:
        return special
    left, right = read(node.left, scope), read(node.right, scope)
    if node.op == "⊙":
        left, right = entry_by_entry(left, right)
    scope.spend(PRODUCT * len(left) * len(right), node)
    no_tensors((node.left, node.right), (left, right), node, scope)
    if node.op == "/":
        found = all_pairs(left, right, divide)
    else:
        found = all_pairs(left, right, lambda a, b: product(a, b, node.op))
        found = (*found, *between_arrays(left, right, node.op, bool(found), scope))
    if not found:
        raise misfit(
            left, right, "the quotient" if node.op == "/" else f"the product {node.op}", node
        )
    return scope.weigh_doubling(found, node)


def between_arrays(
    left: Readings, right: Readings, sign: str, fits: bool, scope: Scope
) -> Readings:
    """What a star between images or sequences means besides a product."""
    if sign == CORRELATION:
        return starred(left, right, sign, PLAIN, scope)
    if sign not in UNDECIDED or not scope.slides or not any(map(shown, (*left, *right))):
        return ()
    found = starred(left, right, sign, PLAIN, scope)
    return tuple(dearer(r, 1.5) for r in found) if fits else found


@read.register
def _fraction(node: Fraction, scope: Scope) -> Readings:
    found = derivative(node, scope)
    if found:
        return found
    top, bottom = read(node.top, scope), read(node.bottom, scope)
    quotients = all_pairs(top, bottom, divide)
    if not quotients:
        raise misfit(top, bottom, "the quotient", node)
    return scope.weigh(quotients, node)


@read.register
def _terms(node: Terms, scope: Scope) -> Readings:
    """The sum of the terms; a derivative without brackets may be meant of all that follows."""
    found = _summed(node, scope)
    wider = of_all_that_follows(node)
    if wider is None:
        return found
    try:
        return (*found, *(dearer(r, 0.5, ALL_THAT_FOLLOWS) for r in read(wider, scope)))
    except Unreadable:
        return found


def of_all_that_follows(node: Terms) -> Node | None:
    """``∂/∂x a + b`` with the bracket that may be missing; None if the
    first term is no such derivative.
    """
    first = node.terms[0]
    body = first.body
    if len(node.terms) < 2 or not isinstance(body, Juxt) or first.sign != "+":
        return None
    at = next((k for k, f in enumerate(body.factors[:-1]) if is_operator(f)), None)
    if at is None:
        return None
    start = side_by_side(body.factors[at + 1 :])
    inner = Terms(start.start, node.end, (replace(first, body=start), *node.terms[1:]))
    operand = Bracket(start.start, node.end, "(", (inner,))
    return Juxt(node.start, node.end, (*body.factors[: at + 1], operand))


def is_operator(node: Node) -> bool:
    """Whether a fraction is a derivative without operand: ``∂/∂x``."""
    return (
        isinstance(node, Fraction)
        and isinstance(node.top, Partial)
        and isinstance(node.top.body, Mark)
    )


def with_dependence(factors: tuple[Node, ...], scope: Scope) -> tuple[Node, ...]:
    """The factors, a quantity with its arguments being one where a derivative is taken of it."""
    out: list[Node] = []
    at = 0
    while at < len(factors):
        here, after = factors[at], factors[at + 1 : at + 3]
        if len(after) == 2 and (layered := _function_of_layer(here, *after, scope)) is not None:
            out.extend((layered, after[1]))
            at += 3
        elif is_operator(here) and len(after) == 2 and dependent(*after, scope) is not None:
            out.extend((here, Juxt(after[0].start, after[1].end, after)))
            at += 3
        elif isinstance(here, Nabla) and here.of is not None and after:
            known = dependent(here.of, after[0], scope)
            out.append(here)
            at += 2 if known is not None else 1
        else:
            out.append(here)
            at += 1
    return tuple(out)


def _function_of_layer(first: Node, second: Node, third: Node, scope: Scope) -> Node | None:
    """``g[1]'`` before a bracket, as the function that it is in other notation."""
    inner = second.base if isinstance(second, Script) else second
    primes = second.sups if isinstance(second, Script) else ()
    if not isinstance(first, Name) or not isinstance(third, Bracket):
        return None
    if not isinstance(inner, Bracket) or inner.kind != "[":
        return None
    layered = Script(first.start, second.end, first, (), (inner, *primes))
    return layered if any(function_of(f, scope) is not None for f in (first, layered)) else None


def _summed(node: Terms, scope: Scope) -> Readings:
    total: Readings = ()
    plus = sum_of_columns if scope.latex else sum_of
    for term in node.terms:
        found = read(term.body, scope)
        if term.sign == "-":
            found = tuple(replace(r, expr=-r.expr) for r in found)
        if not total:
            total = found
            continue
        summed = all_pairs(total, found, plus)
        if not summed:
            raise misfit(total, found, "the sum", node)
        total = summed
    return total


def _bracketed(items: tuple[Readings, ...], node: Node, scope: Scope) -> Readings:
    """All readings of factors in a row, over all bracketings; leaning to the right is slightly
    dearer.
    """
    n = len(items)
    if all(r.rank == 0 for readings in items for r in readings[:1]) or n == 2:
        total = items[0]
        for factor in items[1:]:
            scope.spend(PRODUCT * len(total) * len(factor), node)
            found = all_pairs(total, factor, lambda a, b: product(a, b, " "))
            if not found:
                raise misfit(total, factor, "the product", node)
            total = found
        return total
    spans: dict[tuple[int, int], Readings] = {(i, i + 1): items[i] for i in range(n)}
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            pairs = sum(
                len(spans[i, k]) * len(spans[k, i + length]) for k in range(i + 1, i + length)
            )
            scope.spend(PRODUCT * pairs, node)
            readings = [
                dearer(r, 0.0 if k == i + length - 1 else 0.01)
                for k in range(i + 1, i + length)
                for a in spans[i, k]
                for b in spans[k, i + length]
                for r in product(a, b, " ")
            ]
            spans[i, i + length] = cheapest(readings)
    if not spans[0, n]:
        for i in range(n - 1):
            if not spans[i, i + 2]:
                raise misfit(items[i], items[i + 1], "the product", node)
        raise Unreadable("shape", "these factors do not fit in any bracketing", node)
    return spans[0, n]


def _grouped(factors: tuple[Node, ...], node: Node, scope: Scope) -> tuple[Readings, ...]:
    """The factors as readings; a function with its argument, an operator with its operand, a name
    with its index are one.
    """
    out: list[Readings] = []
    at = 0
    while at < len(factors):
        found, taken = pair_at(factors, at, scope)
        if found is None:
            found, taken = read(factors[at], scope), 1
        out.append(found)
        at += taken
    return tuple(out)
