"""Words of the command line that cannot be meant, and what costs nothing: help, completion."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from symbackprop.cli.files import write_file
from symbackprop.cli.flags import split_outside_brackets

COMMANDS = ("derive", "explain", "kernel", "models", "notes", "prove", "verify")

# fmt: off
MISTAKES = [  # words, what the message must name
    (("derve",),                                        "symbackprop derive"),
    (("verfy", "three-layer", "-"),                     "symbackprop verify"),
    (("derive",),                                       "MODEL"),
    (("derive", "three-layer", "--frm", "index"),       "--form"),
    (("derive", "three-layer", "--form", "arrray"),     "'array'"),
    (("derive", "three-layer", "--layout", "auto"),     "'notes'"),
    (("derive", "three-layer", "more"),                 "more"),
    (("derive", "--wrt"),                               "--wrt"),
    (("--frobnicate",),                                 "--frobnicate"),
    (("notes", "three-layer", "-o", "notes.doc"),       "-o notes.tex"),
    (("kernel", "three-layer", "-o", "net.tex"),        "-o net.py"),
    (("kernel", "three-layer", "-o", "no-such/n.py"),   "mkdir -p no-such"),
    (("verify", "three-layer", "-", "--symbols", "x,"), "SYMBOL=EXPRESSION"),
    (("verify", "-", "-"),                              "both -"),
    (("verify", "three-layer", "no-such-file.tex"),     "no-such-file.tex"),
]
# fmt: on


@pytest.mark.parametrize(("words", "named"), MISTAKES, ids=lambda v: " ".join(v) if v else "-")
def test_a_mistake_is_answered_in_four_parts(
    run: Callable, words: tuple[str, ...], named: str
) -> None:
    done = run(*words)
    assert done.status == 2
    assert done.out == ""
    assert [line.split()[0] for line in done.err.splitlines()] == ["expected", "got", "try"]
    assert named in done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_examples(run: Callable, command: str) -> None:
    done = run(command, "--help")
    assert (done.status, done.err) == (0, "")
    _, _, examples = done.out.partition("Examples:")
    assert f"symbackprop {command}" in examples


def test_the_bare_command_shows_help_and_is_a_mistake(run: Callable) -> None:
    done = run()
    assert (done.status, done.out) == (2, "")
    assert all(command in done.err for command in COMMANDS)


# Help and completion must answer at once, so they may not load what computes.
LOADED = (
    "import sys; bad = {'sympy', 'numpy', 'jinja2', 'lark'} & set(sys.modules); assert not bad, bad"
)


@pytest.mark.parametrize("words", [["--help"], ["derive", "--help"], ["--version"], ["derve"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = f"from symbackprop.cli import main; main({words!r}); {LOADED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_completion_knows_commands_and_shipped_models() -> None:
    def complete(words: str, position: int) -> str:
        environment = {
            **os.environ,
            "_SYMBACKPROP_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(position),
        }
        command = [sys.executable, "-m", "symbackprop"]
        return subprocess.run(command, capture_output=True, text=True, env=environment).stdout

    assert complete("symbackprop ver", 1).strip() == "plain,verify"
    assert "plain,three-layer" in complete("symbackprop derive three", 2).split()


def test_commas_in_brackets_do_not_separate() -> None:
    text = r"dY=dout, \hat y=f(a, b), Q_{i,j}=q"
    assert split_outside_brackets(text) == ["dY=dout", r" \hat y=f(a, b)", " Q_{i,j}=q"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "net.py"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_file(str(target), "half \ud800")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
    write_file(str(target), "new")
    assert target.read_text() == "new"


def test_a_reader_who_has_gone_is_no_crash() -> None:
    command = f"{sys.executable} -m symbackprop models | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""
    assert int(done.stdout) in (0, 141)
