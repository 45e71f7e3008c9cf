"""Completeness on the corpus: ``closed == expected`` is proved for nearly every derivative that the
tool answers, and never refuted.
"""

from __future__ import annotations

import pytest

from symbackprop.algebra.prove import decide
from symbackprop.ir.verdict import Different, Equal, Verdict
from tests.algebra.corpus_identities import Identity, identities, problems

AREAS = (
    "notes",
    "activations",
    "losses",
    "mlp",
    "norm",
    "attention",
    "recurrent",
    "classical-ml",
    "matrix-cookbook",
)
WANTED = 0.95
Decided = list[tuple[Identity, Verdict]]


@pytest.fixture(scope="module")
def decided() -> Decided:
    """Every identity of the corpus with what was decided about it."""
    return [(i, decide(i.lhs, i.rhs, i.program)) for p in problems(*AREAS) for i in identities(p)]


def lines(decided: Decided) -> str:
    return "\n".join(f"{i.name}: {i.closed}  ==  {i.expected}" for i, _ in decided)


def test_what_a_person_wrote_is_never_refuted(decided: Decided) -> None:
    refuted = [(i, v) for i, v in decided if isinstance(v, Different)]
    assert not refuted, lines(refuted)


def test_nearly_all_of_the_corpus_is_proved(decided: Decided) -> None:
    missed = [(i, v) for i, v in decided if not isinstance(v, Equal)]
    print(lines(missed))  # noqa: T201
    assert len(decided) >= 150
    assert len(missed) <= (1 - WANTED) * len(decided), lines(missed)
