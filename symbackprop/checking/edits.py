"""Single edits of a member as it was written: the mistakes that people make, undone.

Each row of ``EDITS`` takes one node of the tree and gives what might have been meant there, with the category of the
mistake, a sentence and a price. Nothing is judged here: :mod:`symbackprop.checking.diagnose` reads each edited member again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from symbackprop.checking.functions import activations, function_of
from symbackprop.checking.readings import Reading
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, scripts_of, spellings
from symbackprop.checking.suggest import slopes_of, written
from symbackprop.ir.expressions import Apply
from symbackprop.notation.written import (
    NOWHERE,
    Accent,
    Big,
    Binary,
    Bracket,
    Call,
    Fraction,
    Juxt,
    Mark,
    Nabla,
    Name,
    Node,
    Number,
    Partial,
    Quoted,
    Relation,
    Script,
    Term,
    Terms,
    children,
    same_text,
    walk,
)  # fmt: skip

N = NOWHERE
TRANSPOSE = Name(N, N, "T")


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` replaced by ``new``; ``said`` is a sentence in which ``{old}`` and ``{new}`` are quoted."""

    category: str
    old: Node
    new: Node
    cost: float
    said: str


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the member: how deep, what holds it, and the step's surroundings."""

    node: Node
    depth: int
    parent: Node | None
    scope: Scope
    left: Reading
    names: frozenset[str]
    slope: bool = False


def edits(member: Node, left: Reading, scope: Scope) -> list[Edit]:
    """All single edits of a member, the likeliest first."""
    names = frozenset(n.text for n in walk(member) if isinstance(n, Name))
    out: list[Edit] = []
    for place in _places(Place(member, 0, None, scope, left, names)):
        for row in EDITS:
            out.extend(replace(e, cost=e.cost + 0.05 * place.depth) for e in row(place))
    return sorted(out, key=lambda e: e.cost)


def _places(place: Place) -> Iterator[Place]:
    """The places of a tree at which edits are made; what stands under a derivative is edited with it."""
    yield place
    node = place.node
    if (
        isinstance(node, Partial | Relation)
        or (isinstance(node, Fraction)
        and isinstance(node.top, Partial))
    ):
        return
    below = [c for c in children(node) if not (isinstance(node, Call) and c is node.function)]
    for k, child in enumerate(below):
        if not (isinstance(node, Script) and child is not node.base) and not isinstance(
            node, Nabla
        ):
            called = (
                function_of(below[k - 1], place.scope)
                if k and isinstance(node, Juxt) and isinstance(child, Bracket)
                else None
            )
            slope = place.slope or (called is not None and called.order > 0)
            yield from _places(
                replace(place, node=child, depth=place.depth + 1, parent=node, slope=slope)
            )


def is_derivative(node: Node) -> bool:
    return (
        isinstance(node, Nabla) or (isinstance(node, Fraction) and isinstance(node.bottom, Partial))
    )


def is_atom(node: Node) -> bool:
    """What may bear a transpose: a symbol, a derivative, a bracket."""
    return isinstance(node, Name | Accent | Script | Bracket | Mark) or is_derivative(node)


def transposed(node: Node) -> Node:
    """The node with its transpose taken away, or given."""
    if isinstance(node, Script):
        rest = tuple(s for s in node.sups if not _turns(s))
        if len(rest) < len(node.sups):
            return Script(N, N, node.base, node.subs, rest) if rest or node.subs else node.base
        return Script(N, N, node.base, node.subs, (*node.sups, TRANSPOSE))
    return Script(
        N,
        N,
        node if is_atom(node) and not is_derivative(node) else Bracket(N, N, "(", (node,)),
        (),
        (TRANSPOSE,),
    )


def _turns(node: Node) -> bool:
    return isinstance(node, Name) and node.text == "T"


def is_turned(node: Node) -> bool:
    return isinstance(node, Script) and any(map(_turns, node.sups))


