"""In which order the rooms are asked: the functions behind the commands and the Python face.

>>> from symbackprop import pipeline
>>> derivation = pipeline.derive(pipeline.load("three-layer"))
>>> print(derivation["W"].text)
grad_Z.T @ X
"""

from __future__ import annotations

from symbackprop.checking.paper import Paper, worst
from symbackprop.checking.report import Report
from symbackprop.network.model import Model, load, parse
from symbackprop.pipeline.compilation import derive
from symbackprop.pipeline.derivation import Derivation, DerivativeResult
from symbackprop.pipeline.explanation import explain
from symbackprop.pipeline.numeric import NumericCheck, check
from symbackprop.pipeline.outputs import Document, Kernel, kernel, models, notes, verify
from symbackprop.pipeline.pages import html_page, junit
from symbackprop.pipeline.papers import options_for, papers, read_text
from symbackprop.pipeline.proofs import Proof, prove
from symbackprop.pipeline.workers import verify_papers

__all__ = [
    "Derivation",
    "DerivativeResult",
    "Document",
    "Kernel",
    "Model",
    "NumericCheck",
    "Paper",
    "Proof",
    "Report",
    "check",
    "derive",
    "explain",
    "html_page",
    "junit",
    "kernel",
    "load",
    "models",
    "notes",
    "options_for",
    "papers",
    "parse",
    "prove",
    "read_text",
    "verify",
    "verify_papers",
    "worst",
]
