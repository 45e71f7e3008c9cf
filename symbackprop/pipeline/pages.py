"""Papers with their verdicts as documents: a page in HTML, a JUnit report.

What the page says of the model, its equations and the right gradients of what is refuted, is
derived here, once for all papers.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from symbackprop.backends.html import page
from symbackprop.backends.junit import verdicts
from symbackprop.checking.paper import Paper
from symbackprop.ir.terms import show_shape
from symbackprop.network.model import Model
from symbackprop.pipeline.compilation import derive
from symbackprop.pipeline.derivation import Derivation


def html_page(papers: Sequence[Paper], model: Model) -> str:
    """One page on some papers about a model."""
    wrong = dict.fromkeys(
        s.of for p in papers if p.report for s in p.report.steps if s.verdict == "refuted"
    )
    known = {name for name, _, _ in model.statements} | {q.name for q in model.inputs}
    derivation = derive(model, wrt=[n for n in wrong if n in known and n != model.output] or None)
    equations = derivation.record.program.visible()
    about = page.About(
        model.name,
        model.title,
        tuple(
            (derivation.latex_relation(derivation.readable_equation(e)), _shape(e.shape))
            for e in equations
        ),
        frozenset(known),
        {name: _truth(derivation, name) for name in wrong if name in derivation},
    )
    return page.render(papers, about)


def junit(papers: Sequence[Paper], model: Model) -> str:
    """The JUnit report on some papers about a model."""
    return verdicts.render(papers, model.name)


def _shape(shape: Sequence[Expr]) -> str:
    return show_shape(shape).replace("×", " × ") if shape else ""


def _truth(derivation: Derivation, name: str) -> page.Truth:
    result = derivation[name]
    steps = result.as_json(closed=False, checked=False)["steps"]
    return page.Truth(result.latex, tuple((s["latex"], s["because"]) for s in steps))
