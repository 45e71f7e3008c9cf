"""A derivation as an importable NumPy module: ``kernel_source(record, title=…, source_text=…)``.

Gathers what the template prints, as strings and flat records: arguments with their checks, the
statements of both passes with the mathematics of each, the buffers of the workspace, the loop of
``fit`` and how the self-test draws its data. The template loops and inserts. The same record gives
the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from symbackprop.backends.numpy.arguments import (
    Argument,
    arguments,
    as_tuple,
    divisors,
    extents,
)
from symbackprop.backends.numpy.descent import descent
from symbackprop.backends.numpy.hessian import hessian_lines
from symbackprop.backends.numpy.layout import commented, laid_out
from symbackprop.backends.numpy.names import identifiers
from symbackprop.backends.numpy.passes import Passes, all_names, helpers_in, passes, uses
from symbackprop.backends.numpy.plan import plan
from symbackprop.backends.numpy.records import Dim, Function, Further, Kernel, Value
from symbackprop.backends.numpy.recurrent_passes import recurrent_passes
from symbackprop.backends.numpy.recurrent_plan import recurrent_plan
from symbackprop.backends.numpy.sampling import draw, sampled_facts, sizes
from symbackprop.backends.templates import environment, version
from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.program import Fact, Program
from symbackprop.ir.terms import Shape

KINDS = ("gradient", "jacobian", "hessian", "hvp", "jvp", "vjp")
SECOND_ORDER = ("hessian", "hvp")
DTYPES = ("float32", "float64")


def kernel_source(
    record: DerivationRecord,
    *,
    title: str,
    source_text: str,
    dtype: str | None = None,
    gradient: DerivationRecord | None = None,
) -> str:
    """The kernel of a derivation as the text of an importable module.

    Parameters
    ----------
    record : DerivationRecord
        Gradients of a scalar, the vector–Jacobian product of an array, Jacobians, Hessians, or
        products of either with a direction, in the layout ``notes`` (a gradient has the shape of
        its variable).
    title : str
        The name of the model.
    source_text : str
        The text of the model; its hash goes into the header, the text does not.
    dtype : str, optional
        ``float32`` or ``float64`` to compute in, whatever arrives; by default the arrays' own.
    gradient : DerivationRecord, optional
        For ``hessian`` and ``hvp``: the gradients by the same quantities, which the module exports
        too and is tested against.

    Raises
    ------
    NotSupported
        If the kind of derivative, or an operation in it, has no kernel yet.
    Malformed
        For another layout or dtype.
    """
    if record.kind not in KINDS:
        raise NotSupported(f"a derivation of kind {' or '.join(KINDS)}", record.kind)
    if record.layout != "notes":
        raise Malformed("the layout notes", record.layout, hint="derive without --layout")
    if dtype not in (None, *DTYPES):
        raise Malformed(f"a dtype: {' or '.join(DTYPES)}", repr(dtype))
    kernel = _assemble(record, gradient or _bare(record), _safe(title), source_text, dtype)
    return laid_out(environment("py").get_template("module.py.jinja").render(k=kernel))


def _safe(title: str) -> str:
    """A title that can stand in a docstring: words, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", title)[:40].strip("_.") or "model"


def _bare(record: DerivationRecord) -> DerivationRecord:
    """What the module has beside the function asked for: ``forward`` alone, without directions."""
    if record.kind in ("gradient", "jacobian"):
        return record
    if record.kind in SECOND_ORDER:
        raise NotSupported("the gradients beside a kernel of second order", "none")
    fresh = {v for v in record.directions.values() if v.startswith("v_")}
    inputs = tuple(q for q in record.program.inputs if q.name not in fresh)
    program = replace(record.program, inputs=inputs)
    return replace(record, program=program, kind="jacobian", derivatives=(), directions={})


def _assemble(
    record: DerivationRecord, base: DerivationRecord, title: str, text: str, dtype: str | None
) -> Kernel:
    program = base.program
    planned = recurrent_plan(base) if program.families else plan(base)
    p = (recurrent_passes if program.families else passes)(base, planned)
    more = None
    if record.kind != "gradient":
        asked = planned if record is base else plan(record)
        names = identifiers([*all_names(program, planned), *all_names(record.program, asked)])
        p = replace(p, names=names)
        extended = record.program.inputs != program.inputs
        more = Passes(record.program, asked, names, "_checked_all" if extended else "_checked")
    results = _results(p)
    learnt = tuple(r.key for r in results if r.key in program.params)
    seeded, has_loss = bool(planned.seed), base.kind == "gradient"
    forward = p.forward()
    backward = p.backward() if has_loss else []
    buffered, buffers = p.buffered() if has_loss and not seeded else ([], [])
    functions = _functions(p, p.functions(planned.forward))
    slopes = _functions(p, p.functions(planned.backward)) if has_loss else ()
    facts = sampled_facts(program)
    given = {q.name for q in program.inputs}
    known = extents([(q.name, q.shape) for q in program.inputs], p.names)
    further = None if more is None else _further(record, more, program, facts)
    shown = () if further is None else further.lines
    return Kernel(
        title=title,
        version=version(),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        dtype=dtype,
        kind=base.kind,
        output=_value(p, record.of, record.of),
        arguments=_arguments(p),
        functions=functions,
        slopes=slopes,
        callables=tuple(dict.fromkeys((*functions, *slopes))),
        results=results,
        seed=_value(p, planned.seed, planned.seed) if planned.seed else None,
        forward=tuple(forward),
        backward=tuple(backward),
        buffered=tuple(buffered),
        buffers=tuple(buffers),
        checks=tuple(_checks(p)),
        dims=tuple(Dim(p.names[d], v) for d, v in sizes(program).items() if d in known),
        helpers=helpers_in((*forward, *backward, *buffered, *shown)),
        saved=p.saved(backward),
        descent=descent(program, p.names, learnt),
        draws=tuple(f'"{p.names[q.name]}": {draw(q, facts, p.writer)}' for q in program.inputs),
        samplers=tuple(sorted({f.kind for f in facts})),
        tested=as_tuple([f'("{p.names[r.key]}", "{r.key}")' for r in results if r.key in given]),
        further=further,
    )


