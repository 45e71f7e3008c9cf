r"""Arrays of more than two axes are stacks of matrices: ``QK^\top`` for all heads at once, ones
that repeat a row, and the operations along axes for which mathematics has no sign.

Each line is judged against one small model, right ones beside slips of an axis or a shape.
"""

from __future__ import annotations

import re

import pytest

from symbackprop import pipeline
from symbackprop.checking.report import Report
from tests.checking.fixtures import judged_lines

HEADS = r"""
dims  A, T, D, E
data  X[T, A*E], Y[T, A, A]
param B[A, T, E], U[T, T], v[E], g[E]

H = swap(reshape(X, T, A, E), 0, 1)
Q = H * g + B
S = Q @ swap(H, 1, 2)
P = softmax(S, axis=2)
R = P @ Q
m = mean(R, axis=2, keepdims=True)
C = R - m
Z = U @ C
z = Z @ v
W = swap(Z @ swap(R, 1, 2), 0, 1)
L = sum(z**2) + sum(R**2) + sum(W[:, :, 0])
"""

# fmt: off
# ``@1`` stands for the subscript «axis 1».
RIGHT = (
    r"H = \operatorname{swap}@0,1(\operatorname{reshape}_{T \times A \times E}(X))",
    r"Q = H \odot g + B",
    r"S = Q H^{\top}",
    r"S_{ats} = \sum_{e=1}^{E} Q_{ate} H_{ase}",
    r"P = \operatorname{softmax}(Q H^{\top})",
    r"P = \operatorname{softmax}@2(S)",
    r"m = \frac{1}{E} R \mathbf{1}_E",
    r"m = \operatorname{mean}@2(R)",
    r"C = R - m \mathbf{1}_E^{\top}",
    r"C = R - \frac{1}{E} R \mathbf{1}_E \mathbf{1}_E^{\top}",
    r"Z = U C",
    r"z = Z v",
    r"\nabla_S L = P \odot (\nabla_P L - (P \odot \nabla_P L) \mathbf{1}_T \mathbf{1}_T^{\top})",
    r"\nabla_S L = P \odot (\nabla_P L - \operatorname{sum}@2(P \odot \nabla_P L))",
    r"\nabla_P L = \nabla_R L \, Q^{\top}",
    r"\nabla_g L = \operatorname{sum}@0,1(\nabla_Q L \odot H)",
    r"\nabla_C L = U^{\top} \nabla_Z L",
    r"\nabla_U L = \operatorname{sum}@0(\nabla_Z L \, C^{\top})",
)
WRONG = (
    r"H = \operatorname{reshape}_{A \times T \times E}(X)",
    r"H = \operatorname{swap}@0,1(\operatorname{reshape}_{A \times T \times E}(X))",
    r"Q = H^{\top} \odot g + B",
    r"S = Q H",
    r"S = H Q^{\top}",
    r"S_{ats} = \sum_{e=1}^{E} Q_{ase} H_{ate}",
    r"P = \operatorname{softmax}@1(S)",
    r"m = \operatorname{mean}@1(R)",
    r"m = R \mathbf{1}_E",
    r"C = R - \frac{1}{E} R \mathbf{1}_E",
    r"\nabla_S L = P \odot (\nabla_P L - \mathbf{1}_T \mathbf{1}_T^{\top} (P \odot \nabla_P L))",
    r"\nabla_S L = P \odot (\nabla_P L - \operatorname{sum}@1(P \odot \nabla_P L))",
    r"\nabla_S L = P \odot (\nabla_P L - (P \odot \nabla_P L) \mathbf{1}_T)",
    r"\nabla_P L = (\nabla_R L \, Q^{\top})^{\top}",
    r"\nabla_P L = Q \, (\nabla_R L)^{\top}",
    r"\nabla_g L = \operatorname{sum}@0,1(\nabla_Q L)",
    r"\nabla_C L = U \nabla_Z L",
    r"\nabla_U L = \operatorname{sum}@0(C \, (\nabla_Z L)^{\top})",
)
# fmt: on


@pytest.fixture(scope="module")
def report() -> Report:
    lines = (re.sub(r"@([\d,]+)", r"_{\\mathrm{axis}\\,\1}", x) for x in (*RIGHT, *WRONG))
    return judged_lines(HEADS, lines)


def test_right_lines_are_proved(report: Report) -> None:
    steps = report.steps[: len(RIGHT)]
    assert [(s.text, s.notes) for s in steps if s.verdict != "proved"] == []


def test_slips_are_not_proved(report: Report) -> None:
    assert len(report.steps) == len(RIGHT) + len(WRONG)
    steps = report.steps[len(RIGHT) :]
    assert [s.text for s in steps if s.verdict == "proved"] == []
    assert sum(s.verdict == "refuted" for s in steps) >= len(WRONG) - 4  # four do not fit in shape


def test_a_jacobian_of_many_axes_is_no_stack() -> None:
    model = pipeline.parse("dims N, D, M\ndata X[N, D]\nparam W[M, D]\nZ = X @ W.T\nL = sum(Z**2)")
    line = r"\[ \nabla_X L = \nabla_Z L \, \frac{\partial Z}{\partial X} \]"
    assert pipeline.verify(model, line).verdict != "refuted"
