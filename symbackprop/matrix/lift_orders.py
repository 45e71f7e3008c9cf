"""The order in which the forward equations write their sums and products.

SymPy sorts the operands of a sum; people write ``yhat - y`` because the forward equation does. Each
sum and product in the forward terms is recorded under the sets of names that its operands contain,
and looked up when an equal one is lifted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sympy import Expr

from symbackprop.ir.expressions import entry_names
from symbackprop.ir.terms import Term, names_in

Key = frozenset[frozenset[str]]
_SUMS = {"add": 1, "sub": -1}


@dataclass(frozen=True, slots=True)
class Orders:
    """For each written sum the place and sign of its operands; for each product the place of its
    factors.
    """

    sums: dict[Key, dict[frozenset[str], tuple[int, int]]] = field(default_factory=dict)
    products: dict[Key, dict[frozenset[str], int]] = field(default_factory=dict)

    def of_sum(self, operands: Sequence[Expr]) -> list[tuple[int, int]] | None:
        """Place and sign of each operand in the forward sum with the same names, or None."""
        if not self.sums:
            return None
        names = [entry_names(a) for a in operands]
        known = self.sums.get(frozenset(names))
        return [known[n] for n in names] if known and len(known) == len(names) else None

    def of_product(self, factors: Sequence[Expr]) -> list[int] | None:
        """Place of each factor in the forward product with the same names, or None."""
        if not self.products:
            return None
        names = [entry_names(a) for a in factors]
        known = self.products.get(frozenset(names))
        return [known[n] for n in names] if known and len(known) == len(names) else None


def learn(forward: Iterable[Term]) -> Orders:
    """The written orders of all sums and products in ``forward``; the first written wins."""
    orders = Orders()
    for term in forward:
        _visit(term, orders)
    return orders


def _visit(term: Term, orders: Orders) -> None:
    if term.op in _SUMS:
        operands = [(names_in(t), sign) for t, sign in _summands(term, 1)]
        places = {names: (k, sign) for k, (names, sign) in enumerate(operands)}
        if len(places) == len(operands):
            orders.sums.setdefault(frozenset(places), places)
    elif term.op == "mul":
        factors = [names_in(t) for t in _factors(term)]
        if len(set(factors)) == len(factors):
            orders.products.setdefault(
                frozenset(factors), {names: k for k, names in enumerate(factors)}
            )
    for a in term.args:
        _visit(a, orders)


def _summands(term: Term, sign: int) -> list[tuple[Term, int]]:
    if term.op in _SUMS:
        a, b = term.args
        return _summands(a, sign) + _summands(b, sign * _SUMS[term.op])
    if term.op == "neg":
        return _summands(term.args[0], -sign)
    return [(term, sign)]


def _factors(term: Term) -> list[Term]:
    return [f for a in term.args for f in _factors(a)] if term.op == "mul" else [term]
