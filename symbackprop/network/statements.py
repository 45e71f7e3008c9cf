"""Statements taken one by one: each declares, defines or assumes something for those below it."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod

from sympy import Expr, Symbol

from symbackprop.errors import Malformed, Span
from symbackprop.ir.expressions import extent_symbol
from symbackprop.ir.families import member
from symbackprop.ir.program import Fact, Quantity
from symbackprop.ir.terms import Shape, Term
from symbackprop.library.losses import expansions
from symbackprop.network.facts import condition, declared_fact, sum_fact
from symbackprop.network.recurrences import Recurrences, check_shape, label_of
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate import Scope, elaborate, elaborate_equation
from symbackprop.notation.extents import extent
from symbackprop.notation.integers import is_integral
from symbackprop.notation.scope import unknown
from symbackprop.notation.spelling import ADJOINT_PREFIX
from symbackprop.notation.words import CONSTANTS


class Reading:
    """What the statements so far have said. The one mutable thing of this room; ``model.parse``
    freezes it.
    """

    def __init__(self, source: str, text: str) -> None:
        self.place = Span(source, text, len(text), len(text))
        self.dims: dict[str, Symbol] = {}
        self.sizes: dict[str, int] = {}
        self.inputs: list[Quantity] = []
        self.functions: list[str] = []
        self.facts: list[Fact] = []
        self.conditions: list[tuple[Expr, str, Expr]] = []
        self.statements: list[tuple[str, Term, Span]] = []
        self.integers: set[str] = set()
        self.shapes: dict[str, Shape] = {}
        self.spans: dict[str, Span] = {}
        self.later: dict[str, Span] = {}
        self.output: s.Name | None = None
        self.recurrences = Recurrences()

    def foresee(self, trees: tuple[s.Tree, ...]) -> None:
        """Notes where each name will be defined, so that a use too early can be told from an
        unknown name.
        """
        for tree in trees:
            for name in _defined(tree):
                self.later.setdefault(name.text, name.span)

    def scope(self, defining: str = "") -> Scope:
        """What the names declared so far mean."""
        later = {k: v for k, v in self.later.items() if k not in self.spans}
        return Scope(
            self.dims,
            self.shapes,
            tuple(self.functions),
            {},
            expansions(),
            later=later,
            defining=defining,
            integers=frozenset(self.integers),
            families=self.recurrences.families,
            unfinished=self.recurrences.defined,
        )

    def declare(self, name: s.Name) -> None:
        """Takes a name for this model; each may be taken once."""
        if name.text.startswith(ADJOINT_PREFIX):
            raise Malformed(
                f"a name without {ADJOINT_PREFIX}",
                name.text,
                name.span,
                f"{ADJOINT_PREFIX}X is the adjoint of X; choose another name",
            )
        if name.text.startswith("_"):
            raise Malformed(
                "a name that begins with a letter",
                name.text,
                name.span,
                "_1, _2, … are the tool's own",
            )
        if name.text in CONSTANTS:
            raise Malformed(
                "a new name", f"the constant {name.text}", name.span, "choose another name"
            )
        if name.text in self.spans:
            line = self.spans[name.text].line
            raise Malformed(
                "a new name",
                f"{name.text}, which line {line} already declares or defines",
                name.span,
                "choose another name, or remove one of the two lines",
            )
        self.spans[name.text] = name.span

    @singledispatchmethod
    def take(self, tree: s.Tree) -> None:
        """Takes one statement."""
        raise AssertionError(f"the reader has a further kind of statement: {type(tree).__name__}")

    @take.register
    def _(self, tree: s.Dims) -> None:
        for item in tree.items:
            self.declare(item.name)
            self.dims[item.name.text] = extent_symbol(item.name.text)
            if item.size is not None:
                if item.size < 1:
                    raise Malformed(
                        "a size of at least 1", str(item.size), item.span, "extents are positive"
                    )
                self.sizes[item.name.text] = item.size

    @take.register
    def _(self, tree: s.Declaration) -> None:
        for item in tree.items:
            self._input(item, tree.role)

    def _input(self, item: s.Declared, role: str, bound: Expr | None = None) -> None:
        shape = tuple(self._extent(e) for e in item.shape)
        self.declare(item.name)
        if item.family is not None:
            shape = (self.recurrences.declare(item, self.scope()), *shape)
        self.shapes[item.name.text] = shape
        if role == "index":
            self.integers.add(item.name.text)
        self.inputs.append(Quantity(item.name.text, shape, role, bound))

    def _extent(self, tree: s.Tree) -> Expr:
        value = extent(tree, self.scope())
        if value.is_nonpositive:
            raise Malformed(
                "an extent of at least 1", str(value), tree.span, "extents are positive"
            )
        return value

    @take.register
    def _(self, tree: s.Functions) -> None:
        for name in tree.names:
            self.declare(name)
            self.functions.append(name.text)

    @take.register
    def _(self, tree: s.IndexData) -> None:
        bound = self._extent(tree.bound)
        self._input(tree.item, "index", bound)

    @take.register
    def _(self, tree: s.AssumeKind) -> None:
        self.facts.append(declared_fact(tree, self.scope(), self.facts))

    @take.register
    def _(self, tree: s.AssumeRelation) -> None:
        fact = sum_fact(tree, self.scope(), self.facts)
        if fact is not None:
            self.facts.append(fact)
        else:
            self.conditions.append(condition(tree, self.scope(), self.conditions))

    @take.register
    def _(self, tree: s.Equation) -> None:
        if self.recurrences.is_piece(tree, self.scope()):
            self._piece(tree)
            return
        self.recurrences.finish()
        if tree.name.text in self.spans and tree.indices is None:
            self.declare(tree.name)
        term = elaborate_equation(tree, self.scope(tree.name.text))
        self.declare(tree.name)
        self.shapes[tree.name.text] = term.shape
        if is_integral(term, self.scope()):
            self.integers.add(tree.name.text)
        self.statements.append((tree.name.text, term, tree.span))

    def _piece(self, tree: s.Equation) -> None:
        """A boundary or a step of a recurrence."""
        known, name = self.recurrences, tree.name.text
        if name in self.spans and (name not in known.defined or known.defined[name]):
            self.declare(tree.name)
        if name not in self.spans:
            self.declare(tree.name)
        assert tree.indices is not None, "a piece stands in brackets"
        (item,) = tree.indices
        if isinstance(item, s.Name) and tree.ranges:
            loop = known.step(tree, self.scope())
            term = elaborate(tree.value, replace(self.scope(), steps={loop.index: loop}))
            if name in self.shapes:
                check_shape(tree, self.shapes[name][1:], term.shape)
            known.stepped(name, loop)
            label = label_of(name, loop)
        else:
            place = known.boundary(tree, self.scope())
            term = elaborate(tree.value, self.scope())
            known.opened(tree, place, term.shape)
            label = member(name, place)
        self.shapes[name] = (known.families[name].count, *term.shape)
        self.statements.append((label, term, tree.span))

    @take.register
    def _(self, tree: s.Output) -> None:
        if self.output is not None:
            raise Malformed(
                "one output",
                f"a second one, {tree.name.text}",
                tree.span,
                "remove one of the two lines",
            )
        self.output = tree.name

    def finish(self) -> str:
        """The name of the output, once all statements are taken."""
        self.recurrences.finish()
        defined = [name for name, _, _ in self.statements]
        if not defined:
            raise Malformed(
                "at least one equation",
                "a model without any",
                self.place,
                "write for example L = sum((yhat - y)**2)",
            )
        if self.output is None:
            return defined[-1]
        if self.output.text in defined:
            return self.output.text
        if self.output.text in self.spans:
            raise Malformed(
                "a quantity defined by an equation",
                f"{self.output.text}, which is declared",
                self.output.span,
                f"name one of {', '.join(defined)}",
            )
        raise unknown(
            self.output.text, self.output.span, self.scope(), "a quantity defined by an equation"
        )


def _defined(tree: s.Tree) -> tuple[s.Name, ...]:
    match tree:
        case s.Dims(items=items) | s.Declaration(items=items):
            return tuple(i.name for i in items)
        case s.Functions(names=names):
            return names
        case s.IndexData(item=item):
            return (item.name,)
        case s.Equation(name=name):
            return (name,)
    return ()
