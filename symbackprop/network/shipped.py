"""Where the text of a model comes from: a model that ships, a file, or standard input."""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from symbackprop.errors import Malformed
from symbackprop.notation.text_reader import LARGEST_TEXT

SUFFIX = ".net"
NAME = re.compile(r"[\w-]{1,60}")


def shipped_models() -> dict[str, str]:
    """The text of every model that ships, by name, in alphabetical order."""
    found = files("symbackprop").joinpath("models").iterdir()
    texts = {
        f.name.removesuffix(SUFFIX): f.read_text(encoding="utf-8")
        for f in found
        if f.name.endswith(SUFFIX)
    }
    return dict(sorted(texts.items()))


def title_of(text: str) -> str:
    """What the first line of a model says it is, if it is a comment."""
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def read_source(name_or_path: str) -> tuple[str, str]:
    """The text of a model and the name by which messages call it."""
    if name_or_path == "-":
        return sys.stdin.read(LARGEST_TEXT + 1), "-"
    if NAME.fullmatch(name_or_path):
        shipped = files("symbackprop").joinpath("models").joinpath(name_or_path + SUFFIX)
        if shipped.is_file():
            return shipped.read_text(encoding="utf-8"), name_or_path + SUFFIX
    return _read_file(name_or_path), name_or_path


def _read_file(name: str) -> str:
    try:
        path = Path(name)
        if path.is_file():
            with path.open(encoding="utf-8") as file:
                return file.read(LARGEST_TEXT + 1)
    except UnicodeDecodeError:
        raise Malformed(
            "a text file in UTF-8", f"other bytes in {name}", None, "save the model as UTF-8"
        ) from None
    except (OSError, ValueError) as problem:
        reason = (
            problem.strerror
            if isinstance(problem, OSError) and problem.strerror
            else "not a file name"
        )
        raise Malformed(
            "a model to read", f"{name[:80]!r}: {reason}", None, "give a name, a path or -"
        ) from None
    names = list(shipped_models())
    near = get_close_matches(name.removesuffix(SUFFIX), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`symbackprop models` lists the models that ship"
    raise Malformed("the name of a model that ships, a path or -", repr(name[:80]), None, hint)
