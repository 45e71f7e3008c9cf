"""How the self-test of a kernel draws its arrays: a row a fact, so that data respect the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from operator import eq, ge, gt, le, lt, ne

from sympy import Expr, Integer

from symbackprop.backends.numpy.terms import Writer
from symbackprop.errors import Malformed
from symbackprop.ir.evaluate import extent_value
from symbackprop.ir.program import Fact, Program, Quantity

SIZES = (4, 3, 5, 2, 6, 7)
_RELATIONS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}

# fmt: off
_ROWS: Mapping[str, str] = {
    "onehot":      "np.eye({last})[rng.integers({last}, size={rest})]",
    "simplex":     "rng.dirichlet(np.ones({last}), size={rest})",
    "binary":      "rng.integers(2, size={shape}).astype(float)",
    "sign":        "rng.choice([-1.0, 1.0], size={shape})",
    "sum":         "{value} * _shares(rng.uniform(0.5, 1.5, size={shape}), {axis})",
    "unit":        "rng.uniform(0.1, 0.9, size={shape})",
    "positive":    "rng.uniform(0.5, 1.5, size={shape})",
    "nonnegative": "rng.uniform(0.5, 1.5, size={shape})",
    "symmetric":   "_symmetric(rng.standard_normal({shape}))",
    "spd":         "_spd(rng.standard_normal({shape}))",
    "invertible":  "rng.standard_normal({shape}) + 3 * np.eye({last})",
    "orthogonal":  "np.linalg.qr(rng.standard_normal({shape}))[0]",
    "causal":      "np.where(np.tri({last}) > 0, 0.0, -np.inf)",
}
# Where several facts are declared, the first of these implies most of the others.
_STRENGTH = (
    "onehot", "simplex", "spd", "orthogonal", "sign", "binary", "unit", "symmetric", "causal",
    "positive", "nonnegative", "invertible",
)
# fmt: on


def draw(q: Quantity, facts: Sequence[Fact], w: Writer) -> str:
    """The code that draws an input from ``rng`` with its fact, or integers below their bound."""
    shape = q.shape
    if q.bound is not None:
        return f"np.asarray(rng.integers({w.extent(q.bound)}, size={w.shape(shape)}))"
    fact = next((f for f in facts if f.name == q.name), None)
    if fact is None:
        normal = f"rng.standard_normal({w.shape(shape)})"
        return normal if shape else "np.array(rng.standard_normal())"
    value = w.extent(Integer(0) + (1 if fact.value is None else fact.value))
    last = w.extent(shape[-1]) if shape else "1"
    rest = w.shape(shape[:-1])
    return _ROWS[fact.kind].format(
        shape=w.shape(shape), last=last, rest=rest, axis=fact.axis, value=value
    )


def sampled_facts(program: Program) -> tuple[Fact, ...]:
    """The facts that inputs are drawn by: one for each, the strongest that was declared."""
    out = []
    for q in program.inputs:
        own = {f.kind: f for f in program.facts if f.name == q.name and not f.derived}
        kind = next((k for k in ("sum", *_STRENGTH) if k in own), None)
        if kind is not None:
            out.append(own[kind])
    return tuple(out)


def sizes(program: Program) -> dict[str, int]:
    """Small extents, different where they may be, that meet the declared conditions.

    Raises
    ------
    Malformed
        If no extents up to 8 do.
    """
    names = [d.name for d in program.dims]
    first = {n: SIZES[k % len(SIZES)] for k, n in enumerate(names)}
    rest = (dict(zip(names, v, strict=True)) for v in product(range(1, 9), repeat=len(names)))
    for candidate in (first, *(rest if len(names) < 6 else ())):
        if _meets(candidate, program):
            return candidate
    raise Malformed("conditions on dims that small sizes can meet", str(program.conditions))


def _meets(at: Mapping[str, int], program: Program) -> bool:
    def value(e: Expr) -> int:
        return extent_value(e, at)

    shapes = [e for q in program.inputs for e in q.shape]
    shapes += [e for q in program.equations for e in q.shape]
    return all(value(e) >= 1 for e in shapes) and all(
        _RELATIONS[op](value(a), value(b)) for a, op, b in program.conditions
    )
