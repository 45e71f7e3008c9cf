"""In which order the rooms are asked: the functions behind the commands and the Python face.

>>> from symbackprop import pipeline
>>> derivation = pipeline.derive(pipeline.load("three-layer"))
>>> print(derivation["W"].text)
grad_Z.T @ X
"""

from __future__ import annotations

from symbackprop.checking.report import Report
from symbackprop.network.model import Model, load, parse
from symbackprop.pipeline.compilation import derive
from symbackprop.pipeline.derivation import Derivation, DerivativeResult
from symbackprop.pipeline.explanation import explain
from symbackprop.pipeline.outputs import Document, Kernel, kernel, models, notes, verify
from symbackprop.pipeline.proofs import Proof, prove

__all__ = [
    "Derivation",
    "DerivativeResult",
    "Document",
    "Kernel",
    "Model",
    "Proof",
    "Report",
    "derive",
    "explain",
    "kernel",
    "load",
    "models",
    "notes",
    "parse",
    "prove",
    "verify",
]
