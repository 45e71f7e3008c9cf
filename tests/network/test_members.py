"""Families whose ranges end in integers: written out for what is known of ordinary nets only, and
with the same values as loops.
"""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import Malformed, NotSupported
from symbackprop.network.members import written_out
from symbackprop.network.model import in_members
from symbackprop.notation.text_reader import read_model

# fmt: off
NET = """
dims N, M
data X[N, M], Y[N, M]
param W[l in 1..3][M, M], b[l in 1..3][M]
H[0] = X
Z[l] = H[l-1] @ W[l].T + b[l] for l in 1..3
H[l] = tanh(Z[l]) for l in 1..3
L = sum((H[3] - Y)**2) / N
"""
WRITTEN = """
dims N, M
data X[N, M], Y[N, M]
param W1[M, M], W2[M, M], W3[M, M], b1[M], b2[M], b3[M]
H0 = X
Z1 = H0 @ W1.T + b1
H1 = tanh(Z1)
Z2 = H1 @ W2.T + b2
H2 = tanh(Z2)
Z3 = H2 @ W3.T + b3
H3 = tanh(Z3)
L = sum((H3 - Y)**2) / N
"""
SHALLOW = NET.replace("1..3", "1..2").replace("H[3]", "H[2]")
#: What no loop can say: a member in the middle, two steps back, sums over some steps.
MEMBERS = {
    "middle": NET.replace("L = ", "L = sum(H[2]**2) + "),
    "two back": """
dims N, M
data X[t in 0..3][N, M]
param a, c, v[M]
H[0] = X[0]
H[1] = a * X[1]
H[t] = tanh(a * H[t-1] + c * H[t-2] + X[t]) for t in 2..3
L = sum((sum[t in 1..3](H[t] @ v))**2) + sum[t](sum(X[t] * H[t]))
""",
    "shapes change": """
dims N, M
data X[N, M]
param a[l in 1..2]
H[0] = X
H[l] = sum(a[l] * H[l-1]**2, axis=0) for l in 1..2
L = H[2]
""",
}
KEPT = {
    "symbolic end": NET.replace("1..3", "1..K").replace("dims N", "dims K, N"),
    "whole family": NET.replace("L = ", "L = sum(W**2) + "),
    "no member": NET.replace("W[l].T", "W[l+1].T"),
    "entries": "dims N\ndata x[N]\ny[i] = x[i]**2 for i in 0..N-1\nL = sum(y)",
}
# fmt: on


def test_what_is_written_out_is_the_model_that_one_writes() -> None:
    written = written_out(read_model(NET, "a"))
    assert written is not None
    assert written.trees == read_model(WRITTEN, "b")
    assert written.families["W"] == {1: "W1", 2: "W2", 3: "W3"}


def test_names_that_are_taken_or_end_in_digits() -> None:
    written = written_out(read_model(NET.replace("Y", "W2").replace("b[", "b1["), "a"))
    assert written is not None
    assert written.families["W"] == {1: "W_1", 2: "W_2", 3: "W_3"}
    assert written.families["b1"] == {1: "b1_1", 2: "b1_2", 3: "b1_3"}


@pytest.mark.parametrize("case", KEPT)
def test_what_stays_as_it_is(case: str) -> None:
    assert written_out(read_model(KEPT[case], "a")) is None


def test_facts_hold_for_every_member() -> None:
    model = in_members(sb.parse(NET + "\nassume W orthogonal"))
    assert model is not None
    assert [f.name for f in model.facts] == ["W1", "W2", "W3"]


@pytest.mark.parametrize("case", MEMBERS)
def test_members_that_no_loop_knows(case: str) -> None:
    derivation = sb.derive(sb.parse(MEMBERS[case]))
    assert all(d.checked.passed for d in derivation.derivatives)
    assert sb.kernel(derivation).module._self_test() < 1e-6


def test_the_gradient_stays_a_loop_whose_kernel_takes_stacks() -> None:
    shapes = {"X": (4, 2), "Y": (4, 2), "W": (3, 2, 2), "b": (3, 2)}
    rng = np.random.default_rng(0)
    given = {k: rng.normal(size=s) for k, s in shapes.items()}
    loss, grads = sb.kernel(sb.derive(sb.parse(NET)))(**given)
    members = {f"{k}{i + 1}": given[k][i] for k in "Wb" for i in range(3)}
    plain = sb.kernel(sb.derive(sb.parse(WRITTEN)))
    same, by_member = plain(X=given["X"], Y=given["Y"], **members)
    assert loss == pytest.approx(same, rel=1e-12)
    for name in members:
        np.testing.assert_allclose(grads[name[0]][int(name[1]) - 1], by_member[name], atol=1e-12)


