"""Every block of the README does what it says.

``sh`` blocks run as they stand, and a ``text`` block right after one is its output; in a
``console`` block the lines after ``$`` run and the others are the output; ``python`` blocks are
doctests; ``net`` blocks are models. So that this is quick, the install part of the first block is
left out, except in one test of a full run.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import symbackprop

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
LANGUAGES = {"sh", "text", "console", "python", "net", "latex"}

SCRIPTS = [
    (script, BLOCKS[k + 1][1] if BLOCKS[k + 1][0] == "text" else None)
    for k, (language, script) in enumerate(BLOCKS[:-1])
    if language == "sh"
]
CONSOLES = [text for language, text in BLOCKS if language == "console"]
INSTALL = re.compile(r"python3 -m venv \.venv && \.venv/bin/pip install -q \S+ &&\s*\\?\s*")


def bash(
    script: str, folder: Path, programs: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script in ``folder``; ``programs`` come first on the path."""
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    if programs is not None:
        environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``symbackprop`` and ``python`` as the README's environment would have them."""
    folder = tmp_path_factory.mktemp("bin")
    for name, words in (("symbackprop", " -m symbackprop"), ("python", "")):
        path = folder / name
        path.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}"{words} "$@"\n')
        path.chmod(0o755)
    return folder


def test_the_blocks_are_of_known_kinds() -> None:
    assert {language for language, _ in BLOCKS} <= LANGUAGES
    assert len(SCRIPTS) == 2, "the main job and the tests"
    assert CONSOLES


def test_the_main_job(tmp_path: Path, programs: Path) -> None:
    script, output = SCRIPTS[0]
    assert INSTALL.match(script)
    check_main_job(bash(INSTALL.sub("", script), tmp_path, programs), output, tmp_path)


def test_the_main_job_from_a_clean_copy(tmp_path: Path) -> None:
    if os.environ.get("SYMBACKPROP_REQUIRE_ALL", "") in ("", "0"):
        pytest.skip("installs from the network: a full run only (SYMBACKPROP_REQUIRE_ALL=1)")
    clone = tmp_path / "symbackprop"
    passing = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, clone, ignore=passing)
    script, output = SCRIPTS[0]
    check_main_job(bash(script, clone), output, clone)


def check_main_job(
    done: subprocess.CompletedProcess[str], output: str | None, folder: Path
) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert without_rounding(done.stdout) == without_rounding(output or "")
    assert "Traceback" not in done.stderr
    made = {path.name for path in folder.iterdir()}
    assert {"three-layer.tex", "three_layer.py"} <= made
    assert ("three-layer.pdf" in made) == (shutil.which("pdflatex") is not None)


def without_rounding(text: str) -> str:
    """``text`` without the one number that is rounding error, which differs between machines."""
    return re.sub(r"(?<=max relative error )[\d.e+-]+", "…", text)


def test_the_test_command_is_what_continuous_integration_runs() -> None:
    script, _ = SCRIPTS[1]
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").endswith(f"\n{script}")


@pytest.mark.parametrize("console", CONSOLES, ids=lambda text: text.splitlines()[0][:50])
def test_a_console_says_what_is_printed(console: str, tmp_path: Path, programs: Path) -> None:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, output = split_command(part)
        done = bash(command, tmp_path, programs)
        assert done.stdout == output, done.stderr


def split_command(part: str) -> tuple[str, str]:
    """A command, with what a backslash or a here-document adds to it, and its output."""
    lines = part.splitlines(keepends=True)
    end = 1
    if "<<'EOF'" in lines[0]:
        end = lines.index("EOF\n") + 1
    while lines[end - 1].endswith("\\\n"):
        end += 1
    return "".join(lines[:end]), "".join(lines[end:])


def test_python_blocks_are_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "\n".join(text for language, text in BLOCKS if language == "python")
    test = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    assert test.examples
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert result.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("text", [text for language, text in BLOCKS if language == "net"])
def test_model_blocks_can_be_read(text: str) -> None:
    assert symbackprop.derive(symbackprop.parse(text))
