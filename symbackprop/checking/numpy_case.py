"""One function under judgement: what it claims, and what becomes of that when some assignments are
put right.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from symbackprop.checking.execution_values import Array
from symbackprop.checking.numpy_claims import Claim, Judged, claims_of, judge
from symbackprop.checking.numpy_follow import Event, Follower, Outcome
from symbackprop.checking.numpy_setting import Setting
from symbackprop.notation.numpy_reader import Source


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong place: the event (or, where the return statement itself is wrong, the claim), and the
    quantity whose gradient it should be.
    """

    of: str
    judged: Judged
    event: Event | None
    claim: Claim | None
    value: object


@dataclass(slots=True)
class Case:
    """One function judged against one model."""

    setting: Setting
    source: Source
    follower: Follower
    returns: tuple[str, ...]
    outcome: Outcome
    claims: list[Claim]
    verdicts: dict[str, Judged]
    problem: str
    aliases: dict[str, str]
    right: dict[int, Array] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def straight(self) -> bool:
        """Whether the file is straight-line code."""
        return self.follower.function() is None

    def claimed(self, outcome: Outcome) -> list[Claim]:
        return claims_of(outcome, self.returns, self.setting, self.aliases, self.straight)[0]

    def tried(
        self, right: dict[int, Array], function: ast.FunctionDef | None = None
    ) -> dict[str, str]:
        """The verdicts by value when some assignments are put right, or the function is changed."""
        outcome = self.follower.run(right, prove=False, routine=function)
        claims = self.claimed(outcome)
        return {c.of: judge(c.value, c.of, self.setting, prove=False).verdict for c in claims}


def better(now: dict[str, str], then: dict[str, str]) -> bool:
    """Whether something wrong became right and nothing right became wrong."""
    mended = [n for n in now if now[n] == "refuted" and then.get(n) == "proved"]
    spoilt = [n for n in now if now[n] == "proved" and then.get(n) != "proved"]
    return bool(mended) and not spoilt