@pytest.mark.parametrize("kind", ["jacobian", "hvp", "jvp", "vjp"])
def test_other_kinds_are_those_of_the_net_written_out(kind: str) -> None:
    of = "L" if kind == "hvp" else "H[2]"
    ours = sb.derive(sb.parse(SHALLOW), kind=kind, wrt="b", of=of)
    text = "\n".join(x for x in WRITTEN.splitlines() if "3 =" not in x).replace("H3", "H2")
    text = text.replace(", W3[M, M]", "").replace(", b3[M]", "")
    theirs = sb.derive(sb.parse(text), kind=kind, wrt="b1,b2", of=of.replace("[2]", "2"))
    assert str(ours) == str(theirs)
    assert sb.kernel(ours).module._self_test() < 1e-6


def test_blocks_of_a_hessian_by_the_names_of_members() -> None:
    text = "dims N\ndata x[N]\nparam a[l in 1..2]\nL = sum[l](sum(a[l]**3 * x)) + a[1] * a[2]"
    derivation = sb.derive(sb.parse(text), kind="hessian")
    assert derivation["a[1]", "a[2]"] is derivation["a1", "a2"]
    assert derivation["a[1]", "a[2]"].text == "1"
    assert derivation["a[2]"].text == "6 * a2 * sum(x)"
    assert list(sb.derive(sb.parse(text), wrt="a[2]")) == ["a2"]


def test_a_loop_of_one_step_says_which() -> None:
    text = str(sb.derive(sb.parse(SHALLOW)))
    assert "grad_H[1] = grad_Z[2] @ W[2] " in text
    assert "3×N×M" not in text


def test_symbolic_ends_say_what_would_help() -> None:
    with pytest.raises(NotSupported, match="integer ends"):
        sb.derive(sb.parse(KEPT["symbolic end"].replace("H[3]", "H[K]")), kind="hessian")
    with pytest.raises(Malformed, match=r"a member of W, which has 1\.\.3"):
        sb.parse(KEPT["no member"])


HAND = r"""
$\nabla_{H^{(3)}} L = \frac{2}{N} (H^{(3)} - Y)$
$\nabla_{Z^{(l)}} L = \nabla_{H^{(l)}} L \odot (1 - (H^{(l)})^2)$
$\nabla_{H^{(l)}} L = \nabla_{Z^{(l+1)}} L \, W^{(l+1)}$
$\nabla_{W^{(l)}} L = (\nabla_{Z^{(l)}} L)^\top H^{(l-1)}$
"""


def test_a_hand_derivation_is_judged_at_every_step() -> None:
    assert sb.verify(sb.parse(NET), HAND).verdict == "proved"
    last = HAND.replace("{W^{(l)}} L = (\\nabla_{Z^{(l)}} L)^\\top H^{(l-1)}",
                        "{W^{(3)}} L = H^{(2)\\top} \\nabla_{Z^{(3)}} L")  # fmt: skip
    assert last != HAND
    assert sb.verify(sb.parse(NET), last).verdict == "refuted"


@pytest.mark.parametrize("own", [1, 2, 3])
def test_what_is_wrong_at_one_step_only_is_not_proved(own: int) -> None:
    net = sb.parse(NET.replace("L = ", f"L = sum(W[{own}]**2) + "))
    assert sb.verify(net, HAND).claims["W[l]"] != "proved"


def test_members_have_closed_forms() -> None:
    text = "dims N\ndata x[N]\nparam a[l in 1..2]\nh[0] = x\nh[l] = a[l] * h[l-1] for l in 1..2"
    model = sb.parse(f"{text}\nL = sum(h[2]**2) / 2")
    reason = sb.derive(model)["a"].closed_reason
    assert reason == "it follows from a recurrence; ask for a member, such as a[2]"
    derivation = sb.derive(model, wrt="a[1], a[2]")
    assert derivation["a[1]"].closed == "a2 * h2 @ h0"
