"""What the algebra knows while it works: facts about names, patterns to fold, and its memory.

A :class:`Context` belongs to one program. Its memo tables must not outlive its facts, hence they
live on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sympy import Add, Expr, Integer, Mul, Pow, Symbol

from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    InRange,
    MatrixFunction,
    Node,
    free_indices,
)
from symbackprop.ir.functions import PRIMITIVES, FunctionRule
from symbackprop.ir.matrix_functions import exponent
from symbackprop.ir.ordering import skeleton
from symbackprop.ir.program import Equation, Fact, Program

# fmt: off
IMPLIED = {                      # a declared fact and those that follow from it
    "onehot":      ("onehot", "simplex", "binary", "nonnegative"),
    "simplex":     ("simplex", "nonnegative"),
    "binary":      ("binary", "nonnegative"),
    "unit":        ("unit", "positive", "nonnegative"),
    "positive":    ("positive", "nonnegative"),
    "spd":         ("spd", "symmetric", "invertible"),
    "orthogonal":  ("orthogonal", "invertible"),
}
# fmt: on


class TooLarge(Exception):
    """A search is cut short: too many terms, or too much work. Nothing is decided."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """``coefficient · Π powers``, which is the entry of ``equation``."""

    equation: Equation
    coefficient: Expr
    powers: dict[Expr, Expr]


@dataclass(slots=True)
class Context:
    """Facts by name, fold patterns by skeleton, and memo tables for one program."""

    program: Program
    folding: bool = True
    expanding: bool = False
    proving: bool = False  # what is compared may be written in any way; what is shown may not
    kinds: dict[str, frozenset[str]] = field(default_factory=dict)
    sums: dict[tuple[str, int], Fact] = field(default_factory=dict)
    patterns: dict[str, list[Pattern]] = field(default_factory=dict)
    memo: dict[Expr, Expr] = field(default_factory=dict)
    used: dict[Fact, None] = field(default_factory=dict)
    domain: Callable[[Expr], bool] | None = (
        None  # what is ≥ 0 wherever both sides of an identity are defined
    )
    wide: dict[Expr, Expr] = field(default_factory=dict)  # expanded forms
    work: int = 0
    budget: int | None = None
    cut: bool = False  # whether a step of the proof at hand was given up
    depth: int = 0
    powered: frozenset[str] = frozenset()  # arrays of which a high power is about
    _sums: dict[str, tuple[tuple[int, Expr | None], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fact in self.program.facts:
            self.learn(fact)
        self.powered |= powered_arrays(q.rhs for q in self.program.equations)

    def spend(self, steps: int) -> None:
        """Count steps of work.

        Raises
        ------
        TooLarge
            If there is a budget and it is used up.
        """
        self.work += steps
        if self.exhausted:
            raise TooLarge

    @property
    def exhausted(self) -> bool:
        """Whether the budget of work is used up."""
        return self.budget is not None and self.work > self.budget

    def forget(self) -> None:
        """Drop what was remembered: needed when something more is known."""
        self.memo.clear()
        self.wide.clear()

    def learn(self, fact: Fact) -> None:
        """Take a declared or derived fact into account from now on."""
        if fact.kind == "sum":
            self._know_sum(fact)
        else:
            self.kinds[fact.name] = self.kinds.get(fact.name, frozenset()) | frozenset(
                IMPLIED.get(fact.kind, (fact.kind,))
            )
            if fact.kind in ("onehot", "simplex"):
                axis = len(self.program.shape_of(fact.name)) - 1
                self._know_sum(Fact(fact.name, fact.kind, axis, Integer(1)))

    def _know_sum(self, fact: Fact) -> None:
        """Without an axis the sum is over all, which of a vector is its one axis; of more axes no
        law makes use of it.
        """
        axis = fact.axis
        if axis is None:
            if len(self.program.shape_of(fact.name)) != 1:
                return
            axis = 0
        self.sums[fact.name, axis] = fact
        self._sums[fact.name] = (*self._sums.get(fact.name, ()), (axis, fact.value))

    def knows(self, name: str, kind: str) -> bool:
        """Whether ``name`` is known to be ``kind``; the declared fact is noted as used."""
        if kind not in self.kinds.get(name, ()):
            return False
        for fact in self.program.facts:
            if fact.name == name and kind in IMPLIED.get(fact.kind, (fact.kind,)):
                self.used[fact] = None
        return True

    def sums_of(self, name: str) -> tuple[tuple[int, Expr | None], ...]:
        """Axes over which the sums of ``name`` are known, with their values."""
        return self._sums.get(name, ())

    def unfolded(self) -> Context:
        """The same facts, derived ones included, without folding."""
        kinds, sums = dict(self.kinds), dict(self.sums)
        return Context(self.program, folding=False, kinds=kinds, sums=sums)

    @property
    def symmetric(self) -> frozenset[str]:
        """The arrays that are known to be their own transposes."""
        return frozenset(name for name, kinds in self.kinds.items() if "symmetric" in kinds)

    def rule(self, function: str) -> FunctionRule | None:
        """The rule of a scalar function; None for an abstract one."""
        if function in self.program.functions:
            return None
        primitive = PRIMITIVES.get(function)
        return primitive.rule if primitive else self.program.rules.get(function)

    def register(self, equation: Equation, body: Expr) -> None:
        """Let ``body``, the normalised right side, fold to the equation's entry.

        A monomial c Π base^e is a pattern; a plain Hadamard product of entries is not, since
        folding it obscures; a root of an entry is.
        """
        coefficient, powers = factor_powers(body)
        if not powers or all(isinstance(b, Entry) and e.is_integer for b, e in powers.items()):
            return
        held = frozenset().union(*(free_indices(b) for b in powers))
        if not held.issuperset(i for i in equation.indices if i.extent != 1):
            return
        anchor = max(powers, key=lambda b: (len(free_indices(b)), len(skeleton(b))))
        pattern = Pattern(equation, coefficient, powers)
        self.patterns.setdefault(skeleton(anchor), []).append(pattern)


def powered_arrays(expressions: Iterable[Expr]) -> frozenset[str]:
    """The arrays of which a power stands in one of the expressions."""
    return frozenset(
        m.name
        for e in expressions
        for m in e.atoms(MatrixFunction)
        if exponent(m.function) is not None
    )


def factor_powers(e: Expr) -> tuple[Expr, dict[Expr, Expr]]:
    """``c Π base^exponent`` as ``c``, the part without entries, and a dictionary."""
    coefficient: Expr = Integer(1)
    powers: dict[Expr, Expr] = {}
    for factor in Mul.make_args(e):
        base, exponent = factor.as_base_exp() if isinstance(factor, Pow) else (factor, Integer(1))
        if is_constant(base):
            coefficient = coefficient * factor
        else:
            powers[base] = powers.get(base, Integer(0)) + exponent
    return coefficient, powers


def is_constant(e: Expr) -> bool:
    """Whether ``e`` is a number in extents: it holds no entry, function, binder or index."""
    if isinstance(e, Node | Index):
        return False
    return all(is_constant(a) for a in e.args)


def is_nonnegative(e: Expr, context: Context) -> bool:
    """Whether ``e`` is known to be ≥ 0 wherever it is defined."""
    if e.is_Number:
        return bool(e >= 0)
    if context.domain is not None and context.domain(e):
        return True
    if isinstance(e, Symbol):
        return bool(e.is_positive) or (not isinstance(e, Index) and e.is_nonnegative is True)
    if isinstance(e, Entry):
        return context.knows(e.name, "nonnegative")
    if isinstance(e, Apply):
        rule = context.rule(e.name)
        return rule is not None and rule.sign in ("positive", "nonnegative")
    if isinstance(e, Pow):
        even = e.exp.is_Rational and (
            e.exp.p % 2 == 0 or e.exp.q % 2 == 0
        )  # an even root is ≥ 0 where it is real
        return even or is_nonnegative(e.base, context)
    if isinstance(e, Add | Mul):
        return all(is_nonnegative(a, context) for a in e.args)
    if isinstance(e, IndexSum | IndexMax | IndexProduct):
        return is_nonnegative(e.body, context)
    return isinstance(e, Delta | InRange | Compare) or e.is_nonnegative is True
