"""Why an assignment is wrong: the cheapest single edit of the code that makes it right.

First the statement that is to blame is edited and followed again from what held before it; then the
statements before it, by following the whole function; then the gradients that forget a path are
tried. A suggestion must give the true gradient at every point.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from symbackprop.checking.compare import Comparison
from symbackprop.checking.document import Document
from symbackprop.checking.execution import Frame, loose
from symbackprop.checking.execution_frames import snapshot, value_at
from symbackprop.checking.execution_statements import run_statement
from symbackprop.checking.execution_values import Array, Cell, Exhausted, Unknown, number
from symbackprop.checking.numpy_claims import judge
from symbackprop.checking.numpy_edits import edits
from symbackprop.checking.numpy_follow import Context, Event, Follower
from symbackprop.checking.numpy_names import quantities
from symbackprop.checking.numpy_sites import Edit, Place, arrays_in_frame, bare, swapped
from symbackprop.checking.paths import Forgotten, forgotten
from symbackprop.checking.readings import Reading
from symbackprop.checking.report import Diagnosis
from symbackprop.checking.scope import GRADIENT, Scope
from symbackprop.checking.steps import Step
from symbackprop.ir.terms import Shape
from symbackprop.notation.numpy_reader import Source
from symbackprop.notation.segment import Statement

MOST_EDITS = 500
MOST_REPLAYS = 150
FEW_REPLAYS = 15  # for what is wrong after the first mistake
BEFORE = "_before"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A wrong assignment: its statement, what held before it, and the quantity that is meant."""

    of: str
    statement: ast.stmt
    target: ast.expr | None
    context: Context
    value: object
    shape: Shape


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What a search for an explanation works with."""

    follower: Follower
    source: Source
    aliases: dict[str, str]
    mended: Callable[[Edit, Event], bool]

    def dims(self) -> tuple[str, ...]:
        return tuple(d.name for d in self.follower.setting.forward.dims)

    def softmaxes(self, frame: Frame) -> frozenset[str]:
        """The local names that hold a softmax: rows that sum to 1."""
        setting = self.follower.setting
        wanted = {
            e.name for e in setting.forward.equations if e.term.op in ("softmax",) and not e.hidden
        }
        return frozenset(n for n in frame if self.aliases.get(n) in wanted)


def own_edits(suspect: Suspect, inquiry: Inquiry) -> tuple[Edit, ast.stmt] | None:
    """The cheapest edit of the statement itself that gives the true gradient."""
    frame = frame_before(suspect.context.frame, inquiry)
    for edit in own(suspect, frame, inquiry):
        if inquiry.follower.work.is_over():
            break
        changed = swapped(suspect.statement, edit.old, edit.new)
        if _right(changed, suspect, frame, inquiry):
            return edit, suspect.statement
    return None


def own(suspect: Suspect, frame: Frame, inquiry: Inquiry) -> list[Edit]:
    """The edits of the statement itself, the likeliest first."""
    return _edits(suspect.statement, frame, suspect.shape, inquiry)[:MOST_EDITS]


def later_edits(suspect: Suspect, inquiry: Inquiry) -> tuple[Edit, ast.stmt] | None:
    """A statement that is missing after the last one: a factor, a mask, a slope."""
    target = suspect.target
    while isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant):
        target = target.value
    if not isinstance(target, ast.Name | ast.Subscript):
        return None
    here = snapshot(frame_before(suspect.context.frame, inquiry))
    try:
        run_statement(suspect.context.statement, inquiry.follower.machine(here), here)
    except Exhausted:
        return None
    read = bare(ast.parse(ast.unparse(target), mode="eval").body)
    after = ast.Assign([target], read, lineno=0)
    missing = replace(suspect, statement=after, context=Context(after, here), target=target)
    for edit in _edits(after, here, suspect.shape, inquiry)[:MOST_EDITS]:
        if inquiry.follower.work.is_over():
            break
        if edit.old is read and _right(swapped(after, edit.old, edit.new), missing, here, inquiry):
            return edit, after
    return None


def _edits(statement: ast.stmt, frame: Frame, shape: Shape, inquiry: Inquiry) -> list[Edit]:
    """The edits of the right side of a statement, and of the index that it writes to."""
    arrays = arrays_in_frame(frame)
    text = inquiry.source.text
    arrays = {n: a for n, a in arrays.items() if len(n) < 40 and _is_known(n, text)}
    softmaxes = inquiry.softmaxes(frame)
    dims = inquiry.dims()
    out: list[Edit] = []
    for root in roots(statement):
        out.extend(edits(Place(root, 0, (), arrays, shape, dims, softmaxes)))
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            was = f"{node.id}{BEFORE}"
            if was in frame:
                said = f"{node.id} was updated before it is used here"
                out.append(Edit("updated-weights", node, ast.Name(was, ast.Load()), 0.9, said))
    inquiry.follower.work.spend(len(out))
    return sorted(out, key=lambda e: e.cost)


def _is_known(name: str, text: str) -> bool:
    """Whether a name may be put in: the true gradients only where the code has them itself."""
    return not name.startswith(GRADIENT) or re.search(rf"\b{name}\b", text) is not None


def roots(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement that can be edited."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return):
        if statement.value is not None:
            if isinstance(statement.value, ast.Tuple):
                yield from statement.value.elts
            else:
                yield statement.value
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AugAssign):
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Compare):
                yield target.slice


def frame_before(frame: Frame, inquiry: Inquiry) -> Frame:
    """What held before, with the extents under the model's names and updated arrays as they
    were.
    """
    out = dict(frame)
    setting = inquiry.follower.setting
    for dim in setting.forward.dims:
        out.setdefault(dim.name, Cell(number(dim)))
    for local, of in inquiry.aliases.items():
        held = loose(out.get(local))
        if isinstance(held, Array) and of in quantities(setting.forward):
            true = setting.entry(of)
            if held.expr != true.expr and local.isidentifier():
                out[f"{local}{BEFORE}"] = Cell(true)
    return out


def _right(changed: ast.stmt, suspect: Suspect, frame: Frame, inquiry: Inquiry) -> bool:
    """Whether the edited statement gives the true gradient."""
    value = value_of(changed, suspect, frame, inquiry)
    return judge(value, suspect.of, inquiry.follower.setting, prove=False).verdict == "proved"


def value_of(changed: ast.stmt, suspect: Suspect, frame: Frame, inquiry: Inquiry) -> object:
    """What the edited statement gives for the suspect."""
    follower = inquiry.follower
    here = snapshot(frame)
    m = follower.machine(here)
    context = swapped(suspect.context.statement, suspect.statement, changed)
    try:
        signal = run_statement(context, m, here)
    except Exhausted:
        return Unknown("it takes too much work", 0)
    if suspect.target is None:
        return _returned(signal, suspect)
    return value_at(suspect.target, here)


def _returned(signal: object, suspect: Suspect) -> object:
    """The part of what is returned that the suspect is."""
    value = loose(getattr(signal, "value", None))
    place = suspect.context.part
    if place is not None and isinstance(value, tuple | list) and place < len(value):
        return value[place]
    return value


def earlier_edits(
    suspect: Suspect, inquiry: Inquiry, events: tuple[Event, ...], most: int = MOST_REPLAYS
) -> tuple[Edit, ast.stmt] | None:
    """The cheapest edit of a statement before it that mends what is returned."""
    found: list[tuple[float, Edit, Event]] = []
    seen: set[int] = set()
    for event in reversed(events):
        statement = event.statement
        if id(statement) in seen or statement is suspect.statement:
            continue
        if inquiry.follower.work.is_over():
            break
        seen.add(id(statement))
        if not isinstance(event.value, Array):
            continue
        frame = frame_before(event.context.frame, inquiry)
        label = ast.unparse(suspect.target) if suspect.target is not None else ""
        near = 0.0 if event.label == label else 0.5
        for edit in _edits(statement, frame, event.value.shape, inquiry):
            found.append((edit.cost + near, edit, event))
    found.sort(key=lambda f: f[0])
    for _, edit, event in found[:most]:
        if inquiry.follower.work.is_over():
            break
        if inquiry.mended(edit, event):
            return edit, event.statement
    return None


def explained(edit: Edit, statement: ast.stmt, source: Source) -> tuple[Diagnosis, str]:
    """An edit as a diagnosis, with the statement as it should read."""
    old, new = source.written(edit.old) or ast.unparse(edit.old), ast.unparse(edit.new)
    if not hasattr(statement, "end_lineno"):
        changed = ast.unparse(swapped(statement, edit.old, edit.new))
        message = edit.said.replace("{old}", old).replace("{new}", new)
        return Diagnosis(edit.category, message, f"after it: {changed}"), old
    start, end = source.span(statement).start, source.span(statement).end
    inner = source.span(edit.old)
    suggestion = source.text[start : inner.start] + new + source.text[inner.end : end]
    message = edit.said.replace("{old}", old).replace("{new}", new.replace(BEFORE, ""))
    if BEFORE in new:
        suggestion = ""
    return Diagnosis(edit.category, message, _valid(suggestion, statement, edit)), old


def _valid(suggestion: str, statement: ast.stmt, edit: Edit) -> str:
    """The suggestion, unless a missing bracket would change what it says."""
    changed = swapped(statement, edit.old, edit.new)
    if not suggestion:
        return ""
    try:
        same = ast.unparse(ast.parse(suggestion.strip())) == ast.unparse(changed)
    except SyntaxError:
        same = False
    return suggestion if same else ast.unparse(changed)


def path_left_out(suspect: Suspect, inquiry: Inquiry) -> Forgotten:
    """The diagnosis that the gradient forgets a path of the model."""
    setting = inquiry.follower.setting
    value = suspect.value
    true = setting.entry(f"{GRADIENT}{suspect.of}")
    if not isinstance(value, Array) or value.shape != true.shape:
        return Forgotten()
    left, right = Reading(true.expr, true.axes), Reading(value.expr, value.axes)
    scope = Scope(setting.program, setting.forward, setting.values)
    comparison = Comparison("refuted", left, right)
    statement = Statement(0, 0, "", None)
    step = Step(statement, None, None, "gradient", suspect.of, "refuted", comparison, claim=right)
    return forgotten(step, Document(scope, setting.values, ()))
