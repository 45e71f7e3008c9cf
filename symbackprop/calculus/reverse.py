"""Reverse mode, equation by equation: an adjoint is an equation too.

For every quantity on the way from ``wrt`` to ``of`` the adjoint ``grad_A[t] = Σ_q Σ_i grad_q[i] ·
∂q[i]/∂A[t]`` is formed from the equations that use it, differentiated, and collapsed. The cost is
linear in the number of equations. The three lines that this gives (chain rule, differentiated,
collapsed) are the lines that a person writes, and are kept as steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Add, Expr, Integer, Mul

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import working_context
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.differential import Tangent, differential
from symbackprop.calculus.recurrences import conditional, splits
from symbackprop.errors import NotSupported
from symbackprop.ir.derivation import Step
from symbackprop.ir.expressions import (
    Delta,
    Entry,
    Index,
    IndexSum,
    Partial,
    entries,
    entry_names,
    substitute,
)
from symbackprop.ir.letters import letters, places
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.renaming import anonymous, rename
from symbackprop.ir.replacement import rename_apart

PREFIX = "grad_"
Seed = tuple[tuple[Index, ...], Expr]


@dataclass(frozen=True, slots=True)
class Block:
    """What an adjoint looks like up to names: equal keys mean that one is the other with ``names``
    exchanged in order.

    ``names`` holds the arrays in the order in which they are met; adjoints are named after them.
    """

    key: tuple[object, ...]
    names: tuple[str, ...]

    def renaming(self, other: Block) -> dict[str, str]:
        """How to carry over to ``other`` what holds of this block."""
        pairs = dict(zip(self.names, other.names, strict=True))
        return pairs | {PREFIX + a: PREFIX + b for a, b in pairs.items()}

    def covers(self, e: Expr) -> bool:
        """Whether every array in ``e`` is one of the block's, or the adjoint of one."""
        known = set(self.names)
        return all(n in known or n.removeprefix(PREFIX) in known for n in entry_names(e))


@dataclass(frozen=True, slots=True)
class Adjoint:
    """The adjoint of one quantity before it is read as a matrix formula.

    ``entry`` is its generic entry at ``indices``, in terms of forward quantities and the adjoints
    of ``consumers``. Of a family it may be one case of several: the members from ``start`` on.
    """

    of: str
    indices: tuple[Index, ...]
    entry: Expr
    steps: tuple[Step, ...]
    consumers: tuple[str, ...]
    hidden: bool
    block: Block | None = None
    start: Expr | None = None

    @property
    def name(self) -> str:
        return PREFIX + self.of


