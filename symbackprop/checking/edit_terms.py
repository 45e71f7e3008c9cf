"""Edits of sums and powers: signs, sums left out or over the wrong range, squares, regularisers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.checking.edit_sites import (
    TRANSPOSE,
    Edit,
    N,
    Place,
    held,
    is_atom,
    is_derivative,
    transposed,
)
from symbackprop.checking.layers import is_error, is_layered
from symbackprop.checking.spellings import scripts_of
from symbackprop.checking.suggest import written
from symbackprop.notation.written import (
    Accent,
    Big,
    Bracket,
    Call,
    Juxt,
    Keyword,
    Mark,
    Name,
    Node,
    Number,
    Relation,
    Script,
    Term,
    Terms,
    same_text,
)  # fmt: skip


def signs(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Terms):
        for k, term in enumerate(node.terms):
            turned = replace(term, start=N, end=N, sign="-" if term.sign == "+" else "+")
            place = isinstance(p.parent, Bracket) and p.parent.kind == "["
            yield Edit(
                "wrong-index" if place else "sign",
                node,
                Terms(N, N, (*node.terms[:k], turned, *node.terms[k + 1 :])),
                1.05,
                "the sign of a term is wrong: {new}",
            )
        if len(node.terms) == 2 and [t.sign for t in node.terms] == ["+", "-"]:
            a, b = node.terms
            swapped = (Term(N, N, "+", b.body), Term(N, N, "-", a.body))
            yield Edit(
                "sign",
                node,
                Terms(N, N, swapped),
                0.95,
                "the difference «{old}» is the wrong way round: {new}",
            )
    if p.depth == 0:
        yield Edit("sign", node, Terms(N, N, (Term(N, N, "-", node),)), 1.1, "the sign is wrong")
    if isinstance(node, Bracket) and len(node.items) == 1 and p.depth:
        inner = Bracket(N, N, node.kind, (Terms(N, N, (Term(N, N, "-", held(node.items[0])),)),))
        yield Edit("sign", node, inner, 1.2, "the sign of the argument is wrong: {new}")


def sums(p: Place) -> Iterator[Edit]:
    """A sum left out: over a letter that dangles, over an axis, or the ones that make it."""
    if isinstance(p.node, Call) and isinstance(p.node.function, Name):
        yield from _axes(p.node)
    if p.depth and not isinstance(p.parent, Term):
        return
    category = "bias-not-summed" if p.left.rank <= 1 and not p.left.letters else "axis"
    letters = sorted(
        {n for n in p.names if len(n) == 1 and n not in p.scope.dims and p.scope.shape(n) is None}
        - {i.name for i in p.left.letters}
    )
    for letter in letters:
        yield Edit(
            category,
            p.node,
            Big(N, N, "sum", (Name(N, N, letter),), (), p.node),
            1.0,
            f"the sum over {letter} is missing",
        )
    for name in sorted(p.scope.dims):
        ones = Script(N, N, Mark(N, N, "ones"), (Name(N, N, name),), ())
        held = (
            Bracket(N, N, "(", (p.node,))
            if not is_atom(p.node) or is_derivative(p.node)
            else p.node
        )
        yield Edit(
            category,
            p.node,
            Juxt(N, N, (Script(N, N, held, (), (TRANSPOSE,)), ones)),
            1.07,
            f"the sum over the {name} rows is missing",
        )
        yield Edit(
            category,
            p.node,
            Juxt(N, N, (held, ones)),
            1.1,
            f"the sum over the {name} columns is missing",
        )
        yield Edit(
            category,
            p.node,
            Juxt(N, N, (replace(ones, sups=(TRANSPOSE,)), held)),
            1.0 if p.left.rank == 0 else 1.1,
            f"the sum over the {name} entries is missing",
        )


def ones(p: Place) -> Iterator[Edit]:
    """A sum along the other axis: ones of another length, on the other side."""
    node = p.node
    if not isinstance(node, Juxt) or len(node.factors) != 2:
        return
    first, second = node.factors
    said = "the sum is along the other axis: {new}"
    for name in sorted(p.scope.dims):
        vector = Script(N, N, Mark(N, N, "ones"), (Name(N, N, name),), ())
        if _is_ones(second):
            held = first if is_atom(first) else Bracket(N, N, "(", (first,))
            for other in (transposed(held), held):
                yield Edit("axis", node, Juxt(N, N, (other, vector)), 1.0, said)
        if _is_ones(first):
            held = second if is_atom(second) else Bracket(N, N, "(", (second,))
            for other in (transposed(held), held):
                turned = replace(vector, sups=(TRANSPOSE,))
                yield Edit("axis", node, Juxt(N, N, (turned, other)), 1.0, said)


def _is_ones(node: Node) -> bool:
    base = scripts_of(node).base
    one = isinstance(base, Accent) and isinstance(base.body, Number) and base.body.text == "1"
    return one or (isinstance(base, Mark) and base.text == "ones")


def _axes(node: Call) -> Iterator[Edit]:
    """A sum over all entries, where one over an axis is meant."""
    given = [a for a in node.arguments if isinstance(a, Keyword) and a.key == "axis"]
    for axis in ("0", "1") if given else ():
        other = replace(given[0], start=N, end=N, value=Number(N, N, axis))
        rest = tuple(other if a is given[0] else a for a in node.arguments)
        new = Call(N, N, node.function, rest)
        yield Edit("axis", node, new, 0.9, "the sum is along the other axis: {new}")
    if node.function.text in ("sum", "mean") and len(node.arguments) == 1:  # type: ignore[attr-defined]
        for axis in ("1", "0"):
            for keep in ((Keyword(N, N, "keepdims", Name(N, N, "True")),), ()):
                along = Keyword(N, N, "axis", Number(N, N, axis))
                new = Call(N, N, node.function, (*node.arguments, along, *keep))
                yield Edit("axis", node, new, 1.0, "the sum is over one axis only: {new}")


def bounds(p: Place) -> Iterator[Edit]:
    """The range of a sum."""
    node = p.node
    if not isinstance(node, Big):
        return
    said = "the sum runs over the wrong range: {new}"
    for letter in sorted(p.names):
        inner = len(letter) == 1 and letter.islower() and letter not in p.scope.arrays
        if inner and len(node.below) == 1 and isinstance(node.below[0], Name):
            new = replace(node, start=N, end=N, below=(Name(N, N, letter),), above=())
            yield Edit("axis", node, new, 1.1, "the sum is over the wrong letter: {new}")
    for name in sorted(p.scope.dims):
        if node.above and not same_text(node.above[0], Name(N, N, name)):
            yield Edit(
                "axis", node, replace(node, start=N, end=N, above=(Name(N, N, name),)), 1.2, said
            )
    if len(node.below) == 1 and isinstance(node.below[0], Relation):
        relation = node.below[0]
        first = replace(relation, start=N, end=N, members=(relation.members[0], Number(N, N, "1")))
        yield Edit("axis", node, replace(node, start=N, end=N, below=(first,)), 1.2, said)


def powers(p: Place) -> Iterator[Edit]:
    """Powers left out, too many, or other ones; the number of a layer is no power."""
    node = p.node
    layered = is_layered(scripts_of(node), p.scope)
    if isinstance(node, Script) and not layered:
        numbers = [k for k, s in enumerate(node.sups) if isinstance(s, Number)]
        for k in numbers:
            rest = node.sups[:k] + node.sups[k + 1 :]
            yield Edit(
                "power",
                node,
                Script(N, N, node.base, node.subs, rest) if rest or node.subs else node.base,
                1.1,
                "the power is too much: {new}",
            )
            for text in ("2", "3"):
                yield Edit(
                    "power",
                    node,
                    replace(
                        node,
                        start=N,
                        end=N,
                        sups=(*node.sups[:k], Number(N, N, text), *node.sups[k + 1 :]),
                    ),
                    1.2,
                    "the power is wrong: {new}",
                )
    if isinstance(node, Terms) and not p.depth:
        yield Edit(
            "power",
            node,
            Script(N, N, Bracket(N, N, "(", (node,)), (), (Number(N, N, "2"),)),
            1.3,
            "a square is missing: {new}",
        )
    if layered and is_error(scripts_of(node)):
        return
    if is_atom(node) and not isinstance(p.parent, Script) and not is_derivative(node):
        squared = (
            Script(N, N, node.base, node.subs, (*node.sups, Number(N, N, "2")))
            if isinstance(node, Script)
            else Script(N, N, node, (), (Number(N, N, "2"),))
        )
        yield Edit("power", node, squared, 1.3, "a square is missing: {new}")


def regulariser(p: Place) -> Iterator[Edit]:
    if p.depth:
        return
    scalars = [q.name for q in p.scope.forward.inputs if not q.shape and q.name != p.scope.loss]
    weights = [q.name for q in p.scope.forward.inputs if q.shape == p.left.shape and q.shape]
    terms = p.node.terms if isinstance(p.node, Terms) else (Term(N, N, "+", p.node),)
    for scalar in scalars:
        for weight in weights:
            for factor in ((), (Number(N, N, "2"),)):
                extra = Term(
                    N,
                    N,
                    "+",
                    Juxt(N, N, (*factor, written(scalar, p.scope), written(weight, p.scope))),
                )
                yield Edit(
                    "regulariser",
                    p.node,
                    Terms(N, N, (*terms, extra)),
                    1.5,
                    "the gradient of the regulariser is missing: {new}",
                )
