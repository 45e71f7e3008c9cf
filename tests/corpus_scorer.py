"""The corpus' own scorer and data, importable where jax is not.

``tests/corpus`` is copied from elsewhere and stays as it is. Its scorer reads formulas, writes
model files and counts without jax, but imports the evaluator that needs it; here the NumPy
evaluator stands in for that one while the scorer is imported.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests import corpus_language

CORPUS = Path(__file__).parent / "corpus"
MODULES = ("data", "validate_derive", "score_derive")


def _import() -> tuple[Any, Any]:
    """The corpus' ``data`` and ``score_derive``, leaving no trace on the import system."""
    stand_in = ModuleType("lang")
    vars(stand_in).update(jax=None, jnp=np, BASE=corpus_language.FUNCTIONS)
    path, before = list(sys.path), dict(sys.modules)
    sys.path.insert(0, str(CORPUS))
    sys.modules["lang"] = stand_in
    try:
        data, _, scorer = (importlib.import_module(name) for name in MODULES)
        return data, scorer
    finally:
        sys.path[:] = path
        for name in ("lang", *MODULES):
            sys.modules.pop(name, None)
            if name in before:
                sys.modules[name] = before[name]


data, scorer = _import()
