"""Texts that go to files: in UTF-8, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from symbackprop.errors import Malformed


def shorten(text: str, width: int = 60) -> str:
    """``text`` in one line of at most ``width`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def write_file(path: str, text: str) -> None:
    """Write ``text`` whole or not at all: a failure leaves the old file as it was."""
    target = Path(path).resolve()
    if target.exists() and not target.is_file():  # a pipe or a device must not be replaced
        target.write_text(text, encoding="utf-8")
        return
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        # mkstemp makes files that only their owner reads; an ordinary file follows the umask.
        os.umask(mask := os.umask(0))
        os.chmod(draft, 0o666 & ~mask)
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)


def check_output(output: str, *allowed: str) -> str:
    """The suffix of an output file, refused before any work is done if nothing can be written."""
    if output == "-":
        return "-"
    path = Path(output)
    if path.suffix not in allowed:
        raise Malformed(
            f"an output file ending in {' or '.join(allowed)}, or - for standard output",
            f"`{shorten(output)}`",
            hint=f"-o {path.stem or 'net'}{allowed[0]}",
        )
    if not path.parent.is_dir():
        raise Malformed(
            "an output file in a folder that exists",
            f"`{shorten(output)}`",
            hint=f"mkdir -p {path.parent}",
        )
    if path.is_dir():
        raise Malformed(
            "an output file",
            f"the folder `{shorten(output)}`",
            hint=f"-o {path / 'net'}{allowed[0]}",
        )
    return path.suffix
