"""The commands, each a few lines over the pipeline, with examples at the end of its help."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from symbackprop import __version__
from symbackprop.cli.answer import STATUS, Answer, as_json, judge, said
from symbackprop.cli.files import check_output, shorten
from symbackprop.cli.flags import (
    JSON,
    LAYOUT,
    MODEL,
    complete_model,
    derivation_flags,
)
from symbackprop.errors import Malformed

if TYPE_CHECKING:
    from symbackprop import pipeline


class Group(click.Group):
    """A group that answers a misspelt command with the nearest ones."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name those that are spelt alike."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            commands = self.list_commands(ctx)
            near = get_close_matches(name, commands) or commands
            raise Malformed(
                f"a command: {', '.join(commands)}",
                f"`{shorten(name)}`",
                hint=" or ".join(f"symbackprop {command}" for command in near[:3]),
            )
        return super().resolve_command(ctx, args)


def derived(model: str, flags: dict[str, Any]) -> pipeline.Derivation:
    """The derivation that the flags ask for."""
    from symbackprop import pipeline

    return pipeline.derive(pipeline.load(model), **flags)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  symbackprop derive three-layer --steps
  symbackprop prove "sigmoid(z) == 1/2 + tanh(z/2)/2"
  symbackprop notes three-layer -o notes.pdf
  symbackprop kernel mlp -o mlp.py && python mlp.py
  symbackprop verify three-layer homework.tex

MODEL is the name of a model that ships (`symbackprop models`), a path, or - for standard input.""",
)
@click.version_option(__version__, prog_name="symbackprop")
def cli() -> None:
    """Derive backpropagation as one does by hand; prove, typeset, compile and check it."""


@cli.command(
    epilog="""\b
Examples:
  symbackprop derive three-layer --check
  symbackprop derive three-layer --form closed
  symbackprop derive three-layer --of yhat --wrt theta --kind jacobian
  symbackprop derive three-layer --wrt all --json"""
)
@MODEL
@derivation_flags
@LAYOUT
@click.option(
    "--form",
    type=click.Choice(["array", "index", "closed", "kronecker"]),
    default="array",
    show_default=True,
    help="Array equations, entries, one closed formula each, or d vec(Y)/d vec(X).",
)
@click.option("--steps", is_flag=True, help="Show each step and its reason.")
@click.option(
    "--check", is_flag=True, help="Add a verdict: is each one proved, and do values agree?"
)
@JSON
def derive(model: str, form: str, steps: bool, check: bool, json_: bool, **flags: Any) -> Answer:
    """Derive every gradient of MODEL: shape, equation, steps."""
    derivation = derived(model, flags)
    answer = Answer(derivation.as_text(form=form, steps=steps))
    if json_:
        answer = as_json(derivation.as_json(form=form))
    return checked(derivation, answer, json_) if check else answer


def checked(derivation: pipeline.Derivation, answer: Answer, json_: bool) -> Answer:
    """``answer`` with the verdict of the checks: its status, and in plain text a line of its own.

    JSON has the outcome of each check among its fields already.
    """
    results = derivation.derivatives
    failed = [d.name for d in results if not d.checked.passed]
    verdict = "undecided" if failed else "proved"
    how = "each entry by entry, and by central differences at random points"
    line = f"{verdict}: {', '.join(failed) or f'all {len(results)}'}, {how}"
    return Answer(answer.text if json_ else f"{answer.text}\n{line}", STATUS[verdict])


@cli.command(
    epilog="""\b
Examples:
  symbackprop prove "sigmoid(z) == 1/2 + tanh(z/2)/2"
  symbackprop prove "sum((yhat - y)**2) == dot(yhat - y, yhat - y)" --model three-layer"""
)
@click.argument("identity", metavar='"A == B"')
@click.option("--model", shell_complete=complete_model, help="The model whose names A and B use.")
@JSON
def prove(identity: str, model: str | None, json_: bool) -> Answer:
    """Decide an identity: its proof, or the smallest counterexample."""
    from symbackprop import pipeline

    proof = pipeline.prove(identity, model=None if model is None else pipeline.load(model))
    return judge(proof.verdict, str(proof), proof.as_json() if json_ else None)


@cli.command(
    epilog="""\b
Examples:
  symbackprop notes three-layer -o notes.tex
  symbackprop notes mlp -o mlp.pdf
  symbackprop notes three-layer --fragment > three-layer-body.tex"""
)
@MODEL
@click.option("-o", "--output", default="-", metavar="FILE", help="A .tex or .pdf file, or -.")
@click.option("--fragment", is_flag=True, help="No preamble: to be included in a document.")
@derivation_flags
@LAYOUT
@JSON
def notes(model: str, output: str, fragment: bool, json_: bool, **flags: Any) -> Answer:
    """Write the derivation of MODEL as a LaTeX document."""
    from symbackprop import pipeline

    suffix = check_output(output, ".tex", ".pdf")
    document = pipeline.notes(derived(model, flags), fragment=fragment)
    if suffix == ".pdf":
        document.save(output)
        return said(output, None, json_)
    return said(output, document.source, json_)


@cli.command(
    epilog="""\b
Examples:
  symbackprop kernel three-layer -o net.py && python net.py
  symbackprop kernel mlp --dtype float32 -o mlp.py"""
)
@MODEL
@click.option("-o", "--output", default="-", metavar="FILE", help="A .py file, or -.")
@click.option("--target", default="numpy", show_default=True, help="What the code is written in.")
@click.option("--dtype", metavar="DTYPE", help="Compute in this type (default: the inputs').")
@derivation_flags
@JSON
def kernel(
    model: str, output: str, target: str, dtype: str | None, json_: bool, **flags: Any
) -> Answer:
    """Write forward and backward code for MODEL, with a self-test."""
    from symbackprop import pipeline

    check_output(output, ".py")
    written = pipeline.kernel(derived(model, flags), target=target, dtype=dtype)
    return said(output, written.source, json_)


@cli.command(
    epilog="""\b
Examples:
  symbackprop models
  symbackprop derive softmax-regression"""
)
@JSON
def models(json_: bool) -> Answer:
    """List the models that ship."""
    from symbackprop import pipeline

    rows = pipeline.models()
    if json_:
        return as_json({"models": [{"name": name, "about": about} for name, about in rows]})
    width = max(len(name) for name, _ in rows)
    return Answer("\n".join(f"{name:<{width}}  {about}" for name, about in rows))


@cli.command(
    epilog="""\b
Examples:
  symbackprop explain sigmoid"""
)
@click.argument("topic")
@JSON
def explain(topic: str, json_: bool) -> Answer:
    """Show one page on a row of the library: definition, slope, identities."""
    from symbackprop import pipeline

    page = pipeline.explain(topic)
    return as_json({"topic": topic, "text": page}) if json_ else Answer(page)
