"""Putting terms in the place of names, and drawing numbers out of products.

Closed forms are made here: lifted terms are substituted, never flattened index expressions, so that the association that
reverse mode chose is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.ir import terms
from symbackprop.ir.terms import Term

SCALE_FREE = ("matmul", "outer", "mul", "dot")
CARRIES_SCALE = ("transpose", "diag", "trace", "neg", "index")


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


def draw_out_scale(term: Term) -> Term:
    """``outer(2 * r, theta).T @ X → 2 * (outer(r, theta).T @ X)``: numbers and scalars in front of a product."""
    scale, rest = _split_scale(term)
    return rest if scale is None else terms.mul(scale, rest)


def _split_scale(term: Term) -> tuple[Term | None, Term]:
    """A scalar factor of ``term`` and the rest, drawn out through every operation that is linear."""
    if term.op == "mul":
        a, b = term.args
        if a.rank == 0 and b.rank > 0:
            inner, rest = _split_scale(b)
            return (a if inner is None else terms.mul(a, inner)), rest
    if term.op in SCALE_FREE:
        scales, parts = zip(*(_split_scale(a) for a in term.args), strict=True)
        found = [s for s in scales if s is not None]
        if not found:
            return None, Term(term.op, parts, term.shape, term.attrs)
        total = found[0]
        for s in found[1:]:
            total = terms.mul(total, s)
        return total, Term(term.op, parts, term.shape, term.attrs)
    if term.op in CARRIES_SCALE or term.op in ("sum", "mean"):
        scale, inner = _split_scale(term.args[0])
        return scale, Term(term.op, (inner,), term.shape, term.attrs)
    args = tuple(draw_out_scale(a) for a in term.args)
    return None, Term(term.op, args, term.shape, term.attrs)
