"""Claims about models whose truth is known by value alone: central differences of the evaluator.

A :class:`Setting` holds a model, its true gradients for the verifier, and one random point with
distinct extents at which the gradient of the loss by every quantity was found by differences. A
claim is kept only if it agrees there; a spoilt claim only if it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from random import Random

import numpy as np
from sympy import Expr

from symbackprop import pipeline
from symbackprop.checking.truth import gradients, with_library
from symbackprop.ir.evaluate import Point, evaluate, run
from symbackprop.ir.expressions import Index, entry_names, free_indices
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.sample import draw
from symbackprop.ir.terms import Term
from symbackprop.network.model import Model, parse
from symbackprop.pipeline.compilation import program_of

STEP, CLOSE, APART = 1e-5, 1e-5, 1e-3


@dataclass(frozen=True)
class Claim:
    """``left = right`` for one quantity or gradient, as an array and by entries."""

    name: str
    indices: tuple[Index, ...]
    term: Term | None
    entry: Expr

    @property
    def is_gradient(self) -> bool:
        return self.name.startswith("grad_")


@dataclass(frozen=True)
class Setting:
    """A model with what is true of it."""

    model: Model
    program: Program
    adjoints: tuple[Equation, ...]
    claims: tuple[Claim, ...]
    point: Point

    @property
    def visible(self) -> Program:
        """The model and its gradients, those of nameless quantities aside."""
        return self.program.extended(tuple(a for a in self.adjoints if not a.hidden))

    def value(self, e: Expr, indices: tuple[Index, ...]) -> np.ndarray:
        """All values of an entry at the point."""
        return np.asarray(evaluate(e, self.point, indices, self.program.rules), float)

    def holds(self, claim: Claim, entry: Expr) -> bool | None:
        """Whether an entry has the claim's values; None where that cannot be told."""
        extra = tuple(sorted(free_indices(entry) - set(claim.indices), key=lambda i: i.name))
        true = np.asarray(self.point.values[claim.name], float)
        said = self.value(entry, (*claim.indices, *extra))
        gap = abs(said - true.reshape(true.shape + (1,) * len(extra)))
        scale = 1 + np.max(abs(true), initial=0.0)
        if not np.isfinite(gap).all():
            return None
        worst = float(np.max(gap, initial=0.0)) / scale
        return True if worst < CLOSE else False if worst > APART else None

    def scales(self, claim: Claim, entry: Expr) -> bool:
        """Whether an entry is a positive multiple of the gradient that is claimed."""
        if not claim.is_gradient or not free_indices(entry) <= set(claim.indices):
            return False
        true = np.asarray(self.point.values[claim.name], float)
        said = self.value(entry, claim.indices)
        square = float(np.sum(true * true))
        ratio = float(np.sum(true * said)) / square if square else np.nan
        return ratio > 0 and bool(np.allclose(said, ratio * true, rtol=CLOSE, atol=CLOSE))


def differences(program: Program, point: Point) -> Mapping[str, np.ndarray]:
    """The gradient of the loss by every quantity, each moved by itself, what follows it computed
    again.
    """
    names = [q.name for q in program.inputs if q.role != "index"]
    names += [e.name for e in program.equations]
    return {f"grad_{n}": _difference(program, point, n) for n in names}


def _difference(program: Program, point: Point, name: str) -> np.ndarray:
    base = np.asarray(point.values[name], float)
    after = [e.name for e in program.equations]
    at = after.index(name) + 1 if name in after else 0
    rest = replace(program, equations=program.equations[at:])
    out = np.zeros(base.shape)
    for place in np.ndindex(base.shape):
        sides = []
        for sign in (1, -1):
            moved = base.copy()
            moved[place] += sign * STEP
            values = {**point.values, name: moved}
            sides.append(float(run(rest, replace(point, values=values)).values[program.output]))
        out[place] = (sides[0] - sides[1]) / (2 * STEP)
    return out


@cache
def setting(source: str) -> Setting:
    """What is true of a model given as text."""
    model = parse(source)
    program = with_library(program_of(model))
    rng = np.random.default_rng(len(source))
    point = run(program, draw(program, rng))
    point = replace(point, values={**point.values, **differences(program, point)})
    found = Setting(model, program, gradients(program), (), point)
    forward = [Claim(e.name, e.indices, e.term, e.rhs) for e in program.equations if not e.hidden]
    record = pipeline.derive(model, wrt="all").record
    backward = [
        Claim(d.equation.name, d.equation.indices, d.equation.term, d.equation.rhs)
        for d in record.derivatives
        if not any(s.startswith("grad__") for s in entry_names(d.equation.rhs))
    ]
    kept = tuple(
        c for c in (*forward, *backward) if not any(n.startswith("_") for n in entry_names(c.entry))
    )
    wrong = [c.name for c in kept if found.holds(c, c.entry) is False]
    assert not wrong, f"the derivation is wrong: {wrong} of\n{source}"
    return replace(found, claims=tuple(c for c in kept if found.holds(c, c.entry)))


# fmt: off
ACTIVATIONS = ("tanh", "sigmoid", "relu", "f", "softplus")
LOSSES = {
    "squares":  ("", "sum((A - Y)**2)"),
    "half":     ("", "sum((A - Y)**2) / (2*N)"),
    "softmax":  ("assume Y onehot\n", "-sum(Y * log(P)) / N"),
    "logistic": ("assume Y binary\n", "-sum(Y * log(P) + (1 - Y) * log(1 - P)) / N"),
}
HEADS = {"softmax": "P = softmax({z}, axis=1)\n", "logistic": "P = sigmoid({z})\n"}
# fmt: on


def random_model(random: Random) -> str:
    """A small net with one to three layers, samples as rows, now and then a penalty."""
    layers, loss = random.randint(1, 3), random.choice(sorted(LOSSES))
    extents = ["D", "H", "G"][:layers] + ["K"]
    numbered = layers > 1
    facts, total = LOSSES[loss]
    params, lines, before = [], [], "X"
    functions = set()
    for k in range(1, layers + 1):
        n = str(k) if numbered else ""
        above, below = extents[k], extents[k - 1]
        turned = random.random() < 0.6
        params += [f"W{n}[{above}, {below}]" if turned else f"W{n}[{below}, {above}]"]
        product = f"{before} @ W{n}{'.T' if turned else ''}"
        if random.random() < 0.8:
            params.append(f"b{n}[{above}]")
            product += f" + b{n}"
        lines.append(f"Z{n} = {product}")
        if k < layers:
            name = random.choice(ACTIVATIONS)
            functions |= {name} & {"f"}
            lines.append(f"A{n} = {name}(Z{n})")
            before = f"A{n}"
    last = f"Z{layers if numbered else ''}"
    if loss in HEADS:
        lines.append(HEADS[loss].format(z=last).strip())
    penalty = random.random() < 0.3
    total = total.replace("A", last) + (" + lam * sum(W1**2)" if penalty and numbered else "")
    return (
        f"dims N, {', '.join(dict.fromkeys(extents))}\ndata X[N, {extents[0]}], Y[N, K]"
        + (", lam\n" if penalty and numbered else "\n")
        + f"param {', '.join(params)}\n"
        + "".join(f"function {f}\n" for f in functions)
        + facts
        + "\n".join(lines)
        + f"\nL = {total}\noutput L\n"
    )
