"""The flags that several commands share, and how their values are taken apart."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from symbackprop.cli.files import shorten
from symbackprop.errors import Malformed

Command = TypeVar("Command", bound=Callable[..., Any])


def split_names(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> list[str] | None:
    """``--wrt W,b --wrt c`` → ``["W", "b", "c"]``; None where the flag was not given."""
    names = [name.strip() for item in value for name in item.split(",") if name.strip()]
    return names or None


def split_symbols(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    r"""``'dY=dout, \hat y=p'`` → ``{"dY": "dout", "\\hat y": "p"}``; commas in brackets stay."""
    symbols: dict[str, str] = {}
    for item in (part for text in value for part in split_outside_brackets(text)):
        name, equals, meaning = (word.strip() for word in item.partition("="))
        if not (name and equals and meaning):
            raise Malformed(
                "pairs SYMBOL=EXPRESSION between commas",
                f"`{shorten(item)}`",
                hint=r"--symbols 'dY=dout, \hat y=p'",
            )
        symbols[name] = meaning
    return symbols


def split_outside_brackets(text: str) -> list[str]:
    """The stretches of ``text`` between the commas that no bracket encloses."""
    depth, parts = 0, [""]
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part.strip()]


def complete_model(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    """The models that ship, then files."""
    shipped = (entry.name for entry in files("symbackprop").joinpath("models").iterdir())
    names = sorted(name.removesuffix(".net") for name in shipped if name.endswith(".net"))
    found = [CompletionItem(name) for name in names if name.startswith(start)]
    return found or [CompletionItem(start, type="file")]


MODEL = click.argument("model", shell_complete=complete_model)
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON (with a schema number).")
KINDS = click.Choice(["gradient", "jacobian", "hessian", "hvp", "jvp", "vjp"])
DERIVATION = (
    click.option(
        "--wrt",
        multiple=True,
        callback=split_names,
        metavar="NAMES",
        help="Differentiate by these, e.g. W,b (default: every param; `all`: data too).",
    ),
    click.option("--of", metavar="NAME", help="The quantity to differentiate (default: output)."),
    click.option("--kind", type=KINDS, default="gradient", show_default=True),
    click.option(
        "--direction",
        metavar="NAME",
        help="The array that hvp, jvp and vjp multiply (default: a fresh v_W).",
    ),
)
LAYOUT = click.option(
    "--layout",
    type=click.Choice(["notes", "jacobian", "gradient"]),
    default="notes",
    show_default=True,
    help="Who is a row, who a column.",
)


def derivation_flags(command: Command) -> Command:
    """The flags that say which derivative is meant."""
    for flag in reversed(DERIVATION):
        command = flag(command)
    return command
