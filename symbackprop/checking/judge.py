"""The verifier's one entrance: :func:`verify` reads a derivation, judges each step, and says what
holds of the whole.

*Refuted* if any step is; *undecided* if a relation was unread or undecided, or no gradient was
claimed; else *proved*; *unreadable* if there were relations and none could be read. A tautology, a
circle of definitions or a text without formulas claims nothing, and so is never proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbackprop.checking.assumed import with_facts
from symbackprop.checking.claims import Claims, judge_claims
from symbackprop.checking.consequences import consequences, uses_wrong
from symbackprop.checking.counting import Counting, other_countings, usual_counting
from symbackprop.checking.diagnose import diagnose
from symbackprop.checking.document import Document, stepping_letters
from symbackprop.checking.free_variables import with_free_variables
from symbackprop.checking.invention import certain, invent
from symbackprop.checking.local_gradients import (
    Scales,
    as_definitions,
    better,
    local_scales,
)
from symbackprop.checking.numpy_judge import verify_numpy
from symbackprop.checking.numpy_setting import Setting
from symbackprop.checking.primed_letters import unprimed
from symbackprop.checking.recurrent_judge import verify_recurrent
from symbackprop.checking.recurrent_numpy import verify_recurrent_numpy
from symbackprop.checking.report import Report, StepReport
from symbackprop.checking.scope import Scope
from symbackprop.checking.stated_directions import (
    named_directions,
    stated_directions,
    with_stated_directions,
)
from symbackprop.checking.steps import Step, confirmed, is_open
from symbackprop.checking.suppositions import under_suppositions
from symbackprop.checking.symbols import read_symbols
from symbackprop.checking.tangents import directions, moving_names, with_directions
from symbackprop.checking.truth import Values, gradients, of_any_scalar, with_library
from symbackprop.checking.witness import counterexample
from symbackprop.checking.wording import Wording
from symbackprop.checking.work import EXPLAINING, JUDGING, READ
from symbackprop.errors import Malformed
from symbackprop.ir.program import Equation, Program
from symbackprop.notation.segment import Statement, detect_format, left_out, statements, unmarked

ROUNDS = 3
LAYOUTS = ("gradient", "jacobian", "auto")


def verify(
    program: Program,
    text: str,
    *,
    adjoints: Sequence[Equation] | None = None,
    format: str | None = None,
    layout: str = "gradient",
    symbols: Mapping[str, str] | None = None,
    call: str | None = None,
    returns: str | Sequence[str] | None = None,
    assume: Sequence[str] = (),
    source: str = "<derivation>",
    macros: str = "",
    explain: bool = True,
) -> Report:
    """Judge a hand derivation against a program.

    Parameters
    ----------
    program : Program
        The forward equations.
    text : str
        The derivation, in LaTeX or plain text, or NumPy code.
    adjoints : sequence of Equation, optional
        The true gradients, ``grad_X`` for every quantity X; derived if not given.
    format : str, optional
        ``latex``, ``text`` or ``numpy``; found out if not given.
    layout : str
        ``gradient``, ``jacobian``, or ``auto``: the one in which most claims hold.
    symbols : mapping, optional
        What symbols of the text stand for, as expressions of the model language.
    call, returns : optional
        For NumPy code: how the function is called, in names of the model, and whose gradients it
        returns, as names with commas between them or as a sequence.
    macros : str
        LaTeX that defines macros of the text.
    explain : bool
        Whether wrong steps get a diagnosis and a counterexample, which takes most of the time.

    Raises
    ------
    Malformed
        For text that is no derivation at all: too long, too deep, dangerous, or with no part that
        parses.
    """
    if layout not in LAYOUTS:
        raise Malformed(f"layout {', '.join(LAYOUTS)}", repr(layout))
    told = format or ("numpy" if call is not None else detect_format(text))
    if program.families and told == "numpy":
        return verify_recurrent_numpy(
            program,
            text,
            call=call,
            returns=returns,
            layout=layout,
            assume=assume,
            source=source,
            explain=explain,
        )
    if program.families:
        return verify_recurrent(
            program,
            text,
            verify,
            format=format,
            layout=layout,
            symbols=symbols,
            call=call,
            assume=assume,
            source=source,
            explain=explain,
        )
    program = with_facts(with_library(program), assume)
    if format != "numpy" and program.shape_of(program.output):
        program, adjoints = of_any_scalar(program), None
    true = gradients(program) if adjoints is None else tuple(adjoints)
    format = told
    if format == "numpy":
        whole = program.extended(true)
        setting = Setting(program, whole, Values(whole))
        return verify_numpy(setting, text, call, returns, source, layout, explain)
    if call is not None or returns is not None:
        raise Malformed("call and returns with NumPy code", f"a derivation in {format}")
    judge = _Judge(
        program,
        program.extended(true),
        text,
        dict(symbols or {}),
        source,
        format,
        macros,
    )
    judge.explain = explain
    if layout != "auto":
        return judge.report(layout)
    judge.share = 2
    both = [judge.report(each) for each in ("gradient", "jacobian")]
    return max(both, key=lambda r: sum(v == "proved" for v in r.claims.values()))


class _Judge:
    """Everything that judging one text under one layout or another needs."""

    def __init__(
        self,
        forward: Program,
        program: Program,
        text: str,
        symbols: dict[str, str],
        source: str,
        format: str,
        macros: str = "",
    ) -> None:
        self.forward, self.symbols, self.format = forward, symbols, format
        self.text = unmarked(text) if format == "text" else text
        self.wording = Wording(self.text, format)
        self.explain = True
        self.share = 1  # of the work is for each of so many layouts
        self.counting = Counting()
        names = (
            frozenset(q.name for q in forward.inputs)
            | {e.name for e in forward.equations}
            | frozenset(forward.functions)
            | {d.name for d in forward.dims}
        )
        known = names | frozenset(symbols)
        self.statements = unprimed(statements(text, format, known, source, macros), names)
        self.refuse_noise()
        moving = moving_names(self.statements, forward)
        self.program = with_directions(program, moving) if moving else program
        self.directions = directions(forward, moving) if moving else None
        self.stated: frozenset[str] = frozenset()
        if format == "latex" and (stated := stated_directions(text, self.program)):
            self.program = with_stated_directions(self.program, stated)
            self.statements, self.stated = named_directions(self.statements, self.program)
        self.stepping = stepping_letters(self.statements)
        self.values = Values(self.program)

    def refuse_noise(self) -> None:
        """Where there are formulas and none of them parses, say so as an error of input."""
        relations = [s for s in self.statements if s.is_relation]
        errors = [s.error for s in self.statements if s.error is not None]
        if errors and all(s.error is not None for s in relations):
            raise errors[0]

    def document(
        self,
        layout: str,
        choices: Mapping[str, str] | None = None,
        invented: Mapping[str, str] | None = None,
        scales: Scales | None = None,
    ) -> Document:
        """The statements under a scope of their own, in which some guesses may be settled."""
        scope = Scope(
            self.program, self.forward, self.values, layout, self.text, self.format == "latex"
        )
        scope.directions, scope.stated = self.directions, self.stated
        scope.stepping = self.stepping
        scope.choices, scope.invented = dict(choices or {}), dict(invented or {})
        scope.scales = scales or {}
        scope.base, scope.flipped = self.counting.base, self.counting.flipped
        read_symbols(self.symbols, scope, self.format)
        return Document(scope, self.values, self.statements)

    def report(self, layout: str) -> Report:
        work = self.values.work
        read = READ * len(self.statements)
        work.allow((JUDGING - read) // self.share)
        document, steps = self.judged(layout)
        steps = under_suppositions(steps, document)
        read_as = dict(document.scope.read_as)  # what is tried later to explain is no reading
        claims = judge_claims(steps, document.scope, self.values)
        work.allow((EXPLAINING - 2 * read) // self.share)
        follows = consequences(steps, document) if self.explain else {}
        uses = uses_wrong(steps, document)
        reports = tuple(
            self.step(s, document, follows.get(k, ()), uses.get(k, ())) for k, s in enumerate(steps)
        )
        wrong = next((k for k, s in enumerate(reports) if s.verdict == "refuted"), None)
        facts = dict.fromkeys(f for s in reports for f in s.facts)
        return Report(
            _whole(reports, claims, self.statements),
            layout,
            reports,
            wrong,
            {document.scope.spoken.get(n, n): v for n, v in claims.verdicts.items()},
            read_as,
            tuple(facts),
            self.left_out(),
        )

    def left_out(self) -> tuple[str, ...]:
        """The lines that the document asks not to judge."""
        parts = left_out(self.text) if self.format == "latex" else ()
        lines = ((self.text.count("\n", 0, at) + 1 for at in span) for span in parts)
        return tuple(f"lines {first} to {last}" for first, last in lines)

    def judged(self, layout: str) -> tuple[Document, tuple[Step, ...]]:
        """The document judged; where it is better explained so, with the names that it gives to
        gradients of intermediates as multiples of them by its own definition.
        """
        document, steps = self.judged_with(layout, {})
        best = document, steps
        for scales in () if self.values.work.is_over() else local_scales(document, steps):
            other, again = self.judged_with(layout, scales)
            if self.values.work.is_over():
                break
            again = as_definitions(again, other.scope)
            if better(again, best[1], other.scope):
                best = other, again
        return best

    def judged_with(self, layout: str, scales: Scales) -> tuple[Document, tuple[Step, ...]]:
        """The same with given multiples, under the convention of counting and of stars that makes
        most true: it is one for the whole document.
        """
        self.counting = usual_counting(self.statements)
        best = self.judged_so(layout, scales)
        if all(s.verdict == "proved" for s in best[1]):
            return best
        for counting in other_countings(best[0].scope, self.counting):
            if self.values.work.is_over():
                break
            self.counting = counting
            found = self.judged_so(layout, scales)
            if self.values.work.is_over():
                break
            if _wrongs(found) < _wrongs(best):
                best = found
        self.counting = Counting(best[0].scope.base, best[0].scope.flipped)
        return best

    def judged_so(self, layout: str, scales: Scales) -> tuple[Document, tuple[Step, ...]]:
        """The same under the convention at hand; a mean that names no axis is over all, or, where
        this makes all true, over samples.
        """
        document = self.document(layout, scales=scales)
        steps = self.without_search(document.judge(), document)
        choices, invented = confirmed(steps), {}
        work = self.values.work
        if any(s.verdict != "proved" for s in steps):
            invented = invent(document, steps, choices)
        for _ in range(ROUNDS):
            if work.is_over() or not choices | invented or not is_open(steps, choices):
                break
            settled = self.document(layout, choices, invented, scales)
            again = settled.judge()
            if work.is_over():
                break
            document, steps = settled, again
            more = confirmed(steps)
            if more.items() <= choices.items():
                break
            choices = more | choices
        steps = tuple(certain(s, document, choices) for s in steps)
        steps = with_free_variables(steps, document)
        document.scope.settle(confirmed(steps))
        if (
            document.scope.averages
            and not work.is_over()
            and any(s.verdict != "proved" for s in steps)
        ):
            other = self.document(layout, choices, invented, scales)
            other.scope.by_samples = True
            again = with_free_variables(other.judge(), other)
            if work.is_over():
                return document, steps
            if all(s.verdict == "proved" for s in again) or not any(
                s.verdict == "refuted" for s in again
            ):
                return other, again
        return document, steps

    def without_search(self, steps: tuple[Step, ...], document: Document) -> tuple[Step, ...]:
        """The steps, all proved if nothing is missing but the meaning of letters of which they hold
        whatever it is; else as they are.
        """
        missing = [s for s in steps if s.verdict != "proved"]
        if not all(s.unread is not None and s.unread.kind == "name" for s in missing):
            return steps
        settled = with_free_variables(steps, document)
        return settled if all(s.verdict == "proved" for s in settled) else steps

    def step(
        self, step: Step, document: Document, follows: tuple[int, ...], uses: tuple[int, ...]
    ) -> StepReport:
        """A step as it is reported; a refuted one with its counterexample and diagnosis, unless it
        only follows from others.
        """
        report = self.wording.report(step, document.scope, follows, uses)
        if step.verdict != "refuted" or step.comparison is None or not self.explain or follows:
            return report
        diagnosis, part = diagnose(step, document)
        return replace(
            report,
            diagnosis=diagnosis,
            smallest_wrong_part=self.wording.said(part) if part is not None else None,
            smallest_wrong_span=self.wording.place(part) if part is not None else None,
            counterexample=counterexample(step, document),
        )


def _wrongs(judged: tuple[Document, tuple[Step, ...]]) -> tuple[int, int, int]:
    """How many steps are refuted, how many are not proved, and how many places are off."""
    document, steps = judged
    verdicts = [s.verdict for s in steps]
    askew = len(document.scope.askew)
    return verdicts.count("refuted"), len(verdicts) - verdicts.count("proved"), askew


def _whole(steps: tuple[StepReport, ...], claims: Claims, found: tuple[Statement, ...]) -> str:
    verdicts = {s.verdict for s in steps}
    if "refuted" in verdicts:
        return "refuted"
    if steps and verdicts == {"unreadable"}:
        return "unreadable"
    if verdicts & {"undecided", "unreadable"} or not claims.substantial:
        return "undecided"
    return "undecided" if "undecided" in claims.verdicts.values() else "proved"
