"""The arguments of a kernel: how each is checked, and where each extent is read off.

The first array that has an extent on an axis by itself gives its value, else the first axis on
which it is the only unknown (``2*S + R - 1``); every array is held against what the others gave,
and the error names the argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Poly, Symbol

from symbackprop.backends.numpy.plan import Statement
from symbackprop.ir.program import Program, Quantity
from symbackprop.ir.terms import Shape, Term

Axis = tuple[str, Expr]  # the code that reads an extent, and the extent


@dataclass(frozen=True, slots=True)
class Argument:
    """An input of the model as an argument of the generated functions.

    ``shape`` is the shape as people write it, ``wanted`` the code of the shape that is demanded, in
    which an extent not known yet is ``None``; ``learns`` are the extents that are read off it, and
    ``again`` is the whole shape where it is known only after arguments that follow; ``integer``
    says that it looks entries up.
    """

    name: str
    key: str
    shape: str
    wanted: str
    learns: tuple[tuple[str, str], ...]
    says: str
    integer: bool = False
    again: str = ""

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
    known: dict[str, str] = {}
    seen: list[Axis] = []
    out = []
    for q in program.inputs:
        own, shape = names[q.name], q.shape
        wanted = [extent(e) if _names(e) <= known.keys() else "None" for e in shape]
        late = any(not (e.is_Symbol or _names(e) <= known.keys()) for e in shape)
        seen += [(f"{own}.shape[{axis}]", e) for axis, e in enumerate(shape)]
        learns = []
        while (found := _learnt(seen, known)) is not None:
            name, code = found
            known[name] = names[name]
            learns.append((names[name], code))
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
                shown if late else "",
            )
        )
    return tuple(a if _names_in(a, program) <= known.keys() else replace(a, again="") for a in out)


def _names_in(a: Argument, program: Program) -> set[str]:
    return {n for e in program.shape_of(a.key) for n in _names(e)}


def _about(q: Quantity, program: Program) -> str:
    """What an input is, with what was assumed of it."""
    role = {"param": "A parameter", "data": "Known data", "index": "Known integers"}[q.role]
    facts = [str(f).removeprefix(f"{q.name} ") for f in program.facts if f.name == q.name]
    return ", ".join([role, *(f for f in facts)]) + "."


def extents(available: Sequence[tuple[str, Shape]], names: Mapping[str, str]) -> dict[str, str]:
    """The code that reads each extent off the arrays that are at hand."""
    axes = [
        (f"{names[key]}.shape[{axis}]", e)
        for key, shape in available
        for axis, e in enumerate(shape)
    ]
    found: dict[str, str] = {}
    while (learnt := _learnt(axes, found)) is not None:
        name, code = learnt
        found[name] = f"({code})" if " " in code else code
    return {name: _bare(code) for name, code in found.items()}


def _bare(code: str) -> str:
    """Code without the brackets that it needs only within other code."""
    return code[1:-1] if code.startswith("(") else code


def _learnt(axes: Sequence[Axis], known: Mapping[str, str]) -> tuple[str, str] | None:
    """A further extent and the code for it: off an axis of its own, else by solving for it."""
    for code, e in axes:
        if isinstance(e, Symbol) and e.name not in known:
            return e.name, code
    for code, e in axes:
        unknown = [s for s in e.free_symbols if s.name not in known]
        if len(unknown) == 1 and (solved := _solved(code, e, unknown[0], known)):
            return unknown[0].name, solved
    return None


def _solved(code: str, e: Expr, unknown: Symbol, known: Mapping[str, str]) -> str:
    """The code of ``unknown`` where ``code`` reads the extent ``e``, nothing if not affine."""
    if not e.is_polynomial(*e.free_symbols) or Poly(e, unknown).degree() != 1:
        return ""
    at = {s: Symbol(known[s.name]) for s in e.free_symbols if s != unknown}
    slope, rest = (c.xreplace(at) for c in Poly(e, unknown).all_coeffs())
    if slope.could_extract_minus_sign():
        return ""
    value = re.sub(r"(?<!\*)\*(?!\*)", " * ", str(Symbol(code) - rest))
    if slope == 1:
        return value
    by = re.sub(r"(?<!\*)\*(?!\*)", " * ", str(slope))
    return f"{_enclosed(value)} // {_enclosed(by)}"


def _enclosed(code: str) -> str:
    return f"({code})" if " " in code or "*" in code else code


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
