r"""Names → LaTeX: what a name of the model looks like in print; takes a name, gives safe TeX.

``yhat`` is ŷ (``hat bar tilde dot vec`` after one letter or a Greek name), ``theta1`` is θ₁, what
follows ``_`` is a subscript in upright type (an italic subscript is an index), Greek names are
Greek, other words are ``\mathit{…}``. No character of a name reaches TeX unescaped, and none
outside ASCII reaches it at all. :class:`Notation` holds what differs between a formula that stands
alone (plain commands) and one in our document (macros that a reader may redefine).

>>> spell_name("yhat"), spell_name("W_hx"), spell_name("theta1")
('\\hat{y}', 'W_{\\mathrm{hx}}', '\\theta_{1}')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from symbackprop.ir.families import split_member
from symbackprop.ir.program import Program
from symbackprop.notation.spelling import GREEK as LETTERS
from symbackprop.notation.spelling import spell

ADJOINT = "grad_"
# A name that no model can have.
ANY_SCALAR = "_any_scalar"
ACCENTS = ("hat", "bar", "tilde", "dot", "vec")
# A letter and an accent that together are an English word.
WORDS = frozenset({"what", "that"})

# fmt: off
GREEK: Mapping[str, str] = {
    **{name: "\\" + name for name in LETTERS.values()},
    "eps": r"\varepsilon", "lam": r"\lambda", "omicron": "o",
}

# How a function of the library is written before its bracket; `sqrt`, `abs` and `step` have signs.
FUNCTIONS: Mapping[str, str] = {
    "exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh",
    "sinh": r"\sinh", "cosh": r"\cosh", "sigmoid": r"\sigma", "relu": r"\operatorname{ReLU}",
    "maximum": r"\max", "minimum": r"\min", "gelu": r"\operatorname{GELU}",
    "elu": r"\operatorname{ELU}", "silu": r"\operatorname{SiLU}",
    "leaky_relu": r"\operatorname{LeakyReLU}",
}
ESCAPES: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
}
# fmt: on

_NAME = re.compile(r"(?P<head>[A-Za-z]+)(?P<digits>[0-9]*)(?:_(?P<rest>[A-Za-z0-9_]*[A-Za-z0-9]))?")


@dataclass(frozen=True, slots=True)
class Notation:
    r"""How a formula is written.

    Parameters
    ----------
    of : str
        Name of what is differentiated: ``grad_Z`` is written ``\nabla_Z L``.
    transpose, hadamard, divide, ones : str
        Commands for ᵀ, ⊙, ⊘ and 𝟏.
    spelling : Mapping of str to str
        LaTeX for names that are not written as they are called: hidden equations.
    names : frozenset of str
        Names in use around the formula: no bound index takes the letter of one, and where
        ``delta`` is among them Kronecker's δ gives way to an indicator.
    order : Mapping of str to int
        Where entries of an array stand among the factors of a product; others come after.
    immediate : frozenset of pairs of str
        Quantities and what they use both directly and by way of others: a derivative within a line
        of the chain rule is then the immediate one.
    """

    of: str = "L"
    transpose: str = r"\top"
    hadamard: str = r"\odot"
    divide: str = r"\oslash"
    ones: str = r"\mathbf{1}"
    spelling: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    order: Mapping[str, int] = field(default_factory=dict)
    immediate: frozenset[tuple[str, str]] = frozenset()

    def partial(self, of: str, by: str) -> str:
        r"""``\\partial``, or ``\\partial^{+}`` where the equation of ``of`` is only one of the ways
        from ``by`` to it. A member of a family is what its family is.
        """
        above, below = ((split_member(n) or (n,))[0] for n in (of, by))
        return r"\partial^{+}" if (above, below) in self.immediate else r"\partial"

    def name(self, text: str) -> str:
        """LaTeX of a name that is no adjoint; a member of a family bears its label above."""
        parts = split_member(text)
        if parts is not None:
            return f"{self.name(parts[0])}^{{({parts[1].replace('*', ' ')})}}"
        return self.spelling.get(text) or spell_name(text)

    def of_any_scalar(self) -> Notation:
        r"""The same where what is differentiated is any scalar, written ``\ell``."""
        return replace(self, of=ANY_SCALAR, spelling={**self.spelling, ANY_SCALAR: r"\ell"})


def notation_of(program: Program, of: str, **commands: str) -> Notation:
    """The notation for formulas about a program: data stand before results, results before params.

    Hidden equations are written as what they stand for, which the caller adds to ``spelling``.
    """
    names = [*program.data, *(e.name for e in program.equations), *program.params]
    order = {name: k for k, name in enumerate(names)}
    everything = [*program.functions, *(d.name for d in program.dims), *names]
    notation = Notation(of=of, names=frozenset(names), order=order, spelling=told_apart(everything))
    return replace(notation, **commands)  # type: ignore[arg-type]


def told_apart(names: Iterable[str]) -> dict[str, str]:
    """LaTeX for names that would look like another one: ``x_1`` beside ``x1`` is written out."""
    seen: set[str] = set()
    out = {}
    for name in dict.fromkeys(names):
        spelled = spell_name(name)
        if spelled in seen:
            out[name] = rf"\mathit{{{escape_text(name)}}}"
        seen.add(spelled)
    return out


def ascii_only(text: str) -> str:
    """The text with letters outside ASCII spelled: Greek by name, é as e, others as ``U4E2D``."""
    out = []
    for letter in spell(text):
        plain = "".join(c for c in unicodedata.normalize("NFKD", letter) if c.isascii())
        out.append(letter if letter.isascii() else plain or f"U{ord(letter):04X}")
    return "".join(out)


def escape_text(text: str) -> str:
    """Any text as TeX that prints it, in text mode, ASCII only."""
    return "".join(ESCAPES.get(c, c) for c in ascii_only(text) if c.isprintable())


@lru_cache(maxsize=4096)
def spell_name(text: str) -> str:
    """LaTeX of a name, by the rules of the module's first paragraph."""
    match = _NAME.fullmatch(ascii_only(text))
    if match is None:
        return rf"\mathit{{{escape_text(text)}}}"
    subscript = match["digits"]
    if match["rest"]:
        rest = match["rest"]
        upright = rest if rest.isdigit() else rf"\mathrm{{{escape_text(rest)}}}"
        upright = GREEK.get(rest, upright)
        subscript = f"{subscript},{upright}" if subscript else upright
    head = _head(match["head"])
    return f"{head}_{{{subscript}}}" if subscript else head


def _head(word: str) -> str:
    if len(word) == 1 or word in GREEK:
        return GREEK.get(word, word)
    for accent in ACCENTS:
        base = word.removesuffix(accent)
        if base != word and word not in WORDS and (len(base) == 1 or base in GREEK):
            return rf"\{accent}{{{GREEK.get(base, base)}}}"
    return rf"\mathit{{{word}}}"


def function_name(name: str) -> str:
    """LaTeX of a function before its bracket; the slopes of ``f`` are f′ and f″."""
    for suffix, primes in (("_pprime", "''"), ("_prime", "'")):
        if name.endswith(suffix) and name != suffix:
            return function_name(name.removesuffix(suffix)) + primes
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    spelled = spell_name(name)
    upright = r"\mathit{"
    if spelled.startswith(upright):
        return r"\operatorname{" + spelled.removeprefix(upright)
    return spelled
