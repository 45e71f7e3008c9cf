"""Convolutional nets: every derivative is proved, in array notation, and agrees with differences.

A sequence under one kernel, one layer with maxima, and a net after LeNet, all with symbolic sizes.
"""

from __future__ import annotations

import pytest

import symbackprop as sb

# fmt: off
WANTED = {
    "conv1d": {"w": "conv1d(x, grad_z)", "x": "conv1d(pad(grad_z, K-1), flip(w))"},
    "cnn":    {"F": "swap(conv2d(swap(X, 0, 1), swap(grad_Z, 0, 1)), 0, 1)",
               "b": "sum(grad_Z, axis=(0, 2, 3))"},
    "lenet":  {"H1": "conv2d(pad2d(grad_Z2, R-1, R-1), flip(swap(F2, 0, 1), axis=(2, 3)))",
               "Z2": "repeat(repeat(grad_H2, 2, axis=2), 2) * step(Z2) / 4"},
}
# fmt: on


@pytest.mark.parametrize("net", WANTED)
def test_every_derivative_of_a_net_is_proved(net: str) -> None:
    derivation = sb.derive(sb.load(net))
    for name, wanted in WANTED[net].items():
        assert derivation[name].text == wanted
    for result in derivation.values():
        assert "sum[" not in result.text
        assert result.checked.proved
        assert result.checked.points
        assert result.checked.max_error < 1e-5
