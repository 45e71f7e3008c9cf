"""The syntax tree *as written*: what a reader hands to the elaborator.

Every node is frozen data with the :class:`~symbackprop.errors.Span` it came from, so that any later
message can point at the very operand. Nothing is resolved here: a name is a name, whether it will
turn out to be an array, an extent, an index or nothing at all. Names are spelled in ASCII where the
source has Greek letters or accents (``θ`` → ``theta``, ``ŷ`` → ``yhat``). Expressions come first,
then the statements of a model file. All readers (text, LaTeX, NumPy) build these nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Rational

from symbackprop.errors import Span


@dataclass(frozen=True, slots=True)
class Tree:
    """Base of all nodes: where it stands. Two trees are equal when they say the same, wherever they
    stand.
    """

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name(Tree):
    """``X``, ``N``, ``f_prime``, ``grad_Z``."""

    text: str


@dataclass(frozen=True, slots=True)
class Number(Tree):
    """An exact literal; ``text`` is what was written (``0.5`` stays ``0.5``)."""

    value: Rational
    text: str


@dataclass(frozen=True, slots=True)
class Text(Tree):
    """A string; only einsum takes one."""

    value: str


@dataclass(frozen=True, slots=True)
class Literal(Tree):
    """``None``, ``True``, ``False`` or ``...``."""

    text: str


@dataclass(frozen=True, slots=True)
class Unary(Tree):
    """``-x`` or ``+x``."""

    op: str
    operand: Tree


@dataclass(frozen=True, slots=True)
class Binary(Tree):
    """``a op b`` for ``+ - * / // % @ **``."""

    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Comparison(Tree):
    """``a op b`` for ``< <= > >= == !=``; never chained."""

    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Keyword(Tree):
    """``name=value`` in a call."""

    name: str
    value: Tree


@dataclass(frozen=True, slots=True)
class Call(Tree):
    """``f(a, b, axis=0)``; ``function`` is the name called."""

    function: Name
    arguments: tuple[Tree, ...]
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True, slots=True)
class Transpose(Tree):
    """``a.T``."""

    operand: Tree


@dataclass(frozen=True, slots=True)
class Slice(Tree):
    """``start:stop:step`` inside a subscript, each part optional."""

    start: Tree | None
    stop: Tree | None
    step: Tree | None


@dataclass(frozen=True, slots=True)
class Subscript(Tree):
    """``a[items]``."""

    base: Tree
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Reduction(Tree):
    """``sum[c, u](body)``: a reduction over named indices, in index notation; ``sum[t in
    1..T](body)`` tells the range.
    """

    word: str
    indices: tuple[Name, ...]
    body: Tree
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Group(Tree):
    """``(a, b)`` or ``[a, b]``: several things as one argument."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Range(Tree):
    """``i in first..last``, both ends included."""

    index: Name
    first: Tree
    last: Tree


@dataclass(frozen=True, slots=True)
class DimItem(Tree):
    """One extent of a ``dims`` line, with its default size if it has one."""

    name: Name
    size: int | None


@dataclass(frozen=True, slots=True)
class Dims(Tree):
    """``dims N = 64, D``."""

    items: tuple[DimItem, ...]


@dataclass(frozen=True, slots=True)
class Declared(Tree):
    """``W[M, D]``, or the stacked family ``W[l in 1..K][M, M]``."""

    name: Name
    shape: tuple[Tree, ...]
    family: Range | None = None


@dataclass(frozen=True, slots=True)
class Declaration(Tree):
    """``data …`` or ``param …``."""

    role: str
    items: tuple[Declared, ...]


@dataclass(frozen=True, slots=True)
class Functions(Tree):
    """``function f, g``."""

    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class AssumeKind(Tree):
    """``assume Y onehot``."""

    name: Name
    kind: Name


@dataclass(frozen=True, slots=True)
class AssumeRelation(Tree):
    """``assume K <= L`` or ``assume sum(Y, axis=1) == 1``."""

    relation: Comparison


@dataclass(frozen=True, slots=True)
class IndexData(Tree):
    """``index t[N] < V``: integer data from 0 to V - 1."""

    item: Declared
    bound: Tree


@dataclass(frozen=True, slots=True)
class Equation(Tree):
    """``Z = value``, ``Y[n, k] = value for n in 0..H-R``; ``indices`` is None without brackets."""

    name: Name
    indices: tuple[Tree, ...] | None
    value: Tree
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Output(Tree):
    """``output L``."""

    name: Name


def children(tree: Tree) -> tuple[Tree, ...]:
    """The nodes directly below ``tree``, in the order written."""
    found: list[Tree] = []
    for slot in tree.__dataclass_fields__:
        value = getattr(tree, slot)
        found.extend(
            v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, Tree)
        )
    return tuple(found)
