"""ResNet-18 as it ships, and smaller nets of its kind: array notation, slopes of the loss, and the
gradients of torch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.network.shipped import shipped_models
from tests.backends.numpy.loading import draw, kernel, record
from tests.models.resnet import resnet

SMALL = resnet(2, 1)
SIZES = {"N": 3, "C": 2, "H": 12, "W": 9, "D1": 3, "D2": 2, "R": 3}


def test_the_model_that_ships_has_four_stages_of_two_blocks() -> None:
    assert shipped_models()["resnet18"] == resnet()


def test_every_gradient_is_in_array_notation() -> None:
    derivation = sb.derive(sb.parse(SMALL))
    for d in derivation.values():
        assert "einsum" not in d.text
        assert "sum[" not in d.text


def test_gradients_are_slopes_of_the_loss() -> None:
    given, made = draw(record(SMALL).program, SIZES, seed=2), kernel(SMALL)
    _, grads = made.loss_and_grad(**given)
    rng, step = np.random.default_rng(0), 1e-6
    for key, grad in grads.items():
        along = rng.standard_normal(grad.shape)
        up, down = (
            made.forward(**{**given, key: given[key] + sign * step * along})[0] for sign in (1, -1)
        )
        slope = float(np.sum(grad * along))
        assert (up - down) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-7), key


def test_gradients_are_those_of_torch(require: Callable[..., str]) -> None:
    require("torch", package=True)
    import torch
    from torch.nn import functional as f

    given, made = draw(record(SMALL).program, SIZES, seed=4), kernel(SMALL)
    loss, grads = made.loss_and_grad(**given)
    p = {k: torch.tensor(given[k], requires_grad=True) for k in grads}
    eps = float(given["eps"])

    def normed(key: str, x: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
        z = f.conv2d(x, p[f"K{key}"], stride=stride, padding=padding)
        return f.batch_norm(z, None, None, p[f"g{key}"], p[f"h{key}"], training=True, eps=eps)

    a = f.max_pool2d(normed("0", torch.tensor(given["X"]), 2, 3).relu(), 3, 2, 1)
    a = (normed("11b", normed("11a", a, 1, 1).relu(), 1, 1) + a).relu()
    a = (normed("21b", normed("21a", a, 2, 1).relu(), 1, 1) + normed("21c", a, 2, 0)).relu()
    scores = a.mean((2, 3)) @ p["V"].T + p["d"]
    want = f.cross_entropy(scores, torch.tensor(given["t"]))
    want.backward()
    assert loss == pytest.approx(want.item(), rel=1e-10)
    for key, grad in grads.items():
        np.testing.assert_allclose(grad, p[key].grad.numpy(), rtol=1e-7, atol=1e-9, err_msg=key)
