"""Extents that no axis shows by itself are solved for, and arrays are held against them."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.errors import NotSupported
from tests.backends.numpy.loading import kernel

HIDDEN = "dims S, T\nparam x[S+T]\nL = sum(x**2) / S"
SOLVED = "dims S, R\nparam x[2*S+R-1], w[R]\nL = sum(maxpool1d(conv1d(x, w), 2)**2) / S"


def test_an_extent_is_solved_for() -> None:
    k = kernel(SOLVED)
    assert k._self_test() < 1e-6
    loss, _ = k.loss_and_grad(x=np.arange(6.0), w=np.ones(1) * 2)
    assert loss == pytest.approx((2.0**2 + 6**2 + 10**2) / 3)


def test_an_array_that_fits_no_extent_is_named() -> None:
    with pytest.raises(ValueError, match=r"x must have shape .*, got \(7,\)"):
        kernel(SOLVED).forward(x=np.arange(7.0), w=np.ones(1))


def test_an_extent_that_nothing_shows_is_refused() -> None:
    with pytest.raises(NotSupported, match="S, which no input shows"):
        kernel(HIDDEN)
