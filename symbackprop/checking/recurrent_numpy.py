"""NumPy code about models with a symbolic number of steps.

The function is followed about nets that are written out, for several numbers of steps: a family is
one array with its members along the first axis, an extent that counts steps is their number. A
gradient is refuted if it is wrong in all of these nets. It is proved where they are all the nets
that there are, as of a model whose ranges end in integers; of any others it is only said that the
code is right for those numbers of steps, for which its values at a few points will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbackprop.checking.assumed import with_facts
from symbackprop.checking.numpy_judge import follow, verdicts, verify_numpy
from symbackprop.checking.numpy_setting import Setting
from symbackprop.checking.report import Report, undecided
from symbackprop.checking.steps import WORST
from symbackprop.checking.truth import Values, gradients, with_library
from symbackprop.checking.written_out import written_out
from symbackprop.ir.program import Program

COUNTS = (2, 3)
FOR_THESE = "right for two and for three steps; in general no proof was found"
NOT_ALL = "right for some numbers of steps and wrong for others"


def verify_recurrent_numpy(
    program: Program,
    text: str,
    *,
    call: str | None,
    returns: str | Sequence[str] | None,
    layout: str,
    assume: Sequence[str],
    source: str,
    explain: bool,
) -> Report:
    """Judge a NumPy function against a program with families.

    Raises
    ------
    Malformed
        If the text is no Python, or ``call`` and ``returns`` do not fit the file and the model.
    """
    lasts = [loop.last for loop in program.loops.values()]
    fixed = bool(lasts) and all(e.is_Integer for e in lasts)
    counts = COUNTS[: 1 if fixed else None]
    first, *others = (_setting(program, count, assume, fixed) for count in counts)
    report = verify_numpy(first, text, call, returns, source, layout, explain)
    found = [_of_families(report.claims, first.members)]
    for setting in others:
        claims = verdicts(follow(setting, text, call, returns, source))
        found.append(_of_families(claims, setting.members))
    return _whole(report, found, fixed)


def _setting(program: Program, count: int, assume: Sequence[str], proves: bool) -> Setting:
    """The program written out for so many steps, with its gradients."""
    net = written_out(program, count)
    forward = with_facts(with_library(net.program), assume)
    whole = forward.extended(gradients(forward))
    counts = {s.name: count for loop in program.loops.values() for s in loop.count.free_symbols}
    values = Values(whole)
    return Setting(forward, whole, values, members=net.members, counts=counts, proves=proves)


def _of_families(
    claims: Mapping[str, str], members: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """The claims, those for the members of a family as one: the worst of them."""
    family = {name: f for f, names in members.items() for name in names}
    out: dict[str, str] = {}
    for name, verdict in claims.items():
        of = family.get(name, name)
        out[of] = max((out.get(of, "proved"), verdict), key=WORST.__getitem__)
    return out


def _whole(first: Report, found: Sequence[Mapping[str, str]], fixed: bool) -> Report:
    """What the claims about several nets say together, with the steps of the first."""
    claims, notes = {}, []
    for of in found[0]:
        said = {each.get(of, "undecided") for each in found}
        if len(said) > 1 and "refuted" in said:
            notes.append(NOT_ALL)
        if said == {"proved"} and not fixed:
            notes.append(FOR_THESE)
            said = {"undecided"}
        claims[of] = said.pop() if len(said) == 1 else "undecided"
    steps = first.steps
    if "refuted" not in claims.values() and notes:
        steps = tuple(undecided(s, *dict.fromkeys(notes)) for s in steps)
    elif not fixed:
        steps = tuple(undecided(s, FOR_THESE) if s.verdict == "proved" else s for s in steps)
    wrong = next((k for k, s in enumerate(steps) if s.verdict == "refuted"), None)
    return replace(
        first, verdict=_verdict(claims), claims=claims, steps=steps, first_wrong_step=wrong
    )


def _verdict(claims: Mapping[str, str]) -> str:
    said = set(claims.values())
    if "refuted" in said:
        return "refuted"
    return "proved" if said == {"proved"} else "undecided"
