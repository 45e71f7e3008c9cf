"""Long documents: honest ones are judged to the end, endless ones end undecided with the reason."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.checking import judge
from symbackprop.checking.work import TOO_LONG


def chain(layers: int) -> tuple[sb.Model, str]:
    """A net of so many layers, and its gradients by hand."""
    model = ["dims N, D", "param X[N, D]"]
    hand = [f"dA{layers} = A{layers}"]
    for k in range(1, layers + 1):
        model += [f"param W{k}[D, D]", f"param b{k}[D]"]
    for k in range(1, layers + 1):
        before = f"A{k - 1}" if k > 1 else "X"
        model += [f"Z{k} = {before} @ W{k} + b{k}", f"A{k} = tanh(Z{k})"]
    for k in range(layers, 0, -1):
        before = f"A{k - 1}" if k > 1 else "X"
        hand += [f"dZ{k} = dA{k} * (1 - A{k}**2)", f"dW{k} = {before}.T @ dZ{k}"]
        hand += [f"db{k} = sum(dZ{k}, axis=0)"]
        hand += [f"dA{k - 1} = dZ{k} @ W{k}.T"] if k > 1 else []
    return sb.parse("\n".join([*model, f"L = sum(A{layers}**2)/2"])), "\n".join(hand)


def test_long_notes_of_a_deep_net_hold_to_the_end() -> None:
    model, hand = chain(12)
    report = sb.verify(model, hand, format="text")
    assert report.verdict == "proved"
    assert len(report.steps) == 48


def test_a_power_of_a_numbered_name_is_no_other_name() -> None:
    names = "dims N\nparam A1[N]\nparam A12[N]\nparam A[N]\nparam A2[N]\n"
    model = sb.parse(names + "L = sum(A1**3 + A12 * A2 + A**3)/3")
    report = sb.verify(model, "dA1 = A1**2\ndA = A**2", format="text")
    assert [s.verdict for s in report.steps] == ["proved", "proved"]


SQUARE = "dims D\nparam X[D, D]\nparam W[D, D]\nL = sum(X @ W)"


def test_powers_of_powers_are_too_long_and_not_wrong() -> None:
    hand = "dX = " + "(" * 20 + "X" + " + W)**6" * 20
    (step,) = sb.verify(sb.parse(SQUARE), hand, format="text").steps
    assert step.verdict == "unreadable"
    assert any("too long to decide" in note for note in step.notes)


def test_every_wrong_step_of_a_long_text_has_a_counterexample() -> None:
    hand = "\n".join(f"dX = {k} * ones(D, D) @ W.T" for k in range(2, 42))
    report = sb.verify(sb.parse(SQUARE), hand, format="text")
    assert {s.verdict for s in report.steps} == {"refuted"}
    assert all(s.counterexample is not None for s in report.steps)


WRONG = "\n".join(f"dX = {k} * ones(D, D) @ W.T" for k in range(2, 27))
RIGHT = "\n".join(f"dX = {k}/{k} * ones(D, D) @ W.T" for k in range(2, 27))


def verdicts(hand: str, units: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(judge, "JUDGING", units)
    monkeypatch.setattr(judge, "EXPLAINING", 1)
    report = sb.verify(sb.parse(SQUARE), hand, format="text")
    late = [s for s in report.steps if s.verdict == "undecided"]
    assert all(TOO_LONG in s.notes for s in late)
    return [s.verdict for s in report.steps]


def test_what_does_not_hold_is_judged_as_long_as_there_is_work_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = verdicts(WRONG, 400, monkeypatch)
    first = found.index("undecided")
    assert 5 <= first < 25
    assert found == ["refuted"] * first + ["undecided"] * (25 - first)
    assert found == verdicts(WRONG, 400, monkeypatch)


def test_what_holds_is_judged_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdicts(RIGHT, 300, monkeypatch) == ["proved"] * 25
    assert "undecided" in verdicts(WRONG, 300, monkeypatch)


def test_nothing_right_is_refuted_when_the_work_is_used_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, hand = chain(2)
    for units in (10, 40, 90, 160, 300):
        monkeypatch.setattr(judge, "JUDGING", units)
        found = {s.verdict for s in sb.verify(model, hand, format="text").steps}
        assert found <= {"proved", "undecided"}


CUT = r"""
$$\frac{\partial L}{\partial Z_{nk}} = P_{nk} - Y_{nk}$$
$$\frac{\partial P_{nj}}{\partial Z_{nk}} = P_{nj} (1 - P_{nk})$$
$$\frac{\partial L}{\partial W_{kd}} = \sum_n P_{nk} X_{nd}$$
"""


@pytest.mark.parametrize("units", [10, 400, 3000])
def test_a_search_for_what_is_wrong_may_be_cut_anywhere(
    units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "EXPLAINING", units)
    report = sb.verify(sb.load("softmax-regression"), CUT)
    assert report.verdict == "refuted"
    assert all(s.diagnosis is not None for s in report.steps if s.verdict == "refuted")
