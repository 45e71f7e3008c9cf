"""``verify``: one derivation, or files and folders of them side by side, with a table, a page and a
JUnit report at the end.

One file is judged in this process, unless it has a time limit; its answer is the report. Of several
the answer is a table, and the status that of the worst.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symbackprop.cli.answer import STATUS, Answer, as_json, judge
from symbackprop.cli.commands import cli
from symbackprop.cli.files import check_output, write_file
from symbackprop.cli.flags import JSON, MODEL, split_symbols
from symbackprop.errors import Malformed

if TYPE_CHECKING:
    from symbackprop import pipeline

SECONDS = 60.0


@cli.command(
    epilog="""\b
Examples:
  symbackprop verify three-layer homework.tex
  printf '%s' 'grad_W = grad_Z.T @ X' | symbackprop verify three-layer -
  symbackprop verify three-layer homework.tex --symbols '\\delta=grad_Z' --layout auto
  symbackprop verify mlp net.py --function backward --returns W1,b1,W2,b2
  symbackprop verify three-layer homework/ extra.md --html verdicts.html --junit verdicts.xml"""
)
@MODEL
@click.argument("derivations", metavar="DERIVATION...", nargs=-1, required=True, type=click.Path())
@click.option("--format", type=click.Choice(["latex", "text", "numpy"]), help="(default: guessed)")
@click.option(
    "--layout",
    type=click.Choice(["gradient", "jacobian", "auto"]),
    default="gradient",
    show_default=True,
    help="Whether the derivative of a scalar is a gradient or a row.",
)
@click.option(
    "--symbols",
    multiple=True,
    callback=split_symbols,
    metavar="PAIRS",
    help="What symbols of the text mean, e.g. '\\delta=grad_Z'.",
)
@click.option("--function", metavar="NAME", help="Which NumPy function (default: guessed).")
@click.option("--call", metavar="CALL", help="How a NumPy function is called.")
@click.option("--returns", metavar="NAMES", help="Whose gradients it returns, e.g. X,W,b.")
@click.option("--assume", multiple=True, metavar="FACT", help="A further fact of the data.")
@click.option("--macros", metavar="FILE", help="LaTeX that defines macros of the text.")
@click.option("--hint", is_flag=True, help="Say where it is wrong, not what would be right.")
@click.option("--explain", is_flag=True, help="Derive the right step beside a wrong one.")
@click.option("--html", metavar="FILE", help="Write a page with the lines marked.")
@click.option("--junit", metavar="FILE", help="Write a JUnit report.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help=f"For each of several files (default: {SECONDS:g}).",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many files at once (default: one a processor).",
)
@click.option("--progress", is_flag=True, help="Tell of each file as it is done, on any output.")
@JSON
def verify(
    model: str,
    derivations: tuple[str, ...],
    function: str | None,
    html: str | None,
    junit: str | None,
    time_limit: float | None,
    jobs: int | None,
    progress: bool,
    json_: bool,
    **flags: Any,
) -> Answer:
    """Judge hand DERIVATIONs (files, folders, or -) against MODEL."""
    from symbackprop import pipeline

    if (model, *derivations).count("-") > 1:
        raise Malformed(
            "at most one - (standard input)",
            "MODEL and DERIVATION both -" if model == "-" else "- more than once",
            hint="write one of them to a file",
        )
    flags["call"] = _call(flags["call"], function)
    flags["macros"] = pipeline.read_text(flags["macros"]) if flags["macros"] else ""
    for output, suffixes in ((html, (".html", ".htm")), (junit, (".xml",))):
        if output is not None:
            check_output(output, *suffixes)
    paths = pipeline.papers(derivations)
    several, loaded = paths != derivations or len(paths) > 1, pipeline.load(model)
    papers: tuple[pipeline.Paper, ...]
    if time_limit is None and not several:
        papers = (_one(loaded, paths[0], flags),)
    else:
        tell = _tell if progress or sys.stderr.isatty() else None
        limit = SECONDS if time_limit is None else time_limit
        papers = pipeline.verify_papers(loaded, paths, seconds=limit, jobs=jobs, tell=tell, **flags)
    if html is not None:
        _written(html, pipeline.html_page(papers, loaded))
    if junit is not None:
        _written(junit, pipeline.junit(papers, loaded))
    return _table(papers, json_) if several else _answer(papers[0], json_)


@cli.command(
    epilog="""\b
