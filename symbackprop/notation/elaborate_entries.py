"""Index notation: ``Y[n,k] = sum[c](X[n,c]*K[k,c])`` and expressions over entries.

The ranges of indices follow from the arrays in whose brackets they stand alone, or are told by
``for i in 0..H-R``. The result is an expression of ``ir.expressions``; an equation becomes the term
``entries`` that holds it. Recurrences are taken apart by whoever reads statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import singledispatch

from sympy import Expr, Pow, Rational, oo, pi

from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir import terms
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    Where,
    entry_names,
)
from symbackprop.ir.terms import Term, same_extent
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate_calls import FORMS, arguments, unknown_function
from symbackprop.notation.elaborate_operators import elaborate
from symbackprop.notation.elaborate_recurrences import series
from symbackprop.notation.extents import extent, index_expression
from symbackprop.notation.numbers import check_power, division_by_zero
from symbackprop.notation.scope import Scope, unknown
from symbackprop.notation.words import ELEMENTWISE

REDUCERS = {"sum": IndexSum, "max": IndexMax, "prod": IndexProduct}


def elaborate_equation(tree: s.Equation, scope: Scope) -> Term:
    """The right side of an equation, in array or in index notation."""
    if tree.indices is None:
        if tree.ranges:
            raise Malformed(
                "an equation by entries before `for`",
                tree.name.text,
                tree.ranges[0].span,
                f"write {tree.name.text}[{tree.ranges[0].index.text}] = …",
            )
        return elaborate(tree.value, scope)
    names = [i for i in tree.indices if isinstance(i, s.Name)]
    if (
        len(names) < len(tree.indices)
        or _mentions(tree.value, tree.name.text)
        or tree.name.text in scope.shapes
    ):
        raise NotSupported(
            "an equation for a whole array, or a recurrence such as H[l] = … for l in 1..K",
            f"{tree.name.text} defined piece by piece",
            tree.span,
            "give the boundary first, H[0] = …, then the step, H[l] = … for l in 1..K",
        )
    for name in names:
        if scope.declares(name.text):
            raise Malformed(
                "a new name as index",
                f"{name.text}, which is declared",
                name.span,
                "choose another letter",
            )
    if len({n.text for n in names}) < len(names):
        raise Malformed(
            "distinct indices", f"{names[-1].text} twice", tree.span, "a diagonal is taken by diag"
        )
    ranges = _told(tree.ranges, scope)
    indices = tuple(_index(n, tree.value, scope, ranges) for n in names)
    inner = replace(scope, indices={**ranges, **{i.name: i for i in indices}})
    return terms.entries(indices, elaborate_entry(tree.value, inner))


def _mentions(tree: s.Tree, name: str) -> bool:
    return (isinstance(tree, s.Name) and tree.text == name) or any(
        _mentions(c, name) for c in s.children(tree)
    )


def _told(ranges: Iterable[s.Range], scope: Scope) -> dict[str, Index]:
    """Indices whose range is written out."""
    told: dict[str, Index] = {}
    for r in ranges:
        if extent(r.first, scope) != 0:
            raise NotSupported(
                "ranges from 0 in an equation by entries",
                f"a range from {extent(r.first, scope)}",
                r.span,
            )
        if scope.declares(r.index.text):
            raise Malformed(
                "a new name as index",
                f"{r.index.text}, which is declared",
                r.index.span,
                "choose another letter",
            )
        told[r.index.text] = Index(r.index.text, extent(r.last, scope) + 1)
    return told


def _index(name: s.Name, body: s.Tree, scope: Scope, told: Mapping[str, Index]) -> Index:
    """The index called ``name`` with the extent told, or that of the axes on which it stands alone
    in ``body``.
    """
    if name.text in told:
        return told[name.text]
    found: Expr | None = None
    for place, size in _places(name.text, body, scope):
        if found is not None and not same_extent(found, size):
            raise Malformed(
                f"one range for the index {name.text}",
                f"{found} and {size}",
                place.span,
                "use two indices",
            )
        found = size
    if found is None:
        raise Malformed(
            f"the range of the index {name.text}",
            "no array with it alone in a bracket",
            name.span,
            f"add for example `for {name.text} in 0..N-1`",
        )
    return Index(name.text, found)


def _places(name: str, tree: s.Tree, scope: Scope) -> Iterable[tuple[s.Tree, Expr]]:
    if isinstance(tree, s.Reduction) and any(i.text == name for i in tree.indices):
        return
    if (
        isinstance(tree, s.Subscript)
        and isinstance(tree.base, s.Name)
        and tree.base.text in scope.shapes
    ):
        for item, size in zip(tree.items, scope.shapes[tree.base.text], strict=False):
            if isinstance(item, s.Name) and item.text == name:
                yield item, size
    for child in s.children(tree):
        yield from _places(name, child, scope)


@singledispatch
def elaborate_entry(tree: s.Tree, scope: Scope) -> Expr:
    """The expression in index notation that ``tree`` means; ``scope.indices`` may occur free."""
    raise Malformed(
        "an expression by entries", "array notation", tree.span, "write entries, such as X[n,d]"
    )


@elaborate_entry.register
def _(tree: s.Number, scope: Scope) -> Expr:
    return tree.value


@elaborate_entry.register
def _(tree: s.Name, scope: Scope) -> Expr:
    if tree.text in scope.indices:
        return scope.indices[tree.text]
    if tree.text in scope.shapes:
        rank = len(scope.shapes[tree.text])
        if rank:
            letters = ",".join("ijkl"[:rank]) if rank <= 4 else "…"
            raise Malformed(
                f"an entry of {tree.text}",
                "the whole array",
                tree.span,
                f"write {tree.text}[{letters}]",
            )
        return Entry(tree.text)
    if tree.text in scope.dims:
        return scope.dims[tree.text]
    if tree.text in ("pi", "inf"):
        return {"pi": pi, "inf": oo}[tree.text]
    raise unknown(tree.text, tree.span, scope)


@elaborate_entry.register
def _(tree: s.Unary, scope: Scope) -> Expr:
    inner = elaborate_entry(tree.operand, scope)
    return -inner if tree.op == "-" else inner


@elaborate_entry.register
def _(tree: s.Binary, scope: Scope) -> Expr:
    if tree.op in ("//", "%"):
        return index_expression(tree, scope, scope.indices)
    if tree.op == "@":
        raise Malformed(
            "an expression by entries", "@", tree.span, "write sum[d](X[n,d]*W[m,d]) for a product"
        )
    a, b = elaborate_entry(tree.left, scope), elaborate_entry(tree.right, scope)
    if tree.op == "/" and b.is_zero:
        raise division_by_zero(tree.span)
    if tree.op == "**" and isinstance(a, Rational) and isinstance(b, Rational):
        check_power(a, b, tree.span)
    match tree.op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / b
    return Pow(a, b)


@elaborate_entry.register
def _(tree: s.Comparison, scope: Scope) -> Expr:
    return _compare(tree.op, elaborate_entry(tree.left, scope), elaborate_entry(tree.right, scope))


def _compare(op: str, a: Expr, b: Expr) -> Expr:
    """An indicator; equality of two indices is Kronecker's δ."""
    if op == "==" and (isinstance(a, Index) or isinstance(b, Index)):
        return Delta(a, b)
    return Compare(op, a, b)


