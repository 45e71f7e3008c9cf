"""In which order the rooms are asked: the functions behind the commands and the Python face.

>>> from symbackprop import pipeline
>>> derivation = pipeline.derive(pipeline.load("three-layer"))
>>> print(derivation["W"].text)
grad_Z.T @ X
"""

from __future__ import annotations

from symbackprop.network.model import Model, load, parse
from symbackprop.pipeline.compilation import derive
from symbackprop.pipeline.derivation import Derivation, DerivativeResult
from symbackprop.pipeline.proofs import Proof, prove

__all__ = ["Derivation", "DerivativeResult", "Model", "Proof", "derive", "load", "parse", "prove"]