def _transposes(p: Place) -> Iterator[Edit]:
    if is_atom(p.node) and not isinstance(p.parent, Script):
        said = (
            "«{old}» should not be transposed"
            if is_turned(p.node)
            else "«{old}» should be transposed: {new}"
        )
        yield Edit("transpose", p.node, transposed(p.node), 1.0, said)
    if p.depth == 0 and not is_atom(p.node):
        yield Edit(
            "layout",
            p.node,
            Script(N, N, Bracket(N, N, "(", (p.node,)), (), (TRANSPOSE,)),
            0.9,
            "{layout}",
        )


def _signs(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Terms):
        for k, term in enumerate(node.terms):
            turned = replace(term, start=N, end=N, sign="-" if term.sign == "+" else "+")
            yield Edit(
                "sign",
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


def _side(p: Place) -> Iterator[Edit]:
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
    if isinstance(node, Binary) and node.op in "·×@*":
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


def _factors(p: Place) -> Iterator[Edit]:
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
    if p.depth and not isinstance(p.parent, Terms | Bracket):
        return
    if isinstance(node, Term | Name) and p.depth:
        return
    for text in ("2", "4"):
        yield Edit(
            "factor", node, _times(Number(N, N, text), node), 1.1, f"a factor {text} is missing"
        )
    yield Edit(
        "factor",
        node,
        Binary(N, N, "/", _held(node), Number(N, N, "2")),
        1.15,
        "a factor 2 is too much",
    )
    for name in sorted(p.scope.dims):
        dim = Name(N, N, name)
        yield Edit(
            "mean-for-sum",
            node,
            Binary(N, N, "/", _held(node), dim),
            1.25,
            f"a division by {name} is missing: the mean is meant, this is the sum",
        )
        yield Edit(
            "mean-for-sum",
            node,
            _times(dim, node),
            1.25,
            f"the division by {name} is too much: the sum is meant, this is the mean",
        )
        root = Call(N, N, Name(N, N, "sqrt"), (dim,))
        yield Edit(
            "factor",
            node,
            Binary(N, N, "/", _held(node), root),
            1.6,
            f"a division by the root of {name} is missing",
        )


def _times(factor: Node, node: Node) -> Node:
    held = Bracket(N, N, "(", (node,)) if isinstance(node, Terms) else node
    if isinstance(held, Juxt):
        return Juxt(N, N, (factor, *held.factors))
    if isinstance(held, Binary):
        return replace(held, start=N, end=N, left=_times(factor, held.left))
    return Juxt(N, N, (factor, held))


def _held(node: Node) -> Node:
    return Bracket(N, N, "(", (node,)) if isinstance(node, Terms) else node


def _drops(p: Place) -> Iterator[Edit]:
    """A factor or a term too much."""
    node = p.node
    if isinstance(node, Juxt):
        for k, f in enumerate(node.factors):
            rest = node.factors[:k] + node.factors[k + 1 :]
            yield Edit(
                _category(f, p),
                node,
                rest[0] if len(rest) == 1 else Juxt(N, N, rest),
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
                        rest[0] if len(rest) == 1 else Juxt(N, N, rest),
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
                "other",
                node,
                Terms(N, N, node.terms[:k] + node.terms[k + 1 :]),
                1.7,
                "a term is too much: {new}",
            )
    if isinstance(node, Big):
        yield Edit("axis", node, node.body, 1.6, "the sum is too much")


def _category(factor: Node, p: Place) -> str:
    if isinstance(factor, Number):
        return "factor"
    if isinstance(factor, Name) and factor.text in p.scope.dims:
        return "mean-for-sum"
    return "extra-slope" if _is_slope(factor, p.scope) else "other"


def _is_slope(node: Node, scope: Scope) -> bool:
    if isinstance(node, Juxt) and len(node.factors) == 2:
        function = function_of(node.factors[0], scope)
        return function is not None and function.order > 0
    if isinstance(node, Juxt | Bracket | Terms | Binary):
        return any(_is_slope(c, scope) for c in children(node))
    return False


def _slopes(p: Place) -> Iterator[Edit]:
    """A slope left out: ``⊙ f'(Z)`` at any piece, for every place where the model applies a function."""
    if (
        (isinstance(p.node, Name | Number | Mark | Term)
        and p.depth)
        or isinstance(p.parent, Script | Call)
    ):
        return
    for slope in slope_pieces(p):
        joined = (
            Juxt(N, N, (*_flat(p.node), slope))
            if p.left.letters
            else Binary(N, N, "⊙", _held(p.node), slope)
        )
        yield Edit("missing-slope", p.node, joined, 1.0, f"the slope {slope.text} is missing")


def _flat(node: Node) -> tuple[Node, ...]:
    return node.factors if isinstance(node, Juxt) else (_held(node),)


def slope_pieces(p: Place) -> Iterator[Quoted]:
    """``f'(Z)`` for each application in the model, as a whole and by the step's letters."""
    for equation in p.scope.forward.equations:
        if not isinstance(equation.rhs, Apply) or equation.rhs.name not in activations(p.scope):
            continue
        yield from slopes_of(equation, p.left, p.scope)


def _names(p: Place) -> Iterator[Edit]:
    """Another name of the model, also in a derivative."""
    node = p.node
    scripts = scripts_of(node)
    if (
        (isinstance(node, Name | Accent)
        and not isinstance(p.parent, Script))
        or (isinstance(node, Script)
        and isinstance(scripts.base, Name | Accent))
    ):
        for name in p.scope.arrays:
            if name not in spellings(scripts.base)[:1] and len(name) < 12:
                new = written(name, p.scope)
                rest = _rescripted(node, new)
                yield Edit(
                    "slope-point" if p.slope else "wrong-name",
                    node,
                    rest,
                    1.45,
                    "«{old}» should be {new}",
                )
    if isinstance(node, Nabla) and node.by is not None:
        for name in p.scope.arrays:
            yield Edit(
                "wrong-name",
                node,
                replace(node, start=N, end=N, by=written(name, p.scope)),
                1.4,
                "«{old}» should be {new}",
            )
    if isinstance(node, Fraction) and isinstance(node.bottom, Partial):
        for name in p.scope.arrays:
            bottom = Partial(N, N, _rescripted(node.bottom.body, written(name, p.scope)))
            yield Edit(
                "wrong-name", node, Fraction(N, N, node.top, bottom), 1.4, "«{old}» should be {new}"
            )


def _rescripted(node: Node, base: Node) -> Node:
    return replace(node, start=N, end=N, base=base) if isinstance(node, Script) else base


def _indices(p: Place) -> Iterator[Edit]:
    """Subscripts swapped, or another letter of the formula in place of one."""
    node = p.node
    if (
        isinstance(node, Fraction)
        and isinstance(node.bottom, Partial)
        and isinstance(node.bottom.body, Script)
    ):
        for body in _reindexed(node.bottom.body, p):
            yield Edit(
                "wrong-index",
                node,
                Fraction(N, N, node.top, Partial(N, N, body)),
                1.25,
                "the index is wrong: {new}",
            )
    if isinstance(node, Script):
        for body in _reindexed(node, p):
            yield Edit("wrong-index", node, body, 1.2, "the index of «{old}» is wrong: {new}")


def _reindexed(node: Script, p: Place) -> Iterator[Node]:
    letters = sorted(
        {n for n in p.names if len(n) == 1 and n.islower()}
        | {i.name for i in p.left.letters} - set(p.scope.arrays)
    )
    if len(node.subs) == 2:
        yield replace(node, start=N, end=N, subs=node.subs[::-1])
    for k, sub in enumerate(node.subs):
        if is_letter(sub) or isinstance(sub, Name):
            options = [
                *letters,
                *(p.scope.dims if not is_letter(sub) or sub.text in p.scope.dims else ()),
            ]  # type: ignore[attr-defined]
            for letter in options:
                if not same_text(sub, Name(N, N, letter)):
                    yield replace(
                        node,
                        start=N,
                        end=N,
                        subs=(*node.subs[:k], Name(N, N, letter), *node.subs[k + 1 :]),
                    )
    for k, sup in enumerate(node.sups):
        if isinstance(sup, Bracket) and len(sup.items) == 1 and is_letter(sup.items[0]):
            for letter in letters:
                if not same_text(sup.items[0], Name(N, N, letter)):
                    new = Bracket(N, N, sup.kind, (Name(N, N, letter),))
                    yield replace(
                        node, start=N, end=N, sups=(*node.sups[:k], new, *node.sups[k + 1 :])
                    )


def _sums(p: Place) -> Iterator[Edit]:
    """A sum left out: over a letter that dangles, over an axis, or the ones that make it."""
    if p.depth and not isinstance(p.parent, Term):
        return
    category = "bias-not-summed" if p.left.rank <= 1 and not p.left.letters else "axis"
    letters = sorted({n for n in p.names if len(n) == 1} - {i.name for i in p.left.letters})
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
            1.05,
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


def _bounds(p: Place) -> Iterator[Edit]:
    """The range of a sum."""
    node = p.node
    if not isinstance(node, Big):
        return
    said = "the sum runs over the wrong range: {new}"
    for name in sorted(p.scope.dims):
        if node.above and not same_text(node.above[0], Name(N, N, name)):
            yield Edit(
                "axis", node, replace(node, start=N, end=N, above=(Name(N, N, name),)), 1.2, said
            )
    if len(node.below) == 1 and isinstance(node.below[0], Relation):
        relation = node.below[0]
        first = replace(relation, start=N, end=N, members=(relation.members[0], Number(N, N, "1")))
        yield Edit("axis", node, replace(node, start=N, end=N, below=(first,)), 1.2, said)


def _powers(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Script):
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
    if is_atom(node) and not isinstance(p.parent, Script) and not is_derivative(node):
        squared = (
            Script(N, N, node.base, node.subs, (*node.sups, Number(N, N, "2")))
            if isinstance(node, Script)
            else Script(N, N, node, (), (Number(N, N, "2"),))
        )
        yield Edit("power", node, squared, 1.3, "a square is missing: {new}")


def _operators(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Binary) and node.op in "⊙·*×":
        yield Edit(
            "other",
            node,
            Juxt(N, N, (*_flat(node.left), *_flat(node.right))),
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


def _slope_kind(p: Place) -> Iterator[Edit]:
    """A function where its slope is meant, and the other way round; another function's slope."""
    node = p.node
    if (
        isinstance(p.parent, Juxt)
        and function_of(node, p.scope) is not None
        and isinstance(node, Name | Script)
    ):
        primes = [s for s in (node.sups if isinstance(node, Script) else ()) if isinstance(s, Mark)]
        base = node.base if isinstance(node, Script) else node
        if primes:
            yield Edit(
                "wrong-slope", node, base, 1.3, "the function is meant, not its slope: {new}"
            )
        else:
            yield Edit(
                "missing-slope",
                node,
                Script(N, N, base, (), (Mark(N, N, "prime"),)),
                1.1,
                "the slope is meant, not the function: {new}",
            )


def _masks(p: Place) -> Iterator[Edit]:
    node = p.node
    if isinstance(node, Bracket) and len(node.items) == 1 and isinstance(node.items[0], Relation):
        yield from (
            replace(e, old=node, new=Bracket(N, N, node.kind, (e.new,)))
            for e in _compared(node.items[0], p)
        )
    if isinstance(node, Script) and len(node.subs) == 1 and isinstance(node.subs[0], Relation):
        yield from (
            replace(e, old=node, new=replace(node, start=N, end=N, subs=(e.new,)))
            for e in _compared(node.subs[0], p)
        )


def _compared(relation: Relation, p: Place) -> Iterator[Edit]:
    for op in ("<", ">"):
        if relation.relations[0] != op:
            yield Edit(
                "mask",
                relation,
                replace(relation, start=N, end=N, relations=(op,)),
                1.2,
                "the mask compares the wrong way: {new}",
            )
    for name in p.scope.arrays:
        yield Edit(
            "mask",
            relation,
            replace(
                relation, start=N, end=N, members=(written(name, p.scope), *relation.members[1:])
            ),
            1.3,
            "the mask is of another quantity: {new}",
        )


def _regulariser(p: Place) -> Iterator[Edit]:
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


Row = Callable[[Place], Iterator[Edit]]
EDITS: tuple[Row, ...] = (
    _transposes, _signs, _side, _factors, _drops, _slopes, _names, _indices, _sums, _bounds, _powers, _operators, _slope_kind, _masks, _regulariser,
)  # fmt: skip
