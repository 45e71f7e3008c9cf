"""Sound by mutation: true identities of a random family are proved, and spoiled ones are all
refuted and never proved. ``tests/benchmarks/soundness.py`` runs many more.
"""

from __future__ import annotations

import pytest

from tests.algebra.soundness import one_round

ROUNDS, BLOCK = 500, 50
PROVED = 0.98


@pytest.mark.parametrize("start", range(0, ROUNDS, BLOCK))
def test_restyled_identities_are_proved_and_spoiled_ones_refuted(start: int) -> None:
    rounds = [one_round(seed) for seed in range(start, start + BLOCK)]
    faults = [fault for r in rounds for fault in r.faults]
    assert not faults, "\n".join(faults)
    missed = [r.true for r in rounds if not r.proved]
    assert len(missed) <= (1 - PROVED) * BLOCK, "\n".join(missed)
    assert sum(r.differs for r in rounds) >= 0.8 * BLOCK
