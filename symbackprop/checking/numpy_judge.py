"""The verdict on NumPy code: what it returns decides; what it assigns on the way says where it goes
wrong.

The returned gradients are judged with the writer's own values. The first wrong step is the earliest
assignment to what is meant as a gradient that, put right, mends a wrong return and spoils none; the
steps after it are judged with it put right, so that no damage is blamed twice. A local quantity
that differs from the gradient it is named after is no mistake as long as what is returned is right.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from symbackprop.checking.execution_values import Array, Unknown, Value
from symbackprop.checking.numpy_case import Case, Wrong, better
from symbackprop.checking.numpy_claims import SKIPPED, Claim, Judged, claims_of, judge
from symbackprop.checking.numpy_explain import counterexample, diagnosis
from symbackprop.checking.numpy_follow import Event, Follower, Outcome
from symbackprop.checking.numpy_local import without_definitions
from symbackprop.checking.numpy_names import quantities, quantity_meant, with_gradients
from symbackprop.checking.numpy_setting import Setting
from symbackprop.checking.report import Report, StepReport
from symbackprop.errors import Malformed
from symbackprop.ir.expressions import Entry
from symbackprop.ir.terms import same_shape
from symbackprop.notation.numpy_reader import read_source

MOST_TRIALS = 60
FINDING = 6_000  # units of work to find the assignments that are to blame
EXPLAINING = 9_000  # and to explain what is wrong in the whole of a function


def verify_numpy(
    setting: Setting,
    text: str,
    call: str | None = None,
    returns: str | Sequence[str] | None = None,
    source: str = "<derivation>",
    layout: str = "gradient",
    explain: bool = True,
) -> Report:
    """Judge a NumPy function against a model with its gradients.

    Raises
    ------
    Malformed
        If the text is no Python, or ``call`` and ``returns`` do not fit the file and the model.
    """
    case = without_definitions(follow(setting, text, call, returns, source))
    if any(j.verdict == "refuted" for j in case.verdicts.values()):
        find_wrong(case)
    return _report(case, layout, explain)


def verdicts(case: Case) -> dict[str, str]:
    """The verdict on each claim, by the quantity whose gradient is claimed; of code that cannot be
    run to its end nothing is proved.
    """
    found = {of: j.verdict for of, j in case.verdicts.items()}
    if case.outcome.failed:
        return {of: "undecided" if v == "proved" else v for of, v in found.items()}
    return found


def follow(
    setting: Setting,
    text: str,
    call: str | None,
    returns: str | Sequence[str] | None,
    source: str,
) -> Case:
    """The function followed, and its claims judged."""
    read = read_source(text, source)
    names = _names(returns, setting)
    follower = Follower(setting, read, call, setting.values.work)
    if call is not None and follower.function() is None:
        known = [*read.functions, *(n for c in read.classes.values() for n in c)]
        raise Malformed(
            "the call of a function of the file", call, hint=f"it has {', '.join(known) or 'none'}"
        )
    outcome = follower.run()
    aliases = _aliases(outcome, setting)
    straight = follower.function() is None
    claims, problem = claims_of(outcome, names, setting, aliases, straight)
    verdicts = {c.of: _claim(c, call, setting) for c in claims}
    return Case(setting, read, follower, names, outcome, claims, verdicts, problem, aliases)


def _names(returns: str | Sequence[str] | None, setting: Setting) -> tuple[str, ...]:
    if returns is None:
        return ()
    items = returns.replace(" ", "").split(",") if isinstance(returns, str) else list(returns)
    known = [*with_gradients(setting.forward), *setting.members]
    for item in items:
        if item not in (*SKIPPED, *known):
            raise Malformed(f"names of the model: {', '.join(known)}", item)
    return tuple(items)


def _claim(claim: Claim, call: str | None, setting: Setting) -> Judged:
    """The verdict on a claim; one that only hands back what the call gave says nothing."""
    judged = judge(claim.value, claim.of, setting)
    given = call is not None and f"grad_{claim.of}" in call
    if judged.verdict == "proved" and given:
        return replace(judged, verdict="undecided", why="it is handed back as it was given")
    return judged


def _aliases(outcome: Outcome, setting: Setting) -> dict[str, str]:
    """What local names hold: the quantity of the model, as far as one was recognised."""
    names = set(quantities(setting.forward))
    out: dict[str, str] = {}
    for label, held in outcome.start.items():
        if isinstance(held, Array) and isinstance(held.expr, Entry) and held.expr.name in names:
            out.setdefault(label, held.expr.name)
    for event in outcome.events:
        value = event.value
        if isinstance(value, Array) and isinstance(value.expr, Entry) and value.expr.name in names:
            out.setdefault(event.label, value.expr.name)
    return out


def find_wrong(case: Case) -> None:
    """Find the assignments that are to blame, in the order of execution."""
    now = {c.of: v.verdict for c, v in ((c, case.verdicts[c.of]) for c in case.claims)}
    trials, work = 0, case.follower.work
    work.allow(FINDING)
    for event in case.outcome.events:
        if "refuted" not in now.values() or work.is_over():
            break
        for of in meant(event, case):
            judged = judge(event.value, of, case.setting, prove=False)
            if event.number in case.right:
                judged = _again(case, event, of)
            if judged.verdict != "refuted" or trials >= MOST_TRIALS or work.is_over():
                continue
            trials += 1
            right = {**case.right, event.number: _truth(event, of, case.setting)}
            then = case.tried(right)
            if better(now, then):
                value = _value_again(case, event)
                again = judge(value, of, case.setting, prove=False)
                if again.verdict != "refuted":
                    continue
                case.wrong.append(Wrong(of, again, event, None, value))
                case.right, now = right, then
                break
    _blame_returns(case, now)


def _again(case: Case, event: Event, of: str) -> Judged:
    return judge(_value_again(case, event), of, case.setting, prove=False)


def _value_again(case: Case, event: Event) -> Value:
    """What an assignment gives with those before it put right that are to blame."""
    if not case.right:
        return event.value
    events = case.follower.run(case.right, prove=False).events
    return events[event.number].value if event.number < len(events) else Unknown("too long", 0)


def _truth(event: Event, of: str, setting: Setting) -> Array:
    """The true gradient in the shape of what the code has, where only axes of extent 1 differ."""
    return setting.entry(f"grad_{of}")


def meant(event: Event, case: Case) -> list[str]:
    """The quantities whose gradient an assignment may be meant to be: by its name, by where it is
    returned, then by its shape.
    """
    out: dict[str, None] = {}
    for claim in case.claims:
        if claim.label == event.label or event.label.endswith(claim.label):
            out[claim.of] = None
    by_name = quantity_meant(event.label, case.aliases, case.setting.forward)
    if by_name is not None:
        out[by_name] = None
    if not isinstance(event.value, Array):
        return list(out)
    if event.label not in case.aliases and not out:
        inputs = {q.name for q in case.setting.forward.inputs}
        # A name that says nothing is rather a step on the way than the gradient of an input.
        for name in sorted(with_gradients(case.setting.forward), key=lambda n: n in inputs):
            shape = case.setting.forward.shape_of(name)
            if shape and same_shape(shape, event.value.shape):
                out[name] = None
    return list(out)


def _blame_returns(case: Case, now: dict[str, str]) -> None:
    """Claims still wrong are wrong where they were last assigned, or where they are returned."""
    outcome = case.follower.run(case.right, prove=False) if case.right else case.outcome
    for claim in case.claimed(outcome):
        if now.get(claim.of) != "refuted":
            continue
        same = [e for e in outcome.events if _same_label(e.label, claim.label)]
        event = same[-1] if same else None
        judged = judge(claim.value, claim.of, case.setting, prove=False)
        case.wrong.append(Wrong(claim.of, judged, event, claim, claim.value))


def _same_label(label: str, claimed: str) -> bool:
    return label == claimed or (claimed.startswith("[") and label.endswith(claimed))


def _report(case: Case, layout: str, explain: bool) -> Report:
    steps: list[tuple[int, StepReport]] = []
    outcome = case.follower.run(case.right, prove=True) if case.right else case.outcome
    case.follower.work.allow(EXPLAINING)
    blamed = {w.event.number: w for w in case.wrong if w.event is not None}
    told: set[str] = set()
    for event in outcome.events:
        if event.number in blamed:
            wrong = blamed[event.number]
            steps.append((event.number, _wrong_step(case, wrong, explain)))
            told.add(wrong.of)
            continue
        step = _right_step(case, event)
        if step is not None:
            steps.append((event.number, step))
    for wrong in case.wrong:
        if wrong.event is None:
            steps.append((len(outcome.events), _wrong_step(case, wrong, explain)))
            told.add(wrong.of)
    spoken = {s.of for _, s in steps}
    for claim in case.claims:
        judged = case.verdicts[claim.of]
        if claim.of not in spoken or judged.verdict == "undecided":
            if not (judged.verdict == "refuted" and case.wrong):
                made = _assigned(claim, outcome) if claim.of not in spoken else None
                at = made.number if made is not None else len(outcome.events)
                steps.append((at, _claim_step(case, claim, judged, made)))
    ordered = tuple(s for _, s in sorted(steps, key=lambda p: p[0]))
    first = next((k for k, s in enumerate(ordered) if s.verdict == "refuted"), None)
    claims = verdicts(case)
    read_as = dict(case.setting.read_as)
    for line, note in dict.fromkeys(case.outcome.notes):
        read_as[f"line {line}"] = f"not followed: {note}"
    for line, note in dict.fromkeys(case.outcome.failed):
        read_as[f"line {line}"] = f"cannot be run: {note}"
    if case.problem:
        read_as["returns"] = case.problem
    facts = tuple(str(f) for f in case.setting.facts)
    return Report(_whole(claims), layout, ordered, first, claims, read_as, facts)


def _whole(claims: dict[str, str]) -> str:
    verdicts = set(claims.values())
    if "refuted" in verdicts:
        return "refuted"
    return "proved" if verdicts == {"proved"} else "undecided"


def _right_step(case: Case, event: Event) -> StepReport | None:
    """A step that is right: an assignment of a true gradient."""
    value = event.value
    if not isinstance(value, Array) or not isinstance(value.expr, Entry):
        return None
    name = value.expr.name
    if not name.startswith("grad_"):
        return None
    of = name.removeprefix("grad_")
    if of not in quantities(case.setting.forward):
        return None
    named = quantity_meant(event.label, case.aliases, case.setting.forward)
    return _step(case, event.statement, named or of, "proved", ())


def _step(
    case: Case, node: ast.AST | None, of: str, verdict: str, notes: tuple[str, ...]
) -> StepReport:
    line = getattr(node, "lineno", 1)
    column = getattr(node, "col_offset", 0) + 1
    text = case.source.written(node) if node is not None else ""
    return StepReport(line, column, "gradient", text, of, verdict, notes=notes)


def _assigned(claim: Claim, outcome: Outcome) -> Event | None:
    """The assignment of a claim that is made by its name alone, not by what is returned."""
    same = [e for e in outcome.events if e.label == claim.label]
    return same[-1] if same and outcome.returned is None else None


def _claim_step(case: Case, claim: Claim, judged: Judged, event: Event | None) -> StepReport:
    node = event.statement if event is not None else claim.node or case.outcome.returned
    notes = (judged.why,) if judged.why else ()
    return _step(case, node, claim.of, judged.verdict, notes)


def _wrong_step(case: Case, wrong: Wrong, explain: bool) -> StepReport:
    node: ast.AST | None = wrong.event.statement if wrong.event is not None else None
    if node is None and wrong.claim is not None:
        node = wrong.claim.node or case.outcome.returned
    notes = (wrong.judged.why,) if wrong.judged.why else ()
    step = _step(case, node, wrong.of, "refuted", notes)
    if not explain:
        return step
    found, part = diagnosis(case, wrong)
    return replace(
        step,
        diagnosis=found,
        smallest_wrong_part=part,
        counterexample=counterexample(case, wrong),
    )
