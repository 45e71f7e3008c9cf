"""symbackprop derives backpropagation the way a person does on paper, proves every step, and hands
over what people need from it.

>>> import symbackprop as sb
>>> derivation = sb.derive(sb.load("three-layer"))
>>> derivation["W"].closed
'2 * (outer(yhat - y, theta) * f_prime(Z)).T @ X'

Public names are loaded when they are first used (PEP 562), so that ``symbackprop --help`` needs
neither SymPy nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.pipeline import (
        Derivation,
        Document,
        Kernel,
        Model,
        Proof,
        Report,
        derive,
        explain,
        kernel,
        load,
        models,
        notes,
        parse,
        prove,
        verify,
    )

__version__ = "0.1.0"
__all__ = [
    "Derivation",
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


def __getattr__(name: str) -> Any:
    """Import the pipeline when one of its names is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'symbackprop' has no attribute {name!r}")
    from symbackprop import pipeline

    return getattr(pipeline, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
