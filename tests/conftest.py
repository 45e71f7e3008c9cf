"""What all tests share: optional programs, golden files, and what is not collected.

Fixtures: ``require("pdflatex")`` skips the test where a program or package is missing, but fails it
when ``SYMBACKPROP_REQUIRE_ALL`` is set, so that the full run cannot pass by leaving things out.
``golden("notes/three-layer.tex", text)`` compares with ``tests/golden/…``; ``--update-golden``
rewrites that file.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# Data, and scripts that are run by hand.
collect_ignore = ["corpus", "benchmarks", "golden", "cases"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register ``--update-golden``."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


def require_all() -> bool:
    """Whether this run may leave nothing out."""
    return os.environ.get("SYMBACKPROP_REQUIRE_ALL", "") not in ("", "0")


@pytest.fixture(scope="session")
def require() -> Callable[..., str]:
    """Skip, or fail in a full run, unless a program (or an importable package) is there."""

    def check(program: str, *, package: bool = False) -> str:
        found = importlib.util.find_spec(program) if package else shutil.which(program)
        if found is None:
            (pytest.fail if require_all() else pytest.skip)(f"{program} is not installed")
        return program if package else str(found)

    return check


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the checked-in file, or rewrite that file."""

    def compare(name: str, text: str) -> None:
        path = TESTS / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"tests/golden/{name} is missing: run pytest --update-golden"
        want = path.read_text(encoding="utf-8").splitlines(keepends=True)
        delta = list(difflib.unified_diff(want, text.splitlines(keepends=True), "golden", "now"))
        assert not delta, f"tests/golden/{name} differs:\n" + "".join(delta)

    return compare