def _further(record: DerivationRecord, p: Passes, base: Program, facts: Sequence[Fact]) -> Further:
    """The function that computes ``record``, beside those of ``base``."""
    structure, given = record.structure, {q.name for q in base.inputs}
    fresh = [q for q in record.program.inputs if q.name not in given]
    statements = (*p.used_forward(), *p.plan.backward)
    moves = {x: v for x, v in record.directions.items() if x in given or record.kind == "vjp"}
    whole = moves == dict(record.directions)
    about = {v: f"The direction along {x}." for x, v in record.directions.items() if v not in given}
    return Further(
        name=record.kind,
        of=record.of,
        arguments=tuple(
            replace(a, says=about[a.key]) if a.key in about else a for a in _arguments(p)
        ),
        callables=_functions(p, p.functions(statements)),
        results=_blocks(record, p) if structure else _results(p),
        lines=tuple(hessian_lines(p, structure) if structure else p.whole()),
        checks=tuple(_checks(p)) if fresh else (),
        draws=tuple(f'"{p.names[q.name]}": {draw(q, facts, p.writer)}' for q in fresh),
        moves=tuple((p.names.get(x, x), p.names[v]) for x, v in moves.items() if whole),
        tested=as_tuple([f'("{p.names[k]}", "{k}")' for k in p.plan.results if k in given]),
    )


def _results(p: Passes) -> tuple[Value, ...]:
    return tuple(_value(p, key, name) for key, name in p.plan.results.items())


def _blocks(record: DerivationRecord, p: Passes) -> tuple[Value, ...]:
    """The blocks of a Hessian that is made up of parts."""
    out = []
    for a in record.wrt:
        for b in record.wrt:
            kind = _kind(p, record.program.shape_of(a) + record.program.shape_of(b))
            out.append(Value("", f"{a},{b}", kind, "Array", f'"{a}", "{b}"'))
    return tuple(out)


def _arguments(p: Passes) -> tuple[Argument, ...]:
    return arguments(p.program, p.names, p.writer.extent)


def _checks(p: Passes) -> list[str]:
    """The lines that check the arguments in order and learn the extents."""
    lines: list[str] = []
    for d in divisors(p.plan.forward, p.program):
        lines.append(f"if {p.names[d]} == 0:")
        lines.append(f'    raise ValueError("{d} is 0, and the model divides by it")')
    for q in p.program.inputs:
        if q.bound is not None:
            t, bound = p.names[q.name], p.writer.extent(q.bound)
            lines.append(f"if np.any(({t} < 0) | ({t} >= {bound})):")
            must = f"{q.name} must hold integers from 0 to {bound} - 1"
            lines.append(f'    raise ValueError("{must}")')
    expected = _arguments(p)
    lines = [row for a in expected if a.again for row in _check(a, a.again)] + lines
    for a in reversed(expected):
        for d, code in reversed(a.learns):
            if uses(lines, d):
                lines = [f"{d} = {code}", *lines]
        lines = [*_check(a, a.wanted), *lines]
    return lines


def _check(a: Argument, wanted: str) -> list[str]:
    """The line that holds an argument against the shape ``wanted``."""
    dtype = "np.dtype(np.intp)" if a.integer else "dtype"
    call = f'{a.name} = _array("{a.key}", {a.name}, {dtype}, "{a.shape}", {wanted})'
    return commented([call], "")


def _functions(p: Passes, called: Sequence[str]) -> tuple[Function, ...]:
    return tuple(Function(p.names[f], f, *_about(f)) for f in called)


def _about(function: str) -> tuple[str, str]:
    """What an abstract function is, and what stands for it in the self-test."""
    for suffix, word, test in (
        ("_pprime", "second derivative", "-2 * np.tanh(z) * (1 - np.tanh(z) ** 2)"),
        ("_prime", "derivative", "1 - np.tanh(z) ** 2"),
    ):
        if function.endswith(suffix):
            return f"The {word} of ``{function.removesuffix(suffix)}``, entry by entry.", test
    return "Applied to an array, entry by entry.", "np.tanh(z)"


def _value(p: Passes, key: str, name: str) -> Value:
    shape = p.shape_of(name)
    label = ", ".join(f'"{part}"' for part in key.split(","))
    return Value(p.names[name], key, _kind(p, shape), "Array" if shape else "Scalar", label)


def _kind(p: Passes, shape: Shape) -> str:
    return f"array of shape {p.writer.shape(shape)}" if shape else "float"
