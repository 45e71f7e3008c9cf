"""What a command has to say: a text and a status, as plain text or as JSON.

A command returns an :class:`Answer`, which is printed only when it is whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import click

from symbackprop.cli.files import write_file

SCHEMA = 1
STATUS = {"proved": 0, "agrees": 0, "refuted": 1, "undecided": 3, "unreadable": 3}
COLOURS = {
    "proved": "green",
    "agrees": "green",
    "refuted": "red",
    "undecided": "yellow",
    "unreadable": "yellow",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say: a text for standard output and the exit status."""

    text: str = ""
    status: int = 0


def as_json(fields: dict[str, Any]) -> Answer:
    """The answer under ``--json``, with the number of the schema in front."""
    return Answer(json.dumps({"schema": SCHEMA, **fields}, indent=2, ensure_ascii=False))


def judge(verdict: str, text: str, fields: dict[str, Any] | None) -> Answer:
    """An answer whose status is the verdict's; JSON if ``fields`` are given."""
    said = as_json(fields).text if fields is not None else text
    return Answer(said, STATUS[verdict])


def said(output: str, text: str | None, json_: bool) -> Answer:
    """Write ``text`` (None: it is written already) and say where; or hand it over to be printed."""
    if output != "-" and text is not None:
        write_file(output, text)
    if json_:
        return as_json({"output": output, "source": text})
    if output == "-":
        return Answer((text or "").rstrip("\n"))
    click.echo(f"wrote {output}", err=True)
    return Answer()


def coloured(text: str, colours: dict[str, str]) -> str:
    """``text`` with the first word of its lines in colour; `click.echo` drops it off a terminal."""
    lines = text.split("\n")
    for row, line in enumerate(lines):
        word = line.split(" ")[0].rstrip(":")
        if word in colours:
            lines[row] = click.style(word, fg=colours[word], bold=True) + line[len(word) :]
    return "\n".join(lines)
