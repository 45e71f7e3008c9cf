"""Edits of what slides: kernels flipped or not, the full correlation, strides and paddings,
channels exchanged, places on axes, the masks of maxima. For models that read arrays through windows
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product

from sympy import Expr, Integer, Mul, Symbol

from symbackprop.checking.array_calls import CORRELATIONS, FLIPS
from symbackprop.checking.edit_sites import Edit, N, Place, extent_tree, held
from symbackprop.checking.read import read
from symbackprop.checking.readings import Readings, Unreadable
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text
from symbackprop.checking.stars import STARS
from symbackprop.checking.suggest import written
from symbackprop.ir.expressions import Entry, IndexMax
from symbackprop.ir.terms import Term as ArrayTerm
from symbackprop.notation.written import (
    Big,
    Binary,
    Bracket,
    Call,
    Fraction,
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
)

TO_FLIP, NOT_TO_FLIP = "the kernel is to be flipped", "the kernel is not to be flipped"
FULL = "the full correlation is meant, with zeros outside"
EXCHANGED = "the channels of the kernel are to be exchanged"
BY_SAMPLES = "samples take the part of channels"
OFFSETS = range(-3, 3)


def windows(p: Place) -> Iterator[Edit]:
    """All edits of this file at a place."""
    if not p.scope.slides:
        return
    yield from _stars(p)
    yield from _calls(p)
    yield from _places(p)
    yield from _pooled(p)
    yield from _summed(p)


def _name(text: str) -> Name:
    return Name(N, N, text)


def _called(word: str, *items: Node) -> Node:
    return Juxt(N, N, (_name(word), Bracket(N, N, "(", items)))


def _read(node: Node, scope: Scope) -> Readings:
    try:
        return read(node, scope)
    except Unreadable:
        return ()


@dataclass(frozen=True, slots=True)
class Variant:
    """What a kernel may have been meant as, and what is then wrong with the one written."""

    node: Node
    said: tuple[str, ...] = ()


def _kernels(kernel: Node, scope: Scope) -> tuple[Variant, ...]:
    """A kernel as it is, and flipped (or no longer flipped)."""
    inner = _flipped(kernel)
    if inner is not None:
        return Variant(kernel), Variant(inner, (NOT_TO_FLIP,))
    found = _read(kernel, scope)
    word = "flip" if found and found[0].rank == 1 else "rot180"
    return Variant(kernel), Variant(_called(word, kernel), (TO_FLIP,))


def _flipped(node: Node) -> Node | None:
    """What is flipped in ``flip(w)``."""
    if not isinstance(node, Juxt) or len(node.factors) != 2:
        return None
    word, bracket = node.factors
    named = isinstance(word, Name) and word.text in FLIPS
    if not named or not isinstance(bracket, Bracket) or len(bracket.items) != 1:
        return None
    return bracket.items[0]


# Stars


def _stars(p: Place) -> Iterator[Edit]:
    """``δ ⋆ w`` with the kernel flipped, in full, or the other way round."""
    found = _star(p.node)
    if found is None:
        return
    sign, left, right, told = found
    for kernel, (extra, said) in product(_kernels(right, p.scope), _tellings(told, p.scope)):
        reasons = (*kernel.said, *said)
        if reasons:
            new = _starred(sign, left, kernel.node, extra)
            yield _edit("wrong-index", p.node, new, 0.8 + 0.1 * len(reasons), reasons)
    turned = _starred(sign, right, left, told)
    yield _edit("side-of-product", p.node, turned, 1.15, ("what slides stands on the other side",))


def _star(node: Node) -> tuple[str, Node, Node, tuple[Node, ...]] | None:
    if isinstance(node, Binary) and node.op in STARS:
        return node.op, node.left, node.right, ()
    if isinstance(node, Call) and isinstance(node.function, Script):
        sign = node.function.base
        if isinstance(sign, Name) and sign.text in STARS and len(node.arguments) == 2:
            return sign.text, *node.arguments, (*node.function.subs, *node.function.sups)
    return None


def _starred(sign: str, left: Node, right: Node, told: Sequence[Node]) -> Node:
    if not told:
        return Binary(N, N, sign, left, right)
    return Call(N, N, Script(N, N, _name(sign), tuple(told), ()), (left, right))


Telling = tuple[tuple[Node, ...], tuple[str, ...]]


def _tellings(told: tuple[Node, ...], scope: Scope) -> Iterator[Telling]:
    """What a star may be told instead."""
    yield told, ()
    if not told:
        yield (_name("full"),), (FULL,)
    for word, numbers in _numbers(scope).items():
        for e in numbers:
            if isinstance(e, Integer | Symbol):
                said = f"a {word} of {e} is missing" if not told else f"a {word} of {e} is meant"
                yield (_name(word), extent_tree(e)), (said,)
    if told:
        yield (), ("nothing is to be told to the star",)


def _edit(category: str, old: Node, new: Node, cost: float, reasons: Sequence[str]) -> Edit:
    return Edit(category, old, new, cost, f"{', and '.join(reasons)}: {{new}}")


def _numbers(scope: Scope) -> dict[str, tuple[Expr, ...]]:
    """The strides, paddings and dilations of the model, each also as the dilation of a gradient."""
    strides, paddings, dilations = set[Expr](), set[Expr](), set[Expr]()
    for equation in scope.forward.equations:
        for term in _terms(equation.term):
            if term.op == "conv":
                strides.update(term.attrs[0])
                paddings.update(term.attrs[1])
                dilations.update(term.attrs[2])
    found = {
        "stride": strides | dilations,
        "padding": paddings,
        "dilation": dilations | strides,
    }
    usual = {"stride": 1, "padding": 0, "dilation": 1}
    return {w: tuple(sorted((e for e in s if e != usual[w]), key=str)) for w, s in found.items()}


def _terms(term: ArrayTerm) -> Iterator[ArrayTerm]:
    yield term
    for a in term.args:
        yield from _terms(a)


# Calls


def _calls(p: Place) -> Iterator[Edit]:
    """``conv1d(δ, w)`` with the kernel flipped, padded, with another stride, channels exchanged."""
    if not isinstance(p.node, Juxt):
        return
    factors = p.node.factors
    for k, (word, bracket) in enumerate(pairwise(factors)):
        if not isinstance(word, Name) or word.text not in CORRELATIONS:
            continue
        if not isinstance(bracket, Bracket) or len(bracket.items) < 2:
            continue
        for items, category, reasons in _arguments(bracket.items, p.scope):
            new = (*factors[:k], word, replace(bracket, start=N, end=N, items=items))
            whole = Juxt(N, N, (*new, *factors[k + 2 :]))
            yield _edit(category, p.node, whole, 0.8 + 0.1 * len(reasons), reasons)
        if len(factors) == 2:
            turned = tuple(_swapped(i) for i in bracket.items[:2])
            inner = replace(bracket, start=N, end=N, items=(*turned, *bracket.items[2:]))
            by_samples = _swapped(Juxt(N, N, (word, inner)))
            yield _edit("transpose", p.node, by_samples, 1.1, (BY_SAMPLES,))


Arguments = tuple[tuple[Node, ...], str, tuple[str, ...]]


def _arguments(items: tuple[Node, ...], scope: Scope) -> Iterator[Arguments]:
    image, kernel, *rest = items
    for k, options in product(_kernels(kernel, scope), _options(tuple(rest), kernel, scope)):
        reasons = (*k.said, *options[1])
        if reasons:
            yield (image, k.node, *options[0]), "wrong-index", reasons
        yield (image, _swapped(k.node), *options[0]), "transpose", (EXCHANGED, *reasons)


def _swapped(node: Node) -> Node:
    return _called("swap", node, Number(N, N, "0"), Number(N, N, "1"))


def _options(rest: tuple[Node, ...], kernel: Node, scope: Scope) -> Iterator[Telling]:
    """What a call may be told instead."""
    yield rest, ()
    given = {r.key: r for r in rest if isinstance(r, Keyword)}
    for word, numbers in _numbers(scope).items():
        others = tuple(r for r in rest if r is not given.get(word))
        for e in numbers:
            said = f"a {word} of {e} is {'meant' if word in given else 'missing'}"
            yield (*others, Keyword(N, N, word, extent_tree(e))), (said,)
            alone = Keyword(N, N, word, extent_tree(e))
            if rest and others:
                yield (alone,), (f"a {word} of {e} is meant, and nothing else",)
        if word in given:
            yield others, (f"the {word} is too much",)
    found = _read(kernel, scope)
    if found and found[0].rank and "padding" not in given:
        reach = found[0].shape[-1] - 1
        told = Keyword(N, N, "padding", extent_tree(reach))
        yield (*rest, told), (f"a padding of {reach} is missing",)


# Places


def _places(p: Place) -> Iterator[Edit]:
    """``w_{l+k}`` for ``w_{l-k}``, a stride left out, a place too early or too late."""
    node = p.node
    if not isinstance(node, Script) or isinstance(node.base, Script):
        return
    moving = [k for k, s in enumerate(node.subs) if isinstance(s, Terms)]
    said = "the index of «{old}» is wrong: {new}"
    for change in _changes(p.scope):
        new = {k: change(node.subs[k]) for k in moving}
        if moving and all(n is not None for n in new.values()):
            subs = tuple(new.get(k) or s for k, s in enumerate(node.subs))
            yield Edit("wrong-index", node, replace(node, start=N, end=N, subs=subs), 0.95, said)
    for k, sub in enumerate(node.subs):
        if is_letter(sub) and len(moving) == 0:
            found = _read(replace(node, subs=(*node.subs[:k], sub)), p.scope)
            extents = {i.extent for r in found[:1] for i in r.letters if i.name == item_text(sub)}
            for extent in extents:
                last = extent + (1 if p.scope.base else -1)
                end = Terms(N, N, (*_as_terms(extent_tree(last)), Term(N, N, "-", sub)))
                subs = (*node.subs[:k], end, *node.subs[k + 1 :])
                yield Edit("wrong-index", node, replace(node, start=N, end=N, subs=subs), 1.1, said)


def _as_terms(node: Node) -> tuple[Term, ...]:
    return node.terms if isinstance(node, Terms) else (Term(N, N, "+", node),)


def _changes(scope: Scope) -> Iterator[Callable[[Node], Node | None]]:
    """Ways to change a place: its offset, the sign or the stride of one of its letters."""
    steps = [e for e in _numbers(scope)["stride"] if isinstance(e, Integer | Symbol)]
    for offset in OFFSETS:
        yield partial(_moved, at=None, change=None, offset=offset)
    for at, offset, change in product(range(2), OFFSETS, ("-", "+", *steps)):
        yield partial(_moved, at=at, change=change, offset=offset)


def _moved(node: Node, at: int | None, change: Expr | str | None, offset: int) -> Node | None:
    """A place with another offset, and the sign or the stride of its letter number ``at``."""
    assert isinstance(node, Terms), "asked for sums alone"
    terms = [t for t in node.terms if not isinstance(t.body, Number)]
    if at is not None and at >= len(terms):
        return None
    if at is not None:
        old = terms[at]
        if isinstance(change, str):
            if old.sign == change:
                return None
            terms[at] = replace(old, start=N, end=N, sign=change)
        elif change is not None:
            terms[at] = replace(
                old, start=N, end=N, body=Juxt(N, N, (extent_tree(change), old.body))
            )
    if offset:
        sign = "-" if offset < 0 else "+"
        terms.append(Term(N, N, sign, Number(N, N, str(abs(offset)))))
    return Terms(N, N, tuple(terms))


# Pooling, and sums


def _pooled(p: Place) -> Iterator[Edit]:
    """The mask of the maxima, or the division by the extent of the window, left out."""
    if p.depth or p.left.letters:
        return
    for equation in p.scope.forward.equations:
        rhs = equation.rhs
        if isinstance(rhs, IndexMax) and isinstance(rhs.body, Entry):
            extents = {i.extent for i in rhs.bound}
            if len(extents) == 1:
                big = _called(
                    "upsample", written(equation.name, p.scope), extent_tree(extents.pop())
                )
                same = Relation(N, N, (written(rhs.body.name, p.scope), big), ("=",))
                mask = Juxt(N, N, (Mark(N, N, "ones"), Bracket(N, N, "[", (same,))))
                new = Binary(N, N, "⊙", held(p.node), mask)
                yield Edit("mask", p.node, new, 0.9, "the mask of the maxima is missing: {new}")
        for term in _terms(equation.term):
            if term.op == "avgpool":
                count = extent_tree(Mul(*term.attrs[0]))
                one = Fraction(N, N, Number(N, N, "1"), count)
                shared = Juxt(N, N, (one, held(p.node)))
                said = "the entries of a window share their mean: {new}"
                yield Edit("factor", p.node, shared, 0.95, said)


def _summed(p: Place) -> Iterator[Edit]:
    """The gradient of a bias that is not summed over places and samples."""
    if p.depth or p.left.letters or p.left.rank > 1:
        return
    said = "the sum over all entries is missing: {new}"
    if p.left.rank == 0:
        yield Edit("bias-not-summed", p.node, Big(N, N, "sum", (), (), held(p.node)), 0.9, said)
        return
    for r in _read(p.node, p.scope)[:1]:
        for kept, extent in enumerate(r.shape):
            if r.rank > 2 and extent == p.left.shape[0]:
                axes = (Number(N, N, str(k)) for k in range(r.rank) if k != kept)
                function = Script(N, N, _name("sum"), (_name("axis"), *axes), ())
                new = Call(N, N, function, (p.node,))
                said = "the sum over samples and places is missing: {new}"
                yield Edit("bias-not-summed", p.node, new, 0.9, said)
