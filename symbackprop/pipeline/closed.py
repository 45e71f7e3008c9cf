"""Closed forms: a derivative with every adjoint written out, in forward quantities alone.

Two ways lead there and the cheaper result is taken. Lifted terms are substituted into each other, which is linear and keeps
the association that reverse mode chose. Where the whole entry is small it is also flattened in index notation and lifted
anew, which lets terms cancel across equations; whole networks flattened in this way would blow up.
"""

from __future__ import annotations

from sympy import Add, Expr, Mul, preorder_traversal

from symbackprop.algebra.candidates import candidates
from symbackprop.algebra.context import Context
from symbackprop.algebra.normalise import normalise
from symbackprop.algebra.knowledge import inline
from symbackprop.calculus.reverse import PREFIX
from symbackprop.ir.derivation import Derivative
from symbackprop.ir.expressions import IndexSum, entry_names
from symbackprop.ir.terms import Term, broadcast, names_in, size
from symbackprop.matrix.substitution import draw_out_scale, replace_names
from symbackprop.pipeline.presentation import FormMaker

SIZE_LIMIT = 5000
FLAT_FACTORS = 9
FLAT_NODES = 160


class Closing:
    """Closed forms of one derivation, each worked out once and only when asked for."""

    def __init__(self, derivatives: tuple[Derivative, ...], maker: FormMaker, context: Context) -> None:
        self._by_name = {d.equation.name: d for d in derivatives}
        self._maker, self._context = maker, context
        self._terms: dict[str, Term | None] = {}
        self._entries: dict[str, Expr | None] = {}

    def term(self, name: str) -> Term | None:
        """The closed term of the adjoint ``name``; None if it has more than ``SIZE_LIMIT`` nodes."""
        if name not in self._terms:
            self._terms[name] = self._close(name)
        return self._terms[name]

    def _close(self, name: str) -> Term | None:
        derivative = self._by_name[name]
        local = derivative.equation.term
        values: dict[str, Term] = {}
        for used in sorted(names_in(local)):
            if used.startswith(PREFIX) and used in self._by_name:
                inner = self.term(used)
                if inner is None:
                    return None
                values[used] = inner
        written = broadcast(draw_out_scale(replace_names(local, values)), derivative.shape)
        flat = self._flat(name)
        if flat is not None:
            forms = [self._maker.form(e, derivative.equation.indices) for e in candidates(flat, self._context)]
            best = min(forms, key=lambda form: form.price)
            if size(best.term) < size(written) and best.price[0] <= self._maker.price(written)[0]:
                written = best.term
        return written if size(written) <= SIZE_LIMIT else None

    def _flat(self, name: str) -> Expr | None:
        """The whole entry in forward quantities, or None where it is not small."""
        if name not in self._entries:
            entry: Expr | None = self._by_name[name].equation.rhs
            upper = tuple(
                self._by_name[n].equation for n in sorted(entry_names(entry)) if n in self._by_name and n != name
            )
            for equation in upper:
                inner = self._flat(equation.name)
                if inner is None:
                    entry = None
                    break
                entry = inline(entry, (type(equation)(equation.name, equation.indices, inner, equation.term),))
            if entry is not None:
                entry = normalise(entry, self._context)
                entry = entry if is_small(entry) else None
            self._entries[name] = entry
        return self._entries[name]


def is_small(e: Expr) -> bool:
    """Whether lifting ``e`` as one network is cheap: few factors in every product, few nodes in all."""
    if sum(1 for _ in preorder_traversal(e)) > FLAT_NODES:
        return False
    return all(_factor_count(t) <= FLAT_FACTORS for t in Add.make_args(e))


def _factor_count(e: Expr) -> int:
    return sum(_factor_count(f.body) if isinstance(f, IndexSum) else 1 for f in Mul.make_args(e))
