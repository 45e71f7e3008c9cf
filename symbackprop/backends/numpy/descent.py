"""What ``fit`` needs to know of a model: which extent counts samples, and how they are picked.

The sample extent is the first one of the first ``data`` line, unless a parameter has it too: then
the data are one sample (the scalar net's ``x[D]`` beside ``W[M, D]``), and there are no batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Symbol

from symbackprop.backends.numpy.arguments import as_tuple, extents
from symbackprop.ir.program import Program, Quantity
from symbackprop.ir.terms import Shape


@dataclass(frozen=True, slots=True)
class Descent:
    """The code that ``fit`` is made of.

    ``count`` is the code of the number of samples, empty if none are counted; ``passed`` are the
    arguments of a step, ``workspace`` those of a workspace for it.
    """

    data_keys: tuple[str, ...]
    param_keys: tuple[str, ...]
    arrays: tuple[str, ...]
    params: str
    count: str
    passed: tuple[str, ...]
    workspace: tuple[str, ...]
    steps: str
    learnt: tuple[str, ...]


def descent(program: Program, names: Mapping[str, str], learnt: tuple[str, ...]) -> Descent:
    """The loop over a program whose parameters ``learnt`` have gradients."""
    samples = sample_extent(program)
    held = {q.name: f'arrays["{q.name}"]' for q in program.inputs}
    read = extents([(q.name, q.shape) for q in program.inputs], held)
    passed, count = [], ""
    for q in program.inputs:
        value = held[q.name] if q.role != "param" else f'params["{q.name}"]'
        if samples is not None and samples in q.shape:
            axis = q.shape.index(samples)
            count = count or f"{value}.shape[{axis}]"
            value += f"[{':, ' * axis}rows]"
        passed.append(f"{names[q.name]}={value}")
    sizes = [
        f"{names[d.name]}={'have' if d == samples else read[d.name]}"
        for d in program.dims
        if d.name in read
    ]
    params = tuple(q.name for q in program.inputs if q.role == "param")
    real = next(q.name for q in program.inputs if q.role != "index")
    return Descent(
        data_keys=tuple(q.name for q in program.inputs if q.role != "param"),
        param_keys=params,
        arrays=tuple(
            f'"{q.name}": {"params" if q.role == "param" else "data"}["{q.name}"]'
            for q in program.inputs
        ),
        params=as_tuple([f'"{p}"' for p in params]),
        count=count,
        passed=tuple(passed),
        workspace=(*sizes, f"dtype={held[real]}.dtype"),
        steps=as_tuple([f'"{p}"' for p in learnt]),
        learnt=learnt,
    )


def sample_extent(program: Program) -> Symbol | None:
    """The extent that counts samples, None if there is none."""
    data = [q for q in program.inputs if q.role != "param" and _members(q, program)]
    if not data or not isinstance(_members(data[0], program)[0], Symbol):
        return None
    first = _members(data[0], program)[0]
    params = (q for q in program.inputs if q.role == "param")
    owned = {s for q in params for e in q.shape for s in e.free_symbols}
    return None if first in owned else first


def _members(q: Quantity, program: Program) -> Shape:
    """The shape of a member of a stack, or of the array itself: a step is no sample."""
    return q.shape[1:] if q.name in program.families else q.shape