Examples:
  symbackprop check mlp net.py --function backward --call 'backward(X, y, W1, b1, W2, b2)' \\
      --returns W1,b1,W2,b2
  symbackprop check three-layer net.py --function grads --json"""
)
@MODEL
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--function", required=True, metavar="NAME", help="The gradient function.")
@click.option(
    "--call", metavar="CALL", help="How it is called (default: by its parameters' names)."
)
@click.option("--returns", metavar="NAMES", help="Whose gradients it returns (default: its keys).")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="For all that it is run.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-6,
    show_default=True,
    help="How far an entry may be off, in proportion to 1 + its size.",
)
@JSON
def check(
    model: str,
    file: str,
    function: str,
    call: str | None,
    returns: str | None,
    time_limit: float,
    tolerance: float,
    json_: bool,
) -> Answer:
    """RUN the gradient function of FILE and compare its numbers with those of MODEL.

    Unlike verify, which only reads code, this imports FILE in a process of its own and calls the
    function on small random data: do not check what you would not run. What it returns is compared
    with the derived gradient, central differences and the complex step.
    """
    from symbackprop import pipeline

    found = pipeline.check(
        pipeline.load(model),
        file,
        function=function,
        call=None if call is None else _call(call, function),
        returns=returns,
        seconds=time_limit,
        tolerance=tolerance,
    )
    return judge(found.verdict, str(found), found.as_json() if json_ else None)


def _call(call: str | None, function: str | None) -> str | None:
    """How the function is called: by its name alone, or as ``--call`` says, which must be of it."""
    if call is None or function is None:
        return call if function is None else function
    if f"{function}(" not in call.replace(" ", ""):
        raise Malformed(
            f"a call of {function}", f"--call '{call}'", hint=f"--call '{function}(…)', or one flag"
        )
    return call


def _one(model: pipeline.Model, path: str, flags: dict[str, Any]) -> pipeline.Paper:
    """A single file: what cannot be read is an error of the command."""
    from symbackprop import pipeline

    text = pipeline.read_text(path)
    source = "<stdin>" if path == "-" else path
    options = pipeline.options_for(path, flags) if Path(path).suffix == ".py" else flags
    return pipeline.Paper(source, text, pipeline.verify(model, text, source=source, **options))


def _tell(paper: pipeline.Paper, done: int, of: int) -> None:
    """A line of progress."""
    click.echo(
        f"[{done:>{len(str(of))}}/{of}] {paper.verdict:<10} {paper.path}  {paper.seconds:.1f} s",
        err=True,
    )


def _written(path: str, text: str) -> None:
    write_file(path, text)
    click.echo(f"wrote {path}", err=True)


def _answer(paper: pipeline.Paper, json_: bool) -> Answer:
    if paper.report is None:
        said = as_json(paper.as_json()).text if json_ else f"{paper.verdict}: {paper.problem}"
        return Answer(said, STATUS["undecided"])
    return judge(paper.verdict, str(paper.report), paper.report.as_json() if json_ else None)


def _table(papers: tuple[pipeline.Paper, ...], json_: bool) -> Answer:
    """A line a file and one for all; in JSON the list."""
    from symbackprop import pipeline

    verdict = pipeline.worst(papers)
    status = STATUS.get(verdict, STATUS["undecided"])
    if json_:
        fields = {"verdict": verdict, "files": [p.as_json() for p in papers]}
        return Answer(as_json(fields).text, status)
    width = max(len(p.path) for p in papers)
    lines = [f"{p.verdict:<10}  {p.path:<{width}}  {p.summary()}".rstrip() for p in papers]
    counts = Counter(p.verdict for p in papers)
    told = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    lines.append(f"{len(papers)} files: {told}")
    return Answer("\n".join(lines), status)
