"""What is known while a document is read: the model with its true gradients, the symbol map, the
document's definitions.

A :class:`Scope` belongs to one document. Names come from the program (inputs, equations, ``grad_``
of each), then from definitions (the symbol map's, then the document's own), each with the letters
that index it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sympy import Expr, Integer

from symbackprop.calculus.jacobian import jacobian_entry
from symbackprop.checking.readings import Reading, Readings, Unreadable
from symbackprop.checking.tangents import TANGENT, Directions, by_entry
from symbackprop.checking.truth import ANY_SCALAR, Values
from symbackprop.checking.work import FRACTION, LARGE, LARGEST, TOO_LONG, nodes
from symbackprop.ir.expressions import (
    Entry,
    Index,
    entry_names,
    free_indices,
    substitute,
)
from symbackprop.ir.program import Program, Quantity
from symbackprop.ir.terms import Shape
from symbackprop.notation.written import Name, Node

GRADIENT = "grad_"
AS = " as "  # a guess is the text «symbol as meaning»
MOST_EQUATIONS = 300  # of a model and its gradients that are differentiated once more
_NOWHERE = Name(-1, -1, "")
LOSSES = ("L", "J", "E", "C", "ell", "loss", "Loss", "cost")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a symbol of the document stands for: readings, with the letters that index it in order
    of writing.

    ``own`` tells the document's own definitions from those of the symbol map.
    """

    letters: tuple[str, ...]
    readings: Readings
    own: bool
    shown: str


