"""Where a member can be edited, and the small changes that all edits are made of.

An :class:`Edit` puts one node in the place of another and says why; a :class:`Place` is a node with
its surroundings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sympy import Add, Expr, Integer, Mul

from symbackprop.checking.functions import Function, function_of
from symbackprop.checking.readings import Reading
from symbackprop.checking.scope import Scope
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
    Relation,
    Script,
    Term,
    Terms,
    children,
    side_by_side,
)  # fmt: skip

N = NOWHERE
TRANSPOSE = Name(N, N, "T")
SLOPE_OF = {"cos": "sin", "cosh": "sinh", "step": "relu", "sigmoid": "softplus"}


def extent_tree(e: Expr) -> Node:
    """An extent, or a product of extents and numbers, as a person writes it: ``2 S``, ``L - K``."""
    if isinstance(e, Add):
        parts = sorted(e.args, key=lambda t: (t.is_number, str(t)))
        signed = [("-", -t) if t.could_extract_minus_sign() else ("+", t) for t in parts]
        return Terms(N, N, tuple(Term(N, N, s, extent_tree(t)) for s, t in signed))
    powers = (f.as_base_exp() for f in Mul.make_args(e))
    factors = [_factor(base) for base, k in powers for _ in range(int(k))]
    return side_by_side(factors, made=True)


def _factor(e: Expr) -> Node:
    if isinstance(e, Integer):
        return Number(N, N, str(e))
    return extent_tree(e) if isinstance(e, Add) else Name(N, N, str(e))


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` replaced by ``new``; ``said`` is a sentence in which ``{old}`` and ``{new}`` are
    quoted.
    """

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
    bound: tuple[str, ...] = ()


def places(place: Place) -> Iterator[Place]:
    """The places of a tree at which edits are made; what stands under a derivative is edited with
    it.
    """
    yield place
    node = place.node
    if isinstance(node, Partial | Relation) or (
        isinstance(node, Fraction) and isinstance(node.top, Partial)
    ):
        return
    below = [c for c in children(node) if not (isinstance(node, Call) and c is node.function)]
    for k, child in enumerate(below):
        if not (isinstance(node, Script) and child is not node.base) and not isinstance(
            node, Nabla
        ):
            head = _called(node, child, below[k - 1] if k else None)
            called = function_of(head, place.scope) if head is not None else None
            slope = place.slope or (called is not None and _is_slope(called, place.scope))
            bound = place.bound + _letters(node) if isinstance(node, Big) else place.bound
            below_it = replace(place, node=child, depth=place.depth + 1, parent=node)
            yield from places(replace(below_it, slope=slope, bound=bound))


def _called(node: Node, child: Node, before: Node | None) -> Node | None:
    """The function of which a node is the operand."""
    if isinstance(node, Call):
        return node.function
    return before if isinstance(node, Juxt) and isinstance(child, Bracket) else None


def _is_slope(function: Function, scope: Scope) -> bool:
    """Whether a function written is the slope of one that the model applies."""
    applied = {a.name for e in scope.forward.equations for a in e.rhs.atoms(Apply)}
    known = SLOPE_OF.get(function.name)
    return function.order > 0 or (known in applied and function.name not in applied)


def _letters(node: Big) -> tuple[str, ...]:
    """The letters over which a sum runs."""
    heads = [b.members[0] if isinstance(b, Relation) else b for b in node.below]
    return tuple(h.text for h in heads if isinstance(h, Name))


def is_derivative(node: Node) -> bool:
    return isinstance(node, Nabla) or (
        isinstance(node, Fraction) and isinstance(node.bottom, Partial)
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
        if any(isinstance(s, Terms | Number) for s in node.sups):
            return Script(N, N, Bracket(N, N, "(", (node,)), (), (TRANSPOSE,))
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


def times(factor: Node, node: Node) -> Node:
    held = Bracket(N, N, "(", (node,)) if isinstance(node, Terms) else node
    if isinstance(held, Juxt):
        return Juxt(N, N, (factor, *held.factors))
    if isinstance(held, Binary):
        return replace(held, start=N, end=N, left=times(factor, held.left))
    return Juxt(N, N, (factor, held))


def held(node: Node) -> Node:
    return Bracket(N, N, "(", (node,)) if isinstance(node, Terms) else node


def flat(node: Node) -> tuple[Node, ...]:
    return node.factors if isinstance(node, Juxt) else (held(node),)
