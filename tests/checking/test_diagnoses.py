"""Wrong derivations that nobody had in mind when the edits were written: are the kinds named?"""

from __future__ import annotations

from functools import cache

from symbackprop import pipeline
from symbackprop.checking.report import CATEGORIES, Report
from symbackprop.network.model import Model
from tests.checking.fixtures import Case, cases

# fmt: off
SMALL = {
    "ridge":  "dims N, D\ndata X[N, D], y[N], lam\nparam w[D]\n"
              "L = sum((X @ w - y)**2) + lam * sum(w**2)\n",
    "cubes":  "param w\nL = w**3\n",
    "matvec": "dims M, D\nparam A[M, D], x[D]\ny = A @ x\noutput y\n",
    "twice":  "dims N, D\ndata X[N, D]\nparam W[D, D]\n"
              "H = tanh(X @ W)\nZ = X @ W + H @ W\nL = sum(Z**2)\n",
    "swap":   "param x\nL = x * sigmoid(x)\n",
    "ratio":  "param x\nL = x / (1 + x**2)\n",
    "relus":  "dims N, D\ndata Y[N, D]\nparam X[N, D], W[D, D]\n"
              "Z = X @ W\nH = relu(Z)\nL = sum((H - Y)**2)\n",
    "form":   "dims D\ndata A[D, D]\nparam x[D]\nL = x @ A @ x\n",
}
# fmt: on


@cache
def model(name: str) -> Model:
    return pipeline.parse(SMALL[name]) if name in SMALL else pipeline.load(name)


def judged(case: Case) -> Report:
    format = "numpy" if case.text.startswith("import") else None
    return pipeline.verify(model(case.model), case.text, format=format)


def test_kinds_are_named() -> None:
    wrong, missed, best = cases("wrong-derivations"), [], 0
    for case in wrong:
        report = judged(case)
        assert report.verdict == "refuted", f"{case}\n{report}"
        assert report.first_wrong_step is not None
        found = report.steps[report.first_wrong_step].diagnosis
        said = found.category if found else ""
        best += said == case.expected[0]
        if said not in case.expected:
            missed.append(f"{said}: {case}")
    assert len(missed) <= 0.1 * len(wrong), "\n".join(missed)
    assert best >= 0.75 * len(wrong), best


def test_every_kind_occurs() -> None:
    assert {c.expected[0] for c in cases("wrong-derivations")} >= set(CATEGORIES) - {"other"}
