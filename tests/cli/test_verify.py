"""``verify`` on files and folders: table, status, JSON, page, JUnit, and the flags for code."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

RIGHT = "grad_W = grad_Z.T @ X"
WRONG = "grad_W = X.T @ grad_Z"
CODE = """
def other(X, grad_Z):
    return X.T @ grad_Z

def backward(X, grad_Z):
    return grad_Z.T @ X
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a right, a wrong and an open derivation."""
    here = tmp_path / "papers"
    here.mkdir()
    (here / "a.txt").write_text(RIGHT)
    (here / "b.txt").write_text(WRONG)
    (here / "c.txt").write_text("")
    return here


def test_a_table_and_the_documents(run: Callable, folder: Path, tmp_path: Path) -> None:
    html, junit = tmp_path / "page.html", tmp_path / "report.xml"
    documents = ("--html", str(html), "--junit", str(junit))
    done = run("verify", "three-layer", str(folder), "--progress", "--jobs", "1", *documents)
    assert done.status == 1
    rows = [line.split()[0] for line in done.out.splitlines()]
    assert rows == ["proved", "refuted", "undecided", "3"]
    assert done.out.endswith("3 files: 1 proved, 1 refuted, 1 undecided\n")
    assert [line[:5] for line in done.err.splitlines()[:3]] == ["[1/3]", "[2/3]", "[3/3]"]
    assert "<!DOCTYPE html>" in html.read_text(encoding="utf-8")
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "1"


def test_json_is_a_list_of_reports(run: Callable, folder: Path) -> None:
    paths = [str(folder / name) for name in ("a.txt", "b.txt", "none.txt")]
    document = json.loads(run("verify", "three-layer", *paths, "--json", "--jobs", "1").out)
    assert document["schema"] == 1
    assert document["verdict"] == "refuted"
    assert [f["file"] for f in document["files"]] == paths
    assert [f["verdict"] for f in document["files"]] == ["proved", "refuted", "error"]
    alone = json.loads(run("verify", "three-layer", paths[0], "--json").out)
    assert {"file": paths[0], **alone} == document["files"][0]


def test_the_worst_verdict_is_the_status(run: Callable, folder: Path) -> None:
    (folder / "b.txt").unlink()
    assert run("verify", "three-layer", str(folder), "--jobs", "1").status == 3


def test_one_file_with_a_page_says_what_it_says_without(
    run: Callable, folder: Path, tmp_path: Path
) -> None:
    path, page = str(folder / "b.txt"), tmp_path / "page.html"
    plain = run("verify", "three-layer", path)
    limited = run("verify", "three-layer", path, "--html", str(page), "--time-limit", "100")
    assert limited.out == plain.out
    assert limited.status == plain.status == 1
    assert "How the right gradient comes about" in page.read_text(encoding="utf-8")


def test_time_is_over(run: Callable, folder: Path) -> None:
    done = run("verify", "three-layer", str(folder / "a.txt"), "--time-limit", "0.000001")
    assert done.status == 3
    assert done.out.startswith("time-out: no verdict after 1e-06 s")


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        (("--function", "backward", "--returns", "W"), 0),
        (("--function", "other", "--returns", "W"), 1),
        (("--function", "backward", "--call", "backward(X, grad_Z)", "--returns", "W"), 0),
        (("--function", "other", "--call", "backward(X, grad_Z)"), 2),
        (("--function", "missing"), 2),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_which_function(run: Callable, tmp_path: Path, flags: tuple, status: int) -> None:
    path = tmp_path / "net.py"
    path.write_text(CODE)
    assert run("verify", "three-layer", str(path), *flags).status == status


@pytest.mark.parametrize(
    "words",
    [
        ("--html", "page.txt"),
        ("--junit", "report.html"),
        ("--time-limit", "0"),
        ("--jobs", "0"),
    ],
    ids=lambda w: " ".join(w),
)
def test_flags_that_make_no_sense(run: Callable, folder: Path, words: tuple[str, str]) -> None:
    assert run("verify", "three-layer", str(folder), *words).status == 2


def test_check_runs_and_compares(run: Callable, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(CODE)
    words = ("check", "three-layer", str(path), "--returns", "W", "--function")
    right, wrong = run(*words, "backward"), run(*words, "other", "--json")
    assert (right.status, right.out.split()[0]) == (0, "agrees:")
    assert (wrong.status, json.loads(wrong.out)["gradients"][0]["verdict"]) == (1, "refuted")
