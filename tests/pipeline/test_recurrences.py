"""Recurrences over a symbolic depth or time: what is derived, that it is right for every number of
steps, and that kernels compute it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from sympy import Expr, Integer

import symbackprop as sb
from symbackprop.algebra.knowledge import inline_in_turn
from symbackprop.algebra.prove import prove
from symbackprop.calculus.reverse import reverse
from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir import terms
from symbackprop.ir.expressions import Entry, Index, IndexSum, substitute
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.schedule import steps as scheduled
from symbackprop.pipeline.compilation import program_of
from symbackprop.pipeline.derivation import Derivation
from tests.pipeline import recurrent_models

# fmt: off
TEXTS = {
    "deep-net": """
        grad_H[K] = 2 / N * (H[K] - Y)
        grad_H[l] = grad_Z[l+1] @ W[l+1] for l in 1..K-1
        grad_Z[l] = grad_H[l] * (1 - H[l]**2) for l in 1..K
        grad_W[l] = grad_Z[l].T @ H[l-1] for l in 1..K
        grad_b[l] = sum(grad_Z[l], axis=0) for l in 1..K
    """,
    "rnn": """
        grad_loss[t] = 1 / N for t in 1..T
        grad_yhat[t] = 2 / N * (yhat[t] - Y[t]) for t in 1..T
        grad_V = sum[t in 1..T](grad_yhat[t].T @ h[t])
        grad_c = sum[t in 1..T](sum(grad_yhat[t], axis=0))
        grad_h[T] = grad_yhat[T] @ V
        grad_h[t] = grad_a[t+1] @ U + grad_yhat[t] @ V for t in 1..T-1
        grad_h[0] = grad_a[1] @ U
        grad_h0 = sum(grad_h[0], axis=0)
        grad_a[t] = grad_h[t] * (1 - h[t]**2) for t in 1..T
        grad_U = sum[t in 1..T](grad_a[t].T @ h[t-1])
        grad_W = sum[t in 1..T](grad_a[t].T @ X[t])
        grad_b = sum[t in 1..T](sum(grad_a[t], axis=0))
    """,
    "residual-net": """
        grad_yhat = 2 / N * (yhat - y)
        grad_w = H[K].T @ grad_yhat
        grad_c = sum(grad_yhat)
        grad_H[K] = outer(grad_yhat, w)
        grad_H[l] = grad_Z[l+1] @ A[l+1] + grad_H[l+1] for l in 1..K-1
        grad_B[l] = grad_H[l].T @ relu(Z[l]) for l in 1..K
        grad_Z[l] = grad_H[l] @ B[l] * step(Z[l]) for l in 1..K
        grad_A[l] = grad_Z[l].T @ H[l-1] for l in 1..K
        grad_b[l] = sum(grad_Z[l], axis=0) for l in 1..K
    """,
}
LATEX = {
    ("deep-net", "H"):
        r"\nabla_{H^{(l)}} L = (\nabla_{Z^{(l+1)}} L) \, W^{(l+1)}, \quad l = K - 1, \dots, 1, "
        r"\qquad \nabla_{H^{(K)}} L = \frac{2}{N} (H^{(K)} - Y)",
    ("deep-net", "W"):
        r"\nabla_{W^{(l)}} L = (\nabla_{Z^{(l)}} L)^\top H^{(l-1)}, \quad l = 1, \dots, K",
    ("rnn", "U"): r"\nabla_{U} L = \sum_{t=1}^{T} (\nabla_{a^{(t)}} L)^\top h^{(t-1)}",
}
ERRORS = {
    "Malformed: H at an earlier step": "H[0] = X\nH[l] = tanh(H[l+1]) for l in 1..K",
    "Malformed: H at an earlier step ": "H[0] = X\nH[l] = tanh(H[l]) for l in 1..K",
    "Malformed: H to be defined at an earlier step": "H[l] = tanh(H[l-1]) for l in 1..K",
    "NotSupported: a recurrence that looks back one step": "H[0] = X\nH[l] = H[l-2] for l in 1..K",
    "Malformed: steps from 1 on, after the boundary H[0]": "H[0] = X\nH[l] = H[l-1] for l in 2..K",
    "Malformed: steps of the shape of the boundary": "H[0] = X\nH[l] = sum(H[l-1]) for l in 1..K",
    "Malformed: the steps of H after its boundary": "H[0] = X\nL = sum(X)",
    "Malformed: a member of W, which has 1..K": "H[0] = X\nH[l] = H[l-1] @ W[l-1] for l in 1..K",
    "Malformed: a member of H": "H[0] = X\nH[l] = H + H[l-1] for l in 1..K",
    "Malformed: one range for the steps l":
        "G[l] = W[l] for l in 1..K\nq = 1\nF[l] = W[l] for l in 2..K",
    "Malformed: an array": "H[0] = X\nH[l] = H[l-1] for l in 1..K\nL = sum(H[l])",
}
# fmt: on
HEAD = "dims K, M\ndata X[M, M]\nparam W[l in 1..K][M, M]\n"


@lru_cache(maxsize=64)
def derived(name: str) -> Derivation:
    text = recurrent_models.MODELS.get(name)
    return sb.derive(sb.load(name) if text is None else sb.parse(text))


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("name", TEXTS)
def test_the_backward_recursion_is_the_textbooks(name: str) -> None:
    shown = [line.partition("   #")[0].rstrip() for line in str(derived(name)).splitlines()]
    assert shown == lines(TEXTS[name])


@pytest.mark.parametrize(("name", "wrt"), LATEX)
def test_latex(name: str, wrt: str) -> None:
    assert derived(name)[wrt].latex == LATEX[name, wrt]


@pytest.mark.parametrize("name", [*recurrent_models.MODELS, "deep-net", "rnn"])
def test_proved_and_checked_by_central_differences(name: str) -> None:
    for derivative in derived(name).derivatives:
        assert derivative.checked.passed, derivative


@pytest.mark.parametrize("name", recurrent_models.MODELS)
def test_kernels_test_themselves(name: str) -> None:
    assert sb.kernel(derived(name)).module._self_test() < 1e-6


def test_json_tells_the_recurrence() -> None:
    document = derived("deep-net").as_json()
    found = {d["wrt"]: d.get("recurrence") for d in document["derivatives"]}
    assert found["H"] == {
        "index": "l", "from": "1", "to": "K-1", "boundary": "grad_H[K] = 2 / N * (H[K] - Y)",
    }  # fmt: skip
    assert found["W"] == {"index": "l", "from": "1", "to": "K", "boundary": None}
    by_name = {d["wrt"]: d for d in document["derivatives"]}
    assert (by_name["W"]["shape"], by_name["W"]["closed"]) == (["K", "M", "M"], None)
    assert by_name["W"]["closed_reason"] == "it follows from a recurrence"
    assert derived("rnn")["V"].closed == "sum[t in 1..T](2 / N * ((yhat[t] - Y[t]).T @ h[t]))"


def of_layers(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Stacks under the names of the net written out."""
    out = {k: v for k, v in given.items() if k not in ("W", "b")}
    for k, (w, b) in enumerate(zip(given["W"], given["b"], strict=True), 1):
        out |= {f"W{k}": w, f"b{k}": b}
    return out


