"""Claims by entries, written as people write; and whole documents of claims."""

from __future__ import annotations

from random import Random

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, fraction

from symbackprop.ir.expressions import Apply, Delta, Entry, Index, IndexSum
from symbackprop.ir.terms import Term
from tests.checking.claims_by_value import Claim
from tests.checking.random_notation import (
    ATOM,
    DOCUMENTS,
    FRACTIONS,
    HADAMARD,
    JUXTAPOSED,
    LETTERS,
    POWER,
    PREAMBLE,
    SUM,
    Style,
    Unwritable,
    array,
    function,
    plain,
)


def entry(e: Expr, s: Style) -> tuple[str, int]:
    """An index expression, and how tightly it binds."""
    if isinstance(e, Index):
        raise Unwritable("an index as a number")
    if isinstance(e, Entry):
        return _entry(e, s), POWER
    if isinstance(e, Rational):
        return (plain(e, s), ATOM) if e >= 0 else (f"-{plain(-e, s)}", SUM)
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
        return function(e.name, [entry(a, s)[0] for a in e.operands], s), POWER
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
        free = [
            c for c in (own, *s.random.sample(LETTERS, len(LETTERS))) if c not in taken | {"d", "e"}
        ]
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
    shape = s.random.choice(
        (r"\frac{{\partial {}}}{{\partial {}}}", r"\partial {}/\partial {}", r"\pd{{{}}}{{{}}}")
    )
    return shape.format(s.loss, name)


def _terms(e: Add, s: Style) -> str:
    parts = list(e.args)
    s.random.shuffle(parts)
    parts.sort(key=lambda p: p.could_extract_minus_sign())
    out = ""
    for p in parts:
        minus = p.could_extract_minus_sign()
        text = s.at_least(entry(-p if minus else p, s), HADAMARD)
        out += (
            f" - {text}"
            if minus and out
            else f"-{text}"
            if minus
            else f" + {text}"
            if out
            else text
        )
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
    texts = [
        s.at_least(
            entry(f, s), POWER if isinstance(f, IndexSum) and f is not rest[-1] else JUXTAPOSED
        )
        for f in numbers + rest
    ]
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
