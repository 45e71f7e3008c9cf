"""The gates of the corpus of hand derivations: no false verdict, twins alike, first wrong step and
category; and what remains without the maps of symbols.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import symbackprop as sb
from symbackprop.checking.judge import verify as judge
from symbackprop.pipeline.compilation import program_of

CORPUS = Path(__file__).parent / "corpus"
FORMATS = {"ascii": "text"}
READ_WITHOUT_MAP = 0.85  # of all; what is unread is undecided, never wrong


@dataclass(frozen=True)
class Judged:
    """An item with what was said of it."""

    item: dict[str, Any]
    verdict: str
    of: str
    category: str

    @property
    def wrong(self) -> bool:
        return bool(self.item["truth"] == "wrong")

    @property
    def right(self) -> bool:
        return self.verdict == ("refuted" if self.wrong else "proved")


def scorer() -> ModuleType:
    """The corpus' own scorer, imported as it is."""
    spec = importlib.util.spec_from_file_location("score_hand", CORPUS / "score_hand.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judged(item: dict[str, Any], mapped: bool) -> Judged:
    form = FORMATS.get(item["format"], item["format"])
    code = {"call": item["call"], "returns": item["returns"]} if form == "numpy" else {}
    report = judge(
        program_of(sb.parse(scorer().model_text(item))),
        item["text"],
        format=form,
        layout="jacobian" if "jacobian" in item["setup"]["convention"] else "gradient",
        symbols=(item.get("symbols") or {}) if mapped else {},
        explain=mapped,
        **code,
    )
    if report.verdict != "refuted" or report.first_wrong_step is None:
        return Judged(item, report.verdict, "", "")
    step = report.steps[report.first_wrong_step]
    said = step.diagnosis.category if step.diagnosis else ""
    return Judged(item, report.verdict, step.of, said)


@cache
def results(mapped: bool) -> tuple[Judged, ...]:
    lines = (CORPUS / "hand.jsonl").read_text("utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    if mapped:
        return tuple(judged(item, True) for item in items)
    known = {r.item["id"]: r for r in results(True)}
    return tuple(judged(i, False) if i.get("symbols") else known[i["id"]] for i in items)


@pytest.mark.parametrize("mapped", [True, False], ids=["with-map", "without-map"])
def test_no_false_verdict(mapped: bool) -> None:
    bad = [
        r.item["id"] for r in results(mapped) if r.verdict == ("proved" if r.wrong else "refuted")
    ]
    assert not bad


def test_twins_are_judged_alike() -> None:
    verdicts = defaultdict(set)
    for r in results(True):
        verdicts[re.sub(r"~style.*", "", r.item["id"])].add(r.verdict)
    assert {k for k, v in verdicts.items() if len(v) > 1} == set()


@pytest.mark.parametrize("form", ["latex", "ascii", "numpy"])
def test_right_verdicts(form: str) -> None:
    here = [r for r in results(True) if r.item["format"] == form]
    missed = [r.item["id"] for r in here if not r.right]
    allowed = 0.05 * len(here) if form == "latex" else 1 + (len(here) > 20)
    assert len(missed) <= allowed, missed


def test_first_wrong_step_and_category() -> None:
    close = scorer().CLOSE
    count: Counter[str] = Counter()
    for r in results(True):
        if r.wrong and r.verdict == "refuted":
            planted = r.item["category"]
            near = r.category == planted or any({r.category, planted} <= c for c in close)
            count["refuted"] += 1
            count["first"] += r.of in scorer().targets(r.item)
            count["named"] += near
    assert count["first"] >= 0.95 * count["refuted"]
    assert count["named"] >= 0.85 * count["refuted"]


def test_without_the_map_much_is_still_judged() -> None:
    found = results(False)
    missed = [(r.item["id"], r.verdict) for r in found if not r.right]
    assert len(missed) <= (1 - READ_WITHOUT_MAP) * len(found), missed
