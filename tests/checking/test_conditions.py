"""Lines that hold for some index letters: behind a formula, in cases, below a sum, in prose."""

from __future__ import annotations

import pytest

import symbackprop as sb

MODEL = """
dims K
data y[K]
param s[K]
assume y simplex
q = softmax(s)
L = -sum(y * log(q))
"""

# fmt: off
RIGHT = [
    r"$\frac{\partial q_i}{\partial s_j} = q_i (1 - q_j), \quad i = j$",
    r"$\frac{\partial q_i}{\partial s_j} = -q_i q_j \quad i \neq j$",
    r"If $i = j$, then $$\frac{\partial q_i}{\partial s_j} = q_j - q_i q_j$$",
    r"for i != j we find $$\frac{\partial q_i}{\partial s_j} = -q_j q_i$$",
    r"$$\frac{\partial q_i}{\partial s_j} = \begin{cases} q_i(1-q_i) & \text{if } i=j \\"
    r" -q_i q_j & \text{otherwise} \end{cases}$$",
    r"$$\frac{\partial q_i}{\partial s_j} = \begin{cases} q_i(1-q_j), & i=j \\"
    r" -q_i.q_j, & i \ne j \end{cases}$$",
    r"$$\frac{\partial L}{\partial s_i} = -y_i(1-q_i) + \sum_{j \neq i} y_j q_i$$",
    r"$$\frac{\partial L}{\partial s_i} = -y_i(1-q_i) + \sum_{j=1, j \neq i}^K y_j q_i$$",
]
WRONG = [
    r"$\frac{\partial q_i}{\partial s_j} = q_i (1 - q_j), \quad i \neq j$",
    r"$\frac{\partial q_i}{\partial s_j} = -q_i q_j \quad i = j$",
    r"If $i = j$, then $$\frac{\partial q_i}{\partial s_j} = -q_j q_i$$",
    r"If $i = j$, then $$q_i = q_j$$ and $$\frac{\partial q_i}{\partial s_j} = q_i - q_i q_j$$",
    r"$$\frac{\partial q_i}{\partial s_j} = \begin{cases} q_i(1-q_i) & i \neq j \\"
    r" -q_i q_j & \text{otherwise} \end{cases}$$",
    r"$$\frac{\partial L}{\partial s_i} = -y_i(1-q_i) + \sum_{j} y_j q_i$$",
]
# fmt: on


@pytest.mark.parametrize("text", RIGHT)
def test_right_where_the_condition_holds(text: str) -> None:
    steps = sb.verify(sb.parse(MODEL), text).steps
    assert [s.verdict for s in steps] == ["proved"]


@pytest.mark.parametrize("text", WRONG)
def test_a_condition_excuses_nothing_else(text: str) -> None:
    assert sb.verify(sb.parse(MODEL), text).verdict == "refuted"
