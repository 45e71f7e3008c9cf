"""House rules: what a reader of this code may rely on, as tests, since pytest is what runs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symbackprop"
COPIED = (ROOT / "tests" / "corpus", ROOT / "tests" / "benchmarks" / "harness")

SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted(
    path
    for path in (ROOT / "tests").rglob("*.py")
    if not any(path.is_relative_to(folder) for folder in COPIED)
)
TEXTS = [
    *SOURCES,
    *TESTS,
    *(p for p in sorted((ROOT / "templates").rglob("*")) if p.is_file()),
    *sorted(PACKAGE.rglob("*.lark")),
    *sorted(PACKAGE.rglob("*.net")),
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "pyproject.toml", ".ci/run")),
]

# A call that would run a text, or read one with SymPy's parser, which runs it.
RUNS_TEXT = {"eval", "exec", "__import__", "parse_expr", "parse_latex", "lambdify"}
# SymPy's own substitution captures bound indices; these rooms replace symbols of their own making.
MAY_REPLACE = {
    "xreplace": ("ir", "algebra", "checking", "backends"),
    "sympify": ("ir", "matrix", "backends"),  # of extents, which may be plain integers
    "subs": (),
}


def name(path: Path) -> str:
    """A path as the project knows it."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """The name and the line of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node.lineno


def lines_with(pattern: str, paths: list[Path]) -> list[str]:
    """``file:line`` of every line that the pattern matches."""
    rule = re.compile(pattern)
    return [
        f"{name(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if rule.search(line)
    ]


@pytest.mark.parametrize("tool", [("ruff", "check", "--quiet", "."), ("mypy",)], ids=lambda t: t[0])
def test_checkers_are_content(tool: tuple[str, ...]) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": ""}
    done = subprocess.run(
        [sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_test_names_are_unique_in_a_file(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = Counter(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    assert not [n for n, times in names.items() if times > 1]


def test_nothing_runs_a_text_of_the_user() -> None:
    found = [(name(p), line, call) for p in SOURCES for call, line in calls(p) if call in RUNS_TEXT]
    # The Python object of a kernel runs the module that was generated for it, from escaped names.
    allowed = "symbackprop/backends/numpy/"
    assert not [hit for hit in found if not hit[0].startswith(allowed)]


@pytest.mark.parametrize("call", MAY_REPLACE)
def test_substitution_goes_through_one_function(call: str) -> None:
    inside = tuple(PACKAGE / room for room in MAY_REPLACE[call])
    outside = [p for p in SOURCES if not any(p.is_relative_to(room) for room in inside)]
    assert not [(name(p), line) for p in outside for c, line in calls(p) if c == call]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_is_swallowed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"
            assert not re.search(r"\b(Base)?Exception\b", ast.unparse(node.type)), node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text))
    assert not text.strip() or (said and len(said.split()) > 3)


def test_no_drawer_for_odds_and_ends() -> None:
    odds = {"utils", "util", "helpers", "common", "misc"}
    assert not [name(p) for p in [*SOURCES, *TESTS] if {p.stem, p.parent.name} & odds]


def test_no_note_to_oneself() -> None:
    assert not lines_with(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b", TEXTS)


def test_no_path_of_a_machine() -> None:
    absolute = r"""(?:^|[\s"'`(=])/(?:home|root|tmp|work|mnt|opt|srv|Users)(?:/|\b)"""
    assert not lines_with(absolute, TEXTS)


def test_words_are_british() -> None:
    stems = "normal|optim|minim|maxim|recogn|general"
    american = rf"(?i)\b(behavior|neighbor|\w*({stems})iz(e[ds]?|ing|ation))\b"
    ours = [p for p in TEXTS if p.suffix in {".md", ".jinja", ".net"}]
    assert not lines_with(american, ours)


def test_no_emoji() -> None:
    assert not lines_with("[\U0001f300-\U0001faff\u2600-\u26ff\u2705\u274c]", TEXTS)
