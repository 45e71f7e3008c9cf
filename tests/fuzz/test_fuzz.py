"""A short stretch of fuzzing in every run, and the proof that its alarms ring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import symbackprop as sb
from tests.fuzz import worker
from tests.fuzz.__main__ import Campaign, replay
from tests.fuzz.inputs import KINDS, MODELS, READERS, Trial, trial
from tests.fuzz.worker import Finding, attempt

INPUTS = 35  # of each reader


@pytest.mark.parametrize("reader", READERS)
def test_no_input_upsets_a_reader(reader: str) -> None:
    models = {name: sb.load(name) for name in MODELS}
    for number in range(INPUTS):
        one = trial(0, reader, "all", number)
        said, wrong, _ = attempt(one, models)
        assert wrong is None, f"{wrong}\n{one}"
        assert said


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_is_known_by_its_number(kind: str) -> None:
    assert trial(3, "latex", kind, 5) == trial(3, "latex", kind, 5)
    assert trial(3, "latex", kind, 5) != trial(3, "latex", kind, 6)


def endless(*_: Any, **__: Any) -> None:
    while True:
        pass


def greedy(*_: Any, **__: Any) -> bytearray:
    return bytearray(2 * worker.MEGABYTES * 2**20)


def broken(*_: Any, **__: Any) -> None:
    raise KeyError("no error of the tool's own")


@pytest.mark.parametrize(
    ("fault", "what"), [(endless, "time"), (greedy, "memory"), (broken, "traceback")]
)
def test_a_fault_is_found(fault: Any, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.2)
    monkeypatch.setattr(sb, "verify", fault)
    _, wrong, _ = attempt(Trial(0, "text", "tokens", "three-layer", "x"), {})
    assert wrong is not None
    assert wrong.what == what


def test_a_finding_is_saved_and_replayed(tmp_path: Path) -> None:
    campaign = Campaign(1, "numpy", "tokens", tmp_path)
    campaign.count(7, "", Finding("traceback", "KeyError"), 0.1)
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text("utf-8"))["trial"]["number"] == 7
    assert campaign.said["FOUND"] == 1
    assert replay(path) == 0
