r"""Hand derivations about convolution and pooling, right and wrong, in the notations people use.

What is right is known from textbooks and needs no values: the gradient by the kernel correlates the
input with δ, that by the input is the full correlation with the flipped kernel, that by a bias sums
δ, a maximum sends its gradient to where it was taken. Each wrong one is a right one with one slip.
The derivations are in ``cases/checking/convolutions.txt``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from symbackprop import pipeline
from symbackprop.checking import stars
from symbackprop.checking.report import Report
from symbackprop.ir.terms import Term

MODELS = {
    "line": """
dims L, K
data y[L-K+1]
param x[L], w[K], b
assume K <= L
z = conv1d(x, w) + b
h = tanh(z)
E = sum((h - y)**2)
""",
    "image": """
dims H, W, R
data G[H-R+1, W-R+1]
param X[H, W], F[R, R], b
assume R <= H
assume R <= W
Z = conv2d(X, F) + b
L = sum(Z * G)
""",
    "batch": """
dims N, C, O, H, W, R
data G[N, O, H-R+1, W-R+1]
param X[N, C, H, W], F[O, C, R, R], b[O]
assume R <= H
assume R <= W
Z = conv2d(X, F) + b[:, None, None]
L = sum(Z * G)
""",
    "strided": """
dims T, K
data y[T]
param x[2*T+K-2], w[K]
z = conv1d(x, w, stride=2)
L = sum((z - y)**2)
""",
    "pooled": """
dims S, K
data y[S]
param x[2*S+K-1], w[K]
z = conv1d(x, w)
m = maxpool1d(z, 2)
h = relu(m)
L = sum((h - y)**2)
""",
    "averaged": """
dims N, S
data y[N, S, S]
param Z[N, 2*S, 2*S]
A = avgpool2d(Z, 2)
V = reshape(A, N, S*S)
L = sum((A - y)**2) + sum(V**2)
""",
}


@dataclass(frozen=True)
class Case:
    """A derivation, the model that it is about, and for a wrong one what is said of it."""

    model: str
    text: str
    category: str = ""
    meant: str = ""


def cases(word: str) -> list[Case]:
    """The cases of the file that begin with a word, in order."""
    blocks = (Path(__file__).parents[1] / "cases" / "checking" / "convolutions.txt").read_text()
    out = []
    for block in blocks.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines or not lines[0].startswith(word):
            continue
        said = lines.pop().removeprefix("=>").split("|") if lines[-1].startswith("=>") else ["", ""]
        out.append(Case(lines[0].split()[1], "\n".join(lines[1:]), *(s.strip() for s in said)))
    return out


RIGHT, WRONG = cases("right"), cases("wrong")


def judged(case: Case, *, explain: bool = False) -> Report:
    latex = "\\" in case.text
    document = rf"\[ {case.text} \]" if latex else case.text
    model = pipeline.parse(MODELS[case.model])
    return pipeline.verify(model, document, format="latex" if latex else "text", explain=explain)


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: f"{c.model}: {c.text[:60]}")
def test_what_is_right_is_proved(case: Case) -> None:
    report = judged(case)
    assert [(s.text, s.notes) for s in report.steps if s.verdict != "proved"] == []
    assert report.verdict == "proved"


@pytest.mark.parametrize("case", WRONG, ids=lambda c: f"{c.model}: {c.text[:60]}")
def test_what_is_wrong_is_refuted_and_explained(case: Case) -> None:
    report = judged(case, explain=True)
    assert report.verdict == "refuted"
    (wrong,) = [s for s in report.steps if s.verdict == "refuted"]
    assert wrong is report.steps[report.first_wrong_step or 0]
    if case.category:
        assert wrong.diagnosis is not None
        assert wrong.diagnosis.category == case.category
        assert case.meant in wrong.diagnosis.suggestion


def notes_of(piece: str) -> list[str]:
    """The notes on the right case that holds a piece of text."""
    (case,) = [c for c in RIGHT if piece in c.text]
    return [n for s in judged(case).steps for n in s.notes]


def test_choices_are_reported() -> None:
    assert any("counted from 0" in n for n in notes_of(r"\sum_i \delta_i\, x_{i+k}"))
    assert any("outside it count as 0" in n for n in notes_of(r"\sum_{k=0}^{K-1} \delta_{l-k}"))
    # There the writer says so himself.
    assert not any("outside" in n for n in notes_of(r"\mathbf 1[1 \le l-i+1 \le K]"))
    assert any("cross-correlation" in n for n in notes_of(r"z = x * w + b"))
    assert any("read as convolution" in n for n in notes_of(r"z = x * \tilde w + b"))


def test_a_kernel_that_is_always_flipped_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = stars.correlated

    def wrong(a: Term, w: Term, told: stars.Told = stars.PLAIN) -> Term:
        return right(a, w, replace(told, flipped=True))

    monkeypatch.setattr(stars, "correlated", wrong)
    (flipped,) = [c for c in RIGHT if r"\delta \star_{\text{full}} \operatorname{flip}" in c.text]
    assert judged(flipped).verdict == "refuted"
    assert judged(WRONG[0]).verdict == "proved"
