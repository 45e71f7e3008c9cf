"""Each notation of hand derivations: what is right is proved, the same with a mistake refuted."""

from __future__ import annotations

import pytest

from symbackprop.checking.judge import verify
from symbackprop.errors import Malformed
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


def test_macros_of_a_file_of_their_own() -> None:
    defined = r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}} \newcommand{\tp}{^\top}"
    text = r"$\pd LW = (\pd LZ)\tp X$"
    options = {"adjoints": true_gradients("three-layer"), "explain": False}
    program = shipped("three-layer")
    assert verify(program, text, macros=defined, **options).verdict == "proved"  # type: ignore[arg-type]
    assert verify(program, text, **options).verdict == "unreadable"  # type: ignore[arg-type]
    own = r"\newcommand{\tp}{} " + text
    assert verify(program, own, macros=defined, **options).verdict == "refuted"  # type: ignore[arg-type]
    with pytest.raises(Malformed):
        verify(program, text, macros=r"\input{secret}", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        r"$\det X = 1$",
        r"$\nabla_W L = \log|\det Z|$",
        r"$\operatorname{rowsum}(y) = 1$",
        r"$\nabla_b L = \operatorname{rowsum}(b)$",
        r"$\nabla_W L = \operatorname{tr}(X)$",
    ],
)
def test_what_is_asked_of_other_shapes_is_told(text: str) -> None:
    """A determinant of what is not square, sums over the rows of a vector."""
    report = verify(shipped("three-layer"), text, adjoints=true_gradients("three-layer"))
    assert report.verdict in ("refuted", "unreadable")
    assert any("matri" in note or "square" in note for s in report.steps for note in s.notes)
