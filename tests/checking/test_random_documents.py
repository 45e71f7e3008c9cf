"""Random claims in random notation: right ones are proved, single edits that change the value are
refuted. Ten thousand of each: ``python -m tests.checking.random_documents 10000``.
"""

from __future__ import annotations

from random import Random

import pytest

from tests.checking.claims_by_value import random_model, setting
from tests.checking.random_documents import Outcome, judged

COUNT, SEED = 500, 3


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return judged(COUNT, SEED)


def test_right_claims_are_proved(outcome: Outcome) -> None:
    right = {v: n for (sort, v), n in outcome.verdicts.items() if sort == "right"}
    assert sum(right.values()) >= COUNT
    assert right["proved"] >= 0.99 * sum(right.values()), "\n".join(outcome.wrong)
    assert "refuted" not in right, "\n".join(outcome.wrong)


def test_spoilt_claims_are_refuted(outcome: Outcome) -> None:
    spoilt = {v: n for (sort, v), n in outcome.verdicts.items() if sort == "spoilt"}
    assert sum(spoilt.values()) >= 0.8 * COUNT
    assert set(spoilt) == {"refuted"}, "\n".join(outcome.wrong)


def test_the_tester_knows_right_from_wrong() -> None:
    found = setting(random_model(Random(1)))
    for claim in found.claims:
        assert found.holds(claim, claim.entry)
        assert not found.holds(claim, 2 * claim.entry)
