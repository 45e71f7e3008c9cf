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

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, fraction

from symbackprop.ir.expressions import Apply, Delta, Entry, Index, IndexSum
from symbackprop.ir.terms import Term, same_shape
from tests.checking.claims_by_value import Claim, Setting

SUM, HADAMARD, JUXTAPOSED, POWER, ATOM = range(5)
SLOPES = ("_pprime", "_prime")
NAME = re.compile(r"([A-Za-z]+?)(hat)?(\d*)")
GREEK = ("theta", "lam", "mu", "beta", "gamma", "sigma", "eps")


class Unwritable(Exception):
    """A form that this style has no words for."""


# fmt: off
TRANSPOSES = (r"^\top", "^T", r"^{\mathsf T}", r"^\intercal", "^{T}", r"^{\mathrm{T}}", r"^{\top}")
PRODUCTS = (r" \odot ", r" \circ ", r"\odot ")
LOSSES = ("{}", r"\mathcal{{{}}}", r"{{\mathcal {}}}")
FONTS = ("{}", "{}", r"\mathbf{{{}}}", r"\boldsymbol{{{}}}", r"{{\bf {}}}", r"\mathit{{{}}}")
LAYERS = ("_{}", "^{{({})}}", "^{{[{}]}}", "_{{{}}}")
BRACKETS = (("(", ")"), (r"\left(", r"\right)"), (r"\big(", r"\big)"), ("[", "]"), (r"\bigl(", r"\bigr)"))
FRACTIONS = (r"\frac{{{}}}{{{}}}", r"\dfrac{{{}}}{{{}}}", r"\tfrac{{{}}}{{{}}}")
GRADIENTS: tuple[str, ...] = (
    r"\nabla_{{{x}}} {L}", r"\nabla_{{{x}}}{L}", r"\frac{{\partial {L}}}{{\partial {x}}}",
    r"\frac{{d {L}}}{{d {x}}}", r"\partial {L}/\partial {x}", r"\frac{{\mathrm{{d}} {L}}}{{\mathrm{{d}} {x}}}",
    r"\pd{{{L}}}{{{x}}}", r"\bar{{{x}}}", r"d{x}",
)
DOCUMENTS = (
    "${}$", r"\[ {} \]", "$$\n{}\n$$", "\\begin{{equation}}\n{}\n\\end{{equation}}",
    "so that $ {} $.", "\\begin{{align*}}\n{}\n\\end{{align*}}", r"\( {} \)", "因此 ${}$，",
)
PREAMBLE = "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
# fmt: on
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
        shown = {"lam": r"\lambda", "eps": r"\varepsilon"}.get(base, "\\" + base if len(base) > 1 else base)
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


# ---- arrays


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
        return f"-{_plain(-value, s)}", SUM
    return _plain(value, s), ATOM


def _plain(value: Expr, s: Style) -> str:
    top, bottom = fraction(value)
    return str(value) if bottom == 1 else s.random.choice(FRACTIONS).format(top, bottom)


def _add(t: Term, s: Style) -> tuple[str, int]:
    a, b = t.args
    if t.op == "add" and s.random.random() < 0.3 and same_shape(a.shape, b.shape):
        a, b = b, a
    if a.rank == 0 and b.rank and a.op == "number":
        pass
    sign = "+" if t.op == "add" else "-"
    right = s.at_least(array(b, s), HADAMARD if sign == "-" or b.op == "neg" else HADAMARD)
    return f"{s.at_least(array(a, s), SUM)} {sign} {right}", SUM


def _neg(t: Term, s: Style) -> tuple[str, int]:
    return f"-{s.at_least(array(t.args[0], s), HADAMARD)}", SUM


def _mul(t: Term, s: Style) -> tuple[str, int]:
    a, b = t.args
    if a.rank == 0 or b.rank == 0:
        scalar, other = (a, b) if a.rank == 0 else (b, a)
        first, second = s.at_least(array(scalar, s), JUXTAPOSED), s.at_least(array(other, s), JUXTAPOSED)
        if other.op == "number" or second[:1].isdigit():
            return rf"{first} \cdot {second}", HADAMARD
        return f"{first} {second}", JUXTAPOSED
    if not same_shape(a.shape, b.shape):
        if (a.rank, b.rank) not in ((2, 1), (1, 2)):
            raise Unwritable("broadcast")
    elif s.random.random() < 0.3:
        a, b = b, a
    return f"{s.at_least(array(a, s), JUXTAPOSED)}{s.hadamard}{s.at_least(array(b, s), JUXTAPOSED)}", HADAMARD


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
    return _function(t.attrs[0], [array(a, s)[0] for a in t.args], s), POWER


