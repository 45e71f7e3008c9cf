"""``check MODEL file.py --function f``: a gradient function run, and its numbers compared.

Unlike ``verify``, which only reads code, this runs it: in a process of its own, with a time limit,
on small random data that respect the model's facts. What it returns is compared with the derived
gradient, central differences and the complex step. Agreement at a few points is no proof, and is
called ``agrees``; one difference refutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.checking.numeric import TOLERANCE, Compared, compared, reference
from symbackprop.checking.numpy_claims import SKIPPED
from symbackprop.checking.numpy_names import closest, quantities, stems
from symbackprop.checking.truth import gradients
from symbackprop.errors import Malformed, NotSupported, Span
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.program import Program
from symbackprop.ir.sample import admissible, draw
from symbackprop.network.model import Model
from symbackprop.notation.numpy_reader import read_call
from symbackprop.pipeline import runner
from symbackprop.pipeline.compilation import program_of
from symbackprop.pipeline.papers import read_text

SECONDS = 60.0
SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class NumericCheck:
    """What came of running a gradient function."""

    gradients: tuple[Compared, ...]
    ignored: tuple[str, ...]
    points: int

    @property
    def verdict(self) -> str:
        """``agrees``, ``refuted``, or ``undecided`` where it returned no gradient."""
        if not self.gradients:
            return "undecided"
        return "refuted" if any(g.verdict == "refuted" for g in self.gradients) else "agrees"

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "verdict": self.verdict,
            "points": self.points,
            "gradients": [g.as_json() for g in self.gradients],
            "ignored": list(self.ignored),
        }

    def __str__(self) -> str:
        wrong = [g.of for g in self.gradients if g.verdict == "refuted"]
        count = f"{len(self.gradients)} gradient{'' if len(self.gradients) == 1 else 's'}"
        said = f"{', '.join(wrong)} of {count}" if wrong else f"{count} at {self.points} points"
        lines = [f"{self.verdict}: {said}"]
        for g in self.gradients:
            lines.extend(_lines(g))
        lines.extend(f"  ignored: {name} (no gradient of the model)" for name in self.ignored)
        return "\n".join(lines)


def _lines(g: Compared) -> list[str]:
    """A gradient in a line, and a line for each entry that differs."""
    known = f"derived and central differences agree to {g.reference_error:.0e}"
    lines = [f"  {g.of:<8} {g.verdict:<8} max error {g.max_error:.1e}   ({known})"]
    if g.note:
        lines.append(f"           {g.note}")
    if g.entries:
        at = ", ".join(f"{k} = {v}" for k, v in g.dims.items())
        more = f", {len(g.entries)} shown" if g.differing > len(g.entries) else ""
        many = "entry differs" if g.differing == 1 else "entries differ"
        lines.append(f"           {g.differing} {many}{more}{f' at {at}' if at else ''}")
    for e in g.entries:
        place = f"[{', '.join(map(str, e.index))}]" if e.index else ""
        step = "" if e.complex_step is None else f"   complex step {e.complex_step:.6g}"
        lines.append(
            f"           {g.of}{place}: got {e.got:.6g}, expected {e.expected:.6g}"
            f"   central difference {e.differences:.6g}{step}"
        )
    return lines


def check(
    model: Model,
    path: str,
    *,
    function: str,
    call: str | None = None,
    returns: str | Sequence[str] | None = None,
    seconds: float = SECONDS,
    tolerance: float = TOLERANCE,
) -> NumericCheck:
    """Run a gradient function of a file and compare what it returns.

    Parameters
    ----------
    model : Model
        What it is the gradient of.
    path : str
        The Python file, which is imported in a process of its own.
    function : str
        The function. Its parameters are given by their names: inputs, quantities on the way,
        ``grad_X``, extents, abstract functions.
    call : str, optional
        How it is called, where the names differ: ``backward(grad_Z, (X, W, b))``; it may call
        other functions of the file.
    returns : str or sequence of str, optional
        Whose gradients it returns, in order, ``_`` for what is none; a dict speaks for itself.
    seconds : float
        The time it may take in all.
    tolerance : float
        How far an entry may be off, in proportion to 1 + its size.

    Raises
    ------
    Malformed
        If the file cannot be run, the function raises, or what it returns is not named.
    """
    program = program_of(model)
    if program.shape_of(program.output):
        raise NotSupported("a model with a scalar output", f"{program.output}, an array")
    names = _names(returns, program)
    if call is not None:
        read_call(call)
    points = tuple(_points(program))
    said, found = _run(path, read_text(path), function, call, program, points, seconds)
    return _outcome(program, points, said, found, names, tolerance)


def _names(returns: str | Sequence[str] | None, program: Program) -> tuple[str, ...]:
    items = returns.replace(" ", "").split(",") if isinstance(returns, str) else returns or ()
    for item in items:
        if item not in (*SKIPPED, *quantities(program)):
            known = ", ".join(quantities(program))
            raise Malformed(f"names of the model: {known}", item, hint="--returns W,b")
    return tuple(items)


def _points(program: Program) -> list[Point]:
    """Everything at a few points: distinct extents, others, and equal ones if there may be."""
    functions: dict[str, Callable[..., object]] = {
        f + suffix: form for f in program.functions for suffix, form in runner.ABSTRACT.items()
    }
    whole = program.extended(gradients(program))
    out = []
    for seed in SEEDS:
        equal = dict.fromkeys((d.name for d in program.dims), 3) if seed == SEEDS[-1] else None
        if equal is not None and not admissible(program, equal):
            equal = None
        point = draw(program, np.random.default_rng(seed), dims=equal)
        out.append(run(whole, replace(point, functions=functions)))
    return out


def _run(
    path: str,
    text: str,
    function: str,
    call: str | None,
    program: Program,
    points: Sequence[Point],
    seconds: float,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the function says at the points, run elsewhere."""
    given = {f"{k}/{n}": v for k, p in enumerate(points) for n, v in _given(p, program).items()}
    job = {
        "file": str(Path(path).resolve()),
        "function": function,
        "call": call,
        "abstract": list(program.functions),
        "points": len(points),
    }
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        np.savez(folder / "given.npz", **given)
        try:
            done = subprocess.run(
                [sys.executable, "-I", runner.__file__, name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise Malformed(
                f"a function that answers in {seconds:g} s",
                "no answer",
                hint="guard what trains by `if __name__ == '__main__':`, or --time-limit",
            ) from None
        if not (folder / "said.json").exists():
            raise Malformed("a function that returns", f"its process ended with {done.returncode}")
        said = json.loads((folder / "said.json").read_text("utf-8"))
        _complain(said, path, text)
        with np.load(folder / "found.npz") as arrays:
            return said, {key: arrays[key] for key in arrays.files}


def _given(point: Point, program: Program) -> Mapping[str, Any]:
    """What a function may be given: data, quantities, gradients and extents under their names."""
    inside = {e.name for e in program.equations if e.hidden}
    hidden = inside | {f"grad_{name}" for name in inside}
    index = {q.name for q in program.inputs if q.role == "index"}
    arrays = {
        name: np.asarray(value, dtype=int if name in index else float)
        for name, value in point.values.items()
        if name not in hidden
    }
    return {**{k: np.asarray(v) for k, v in point.dims.items()}, **arrays}


def _complain(said: Mapping[str, Any], path: str, text: str) -> None:
    """What went wrong in the other process, as an error of ours."""
    if "complaint" in said:
        raise Malformed(
            "a function that can be called",
            said["complaint"],
            hint="--function backward --call 'backward(grad_Z, (X, W, b))' --returns X,W,b",
        )
    if "error" in said:
        span = None
        if said["line"]:
            start = sum(len(row) + 1 for row in text.split("\n")[: said["line"] - 1])
            row = text[start:].partition("\n")[0]
            span = Span(path, text, start + len(row) - len(row.lstrip()), start + len(row))
        raise Malformed(
            "a function that runs on the model's data", f"{said['error']}: {said['message']}", span
        )


def _outcome(
    program: Program,
    points: Sequence[Point],
    said: Mapping[str, Any],
    found: Mapping[str, Any],
    names: tuple[str, ...],
    tolerance: float,
) -> NumericCheck:
    """Each gradient at the point where it is worst."""
    worst: dict[str, Compared] = {}
    ignored: dict[str, None] = {}
    for k, (point, told) in enumerate(zip(points, said["points"], strict=True)):
        for key, of in _meant(told, names, program).items():
            if of is None:
                ignored[key] = None
                continue
            got = found.get(f"{k}/{key}")
            here = compared(of, got, reference(of, program, point), dict(point.dims), tolerance)
            if of not in worst or here.max_error > worst[of].max_error:
                worst[of] = here
    return NumericCheck(tuple(worst.values()), tuple(ignored), len(points))


def _meant(
    told: Mapping[str, Any], names: tuple[str, ...], program: Program
) -> dict[str, str | None]:
    """Which gradient each thing returned is: by its key, or by its place in ``--returns``."""
    known, keys = quantities(program), told["keys"]
    if told["kind"] == "dict":
        return {key: _named(key, known) for key in keys}
    if not names:
        raise Malformed(
            "a dict of gradients, or --returns",
            f"{len(keys)} value{'' if len(keys) == 1 else 's'} without names",
            hint="--returns W,b, in the order in which they are returned",
        )
    if len(names) != len(keys):
        raise Malformed(f"{len(names)} values, as --returns says", f"{len(keys)}")
    return {key: of for key, of in zip(keys, names, strict=True) if of not in SKIPPED}


def _named(key: str, known: Sequence[str]) -> str | None:
    """The quantity whose gradient a key holds: ``W``, ``dW``, ``grad_W``."""
    if key in known:
        return key
    for stem in stems(key):
        if stem in known or closest(stem, known) is not None:
            return stem if stem in known else closest(stem, known)
    return None
