"""Hand derivations about models with a symbolic number of steps.

The document is judged about nets that are written out, for several numbers of steps and at a step
in their middle. A line is refuted if it is wrong in all of them. It is proved if it is right in all
of them and right in general as well: in a window of two steps with a free state before and a free
gradient after, or, for what happens at the end, in a net of one step with a free state before. A
sum over steps is proved by its share of one step. Anything else is undecided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Integer, Mul, Symbol, expand

from symbackprop.checking.labels import Labels, Setting, members_of
from symbackprop.checking.report import Report, StepReport, undecided
from symbackprop.checking.steps import WORST
from symbackprop.checking.written_out import WrittenOut, written_out
from symbackprop.errors import Malformed
from symbackprop.ir.expressions import Index, IndexSum, entries, free_indices, substitute
from symbackprop.ir.families import Family
from symbackprop.ir.program import Program

Judge = Callable[..., Report]
_CLOSED = re.compile(r"\\end\s*\{|\\\]|\n\s*\n")
GENERAL = ((4, 2), (3, 2))  # numbers of steps, and the step in the middle


@dataclass(frozen=True, slots=True)
class _Case:
    """What is needed to judge one document in several settings."""

    program: Program
    text: str
    labels: Labels
    judge: Judge
    options: Mapping[str, object]
    settings: tuple[tuple[int, int], ...] = GENERAL

    def report(self, net: WrittenOut, setting: Setting, text: str | None = None) -> Report | None:
        """The document judged about a net; None where it cannot be read there."""
        given = self.labels.rewritten(self.text if text is None else text, setting)
        try:
            return self.judge(net.program, given, **{**self.options, "explain": False})
        except Malformed:
            return None


def verify_recurrent(program: Program, text: str, judge: Judge, **options: object) -> Report:
    """Judge a derivation in LaTeX or text about a program with families.

    Raises
    ------
    Malformed
        For text that is no derivation at all.
    """
    case = _Case(program, text, _labels(program), judge, options, _settings(program))
    found: list[Report] = []
    for count, at in case.settings:
        net = written_out(program, count)
        given = case.labels.rewritten(text, Setting(at, count, count, net.shift))
        explain = bool(options.get("explain", True)) and not found
        found.append(judge(net.program, given, **{**options, "explain": explain}))
    base = found[0]
    if any(len(r.steps) != len(base.steps) for r in found):
        return replace(base, verdict="undecided", steps=(), claims={}, first_wrong_step=None)
    general = case.settings is GENERAL
    proofs = _proofs(case) if general else _Proofs()
    steps = []
    for k, step in enumerate(base.steps):
        verdicts = [r.steps[k].verdict for r in found]
        steps.append(_judged(case, k, step, verdicts, proofs, base))
    return _whole(base, _also_at_last(case, base, tuple(steps)), case)


def _settings(program: Program) -> tuple[tuple[int, int], ...]:
    """Numbers of steps, and the step that a letter stands for: of a net whose ranges end in
    integers those beside which some use of members begins or ends. All others are like one of them.
    """
    lasts = [loop.last for loop in program.loops.values()]
    if not lasts or not all(e.is_Integer for e in lasts):
        return GENERAL
    count = max(map(int, lasts))
    ends = {
        end + beside
        for equation in program.equations
        for e in entries(equation.rhs)
        if e.indices and e.name in program.families
        for end in _ends(e.indices[0], program.families[e.name])
        for beside in (-1, 0, 1)
    }
    middle = min(2, max(count - 1, 1))
    told = {1, count - 1, *ends} & set(range(1, count)) - {middle}
    return ((count, middle), *((count, at) for at in sorted(told)))


def _ends(place: Expr, family: Family) -> tuple[int, ...]:
    """The labels of the first and the last member that a place in a stack means."""
    free = free_indices(place)
    reach: tuple[dict[Index, Expr], ...] = (
        dict.fromkeys(free, Integer(0)),
        {v: v.extent - 1 for v in free},
    )
    labels = (expand(substitute(place, at) + family.first) for at in reach)
    return tuple(int(x) for x in labels if x.is_Integer)


def _also_at_last(
    case: _Case, base: Report, steps: tuple[StepReport, ...]
) -> tuple[StepReport, ...]:
    """The steps of a net whose ranges end in integers, those undecided that are wrong at its last
    step, unless they speak of a later one.
    """
    count, at = case.settings[0]
    proved = any(s.verdict == "proved" for s in steps)
    if case.settings is GENERAL or at == count or not proved:
        return steps
    net = written_out(case.program, count)
    last = case.report(net, Setting(count, count, count, net.shift))
    out = []
    for k, step in enumerate(steps):
        later = case.labels.reaches_up(_line(case, base, k))
        if step.verdict == "proved" and not later and _at(last, k, base) != "proved":
            step = undecided(step, "right at inner steps; at the last one no proof was found")
        out.append(step)
    return tuple(out)


def _labels(program: Program) -> Labels:
    ends = {s.name: None for loop in program.loops.values() for s in loop.count.free_symbols}
    letters = dict.fromkeys([*program.loops, *(f.index for f in program.families.values())])
    return Labels(tuple(x for x in letters if x), tuple(ends), tuple(program.families))


@dataclass(frozen=True, slots=True)
class _Proofs:
    """The document in a window, about a net of one step, and with the share of the first step for
    every sum over steps.
    """

    window: Report | None = None
    end: Report | None = None
    share: Report | None = None


def _proofs(case: _Case) -> _Proofs:
    shared = bool(case.labels.sums(case.text))
    return _Proofs(_in_window(case), _at_the_end(case), _of_shares(case) if shared else None)


def _of_shares(case: _Case) -> Report | None:
    """The document with what is summed for every sum over steps, where a parameter is that of the
    first step alone.
    """
    net = written_out(case.program, 2, free=True, apart=True)
    return case.report(net, Setting(1, None, None, net.shift))


def _in_window(case: _Case) -> Report | None:
    """The document in a window: letters of steps are its first step, ends are nowhere."""
    net = written_out(case.program, 2, free=True)
    return case.report(net, Setting(1, None, 2, net.shift))


def _at_the_end(case: _Case) -> Report | None:
    """The document about a net of one step: ends are that step, letters are nowhere."""
    net = written_out(case.program, 1)
    return case.report(net, Setting(None, 1, 1, net.shift))


def _judged(
    case: _Case,
    k: int,
    step: StepReport,
    verdicts: Sequence[str],
    proofs: _Proofs,
    base: Report,
) -> StepReport:
    worst = max(verdicts, key=WORST.__getitem__)
    if worst == "refuted" and set(verdicts) != {"refuted"}:
        return undecided(step, "right for some numbers of steps and wrong for others")
    if worst == "refuted" and case.labels.chains(_line(case, base, k)):
        return undecided(step, "a derivative may be meant by one equation alone, or by all")
    if worst != "proved":
        return step if worst == step.verdict else replace(step, verdict=worst)
    if case.settings is not GENERAL:
        return step  # nothing is left open: these are all the steps that there are
    text = _line(case, base, k)
    window, end = (_at(p, k, base) for p in (proofs.window, proofs.end))
    sums = bool(case.labels.sums(text))
    steps, ends = _classes(case, step, text)
    if sums:
        shared = not ends and _share(case, k, text, proofs, base)
        proved = shared or (end == "proved" and _defines_total(case, step, text))
    elif steps:
        proved = not ends and window == "proved"
    else:
        # The window has a loss of its own and no end: the other nets tell what the loss is, and
        # what holds of quantities that are made of the last state.
        loss = step.kind == "forward" and step.of == case.program.output
        proved = end == "proved" and (ends or loss or window in ("proved", "unreadable"))
    if proved:
        return step
    return undecided(step, "right for three and for four steps; in general no proof was found")


def _classes(case: _Case, step: StepReport, text: str) -> tuple[bool, bool]:
    """Whether a step speaks of members at the letter of a step, and of those at the end."""
    if case.labels.sums(text) or case.labels.chains(text) or case.labels.has_numbers(text):
        bare = case.labels.without_sums(text)
        steps, ends = case.labels.of_steps(bare), case.labels.of_ends(bare)
        if not case.labels.chains(text):
            return steps, ends
        told = _told(case, step.text.split("=")[0])  # the left side may stand further up
        return steps or told[0], ends or told[1]
    if r"\in" in step.text and not case.labels.numbers_in(step.text):
        return _told(case, step.of)  # the shape of what stands before it in the line
    return _told(case, step.text)


def _told(case: _Case, text: str) -> tuple[bool, bool]:
    """Whether members at inner steps and at the last one stand in a text that is written out."""
    count, _ = case.settings[0]
    shift = written_out(case.program, count).shift
    found = {n - shift for n in case.labels.numbers_in(text)}
    return bool(found & set(range(1, count))), count in found


def _at(proof: Report | None, k: int, base: Report) -> str:
    """The verdict on the same step, where the lines that it stands on were read alike."""
    if proof is None:
        return ""
    line = base.steps[k].line
    here = [n for n, s in enumerate(base.steps) if s.line == line]
    there = [s for s in proof.steps if s.line == line]
    if len(here) == len(there):
        return there[here.index(k)].verdict
    same = [s.verdict for s in there if s.text == base.steps[k].text]
    return same[0] if len(same) == 1 else ""


def _line(case: _Case, base: Report, k: int) -> str:
    """The lines of the document on which a step stands, down to where the next one begins or the
    formula ends.
    """
    lines = case.text.split("\n")
    first = base.steps[k].line - 1
    following = [s.line - 1 for s in base.steps[k + 1 :] if s.line - 1 > first]
    text = "\n".join(lines[first : following[0] if following else len(lines)])
    closed = _CLOSED.search(text)
    return text[: closed.start()] if closed else text


def _share(case: _Case, k: int, text: str, proofs: _Proofs, base: Report) -> bool:
    """Whether a sum over steps is proved by its share: ``∂L/∂U = Σ_t f(t)`` where f(1) is the
    gradient by the U of the first step alone.
    """
    step = base.steps[k]
    if _at(proofs.share, k, base) != "proved":
        return False
    place = [n for n, s in enumerate(base.steps) if s.line == step.line].index(k)
    members = members_of(text)
    if r"\in" in step.text:
        return place < len(members) and case.labels.is_sum(members[place])
    of_members = any(_told(case, step.text.split("=")[0]))
    return not of_members and place + 1 < len(members) and case.labels.is_sum(members[place + 1])


def _defines_total(case: _Case, step: StepReport, text: str) -> bool:
    """Whether a line says that the output is a sum over all steps, as it is in the model; what is
    summed is then told by a net of one step.
    """
    members = members_of(text)
    if step.kind != "forward" or step.of != case.program.output or len(members) != 2:
        return False
    (equation,) = (e for e in case.program.equations if e.name == step.of)
    over = {case.program.loops[x].count for x in case.program.loops}
    total = [f for f in Mul.make_args(equation.rhs) if isinstance(f, IndexSum)]
    if len(total) != 1 or not {i.extent for i in total[0].bound} & over:
        return False
    counting = {i for i in total[0].bound if i.extent in over}
    uniform = all(
        e.name not in case.program.families or free_indices(e.indices[0]) & counting
        for e in entries(equation.rhs)
    )
    plain = equation.rhs.atoms(Symbol) - equation.rhs.atoms(Index)
    return uniform and not plain & over and case.labels.is_sum(members[1], of_ends=False)


def _whole(base: Report, steps: tuple[StepReport, ...], case: _Case) -> Report:
    """The report with the verdicts of its steps, in the writer's labels, and what follows."""
    verdicts = {s.verdict for s in steps}
    count, at = case.settings[0]
    shift = written_out(case.program, count).shift
    back = case.labels.back(count, at, shift)
    steps = tuple(
        replace(
            s,
            text=back(s.text),
            of=back(s.of),
            smallest_wrong_part=back(s.smallest_wrong_part) if s.smallest_wrong_part else "",
            notes=tuple(map(back, s.notes)),
            diagnosis=None
            if s.diagnosis is None
            else replace(
                s.diagnosis,
                message=back(s.diagnosis.message),
                suggestion=back(s.diagnosis.suggestion),
            ),
        )
        for s in steps
    )
    claims = {s.of: s.verdict for s in steps if s.kind == "gradient" and s.of}
    wrong = next((k for k, s in enumerate(steps) if s.verdict == "refuted"), None)
    if "refuted" in verdicts:
        verdict = "refuted"
    elif verdicts == {"unreadable"}:
        verdict = "unreadable"
    elif verdicts - {"proved"} or not claims or base.verdict != "proved":
        verdict = "undecided"
    else:
        verdict = "proved"
    return replace(
        base,
        verdict=verdict,
        steps=steps,
        claims=claims,
        first_wrong_step=wrong,
        read_as={back(k): back(v) for k, v in base.read_as.items()},
    )
