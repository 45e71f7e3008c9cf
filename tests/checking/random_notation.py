"""Right claims and spoilt ones, written as people write: one random style for each document.

``Style`` fixes what a writer keeps to (transposes, gradients, fonts, products, layers); brackets,
the order of factors and the kind of fraction vary from place to place. What a style has no words
for raises :class:`Unwritable`, and the claim is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sympy import Expr, Rational, Symbol, fraction

from symbackprop.ir.expressions import Index
from symbackprop.ir.terms import Term, same_shape
from tests.checking.claims_by_value import Setting

SUM, HADAMARD, JUXTAPOSED, POWER, ATOM = range(5)
SLOPES = ("_pprime", "_prime")
NAME = re.compile(r"([A-Za-z]+?)(hat)?(\d*)")
GREEK = ("theta", "lam", "mu", "beta", "gamma", "sigma", "eps")


class Unwritable(Exception):
    """A form that this style has no words for."""


TRANSPOSES = (r"^\top", "^T", r"^{\mathsf T}", r"^\intercal", "^{T}", r"^{\mathrm{T}}", r"^{\top}")
PRODUCTS = (r" \odot ", r" \circ ", r"\odot ")
LOSSES = ("{}", r"\mathcal{{{}}}", r"{{\mathcal {}}}")
FONTS = ("{}", "{}", r"\mathbf{{{}}}", r"\boldsymbol{{{}}}", r"{{\bf {}}}", r"\mathit{{{}}}")
LAYERS = ("_{}", "^{{({})}}", "^{{[{}]}}", "_{{{}}}")
BRACKETS = (
    ("(", ")"),
    (r"\left(", r"\right)"),
    (r"\big(", r"\big)"),
    ("[", "]"),
    (r"\bigl(", r"\bigr)"),
)
FRACTIONS = (r"\frac{{{}}}{{{}}}", r"\dfrac{{{}}}{{{}}}", r"\tfrac{{{}}}{{{}}}")
GRADIENTS: tuple[str, ...] = (
    r"\nabla_{{{x}}} {L}",
    r"\nabla_{{{x}}}{L}",
    r"\frac{{\partial {L}}}{{\partial {x}}}",
    r"\frac{{d {L}}}{{d {x}}}",
    r"\partial {L}/\partial {x}",
    r"\frac{{\mathrm{{d}} {L}}}{{\mathrm{{d}} {x}}}",
    r"\pd{{{L}}}{{{x}}}",
    r"\bar{{{x}}}",
    r"d{x}",
)
DOCUMENTS = (
    "${}$",
    r"\[ {} \]",
    "$$\n{}\n$$",
    "\\begin{{equation}}\n{}\n\\end{{equation}}",
    "so that $ {} $.",
    "\\begin{{align*}}\n{}\n\\end{{align*}}",
    r"\( {} \)",
    "因此 ${}$，",
)
PREAMBLE = "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
LETTERS = "ijklmnpqrs"


@dataclass
class Style:
    """One writer's habits."""

    random: Random
    setting: Setting
    transpose: str = ""
    hadamard: str = ""
    loss: str = ""
    font: str = ""
    layer: str = ""
    gradient: str = ""
    bounds: bool = True
    commas: bool = False
    ones: str = ""
    letters: dict[Index, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pick = self.random.choice
        self.transpose, self.hadamard = pick(TRANSPOSES), pick(PRODUCTS)
        self.loss = pick(LOSSES).format(self.setting.program.output)
        self.font, self.layer, self.gradient = pick(FONTS), pick(LAYERS), pick(GRADIENTS)
        self.bounds, self.commas = self.random.random() < 0.5, self.random.random() < 0.3
        self.ones = pick((r"\mathbf{{1}}_{{{}}}", r"\mathbf 1_{}", "1_{}", r"\mathbb{{1}}_{{{}}}"))

    def name(self, text: str, *, plain: bool = False) -> str:
        """A name of the model."""
        found = NAME.fullmatch(text)
        base = found[1] if found else text
        if not found or (len(base) > 1 and base not in GREEK):
            if text in ("Yhat", "yhat"):
                return rf"\hat {text[0]}"
            raise Unwritable(text)
        shown = {"lam": r"\lambda", "eps": r"\varepsilon"}.get(
            base, "\\" + base if len(base) > 1 else base
        )
        if found[2]:
            shown = rf"\hat{{{shown}}}"
        elif len(base) == 1 and not plain:
            shown = self.font.format(shown)
        return shown + (self.layer.format(found[3]) if found[3] else "")

    def of(self, name: str) -> str:
        """The gradient by a quantity."""
        x = self.name(name)
        if "^" in x and self.gradient.startswith((r"\bar", "d")):
            raise Unwritable("a bar over a layer")
        return self.gradient.format(x=x, L=self.loss)

    def bracket(self, text: str) -> str:
        opening, closing = self.random.choice(BRACKETS)
        return f"{opening}{text}{closing}"

    def at_least(self, written: tuple[str, int], level: int) -> str:
        text, own = written
        if own < level or (self.random.random() < 0.04 and own < ATOM):
            return self.bracket(text)
        return text


def array(t: Term, s: Style) -> tuple[str, int]:
    """A term in matrix notation, and how tightly it binds."""
    rule = ARRAYS.get(t.op)
    if rule is None:
        raise Unwritable(t.op)
    return rule(t, s)


def _name(t: Term, s: Style) -> tuple[str, int]:
    text = t.attrs[0]
    if text.startswith("grad_"):
        shown = s.of(text.removeprefix("grad_"))
        return shown, POWER if shown.startswith(("\\frac", "\\pd", "\\bar")) else JUXTAPOSED
    return s.name(text), ATOM


def _number(t: Term, s: Style) -> tuple[str, int]:
    value = Rational(t.attrs[0])
    if value < 0:
        return f"-{plain(-value, s)}", SUM
    return plain(value, s), ATOM


def plain(value: Expr, s: Style) -> str:
    top, bottom = fraction(value)
    return str(value) if bottom == 1 else s.random.choice(FRACTIONS).format(top, bottom)


def _add(t: Term, s: Style) -> tuple[str, int]:
    a, b = t.args
    if t.op == "add" and s.random.random() < 0.3 and same_shape(a.shape, b.shape):
        a, b = b, a
    sign = "+" if t.op == "add" else "-"
    right = s.at_least(array(b, s), HADAMARD)
    return f"{s.at_least(array(a, s), SUM)} {sign} {right}", SUM


def _neg(t: Term, s: Style) -> tuple[str, int]:
    return f"-{s.at_least(array(t.args[0], s), HADAMARD)}", SUM


def _mul(t: Term, s: Style) -> tuple[str, int]:
    a, b = t.args
    if a.rank == 0 or b.rank == 0:
        scalar, other = (a, b) if a.rank == 0 else (b, a)
        first, second = (
            s.at_least(array(scalar, s), JUXTAPOSED),
            s.at_least(array(other, s), JUXTAPOSED),
        )
        if other.op == "number" or second[:1].isdigit():
            return rf"{first} \cdot {second}", HADAMARD
        return f"{first} {second}", JUXTAPOSED
    if not same_shape(a.shape, b.shape):
        if (a.rank, b.rank) not in ((2, 1), (1, 2)):
            raise Unwritable("broadcast")
    elif s.random.random() < 0.3:
        a, b = b, a
    return (
        f"{s.at_least(array(a, s), JUXTAPOSED)}{s.hadamard}{s.at_least(array(b, s), JUXTAPOSED)}",
        HADAMARD,
    )


def _div(t: Term, s: Style) -> tuple[str, int]:
    a, b = t.args
    if b.rank:
        raise Unwritable("quotient of arrays")
    way = s.random.random()
    if way < 0.4 and a.rank == 0:
        return s.random.choice(FRACTIONS).format(array(a, s)[0], array(b, s)[0]), POWER
    below = array(b, s)
    if way < 0.8:
        one = s.random.choice(FRACTIONS).format(1, below[0])
        return f"{one} {s.at_least(array(a, s), JUXTAPOSED)}", JUXTAPOSED
    return f"{s.at_least(array(a, s), JUXTAPOSED)} / {s.at_least(below, ATOM)}", HADAMARD


def _pow(t: Term, s: Style) -> tuple[str, int]:
    base, exponent = t.args
    if exponent.op != "number" or exponent.attrs[0] != 2:
        raise Unwritable("power")
    if base.rank == 0:
        return f"{s.at_least(array(base, s), ATOM)}^2", POWER
    inner = s.at_least(array(base, s), JUXTAPOSED)
    return f"{inner}{s.hadamard}{inner}", HADAMARD


def _matmul(t: Term, s: Style) -> tuple[str, int]:
    a, b = t.args
    left = s.at_least(array(a, s), JUXTAPOSED)
    if a.rank == 1 and b.rank == 2:
        return _turned(b, s) + " " + s.at_least(array(a, s), JUXTAPOSED), JUXTAPOSED
    if a.rank == b.rank == 1:
        return _turned(a, s) + " " + s.at_least(array(b, s), JUXTAPOSED), JUXTAPOSED
    return f"{left} {s.at_least(array(b, s), JUXTAPOSED)}", JUXTAPOSED


def _turned(t: Term, s: Style) -> str:
    """The transpose of a term, written."""
    if t.op == "transpose":
        return s.at_least(array(t.args[0], s), JUXTAPOSED)
    text, level = array(t, s)
    if level < ATOM or "^" in text:
        text = s.bracket(text)
    return f"{text}{s.transpose}"


def _transpose(t: Term, s: Style) -> tuple[str, int]:
    return _turned(t.args[0], s), POWER


def _apply(t: Term, s: Style) -> tuple[str, int]:
    return function(t.attrs[0], [array(a, s)[0] for a in t.args], s), POWER


def function(name: str, arguments: list[str], s: Style) -> str:
    primes = 0
    for suffix in SLOPES:
        if name.endswith(suffix):
            name, primes = name.removesuffix(suffix), 1 if suffix == "_prime" else 2
            break
    spelled = {
        "sigmoid": s.random.choice((r"\sigma", r"\operatorname{sigmoid}")),
        "tanh": r"\tanh",
        "relu": s.random.choice((r"\operatorname{ReLU}", r"\mathrm{relu}")),
        "exp": r"\exp",
        "log": r"\log",
        "f": "f",
        "softplus": r"\operatorname{softplus}",
        "sqrt": None,
    }.get(name)
    if name == "step" and not primes and len(arguments) == 1:
        return rf"\mathbf{{1}}[{arguments[0]} > 0]"
    if spelled is None or len(arguments) != 1:
        raise Unwritable(name)
    opening, closing = s.random.choice(BRACKETS[:3])
    return f"{spelled}{chr(39) * primes}{opening}{arguments[0]}{closing}"


def _one(extent: Expr, s: Style) -> str:
    if not isinstance(extent, Symbol):
        raise Unwritable("extent")
    return s.ones.format(extent)


def _sum(t: Term, s: Style) -> tuple[str, int]:
    (a,), (axes, keep) = t.args, t.attrs
    if keep or a.rank not in (1, 2) or t.op != "sum":
        raise Unwritable("reduction")
    axes = tuple(range(a.rank)) if axes is None else axes
    inner = s.at_least(array(a, s), JUXTAPOSED)
    if a.rank == 1:
        return f"{_one(a.shape[0], s)}{s.transpose} {inner}", JUXTAPOSED
    if axes == (0, 1):
        return f"{_one(a.shape[0], s)}{s.transpose} {inner} {_one(a.shape[1], s)}", JUXTAPOSED
    if axes == (1,):
        return f"{inner} {_one(a.shape[1], s)}", JUXTAPOSED
    return f"{_turned(a, s)} {_one(a.shape[0], s)}", JUXTAPOSED


def _outer(t: Term, s: Style) -> tuple[str, int]:
    u, v = t.args
    return f"{s.at_least(array(u, s), JUXTAPOSED)} {_turned(v, s)}", JUXTAPOSED


def _dot(t: Term, s: Style) -> tuple[str, int]:
    u, v = t.args
    return f"{_turned(u, s)} {s.at_least(array(v, s), JUXTAPOSED)}", JUXTAPOSED


def _ones(t: Term, s: Style) -> tuple[str, int]:
    if t.rank != 1:
        raise Unwritable("ones")
    return _one(t.shape[0], s), POWER


def _dim(t: Term, s: Style) -> tuple[str, int]:
    return str(t.attrs[0]), ATOM if isinstance(t.attrs[0], Symbol) else SUM


ARRAYS: dict[str, Callable[[Term, Style], tuple[str, int]]] = {
    "name": _name,
    "number": _number,
    "dim": _dim,
    "add": _add,
    "sub": _add,
    "neg": _neg,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "matmul": _matmul,
    "transpose": _transpose,
    "apply": _apply,
    "sum": _sum,
    "outer": _outer,
    "dot": _dot,
    "ones": _ones,
}
