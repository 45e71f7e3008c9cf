"""Where templates are found and how Jinja is set up; takes a suffix, gives an environment.

A template looks like its output: it loops and inserts strings, and never inspects types. Its name
says what comes out: ``module.py.jinja``, ``notes.tex.jinja``. TeX templates use other delimiters,
since ``{#1}`` opens a comment in Jinja's own: ``<% statement %>``, ``<< value >>``,
``<# comment #>``, and a line that begins with ``%%`` is a statement. A value that is not given is
an error, never an empty string.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

# fmt: off
_DELIMITERS: dict[str, dict[str, str]] = {
    "tex": {
        "block_start_string":    "<%", "block_end_string":    "%>",
        "variable_start_string": "<<", "variable_end_string": ">>",
        "comment_start_string":  "<#", "comment_end_string":  "#>",
        "line_statement_prefix": "%%",
    },
}
# fmt: on
MARKUP = frozenset(("html", "xml"))


def version() -> str:
    """The tool's version, from the package that this room is part of.

    Not from the installed metadata, so that a source tree and a wheel write the same bytes; and not
    by an import, which would point upwards in the layering.
    """
    return str(sys.modules[__name__.partition(".")[0]].__dict__["__version__"])


def folder() -> Path:
    """The folder of templates: inside the package when installed from a wheel, else beside it.

    Raises
    ------
    FileNotFoundError
        If neither place has them: the installation is damaged.
    """
    package = Path(__file__).resolve().parents[1]
    places = (package / "templates", package.parent / "templates")
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"no folder of templates at {' or '.join(map(str, places))}; install symbackprop again"
    )


@lru_cache(maxsize=8)
def environment(suffix: str) -> Environment:
    """The environment for templates whose output ends in ``.suffix`` (``"py"``, ``"tex"``)."""
    options: dict[str, Any] = dict(_DELIMITERS.get(suffix, {}))
    return Environment(
        loader=FileSystemLoader(folder(), encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Neither code nor TeX is markup; their backends escape what they insert.
        autoescape=suffix in MARKUP,
        **options,
    )
