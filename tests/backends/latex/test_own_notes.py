"""The verifier reads the notes that the tool writes: every line of a derivation is proved."""

from __future__ import annotations

import pytest

from symbackprop import pipeline
from symbackprop.backends.latex.notes import notes_source


def derivation_part(name: str) -> str:
    """The macros and the section on the gradients, as a student might hand them in."""
    record = pipeline.derive(pipeline.load(name), wrt="all").record
    tex = notes_source(record, title=name)
    macros = [line for line in tex.splitlines() if line.startswith(r"\providecommand{\sb")]
    body = tex[tex.index(r"\section{The gradients}") : tex.index(r"\section{Summary}")]
    return "\n".join([*(m for m in macros if "sbkeep" not in m), body])


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("three-layer", 35),
        ("three-layer-scalar", 30),
        ("three-layer-tanh", 30),
        ("three-layer-outputs", 30),
        ("softmax-regression", 20),
        ("logistic-regression", 20),
        ("linear-neuron", 6),
        ("tanh-neuron", 12),
        ("sigmoid-neuron", 12),
        ("relu-neuron", 12),
    ],
)
def test_every_line_is_proved(name: str, lines: int) -> None:
    report = pipeline.verify(pipeline.load(name), derivation_part(name))
    assert [s.text for s in report.steps if s.verdict != "proved"] == []
    assert report.verdict == "proved"
    assert len(report.steps) >= lines
