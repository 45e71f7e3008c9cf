"""The way through: model → program → adjoints → lifted derivatives. Every stage is a function of
another room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import working_context
from symbackprop.algebra.recognition import recognise
from symbackprop.calculus.reverse import reverse
from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.expressions import entry_names
from symbackprop.ir.program import Program
from symbackprop.library.functions import RULES
from symbackprop.matrix.lower import lower
from symbackprop.network.model import Model, in_members
from symbackprop.pipeline.derivation import Derivation
from symbackprop.pipeline.kinds import filled_in, record_of_kind
from symbackprop.pipeline.presentation import in_jacobian_layout, present
from symbackprop.pipeline.recurrent_derivation import RecurrentDerivation
from symbackprop.pipeline.recurrent_presentation import present_recurrent

KINDS = ("gradient", "jacobian", "hessian", "hvp", "jvp", "vjp")
DIRECTIONAL = ("hvp", "jvp", "vjp")
LAYOUTS = ("notes", "jacobian", "gradient")
INTEGER_ENDS = "give the ranges integer ends, such as 1..3"


def program_of(model: Model) -> Program:
    """The model as a program: each statement lowered to index notation."""
    return lower(
        dims=model.dims,
        inputs=model.inputs,
        functions=model.functions,
        facts=model.facts,
        statements=[(name, term) for name, term, _ in model.statements],
        output=model.output,
        sizes=model.sizes,
        conditions=model.conditions,
        rules=RULES,
        families=model.families,
        loops=model.loops,
    )


def derive(
    model: Model,
    wrt: str | Sequence[str] | None = None,
    kind: str = "gradient",
    of: str | None = None,
    layout: str = "notes",
    direction: str | None = None,
) -> Derivation:
    """Derive a quantity of a model.

    Parameters
    ----------
    model : Model
        From :func:`parse` or :func:`load`.
    wrt : str or sequence of str, optional
        By which quantities; default every ``param``, ``"all"`` adds real data.
    kind : str
        ``gradient`` (of a scalar; of an array the vector–Jacobian product with ``grad_<of>``),
        ``jacobian``, ``hessian`` (a block for every pair), ``hvp`` (Hessian times direction),
        ``jvp`` or ``vjp``.
    of : str, optional
        What is differentiated; default the model's output.
    layout : str
        ``notes`` (a gradient has the variable's shape, a Jacobian has the output's axes, then the
        input's), ``jacobian`` (the derivative of a scalar is the transpose of the gradient) or
        ``gradient`` (a Jacobian has the input's axes first).

    direction : str, optional
        For ``hvp``, ``jvp`` and ``vjp``: a declared array of the right shape; default a fresh
        ``v_W``.

    Returns
    -------
    Derivation

    Raises
    ------
    Malformed
        For a name that is not in the model, or on which ``of`` does not depend, or an unknown kind
        or layout.
    NotSupported
        For an operation whose derivative the tool has not learnt yet.
    """
    _one_of("kind", kind, KINDS)
    _one_of("layout", layout, LAYOUTS)
    if direction is not None and kind not in DIRECTIONAL:
        raise Malformed(f"a direction with kind {', '.join(DIRECTIONAL)}", f"kind {kind}")
    plain = in_members(model) if model.families else None
    if plain is not None and _needs_members(model, wrt, kind, of, layout):
        model = plain
    wrt, of = _as_members(model, wrt), None if of is None else model.member(of)
    program = program_of(model)
    of = of if of is not None else program.output
    _known(program, of)
    names = _differentiated_by(program, wrt, of)
    if program.families:
        _recurrent_kind(program, of, kind, layout)
    known = _recognised(program)
    if kind != "gradient":
        start = known if kind in DIRECTIONAL else program
        return _of_kind(model, *record_of_kind(start, of, names, kind, layout, direction))
    context = working_context(known)
    try:
        adjoints = reverse(known, of, names, context)
    except NotSupported:
        if plain is None:
            raise
        return derive(plain, wrt, kind, of, layout, direction)
    if program.families:
        derivatives = present_recurrent(adjoints, of, known, names, context)
    else:
        derivatives = present(adjoints, of, known, context)
    derivatives = tuple(d for d in derivatives if d.wrt[0] != of)
    if layout == "jacobian":
        derivatives = in_jacobian_layout(derivatives, program)
    record = DerivationRecord(program, of, kind, layout, derivatives, wrt=names)
    return (RecurrentDerivation if program.families else Derivation)(model, record, context)


def _of_kind(model: Model, record: DerivationRecord, context: Context) -> Derivation:
    """The derivation of another kind; blocks of a Hessian are derived when one is asked for, since
    a kernel is made of their common parts. What is no Hessian is derived now, errors and all.
    """
    if record.derivatives:
        return Derivation(model, record, context)
    if record.kind == "hessian":
        return Derivation(model, record, context, later=partial(filled_in, record, context))
    return Derivation(model, filled_in(record, context), context)


def _recognised(program: Program) -> Program:
    """The program to differentiate: functions that were spelled out (``1 / (1 + exp(-z))``) by
    their names, so that their slopes are those that the library knows.
    """
    equations = (replace(e, rhs=recognise(e.rhs)) for e in program.equations)
    return replace(program, equations=tuple(equations))


def _recurrent_kind(program: Program, of: str, kind: str, layout: str) -> None:
    """What is known of recurrences: gradients of a scalar in the layout of the notes."""
    if kind != "gradient":
        raise NotSupported(
            "gradients of a model with a recurrence",
            f"kind {kind}",
            hint=f"{INTEGER_ENDS}, for other kinds",
        )
    if layout != "notes":
        raise NotSupported(
            "the layout notes for a model with a recurrence",
            f"layout {layout}",
            hint=f"derive without --layout, or {INTEGER_ENDS}",
        )
    if program.shape_of(of):
        raise NotSupported(
            "a scalar to differentiate in a model with a recurrence",
            f"{of}, which is an array",
            hint=f"add a line that makes a number of it, such as a loss, or {INTEGER_ENDS}",
        )


def _needs_members(
    model: Model, wrt: str | Sequence[str] | None, kind: str, of: str | None, layout: str
) -> bool:
    """Whether something is asked that is known of ordinary nets only."""
    if kind != "gradient" or layout != "notes":
        return True
    program = program_of(model)
    known = {q.name for q in program.inputs} | {e.name for e in program.equations}
    asked = {*_listed(wrt), *([] if of is None else [of])} - {"all"}
    return not asked <= known or bool(of is not None and program.shape_of(of))


def _listed(wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    names = wrt.split(",") if isinstance(wrt, str) else wrt or ()
    return tuple(n.strip() for n in names)


def _as_members(model: Model, wrt: str | Sequence[str] | None) -> str | Sequence[str] | None:
    """The names asked for, a family by the names of its members."""
    if wrt is None or not model.members:
        return wrt
    out: list[str] = []
    for name in _listed(wrt):
        out += model.members.get(name, {0: model.member(name)}).values()
    return out


def _one_of(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise Malformed(f"{what} {', '.join(known[:-1])} or {known[-1]}", repr(value))


def _known(program: Program, name: str) -> None:
    names = [q.name for q in program.inputs] + [e.name for e in program.visible()]
    if name not in names:
        raise Malformed(f"a quantity of the model ({', '.join(names)})", repr(name))


def _differentiated_by(
    program: Program, wrt: str | Sequence[str] | None, of: str
) -> tuple[str, ...]:
    """The names asked for; by default the params on which ``of`` depends."""
    depends = _ancestors(program, of)
    if wrt is None or wrt == "all" or wrt == ["all"]:
        roles = ("param",) if wrt is None else ("param", "data")
        names = tuple(q.name for q in program.inputs if q.role in roles and q.name in depends)
        if not names:
            raise Malformed(
                f"a model in which {of} depends on a param", "none", hint="declare one with `param`"
            )
        return names
    names = _listed(wrt)
    for name in names:
        _known(program, name)
        if name not in depends and name != of:
            raise Malformed(f"a quantity on which {of} depends", f"{name}, on which it does not")
        if any(q.name == name and q.role == "index" for q in program.inputs):
            raise Malformed(
                "a real quantity", f"{name}, which holds integers and has no derivative"
            )
    return names


def _ancestors(program: Program, of: str) -> frozenset[str]:
    """Every name on which ``of`` depends."""
    needed, before = {of}, 0
    while before < len(needed):  # once, unless equations recur
        before = len(needed) if program.families else len(program.equations) + len(program.inputs)
        for equation in reversed(program.equations):
            if equation.name in needed:
                needed |= entry_names(equation.rhs)
    return frozenset(needed)
