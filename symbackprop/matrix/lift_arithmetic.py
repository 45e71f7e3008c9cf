"""How products, quotients and signs are put together from lifted parts, the way people write them.

``2 * a * b / s`` and not ``2 * (a * (b / s))``; ``1 / s`` becomes a division; a sign goes into the
number in front or turns a difference; a sum that is divided by its extent is a mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.ir import terms
from symbackprop.ir.terms import Term
from symbackprop.matrix.cost import cost
from symbackprop.matrix.lift_forms import Form, build, number


def times(a: Form, b: Form) -> Form:
    """``a * b``, as a division where one is ``1 / x``; a scalar stands in front.

    The array of higher rank comes first, a product ``@`` before other factors, and ``a * (b * c)``
    is written ``a * b * c``, unless that would repeat ``a`` along further axes first.
    """
    for x, y in ((b, a), (a, b)):
        if is_reciprocal(x):
            under = _without_one(x)
            if is_reciprocal(y):
                return build(terms.div, number(1), times(_without_one(y), under))
            return build(terms.div, y, under)
    if _stands_first(b.term, a.term):
        a, b = b, a
    whole = build(terms.mul, a, b)
    if b.term.op in ("mul", "div"):
        make = terms.mul if b.term.op == "mul" else terms.div
        first, second = b.term.args
        if whole.term.shape == first.shape:
            front = times(Form((0, 0, 0), a.term), Form((0, 0, 0), first)).term
            return Form(whole.cost, make(front, second))
    return whole


def _stands_first(b: Term, a: Term) -> bool:
    """Whether ``b * a`` is better than ``a * b``."""
    if not a.rank or not b.rank:
        return a.rank > 0
    if a.rank == b.rank:
        return b.op == "matmul" and a.op != "matmul"
    return a.rank < b.rank and b.op not in ("add", "sub")


def is_reciprocal(f: Form) -> bool:
    return f.term.op == "div" and f.term.args[0].op == "number" and f.term.args[0].attrs[0] == 1


def _without_one(f: Form) -> Form:
    """What ``1 / x`` divides by: the division and the number are two nodes without a price."""
    work, price, nodes = f.cost
    return Form((work, price, nodes - 2), f.term.args[1])


def multiplied(parts: Sequence[Form]) -> Form | None:
    out: Form | None = None
    for f in parts:
        out = f if out is None else times(out, f)
    return out


def divided(f: Form, under: Sequence[Form]) -> Form:
    below = multiplied(under)
    return f if below is None else build(terms.div, f, below)


def negated(f: Form) -> Form:
    """``-f`` with the sign where people write it: in the number in front, or in a difference."""
    head = f.term.op
    if head == "number":
        return number(-f.term.attrs[0])
    if head == "neg":
        return Form((f.cost[0], f.cost[1] - 1, f.cost[2] - 1), f.term.args[0])
    if head == "sub" and f.term.args[0].op != "number":
        return Form(f.cost, terms.sub(f.term.args[1], f.term.args[0]))
    if head in ("mul", "div") and f.term.args[0].op not in ("matmul", "outer"):
        make = terms.mul if head == "mul" else terms.div
        first, second = f.term.args
        before, after = cost(first), negated(Form(cost(first), first))
        work, price, nodes = (x + y - z for x, y, z in zip(f.cost, after.cost, before, strict=True))
        return Form((work, price, nodes), make(after.term, second))
    return build(terms.neg, f)


def as_mean(f: Form, below: list[Form]) -> tuple[Form, list[Form]]:
    """``sum(a, axis) / n → mean(a, axis)`` where the axes have ``n`` entries, also in ``b * sum(a,
    axis) / n``.
    """
    if not below:
        return f, below
    if f.term.op == "mul":
        for k, part in enumerate(f.term.args):
            mean, left = as_mean(Form(f.cost, part), below)
            if mean.term is not part:
                parts = [mean.term if j == k else x for j, x in enumerate(f.term.args)]
                return Form(f.cost, terms.mul(*parts)), left
    if f.term.op != "sum":
        return f, below
    (a,), (axes, keepdims) = f.term.args, f.term.attrs
    left = list(below)
    for extent in (a.shape[k] for k in terms.normal_axes(axes, a.rank)):
        hit = next((k for k, g in enumerate(left) if g.term == terms.dim(extent)), None)
        if hit is None:
            return f, below
        left.pop(hit)
    return Form(f.cost, terms.reduce("mean", a, axes, keepdims)), left
