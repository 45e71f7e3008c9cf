"""The kernels of the models that ship, against HIPS autograd on the models' own lines.

That every kernel agrees with central differences, checks itself and typesets is tested for all
models that ship in ``tests/backends``; that every derivative is proved, in ``tests/pipeline``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from symbackprop.network.shipped import shipped_models
from tests.backends.numpy.loading import draw, kernel, record
from tests.models.whole import SINGLE

SOURCES = shipped_models()
# By entries or with an abstract function: these have references of their own beside the kernels.
NOT_PYTHON = {name for name, text in SOURCES.items() if "\nfunction" in text or "] = " in text}
SCALAR = [n for n in SINGLE if "\nL " in SOURCES[n] and n not in NOT_PYTHON]
# fmt: off
WANTED = {
    "attention", "autoencoder", "batch-norm-mlp", "factorisation-machine", "gaussian-mixture",
    "gru-step", "highway", "info-nce", "layer-norm", "linear-svm", "lstm-step",
    "matrix-factorisation", "mixture-of-experts", "multi-head-attention", "poisson-regression",
    "residual-mlp", "rms-norm", "rnn-unrolled", "swiglu", "transformer-block",
    "variational-autoencoder", "weight-norm",
}
# fmt: on


def test_what_people_train_ships() -> None:
    assert set(SCALAR) >= WANTED


@pytest.mark.parametrize("name", SCALAR)
def test_values_and_gradients_are_those_of_autograd(name: str, require: Callable[..., str]) -> None:
    require("autograd", package=True)
    from tests.models import by_autograd

    program = record(name).program
    sizes = {d.name: 3 + k % 7 for k, d in enumerate(program.dims)}
    given = draw(program, sizes, scale=0.7, seed=3)
    for key in program.params:  # kernels that add up many entries leave the softmax in range
        if np.ndim(given[key]) > 2:
            given[key] = given[key] / np.sqrt(given[key][0].size)
    loss, grads = kernel(name).loss_and_grad(**given)
    assert loss == pytest.approx(by_autograd.output(SOURCES[name], given, sizes), rel=1e-12)
    assert list(grads) == list(program.params)
    for wrt, grad in grads.items():
        want = by_autograd.gradient(SOURCES[name], wrt, given, sizes)
        np.testing.assert_allclose(grad, want, rtol=1e-9, atol=1e-11, err_msg=wrt)
