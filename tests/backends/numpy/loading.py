"""Kernels as modules, for the tests: derived once a session, run from their source."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from symbackprop.backends.numpy.kernel import kernel_source
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.program import Program
from symbackprop.network.model import load, parse
from symbackprop.network.shipped import shipped_models
from symbackprop.pipeline.compilation import derive
from tests.models.whole import SINGLE

SHIPPED = SINGLE
SLOPES = {"f": np.tanh, "f_prime": lambda z: 1 - np.tanh(z) ** 2}


@lru_cache(maxsize=64)
def record(model: str, **options: Any) -> DerivationRecord:
    """The derivation of a shipped model, or of a model's text."""
    return derive(load(model) if model in shipped_models() else parse(model), **options).record


@lru_cache(maxsize=64)
def source(model: str, dtype: str | None = None, **options: Any) -> str:
    """The kernel of a model as text."""
    title = model if model in shipped_models() else "test"
    return kernel_source(record(model, **options), title=title, source_text=model, dtype=dtype)


def module(text: str) -> ModuleType:
    """Generated source, run."""
    made = ModuleType("kernel")
    exec(compile(text, "kernel.py", "exec"), made.__dict__)
    return made


@lru_cache(maxsize=64)
def kernel(model: str, dtype: str | None = None, **options: Any) -> ModuleType:
    """The kernel of a model as a module."""
    return module(source(model, dtype, **options))


def shape(program: Program, name: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape of an input at given sizes."""
    return tuple(extent(program, e, sizes) for e in program.shape_of(name))


def extent(program: Program, e: Expr, sizes: dict[str, int]) -> int:
    """An extent at given sizes."""
    at = {Symbol(d.name, integer=True, positive=True): sizes[d.name] for d in program.dims}
    return int(e.xreplace(at))


def draw(
    program: Program,
    sizes: dict[str, int],
    dtype: Any = np.float64,
    scale: float = 1.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Arrays for every input that respect the declared facts."""
    rng = np.random.default_rng(seed)
    facts = {f.name: f.kind for f in program.facts}
    given = {}
    for q in program.inputs:
        own = shape(program, q.name, sizes)
        if q.bound is not None:
            given[q.name] = rng.integers(extent(program, q.bound, sizes), size=own)
            continue
        sample = SAMPLES.get(facts.get(q.name, ""), lambda r, own: scale * r.standard_normal(own))
        given[q.name] = np.asarray(sample(rng, own), dtype)
    return given


# fmt: off
SAMPLES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "onehot":      lambda r, own: np.eye(own[-1])[r.integers(own[-1], size=own[:-1])],
    "binary":      lambda r, own: r.integers(2, size=own).astype(float),
    "sign":        lambda r, own: r.choice([-1.0, 1.0], size=own),
    "positive":    lambda r, own: r.uniform(0.5, 1.5, own),
    "nonnegative": lambda r, own: r.uniform(0.5, 1.5, own),
    "causal":      lambda r, own: np.where(np.tri(*own) > 0, 0.0, -np.inf),
}
# fmt: on


def functions(program: Program, module: ModuleType, name: str) -> dict[str, Any]:
    """What the abstract functions that a generated function asks for are: tanh and its slope."""
    code = getattr(module, name).__code__
    asked = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return {k: v for k, v in SLOPES.items() if k in asked}
