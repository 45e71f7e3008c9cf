"""From array notation to index notation: each statement becomes an equation with a generic entry.

Takes terms (:mod:`symbackprop.ir.terms`), gives a :class:`Program`. Elementwise operations are
inlined into the entry. A *heavy* operation (product, reduction, softmax, norm, …) stands in an
equation of its own: the statement itself, if the operation is its outermost or a summand of it,
else a hidden equation ``_1, _2, …``, so that closed forms can mention it and answers stay small.
Identical hidden right sides are made once. What cannot be lowered raises ``NotSupported``.

An axis of extent 1 is always read at 0, which is NumPy's broadcasting.

>>> from symbackprop.ir import terms
>>> from symbackprop.ir.expressions import extent_symbol
>>> N, D = extent_symbol("N"), extent_symbol("D")
>>> X, w = terms.name("X", (N, D)), terms.name("w", (D,))
>>> inputs = (Quantity("X", X.shape, "data"), Quantity("w", w.shape, "param"))
>>> lower(dims=(N, D), inputs=inputs, statements=[("z", terms.matmul(X, w))]).equations[0].rhs
sum[d](w[d]*X[n,d])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sympy import Expr, Symbol

from symbackprop.errors import NotSupported
from symbackprop.ir.expressions import Entry, Index, substitute
from symbackprop.ir.families import Family, Loop
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.letters import letters
from symbackprop.ir.program import Equation, Fact, Program, Quantity
from symbackprop.ir.terms import Shape, Term, same_shape
from symbackprop.matrix import (
    operations,
    rearrangements,
    reductions,
    stacks,
    whole_matrices,
    windows,
)
from symbackprop.matrix.operations import (
    LINEAR,
    NONLINEAR,
    ZERO,
    At,
    Place,
    heavy_entries,
    summands,
)
from symbackprop.matrix.stacks import stack_equations, written_out

# No index bears one of these: they are words of the language or would read as such.
RESERVED = frozenset(
    {"dims", "data", "param", "function", "assume", "index", "output", "for", "in", "pi", "inf"}
)

RULES = (
    operations.RULES
    | reductions.RULES
    | rearrangements.RULES
    | whole_matrices.RULES
    | windows.RULES
    | stacks.RULES
)


NO_FAMILIES: Mapping[str, Any] = MappingProxyType({})


class Lowering:
    """The equations made so far, and how further terms become entries against them."""

    def __init__(
        self,
        names: Iterable[str],
        constants: Iterable[str],
        rules: Mapping[str, FunctionRule],
        known: Sequence[Equation] = (),
        families: Mapping[str, Family] = NO_FAMILIES,
    ) -> None:
        self.taken = RESERVED.union(names)
        self.families = families
        self.constants = frozenset(constants)
        self.rules = rules
        self.hidden = 0
        self.equations: list[Equation] = []
        self._known = known  # indexed when the first hidden equation is asked for: often none is
        self._made: dict[tuple[At, Expr], Equation] = {}
        self._indices: dict[Shape, tuple[Index, ...]] = {}

    def indices(self, shape: Shape) -> tuple[Index, ...]:
        """The letters of a generic entry of an array of this shape."""
        found = self._indices.get(shape)
        if found is None:
            found = self._indices[shape] = letters(shape, self.taken)
        return found

    def bind(self, shape: Shape, scope: frozenset[str]) -> tuple[Index, ...]:
        """Bound letters for these extents, clashing with nothing in scope."""
        return letters(shape, self.taken | scope)

    def define(self, name: str, term: Term, hidden: bool = False) -> Equation:
        """The equation ``name = term``, appended after the hidden equations that it needs."""
        if term.op == "entries":
            indices, body = term.attrs
            rhs = substitute(body, dict(zip(indices, places(indices), strict=True)))
        else:
            indices = self.indices(term.shape)
            rhs = self.entry(term, places(indices), frozenset(i.name for i in indices), Place.WHOLE)
        equation = Equation(name, indices, rhs, term, hidden)
        self.keep(equation)
        return equation

    def keep(self, equation: Equation) -> None:
        """Append an equation and remember its right side, so that no hidden one repeats it."""
        self.equations.append(equation)
        self._made.setdefault(_key(equation.indices, equation.rhs), equation)

    def entry(self, term: Term, at: At, scope: frozenset[str], place: Place = Place.INSIDE) -> Expr:
        """The entry of ``term`` at the index expressions ``at``; ``scope`` are all index names in
        sight.
        """
        if place is not Place.WHOLE and self._stands_alone(term, place):
            return self._read(self._hide(term), term.shape, at)
        rule = RULES.get(term.op)
        if rule is None:
            raise NotSupported("an operation that has a generic entry", term.op)
        return rule(self, term, at, scope, place)

    def reader(self, term: Term) -> Callable[[At, frozenset[str]], Expr]:
        """How to read entries of ``term``: directly if they are plain entries, else from a hidden
        equation.
        """
        if _is_plain(term):
            return lambda at, scope: self.entry(term, at, scope)
        equation = self._hide(term)
        return lambda at, scope: self._read(equation, term.shape, at)

    def within(self, term: Term, at: At, scope: frozenset[str]) -> Expr:
        """The entry of ``term`` with everything heavy in it written out: it changes from step to
        step, and no equation of its own can hold it.
        """
        before, made, hidden = len(self.equations), dict(self._made), self.hidden
        self._index_known()
        body = self.entry(term, at, scope, Place.WHOLE)
        extra = self.equations[before:]
        del self.equations[before:]
        self._made, self.hidden = made, hidden
        return written_out(body, extra)

    def array(self, term: Term) -> str:
        """The name of the array that ``term`` is: its own, or that of a hidden equation."""
        return str(term.attrs[0]) if term.op == "name" else self._hide(term, exact=True).name

    def _stands_alone(self, term: Term, place: Place) -> bool:
        """Whether ``term`` becomes a hidden equation where it stands."""
        if place is Place.SUM:
            return term.op in NONLINEAR
        return term.op in NONLINEAR or self._carries(term)

    def _carries(self, term: Term) -> bool:
        """Whether a summand is heavy and as large as the whole: then the whole sum gets the name
        (``X @ W.T + b``).
        """
        if term.op in LINEAR or heavy_entries(term):
            return True
        return any(
            same_shape(s.shape, term.shape) and self._carries(s)
            for s in summands(term, self.constants)
        )

    def _index_known(self) -> None:
        for equation in self._known:
            self._made.setdefault(_key(equation.indices, equation.rhs), equation)
            if equation.hidden:
                self.hidden = max(self.hidden, int(equation.name[1:]))
        self._known = ()

    def _hide(self, term: Term, exact: bool = False) -> Equation:
        """A hidden equation for ``term``; with ``exact`` its axes of extent 1 are its own too."""
        self._index_known()
        indices = self.indices(term.shape)
        rhs = self.entry(term, places(indices), frozenset(i.name for i in indices), Place.WHOLE)
        found = self._made.get(_key(indices, rhs))
        if found is not None and not (exact and found.shape != term.shape):
            return found
        self.hidden += 1
        equation = Equation(f"_{self.hidden}", indices, rhs, term, hidden=True)
        self.keep(equation)
        return equation

    def _read(self, equation: Equation, shape: Shape, at: At) -> Expr:
        """An entry of an equation whose shape is ``shape`` up to axes of extent 1."""
        long = iter([p for p, extent in zip(at, shape, strict=True) if extent != 1])
        return Entry(equation.name, *(ZERO if e == 1 else next(long) for e in equation.shape))


def places(indices: Sequence[Index]) -> At:
    """Where the generic entry is read: at the indices, at 0 on an axis of extent 1."""
    return tuple(ZERO if i.extent == 1 else i for i in indices)


def _is_plain(term: Term) -> bool:
    """Whether an entry of ``term`` is an entry of a named array or of an inverse."""
    if term.op in ("name", "inv"):
        return True
    return term.op in ("transpose", "index", "swap", "flip") and _is_plain(term.args[0])


def _key(indices: Sequence[Index], rhs: Expr) -> tuple[At, Expr]:
    return tuple(i for i in indices if i.extent != 1), rhs


def lower(
    *,
    dims: Sequence[Symbol],
    inputs: Sequence[Quantity],
    statements: Sequence[tuple[str, Term]],
    functions: Sequence[str] = (),
    facts: Sequence[Fact] = (),
    output: str = "",
    sizes: Mapping[str, int] | None = None,
    conditions: Sequence[tuple[Expr, str, Expr]] = (),
    rules: Mapping[str, FunctionRule] | None = None,
    families: Mapping[str, Family] = NO_FAMILIES,
    loops: Mapping[str, Loop] = NO_FAMILIES,
) -> Program:
    """The program of these statements, in order; the output is the last of them unless named.

    Raises
    ------
    NotSupported
        If a statement uses an operation that has no generic entry.
    """
    names = (
        {d.name for d in dims}
        | {q.name for q in inputs}
        | set(functions)
        | {n for n, _ in statements}
        | set(families)
        | set(loops)
    )
    data = (q.name for q in inputs if q.role == "data" and not q.shape)
    lowering = Lowering(names, data, rules or {}, families=families)
    for name, term in statements:
        lowering.define(name, term)
    equations = tuple(lowering.equations)
    if families:
        equations, families = stack_equations(equations, families, loops)
    return Program(
        dims=tuple(dims),
        inputs=tuple(inputs),
        functions=tuple(functions),
        facts=tuple(facts),
        equations=equations,
        output=output or (statements[-1][0] if statements else ""),
        sizes=dict(sizes or {}),
        conditions=tuple(conditions),
        rules=dict(rules or {}),
        families=dict(families),
        loops=dict(loops),
    )


def entry(
    term: Term, indices: Sequence[Index], program: Program
) -> tuple[Expr, tuple[Equation, ...]]:
    """The entry of one more term against a program, and the hidden equations that it needs,
    numbered on.

    The entry may use those equations: evaluate or prove it against ``program.extended(equations)``.
    """
    names = (
        {d.name for d in program.dims} | {q.name for q in program.inputs} | set(program.functions)
    )
    names |= {e.name for e in program.equations}
    data = (q.name for q in program.inputs if q.role == "data" and not q.shape)
    names |= program.families.keys() | program.loops.keys()
    lowering = Lowering(names, data, program.rules, program.equations, families=program.families)
    rhs = lowering.entry(term, places(indices), frozenset(i.name for i in indices), Place.WHOLE)
    return rhs, tuple(lowering.equations)
