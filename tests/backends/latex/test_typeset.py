"""TeX itself: documents compile with both engines, and a missing TeX is said in one line."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from symbackprop.backends.latex.typeset import OPTIONS, typeset
from symbackprop.errors import MissingProgram
from tests.backends.latex.test_notes import SHIPPED, hostile, source

HOST = r"""\documentclass{report}
\usepackage{mathtools,amssymb,booktabs,longtable,tikz}
\newcommand{\sbT}{\mathsf{T}}
\begin{document}
\chapter{Mine}
%s
\end{document}
"""
# Points by which a line may stick out.
OVERFULL = 4.0


def run(engine: str, tex: str, folder: Path, runs: int = 2) -> str:
    """The log of the last run; references are settled in the second."""
    (folder / "notes.tex").write_text(tex, encoding="utf-8")
    for _ in range(runs):
        done = subprocess.run(
            [engine, *OPTIONS, "notes.tex"], cwd=folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    return (folder / "notes.log").read_text(encoding="utf-8", errors="replace")


def complaints(log: str) -> list[str]:
    wide = [w for w in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(w) > OVERFULL]
    missing = re.findall(r".*(?:undefined|multiply defined|Missing character).*", log)
    return [*wide, *missing]


@pytest.mark.parametrize("name", SHIPPED)
def test_pdflatex(name: str, tmp_path: Path, require: Callable[[str], str]) -> None:
    # That labels and references agree is tested on the source: one run shows the rest.
    log = run(require("pdflatex"), source(name), tmp_path, runs=1)
    assert [c for c in complaints(log) if "eference" not in c] == []


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_both_engines_settle_the_references(
    engine: str, tmp_path: Path, require: Callable[[str], str]
) -> None:
    assert complaints(run(require(engine), source("three-layer"), tmp_path)) == []


def test_hostile_names_compile(tmp_path: Path, require: Callable[[str], str]) -> None:
    assert complaints(run(require("pdflatex"), hostile(), tmp_path)) == []


def test_a_fragment_compiles_in_a_document_of_another(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    log = run(require("pdflatex"), HOST % source("three-layer", fragment=True), tmp_path)
    assert not re.search(r"undefined|multiply", log)


def test_typeset_leaves_a_pdf_and_nothing_else(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("pdflatex")
    typeset(source("linear-neuron"), tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    assert [p.name for p in tmp_path.iterdir()] == ["out.pdf"]


def test_no_tex_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="on the PATH") as caught:
        typeset("x", tmp_path / "out.pdf")
    assert "install TeX" in caught.value.hint
    assert "\n" not in caught.value.hint
    assert caught.value.exit_status == 4


def test_a_failure_shows_what_tex_said(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("pdflatex")
    with pytest.raises(MissingProgram) as caught:
        typeset(r"\documentclass{article}\begin{document}\oops\end{document}", tmp_path / "x.pdf")
    assert "Undefined control sequence" in caught.value.got
    assert not (tmp_path / "x.pdf").exists()


def test_documents_cannot_run_programs(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("pdflatex")
    tex = r"\documentclass{article}\begin{document}\immediate\write18{touch %s}x\end{document}"
    typeset(tex.replace("%s", str(tmp_path / "made")), tmp_path / "x.pdf")
    assert not (tmp_path / "made").exists()
