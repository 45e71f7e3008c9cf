r"""Look-ups as mathematics writes them: ``E_{t_n d}``, ``\delta_{t_n v}``, ``take``, ``onehot``."""

from __future__ import annotations

import pytest

from symbackprop.checking.report import Report
from tests.checking.fixtures import judged_lines

MODEL = """
dims N, V, D
index t[N] < V
index s[N] < D
data Y[N, D]
param E[V, D]
X = E[t]
H = X - Y
L = sum(H**2) + sum(H * onehot(s, D))
"""

# fmt: off
RIGHT = (
    r"X = \operatorname{take}_{\mathrm{axis}\,0}(E, t)",
    r"X_{nd} = E_{t_n d}",
    r"X_{nd} = \sum_{v=1}^{V} \delta_{t_n v} E_{vd}",
    r"X = \operatorname{onehot}_{V}(t) E",
    r"\nabla_X L = 2 H + \operatorname{onehot}_{D}(s)",
    r"\frac{\partial L}{\partial X_{nd}} = 2 H_{nd} + \delta_{s_n d}",
    r"\nabla_E L = \operatorname{onehot}_{V}(t)^\top \nabla_X L",
    r"\frac{\partial L}{\partial E_{vd}} = \sum_n \delta_{t_n v} (\nabla_X L)_{nd}",
)
WRONG = (
    r"X = \operatorname{take}_{\mathrm{axis}\,1}(E, t)",
    r"X = \operatorname{take}_{\mathrm{axis}\,0}(E, s)",
    r"X_{nd} = E_{s_n d}",
    r"X_{nd} = E_{d t_n}",
    r"X_{nd} = \sum_{v=1}^{V} \delta_{s_n v} E_{vd}",
    r"X = \operatorname{onehot}_{D}(t) E",
    r"\nabla_X L = 2 H + \operatorname{onehot}_{V}(t)",
    r"\frac{\partial L}{\partial X_{nd}} = 2 H_{nd} + \delta_{s_d n}",
    r"\nabla_E L = \operatorname{onehot}_{V}(t) \nabla_X L",
    r"\frac{\partial L}{\partial E_{vd}} = \sum_{n=1}^{N} \frac{\partial L}{\partial X_{nd}}",
)
# fmt: on


@pytest.fixture(scope="module")
def report() -> Report:
    return judged_lines(MODEL, (*RIGHT, *WRONG))


def test_right_lines_are_proved(report: Report) -> None:
    steps = report.steps[: len(RIGHT)]
    assert [(s.text, s.notes) for s in steps if s.verdict != "proved"] == []


def test_slips_are_not_proved(report: Report) -> None:
    assert len(report.steps) == len(RIGHT) + len(WRONG)
    assert [s.text for s in report.steps[len(RIGHT) :] if s.verdict == "proved"] == []
