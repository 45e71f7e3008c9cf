"""What is handed over: a kernel, notes, a report, the list of models, a page of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from symbackprop.backends.latex.notes import notes_source
from symbackprop.backends.latex.typeset import typeset
from symbackprop.backends.numpy.kernel import SECOND_ORDER, kernel_source
from symbackprop.checking.judge import verify as judge
from symbackprop.checking.report import Report
from symbackprop.errors import Malformed
from symbackprop.network.model import Model
from symbackprop.network.shipped import shipped_models, title_of
from symbackprop.pipeline.compilation import derive, program_of
from symbackprop.pipeline.derivation import Derivation
from symbackprop.pipeline.right_steps import presented
from symbackprop.pipeline.second_order import structured_record

TARGETS = ("numpy",)
SUFFIXES = (".tex", ".pdf")


class Document:
    """Notes: their LaTeX source, and how to keep them."""

    def __init__(self, source: str) -> None:
        self.source = source

    def save(self, path: str | Path) -> None:
        """Write ``.tex``, or ``.pdf`` by running TeX; the source is kept beside a PDF.

        Raises
        ------
        Malformed
            For another suffix.
        MissingProgram
            If TeX is missing or fails; the ``.tex`` is there all the same.
        """
        target = Path(path)
        if target.suffix not in SUFFIXES:
            raise Malformed(f"a file that ends in {' or '.join(SUFFIXES)}", target.name)
        target.with_suffix(".tex").write_text(self.source, encoding="utf-8")
        if target.suffix == ".pdf":
            typeset(self.source, target)


def notes(derivation: Derivation, fragment: bool = False) -> Document:
    """The derivation as a LaTeX document, or without preamble as a ``fragment`` to include in
    one.
    """
    return Document(notes_source(derivation.record, title=derivation.model.name, fragment=fragment))


class _Source(SourceLoader):
    """Loads a module from a text that we generated."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_filename(self, fullname: str) -> str:
        return f"<{fullname}>"

    def get_data(self, path: str | bytes) -> bytes:
        return self._text.encode()


class Kernel:
    """Generated code: its source, and the module that it makes.

    Calling it is ``loss_and_grad``, or ``jacobian``, ``hessian``, ``hvp``, ``jvp``, ``vjp`` for a
    derivation of that kind.
    """

    def __init__(self, name: str, source: str, kind: str) -> None:
        self.name, self.source, self.kind = name, source, kind

    @cached_property
    def module(self) -> ModuleType:
        """The generated module, imported."""
        name = "symbackprop_kernel_" + "".join(c if c.isalnum() else "_" for c in self.name)
        spec = spec_from_loader(name, _Source(self.source))
        assert spec is not None, "a loader gives a spec"
        assert spec.loader is not None, "a spec from a loader has it"
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def __call__(self, **arguments: Any) -> Any:
        entry = "loss_and_grad" if self.kind == "gradient" else self.kind
        if not hasattr(self.module, entry):
            raise Malformed(
                "a kernel of a scalar output",
                "an array output",
                hint="call kernel.module.forward and .backward",
            )
        return getattr(self.module, entry)(**arguments)

    def save(self, path: str | Path) -> None:
        """Write the source to ``path``."""
        Path(path).write_text(self.source, encoding="utf-8")


def kernel(derivation: Derivation, target: str = "numpy", dtype: str | None = None) -> Kernel:
    """Generate code for a derivation.

    Parameters
    ----------
    derivation : Derivation
        In layout ``notes``.
    target : str
        ``numpy``.
    dtype : str, optional
        ``float32`` or ``float64``; by default the inputs' own.

    Raises
    ------
    Malformed
        For an unknown target or dtype, or another layout.
    """
    if target not in TARGETS:
        raise Malformed(f"a target: {', '.join(TARGETS)}", repr(target))
    model = derivation.model
    record = derivation.outline
    gradient = None
    if record.kind in SECOND_ORDER:
        gradient = derive(model, wrt=record.wrt, of=record.of).record
    if record.kind == "hessian":
        record = structured_record(record) or derivation.record
    source = kernel_source(
        record, title=model.name, source_text=model.source, dtype=dtype, gradient=gradient
    )
    return Kernel(model.name, source, derivation.kind)


def verify(
    model: Model,
    text: str,
    *,
    format: str | None = None,
    layout: str = "gradient",
    symbols: Mapping[str, str] | None = None,
    call: str | None = None,
    returns: str | None = None,
    assume: Sequence[str] = (),
    source: str = "<derivation>",
    macros: str = "",
    hint: bool = False,
    explain: bool = False,
) -> Report:
    """Judge a hand derivation against a model.

    Parameters
    ----------
    model : Model
        What the derivation is about.
    text : str
        The derivation.
    format : str, optional
        ``latex``, ``text`` or ``numpy``; found out if not given.
    layout : str
        ``gradient``, ``jacobian`` or ``auto``.
    symbols : mapping, optional
        What symbols of the text stand for, in the model language.
    call, returns : str, optional
        For NumPy code: how the function is called, and what it returns.
    assume : sequence of str
        Further facts.
    macros : str
        LaTeX that defines macros of the text.
    hint : bool
        Say where a step is wrong, not what would be right.
    explain : bool
        Derive the right step by entries beside a wrong one.

    Raises
    ------
    Malformed
        For text that cannot be read at all.
    """
    report = judge(
        program_of(model),
        text,
        format=format,
        layout=layout,
        symbols=symbols,
        call=call,
        returns=returns,
        assume=assume,
        source=source,
        macros=macros,
    )
    return presented(report, model, hint=hint, explain=explain)


def models() -> list[tuple[str, str]]:
    """The models that ship: name, and what it is."""
    return [(name, title_of(text)) for name, text in shipped_models().items()]
