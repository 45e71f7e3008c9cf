"""Which wrong steps only follow from earlier ones, so that damage is not blamed twice.

A refuted step is judged once more in the writer's own world: the model and its gradients, with what
the writer claimed in earlier wrong steps put in and everything after it computed anew. A step that
holds there follows from them. Gives the numbers of the steps from which each follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr

from symbackprop.checking.claims import whole_claim
from symbackprop.checking.document import Document
from symbackprop.checking.scope import GRADIENT
from symbackprop.checking.steps import Step
from symbackprop.checking.truth import gradients
from symbackprop.errors import Malformed
from symbackprop.ir.evaluate import Point, run
from symbackprop.ir.expressions import Index, entry_names, substitute
from symbackprop.ir.program import Equation, Program

MOST_WORLDS = 12
Claimed = tuple[tuple[Index, ...], Expr]


def consequences(steps: Sequence[Step], document: Document) -> Mapping[int, tuple[int, ...]]:
    """For each refuted step that holds given earlier wrong ones, the numbers of these."""
    out: dict[int, tuple[int, ...]] = {}
    wrong: list[int] = []
    worlds = 0
    for k, step in enumerate(steps):
        if step.verdict != "refuted":
            continue
        found = step.comparison
        for blamed in _suspects(wrong) if found is not None and found.shapes is None else ():
            worlds += 1
            if worlds <= MOST_WORLDS and _holds(step, [steps[j] for j in blamed], document):
                out[k] = blamed
                break
        if k not in out:
            wrong.append(k)
    return out


def uses_wrong(steps: Sequence[Step], document: Document) -> Mapping[int, tuple[int, ...]]:
    """For each step that is right in itself, the wrong earlier steps whose gradients it uses."""
    wrong: dict[str, int] = {}
    out: dict[int, tuple[int, ...]] = {}
    for k, step in enumerate(steps):
        own = whole_claim(step)
        if step.verdict == "refuted" and own is not None:
            wrong[own[0].removeprefix(GRADIENT)] = k
        elif step.verdict == "proved" and step.claim is not None:
            used = document.scope.mentions_gradient(step.claim.expr)
            met = tuple(sorted(wrong[n] for n in used if n in wrong))
            if met:
                out[k] = met
    return out


def said_of_others(follows: Sequence[int], uses: Sequence[int]) -> tuple[str, ...]:
    """Notes on what a step owes to other steps."""
    if follows:
        return (f"it follows from {_enumerated(follows)}",)
    return (f"right in itself, but it uses {_enumerated(uses)}",) if uses else ()


def _enumerated(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"step {numbers[0]}, which is wrong"
    return f"steps {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}, which are wrong"


def _suspects(wrong: Sequence[int]) -> list[tuple[int, ...]]:
    """Each earlier wrong step by itself, the nearest first, then all of them."""
    alone: list[tuple[int, ...]] = [(j,) for j in reversed(wrong)]
    return alone + [tuple(wrong)] * (len(wrong) > 1)


def _holds(step: Step, blamed: Sequence[Step], document: Document) -> bool:
    """Whether a step is right where the earlier ones are taken as the writer has them."""
    claimed: dict[str, Claimed] = {}
    for earlier in blamed:
        own = whole_claim(earlier)
        if own is None:
            return False
        claimed[own[0]] = own[1:]
    assert step.comparison is not None, "a refuted step was compared"
    left, right = step.comparison.left, step.comparison.right
    if claimed.keys() & entry_names(left.expr) or left.expr == right.expr:
        return False
    world = _world(document.scope.forward, document.scope.program, claimed)
    values = document.values
    points = values.points
    if world is None:
        return False
    try:
        values.points = [_point(p, world) for p in points]
        values.forget()
        return values.agree(left.expr, right.expr)
    except Malformed:
        return False
    finally:
        values.points = points
        values.forget()


def _point(point: Point, world: Program) -> Point:
    inputs = {q.name for q in world.inputs}
    return run(world, replace(point, values={n: v for n, v in point.values.items() if n in inputs}))


def _world(forward: Program, program: Program, claimed: Mapping[str, Claimed]) -> Program | None:
    """The model and its gradients as the writer has them; None if they cannot be computed so."""
    own = {n: c for n, c in claimed.items() if not n.startswith(GRADIENT)}
    if own:
        equations = _put_in(forward.equations, own)
        if equations is None:
            return None
        forward = replace(forward, equations=equations)
        adjoints = gradients(forward)
    else:
        known = {e.name for e in forward.equations}
        adjoints = tuple(e for e in program.equations if e.name not in known)
    changed = _put_in(adjoints, {n: c for n, c in claimed.items() if n.startswith(GRADIENT)})
    if changed is None:
        return None
    return replace(forward, equations=(*forward.equations, *_ordered(changed)))


def _put_in(
    equations: tuple[Equation, ...], claimed: Mapping[str, Claimed]
) -> tuple[Equation, ...] | None:
    """The equations with the writer's; None if one of them is no equation here."""
    if claimed.keys() - {e.name for e in equations}:
        return None
    out = []
    for e in equations:
        if e.name in claimed:
            indices, rhs = claimed[e.name]
            e = replace(e, rhs=substitute(rhs, dict(zip(indices, e.indices, strict=True))))
        out.append(e)
    return tuple(out)


def _ordered(equations: Sequence[Equation]) -> tuple[Equation, ...]:
    """The equations, each after those that it uses, as far as they make no circle."""
    names = {e.name for e in equations}
    done: dict[str, Equation] = {}
    waiting = list(equations)
    while waiting:
        ready = [e for e in waiting if entry_names(e.rhs) & names <= done.keys()]
        if not ready:
            break
        done |= {e.name: e for e in ready}
        waiting = [e for e in waiting if e.name not in done]
    return (*done.values(), *waiting)
