"""Products of a Jacobian or a Hessian with a direction as a list of small equations.

A Jacobian–vector product is the tangents of the forward equations, a Hessian–vector product those
of the forward equations and of the adjoints, a vector–Jacobian product the adjoints that start from
the direction. Each equation names others, as in the gradient of a network, so that their number and
their sizes are linear in the model; closed forms of deep nets would double with every layer. This
is the form that kernels compute by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Integer

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import inline, working_context
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.directional import movable
from symbackprop.calculus.reverse import PREFIX, reverse
from symbackprop.calculus.tangents import PREFIX as TANGENT
from symbackprop.calculus.tangents import tangent_entry
from symbackprop.ir.derivation import DerivationRecord, Derivative, Step
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.renaming import rename, rename_term
from symbackprop.ir.terms import Term
from symbackprop.pipeline.presentation import FormMaker, cheapest, present
from symbackprop.pipeline.unnamed import BEFORE, fresh_names, unnamed_products, with_deltas


def equations_record(
    program: Program,
    of: str,
    names: Sequence[str],
    kind: str,
    directions: Mapping[str, str],
    layout: str = "notes",
) -> tuple[DerivationRecord, Context]:
    """The record of a directional kind, equation by equation, and the context it was made in.

    ``program`` declares the directions, ``directions`` tells which one a name goes along (for
    ``vjp`` the output alone). Adjoints on the way have kind ``gradient``, tangents ``jvp``.
    """
    context = working_context(program)
    if kind == "vjp":
        derivatives = _from_direction(program, of, names, directions[of], context)
    else:
        adjoints: tuple[Derivative, ...] = ()
        if kind == "hvp":
            apart = unnamed_products(program)
            free = movable(program, names)
            known = context if free is program else working_context(free)
            adjoints = _adjoints(free, of, names, known, apart)
            adjoints = with_deltas(adjoints, program, _taken(program, directions))
        derivatives = _forward_pass(program, of, directions, adjoints, context)
    record = DerivationRecord(program, of, kind, layout, derivatives, directions, tuple(names))
    return replace(record, derivatives=_needed(record)), context


def _needed(record: DerivationRecord) -> tuple[Derivative, ...]:
    """The derivatives asked for, and those on which they rest."""
    out: list[Derivative] = []
    used: set[str] = set()
    for d in reversed(record.derivatives):
        if record.is_asked_for(d) or d.equation.name in used:
            out.append(d)
            used |= entry_names(d.equation.rhs)
    return tuple(reversed(out))


def _adjoints(
    program: Program,
    of: str,
    names: Sequence[str],
    context: Context,
    apart: Collection[str] = (),
) -> tuple[Derivative, ...]:
    derived = present(reverse(program, of, names, context), of, program, context, apart)
    return tuple(d for d in derived if d.wrt[0] != of)


def _from_direction(
    program: Program, of: str, names: Sequence[str], direction: str, context: Context
) -> tuple[Derivative, ...]:
    """The adjoints of ``names`` that start from ``direction`` in the place of ``grad_<of>``."""
    seed = {PREFIX + of: direction}
    out = []
    for d in _adjoints(program, of, names, context):
        equation = replace(
            d.equation,
            rhs=rename(d.equation.rhs, seed),
            term=rename_term(d.equation.term, seed),
        )
        steps = tuple(
            Step(
                rename_term(s.form, seed) if isinstance(s.form, Term) else rename(s.form, seed),
                s.because,
            )
            for s in d.steps
        )
        out.append(replace(d, kind="vjp", equation=equation, steps=steps))
    return tuple(out)


def _forward_pass(
    program: Program,
    of: str,
    directions: Mapping[str, str],
    adjoints: Sequence[Derivative],
    context: Context,
) -> tuple[Derivative, ...]:
    """The tangents of all that moves on the way to what is asked for, and the adjoints among them.

    What is asked for is there in any case, as zeros if it does not move.
    """
    wanted = {d.equation.name for d in adjoints if d.wrt[0] in directions} or {of}
    forward = [e for e in program.equations if e.name not in directions]
    equations = [*forward, *(d.equation for d in adjoints)]
    again = _met_again(program, equations) if adjoints else ()
    named = _tangent_names(equations, directions, program, again)
    maker = FormMaker(_opened(program, equations, named), symmetric=context.symmetric)
    moving = dict(directions)
    hidden: dict[str, Equation] = {}
    by_name = {d.equation.name: d for d in adjoints}
    out: list[Derivative] = list(adjoints)
    for equation in equations:
        context.used.clear()
        entry = tangent_entry(equation, moving, program.rules, context)
        if entry is None and equation.name not in wanted:
            continue
        name = named[equation.name]
        moving[equation.name] = name
        written = _written_out(entry or Integer(0), hidden, context)
        steps = [Step(written, "chain rule along the direction")]
        best = cheapest(written, equation.indices, maker, context)
        moved = Equation(name, equation.indices, best.entry, best.term)
        if equation.hidden and equation.name not in again:
            hidden[name] = moved
            continue
        steps.append(Step(best.term, "read as a matrix formula"))
        adjoint = by_name.get(equation.name)
        what, wrt, how = (
            (equation.name, tuple(directions), "jvp")
            if adjoint is None
            else (of, adjoint.wrt, "hvp")
        )
        facts = tuple(context.used)
        out.append(Derivative(what, wrt, how, moved.shape, moved, tuple(steps), facts))
    return tuple(out)


def _written_out(entry: Expr, hidden: Mapping[str, Equation], context: Context) -> Expr:
    """``entry`` with the tangents of hidden quantities written out."""
    used = tuple(hidden[n] for n in sorted(entry_names(entry)) if n in hidden)
    return normalise(inline(entry, used), context) if used else entry


def _tangent_names(
    equations: Sequence[Equation],
    directions: Mapping[str, str],
    program: Program,
    again: Sequence[str],
) -> dict[str, str]:
    """What the tangent of each equation is called: ``v_Z``, with underscores until it is free;
    ``v_pre_H`` for the hidden ones of ``again``.
    """
    taken = _taken(program, directions) | {e.name for e in equations}
    out = fresh_names(program, again, TANGENT + BEFORE, taken)
    for equation in equations:
        if equation.name not in out:
            name = TANGENT + equation.name
            while name in taken:
                name += "_"
            taken.add(name)
            out[equation.name] = name
    return out


def _taken(program: Program, directions: Mapping[str, str]) -> set[str]:
    """The names that nothing new may have."""
    taken = {q.name for q in program.inputs} | {e.name for e in program.equations}
    return taken | {*program.functions, *(d.name for d in program.dims), *directions.values()}


def _met_again(program: Program, equations: Sequence[Equation]) -> tuple[str, ...]:
    """The hidden products that more than one of ``equations`` uses."""
    unnamed = unnamed_products(program)
    used = [name for e in equations for name in entry_names(e.rhs) & unnamed]
    return tuple(e.name for e in program.equations if used.count(e.name) > 1)


def _opened(program: Program, equations: Sequence[Equation], named: Mapping[str, str]) -> Program:
    """The program with every tangent as an input, so that it has a shape and values, and with the
    adjoints that are not called after what they are of.
    """
    of = [*(q.name for q in program.inputs), *(e.name for e in program.equations)]
    known = {*of, *(PREFIX + name for name in of)}
    other = tuple(Quantity(e.name, e.shape, "data") for e in equations if e.name not in known)
    tangents = tuple(Quantity(named[e.name], e.shape, "data") for e in equations)
    return replace(program, inputs=program.inputs + tangents + other)
