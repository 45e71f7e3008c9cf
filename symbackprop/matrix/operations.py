"""The generic entry of each operation of array notation, one rule an operation.

A rule takes the lowering (which lowers operands and makes hidden equations), the term, the index
expressions at which its entry is read, the index names in sight, and the term's place in its
statement. It gives an expression of index notation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import Protocol

from sympy import Expr, Integer, Mul, Pow, Rational, oo, pi

from symbackprop.errors import NotSupported
from symbackprop.ir import terms
from symbackprop.ir.affine import expanded
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    Index,
    IndexMax,
    IndexProduct,
    IndexSum,
    Where,
    substitute,
)
from symbackprop.ir.families import Family
from symbackprop.ir.functions import FunctionRule
from symbackprop.ir.terms import Shape, Term, slice_of

At = tuple[Expr, ...]
Scope = frozenset[str]
ZERO, ONE, HALF = Integer(0), Integer(1), Rational(1, 2)

# Heavy operations: those that are sums of products, and those that are a function of a reduction.
LINEAR = frozenset({
    "matmul", "dot", "sum", "mean", "trace", "norm1", "einsum", "matpow", "conv", "fold", "avgpool",
    "series",
})  # fmt: skip
NONLINEAR = frozenset({
    "var", "max", "min", "prod", "norm2", "logsumexp", "softmax", "log_softmax", "cumsum",
    "concat", "stack", "pad", "maxpool",
})  # fmt: skip


class Place(Enum):
    """Where a term stands in its statement, which decides what of it may stay inline.

    ``WHOLE``: it is the right side. ``SUM``: it is a summand of it, or below a sum. ``INSIDE``:
    anywhere else.
    """

    WHOLE = "whole"
    SUM = "sum"
    INSIDE = "inside"

    def summand(self) -> Place:
        """The place of a summand of a term in this place."""
        return Place.SUM if self is Place.WHOLE else self


class Lowers(Protocol):
    """What a rule needs of the lowering."""

    constants: frozenset[str]
    rules: Mapping[str, FunctionRule]
    families: Mapping[str, Family]

    def bind(self, shape: Shape, scope: Scope) -> tuple[Index, ...]: ...

    def entry(self, term: Term, at: At, scope: Scope, place: Place = Place.INSIDE) -> Expr: ...

    def reader(self, term: Term) -> Callable[[At, Scope], Expr]: ...

    def array(self, term: Term) -> str: ...

    def within(self, term: Term, at: At, scope: Scope) -> Expr: ...


Rule = Callable[[Lowers, Term, At, Scope, Place], Expr]
RULES: dict[str, Rule] = {}


def registrar(table: dict[str, Rule]) -> Callable[..., Callable[[Rule], Rule]]:
    """A decorator that enters a rule in the table under the operations that it serves."""

    def for_operations(*operations: str) -> Callable[[Rule], Rule]:
        def register(rule: Rule) -> Rule:
            table.update(dict.fromkeys(operations, rule))
            return rule

        return register

    return for_operations


_rule = registrar(RULES)


def summands(term: Term, constants: frozenset[str]) -> Iterator[Term]:
    """The terms of which ``term`` is a sum with constant coefficients; none if it is no sum."""
    if term.op in ("add", "sub", "neg"):
        yield from term.args
    elif term.op == "mul":
        yield from (b for a, b in (term.args, term.args[::-1]) if is_scale(a, constants))
    elif term.op == "div" and is_scale(term.args[1], constants):
        yield term.args[0]


def is_scale(term: Term, constants: frozenset[str]) -> bool:
    """Whether ``term`` is a number that no parameter changes: ``2``, ``sqrt(D)``, a scalar among
    the data.
    """
    if term.rank or term.op in LINEAR or term.op in NONLINEAR or term.op == "entries":
        return False
    return all(n in constants for n in terms.names_in(term))


def heavy_entries(term: Term) -> bool:
    """Whether ``term`` is given by entries with a sum, maximum or product in them."""
    return term.op == "entries" and bool(term.attrs[1].has(IndexSum, IndexMax, IndexProduct))


def aligned(at: At, shape: Shape) -> At:
    """Where an operand of this shape is read when the result is read at ``at``: NumPy's
    broadcasting.
    """
    skip = len(at) - len(shape)
    return tuple(ZERO if e == 1 else at[skip + k] for k, e in enumerate(shape))


def operand(run: Lowers, a: Term, at: At, scope: Scope, place: Place = Place.INSIDE) -> Expr:
    """The entry of an operand read at these places; ``place`` is that of the term it belongs to."""
    return run.entry(a, aligned(at, a.shape), scope, place.summand())


def delta(a: Expr, b: Expr) -> Expr:
    """δ(a, b), worked out where the two indices are the same expression or both numbers."""
    if a == b:
        return ONE
    return ZERO if a.is_Integer and b.is_Integer else Delta(a, b)


# Leaves


@_rule("name")
def _name(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return Entry(t.attrs[0], *aligned(at, t.shape))


@_rule("number", "dim")
def _number(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return t.attrs[0]


@_rule("constant")
def _constant(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return {"pi": pi, "inf": oo}[t.attrs[0]]


@_rule("ones")
def _ones(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return ONE


@_rule("zeros")
def _zeros(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return ZERO


@_rule("eye")
def _eye(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return delta(*at)


@_rule("arange")
def _arange(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return at[0]


@_rule("entries")
def _entries(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    indices, body = t.attrs
    return substitute(body, dict(zip(indices, at, strict=True)))


# Entry by entry


def _operands(
    run: Lowers, t: Term, at: At, scope: Scope, place: Place = Place.INSIDE
) -> tuple[Expr, ...]:
    return tuple(operand(run, a, at, scope, place) for a in t.args)


@_rule("add")
def _add(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    a, b = _operands(run, t, at, scope, place.summand())
    return a + b


@_rule("sub")
def _sub(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    a, b = _operands(run, t, at, scope, place.summand())
    return a - b


@_rule("neg")
def _neg(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return -_operands(run, t, at, scope, place.summand())[0]


@_rule("mul", "div")
def _mul(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    scaled = any(True for _ in summands(t, run.constants))
    a, b = _operands(run, t, at, scope, place.summand() if scaled else Place.INSIDE)
    return a * b if t.op == "mul" else a / b


@_rule("pow")
def _pow(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return Pow(*_operands(run, t, at, scope))


@_rule("apply")
def _apply(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``f(u)``; operands left out are the defaults of the library's row."""
    if t.attrs[0] == "log" and t.args[0].op == "sum" and _is_exponential(t.args[0].args[0]):
        exponents = t.args[0].args[0].args
        return run.entry(replace(t.args[0], op="logsumexp", args=exponents), at, scope, place)
    operands = _operands(run, t, at, scope)
    function = t.attrs[0]
    if function == "sqrt":
        return Pow(operands[0], HALF)
    rule = run.rules.get(function)
    if rule is not None and len(operands) < len(rule.parameters):
        operands += rule.defaults[len(operands) - len(rule.parameters) :]
    return Apply(function, *operands)