class Names:
    """How the quantities of a program are indexed, looked up once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.hidden = frozenset(e.name for e in program.equations if e.hidden)
        self._indices = {e.name: e.indices for e in reversed(program.equations)}
        for name, family in program.families.items():
            if name in self._indices:
                stack = Index(family.index, family.count)
                self._indices[name] = (stack, *self._indices[name][1:])
        self.taken = frozenset(
            [q.name for q in program.inputs]
            + [e.name for e in program.equations]
            + [d.name for d in program.dims]
        )
        wanted = {q.name: q for q in program.inputs}
        for equation in program.equations:
            if not wanted:
                break
            for name in sorted(entry_names(equation.rhs) & wanted.keys()):
                self._indices[name] = self._as_written(wanted.pop(name), equation.rhs)
        for name, q in wanted.items():
            self._indices[name] = letters(q.shape, self.taken)

    def _as_written(self, q: Quantity, rhs: Expr) -> tuple[Index, ...]:
        """The indices that an input bears where it is first used (``W[j,i]``), if these are
        distinct letters.
        """
        for entry in entries(rhs):
            own = entry.indices
            if (
                entry.name == q.name
                and all(isinstance(i, Index) for i in own)
                and tuple(i.extent for i in own) == q.shape
                and len({i.name for i in own}) == len(own)
            ):
                return own
        return letters(q.shape, self.taken)

    def indices(self, name: str) -> tuple[Index, ...]:
        """The indices at which ``name`` is written."""
        return self._indices[name]


def reverse(
    program: Program,
    of: str,
    wrt: Sequence[str],
    context: Context | None = None,
    seed: Seed | None = None,
) -> tuple[Adjoint, ...]:
    """Adjoints of every quantity between ``wrt`` and ``of``, in order of derivation (last equation
    first).

    Parameters
    ----------
    program : Program
        Forward equations, in order.
    of : str
        The quantity that is differentiated. If it is not a scalar, ``grad_<of>`` is a free input:
        the result is the vector–Jacobian product.
    wrt : sequence of str
        Inputs or intermediates by which to differentiate.
    context : Context, optional
        Facts and fold patterns; made from the program if not given.
    seed : pair of indices and Expr, optional
        For Jacobians: the adjoint of ``of``, at these indices; all adjoints are then in closed
        form.
    """
    context = context or working_context(program)
    live = _between(program, of, wrt)
    consumers: dict[str, list[Equation]] = {}
    for equation in program.equations:
        if equation.name in live:
            for name in entry_names(equation.rhs) & live:
                consumers.setdefault(name, []).append(equation)
    names = Names(program)
    values: dict[str, tuple[tuple[Index, ...], Expr]] = {}
    out: list[Adjoint] = []
    met: dict[tuple[object, ...], Adjoint] = {}
    for name in _order(program, live, consumers):
        if name == of:
            adjoint = _start(names.indices(of), of, seed)
        elif name in program.families:
            out.extend(_cases(names, name, consumers.get(name, []), values, context))
            if len(out[-1].indices) and out[-1].start is None and not entry_names(out[-1].entry):
                values[name] = out[-1].indices, out[-1].entry
            continue
        else:
            adjoint = _like_one_before(names, name, consumers.get(name, []), values, context, met)
        if adjoint is not None:
            if seed or not entry_names(adjoint.entry):
                values[name] = adjoint.indices, adjoint.entry
            out.append(adjoint)
    return tuple(out)


def _order(
    program: Program, live: set[str], consumers: Mapping[str, Sequence[Equation]]
) -> list[str]:
    """Last equation first; an input follows as soon as all that use it are done, parameters before
    data.
    """
    inputs = sorted((q for q in program.inputs if q.name in live), key=lambda q: q.role != "param")
    first_use = {q.name: consumers[q.name][0].name for q in inputs}
    out: list[str] = []
    for equation in reversed(program.equations):
        if equation.name in live and not (equation.start is not None and equation.name in out):
            out.append(equation.name)
            out.extend(q.name for q in inputs if first_use[q.name] == equation.name)
    return out


def _between(program: Program, of: str, wrt: Sequence[str]) -> set[str]:
    """Names that depend on something in ``wrt`` and on which ``of`` depends."""
    reached, before = set(wrt), -1
    while before < len(reached):  # once, unless equations recur
        before = len(reached) if program.families else len(program.equations) + len(wrt)
        for equation in program.equations:
            if entry_names(equation.rhs) & reached:
                reached.add(equation.name)
    needed, stack = set(), [of]
    defined: dict[str, list[Equation]] = {}
    for equation in program.equations:
        defined.setdefault(equation.name, []).append(equation)
    while stack:
        name = stack.pop()
        if name in needed:
            continue
        needed.add(name)
        for equation in defined.get(name, ()):
            stack.extend(entry_names(equation.rhs))
    return reached & needed | ({of} if of in reached else set())


def _start(indices: tuple[Index, ...], of: str, seed: Seed | None) -> Adjoint | None:
    if seed is not None:
        return Adjoint(of, *seed, (), (), hidden=False)
    if indices:
        return None
    return Adjoint(of, (), Integer(1), (Step(Integer(1), f"{of} by itself"),), (), hidden=False)


def _like_one_before(
    names: Names,
    name: str,
    consumers: list[Equation],
    values: Mapping[str, tuple[tuple[Index, ...], Expr]],
    context: Context,
    met: dict[tuple[object, ...], Adjoint],
) -> Adjoint:
    """The adjoint of ``name``, carried over from an equal block if there was one: layers of one
    kind are derived once.
    """
    if any(e.name in values for e in consumers):
        return _adjoint(names, name, consumers, values, context)
    block = _block(names, name, consumers, context)
    known = met.get(block.key)
    if known is not None and known.block is not None:
        renaming = known.block.renaming(block)
        forms = [rename(s.form, renaming) for s in known.steps if isinstance(s.form, Expr)]
        reasons = [_chain_rule(consumers), *(s.because for s in known.steps[1:])]
        steps = tuple(map(Step, forms, reasons))
        entry, used = rename(known.entry, renaming), tuple(e.name for e in consumers)
        return Adjoint(name, known.indices, entry, steps, used, name in names.hidden, block)
    adjoint = replace(_adjoint(names, name, consumers, values, context), block=block)
    if block.covers(adjoint.entry):
        met[block.key] = adjoint
    return adjoint


def _block(names: Names, name: str, consumers: list[Equation], context: Context) -> Block:
    """The block of an adjoint: the target, the equations that use it, and what is known of every
    name in them.
    """
    numbers = {name: 0}
    key: list[object] = [names.indices(name)]
    for equation in consumers:
        numbers.setdefault(equation.name, len(numbers))
        key.append(
            (
                numbers[equation.name],
                equation.hidden,
                equation.indices,
                anonymous(equation.rhs, numbers),
            )
        )
    listed = tuple(numbers)
    key.extend(
        (context.kinds.get(n, frozenset()), context.sums_of(n), n in names.hidden) for n in listed
    )
    return Block(tuple(key), listed)


def _cases(
    names: Names,
    name: str,
    consumers: list[Equation],
    values: Mapping[str, tuple[tuple[Index, ...], Expr]],
    context: Context,
) -> tuple[Adjoint, ...]:
    """The adjoint of a family, by as few cases as make its guards vanish."""
    stack, *rest = names.indices(name)
    for cases in splits(stack.extent):
        out = []
        for case in cases:
            index, place = case.place(stack.name)
            adjoint = _adjoint(
                names, name, consumers, values, context, ((index, *rest), (place, *places(rest)))
            )
            if conditional(adjoint.entry, index):
                break
            out.append(replace(adjoint, start=None if len(cases) == 1 else case.start))
        else:
            return tuple(out)
    raise NotSupported(
        f"{name} to be used at its first or last member, or at every step",
        "a member in the middle used by itself",
        hint="give the ranges integer ends, such as 1..3",
    )


def _adjoint(
    names: Names,
    name: str,
    consumers: list[Equation],
    values: Mapping[str, tuple[tuple[Index, ...], Expr]],
    context: Context,
    case: tuple[tuple[Index, ...], tuple[Expr, ...]] | None = None,
) -> Adjoint:
    """The adjoint of ``name``; with ``case``, at these indices, which mean these places."""
    target, at_target = case or (names.indices(name), places(names.indices(name)))
    chain, differentiated, collapsed = [], [], []
    taken = names.taken | {i.name for i in target}
    for equation in consumers:
        inner = letters(equation.shape, taken)
        at, over = places(inner), tuple(i for i in inner if i.extent != 1)
        body = rename_apart(
            substitute(equation.rhs, dict(zip(equation.indices, at, strict=True))), target
        )
        tangent = _seeded(name, at_target)
        slope = normalise(
            differential(body, tangent, frozenset((name,)), names.program.rules), context
        )
        upper = _upper(equation, at, values)
        chain.append(_summed(upper * Partial(equation.entry_at(at), Entry(name, *at_target)), over))
        if slope == 0 and case is not None:
            continue  # this member is not used there
        differentiated.append(_summed(upper * slope, over))
        collapsed.append(normalise(differentiated[-1], context))
    entry = normalise(Add(*collapsed), context)
    steps = (
        Step(Add(*chain), _chain_rule(consumers)),
        Step(Add(*differentiated), "differentiate entry by entry"),
        Step(
            entry, "δ keeps one term of each sum" if Add(*differentiated).has(Delta) else "collect"
        ),
    )
    return Adjoint(
        name, target, entry, steps, tuple(e.name for e in consumers), name in names.hidden
    )


def _chain_rule(consumers: list[Equation]) -> str:
    through = ", ".join(e.name for e in consumers if not e.hidden)
    return f"chain rule through {through}" if through else "chain rule"


def _summed(e: Expr, over: tuple[Index, ...]) -> Expr:
    return IndexSum(e, *over) if over else e


def _seeded(name: str, target: tuple[Expr, ...]) -> Tangent:
    """The tangent ``X[i,j] ↦ δ(i,k) δ(j,l)`` of one array at the entry ``target``."""

    def tangent(entry: Entry) -> Expr:
        if entry.name != name:
            return Integer(0)
        return Mul(*(Delta(i, t) for i, t in zip(entry.indices, target, strict=True)))

    return tangent


def _upper(
    equation: Equation,
    inner: tuple[Expr, ...],
    values: Mapping[str, tuple[tuple[Index, ...], Expr]],
) -> Expr:
    """The adjoint of a consumer at ``inner``: its name, or its value where that is a constant or is
    asked to be closed.
    """
    if equation.name in values:
        indices, value = values[equation.name]
        return substitute(value, dict(zip(indices, inner, strict=True)))
    return equation.entry_at(inner, PREFIX)
