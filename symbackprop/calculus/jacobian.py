"""Jacobians: reverse mode with a seeded δ, so that every adjoint carries the output's indices.

∂y[i]/∂x[k] has the output's axes first, then the input's (layout ``notes``).
"""

from __future__ import annotations

from sympy import Expr, Mul

from symbackprop.algebra.context import Context
from symbackprop.algebra.knowledge import working_context
from symbackprop.algebra.normalise import normalise
from symbackprop.calculus.reverse import Names, reverse
from symbackprop.errors import Malformed
from symbackprop.ir.derivation import Step
from symbackprop.ir.expressions import Delta, Entry, Index, Partial, substitute
from symbackprop.ir.letters import letters
from symbackprop.ir.program import Program


def jacobian_entry(
    program: Program, of: str, wrt: str, context: Context | None = None
) -> tuple[Expr, tuple[Index, ...], tuple[Step, ...]]:
    """The generic entry of ``∂of/∂wrt``, its indices (those of ``of``, then those of ``wrt``) and
    the steps.

    Raises
    ------
    Malformed
        If ``of`` does not depend on ``wrt``.
    """
    known = Names(program)
    own, target = known.indices(of), known.indices(wrt)
    names = {i.name for i in target}
    taken = known.taken | names | {i.name for i in own}
    spare = letters([i.extent for i in own], taken)
    rows = tuple(fresh if i.name in names else i for i, fresh in zip(own, spare, strict=True))
    if of == wrt:
        return Mul(*(Delta(r, t) for r, t in zip(rows, target, strict=True))), rows + target, ()
    # While adjoints are formed the rows bear names that no equation uses: they stay free through
    # every sum.
    marked = tuple(Index(f"_row{k}", i.extent) for k, i in enumerate(own))
    seed = own, Mul(*(Delta(r, i) for r, i in zip(marked, own, strict=True)))
    context = context or working_context(program)
    naming = dict(zip(marked, rows, strict=True))
    for adjoint in reverse(program, of, [wrt], context, seed=seed):
        if adjoint.of == wrt:
            entry = normalise(substitute(adjoint.entry, naming), context)
            start = Step(Partial(Entry(of, *rows), Entry(wrt, *target)), "an entry of the Jacobian")
            return (
                entry,
                rows + target,
                (start, Step(entry, "chain rule, and δ keeps one term of each sum")),
            )
    raise Malformed(f"a quantity on which {of} depends", f"{wrt}, on which it does not")
