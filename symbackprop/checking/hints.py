"""Hints: a report without the answers, for one who wants to find the mistake himself.

The place stays, and a question that fits the kind of mistake; what should stand there, and the true
value of the counterexample, go.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.checking.report import Diagnosis, Report, StepReport

OF_SHAPES = "Write the shape under every factor: which product is defined, and gives the right one?"
OF_PATHS = "By which ways does the loss depend on this quantity? Draw them all."
OF_SIZE = "Try it with one sample and one entry: does every constant come out?"

# fmt: off
QUESTIONS = {
    "transpose": OF_SHAPES, "side-of-product": OF_SHAPES, "outer-transposed": OF_SHAPES,
    "layout": OF_SHAPES,
    "sign": "Follow the sign from the loss to here, term by term.",
    "factor": OF_SIZE, "mean-for-sum": OF_SIZE, "power": OF_SIZE,
    "axis": "Over what is summed here, and what index is left?",
    "bias-not-summed": "How many times is this quantity used, once for each what?",
    "missing-slope": "Which function lies between the two quantities, and where is its slope?",
    "wrong-slope": "Differentiate the function itself: is this its slope?",
    "extra-slope": "Which functions lie between the two quantities?",
    "slope-point": "At which quantity is the slope to be taken?",
    "softmax-elementwise": "On which logits does one output depend?",
    "missing-path": OF_PATHS, "shared-once": OF_PATHS,
    "product-rule": "Which factors depend on the variable?",
    "quotient-rule": "What of numerator and denominator depends on the variable?",
    "wrong-name": "Is every quantity here the one that the forward pass uses?",
    "wrong-index": "Which indices are free, which are summed? Compare both sides.",
    "mask": "Where is the condition tested, and which way round?",
    "symmetric": "Which property of the matrix was used, and is it given?",
    "regulariser": "Is every term of the loss differentiated?",
    "updated-weights": "With which values of the parameters was the forward pass computed?",
    "jacobian-as-elementwise": "Does each output depend on its own input alone?",
    "other": "Derive this line again by one entry.",
}
# fmt: on


def hinted(report: Report) -> Report:
    """The report without suggestions, true values and derivations."""
    return replace(report, steps=tuple(_hinted(s) for s in report.steps))


def _hinted(step: StepReport) -> StepReport:
    if step.verdict != "refuted":
        return step
    found = step.diagnosis
    asked = Diagnosis(found.category, QUESTIONS[found.category]) if found else None
    return replace(step, diagnosis=asked, counterexample=None, derivation=())
