"""Putting terms in the place of names, and drawing numbers out of products.

Closed forms are made here: lifted terms are substituted, never flattened index expressions, so that
the association that reverse mode chose is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from symbackprop.ir import terms
from symbackprop.ir.terms import Term

MULTILINEAR = ("matmul", "outer", "mul", "dot")
CHAINED = ("matmul", "mul", "div")
LINEAR = ("transpose", "diag", "trace", "neg", "index", "sum", "mean")


def replace_names(term: Term, values: Mapping[str, Term]) -> Term:
    """``term`` with names replaced; a value must have the shape of the name it stands for."""
    if term.op == "name":
        value = values.get(term.attrs[0])
        return term if value is None else _fitted(value, term)
    args = tuple(replace_names(a, values) for a in term.args)
    return term if args == term.args else Term(term.op, args, term.shape, term.attrs)


def _fitted(value: Term, named: Term) -> Term:
    """A value whose broadcasting was left to its surroundings gets its full shape back."""
    return terms.broadcast(value, named.shape) if value.rank <= named.rank else value


@dataclass(frozen=True, slots=True)
class Scale:
    """A scalar factor ``above / below``; None stands for 1."""

    above: Term | None = None
    below: Term | None = None

    def times(self, other: Scale) -> Scale:
        return Scale(_product(self.above, other.above), _product(self.below, other.below))

    def on(self, term: Term) -> Term:
        """``above * term / below``, or ``above / below * term`` where both are there."""
        if self.above is not None and self.below is not None:
            return terms.mul(terms.div(self.above, self.below), term)
        if self.below is not None:
            return terms.div(term, self.below)
        return term if self.above is None else terms.mul(self.above, term)


def _product(a: Term | None, b: Term | None) -> Term | None:
    if a is None or b is None:
        return b if a is None else a
    if a.op == b.op == "number":
        return terms.number(a.attrs[0] * b.attrs[0])
    return terms.mul(a, b)


def draw_out_scale(term: Term) -> Term:
    """``outer(2 * r, theta).T @ (X / N) → 2 / N * (outer(r, theta).T @ X)``: scalars in front of a
    product.
    """
    scale, rest = _split_scale(term)
    return scale.on(rest)


def _split_scale(term: Term) -> tuple[Scale, Term]:
    """A scalar factor of ``term`` and the rest, drawn out through every operation that is
    linear.
    """
    if term.rank or term.op in ("sum", "mean", "trace", "dot"):
        if term.op == "mul" and term.args[0].rank == 0:
            scale, rest = _split_scale(term.args[1])
            return Scale(term.args[0]).times(scale), rest
        if term.op == "div" and term.args[1].rank == 0:
            scale, rest = _split_scale(term.args[0])
            return Scale(below=term.args[1]).times(scale), rest
    if term.op in MULTILINEAR:
        total, parts = Scale(), []
        for a in term.args:
            scale, part = _split_scale(a)
            total = total.times(scale)
            parts.append(part)
        return total, Term(term.op, tuple(parts), term.shape, term.attrs)
    if term.op in LINEAR:
        scale, inner = _split_scale(term.args[0])
        return scale, Term(term.op, (inner,), term.shape, term.attrs)
    return Scale(), Term(
        term.op, tuple(draw_out_scale(a) for a in term.args), term.shape, term.attrs
    )


def scale_in_front(term: Term) -> Term:
    """``2 * (H.T @ r) → 2 * H.T @ r``, ``-(A @ B) → -A @ B`` and ``-(a * b) → -a * b``: a scalar or
    a sign before a chain of products needs no brackets.

    For formulas that people read; code scales the smaller result instead.
    """
    return _scaled_first(_signed_first(term))


def _scaled_first(term: Term) -> Term:
    args = tuple(_scaled_first(a) for a in term.args)
    term = term if args == term.args else Term(term.op, args, term.shape, term.attrs)
    if term.op == "mul" and term.args[0].rank == 0 and term.args[1].op == "matmul":
        return _onto_first(term.args[1], ("matmul",), lambda a: terms.mul(term.args[0], a))
    if term.op == "neg" and term.args[0].op in CHAINED:
        return _onto_first(term.args[0], CHAINED, _negative)
    return term


def _negative(term: Term) -> Term:
    return terms.number(-term.attrs[0]) if term.op == "number" else terms.neg(term)


def _onto_first(chain: Term, through: Collection[str], scaled: Callable[[Term], Term]) -> Term:
    """``chain`` with its first factor scaled; a factor that is a sum keeps its brackets and the
    scale before them.
    """
    first, second = chain.args
    below = _onto_first(first, through, scaled) if first.op in through else scaled(first)
    return Term(chain.op, (below, second), chain.shape, chain.attrs)


def _signed_first(term: Term) -> Term:
    """``a + -b → a - b``, ``2 * -a → -2 * a``, ``(-A).T → -A.T``: one sign, at the outermost place
    it can have.
    """
    args = tuple(_signed_first(a) for a in term.args)
    term = term if args == term.args else Term(term.op, args, term.shape, term.attrs)
    if term.op in ("add", "sub"):
        return _signed_sum(term)
    if term.op == "neg" and term.args[0].op == "neg":
        return term.args[0].args[0]
    if term.op in MULTILINEAR or term.op in LINEAR or term.op == "div":
        signs = sum(a.op == "neg" for a in term.args)
        if signs == 0:
            return term
        bare = tuple(a.args[0] if a.op == "neg" else a for a in term.args)
        if signs == 2:
            return Term(term.op, bare, term.shape, term.attrs)
        if term.op == "mul" and bare[0].op == "number":
            return terms.mul(terms.number(-bare[0].attrs[0]), bare[1])
        return terms.neg(Term(term.op, bare, term.shape, term.attrs))
    return term


def _signed_sum(term: Term) -> Term:
    """``a + -b → a - b``, ``a - -b → a + b`` and ``-a + b → b - a``."""
    a, b = term.args
    if b.op == "neg":
        term = (terms.sub if term.op == "add" else terms.add)(a, b.args[0])
        a, b = term.args
    if term.op == "add" and a.op == "neg":
        return terms.sub(b, a.args[0])
    return term
