"""A transformer of twelve blocks: all blocks have the same equations, right by autograd."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import symbackprop as sb
from tests.backends.numpy.loading import draw, kernel, record
from tests.models.transformers import transformer

BLOCKS, FEW = 12, 4


def test_every_block_has_the_same_equations() -> None:
    derivation = sb.derive(sb.parse(transformer(FEW)))
    first = [d.text for d in derivation.values() if d.wrt.endswith("2")]
    other = [d.text for d in derivation.values() if d.wrt.endswith("3")]
    assert len(first) == 26
    for a, b in zip(first, other, strict=True):
        assert re.sub(r"(?<=[A-Za-z])\d", lambda k: str(int(k[0]) + 1), a) == b


@pytest.mark.parametrize("blocks", [1, BLOCKS])
def test_gradients_are_those_of_autograd(blocks: int, require: Callable[..., str]) -> None:
    require("autograd", package=True)
    from tests.models import by_autograd

    text = transformer(blocks)
    program = record(text).program
    sizes = {"T": 3, "D": 4, "A": 2, "E": 3, "M": 5, "V": 6}
    given = draw(program, sizes, scale=0.6, seed=1)
    loss, grads = kernel(text).loss_and_grad(**given)
    assert loss == pytest.approx(by_autograd.output(text, given, sizes), rel=1e-12)
    for wrt in ("Wu", "g1", "Wq1", "Wo1", f"Wk{blocks}", f"U{blocks}", f"h{blocks}"):
        want = by_autograd.gradient(text, wrt, given, sizes)
        np.testing.assert_allclose(grads[wrt], want, rtol=1e-8, atol=1e-10, err_msg=wrt)
