"""Why code is wrong: the diagnosis of a wrong place, and a point that shows it."""

from __future__ import annotations

import ast

from symbackprop.algebra.refute import refute
from symbackprop.checking.numpy_case import Case, Wrong, better
from symbackprop.checking.numpy_claims import judge
from symbackprop.checking.numpy_diagnose import (
    FEW_REPLAYS,
    MOST_REPLAYS,
    Inquiry,
    Suspect,
    earlier_edits,
    explained,
    later_edits,
    own_edits,
    path_left_out,
)
from symbackprop.checking.numpy_doubles import doubled
from symbackprop.checking.numpy_follow import Context, Event, Outcome
from symbackprop.checking.numpy_sites import Edit, swapped
from symbackprop.checking.paths import Forgotten
from symbackprop.checking.report import Counterexample, Diagnosis
from symbackprop.checking.witness import in_numbers, shown

MOST_SEARCHES = 4  # for small counterexamples


def diagnosis(case: Case, wrong: Wrong) -> tuple[Diagnosis, str]:
    """Why a step is wrong, and its smallest wrong part."""
    if case.follower.work.is_over():
        return _unexplained(case, wrong, case.outcome.returned)
    earlier = {k: v for k, v in case.right.items() if wrong.event is None or k < wrong.event.number}
    outcome = case.follower.run(earlier, prove=False, remember=True)
    claims = case.claimed(outcome)
    now = {c.of: judge(c.value, c.of, case.setting, prove=False).verdict for c in claims}

    function = case.follower.function()

    def mended(edit: Edit, event: Event) -> bool:
        assert function is not None, "only functions are replayed"
        here = event.context.statement
        later = any(k >= event.number for k in earlier)
        if here in function.body and not later:
            rest = function.body[function.body.index(here) :]
            changed = [swapped(rest[0], edit.old, edit.new), *rest[1:]]
            again = case.follower.resume(changed, event.context.frame)
            claim = [c for c in case.claimed(again) if c.of == wrong.of]
            if not claim or judge(
                claim[0].value, wrong.of, case.setting, prove=False
            ).verdict != "proved":  # fmt: skip
                return False
        then = case.tried(earlier, swapped(function, edit.old, edit.new))
        return then.get(wrong.of) == "proved" and better(now, then)

    inquiry = Inquiry(case.follower, case.source, case.aliases, mended)
    suspect = _suspect(case, wrong, outcome)
    if suspect is not None:
        found = own_edits(suspect, inquiry) or later_edits(suspect, inquiry)
        path = path_left_out(suspect, inquiry) if found is None else Forgotten()
        if path.exact is not None:
            return path.exact, case.source.written(suspect.statement)
        if found is None and function is not None:
            events = outcome.events[: wrong.event.number + 1] if wrong.event else outcome.events
            most = MOST_REPLAYS if wrong is case.wrong[0] else FEW_REPLAYS
            found = earlier_edits(suspect, inquiry, events, most)
        if found is None:
            found = doubled(suspect, inquiry)
        if found is None and path.near is not None:
            return path.near, case.source.written(suspect.statement)
        if found is not None:
            return explained(*found, case.source)
    node = suspect.statement if suspect is not None else case.outcome.returned
    return _unexplained(case, wrong, node)


def _unexplained(case: Case, wrong: Wrong, node: ast.stmt | None) -> tuple[Diagnosis, str]:
    part = case.source.written(node) if node is not None else ""
    return Diagnosis("other", wrong.judged.why or "it is not the gradient"), part


def _suspect(case: Case, wrong: Wrong, outcome: Outcome) -> Suspect | None:
    shape = case.setting.forward.shape_of(wrong.of)
    if wrong.event is not None:
        if wrong.event.number >= len(outcome.events):
            return None
        event = outcome.events[wrong.event.number]
        value = event.value
        return Suspect(wrong.of, event.statement, event.target, event.context, value, shape)
    node = outcome.returned
    if node is None or wrong.claim is None:
        return None
    part = None
    if isinstance(node.value, ast.Tuple) and wrong.claim.node in node.value.elts:
        part = node.value.elts.index(wrong.claim.node)
    context = Context(node, outcome.frame, part)
    return Suspect(wrong.of, node, None, context, wrong.value, shape)


def counterexample(case: Case, wrong: Wrong) -> Counterexample | None:
    """A point that shows the difference: a small one for the first that are wrong."""
    judged = wrong.judged
    if judged.left is None or judged.right is None:
        if judged.shapes is None:
            return None
        return Counterexample({}, {}, judged.shapes[0], judged.shapes[1])
    if wrong not in case.wrong[:MOST_SEARCHES]:
        return in_numbers(judged.left, judged.right, case.setting.values, case.setting.forward)
    witness = refute(judged.left, judged.right, case.setting.extended())
    return shown(witness, case.setting.forward) if witness is not None else None
