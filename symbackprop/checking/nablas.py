r"""Gradients under a nabla: ``\nabla_b a``, of the loss its true gradient, whatever the layout, of
any other quantity the true Jacobian, output axes first.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.derivatives import jacobians, spread, turns
from symbackprop.checking.layers import last_layer
from symbackprop.checking.operations import transpose
from symbackprop.checking.phrases import phrase
from symbackprop.checking.read import read
from symbackprop.checking.readings import (
    Reading,
    Readings,
    Unreadable,
    array,
    cheapest,
    combined,
)
from symbackprop.checking.scope import Scope
from symbackprop.checking.special_names import gradient_of
from symbackprop.checking.spellings import scripts_of
from symbackprop.checking.stacked_columns import inside_vec, stacked
from symbackprop.ir.expressions import Entry
from symbackprop.notation.written import Nabla, Node, Script


@read.register
def _nabla(node: Nabla, scope: Scope) -> Readings:
    told = phrase(node, scope)
    if told is not None:
        return told
    if node.of is None and (scope.shape(scope.loss) or scope.any_scalar):
        raise Unreadable("notation", "a gradient of nothing: the model's output is no scalar", node)
    if node.by is None:
        raise Unreadable("notation", "a gradient that does not say by what", node)
    operand, turned = _unturned(node.of)
    out = []
    tops = read(operand, scope) if operand is not None else (Reading(Entry(scope.loss)),)
    for of in tops:
        inner = inside_vec(node.by)
        for by in last_layer(node.by, scope) or read(inner or node.by, scope):
            if isinstance(by.expr, Entry):
                found = _nabla_of(of, by, node, scope)
                if inner is not None:
                    found = [stacked(r, node, scope) for r in found if r.rank == by.rank]
                out.extend(found)
    if not out:
        raise Unreadable("notation", "this gradient is not read", node)
    return cheapest(transpose(r, node) if turned else r for r in out)


def _nabla_of(of: Reading, by: Reading, node: Node, scope: Scope) -> list[Reading]:
    rest = combined(of, by)
    if of.rank == 0 and (
        of.expr == Entry(scope.loss)
        or (not isinstance(of.expr, Entry) and scope.same_value(of.expr, Entry(scope.loss)))
    ):
        return [replace(gradient_of(by, node, scope), **rest)]
    if not isinstance(of.expr, Entry):
        return []
    if of.rank == 0:
        expr, _, inner = spread(of, by, scope)
        return [array(expr, inner, **rest)]
    return jacobians(of, by, scope)


def _unturned(of: Node | None) -> tuple[Node | None, bool]:
    r"""In ``\nabla_Z L^\top`` the transpose belongs to the gradient."""
    if isinstance(of, Script):
        scripts = scripts_of(of)
        if scripts.turned != (scripts.primes % 2 == 1) and not scripts.powers:
            sups = tuple(s for s in of.sups if not turns(s))
            return (replace(of, sups=sups) if sups or of.subs else of.base), True
    return of, False
