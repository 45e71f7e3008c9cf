"""The statements of a plan as lines of code: forward, backward, and both at once in a workspace.

Each statement carries the mathematics that it computes as a comment, entry by entry where it has
an entry form, since the code itself already says it in array notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sympy import Symbol

from symbackprop.backends.numpy import windows
from symbackprop.backends.numpy.arguments import as_tuple, extents
from symbackprop.backends.numpy.buffers import Buffer, Buffered, is_view
from symbackprop.backends.numpy.layout import commented, listing
from symbackprop.backends.numpy.mathematics import mathematics
from symbackprop.backends.numpy.names import identifiers
from symbackprop.backends.numpy.plan import Plan, Statement, expand, needed
from symbackprop.backends.numpy.stable import SPELLED
from symbackprop.backends.numpy.terms import ARRAY_HELPERS, HELPERS, Writer, is_static
from symbackprop.errors import NotSupported
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Shape, Term


@dataclass(frozen=True, slots=True)
class Passes:
    """The code of both passes of a record, and what it uses."""

    program: Program
    plan: Plan
    names: dict[str, str]
    checker: str = "_checked"

    @property
    def writer(self) -> Writer:
        """Spells terms in the identifiers of this module."""
        return Writer(self.names)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self.names[q.name] for q in self.program.inputs)

    def forward(self) -> list[str]:
        """The lines of ``forward`` after the checks of arguments, ending with the cache."""
        body = self.lines(self.plan.forward, ())
        computed = {s.key for s in self.plan.forward if not s.term.shape}
        items = [
            f'"{k}": ' + (f"np.asarray({self.names[k]})" if k in computed else self.names[k])
            for k in self.saved(body_of_backward=self._backward())
        ]
        cache = listing(items, "cache: dict[str, Array] = {", "}", 96)
        return [*self.opening(body), *body, *cache]

    def backward(self) -> list[str]:
        """The lines of ``backward``: the cache unpacked, adjoints in order, the results."""
        body = self._backward()
        saved = self.saved(body_of_backward=body)
        keys = as_tuple([f'"{k}"' for k in saved])
        own = [self.names[k] for k in saved]
        left = f"({own[0]},)" if len(own) == 1 else ", ".join(own)
        unpack = commented([f"{left} = (cache[key] for key in {keys})"], "") if own else []
        shapes = [(k, self.shape_of(k)) for k in saved]
        checks = self._check_of_seed(shapes) if self.plan.seed else []
        if self.plan.seed:
            shapes.append((self.plan.seed, self.shape_of(self.plan.seed)))
        preamble = [*unpack, *checks, *self._preamble(body, shapes)]
        return [*preamble, *body, *self.results("return {", "}")]

    def _check_of_seed(self, shapes: Sequence[tuple[str, Shape]]) -> list[str]:
        """The seed held against the extents and the dtype of the cache."""
        key, own = self.plan.seed, self.names[self.plan.seed]
        known = extents(shapes, self.names)
        shape = self.shape_of(key)
        wanted = as_tuple([known.get(str(e), "None") for e in shape])
        shown = self.writer.shape(shape)
        real = self._real([k for k, _ in shapes])
        dtype = f"{real}.dtype" if real else f"np.asarray({own}).dtype"
        return commented([f'{own} = _array("{key}", {own}, {dtype}, "{shown}", {wanted})'], "")

    def whole(self) -> list[str]:
        """The lines of a function that starts from the arguments and runs forward first."""
        body = self.lines(self.used_forward(), ())
        body += self._backward()
        if self.plan.single:
            (name,) = self.plan.results.values()
            return [*self.opening(body), *body, f"return {self.names[name]}"]
        return [*self.opening(body), *body, *self.results("return {", "}")]

    def used_forward(self) -> list[Statement]:
        """The forward statements that a result rests on."""
        wanted = needed((*self.plan.forward, *self.plan.backward), self.plan.results.values())
        return [s for s in self.plan.forward if s.key in wanted]

    def buffered(self) -> tuple[list[str], list[Buffer]]:
        """Both passes without allocation, and the buffers they need."""
        body, buffers = self.statements_buffered(tuple(self.plan.results.values()))
        shapes = extents([(q.name, q.shape) for q in self.program.inputs], self.names)
        sizes = as_tuple([shapes[d.name] for d in self.program.dims if d.name in shapes])
        fits = f"workspace.fits({sizes}, {self._real([q.name for q in self.program.inputs])}.dtype)"
        fits = f"ws = {fits}" if buffers else fits
        returned = self.results(f"return {self.names[self.plan.of]}, {{", "}")
        return [*self.opening(body), *commented([fits], ""), *body, *returned], buffers

    def statements_buffered(self, results: Iterable[str]) -> tuple[list[str], list[Buffer]]:
        """The statements of both passes in buffers, and these."""
        emit = Buffered(dict(self.names))
        body: list[str] = []
        for s in (*self.plan.forward, *self.plan.backward):
            body += commented(emit.statement(s, copy=s.key in results), self.mathematics(s))
        return body, emit.buffers

    def lines(self, statements: Sequence[Statement], results: Iterable[str]) -> list[str]:
        """The lines of statements; ``results`` may not be views of other quantities."""
        return [line for s in statements for line in self._line(s, copy=s.key in results)]

    def results(self, opening: str, closing: str) -> list[str]:
        """The dictionary of results, by the model's own names."""
        items = [f"{key_of(k)}: {self.names[name]}" for k, name in self.plan.results.items()]
        return listing(items, opening, closing, 96)

    def saved(self, body_of_backward: Sequence[str]) -> tuple[str, ...]:
        """What the cache holds: what backward uses, and an array for each extent that it uses."""
        saved = list(self.plan.saved)
        for d in self.program.dims:
            if not uses(body_of_backward, self.names[d.name]):
                continue
            saved += self._showing(d, saved)
        if uses(body_of_backward, "dtype") and not self._real(saved):
            saved.append(next(q.name for q in self.program.inputs if q.role != "index"))
        order = [*(q.name for q in self.program.inputs), *self.filled()]
        return tuple(k for k in order if k in saved)

    def _showing(self, d: Symbol, saved: Sequence[str]) -> list[str]:
        """The inputs to save beside others so that ``d`` can be read off: one if one will do."""

        def shows(keys: Sequence[str]) -> bool:
            shapes = [(k, self.shape_of(k)) for k in (*saved, *keys)]
            return d.name in extents(shapes, self.names)

        inputs = [q.name for q in self.program.inputs]
        if shows(()):
            return []
        if not shows(inputs):
            raise _unseen(d.name)
        if (single := next((n for n in inputs if shows([n])), None)) is not None:
            return [single]
        for name in inputs:
            rest = [n for n in inputs if n != name]
            inputs = rest if shows(rest) else inputs
        return inputs

    def filled(self) -> tuple[str, ...]:
        """What the forward pass computes, in order."""
        return tuple(s.key for s in self.plan.forward)

    def shape_of(self, key: str) -> Shape:
        """The shape of a quantity or of a statement."""
        for s in (*self.plan.forward, *self.plan.backward):
            if s.key == key:
                return s.term.shape
        return self.program.shape_of(key.removeprefix("grad_") if key == self.plan.seed else key)

    def _real(self, keys: Sequence[str]) -> str:
        """The first of these that does not hold labels, nothing if all do."""
        labels = {q.name for q in self.program.inputs if q.role == "index"}
        return next((self.names[k] for k in keys if k not in labels), "")

    def functions(self, statements: Sequence[Statement]) -> tuple[str, ...]:
        """Abstract functions that the statements call, in order of first use."""
        found = (f for s in statements for f in called(s.term) if f not in SPELLED)
        return tuple(dict.fromkeys(found))

    def mathematics(self, s: Statement) -> str:
        """What a statement computes, as a comment: as the model has it, before any rewriting."""
        meant = s.term if s.equation is None or s.equation.hidden else s.equation.term
        hidden = {e.name: e.term for e in self.program.equations if e.hidden}
        return mathematics(s.key, expand(meant, hidden))

    def _backward(self) -> list[str]:
        return self.lines(self.plan.backward, tuple(self.plan.results.values()))

    def _line(self, s: Statement, *, copy: bool, indent: int = 4) -> list[str]:
        value = self.writer.source(s.term)
        if copy and s.term.op == "broadcast":
            value = f"np.array({value})"
        elif copy and s.term.shape and is_view(s.term):
            value = f"{value}.copy()"
        elif copy and is_static(s.term):
            value = f"dtype.type({value})"
        return commented([f"{self.names[s.key]} = {value}"], self.mathematics(s), indent)

    def line(self, s: Statement) -> list[str]:
        """A statement as lines; its value may be a view."""
        return self._line(s, copy=False)

    def opening(self, body: Sequence[str]) -> list[str]:
        """The lines that check the arguments and learn what the body uses of them."""
        own = self.inputs
        left = f"({own[0]},)" if len(own) == 1 else ", ".join(own)
        shapes = [(q.name, q.shape) for q in self.program.inputs]
        checked = commented([f"{left} = {self.checker}({', '.join(own)})"], "")
        return [*checked, *self._preamble(body, shapes)]

    def _preamble(self, body: Sequence[str], shapes: Sequence[tuple[str, Shape]]) -> list[str]:
        """Extents and the dtype, where the body uses them."""
        found = extents(shapes, self.names)
        used = [d.name for d in self.program.dims if uses(body, self.names[d.name])]
        for d in used:
            if d not in found:
                raise _unseen(d)
        lines = [f"{self.names[d]} = {found[d]}" for d in used]
        if uses(body, "dtype"):
            lines.append(f"dtype = {self._real([k for k, _ in shapes])}.dtype")
        return lines