def of_times(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    out = {k: v for k, v in given.items() if k not in ("X", "Y")}
    for t, (x, y) in enumerate(zip(given["X"], given["Y"], strict=True), 1):
        out |= {f"X{t}": x, f"Y{t}": y}
    return out


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_net_of_any_depth_has_the_gradients_of_one_written_out(count: int) -> None:
    rng = np.random.default_rng(count)
    given = {
        "X": rng.normal(size=(4, 3)), "Y": rng.normal(size=(4, 3)),
        "W": rng.normal(size=(count, 3, 3)), "b": rng.normal(size=(count, 3)),
    }  # fmt: skip
    loss, grads = sb.kernel(derived("deep-net"))(**given)
    plain = sb.kernel(sb.derive(sb.parse(recurrent_models.deep_net(count))))
    expected, layers = plain(**of_layers(given))
    np.testing.assert_allclose(loss, expected)
    for k in range(count):
        np.testing.assert_allclose(grads["W"][k], layers[f"W{k + 1}"], atol=1e-12)
        np.testing.assert_allclose(grads["b"][k], layers[f"b{k + 1}"], atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_recurrent_net_has_the_gradients_of_one_written_out(count: int) -> None:
    rng = np.random.default_rng(count)
    shapes = {
        "X": (count, 4, 2), "Y": (count, 4, 3), "U": (5, 5), "W": (5, 2), "b": (5,), "V": (3, 5),
        "c": (3,), "h0": (5,),
    }  # fmt: skip
    given = {k: rng.normal(size=s) for k, s in shapes.items()}
    loss, grads = sb.kernel(derived("rnn"))(**given)
    plain = sb.kernel(sb.derive(sb.parse(recurrent_models.rnn(count))))
    expected, written_out = plain(**of_times(given))
    np.testing.assert_allclose(loss, expected)
    for name in derived("rnn").program.params:
        np.testing.assert_allclose(grads[name], written_out[name], atol=1e-11, err_msg=name)


def test_a_recurrent_net_has_the_gradients_of_autograd(require: object) -> None:
    require("autograd", package=True)  # type: ignore[operator]
    import autograd
    import autograd.numpy as anp

    shapes = {
        "X": (5, 4, 2), "Y": (5, 4, 3), "U": (5, 5), "W": (5, 2), "b": (5,), "V": (3, 5),
        "c": (3,), "h0": (5,),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    given = {k: rng.normal(size=s) for k, s in shapes.items()}

    def value(p: dict[str, np.ndarray]) -> float:
        h, total = anp.zeros((4, 5)) + p["h0"], 0.0
        for x, y in zip(given["X"], given["Y"], strict=True):
            h = anp.tanh(h @ p["U"].T + x @ p["W"].T + p["b"])
            total = total + anp.sum((h @ p["V"].T + p["c"] - y) ** 2)
        return total / 4

    _, grads = sb.kernel(derived("rnn"))(**given)
    expected = autograd.grad(value)({k: v for k, v in given.items() if k not in ("X", "Y")})
    for name, grad in expected.items():
        np.testing.assert_allclose(grads[name], grad, atol=1e-11, err_msg=name)


def at_count(e: Expr, program: Program, count: int) -> Expr:
    """An entry over stacks as one over the arrays of the net written out for ``count`` layers."""
    if isinstance(e, IndexSum) and any(str(v.extent) == "K" for v in e.bound):
        over = next(v for v in e.bound if str(v.extent) == "K")
        rest = tuple(v for v in e.bound if v != over)
        body = IndexSum(e.body, *rest) if rest else e.body
        terms_ = (substitute(body, {over: Integer(k)}) for k in range(count))
        return sum((at_count(t, program, count) for t in terms_), Integer(0))
    if isinstance(e, Entry):
        family = program.families.get(e.name.removeprefix("grad_"))
        if family is not None:
            depth = {d: Integer(count) for d in program.dims if d.name == "K"}
            place = e.indices[0].xreplace(depth)
            label = int(place + family.first)
            name = "X" if e.name == "H" and label == 0 else f"{e.name}{label}"
            return Entry(name, *e.indices[1:])
    return e.func(*(at_count(a, program, count) if a.args else a for a in e.args)) if e.args else e


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_recursion_is_proved_to_be_that_of_the_net_written_out(count: int) -> None:
    """Each adjoint of the recurrence, at each of its layers, against the one derived from the net
    written out: both in terms of the adjoints that they use.
    """
    program = derived("deep-net").program
    plain = program_of(sb.parse(recurrent_models.deep_net(count)))
    known = {a.name: a for a in reverse(plain, "L", plain.params)}
    sizes = {d.name: count if d.name == "K" else 2 for d in program.dims}
    equations = [e for d in derived("deep-net").record.derivatives for e in d.equations]
    constants = tuple(
        Equation(a.name, (), a.entry, terms.name(a.name)) for a in known.values() if not a.indices
    )
    met = 0
    for equation, place in scheduled(equations, program.families, sizes, downwards=True):
        assert place is not None
        at = {equation.indices[0]: Integer(place)}
        own = at_count(substitute(equation.rhs, at), program, count)
        left = at_count(equation.entry_at((Integer(place), *equation.indices[1:])), program, count)
        adjoint = known[left.name]
        theirs = substitute(
            inline_in_turn(adjoint.entry, constants),
            dict(zip(adjoint.indices, equation.indices[1:], strict=True)),
        )
        assert prove(own, theirs, plain) is not None, left
        met += 1
    assert met == 4 * count


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message: str) -> None:
    kind, _, said = message.strip().partition(": ")
    with pytest.raises((Malformed, NotSupported)) as caught:
        sb.parse(HEAD + ERRORS[message] + "\nL = sum(X)")
    assert type(caught.value).__name__ == kind
    if said != "an array":
        assert said in str(caught.value)


def test_other_kinds_are_declined_in_words() -> None:
    for kind in ("jacobian", "hessian", "hvp"):
        with pytest.raises(NotSupported, match="recurrence"):
            sb.derive(sb.load("rnn"), kind=kind)


def test_the_check_notices_a_wrong_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adjoint read one step too low is refused by central differences."""
    right = Equation.entry_at

    def wrong(self: Equation, places: tuple[Expr, ...], prefix: str = "") -> Entry:
        entry = right(self, places, prefix)
        if prefix and self.start == 1 and isinstance(places[0], Index):
            return Entry(entry.args[0], places[0], *entry.indices[1:])
        return entry

    monkeypatch.setattr(Equation, "entry_at", wrong)
    spoiled = sb.derive(sb.load("deep-net"))
    assert not all(d.checked.passed for d in spoiled.derivatives)


def test_fit_descends_through_time() -> None:
    module = sb.kernel(derived("rnn")).module
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 40, 2))
    data = {"X": x, "Y": np.cumsum(x.sum(axis=2, keepdims=True), axis=0) / 3}
    shapes = {"U": (6, 6), "W": (6, 2), "b": (6,), "V": (1, 6), "c": (1,), "h0": (6,)}
    params = {k: 0.3 * rng.normal(size=s) for k, s in shapes.items()}
    _, history = module.fit(data, params, rate=0.02, epochs=60, batch=20)
    assert history[-1] < history[0] / 5
