"""One command line: run it, print its answer or the four parts of an error, return the status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from symbackprop.cli.answer import COLOURS, Answer, coloured
from symbackprop.cli.commands import cli
from symbackprop.cli.verifying import verify  # noqa: F401 - it registers the command
from symbackprop.errors import Malformed, SymbackpropError

INTERRUPTED, BROKEN_PIPE = 130, 141  # 128 + the number of the signal, as a shell would say it
LABELS = dict.fromkeys(("expected", "got", "at", "try"), "red")


def complain(error: SymbackpropError) -> int:
    """Print the four parts on standard error."""
    click.echo(coloured(str(error), LABELS), err=True)
    return error.exit_status


def as_four_parts(error: click.ClickException | OSError | UnicodeDecodeError) -> Malformed:
    """An error of the command line or of a file, in our words."""
    if isinstance(error, OSError):
        place = "" if error.filename is None else f": {error.filename}"
        return Malformed(
            "a file that can be opened",
            f"{error.strerror}{place}",
            hint="check the path; a derivation is read from a file or from -",
        )
    if isinstance(error, UnicodeDecodeError):
        return Malformed(
            "a text in UTF-8", f"{error.reason} (byte {error.start})", hint="save the file as UTF-8"
        )
    context = getattr(error, "ctx", None)
    path = "symbackprop" if context is None else context.command_path
    usage = path if context is None else " ".join(context.get_usage().split()[1:])
    return Malformed(usage, error.format_message(), hint=f"{path} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit status is returned."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without Unicode shows escapes, not a crash
            stream.reconfigure(errors="backslashreplace")
    try:
        answer = cli.main(arguments, prog_name="symbackprop", standalone_mode=False)
        if not isinstance(answer, Answer):  # --help and --version print by themselves
            return int(answer or 0)
        if answer.text:
            click.echo(coloured(answer.text, COLOURS))
        sys.stdout.flush()
        return answer.status
    except SymbackpropError as error:
        return complain(error)
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader has gone; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (click.ClickException, OSError, UnicodeDecodeError) as error:
        return complain(as_four_parts(error))
