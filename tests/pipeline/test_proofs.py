"""``prove``: whole matrix expressions and entries against a model, scalars without one; what is
told of a proof, a counterexample, a clash of shapes; and that nothing hangs.
"""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import Malformed

MODEL = sb.parse(
    """
dims N, D, M
data X[N, D], Y[N, M], A[N, N], B[N, N], v[N], t
param W[M, D], b[M]
function f
assume Y onehot
Z = X @ W.T + b
H = f(Z)
P = softmax(Z, axis=1)
output P
"""
)

# fmt: off
DECIDED = (
    ("A.T @ (B @ X) == (X.T @ B.T @ A).T",               "proved"),
    ("(A @ B) @ v == A @ (B @ v)",                       "proved"),
    ("trace(A @ B) == sum(A * B.T)",                     "proved"),
    ("sum(P, axis=1) == 1",                              "proved"),
    ("softmax(Z + t, axis=1) == P",                      "proved"),
    ("-sum(Y * log(P)) == sum(logsumexp(Z, axis=1)) - sum(Y * Z)", "proved"),
    ("sum(Y * P, axis=1)[:, None] * Y == Y * P",         "proved"),
    ("H == f(X @ W.T + b)",                              "proved"),
    ("f(H.T) == f(H).T",                                 "proved"),
    ("Z[n,m] == sum[d](X[n,d]*W[m,d]) + b[m]",           "proved"),
    ("sum[n](H[n,m]) == sum[n](f(Z[n,m]))",              "proved"),
    ("P[n,k] == exp(Z[n,k]) / sum[j](exp(Z[n,j]))",      "proved"),
    ("A @ B == B @ A",                                   "refuted"),
    ("A == A.T",                                         "refuted"),
    ("f(A @ B) == f(A) @ f(B)",                          "refuted"),
    ("sum(P, axis=0) == 1",                              "refuted"),
    ("softmax(2 * Z, axis=1) == P",                      "refuted"),
    ("Z[n,m] == b[m]",                                   "refuted"),
    ("Z[n,m] == sum[d](X[n,d]*W[m,d])",                  "refuted"),
)
CLASHES = (
    ("A @ W == W @ A",                  ("N×N", "M×D", "^")),
    ("sum(Z, axis=0) == v",             ("sum(Z, axis=0) is M", "v is N", "^")),
    ("Z[n,m] == Z[m,n]",                ("one range", "^")),
    ("Z + 1",                           ("A == B", "^")),
)
NASTY = (
    ("(a + b)**40 == (b + a)**39 * (a + b)",                                       "proved"),
    ("(a + b + c + d)**12 == ((a + b)**2 + 2*(a + b)*(c + d) + (c + d)**2)**6",    "undecided"),
    ("*".join(f"(a{k} + b{k})" for k in range(30)) + " == " +
     "*".join(f"(b{k} + a{k})" for k in range(1, 30)) + "*(a0 + b0)",              "proved"),
    ("+".join(f"sigmoid(a{k})" for k in range(40)) + " == 40 - (" +
     "+".join(f"sigmoid(-a{k})" for k in range(40)) + ")",                         "proved"),
    ("*".join(f"sigmoid(a{k})" for k in range(12)) + " == " +
     "*".join(f"(1/(1 + exp(-a{k})))" for k in range(12)),                         "proved"),
    ("*".join(f"relu(a{k} + 1)" for k in range(14)) + " == " +
     "*".join(f"(a{k} + 1 + abs(1 + a{k}))/2" for k in range(14)),                 "undecided"),
    ("tanh(" * 12 + "x" + ")" * 12 + " == -" + "tanh(" * 12 + "-x" + ")" * 12,     "proved"),
    ("sin(40*x) == 2*sin(20*x)*cos(20*x)",                                         "proved"),
    ("x**1000 == x**999 * x",                                                      "proved"),
    ("exp(x/3)**97 == exp(97*x/3)",                                                "proved"),
    ("+".join(f"1/(a{k} + 1)" for k in range(12)) + " == " +
     "+".join(f"(a{k} + 2)/(a{k}**2 + 3*a{k} + 2)" for k in range(12)),            "undecided"),
)
# fmt: on


@pytest.mark.parametrize(("text", "verdict"), DECIDED, ids=[text for text, _ in DECIDED])
def test_identities_of_a_model(text: str, verdict: str) -> None:
    assert sb.prove(text, MODEL).verdict == verdict


@pytest.mark.parametrize(("text", "said"), CLASHES, ids=[text for text, _ in CLASHES])
def test_clashes_are_shown(text: str, said: tuple[str, ...]) -> None:
    with pytest.raises(Malformed) as raised:
        sb.prove(text, MODEL)
    assert all(word in str(raised.value) for word in said)


@pytest.mark.parametrize(("text", "verdict"), NASTY, ids=[text[:40] for text, _ in NASTY])
def test_nothing_hangs_and_a_search_that_is_cut_short_says_so(text: str, verdict: str) -> None:
    proof = sb.prove(text)
    assert proof.verdict == verdict
    if verdict == "undecided":
        assert "cut short" in str(proof)


def test_a_counterexample_is_small_and_says_where() -> None:
    proof = sb.prove("A @ B == B @ A", MODEL)
    shown = proof.as_json()["counterexample"]
    assert shown["dims"] == {"N": 2}
    assert all(abs(x) <= 3 for name in "AB" for row in shown["values"][name] for x in row)
    assert set(shown["entry"].values()) <= {0, 1}
    assert shown["claimed"] != shown["true"]
    assert "the left side is" in str(proof)


def test_a_proof_lists_its_steps_and_facts() -> None:
    proof = sb.prove("-sum(Y * log(P)) == sum(logsumexp(Z, axis=1)) - sum(Y * Z)", MODEL)
    assert "Y onehot" in str(proof)
    assert proof.as_json()["facts"] == ["Y onehot"]
    assert len(proof.steps) >= 2
    assert "both sides are the same" in str(sb.prove("Z == Z", MODEL))


def test_an_identity_that_is_nowhere_defined_is_undecided() -> None:
    proof = sb.prove("log(-x**2) == 5")
    assert proof.verdict == "undecided"
    assert "defined" in str(proof)


def test_a_declared_function_shadows_the_library() -> None:
    model = sb.parse("function exp\ndata x, y\nz = exp(x)\noutput z\n")
    assert sb.prove("exp(x)*exp(-x) == 1", model).verdict == "refuted"
    assert sb.prove("exp(x) == z", model).verdict == "proved"
