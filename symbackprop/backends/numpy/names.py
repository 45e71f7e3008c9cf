"""Which Python identifier a name of the model gets in generated code.

A keyword, a builtin, a name that the generated file itself uses, or one that begins with an
underscore gets a trailing ``_``, and so does a name that would meet another; Greek letters are
spelled in ASCII. Dictionary keys keep the model's own name, so nothing here is ever seen by a user
who only reads results.

>>> identifiers(["W", "lambda", "np", "θ"])
{'W': 'W', 'lambda': 'lambda_', 'np': 'np_', 'θ': 'theta'}
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping

from symbackprop.ir.terms import Term

# The module's own names, then the arguments and locals of the functions in which names of the
# model are locals too, then those of `fit`, which abstract functions enter as keywords.
MODULE = frozenset(
    "np Array DTYPE Workspace forward backward loss_and_grad fit jacobian hessian hvp jvp vjp "
    "cache workspace ws dtype rng given data params rate epochs batch tolerance seed callback "
    "arrays history order rows losses loss_value grads workspaces count key step sizes out "
    "axis".split()
)
RESERVED = MODULE | frozenset(keyword.kwlist) | frozenset(dir(builtins))
LONGEST = 28


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """An identifier for each name, all different; who may stay as it is comes first."""
    listed = list(dict.fromkeys(names))
    taken = {n for n in listed if _ascii(n) == n and n not in RESERVED and not n.startswith("_")}
    chosen = {n: n for n in taken}
    for n in listed:
        if n not in chosen:
            chosen[n] = unused(_ascii(n), taken)
            taken.add(chosen[n])
    return {n: chosen[n] for n in listed}


def unused(wish: str, taken: Iterable[str]) -> str:
    """``wish``, with as many trailing underscores as make it free."""
    taken = set(taken)
    word = wish + "_" if wish in RESERVED or wish.startswith("_") else wish
    while word in taken:
        word += "_"
    return word


def _ascii(name: str) -> str:
    """A name of the language (letters, digits, ``_``) in ASCII: ``θ1`` is ``theta1``."""
    return "".join(_letter(c) for c in name)


def _letter(c: str) -> str:
    if c.isascii():
        return c
    title = unicodedata.name(c, "")
    if title.startswith("GREEK") and " LETTER " in title:
        word = title.split(" LETTER ")[1].split()[-1].lower()
        word = {"lamda": "lambda"}.get(word, word)
        return word.capitalize() if "CAPITAL" in title else word
    plain = unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode()
    return plain if plain.isidentifier() or plain.isdigit() else f"u{ord(c):x}"


_SAYS: Mapping[str, str] = {
    "add": "{}_plus_{}", "sub": "{}_minus_{}", "mul": "{}_times_{}", "div": "{}_over_{}",
    "matmul": "{}_{}", "neg": "minus_{}", "transpose": "{}T", "sum": "sum_{}", "mean": "mean_{}",
    "softmax": "softmax_{}", "log_softmax": "log_softmax_{}", "logsumexp": "logsumexp_{}",
    "norm2": "norm_{}", "max": "max_{}", "min": "min_{}", "dot": "{}_dot_{}",
    "outer": "{}_outer_{}", "index": "{}", "broadcast": "{}",
}  # fmt: skip
_NUMBERS = {"0": "zero", "1": "one", "2": "two", "3": "three", "1/2": "half"}


def describe(term: Term) -> str:
    """A name that says what an unnamed subterm is (``yhat_minus_y``), ``shared`` if that is long.

    A subterm that is computed once for several uses has no name of the model; a reader should still
    see what it holds.
    """
    word = _words(term)
    return word if len(word) <= LONGEST else "shared"


def _words(term: Term) -> str:
    if term.op in ("name", "constant"):
        return str(term.attrs[0]).partition("[")[0]
    if term.op in ("number", "dim"):
        text = str(term.attrs[0])
        return _NUMBERS.get(text) or re.sub(r"\W+", "_", text).strip("_")
    inner = [_words(a) for a in term.args]
    if term.op == "pow":
        return f"{inner[0]}_squared" if inner[1] == "two" else f"{inner[0]}_to_{inner[1]}"
    if term.op == "apply":
        return "_".join([term.attrs[0], *inner])
    if term.op == "compare":
        return f"{inner[0]}_mask"
    return _SAYS.get(term.op, f"{term.op}_" + "_".join(["{}"] * len(inner))).format(*inner)
