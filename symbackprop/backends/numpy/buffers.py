"""The same statements without allocation: every array lands in a buffer of the workspace.

``Z = X @ W.T + b`` becomes ``Z = np.matmul(X, W.T, out=ws.Z)`` and ``np.add(Z, b, out=Z)``. A
quantity has a buffer of its own name; what else an expression needs in between comes from a small
pool by shape (``ws.s1``), given back at the end of each operation. What has no ``out=`` (a call of
an abstract function) is left as an expression and allocates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Rational

from symbackprop.backends.numpy import windows
from symbackprop.backends.numpy.plan import Statement
from symbackprop.backends.numpy.terms import (
    ARRAY_HELPERS,
    HELPERS,
    REDUCTIONS,
    UFUNCS,
    Writer,
    axes_of,
    is_mask,
    is_static,
)
from symbackprop.ir.terms import Shape, Term, name

# fmt: off
ARITHMETIC: Mapping[str, str] = {
    "add": "np.add", "sub": "np.subtract", "mul": "np.multiply", "div": "np.divide",
    "neg": "np.negative",
}
COMPARISONS: Mapping[str, str] = {
    "<": "np.less", "<=": "np.less_equal", ">": "np.greater", ">=": "np.greater_equal",
    "==": "np.equal", "!=": "np.not_equal",
}
POWERS: Mapping[Rational, str] = {
    Rational(2): "np.square", Rational(1, 2): "np.sqrt", Rational(-1): "np.reciprocal",
}
CALLS: Mapping[str, str] = {"matmul": "np.matmul", "outer": "np.outer"}
# fmt: on
VIEWS = frozenset(("name", "transpose", "index"))
MOVES = VIEWS | {"swap", "reshape", "flip", "broadcast"}  # their values may share memory


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array of the workspace: its attribute, the code of its shape, whether it holds masks."""

    name: str
    shape: str
    mask: bool

    @property
    def annotation(self) -> str:
        """Its type."""
        return "np.ndarray[tuple[int, ...], np.dtype[np.bool]]" if self.mask else "Array"

    @property
    def dtype(self) -> str:
        """The code of its dtype."""
        return "bool" if self.mask else "dtype"