@elaborate_entry.register
def _(tree: s.Subscript, scope: Scope) -> Expr:
    if not isinstance(tree.base, s.Name) or not scope.declares(tree.base.text):
        if isinstance(tree.base, s.Name):
            raise unknown(tree.base.text, tree.base.span, scope)
        raise Malformed(
            "the name of an array before [",
            "an expression",
            tree.base.span,
            "give it a name on its own line",
        )
    shape = scope.shapes.get(tree.base.text, ())
    if len(shape) != len(tree.items):
        raise Malformed(
            f"{len(shape)} indices for {tree.base.text}",
            str(len(tree.items)),
            tree.span,
            "an index for each axis",
        )
    at = tuple(_position(i, n, scope) for i, n in zip(tree.items, shape, strict=True))
    return Entry(tree.base.text, *at)


def _position(item: s.Tree, size: Expr, scope: Scope) -> Expr:
    at = index_expression(item, scope, scope.indices)
    real = sorted(entry_names(at) - scope.integers)
    if real:
        raise Malformed(
            "integers to look entries up by",
            f"{real[0]}, which is real",
            item.span,
            f"declare integer data: index {real[0]}[N] < K",
        )
    if (
        isinstance(at, Index)
        and not same_extent(at.extent, size)
        and (size - at.extent).is_negative
    ):
        raise Malformed(
            f"an index from 0 to {size - 1}",
            f"{at.name}, up to {at.extent - 1}",
            item.span,
            "use another index",
        )
    if at.is_Integer and (at.is_negative or (at - size).is_nonnegative):
        raise Malformed(f"an index from 0 to {size - 1}", str(at), item.span, "indices are 0-based")
    return at


