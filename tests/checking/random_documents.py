"""Documents of random claims in random notation, judged.

``python -m tests.checking.random_documents COUNT [SEED]`` runs as many claims of each sort and
prints every one that was judged wrongly.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random

from sympy import Expr

from symbackprop.checking.judge import verify
from symbackprop.errors import Malformed
from symbackprop.ir import terms
from symbackprop.ir.expressions import IndexSum, entry_names
from symbackprop.ir.terms import Term
from symbackprop.matrix.lower import entry as lowered
from symbackprop.network.shipped import read_source
from symbackprop.notation.text_printer import show
from tests.checking.claims_by_value import Claim, Setting, random_model, setting
from tests.checking.random_entries import document, statement
from tests.checking.random_notation import Style, Unwritable
from tests.checking.spoil import spoilt_entries, spoilt_terms

SHIPPED = (
    "three-layer", "three-layer-outputs", "three-layer-scalar", "softmax-regression", "highway",
    "logistic-regression", "poisson-regression", "tanh-neuron", "autoencoder", "linear-svm",
)  # fmt: skip
CLAIMS, MODELS = 8, 14
GRADS = ("d{}", "grad_{}", "dL/d{}", "∇_{} L", "∂L/∂{}")


@dataclass
class Outcome:
    """What came of many claims: how many got which verdict, and those judged wrongly."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@cache
def model_source(k: int) -> str:
    """A shipped model or a random one."""
    return read_source(SHIPPED[k])[0] if k < len(SHIPPED) else random_model(Random(k))


def judged(count: int, seed: int) -> Outcome:
    """The outcome for ``count`` right and as many spoilt claims."""
    random, outcome = Random(seed), Outcome()
    pool = range(len(SHIPPED) + MODELS) if count <= 2_000 else range(len(SHIPPED) + 10 * MODELS)
    while sum(n for (sort, _), n in outcome.verdicts.items() if sort == "right") < count:
        found = setting(model_source(random.choice(pool)))
        for sort in ("right", "spoilt"):
            _document(found, sort, random, outcome)
    return outcome


def _document(found: Setting, sort: str, random: Random, outcome: Outcome) -> None:
    format = random.choice(("latex", "latex", "latex", "text", "numpy"))
    if format == "numpy":
        said, sorts = _program(found, sort, random)
    else:
        said = list(_claims(found, sort, format, Style(random, found), random))
        sorts = [sort] * len(said)
    if not said:
        return
    text = document(said, random) if format == "latex" else "\n".join(said)
    if format == "numpy":
        text = f"import numpy as np\n{text}\n"
    try:
        report = verify(found.program, text, adjoints=found.adjoints, format=format, explain=False)
        verdicts = [s.verdict for s in report.steps]
    except Malformed as error:
        verdicts = [f"error {error}"] * len(said)
    if len(verdicts) != len(said):
        outcome.wrong.append(f"{sort} {len(said)} claims, {len(verdicts)} steps\n{text}")
    for claim, kind, verdict in zip(said, sorts, verdicts, strict=False):
        outcome.verdicts[kind, verdict] += 1
        if verdict != ("proved" if kind == "right" else "refuted"):
            outcome.wrong.append(f"{kind} {verdict} [{format}]: {claim}\n{found.model.source}")


def _program(found: Setting, sort: str, random: Random) -> tuple[list[str], list[str]]:
    """Lines of NumPy in the order of the backward pass, of which the last may be spoilt."""
    said: list[str] = []
    claims = [c for c in found.claims if c.is_gradient and c.term is not None]
    last = random.randrange(len(claims))
    for k, claim in enumerate(claims[: last + 1]):
        term: Term | None = claim.term
        if sort == "spoilt" and k == last:
            known = {c.name for c in claims[:k]}
            term, _ = _spoilt(found, claim, term, None, random, known)
        if term is None:
            return said, ["right"] * len(said)
        try:
            said.append(_code(claim.name, term, "numpy", "d{}", False))
        except Unwritable:
            return said, ["right"] * len(said)
    return said, ["right"] * (len(said) - 1) + [sort]