def _unseen(d: str) -> NotSupported:
    return NotSupported(
        "an array that has each extent in use on an axis, by itself or as the only unknown",
        f"{d}, which no input shows",
        hint=f"declare an input with an axis of extent {d}",
    )


def passes(record: DerivationRecord, plan: Plan) -> Passes:
    """The passes of a planned record, with an identifier for every name."""
    return Passes(record.program, plan, identifiers(all_names(record.program, plan)))


def key_of(key: str) -> str:
    """The code of a key of the results: of a Hessian's block a pair."""
    parts = [f'"{part}"' for part in key.split(",")]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def all_names(program: Program, plan: Plan) -> list[str]:
    """Every name that code of a plan mentions: those of the model first."""
    everything = [q.name for q in program.inputs] + [d.name for d in program.dims]
    everything += program.functions
    statements = (*plan.forward, *plan.backward)
    everything += [s.key for s in statements]
    everything += [f for s in statements for f in called(s.term) if f not in SPELLED]
    return everything + ([plan.seed] if plan.seed else [])


def uses(lines: Iterable[str], word: str) -> bool:
    """Whether code (no comment) uses an identifier: no attribute, no keyword's name."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)(?!=[^=])")
    return any(pattern.search(line.partition("#")[0]) for line in lines)


def helpers_in(lines: Iterable[str]) -> tuple[str, ...]:
    """The helpers that code calls, in the table's order."""
    listed = list(lines)
    known = {**HELPERS, **ARRAY_HELPERS}
    own = tuple(h for h, called in known.items() if uses(listed, called))
    return own + windows.helpers_in(lambda called: uses(listed, called))


def called(term: Term) -> Iterator[str]:
    """The functions that a term applies."""
    if term.op == "apply":
        yield term.attrs[0]
    for a in term.args:
        yield from called(a)
