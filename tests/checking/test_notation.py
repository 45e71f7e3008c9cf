"""Each notation of hand derivations: what is right is proved, the same with a mistake refuted."""

from __future__ import annotations

import pytest

from symbackprop.checking.judge import verify
from tests.checking.fixtures import FOLDER, shipped, true_gradients

LINES = [
    line.partition(": ")
    for line in (FOLDER / "notation.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("model", "_", "texts"), LINES, ids=[t[:80] for _, _, t in LINES])
def test_notation(model: str, _: str, texts: str) -> None:
    right, _, wrong = texts.replace(" | ", "\n").partition(" !! ")
    for text, verdict in ((right, "proved"), (wrong, "refuted")):
        report = verify(shipped(model), text, adjoints=true_gradients(model), explain=False)
        assert report.verdict == verdict, f"{text}\n{report}"
