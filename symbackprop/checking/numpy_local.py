"""Straight-line code in which ``dZ`` is a multiple of the gradient by the writer's own definition:
``dZ = A - Y`` without the ``1/m`` of the loss, which ``dW = X.T @ dZ / m`` then has.

Such a claim is none where the right gradient in its place would spoil a claim for a parameter, and
no claim for a parameter is wrong.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.multiples import multiple_of
from symbackprop.checking.numpy_case import Case
from symbackprop.checking.numpy_claims import Claim


def without_definitions(case: Case) -> Case:
    """The case without the claims that only define a local multiple."""
    now = {of: judged.verdict for of, judged in case.verdicts.items()}
    params = set(case.setting.forward.params) & set(now)
    if not case.straight or any(now[p] == "refuted" for p in params):
        return case
    own = {c.of for c in case.claims if now[c.of] == "refuted" and _defines(c, now, case)}
    if not own:
        return case
    claims = [c for c in case.claims if c.of not in own]
    verdicts = {of: judged for of, judged in case.verdicts.items() if of not in own}
    return replace(case, claims=claims, verdicts=verdicts)


def _defines(claim: Claim, now: dict[str, str], case: Case) -> bool:
    """Whether what is claimed is a multiple on which a right claim for a parameter rests."""
    judged, setting = case.verdicts[claim.of], case.setting
    inner = {e.name for e in setting.forward.equations if e.name != setting.forward.output}
    if claim.of not in inner or judged.left is None or judged.right is None:
        return False
    if multiple_of(judged.right, judged.left, setting.values) is None:
        return False
    events = [e for e in case.outcome.events if f"{e.label}[".startswith(f"{claim.label}[")]
    if not events:
        return False
    then = case.tried({events[-1].number: setting.entry(f"grad_{claim.of}")})
    return any(now[p] == "proved" and then.get(p) == "refuted" for p in setting.forward.params
               if p in now)  # fmt: skip