def _claims(found: Setting, sort: str, format: str, style: Style, random: Random) -> Iterator[str]:
    chosen = random.sample(found.claims, min(CLAIMS, len(found.claims)))
    gradient = random.choice(GRADS)
    turned = random.random() < 0.5
    named = gradient == "d{}" if format == "text" else style.gradient == "d{x}"
    inner = {e.name for e in found.program.equations}
    scaled: list[bool] = []  # for each multiple that is claimed, whether of an inner gradient
    for claim in chosen:
        by_entries = format == "latex" and (claim.term is None or random.random() < 0.4)
        try:
            term, body = (None, claim.entry) if by_entries else (claim.term, None)
            if sort == "spoilt":
                term, body = _spoilt(found, claim, term, body, random)
            if term is None and body is None:
                continue
            if sort == "spoilt" and named:
                # Two multiples make each other right: dZ = A - Y, and dW = X.T @ dZ / N.
                entry = lowered(term, claim.indices, found.visible)[0] if term else body
                if entry is not None and found.scales(claim, entry):
                    scaled.append(claim.name.removeprefix("grad_") in inner)
                    if len(scaled) > 1 and any(scaled):
                        scaled.pop()
                        continue
            if format == "latex":
                yield statement(claim, style, term=term, body=body)
            elif term is not None:
                yield _code(claim.name, term, format, gradient, turned)
        except Unwritable:
            continue


def _spoilt(
    found: Setting,
    claim: Claim,
    term: Term | None,
    body: Expr | None,
    random: Random,
    known: Collection[str] | None = None,
) -> tuple[Term | None, Expr | None]:
    """The claim with one edit that changes its value; nothing where none was found."""
    if term is not None:
        names = [terms.name(c.name, [i.extent for i in c.indices]) for c in found.claims]
        names += [terms.name(q.name, q.shape) for q in found.program.inputs]
        names = [n for n in names if n.attrs[0] != claim.name and _usable(n.attrs[0], known)]
        options: list[Term] = [
            t for t in spoilt_terms(term, names) if terms.same_shape(t.shape, term.shape)
        ]
        random.shuffle(options)
        for t in options[:6]:
            entry, extra = lowered(t, claim.indices, found.visible)
            if not extra and found.holds(claim, entry) is False:
                return t, None
        return None, None
    assert body is not None, "one of the two is given"
    by_shape: dict[tuple[Expr, ...], list[str]] = {}
    for c in found.claims:
        if c.name != claim.name:
            by_shape.setdefault(tuple(i.extent for i in c.indices), []).append(c.name)
    entries = list(spoilt_entries(body, by_shape))
    random.shuffle(entries)
    for e in entries[:6]:
        empty = any(not entry_names(total.body) for total in e.atoms(IndexSum))
        if not empty and found.holds(claim, e) is False:
            return None, e
    return None, None


def _usable(name: str, known: Collection[str] | None) -> bool:
    """Whether code may name a quantity here: a gradient only once it was computed."""
    return known is None or not name.startswith("grad_") or name in known


def _code(name: str, term: Term, format: str, gradient: str, turned: bool) -> str:
    """The claim as text or as a line of NumPy."""
    if term.op == "entries":
        raise Unwritable("letters on one side")
    text = f"{name} = {show(term)}"
    if format == "numpy":
        if re.search(r"\b(sigmoid|softplus|relu|step|softmax|f|\w+_prime)\(", text):
            raise Unwritable(text)
        text = re.sub(r"\b(sum|outer|ones|exp|log|tanh|sqrt|dot)\(", r"np.\1(", text)
        return re.sub(r"\bgrad_(\w+)", r"d\1", text)
    if turned:
        text = text.replace(".T", "'")
    return re.sub(r"\bgrad_(\w+)(\*\*)?", lambda m: _gradient(m, gradient), text)


def _gradient(found: re.Match[str], gradient: str) -> str:
    """A gradient as this writer spells it, in brackets before a power: ``∂L/∂b**2`` would be the
    power of what stands below.
    """
    written = gradient.format(found[1])
    apart = found[2] and not written.isidentifier()
    return f"({written}){found[2]}" if apart else written + (found[2] or "")


def main() -> int:
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    verdicts: Counter[tuple[str, str]] = Counter()
    say = sys.stdout.write
    while verdicts["right", "proved"] < count:
        outcome = judged(100, seed)
        verdicts += outcome.verdicts
        seed += 1
        say("".join(f"{line}\n" for line in outcome.wrong) + f"{seed} {dict(verdicts)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
