"""Derivatives other than gradients: Jacobians, Hessians, and products of either with a direction.

A Jacobian and a Hessian block is one entry from ``calculus``, simplified and lifted; products with
a direction come equation by equation (``equations``). A direction is a declared array, or a fresh
input ``v_W``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import working_context
from symbackprop.calculus.directional import hessian_entry
from symbackprop.calculus.jacobian import jacobian_entry
from symbackprop.calculus.reverse import PREFIX, Names, reverse
from symbackprop.errors import Malformed
from symbackprop.ir.derivation import DerivationRecord, Derivative, Step
from symbackprop.ir.expressions import Entry, Index, substitute
from symbackprop.ir.program import Equation, Program, Quantity
from symbackprop.ir.terms import same_shape, show_shape
from symbackprop.pipeline.equations import equations_record
from symbackprop.pipeline.presentation import Form, FormMaker, cheapest
from symbackprop.pipeline.second_order import Structured, structured_entries

Entries = tuple[Expr, tuple[Index, ...], tuple[Step, ...]]


def record_of_kind(
    program: Program, of: str, names: Sequence[str], kind: str, layout: str, direction: str | None
) -> tuple[DerivationRecord, Context]:
    """The record of a derivation of a kind other than ``gradient``, and the context to simplify
    in; derivatives that are one entry each are left to :func:`filled_in`.
    """
    if kind in ("hessian", "hvp") and program.shape_of(of):
        raise Malformed("a scalar to differentiate twice", f"{of}, which is an array")
    targets = (of,) if kind == "vjp" else tuple(names)
    directions: dict[str, str] = {}
    if kind in ("hvp", "jvp", "vjp"):
        program, directions = _with_directions(program, targets, direction)
    if kind in ("hvp", "jvp") or (kind == "vjp" and program.shape_of(of)):
        return equations_record(program, of, names, kind, directions, layout)
    outline = DerivationRecord(program, of, kind, layout, (), directions, tuple(names))
    return outline, working_context(program)


def filled_in(outline: DerivationRecord, context: Context) -> DerivationRecord:
    """The record with its derivatives, where each is one entry: Jacobians, Hessians, and products
    of a direction with the Jacobian of a scalar.
    """
    program, of, kind = outline.program, outline.of, outline.kind
    maker = FormMaker(program, symmetric=context.symmetric)
    structure = structured_entries(outline) if kind == "hessian" else {}
    out = []
    for wrt in _items(kind, outline.wrt):
        context.used.clear()
        entry, indices, steps = _entry(program, of, wrt, kind, outline.directions, context)
        if kind == "jacobian" and outline.layout == "gradient":
            rows = len(program.shape_of(of))
            indices = indices[rows:] + indices[:rows]
        best = _structured(structure, wrt, indices, maker)
        best = best or cheapest(entry, indices, maker, context)
        name = PREFIX + "_".join(wrt)
        equation = Equation(name, indices, best.entry, best.term)
        steps = (*steps, Step(best.term, "read as a matrix formula"))
        out.append(Derivative(of, wrt, kind, equation.shape, equation, steps, tuple(context.used)))
    return replace(outline, derivatives=tuple(out))


def _structured(
    structure: Mapping[tuple[str, str], Structured],
    wrt: tuple[str, ...],
    indices: tuple[Index, ...],
    maker: FormMaker,
) -> Form | None:
    """A block of a Hessian as ``± Jᵀ J`` and the curvature beside it, as it falls apart; None where
    it does not, or has no curvature.
    """
    found = structure.get((wrt[0], wrt[-1]))
    if found is None or not found.curved:
        return None
    entry = substitute(found.entry, dict(zip(found.indices, indices, strict=True)))
    form = maker.form(entry, indices)
    return form if maker.says_the_same(form, indices) else None


def _items(kind: str, names: Sequence[str]) -> list[tuple[str, ...]]:
    """By what each derivative is taken: pairs for a Hessian."""
    if kind == "hessian":
        return [(a,) if a == b else (a, b) for a in names for b in names]
    return [(n,) for n in names]


def _entry(
    program: Program,
    of: str,
    wrt: tuple[str, ...],
    kind: str,
    directions: Mapping[str, str],
    context: Context,
) -> Entries:
    if kind == "jacobian":
        return jacobian_entry(program, of, wrt[0], context)
    if kind == "hessian":
        return hessian_entry(program, of, wrt[0], wrt[-1], context)
    indices = Names(program).indices(of)
    seed = indices, Entry(directions[of], *indices)
    (adjoint,) = (a for a in reverse(program, of, [wrt[0]], context, seed=seed) if a.of == wrt[0])
    return adjoint.entry, adjoint.indices, adjoint.steps


def _with_directions(
    program: Program, targets: Sequence[str], direction: str | None
) -> tuple[Program, dict[str, str]]:
    """The program with a direction for each target: the declared one, or fresh inputs ``v_W``."""
    declared = {q.name: q for q in program.inputs}
    if direction is not None:
        if len(targets) != 1:
            raise Malformed(
                "one quantity to go along a given direction",
                ", ".join(targets),
                hint="name it with wrt",
            )
        found, shape = declared.get(direction), program.shape_of(targets[0])
        if found is None:
            raise Malformed("a declared array as direction", repr(direction))
        if not same_shape(found.shape, shape):
            raise Malformed(
                f"a direction of shape {show_shape(shape)}, as {targets[0]}",
                f"{direction}, which is {show_shape(found.shape)}",
            )
        return program, {targets[0]: direction}
    fresh = {t: f"v_{t}" for t in targets}
    taken = set(declared) | {e.name for e in program.equations}
    clash = sorted(set(fresh.values()) & taken)
    if clash:
        raise Malformed(
            "a direction", f"no direction, and {clash[0]} is taken", hint=f"direction={clash[0]}"
        )
    inputs = tuple(Quantity(v, program.shape_of(t), "data") for t, v in fresh.items())
    return replace(program, inputs=program.inputs + inputs), fresh
