"""The arguments of a kernel: how each is checked, and where each extent is read off.

The first array that has an extent on an axis by itself gives its value; every later one is held
against it, and the error names the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol

from symbackprop.backends.numpy.plan import Statement
from symbackprop.ir.program import Program, Quantity
from symbackprop.ir.terms import Shape, Term


@dataclass(frozen=True, slots=True)
class Argument:
    """An input of the model as an argument of the generated functions.

    ``shape`` is the shape as people write it, ``wanted`` the code of the shape that is demanded, in
    which an extent not known yet is ``None``; ``learns`` are the extents that are read off it;
    ``integer`` says that it looks entries up.
    """

    name: str
    key: str
    shape: str
    wanted: str
    learns: tuple[tuple[str, str], ...]
    says: str
    integer: bool = False

    @property
    def annotation(self) -> str:
        """Its type in the signature."""
        return "Array" if self.shape != "()" else "float | Scalar"

    @property
    def kind(self) -> str:
        """How numpydoc names the type."""
        return f"array of shape {self.shape}" if self.shape != "()" else "float"


def arguments(
    program: Program,
    names: Mapping[str, str],
    extent: Callable[[Expr], str],
) -> tuple[Argument, ...]:
    """One argument for each input, in order; ``extent`` writes an extent as code."""
    known: set[str] = set()
    out = []
    for q in program.inputs:
        own, shape = names[q.name], q.shape
        wanted = [extent(e) if _names(e) <= known else "None" for e in shape]
        learns = []
        for axis, e in enumerate(shape):
            if isinstance(e, Symbol) and e.name not in known:
                known.add(e.name)
                learns.append((names[e.name], f"{own}.shape[{axis}]"))
        shown = as_tuple([extent(e) for e in shape])
        out.append(
            Argument(
                own,
                q.name,
                shown,
                as_tuple(wanted),
                tuple(learns),
                _about(q, program),
                q.role == "index",
            )
        )
    return tuple(out)


def _about(q: Quantity, program: Program) -> str:
    """What an input is, with what was assumed of it."""
    role = {"param": "A parameter", "data": "Known data", "index": "Known integers"}[q.role]
    facts = [str(f).removeprefix(f"{q.name} ") for f in program.facts if f.name == q.name]
    return ", ".join([role, *(f for f in facts)]) + "."


def extents(available: Sequence[tuple[str, Shape]], names: Mapping[str, str]) -> dict[str, str]:
    """The code that reads each extent off one of the arrays that are at hand."""
    found: dict[str, str] = {}
    for key, shape in available:
        for axis, e in enumerate(shape):
            if isinstance(e, Symbol):
                found.setdefault(e.name, f"{names[key]}.shape[{axis}]")
    return found


def divisors(statements: Sequence[Statement], program: Program) -> tuple[str, ...]:
    """The extents by which a statement divides, so that an empty array has no value."""
    found = {n for s in statements for n in _divided_by(s.term)}
    return tuple(d.name for d in program.dims if d.name in found)


def _divided_by(t: Term) -> Iterator[str]:
    if t.op == "div" and t.args[1].op == "dim":
        yield from _names(t.args[1].attrs[0])
    if t.op in ("mean", "var"):
        axes = t.attrs[0]
        for axis in range(t.args[0].rank) if axes is None else axes:
            yield from _names(t.args[0].shape[axis])
    for a in t.args:
        yield from _divided_by(a)


def _names(e: Expr) -> set[str]:
    return {s.name for s in e.free_symbols}


def as_tuple(items: Sequence[str]) -> str:
    """The code of a tuple."""
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
