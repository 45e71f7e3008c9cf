"""Gradients compared as numbers: what a function returned beside what is true, entry by entry.

What is true is known in three ways that share nothing but the model: the gradient as derived,
central differences of the model's evaluator, and the complex step f(x + ih)/h, which has no
rounding error but needs every function continued off the real axis. Takes arrays; gives for each
gradient the largest error and the entries that differ, with a word on the pattern where there is
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbackprop.checking.report import plain
from symbackprop.ir.arithmetic import Array
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.program import Program

TOLERANCE = 1e-6
DIFFERENCE, COMPLEX = 1e-6, 1e-30  # steps
MOST_ENTRIES = 300  # of one input that are differenced
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Reference:
    """The true values of one gradient at a point, by three ways; the last where there is one."""

    derived: Array
    differences: Array
    complex_step: Array | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that differs."""

    index: tuple[int, ...]
    got: float
    expected: float
    differences: float
    complex_step: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "index": list(self.index),
            "got": _finite(self.got),
            "expected": _finite(self.expected),
            "central_difference": _finite(self.differences),
            "complex_step": None if self.complex_step is None else _finite(self.complex_step),
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """One gradient at the point that shows the largest error."""

    of: str
    verdict: str
    max_error: float
    dims: dict[str, int]
    shape: tuple[int, ...]
    differing: int
    entries: tuple[Entry, ...]
    note: str
    reference_error: float

    def as_json(self) -> dict[str, Any]:
        return {
            "of": self.of,
            "verdict": self.verdict,
            "max_error": _finite(float(f"{self.max_error:.2e}")),
            "dims": self.dims,
            "shape": list(self.shape),
            "differing": self.differing,
            "entries": [e.as_json() for e in self.entries],
            "note": self.note or None,
            "reference_error": float(f"{self.reference_error:.1e}"),
        }


def _finite(x: float) -> float | str:
    """A number that JSON has, or a word."""
    return plain(float(x)) if np.isfinite(x) else str(x)


def reference(name: str, program: Program, point: Point) -> Reference:
    """The true gradient of the output by ``name``; ``point`` has everything computed, the
    gradients included.
    """
    derived = np.asarray(point.values[f"grad_{name}"], dtype=float)
    x = np.asarray(point.values[name], dtype=float)
    differences = np.full(x.shape, np.nan)
    step: Array | None = np.full(x.shape, np.nan)
    for at in _places(x):
        h = DIFFERENCE * max(1.0, abs(float(x[at])))
        ahead, behind = (_output(program, point, name, x, at, d) for d in (h, -h))
        differences[at] = (ahead - behind).real / (2 * h)
        if step is not None:
            try:
                step[at] = _output(program, point, name, x, at, COMPLEX * 1j).imag / COMPLEX
            except TypeError:  # a function that knows no complex numbers, such as erf
                step = None
    return Reference(derived, differences, step)


def _places(x: Array) -> Iterator[tuple[int, ...]]:
    """The entries that are differenced: all, or evenly spread ones of many."""
    every = max(1, -(-x.size // MOST_ENTRIES))
    for k, at in enumerate(np.ndindex(x.shape)):
        if k % every == 0:
            yield at


def _output(
    program: Program, point: Point, name: str, x: Array, at: tuple[int, ...], step: complex
) -> Any:
    """The output with one entry moved; a quantity computed on the way is then an input."""
    moved = x.astype(complex if isinstance(step, complex) else float)
    moved[at] += step
    values = {q.name: point.values[q.name] for q in program.inputs} | {name: moved}
    rest = tuple(e for e in program.equations if e.name != name)
    end = run(replace(program, equations=rest), replace(point, values=values))
    return np.asarray(end.values[program.output])[()]


def compared(
    of: str, got: Any, true: Reference, dims: dict[str, int], tolerance: float = TOLERANCE
) -> Compared:
    """What was returned for one gradient beside the truth."""
    expected = true.derived
    reliable = _error(true.differences, expected, np.isfinite(true.differences))
    try:
        value = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        note = f"it is no array of numbers: {type(got).__name__}"
        return Compared(of, "refuted", np.inf, dims, expected.shape, expected.size, (), note,
                        reliable)  # fmt: skip
    note = ""
    if value.shape != expected.shape:
        note = f"its shape is {value.shape}, the gradient's is {expected.shape}"
        if not _same_but_ones(value.shape, expected.shape):
            turned = value.shape == expected.shape[::-1] and _close(value.T, expected, tolerance)
            note += "; its transpose is right" if turned else ""
            return Compared(of, "refuted", np.inf, dims, value.shape, expected.size, (), note,
                            reliable)  # fmt: skip
        value = value.reshape(expected.shape)
    wrong = ~_near(value, expected, tolerance)
    entries = tuple(_entry(tuple(map(int, at)), value, true) for at in np.argwhere(wrong))
    if entries:
        note = "; ".join(filter(None, (note, _pattern(value, expected, tolerance))))
    return Compared(
        of,
        "refuted" if entries else "agrees",
        _error(value, expected, np.ones(expected.shape, dtype=bool)),
        dims,
        np.shape(got),
        len(entries),
        entries[:MOST_SHOWN],
        note,
        reliable,
    )


def _entry(at: tuple[int, ...], value: Array, true: Reference) -> Entry:
    step = true.complex_step
    return Entry(
        at,
        float(value[at]),
        float(true.derived[at]),
        float(true.differences[at]),
        None if step is None else float(step[at]),
    )


def _same_but_ones(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether a vector was returned as a row or a column: axes of extent 1 apart, the same."""
    return max(len(a), len(b)) <= 2 and [n for n in a if n != 1] == [n for n in b if n != 1]


def _near(a: Array, b: Array, tolerance: float) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(a - b) <= tolerance * (1 + np.abs(b)))


def _close(a: Array, b: Array, tolerance: float) -> bool:
    return a.shape == b.shape and bool(np.all(_near(a, b, tolerance)))


def _error(a: Array, b: Array, where: Array) -> float:
    with np.errstate(invalid="ignore"):
        gap = np.abs(a - b)[where] / (1 + np.abs(b)[where])
    return float(np.max(np.where(np.isnan(gap), np.inf, gap), initial=0.0))


def _pattern(value: Array, expected: Array, tolerance: float) -> str:
    """What all entries have in common, where they do."""
    if value.ndim == 2 and _close(value.T, expected, tolerance):
        return "it is the transpose of what is right"
    some = np.abs(expected) > 1e-3
    if not some.any() or not np.all(np.isfinite(value)):
        return ""
    ratio = float(np.median(value[some] / expected[some]))
    if abs(ratio) > tolerance and _close(value, ratio * expected, tolerance):
        return f"every entry is {ratio:.6g} times what is right"
    return ""
