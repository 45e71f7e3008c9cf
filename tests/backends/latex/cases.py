"""How the text fixtures of the LaTeX printers are read: blocks of input, ``=>`` and expected."""

from __future__ import annotations

from pathlib import Path

from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.terms import latex_term
from symbackprop.ir.expressions import Index, extent_symbol
from symbackprop.notation.elaborate import Scope, elaborate, elaborate_entry
from symbackprop.notation.text_reader import read_expression

FOLDER = Path(__file__).parents[2] / "cases" / "backends"
N, D, M, K = (extent_symbol(name) for name in "NDMK")
SHAPES = {
    "X": (N, D),
    "y": (N,),
    "Y": (N, K),
    "P": (N, K),
    "W": (M, D),
    "b": (M,),
    "theta": (M,),
    "c": (),
    "Z": (N, M),
    "H": (N, M),
    "yhat": (N,),
    "A": (M, M),
    "t": (N,),
}
SHAPES |= {f"grad_{name}": shape for name, shape in SHAPES.items()}
DIMS = {"N": N, "D": D, "M": M, "K": K}
EXTENTS = {"n": N, "d": D, "m": M, "k": K, "i": N, "j": K}
INDICES = {name: Index(name, extent) for name, extent in EXTENTS.items()}
SCOPE = Scope(
    dims=DIMS, shapes=SHAPES, functions=("f",), indices=INDICES, integers=frozenset({"t"})
)


def blocks(name: str) -> list[tuple[str, str]]:
    """Input and expected output of every block of a file; lines with ``#`` are comments."""
    out = []
    for block in (FOLDER / name).read_text("utf-8").strip().split("\n\n"):
        given, expected = block.split("\n=>\n")
        kept = [line for line in given.splitlines() if not line.startswith("#")]
        out.append(("\n".join(kept), expected.strip()))
    return out


def term_latex(text: str) -> str:
    """LaTeX of a term written in the model language."""
    return latex_term(elaborate(read_expression(text), SCOPE))


def entry_latex(text: str) -> str:
    """LaTeX of an entry written in index notation."""
    return latex_entry(elaborate_entry(read_expression(text), SCOPE))
