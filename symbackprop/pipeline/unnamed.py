"""Products inside a formula that the model gives no name, such as ``X W^T`` in ``tanh(X W^T + b)``.

A reader sees the formula whole. Products of second order need the adjoint of the product by itself:
multiplied out, the tangent of each matrix product that uses it would fall into as many products as
the adjoint has terms. It is called ``delta_H`` after the quantity ``H`` whose formula it stands in,
and where the product is met again outside of that formula its tangent is ``v_pre_H``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sympy import Add, Expr, Mul

from symbackprop.calculus.reverse import PREFIX
from symbackprop.ir.derivation import Derivative, Step
from symbackprop.ir.expressions import IndexSum, entry_names
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.renaming import rename, rename_term
from symbackprop.ir.terms import Term

DELTA = "delta_"
BEFORE = "pre_"


def unnamed_products(program: Program) -> frozenset[str]:
    """The hidden arrays that are matrix products, or have one as a summand."""
    return frozenset(
        e.name
        for e in program.equations
        if e.hidden and e.indices and any(map(_is_product, Add.make_args(e.rhs)))
    )


def _is_product(e: Expr) -> bool:
    sums = [f for f in Mul.make_args(e) if isinstance(f, IndexSum)]
    return any(is_composed(s.body) for s in sums)


def is_composed(e: Expr) -> bool:
    """Whether ``e`` is more than one entry times numbers."""
    return sum(1 for f in Mul.make_args(e) if entry_names(f)) > 1 or len(entry_names(e)) > 1


def readers(program: Program, names: Collection[str]) -> dict[str, str]:
    """For each of the hidden ``names`` the quantity in whose formula it stands."""
    found: dict[str, str] = {}
    for equation in reversed(program.equations):
        owner = found.get(equation.name, "") if equation.hidden else equation.name
        for name in entry_names(equation.rhs):
            found[name] = owner
    return {name: found[name] for name in names if name in found}


def fresh_names(
    program: Program, hidden: Sequence[str], prefix: str, taken: set[str]
) -> dict[str, str]:
    """``delta_H`` for each of ``hidden``, numbered where a formula has several; ``taken`` grows."""
    owners = readers(program, hidden)
    out = {}
    for name in hidden:
        wish = prefix + owners[name]
        word, count = wish, 1
        while word in taken:
            count += 1
            word = f"{wish}_{count}"
        taken.add(word)
        out[name] = word
    return out


def with_deltas(
    derived: Sequence[Derivative], program: Program, taken: set[str]
) -> tuple[Derivative, ...]:
    """The derivatives with the adjoints of hidden products under names that can be read."""
    hidden = {e.name for e in program.equations if e.hidden}
    kept = [d.wrt[0] for d in derived if d.wrt[0] in hidden]
    fresh = fresh_names(program, kept[::-1], DELTA, taken)
    names = {PREFIX + name: word for name, word in fresh.items()}
    return tuple(_renamed(d, names) for d in derived) if names else tuple(derived)


def _renamed(d: Derivative, names: Mapping[str, str]) -> Derivative:
    equation = d.equation
    new = Equation(
        names.get(equation.name, equation.name),
        equation.indices,
        rename(equation.rhs, names),
        rename_term(equation.term, names),
    )
    return replace(d, equation=new, steps=tuple(_renamed_step(s, names) for s in d.steps))


def _renamed_step(step: Step, names: Mapping[str, str]) -> Step:
    form = step.form
    new = rename_term(form, names) if isinstance(form, Term) else rename(form, names)
    return Step(new, step.because)