@elaborate_entry.register
def reduction(tree: s.Reduction, scope: Scope) -> Expr:
    """``sum[c](…)``: the indices are bound and take their range from the arrays inside."""
    if tree.word not in REDUCERS:
        raise Malformed(
            "sum[…], max[…] or prod[…]", f"{tree.word}[…]", tree.span, "only these bind indices"
        )
    for name in tree.indices:
        if scope.declares(name.text):
            raise Malformed(
                "a new name as index",
                f"{name.text}, which is declared",
                name.span,
                "choose another letter",
            )
    bound = tuple(_index(n, tree.body, scope, _untouched(scope, tree)) for n in tree.indices)
    if len({b.name for b in bound}) < len(bound):
        raise Malformed("distinct indices", "one twice", tree.span, "name each index once")
    inner = replace(scope, indices={**scope.indices, **{b.name: b for b in bound}})
    return REDUCERS[tree.word](elaborate_entry(tree.body, inner), *bound)


def _untouched(scope: Scope, tree: s.Reduction) -> Mapping[str, Index]:
    """Indices told by `for` that occur nowhere alone: their range holds for a bound index too."""
    alone = {n.text for n in tree.indices if any(True for _ in _places(n.text, tree.body, scope))}
    return {k: v for k, v in scope.indices.items() if k not in alone}


@elaborate_entry.register
def _(tree: s.Call, scope: Scope) -> Expr:
    name = tree.function.text
    if scope.declares(name):
        raise Malformed(
            "a function before (",
            f"{name}, which is declared as a quantity here",
            tree.function.span,
            "write * to multiply",
        )
    if scope.calls(name):
        return Apply(name, elaborate_entry(arguments(tree, ("x",), 1)["x"], scope))
    if name in ELEMENTWISE:
        return _elementwise(tree, scope)
    if name == "where":
        c, a, b = (elaborate_entry(arguments(tree, ("c", "a", "b"), 3)[k], scope) for k in "cab")
        return Where(c, a, b)
    if name == "eq":
        a, b = (elaborate_entry(arguments(tree, ("a", "b"), 2)[k], scope) for k in "ab")
        return _compare("==", a, b)
    if name in REDUCERS:
        raise Malformed(
            f"{name}[i](…) by entries",
            f"{name}(…)",
            tree.span,
            "name the indices: sum[d](X[n,d]*w[d])",
        )
    if name in FORMS or name in scope.expansions:
        raise NotSupported(
            "scalar functions by entries",
            f"{name}(…)",
            tree.span,
            "give it a line of its own in array notation",
        )
    raise unknown_function(tree, scope)


def _elementwise(tree: s.Call, scope: Scope) -> Expr:
    count, defaults = ELEMENTWISE[tree.function.text]
    names = ("x", "alpha") if defaults else ("a", "b") if count == 2 else ("x",)
    given = arguments(tree, names, count - len(defaults))
    operands = [elaborate_entry(given[n], scope) for n in names if n in given]
    if len(operands) < count:
        operands += defaults[len(operands) - count :]
    if tree.function.text == "sqrt":
        return Pow(operands[0], Rational(1, 2))
    return Apply(tree.function.text, *operands)


@elaborate.register
def _(tree: s.Reduction, scope: Scope) -> Term:
    """``sum[n](y[n])`` inside array notation is a scalar; over steps, ``sum[t](L[t])``, it has the
    shape of its body.
    """
    over_steps = series(tree, scope) if scope.families else None
    if over_steps is not None:
        return over_steps
    return terms.entries((), elaborate_entry(tree, replace(scope, indices={})))
