"""Closed forms: a derivative with every adjoint written out, in forward quantities alone.

Two ways lead there and the cheaper result is taken. Lifted terms are substituted into each other,
which is linear and keeps the association that reverse mode chose. Where the whole entry is small it
is also flattened in index notation and lifted anew, which lets terms cancel across equations; whole
networks flattened in this way would blow up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Add, Expr, Mul, preorder_traversal

from symbackprop.algebra.candidates import candidates
from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import inline, inline_in_turn
from symbackprop.algebra.normalise import normalise
from symbackprop.ir.derivation import Derivative
from symbackprop.ir.expressions import Entry, IndexSum, entry_names
from symbackprop.ir.program import Equation
from symbackprop.ir.terms import Term, broadcast, names_in, size
from symbackprop.matrix.cost import Cost, cost
from symbackprop.matrix.substitution import draw_out_scale, replace_names, scale_in_front
from symbackprop.pipeline.presentation import FormMaker

SIZE_LIMIT = 5000
SHORTER = (
    0.8  # a flattened form must be this much shorter to be worth leaving the order of derivation
)
FLAT_WORK = 300  # the search for an association is exponential in the factors of a product
FLAT_NODES = 160


class Closing:
    """Closed forms of one derivation, each worked out once and only when asked for."""

    def __init__(
        self,
        derivatives: tuple[Derivative, ...],
        maker: FormMaker,
        context: Context,
        hidden: Sequence[Equation] = (),
    ) -> None:
        self._hidden = tuple(e for e in reversed(hidden) if _is_linear(e.rhs))
        self._written: dict[str, Term] = {}
        for equation in hidden:
            self._written[equation.name] = replace_names(equation.term, self._written)
        self._by_name = {d.equation.name: d for d in derivatives}
        self._maker, self._context = maker, context
        self._terms: dict[str, Term | None] = {}
        self._entries: dict[str, Expr | None] = {}

    def term(self, name: str) -> Term | None:
        """The closed term of the adjoint ``name``; None if it has more than ``SIZE_LIMIT``
        nodes.
        """
        if name not in self._terms:
            self._terms[name] = self._close(name)
        return self._terms[name]

    def _close(self, name: str) -> Term | None:
        derivative = self._by_name[name]
        local = derivative.equation.term
        values: dict[str, Term] = {}
        for used in sorted(names_in(local)):
            if used in self._by_name:
                inner = self.term(used)
                if inner is None:
                    return None
                values[used] = inner
        written = broadcast(draw_out_scale(replace_names(local, values)), derivative.shape)
        # An adjoint inside a formula by entries cannot be written out as a term.
        plain = self._priced(written)
        best = None if names_in(written) & self._by_name.keys() else plain
        for form in self._flattened(name):
            price = self._priced(form)
            if best is None or (price[0] < best[0] and price[0][1] <= SHORTER * plain[0][1]):
                best = price
        if best is None:
            return None
        written = scale_in_front(best[1])
        return written if size(written) <= SIZE_LIMIT else None

    def _priced(self, term: Term) -> tuple[tuple[int, int, Cost], Term]:
        """A closed term as people read it, and its price: association first, then size, then
        style.
        """
        shown = replace_names(term, self._written)
        price = cost(shown)
        return (price[0], size(shown), price), shown

    def _flattened(self, name: str) -> Iterator[Term]:
        """Lifts of the whole entry, if it is small; hidden products as names and multiplied into
        their surroundings.
        """
        flat = self.entry(name)
        if flat is None:
            return
        entries = {flat: None}
        inlined = inline_in_turn(flat, self._hidden)
        if inlined != flat:
            entries[normalise(inlined, self._context.unfolded())] = None
        indices = self._by_name[name].equation.indices
        for entry in entries:
            if is_small(entry):
                for e in candidates(entry, self._context):
                    form = self._maker.form(e, indices)
                    if self._maker.says_the_same(form, indices):
                        yield form.term

    def entry(self, name: str) -> Expr | None:
        """The whole entry in forward quantities, or None where it is not small."""
        if name not in self._entries:
            entry: Expr | None = self._by_name[name].equation.rhs
            upper = tuple(
                self._by_name[n].equation
                for n in sorted(entry_names(entry))
                if n in self._by_name and n != name
            )
            for equation in upper:
                inner = self.entry(equation.name)
                if inner is None:
                    entry = None
                    break
                entry = inline(
                    entry, (type(equation)(equation.name, equation.indices, inner, equation.term),)
                )
            if entry is not None:
                entry = normalise(entry, self._context)
                entry = entry if is_small(entry) else None
            self._entries[name] = entry
        return self._entries[name]


def _is_linear(rhs: Expr) -> bool:
    """Whether an equation is a product of arrays, that multiplies into its surroundings."""
    return isinstance(rhs, IndexSum) and all(isinstance(f, Entry) for f in Mul.make_args(rhs.body))


def is_small(e: Expr) -> bool:
    """Whether lifting ``e`` as one network is cheap: few factors in every product, few nodes in
    all.
    """
    if sum(1 for _ in preorder_traversal(e)) > FLAT_NODES:
        return False
    return sum(2 ** _factor_count(t) for t in Add.make_args(e)) <= FLAT_WORK


def _factor_count(e: Expr) -> int:
    return sum(_factor_count(f.body) if isinstance(f, IndexSum) else 1 for f in Mul.make_args(e))