def _function(name: str, arguments: list[str], s: Style) -> str:
    primes = 0
    for suffix in SLOPES:
        if name.endswith(suffix):
            name, primes = name.removesuffix(suffix), 1 if suffix == "_prime" else 2
            break
    spelled = {
        "sigmoid": s.random.choice((r"\sigma", r"\operatorname{sigmoid}")), "tanh": r"\tanh",
        "relu": s.random.choice((r"\operatorname{ReLU}", r"\mathrm{relu}")), "exp": r"\exp", "log": r"\log",
        "f": "f", "softplus": r"\operatorname{softplus}", "sqrt": None,
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
    if keep or a.rank > 2 or t.op != "sum":
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


# fmt: off
ARRAYS: dict[str, Callable[[Term, Style], tuple[str, int]]] = {
    "name": _name, "number": _number, "dim": _dim, "add": _add, "sub": _add, "neg": _neg, "mul": _mul,
    "div": _div, "pow": _pow, "matmul": _matmul, "transpose": _transpose, "apply": _apply,
    "sum": _sum, "outer": _outer, "dot": _dot, "ones": _ones,
}
# fmt: on


# ---- entries


def entry(e: Expr, s: Style) -> tuple[str, int]:
    """An index expression, and how tightly it binds."""
    if isinstance(e, Index):
        raise Unwritable("an index as a number")
    if isinstance(e, Entry):
        return _entry(e, s), POWER
    if isinstance(e, Rational):
        return (_plain(e, s), ATOM) if e >= 0 else (f"-{_plain(-e, s)}", SUM)
    if isinstance(e, Symbol):
        return str(e), ATOM
    if isinstance(e, Add):
        return _terms(e, s), SUM
    if isinstance(e, Mul | Pow):
        return _product(e, s)
    if isinstance(e, IndexSum):
        return _total(e, s), JUXTAPOSED
    if isinstance(e, Delta):
        i, j = e.args
        return rf"\delta_{{{_letter(i, s)}{_letter(j, s)}}}", POWER
    if isinstance(e, Apply):
        return _function(e.name, [entry(a, s)[0] for a in e.operands], s), POWER
    raise Unwritable(type(e).__name__)


def _letter(i: Expr, s: Style) -> str:
    if isinstance(i, Integer):
        return str(int(i) + 1)
    if not isinstance(i, Index):
        raise Unwritable("an index that is a formula")
    if i not in s.letters:
        taken = {*s.letters.values(), *(q.name.lower() for q in s.setting.program.inputs)}
        taken |= {e.name.lower() for e in s.setting.program.equations}
        own = str(i.extent)[:1].lower()
        free = [c for c in (own, *s.random.sample(LETTERS, len(LETTERS))) if c not in taken | {"d", "e"}]
        if not free:
            raise Unwritable("letters")
        s.letters[i] = free[0]
    return s.letters[i]


def _entry(e: Entry, s: Style) -> str:
    below = ("," if s.commas else "").join(_letter(i, s) for i in e.indices)
    gradient = e.name.startswith("grad_")
    name = s.name(e.name.removeprefix("grad_"))
    if e.indices:
        if "_" in name and not name.endswith("]}") and not name.endswith(")}"):
            name = f"({name})_{{{below}}}"
        elif len(below) == 1:
            name = f"{name}_{below}"
        else:
            name = f"{name}_{{{below}}}"
    if not gradient:
        return name
    shape = s.random.choice((r"\frac{{\partial {}}}{{\partial {}}}", r"\partial {}/\partial {}", r"\pd{{{}}}{{{}}}"))
    return shape.format(s.loss, name)


def _terms(e: Add, s: Style) -> str:
    parts = list(e.args)
    s.random.shuffle(parts)
    parts.sort(key=lambda p: p.could_extract_minus_sign())
    out = ""
    for p in parts:
        minus = p.could_extract_minus_sign()
        text = s.at_least(entry(-p if minus else p, s), HADAMARD)
        out += f" - {text}" if minus and out else f"-{text}" if minus else f" + {text}" if out else text
    return out


def _product(e: Expr, s: Style) -> tuple[str, int]:
    if e.could_extract_minus_sign():
        return f"-{s.at_least(entry(-e, s), HADAMARD)}", SUM
    top, bottom = fraction(e)
    if bottom != 1:
        if s.random.random() < 0.5 and not top.has(IndexSum):
            return s.random.choice(FRACTIONS).format(entry(top, s)[0], entry(bottom, s)[0]), POWER
        one = s.random.choice(FRACTIONS).format(1, entry(bottom, s)[0])
        return (f"{one} {s.at_least(entry(top, s), JUXTAPOSED)}" if top != 1 else one), JUXTAPOSED
    if isinstance(e, Pow):
        if not (isinstance(e.exp, Integer) and e.exp > 1):
            raise Unwritable("power")
        return f"{s.at_least(entry(e.base, s), ATOM)}^{e.exp}", POWER
    factors = list(e.args)
    numbers = [f for f in factors if f.is_number]
    rest = [f for f in factors if not f.is_number]
    s.random.shuffle(rest)
    rest.sort(key=lambda f: isinstance(f, IndexSum))
    texts = [s.at_least(entry(f, s), POWER if isinstance(f, IndexSum) and f is not rest[-1] else JUXTAPOSED)
             for f in numbers + rest]
    sign = s.random.choice((" ", r"\,", r" \cdot "))
    return sign.join(texts), JUXTAPOSED if sign != r" \cdot " else HADAMARD


def _total(e: IndexSum, s: Style) -> str:
    before = dict(s.letters)
    for b in e.bound:
        s.letters.pop(b, None)
    signs = ""
    for b in e.bound:
        letter = _letter(b, s)
        signs += rf"\sum_{{{letter}=1}}^{{{b.extent}}} " if s.bounds else rf"\sum_{letter} "
    body = s.at_least(entry(e.body, s), HADAMARD)
    s.letters = before
    return signs + body


def statement(claim: Claim, s: Style, *, term: Term | None, body: Expr | None) -> str:
    """``left = right``, by a term or by entries."""
    if term is not None:
        left = s.of(claim.name.removeprefix("grad_")) if claim.is_gradient else s.name(claim.name)
        return f"{left} = {array(term, s)[0]}"
    assert body is not None
    s.letters = {}
    left = _entry(Entry(claim.name, *claim.indices), s)
    return f"{left} = {entry(body, s)[0]}"


def document(statements: list[str], random: Random) -> str:
    """Formulas in prose, one after the other."""
    parts = [random.choice(DOCUMENTS).format(text) for text in statements]
    return PREAMBLE + "\n".join(parts)
