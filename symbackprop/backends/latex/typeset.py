"""Running TeX: takes the source of a document, writes a PDF; one line says so where TeX is missing.

The run happens in a temporary folder, without shell escape and within a time limit. Two runs settle
the references. The PDF is moved into place only when it is whole.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from symbackprop.errors import MissingProgram

ENGINES = ("pdflatex", "lualatex")
SECONDS = 120
RUNS = 2
OPTIONS = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")
HOW_TO_GET_TEX = (
    "install TeX, for example `apt install texlive-latex-recommended texlive-pictures lmodern`, "
    "and run pdflatex on the .tex file"
)


def typeset(tex: str, out: Path, engine: str | None = None) -> None:
    """Typeset a document with the first engine found, or the one named, and write it to ``out``.

    Raises
    ------
    MissingProgram
        If there is no engine, or it failed, or took longer than ``SECONDS``.
    """
    program = _find(engine)
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        (Path(folder) / "notes.tex").write_text(tex, encoding="utf-8")
        for _ in range(RUNS):
            _run(program, folder)
        target = out.parent / f".{out.name}.part"
        shutil.copyfile(Path(folder) / "notes.pdf", target)
        target.replace(out)


def _find(engine: str | None) -> str:
    names = ENGINES if engine is None else (engine,)
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise MissingProgram(f"{' or '.join(names)} on the PATH", "none", hint=HOW_TO_GET_TEX)


def _run(program: str, folder: str) -> None:
    # Both variables keep TeX from reading or writing outside its folder whatever the system allows.
    surroundings = {**os.environ, "openout_any": "p", "openin_any": "p", "max_print_line": "1000"}
    try:
        done = subprocess.run(
            [program, *OPTIONS, "notes.tex"],
            cwd=folder,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MissingProgram(f"{Path(program).name} to end within {SECONDS} s", "no end") from None
    if done.returncode != 0:
        raise MissingProgram(
            f"{Path(program).name} to typeset the notes",
            _complaint(done.stdout),
            hint="the .tex file is right as it stands if its packages are installed; "
            + HOW_TO_GET_TEX,
        )


def _complaint(log: str) -> str:
    """The first error in TeX's output, which is the one that counts."""
    lines = [line for line in log.splitlines() if line.startswith("!") or ".tex:" in line]
    return lines[0] if lines else (log.strip().splitlines() or ["no output"])[-1]
