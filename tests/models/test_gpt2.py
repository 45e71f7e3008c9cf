"""GPT-2 as it ships: derived in matrix notation (``test_work`` counts the cost), right by autograd
and by central differences.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.network.shipped import shipped_models
from tests.backends.numpy.loading import draw, kernel, record, source
from tests.models.gpt import gpt, gpt_in_a_loop

BLOCKS, FEW = 12, 4
SIZES = {"N": 2, "T": 3, "V": 5, "D": 4, "A": 2, "E": 3, "M": 3}


@lru_cache(maxsize=4)
def derived(blocks: int) -> dict[str, str]:
    """Every adjoint equation, by what it is of."""
    return {d.wrt: d.text for d in sb.derive(sb.parse(gpt(blocks))).values()}


def test_the_model_that_ships_has_twelve_blocks() -> None:
    assert shipped_models()["gpt2"] == gpt(BLOCKS)


def test_every_block_has_the_same_equations_in_matrix_notation() -> None:
    texts = derived(FEW)
    assert len(texts) == 10 + 34 * FEW
    assert not any("einsum" in t or "[:" in t for t in texts.values())
    first, other = ({k: t for k, t in texts.items() if k.endswith(str(block))} for block in (2, 3))
    assert len(first) == 34
    for (k, a), (n, b) in zip(first.items(), other.items(), strict=True):
        assert n == k[:-1] + "3"
        assert re.sub(r"(?<=[A-Za-z])\d\b", lambda d: str(int(d[0]) + 1), a) == b


def test_the_tied_embedding_gathers_both_paths() -> None:
    assert derived(FEW)["Wte"] == (
        "reshape(grad_Z, N*T, V).T @ reshape(H, N*T, D)"
        " + onehot(reshape(t, N*T), V).T @ reshape(grad_X0, N*T, D)"
    )
    assert "== np.arange" not in source(gpt(2))


@pytest.mark.parametrize("blocks", [2, BLOCKS])
def test_gradients_are_those_of_autograd(blocks: int, require: Callable[..., str]) -> None:
    require("autograd", package=True)
    from tests.models import by_autograd

    text = gpt(blocks)
    given = draw(record(text).program, SIZES, scale=0.6, seed=1)
    loss, grads = kernel(text).loss_and_grad(**given)
    assert loss == pytest.approx(by_autograd.output(text, given, SIZES), rel=1e-12)
    wanted = grads if blocks == 2 else ("Wte", "Wpe", "ga1", "Wq1", "bk1", "Wo6", f"U{blocks}", "g")
    for wrt in wanted:
        want = by_autograd.gradient(text, wrt, given, SIZES)
        np.testing.assert_allclose(grads[wrt], want, rtol=1e-8, atol=1e-10, err_msg=wrt)


def test_gradients_are_slopes_of_the_loss() -> None:
    text, made = gpt(2), kernel(gpt(2))
    given = draw(record(text).program, SIZES, scale=0.6, seed=2)
    loss, grads = made.loss_and_grad(**given)
    workspace = made.Workspace(**SIZES)
    again, same = made.loss_and_grad(**given, workspace=workspace)
    assert again == pytest.approx(loss, rel=1e-12)
    rng, step = np.random.default_rng(0), 1e-6
    for key, grad in grads.items():
        np.testing.assert_allclose(same[key], grad, rtol=1e-9, atol=1e-12)
        along = rng.standard_normal(grad.shape)
        up, down = (
            made.forward(**{**given, key: given[key] + sign * step * along})[0] for sign in (1, -1)
        )
        slope = float(np.sum(grad * along))
        assert (up - down) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=1e-8), key


def test_blocks_in_a_loop_have_the_gradients_of_blocks_written_out() -> None:
    given = draw(record(gpt(2)).program, SIZES, scale=0.6, seed=1)
    families = {k[:-1] for k in given if k.endswith("2")}
    stacks = {f: np.stack([given[f"{f}1"], given[f"{f}2"]]) for f in families}
    single = {k: v for k, v in given.items() if k[:-1] not in families}
    single |= {"gf": single.pop("g"), "bf": single.pop("b")}
    derivation = sb.derive(sb.parse(gpt_in_a_loop(2)))
    assert len(derivation) == 43
    loss, grads = sb.kernel(derivation)(**stacks, **single)
    expected, plain = kernel(gpt(2)).loss_and_grad(**given)
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(grads["Wte"], plain["Wte"], rtol=1e-9, atol=1e-12)
    for name in families:
        for k in (0, 1):
            np.testing.assert_allclose(
                grads[name][k], plain[f"{name}{k + 1}"], rtol=1e-9, atol=1e-12, err_msg=name
            )
