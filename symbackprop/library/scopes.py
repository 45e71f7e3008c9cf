"""The scope of a program: every name that an expression about it may use, with the formulas of the
library.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.ir.expressions import Index
from symbackprop.ir.program import Program
from symbackprop.library.losses import expansions
from symbackprop.notation.scope import Scope
from symbackprop.notation.spelling import ADJOINT_PREFIX


def scope_of(program: Program, *, adjoints: bool = False, indices: Iterable[Index] = ()) -> Scope:
    """Dims, inputs and visible equations of ``program``; with ``adjoints``, ``grad_X`` for each of
    them as well.
    """
    shapes = {q.name: q.shape for q in program.inputs} | {
        e.name: e.shape for e in program.visible()
    }
    if adjoints:
        shapes |= {ADJOINT_PREFIX + name: shape for name, shape in list(shapes.items())}
    dims = {d.name: d for d in program.dims}
    integers = {q.name for q in program.inputs if q.role == "index"}
    return Scope(
        dims,
        shapes,
        program.functions,
        {i.name: i for i in indices},
        expansions(),
        integers=frozenset(integers),
    )