@dataclass(slots=True)
class Buffered:
    """Emits lines for statements, and collects the buffers that they need."""

    names: dict[str, str]
    lines: list[str] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    _free: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    @property
    def writer(self) -> Writer:
        """Spells what is left as an expression; it knows the pool's names too."""
        return Writer(self.names)

    def statement(self, s: Statement, *, copy: bool) -> list[str]:
        """The lines of ``s``; with ``copy`` its value may not be a view of another quantity."""
        self.lines = []
        key, term = self.writer.names[s.key], s.term
        if term.op in VIEWS and not copy:
            self.lines.append(f"{key} = {self.writer.source(term)}")
        elif not term.shape or not self._has_out(term):
            self._plain(key, term, copy)
        else:
            self._own(key, term.shape, mask=False)
            self._into(term, key)
        return self.lines

    def _plain(self, key: str, term: Term, copy: bool) -> None:
        flat, held = self._flat(term)
        if copy and is_static(term):
            self.lines.append(f"{key} = dtype.type({self.writer.source(term)})")
        elif copy and term.shape and is_view(term):
            self._own(key, term.shape, mask=False)
            self._emit("np.copyto", key, self.writer.source(flat), first=True)
        else:
            self.lines.append(f"{key} = {self.writer.source(flat)}")
            if term.op in MOVES:
                return  # it may be a view of what is held, which therefore stays its own
        self._release(held)

    def _has_out(self, t: Term) -> bool:
        if t.op == "apply":
            return t.attrs[0] in UFUNCS or t.attrs[0] in HELPERS or t.attrs[0] in ("relu", "step")
        if t.op == "pow":
            return t.args[1].op == "number" and t.args[1].attrs[0] in POWERS
        known = (ARITHMETIC, CALLS, REDUCTIONS)
        return any(t.op in table for table in known) or t.op in (
            "compare", "softmax", "log_softmax", "logsumexp", "einsum",
            *ARRAY_HELPERS, *windows.BUFFERED,
        )  # fmt: skip

    def _into(self, t: Term, target: str) -> None:
        """Emit what leaves the value of ``t`` in the buffer ``target``."""
        call, operands, tail = self._call_of(t)
        codes: list[str] = []
        held: list[str] = []
        reuse = t.op in {*ARITHMETIC, "apply", "pow"} and not is_mask(t)
        for a in operands:
            fits = reuse and a.shape == t.shape and self._needs_buffer(a) and not is_mask(a)
            if fits and target not in codes:
                self._into(a, target)
                codes.append(target)
                continue
            flat, more = self._flat(a)
            held += more
            codes.append(self.writer.factor(flat, 0) if t.op == "mul" else self.writer.source(flat))
        if t.op == "einsum":
            codes.insert(0, f'"{t.attrs[0]}"')
        self._emit(call, target, ", ".join(codes) + tail)
        self._release(held)

    def _call_of(self, t: Term) -> tuple[str, tuple[Term, ...], str]:
        """The function with ``out=``, its operands, and further arguments."""
        if t.op == "pow":
            return POWERS[t.args[1].attrs[0]], t.args[:1], ""
        if t.op == "compare":
            return COMPARISONS[t.attrs[0]], t.args, ""
        if t.op in ("softmax", "log_softmax"):
            return f"_{t.op}", t.args, f", axis={t.attrs[0]}"
        if t.op == "logsumexp":
            return "_logsumexp", t.args, axes_of(t)
        if t.op == "apply":
            function = t.attrs[0]
            if function in ("relu", "step"):
                return ("np.maximum" if function == "relu" else "np.greater"), t.args, ", 0"
            return UFUNCS.get(function) or HELPERS[function], t.args, ""
        if t.op in REDUCTIONS:
            return REDUCTIONS[t.op], t.args, axes_of(t)
        if t.op == "einsum":
            return "np.einsum", t.args, ", optimize=True"
        if t.op in windows.BUFFERED:
            return windows.HELPERS[t.op], t.args, windows.arguments(self.writer, t)
        if t.op in ARRAY_HELPERS:
            count = "".join(f", {self.writer.extent(e)}" for e in t.attrs)
            return ARRAY_HELPERS[t.op], t.args, count
        return (ARITHMETIC.get(t.op) or CALLS[t.op]), t.args, ""

    def _needs_buffer(self, t: Term) -> bool:
        return bool(t.shape) and not is_static(t) and t.op not in VIEWS and self._has_out(t)

    def _flat(self, t: Term) -> tuple[Term, list[str]]:
        """``t`` with each part that can be buffered already computed; the buffers it holds."""
        if self._needs_buffer(t):
            mask = is_mask(t)
            key = self._take(t.shape, mask)
            self._into(t, key)
            return name(key, t.shape), [key]
        args, held = [], []
        for a in t.args:
            flat, more = self._flat(a)
            args.append(flat)
            held += more
        return Term(t.op, tuple(args), t.shape, t.attrs), held

    def _take(self, shape: Shape, mask: bool) -> str:
        code = self.writer.shape(shape)
        free = self._free.setdefault((code, mask), [])
        if free:
            return free.pop()
        number = 1
        while f"s{number}" in self.names.values() or f"s{number}" in self.names:
            number += 1
        key = self.names[f"s{number}"] = f"s{number}"
        self.buffers.append(Buffer(key, code, mask))
        return key

    def _own(self, key: str, shape: Shape, *, mask: bool) -> None:
        self.buffers.append(Buffer(key, self.writer.shape(shape), mask))

    def _release(self, held: list[str]) -> None:
        for b in self.buffers:
            if b.name in held:
                self._free.setdefault((b.shape, b.mask), []).append(b.name)

    def _emit(self, call: str, target: str, arguments: str, *, first: bool = False) -> None:
        fresh = target not in self.written
        self.written.add(target)
        if first:
            self.lines.append(f"{target} = ws.{target}")
            self.lines.append(f"{call}({target}, {arguments})")
        elif fresh:
            self.lines.append(f"{target} = {call}({arguments}, out=ws.{target})")
        else:
            self.lines.append(f"{call}({arguments}, out={target})")


def is_view(t: Term) -> bool:
    """Whether the value of ``t`` may share the memory of a named array."""
    return t.op == "name" or (t.op in MOVES and is_view(t.args[0]))
