"""The JUnit report: well formed whatever the papers hold, and counted."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from symbackprop import pipeline
from symbackprop.pipeline import Paper
from tests.backends.html.pages import papers


def test_counts_and_cases() -> None:
    everything = (*papers(), Paper("bell\x07\ud800.txt", problem="\x00 & <"))
    tree = ElementTree.fromstring(pipeline.junit(everything, pipeline.load("three-layer")))
    (suite,) = tree
    assert suite.attrib == {
        "name": "three-layer", "tests": "8", "failures": "2", "errors": "3", "skipped": "1",
    }  # fmt: skip
    assert [len(case) for case in suite] == [0, 1, 1, 0, 1, 1, 1, 1]
    failure = suite[1].find("failure")
    assert failure is not None
    assert "layout" in failure.attrib["message"]
    assert "counterexample" in str(failure.text)
