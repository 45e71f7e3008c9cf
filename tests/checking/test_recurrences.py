"""Hand derivations about models with a symbolic number of layers or steps."""

from __future__ import annotations

from functools import lru_cache

import pytest

import symbackprop as sb
from symbackprop.checking.judge import verify
from symbackprop.pipeline.compilation import program_of

# fmt: off
DEEP = r"""
$$\delta^{l} = (\delta^{l+1} W^{l+1}) \odot (1 - H^{l} \odot H^{l}), \quad l = K-1, \dots, 1$$
$$\nabla_{W^{l}} L = (\delta^{l})^\top H^{l-1}$$
$$\nabla_{b^{(l)}} L = (\delta^{(l)})^\top \mathbf{1}$$
"""
COLUMN = r"""
$$\delta^{l} = (W^{l+1})^\top \delta^{l+1} \odot f'(z^{l})$$
$$\nabla_{W^{l}} L = \delta^{l} (a^{l-1})^\top$$
$$\nabla_{b^{l}} L = \delta^{l}$$
"""
TIME = r"""
$$\nabla_{h^{(t)}} L = (\nabla_{a^{(t+1)}} L) U + (\nabla_{\hat y^{(t)}} L) V$$
$$\nabla_U L = \sum_{t=1}^{T} (\nabla_{a^{(t)}} L)^\top h^{(t-1)}$$
$$\nabla_W L = \sum_{t} (\nabla_{a_t} L)^\top X_{t}$$
"""
TEXT = """
grad_H[K] = 2/N*(H[K] - Y)
grad_Z[l] = grad_H[l] * (1 - H[l]**2)
grad_H[l] = grad_Z[l+1] @ W[l+1]
grad_W[l] = grad_Z[l].T @ H[l-1]
"""
NET = """
dims M, K
data x[M], y[M]
param W[l in 1..K][M, M], b[l in 1..K][M]
function f
a[0] = x
z[l] = W[l] @ a[l-1] + b[l] for l in 1..K
a[l] = f(z[l]) for l in 1..K
L = sum((a[K] - y)**2) / 2
"""
RIGHT = {"deep": ("deep-net", DEEP), "column": (NET, COLUMN), "time": ("rnn", TIME),
         "text": ("deep-net", TEXT)}
WRONG = {
    "the layer below": ("deep-net", DEEP, r"H^{l-1}", r"H^{l}"),
    "not transposed": (NET, COLUMN, r"(W^{l+1})^\top", r"W^{l+1}"),
    "a factor": ("deep-net", TEXT, "2/N*", "1/N*"),
    "the wrong weights": ("deep-net", TEXT, "@ W[l+1]", "@ W[l]"),
    "the state of the same step": ("rnn", TIME, "h^{(t-1)}", "h^{(t)}"),
    "a sign": ("rnn", TIME, "+ (\\nabla_{\\hat", "- (\\nabla_{\\hat"),
}
# fmt: on


@lru_cache(maxsize=64)
def verdict(model: str, text: str) -> str:
    known = sb.parse(model) if "\n" in model else sb.load(model)
    return verify(program_of(known), text, explain=False).verdict


@pytest.mark.parametrize("name", RIGHT)
def test_what_textbooks_write_is_proved(name: str) -> None:
    assert verdict(*RIGHT[name]) == "proved"


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_not(name: str) -> None:
    model, text, old, new = WRONG[name]
    assert old in text
    assert verdict(model, text.replace(old, new)) in ("refuted", "undecided")


def test_most_of_what_is_wrong_is_refuted() -> None:
    verdicts = [verdict(m, t.replace(old, new)) for m, t, old, new in WRONG.values()]
    assert verdicts.count("refuted") >= 5, verdicts


def test_what_holds_for_some_depths_only_is_not_proved() -> None:
    """Right where the net has three or four layers, but not where it has others."""
    text = "grad_W[l] = grad_Z[l].T @ H[l-1] * (1 + (K - 3)*(K - 4))"
    assert verdict("deep-net", text) != "proved"


def test_a_wrong_step_is_explained_in_the_labels_of_the_writer() -> None:
    report = sb.verify(sb.load("deep-net"), TEXT.replace("@ W[l+1]", "@ W[l]"))
    assert report.claims == {
        "H[K]": "proved", "Z[l]": "proved", "H[l]": "refuted", "W[l]": "proved",
    }  # fmt: skip
    assert report.first_wrong_step == 2
    step = report.steps[2]
    assert (step.line, step.text) == (4, "grad_H[l] = grad_Z[l+1] @ W[l]")
    assert step.counterexample is not None


def test_our_own_lines_are_read_back() -> None:
    derivation = sb.derive(sb.load("deep-net"))
    text = "\n\n".join(f"$${d.latex}$$" for d in derivation.derivatives)
    assert verdict("deep-net", text) == "proved"


CODE = """import numpy as np
def backward(x, u, h0):
    T = len(x)
    h = [h0]
    for t in range(T):
        h.append(np.tanh(u * h[-1] + x[t]))
    du, dx, dh = np.zeros_like(u), np.zeros_like(x), h[-1]
    for t in reversed(range(T)):
        da = dh * (1 - h[t + 1] ** 2)
        du += da * h[t]
        dx[t] = da
        dh = da * u
    return du, dx, dh
"""
STEPS = """dims N, T
data h0[N]
param x[t in 1..T][N], u[N]
h[0] = h0
h[t] = tanh(u * h[t-1] + x[t]) for t in 1..T
L = sum(h[T]**2)/2
"""


def test_numpy_about_a_recurrence_is_judged_about_nets_written_out() -> None:
    fixed = STEPS.replace(", T", "").replace("T", "2")
    wrong = CODE.replace("da * h[t]", "da * h[t + 1]")
    expected = (
        (STEPS, CODE, "undecided", {"u": "undecided", "x": "undecided", "h0": "undecided"}),
        (fixed, CODE, "proved", {"u": "proved", "x": "proved", "h0": "proved"}),
        (STEPS, wrong, "refuted", {"u": "refuted", "x": "undecided", "h0": "undecided"}),
    )
    for model, code, verdict, claims in expected:
        options = {"call": "backward(x, u, h0)", "returns": "u,x,h0"}
        report = sb.verify(sb.parse(model), code, format="numpy", **options)
        assert (report.verdict, dict(report.claims)) == (verdict, claims)
    assert report.steps[report.first_wrong_step or 0].line == 10
