"""What ``fit`` needs to know of a model: which extent counts samples, and how they are picked.

The sample extent is the first one of the first ``data`` line, unless a parameter has it too: then
the data are one sample (the scalar net's ``x[D]`` beside ``W[M, D]``), and there are no batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Symbol

from symbackprop.backends.numpy.arguments import as_tuple, extents
from symbackprop.ir.program import Program


@dataclass(frozen=True, slots=True)
class Descent:
    """The code that ``fit`` is made of.

    ``count`` is the code of the number of samples, empty if none are counted; ``taken`` the items
    of the dictionary of a batch; ``have`` the size of that batch; ``workspace`` the arguments of
    a workspace for it.
    """

    data_keys: tuple[str, ...]
    param_keys: tuple[str, ...]
    arrays: tuple[str, ...]
    params: str
    count: str
    taken: tuple[str, ...]
    workspace: tuple[str, ...]
    steps: str
    updated: tuple[str, ...]


def descent(program: Program, names: Mapping[str, str], learnt: tuple[str, ...]) -> Descent:
    """The loop over a program whose parameters ``learnt`` have gradients."""
    samples = sample_extent(program)
    read = _reading(program, names)
    taken, count = [], ""
    for q in program.inputs:
        if samples is not None and samples in q.shape and q.role != "param":
            axis = q.shape.index(samples)
            own = f'arrays["{names[q.name]}"]'
            taken.append(f'"{names[q.name]}": {own}[{":, " * axis}rows]')
            count = count or f"{own}.shape[{axis}]"
    sizes = [
        f"{names[d.name]}={'have' if d == samples else read[d.name]}"
        for d in program.dims
        if d.name in read
    ]
    first = names[program.inputs[0].name]
    return Descent(
        data_keys=tuple(q.name for q in program.inputs if q.role != "param"),
        param_keys=tuple(q.name for q in program.inputs if q.role == "param"),
        arrays=tuple(
            f'"{names[q.name]}": {"params" if q.role == "param" else "data"}["{q.name}"]'
            for q in program.inputs
        ),
        params=as_tuple([f'"{names[q.name]}"' for q in program.inputs if q.role == "param"]),
        count=count,
        taken=tuple(taken),
        workspace=(*sizes, f'dtype=arrays["{first}"].dtype'),
        steps=as_tuple([f'("{names[k]}", "{k}")' for k in learnt]),
        updated=tuple(
            f'"{q.name}": arrays["{names[q.name]}"]' for q in program.inputs if q.role == "param"
        ),
    )


def sample_extent(program: Program) -> Symbol | None:
    """The extent that counts samples, None if there is none."""
    data = [q for q in program.inputs if q.role != "param" and q.shape]
    if not data or not isinstance(data[0].shape[0], Symbol):
        return None
    first = data[0].shape[0]
    owned = {s for q in program.inputs if q.role == "param" for e in q.shape for s in e.free_symbols}
    return None if first in owned else first


def _reading(program: Program, names: Mapping[str, str]) -> dict[str, str]:
    shapes = [(q.name, q.shape) for q in program.inputs]
    return extents(shapes, {q.name: f'arrays["{names[q.name]}"]' for q in program.inputs})
