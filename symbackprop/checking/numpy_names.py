"""Which quantity of the model a name of the code means: by what it holds, by its spelling, and as a
guess.

A declared name means itself; the gradient of X may be called ``dX``, ``grad_X``, ``delta_X``,
``X_grad``, or have the key ``'X'`` in a dict of gradients. Everything else is a guess, which is
noted and on which no refutation rests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from symbackprop.ir.program import Program
from symbackprop.notation.spelling import ADJOINT_PREFIX

OUTPUTS = ("dout", "dy", "dz", "grad_output", "grad_out", "d_out", "dlout", "upstream", "delta")
_MARKED = (
    re.compile(r"^(?:grads?_|gradient_|delta_?|nabla_|d[LJEC]_?d_?|dloss_d?|d_|g_)(\w+)$"),
    re.compile(r"^(\w+?)_(?:grads?|gradient|bar|delta)$"),
    re.compile(r"^(?:grad|d)(\w+)$"),
)
_KEY = re.compile(r"""^(.*)\[['"](\w+)['"]\]$""")


def stems(label: str) -> list[str]:
    """What a name says it is the gradient of: ``dW1`` of ``W1``."""
    found = _KEY.match(label)
    out: list[str] = []
    if found is not None:
        label = found[2]
        if "grad" in found[1].lower() or found[1].startswith("d"):
            out.append(label)
    if "." in label:
        label = label.rpartition(".")[2]
    for pattern in _MARKED:
        inner = pattern.match(label)
        if inner is not None:
            out.append(inner[1])
    return out


def closest(name: str, known: Iterable[str]) -> str | None:
    """The one known name that is spelled alike but for case and underscores."""
    plain = name.replace("_", "").lower()
    found = [k for k in known if k.replace("_", "").lower() == plain]
    return found[0] if len(found) == 1 else None


def quantity_meant(label: str, aliases: Mapping[str, str], program: Program) -> str | None:
    """The quantity whose gradient a label says it holds."""
    names = with_gradients(program)
    aliases = {k: v for k, v in aliases.items() if v in names}
    for stem in stems(label):
        for table in (aliases, {n: n for n in names}):
            if stem in table:
                return table[stem]
            near = closest(stem, table)
            if near is not None:
                return table[near]
    return None


def quantities(program: Program) -> list[str]:
    """The names of inputs and of the quantities that the model's author wrote."""
    return [q.name for q in program.inputs] + [e.name for e in program.equations if not e.hidden]


def with_gradients(program: Program) -> list[str]:
    """Those that can have a gradient: labels have none."""
    labels = {q.name for q in program.inputs if q.role == "index"}
    return [n for n in quantities(program) if n not in labels]


def parameter_meant(name: str, program: Program) -> tuple[str, bool] | None:
    """The quantity (or gradient ``grad_X``) that a parameter of this name stands for, and whether
    that is a guess.
    """
    names = quantities(program)
    if name in names or name in {d.name for d in program.dims}:
        return name, False
    if name.removeprefix(ADJOINT_PREFIX) in with_gradients(program):
        return name, False
    near = closest(name, names)
    if near is not None:
        return near, True
    names = with_gradients(program)
    for stem in stems(name):
        if stem in names:
            return f"grad_{stem}", True
        near = closest(stem, names)
        if near is not None:
            return f"grad_{near}", True
    if name.lower() in OUTPUTS:
        inner = _before_loss(program)
        return None if inner is None else (f"grad_{inner}", True)
    return None


def _before_loss(program: Program) -> str | None:
    """The last quantity before the loss: what ``dout`` is the gradient of."""
    found = [e.name for e in program.equations if not e.hidden and e.name != program.output]
    return found[-1] if found else None
