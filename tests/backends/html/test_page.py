"""The page of verdicts: well formed, escaped, said in words, and rendered by a browser."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from symbackprop.backends.html.mathml import formula
from symbackprop.notation.segment import statements
from tests.backends.html.pages import HOSTILE, page, papers

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Collects elements, and fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def test_tags_match_and_ids_are_unique() -> None:
    found = Reader(page())
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [str(a["href"]) for tag, a in found.tags if tag == "a"]
    assert links
    assert all(link[1:] in ids for link in links)


def test_nothing_of_a_user_is_markup() -> None:
    found = Reader(page())
    assert not {"script", "b", "i", "pre"} & {t for t, _ in found.tags} - {"b", "pre"}
    said = "".join(found.words)
    assert said.count(HOSTILE) >= 3  # in a path, in a text, in a problem
    assert "<i>" in said


def test_the_page_stands_alone() -> None:
    assert "<script" not in page()
    assert not re.findall(r"(?:src|href)=\"(?!#)", page())
    assert "@import" not in page()
    assert "url(" not in page()


def test_formulas_are_well_formed_mathml() -> None:
    formulas = re.findall(r"<math.*?</math>", page(), re.DOTALL)
    assert len(formulas) > 10
    for text in formulas:
        tree = ElementTree.fromstring(text)
        for node in tree.iter():
            if node.tag in ("msub", "msup", "mfrac", "mover", "munder"):
                assert len(node) == 2, text
            if node.tag in ("msubsup", "munderover"):
                assert len(node) == 3, text


def test_a_sign_that_is_told_something_stands_between_its_operands() -> None:
    (said,) = statements(r"$$\delta *_{\text{full}} w = z$$", "latex", frozenset("wz"))
    assert said.tree is not None
    words = ElementTree.fromstring(formula(said.tree, said.text)).iter()
    assert [w.text for w in words if w.tag in ("mi", "mo")] == ["δ", "*", "full", "w", "=", "z"]


def test_verdicts_are_words_and_signs() -> None:
    said = "".join(Reader(page()).words)
    for word in ("✓ 2 proved", "✗ 2 refuted", "? 1 not read", "! 1 error", "! 1 time-out"):
        assert word in re.sub(r"\s+", " ", said)
    assert "layout" in said
    assert "Counterexample" in said
    assert "chain rule through" in said


def test_the_wrong_part_is_marked_in_the_line_and_in_the_formula() -> None:
    assert re.search(r'<mark class="part">[^<]*theta', page())
    assert re.search(r'<mrow class="wrong">', page())
    assert '<details class="folded">' in page()


def test_the_page_is_the_same_each_time() -> None:
    from symbackprop import pipeline

    assert pipeline.html_page(papers(), pipeline.load("three-layer")) == page()


def test_a_browser_renders_it(require: Callable[[str], str], tmp_path: Path) -> None:
    browser = require("chromium")
    source, shot = tmp_path / "page.html", tmp_path / "page.png"
    source.write_text(page(), encoding="utf-8")
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,1200",
         f"--screenshot={shot}", source.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    png = shot.read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) > 20_000  # an empty page of this size has a tenth of that
