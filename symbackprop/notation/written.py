"""The syntax tree *as written*: neutral nodes with the place where each stands, nothing yet
decided.

What a hand derivation means depends on shapes: whether ``W^T d`` is a product, ``a^2`` a layer or a
power, ``f(x)`` a call or a factor. The reader therefore builds one tree (:class:`Juxt`,
:class:`Bracket`, :class:`Script`), and ``checking`` decides. ``start:end`` is the node's place in
the source; a node made by an edit has ``start = end = -1`` and is printed by rule, every other one
by quoting the writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Node:
    """Base of the tree as written."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number, as its digits."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    r"""A letter or word in canonical spelling: ``theta`` for ``\\theta`` and ``θ``."""

    text: str


@dataclass(frozen=True, slots=True)
class Accent(Node):
    r"""``\\hat y`` and the like."""

    accent: str
    body: Node


@dataclass(frozen=True, slots=True)
class Mark(Node):
    """A sign that stands for itself: ``T`` and ``prime`` in superscripts, ``:`` as a slot,
    ``dots``, ``partial``, ``ones``.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Script(Node):
    """A base with subscripts (each index one item) and superscripts in order."""

    base: Node
    subs: tuple[Node, ...]
    sups: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Juxt(Node):
    """Factors side by side, two or more."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operation at the level of products: ``⊙ * · × ⊗ / @``."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Term(Node):
    """One summand with its sign, ``+`` or ``-``."""

    sign: str
    body: Node


@dataclass(frozen=True, slots=True)
class Terms(Node):
    """A sum of signed terms; also a single negated one."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Bracket(Node):
    """``( … )``, ``[ … ]``, ``{ … }``, ``| … |``, ``‖ … ‖``, ``⟨ … ⟩`` around one item or a list of
    them.
    """

    kind: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Fraction(Node):
    """A fraction, or ``∂ a / ∂ b``."""

    top: Node
    bottom: Node


@dataclass(frozen=True, slots=True)
class Root(Node):
    """A square root."""

    body: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    r"""A function known by its typography (``\log``, ``\operatorname{diag}``) on arguments."""

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Keyword(Node):
    """``axis=1`` among the arguments of a call."""

    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class Big(Node):
    """``Σ Π max`` with what stands below and above it, over the product to its right."""

    word: str
    below: tuple[Node, ...]
    above: tuple[Node, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Partial(Node):
    """``∂ a``; a fraction of two is a derivative. ``∂⁺ a`` above the line makes it the immediate
    one, by the equation of ``a`` alone.
    """

    body: Node
    immediate: bool = False


@dataclass(frozen=True, slots=True)
class Nabla(Node):
    """``∇_x L``; without operand it is of the loss."""

    by: Node | None
    of: Node | None


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """Values with the condition under which each holds, ``otherwise`` being a mark."""

    values: tuple[Node, ...]
    conditions: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Quoted(Node):
    """A piece that an edit puts in: its text, which is also the key under which its meaning is
    kept.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """``a op b op c``: members and the relations between them."""

    members: tuple[Node, ...]
    relations: tuple[str, ...]


_PARTS: dict[type[Node], tuple[str, ...]] = {}


def parts(kind: type[Node]) -> tuple[str, ...]:
    """The fields in which a kind of node may hold others; looked up once, since trees are long."""
    if kind not in _PARTS:
        names = (f.name for f in fields(kind))
        _PARTS[kind] = tuple(n for n in names if n not in ("start", "end", "text"))
    return _PARTS[kind]


def children(node: Node) -> list[Node]:
    """The nodes directly below, left to right."""
    below: list[Node] = []
    for name in parts(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            below.append(value)
        elif isinstance(value, tuple):
            below.extend([v for v in value if isinstance(v, Node)])
    return below


def side_by_side(factors: Sequence[Node], *, made: bool = False) -> Node:
    """Factors as one node, one alone as it is; ``made`` is what stands nowhere in a source."""
    if len(factors) == 1:
        return factors[0]
    start, end = (NOWHERE, NOWHERE) if made else (factors[0].start, factors[-1].end)
    return Juxt(start, end, tuple(factors))


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in reading order."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(children(here)))


def depth(node: Node) -> int:
    """How many levels a tree has, found level by level: a deep tree must not exhaust the stack."""
    level, count = [node], 0
    while level:
        level = [c for n in level for c in children(n)]
        count += 1
    return count


def rewrite(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """The tree with the nodes for which ``change`` gives another one replaced; what holds a change
    loses its place.
    """
    changed = change(node)
    if changed is not None:
        return changed
    updates = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            new: object = rewrite(value, change)
        elif isinstance(value, tuple):
            new = tuple(rewrite(v, change) if isinstance(v, Node) else v for v in value)
        else:
            continue
        if new != value:
            updates[field.name] = new
    return replace(node, start=NOWHERE, end=NOWHERE, **updates) if updates else node


def same_text(a: Node, b: Node) -> bool:
    """Whether two trees are alike, wherever they stand."""
    return bare(a) == bare(b)


def bare(node: Node) -> Node:
    """The tree without its places."""
    updates: dict[str, object] = {"start": NOWHERE, "end": NOWHERE}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            updates[field.name] = bare(value)
        elif isinstance(value, tuple):
            updates[field.name] = tuple(bare(v) if isinstance(v, Node) else v for v in value)
    return replace(node, **updates)  # type: ignore[arg-type]
