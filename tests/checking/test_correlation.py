r"""A derivation may write the correlation of two vectors as ``x \star w``; what slides may stand
on either side, since the definition in signal processing has it on the left.
"""

from __future__ import annotations

import pytest

from symbackprop import pipeline

# fmt: off
CLAIMS = {
    r"\nabla_w E = x \star \nabla_z E":              "proved",
    r"\nabla_w E = \nabla_z E \star x":              "proved",
    r"\nabla_x E = \nabla_z E \star x":              "refuted",
    r"\nabla_w E = 2 x \star \nabla_z E":            "refuted",
    r"\nabla_w E = x \star 2 (h - y)":               "refuted",
    r"\nabla_b E = \sum_i \frac{\partial E}{\partial z_i}": "proved",
}
# fmt: on


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_correlation_is_read(claim: str) -> None:
    report = pipeline.verify(pipeline.load("conv1d"), rf"\[ {claim} \]")
    assert report.verdict == CLAIMS[claim]
