"""What people hand in: the files and folders named, as single files in a steady order, and their
texts, bounded.

A folder stands for every derivation below it, by suffix; hidden files and folders are left out.
Refuses a folder with no derivation in it, and texts over 1 MB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from symbackprop.errors import Malformed

LARGEST_TEXT = 1_000_000
SUFFIXES = frozenset((".tex", ".ltx", ".latex", ".md", ".markdown", ".rst", ".txt", ".py"))
CODE = frozenset((".py",))


def read_text(path: str) -> str:
    """The text of a file, or of standard input for ``-``; refuses what is over 1 MB."""
    if path == "-":
        raw = sys.stdin.buffer.read(LARGEST_TEXT + 1)
    else:
        with open(path, "rb") as stream:
            raw = stream.read(LARGEST_TEXT + 1)
    if len(raw) > LARGEST_TEXT:
        raise Malformed(
            "a text of at most 1 MB", f"a longer one in {path}", hint="give the derivation alone"
        )
    return raw.decode("utf-8")


def papers(paths: Iterable[str]) -> tuple[str, ...]:
    """The files that the paths stand for, each once, those of a folder in alphabetical order.

    Raises
    ------
    Malformed
        If there is none below a folder. A path that does not exist is left to its reader.
    """
    found: dict[str, None] = {}
    for path in paths:
        if not Path(path).is_dir():
            found[path] = None
            continue
        below = [str(p) for p in sorted(Path(path).rglob("*")) if _is_paper(p, Path(path))]
        if not below:
            raise Malformed(
                f"a folder with derivations ({' '.join(sorted(SUFFIXES))})",
                f"none in {path}",
                hint="name the files themselves: any suffix is read then",
            )
        found.update(dict.fromkeys(below))
    return tuple(found)


def options_for(path: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """How one of many files is read: a Python file as NumPy unless a format is asked for; what is
    said of a function's call is not for the texts beside it.
    """
    suffix, own = Path(path).suffix.lower(), dict(options)
    if own.get("format") is None and suffix in CODE:
        own["format"] = "numpy"
    if own.get("format") is None and suffix in SUFFIXES:
        own |= {"call": None, "returns": None}
    return own


def _is_paper(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()
