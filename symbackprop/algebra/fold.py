"""Fold: the derivative in terms of the output.

Every forward equation is a pattern ``Π base^e → entry``. Where a product contains it, the product
is replaced by the name: ``tanh(Z) → H``, ``exp(Z)/S → P``, ``(var+eps)^(-3/2) → S⁻³``, ``Σ_k A_ik
X_kj → (A X)_ij``. The slope in terms of the output is this pass, not a table.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Add, Expr, Integer, Mul, Pow

from symbackprop.algebra.context import Context
from symbackprop.ir.expressions import Binder, Entry, Index, substitute
from symbackprop.ir.ordering import skeleton
from symbackprop.ir.program import Equation

Binding = dict[Index, Expr]


def fold(factors: list[Expr], context: Context) -> bool:
    """Replace, in place, one known product among ``factors`` by the entry that it defines; True if
    one was found.
    """
    if not context.patterns:
        return False
    powers = {}
    for f in factors:
        base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        if not isinstance(base, Entry) or not exponent.is_integer:
            powers[base] = exponent
    for base in list(powers):
        for pattern in context.patterns.get(skeleton(base), ()):
            for entry, instance, times in _instances(
                pattern.equation, pattern.powers, base, factors
            ):
                factors[:] = [*_remove(factors, instance, times), Pow(entry, times)]
                if pattern.coefficient != 1:
                    factors.append(Pow(pattern.coefficient, -times))
                return True
    return False


def _instances(
    equation: Equation, pattern: dict[Expr, Expr], base: Expr, factors: list[Expr]
) -> Iterator[tuple[Entry, dict[Expr, Expr], Expr]]:
    """Ways in which ``pattern`` occurs in ``factors`` with its anchor at ``base``."""
    target = {}
    for f in factors:
        b, e = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        target[b] = e
    anchors = [b for b in pattern if skeleton(b) == skeleton(base)]
    for anchor in anchors:
        for binding in match(anchor, base, frozenset(equation.indices), {}):
            at = tuple(Integer(0) if i.extent == 1 else binding.get(i) for i in equation.indices)
            if None in at:
                continue
            instance = {substitute(b, binding): e for b, e in pattern.items()}
            if any(b not in target for b in instance):
                continue
            if not all(target[b].is_Rational for b in instance):
                continue
            ratios = [target[b] / e for b, e in instance.items()]
            times = min(ratios, key=abs)
            whole = all((r > 0) == (times > 0) for r in ratios)
            if (
                whole
                and times.is_Integer
                and all((times * e).is_Rational for e in instance.values())
            ):
                yield equation.entry_at(at), instance, times


def _remove(factors: list[Expr], instance: dict[Expr, Expr], times: Expr) -> list[Expr]:
    out = []
    for f in factors:
        base, exponent = f.as_base_exp() if isinstance(f, Pow) else (f, Integer(1))
        left = exponent - times * instance[base] if base in instance else exponent
        if left != 0:
            out.append(base if left == 1 else Pow(base, left))
    return out


def match(
    pattern: Expr, target: Expr, variables: frozenset[Index], binding: Binding
) -> Iterator[Binding]:
    """Bindings of ``variables`` under which ``pattern`` is ``target``; sums and products match in
    any order.
    """
    if isinstance(pattern, Index):
        if pattern not in variables:
            if pattern == target:
                yield binding
        elif pattern in binding:
            if binding[pattern] == target:
                yield binding
        elif not isinstance(target, Index) or target.extent == pattern.extent:
            yield {**binding, pattern: target}
        return
    if pattern.func is not target.func or len(pattern.args) != len(target.args):
        return
    if not pattern.args:
        if pattern == target:
            yield binding
        return
    if isinstance(pattern, Add | Mul):
        yield from _match_any_order(list(pattern.args), list(target.args), variables, binding)
        return
    if isinstance(pattern, Binder) and pattern.bound != target.bound:
        return
    yield from _match_in_order(pattern.args, target.args, variables, binding)


def _match_in_order(
    patterns: tuple[Expr, ...],
    targets: tuple[Expr, ...],
    variables: frozenset[Index],
    binding: Binding,
) -> Iterator[Binding]:
    if not patterns:
        yield binding
        return
    for partial in match(patterns[0], targets[0], variables, binding):
        yield from _match_in_order(patterns[1:], targets[1:], variables, partial)


def _match_any_order(
    patterns: list[Expr], targets: list[Expr], variables: frozenset[Index], binding: Binding
) -> Iterator[Binding]:
    if not patterns:
        yield binding
        return
    head, rest = patterns[0], patterns[1:]
    shape = skeleton(head)
    for k, target in enumerate(targets):
        if skeleton(target) == shape:
            for partial in match(head, target, variables, binding):
                yield from _match_any_order(
                    rest, targets[:k] + targets[k + 1 :], variables, partial
                )