@dataclass(slots=True)
class Scope:
    """The names that a formula may use, and what they mean.

    ``by_samples`` is how a mean without axis is read, ``averages`` whether one was met. ``bound``
    are the letters of the sums being read. Guesses are texts: ``choices`` are those kept to,
    ``supposed`` all made since it was emptied, ``strong`` those that go by a rule of notation;
    ``named`` are the arrays that the document calls by name, ``invented`` what symbols that
    resemble no name are taken for, ``writings`` how the writer spells a symbol.
    ``extents`` are the letters that the document uses for extents to which the model gives others.
    ``shown`` is over what letters run by the arrays on which they stand, where no left side tells.
    ``held`` is whether derivatives are read with every other named quantity held constant.
    ``spoken`` has the writer's symbols for quantities to which the model gives no name.
    ``scales`` are quantities whose gradient, where the writer gives it a name (``dZ``), is a
    multiple of the true one by his own definition.
    ``base`` is from where the document counts its letters, ``bases`` what the bounds of sums say
    of theirs, ``counted`` whether it mattered and ``askew`` where what was
    read so is off by some places. ``flipped`` is whether a star between arrays means
    convolution and not correlation, ``starred`` whether one was met. ``slides`` is whether the
    model reads arrays through windows.
    """

    program: Program
    forward: Program
    values: Values
    layout: str = "gradient"
    text: str = ""
    latex: bool = True
    quoted: dict[str, Reading] = field(default_factory=dict)
    patterns: dict[tuple[str, tuple[str, ...]], Definition] = field(default_factory=dict)
    functions: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    letters: dict[str, Index] = field(default_factory=dict)
    shown: dict[str, Expr] = field(default_factory=dict)
    stepping: frozenset[str] = frozenset()
    read_as: dict[str, str] = field(default_factory=dict)
    phrases: dict[Node, Readings] = field(default_factory=dict)
    decorations: set[str] = field(default_factory=set)
    directions: Directions | None = None
    by_samples: bool = False
    stated: frozenset[str] = frozenset()
    averages: bool = False
    held: bool = False
    extents: dict[str, Expr] = field(default_factory=dict)
    bound: list[str] = field(default_factory=list)
    choices: dict[str, str] = field(default_factory=dict)
    supposed: set[str] = field(default_factory=set)
    strong: set[str] = field(default_factory=set)
    writings: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    invented: dict[str, str] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)
    scales: Mapping[str, Expr] = field(default_factory=dict)
    base: int = 1
    bases: dict[str, int] = field(default_factory=dict)
    counted: bool = False
    askew: set[int] = field(default_factory=set)
    flipped: bool = False
    starred: bool = False
    slides: bool = field(default=False, init=False)
    _hidden: set[str] = field(default_factory=set, init=False)
    _shapes: dict[str, Shape] = field(default_factory=dict, init=False)
    _jacobians: dict[tuple[str, str], tuple[Expr, tuple[Index, ...]]] = field(
        default_factory=dict, init=False
    )

    def __post_init__(self) -> None:
        self.slides = any(_at_windows(e.rhs) for e in self.forward.equations)
        for q in self.program.inputs:
            self._shapes[q.name] = q.shape
        for e in self.program.equations:
            self._shapes[e.name] = e.shape
            if e.hidden:
                self._hidden.add(e.name)

    def spend(self, units: int, node: Node) -> None:
        """Count work.

        Raises
        ------
        Unreadable
            If there was too much of it in this document.
        """
        self.values.work.spend(units)
        if self.values.work.is_over():
            raise Unreadable("work", TOO_LONG, node)

    def weigh(self, found: Readings, node: Node) -> Readings:
        """The same readings, their size counted as work: what SymPy asks of operands grows so."""
        self.spend(sum(nodes(r.expr, LARGEST) for r in found) // FRACTION, node)
        return found

    def weigh_doubling(self, found: Readings, node: Node) -> Readings:
        """The same readings, those that are very large counted as work: what uses them twice
        doubles.
        """
        self.spend(sum((nodes(r.expr, LARGEST) // LARGE) ** 2 for r in found), node)
        return found

    @property
    def loss(self) -> str:
        return self.forward.output

    @property
    def any_scalar(self) -> bool:
        """Whether the loss is any scalar of the model's output."""
        return self.loss == ANY_SCALAR

    @property
    def dims(self) -> Mapping[str, Expr]:
        return {d.name: d for d in self.program.dims}

    def shape(self, name: str) -> Shape | None:
        """The shape of a declared or defined array, ``grad_X`` included; None if there is none of
        that name.
        """
        return self._shapes.get(name)

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of the model, gradients aside."""
        return tuple(
            n
            for n in self._shapes
            if not n.startswith((GRADIENT, TANGENT)) and n not in self._hidden
        )

    @property
    def gradients(self) -> tuple[str, ...]:
        """The names of the true gradients."""
        return tuple(n for n in self._shapes if n.startswith(GRADIENT) and n not in self._hidden)

    @property
    def nameless(self) -> tuple[str, ...]:
        """The quantities of the model that bear no name."""
        return tuple(e.name for e in self.forward.equations if e.hidden)

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The letters that stand for the loss; ``ℓ`` alone where it is any scalar of an output that
        is none, and then only if it is not said which.
        """
        if self.shape(self.loss) or self.any_scalar:
            return ("ell",) if self.any_scalar and "ell" not in self._shapes else ()
        undeclared = tuple(n for n in LOSSES if n not in self._shapes)
        return (self.loss, *undeclared)

    def same_value(self, a: Expr, b: Expr) -> bool:
        """Whether two entries agree at the points of this document."""
        return self.values.agree(a, b)

    def gradient(self, entry: Entry) -> Expr | None:
        """The entry of the true gradient of the loss at ``entry``; None where there is none."""
        name = GRADIENT + entry.name
        return Entry(name, *entry.indices) if name in self._shapes else None

    def jacobian(self, of: Entry, by: Entry) -> Expr:
        """``∂of/∂by``, entries of forward quantities, or of a true gradient by one of them."""
        key = of.name, by.name
        if key not in self._jacobians:
            self._jacobians[key] = self._jacobian(*key)
        expr, indices = self._jacobians[key]
        return substitute(expr, dict(zip(indices, of.indices + by.indices, strict=True)))

    def immediate(self, of: Entry, by: Entry) -> Expr:
        """``∂⁺of/∂by``: by the equation of ``of`` alone, every other quantity in it held constant;
        nameless ones of which the writer does not speak are part of the equation.
        """
        kept = [e for e in self.forward.equations if e.hidden and e.name not in self.spoken]
        names = {e.name for e in kept} | {of.name}
        held = tuple(
            Quantity(e.name, e.shape, "data") for e in self.forward.equations if e.name not in names
        )
        own = tuple(e for e in self.forward.equations if e.name in names)
        alone = replace(
            self.forward, inputs=(*self.forward.inputs, *held), equations=own, output=of.name
        )
        if by.name not in reached(alone, of.name):
            return Integer(0)
        expr, indices, _ = jacobian_entry(alone, of.name, by.name)
        return substitute(expr, dict(zip(indices, of.indices + by.indices, strict=True)))

    def _jacobian(self, of: str, by: str) -> tuple[Expr, tuple[Index, ...]]:
        split = len(self._shapes[of])
        shape = self._shapes[of] + self._shapes[by]
        rows = tuple(Index(f"_r{k}", e) for k, e in enumerate(shape))
        if of.startswith(GRADIENT):
            if len(self.program.equations) > MOST_EQUATIONS:
                raise Unreadable("notation", "a second derivative in so large a model", _NOWHERE)
            inner = Entry(by, *rows[split:])
            return by_entry(self.program, Entry(of, *rows[:split]), inner), rows
        if by != of and by not in reached(self.forward, of):
            return Integer(0), rows
        expr, indices, _ = jacobian_entry(self.forward, of, by)
        return expr, indices

    def allows(self, guessed: Iterable[str]) -> bool:
        """Whether guesses agree with those kept to."""
        parts = (g.partition(AS) for g in guessed)
        return all(self.choices.get(symbol, meaning) == meaning for symbol, _, meaning in parts)

    def sure(self, guessed: Iterable[str]) -> bool:
        """Whether all these guesses are kept to."""
        parts = (g.partition(AS) for g in guessed)
        return all(self.choices.get(symbol) == meaning for symbol, _, meaning in parts)

    def suppose(self, node: Node, found: Readings) -> None:
        """Note the guesses behind the readings of a symbol, and the first in the writer's words."""
        for r in found:
            self.supposed |= r.guessed
            for guess in r.guessed:
                self.writings.setdefault(guess.partition(AS)[0], self.written(node))
        shown = [g.partition(AS)[2] for g in sorted(found[0].guessed) if AS in g]
        if shown:
            self.tell(node, f"{shown[0]} (a guess)")

    def tell(self, node: Node, meaning: str) -> None:
        """Note how a symbol was read, in the writer's spelling."""
        symbol = self.written(node)
        if symbol and meaning != symbol.removeprefix("\\"):
            self.read_as[symbol] = meaning

    def settle(self, choices: Mapping[str, str]) -> None:
        """Note what the symbols turned out to stand for."""
        for symbol, meaning in choices.items():
            if self.writings.get(symbol):
                self.read_as[self.writings[symbol]] = f"{meaning} (a guess)"

    def written(self, node: Node) -> str:
        """A symbol in the writer's spelling, on one line; empty where it is not the writer's."""
        here = 0 <= node.start < node.end
        symbol = " ".join(self.text[node.start : node.end].split()) if here else ""
        symbol = symbol[1:-1] if symbol.startswith("{") and symbol.endswith("}") else symbol
        return symbol.strip()

    def mentions_gradient(self, expr: Expr) -> frozenset[str]:
        """The variables whose gradient an expression mentions."""
        return frozenset(
            n.removeprefix(GRADIENT) for n in entry_names(expr) if n.startswith(GRADIENT)
        )


def _at_windows(e: Expr) -> bool:
    """Whether an entry is read at a sum of letters, as ``x[i + k]`` is."""
    if isinstance(e, Entry) and any(len(free_indices(i)) > 1 for i in e.indices):
        return True
    return any(_at_windows(a) for a in e.args)


def reached(program: Program, of: str) -> set[str]:
    """Everything on which a quantity depends."""
    defined = {e.name: e.rhs for e in program.equations}
    seen: set[str] = set()
    stack = [of]
    while stack:
        for name in entry_names(defined.get(stack.pop(), Integer(0))) - seen:
            seen.add(name)
            stack.append(name)
    return seen
