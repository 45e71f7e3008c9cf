"""Forward mode by entries: tangents through a program, for Hessians.

There is no second-order calculus here. A Hessian is one forward pass over the gradient's entry with
the tangent δδ. Its product with a vector is the same pass with a vector as tangent, which is done
equation by equation, in ``tangents``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sympy import Expr, Integer, Mul

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import working_context
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.differential import differential
from symbackprop.calculus.reverse import Names, reverse
from symbackprop.errors import Malformed
from symbackprop.ir.derivation import Step
from symbackprop.ir.expressions import Delta, Entry, Index, entry_names, substitute
from symbackprop.ir.letters import letters, places
from symbackprop.ir.program import Program, Quantity

Seeds = Mapping[str, Callable[[Entry], Expr]]
# What is left of a fact about an array when its entries may move one by one.
LASTING = {
    "positive": "positive", "nonnegative": "nonnegative", "unit": "unit", "simplex": "nonnegative",
    "invertible": "invertible", "spd": "invertible", "orthogonal": "invertible",
}  # fmt: skip


class Tangents:
    """The derivative of any entry of a program along seeds given for some of its names; each
    equation is done once.
    """

    def __init__(self, program: Program, seeds: Seeds, context: Context) -> None:
        self.program, self.seeds, self.context = program, seeds, context
        self.moving = frozenset(seeds)
        for equation in program.equations:
            if entry_names(equation.rhs) & self.moving:
                self.moving |= {equation.name}
        self._equations = {e.name: e for e in program.equations if e.name not in seeds}
        self._done: dict[str, Expr] = {}

    def of(self, e: Expr) -> Expr:
        """The normalised derivative of ``e``."""
        return normalise(
            differential(e, self._tangent, self.moving, self.program.rules), self.context
        )

    def _tangent(self, entry: Entry) -> Expr:
        if entry.name in self.seeds:
            return self.seeds[entry.name](entry)
        equation = self._equations.get(entry.name)
        if equation is None:
            return Integer(0)
        if entry.name not in self._done:
            self._done[entry.name] = self.of(equation.rhs)
        return substitute(
            self._done[entry.name], dict(zip(equation.indices, entry.indices, strict=True))
        )


def along(vector: str) -> Callable[[Entry], Expr]:
    """The seed of a direction: ``X[i,j] ↦ vector[i,j]``."""
    return lambda entry: Entry(vector, *entry.indices)


def movable(program: Program, names: Iterable[str]) -> Program:
    """The program in which nothing is known of ``names`` that a small change of one entry breaks:
    what is simplified in it may be differentiated by them once more.

    ``inv(X).T`` is ``inv(X)`` at a symmetric ``X``, yet the two have different derivatives. A name
    that an equation defines is an input here, of which nothing is derived.
    """
    names = frozenset(names)
    facts = []
    for f in program.facts:
        if f.name not in names:
            facts.append(f)
        elif f.kind in LASTING:
            facts.append(replace(f, kind=LASTING[f.kind]))
    defined = tuple(e for e in program.equations if e.name in names)
    if tuple(facts) == program.facts and not defined:
        return program
    given = tuple(Quantity(e.name, e.shape, "data") for e in defined)
    others = tuple(e for e in program.equations if e.name not in names)
    return replace(program, facts=tuple(facts), inputs=program.inputs + given, equations=others)


def gradient_entry(
    program: Program, of: str, wrt: str, context: Context
) -> tuple[Expr, tuple[Index, ...]]:
    """The generic entry of the gradient of a scalar, in forward quantities alone, and its
    indices.
    """
    if program.shape_of(of):
        raise Malformed("a scalar to differentiate twice", f"{of}, which is an array")
    for adjoint in reverse(program, of, [wrt], context, seed=((), Integer(1))):
        if adjoint.of == wrt:
            return adjoint.entry, adjoint.indices
    raise Malformed(f"a quantity on which {of} depends", f"{wrt}, on which it does not")


def hessian_entry(
    program: Program,
    of: str,
    first: str,
    second: str,
    context: Context,
    gradient: tuple[Expr, tuple[Index, ...]] | None = None,
) -> tuple[Expr, tuple[Index, ...], tuple[Step, ...]]:
    """The generic entry of ``∂²of/∂first∂second``, its indices (those of ``first``, then those of
    ``second``) and steps.

    ``gradient`` is that of ``first`` in forward quantities with its indices, where a simpler form
    than that of reverse mode is known.
    """
    if gradient is None:
        free = movable(program, (first, second))
        known = context if free is program else working_context(free)
        gradient = gradient_entry(free, of, first, known)
    start, rows = gradient
    names = Names(program)
    taken = names.taken | {i.name for i in rows}
    own = names.indices(second)
    spare = letters([i.extent for i in own], taken | {i.name for i in own})
    columns = tuple(
        fresh if i.name in {r.name for r in rows} else i
        for i, fresh in zip(own, spare, strict=True)
    )
    # While tangents are formed the columns bear names that no equation uses: they stay free through
    # every sum.
    marked = tuple(Index(f"_column{k}", i.extent) for k, i in enumerate(columns))

    def seed(entry: Entry) -> Expr:
        return Mul(*(Delta(i, c) for i, c in zip(entry.indices, places(marked), strict=True)))

    entry = Tangents(program, {second: seed}, context).of(start)
    entry = normalise(substitute(entry, dict(zip(marked, columns, strict=True))), context)
    steps = (Step(start, "the gradient"), Step(entry, f"differentiate by {second} again"))
    return entry, rows + columns, steps