def _is_exponential(t: Term) -> bool:
    return t.op == "apply" and t.attrs[0] == "exp"


@_rule("compare")
def _compare(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return Compare(t.attrs[0], *_operands(run, t, at, scope))


@_rule("where")
def _where(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return Where(*_operands(run, t, at, scope))


# Axes moved, taken, added


@_rule("transpose")
def _transpose(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return run.entry(t.args[0], tuple(reversed(at)), scope, place.summand())


@_rule("broadcast")
def _broadcast(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    return operand(run, t.args[0], at, scope, place)


@_rule("diag")
def _diag(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    a = t.args[0]
    if a.rank == 1:
        return Mul(delta(*at), run.entry(a, at[:1], scope))
    return run.entry(a, (at[0], at[0]), scope, place.summand())


@_rule("index")
def _index(run: Lowers, t: Term, at: At, scope: Scope, place: Place) -> Expr:
    """``a[items]``: an axis added, shifted by a slice's start, or taken at a number (from the end,
    if negative).
    """
    a, rest = t.args[0], iter(at)
    read: list[Expr] = []
    for item in t.attrs[0]:
        if item is None:
            next(rest)
            continue
        extent = a.shape[len(read)]
        if isinstance(item, slice):
            start, step = slice_of(item, extent)
            read.append(expanded(next(rest) * step + start))
        else:
            read.append(_from_start(item, extent))
    read.extend(rest)
    return operand(run, a, tuple(read), scope, place)


def _from_start(item: Expr | int, extent: Expr) -> Expr:
    position = Integer(item) if isinstance(item, int) else item
    if not isinstance(position, Expr):
        raise NotSupported("an index that is an extent or an integer", type(item).__name__)
    return position + extent if position.is_negative else position
