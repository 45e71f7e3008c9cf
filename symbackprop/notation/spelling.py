"""Names in ASCII: how a Greek letter, an accent or a subscript digit of the source is spelled.

``θ`` is ``theta``, ``ŷ`` is ``yhat``, ``h₁`` is ``h1``; other Unicode letters stay, in their NFC
form. The reserved words of the language and its limits on size stand here too, since every reader
of names respects them.
"""

from __future__ import annotations

import unicodedata

RESERVED = frozenset(
    {"dims", "data", "param", "function", "assume", "index", "output", "for", "in"}
)
ADJOINT_PREFIX = "grad_"

# fmt: off
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon",
    "ϵ": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta", "ϑ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu",
    "ν": "nu", "ξ": "xi", "ο": "omicron", "π": "pi", "ρ": "rho",
    "ϱ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon",
    "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi",
    "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega",
}
ACCENTS = {
    "\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde", "\u0307": "dot",
    "\u20d7": "vec",
}
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
SUPERSCRIPTS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")
# fmt: on


def spell(name: str) -> str:
    """The name in ASCII where it has Greek letters, accents or subscript digits; NFC otherwise."""
    if name.isascii():
        return name
    out: list[str] = []
    for letter in unicodedata.normalize("NFC", name):
        parts = unicodedata.normalize("NFD", letter)
        base, marks = parts[0], parts[1:]
        if base in GREEK or base in SUBSCRIPTS:
            out.append(GREEK.get(base) or SUBSCRIPTS[base])
            out.extend(ACCENTS.get(m, "") for m in marks)
        elif letter in ACCENTS:
            out.append(ACCENTS[letter])
        elif base.isascii() and marks and all(m in ACCENTS for m in marks):
            out.append(base + "".join(ACCENTS[m] for m in marks))
        else:
            out.append(letter)
    return unicodedata.normalize("NFC", "".join(out))
