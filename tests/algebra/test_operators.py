"""Identities of matrices with inverses, factors and determinants: those of the books are proved,
and each of them with one sign or one factor changed is not, by the rewriting itself: it is asked
before any value is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sympy import Integer

from symbackprop.algebra.prove import decide, prove
from symbackprop.algebra.words import Letter, Rules
from symbackprop.ir.expressions import extent_symbol
from symbackprop.ir.verdict import Different, Equal
from tests.small_programs import both, program

GIVEN = program(
    "data A[N,N], B[N,N], X[N,N], G[N,N], S[N,N], O[N,N], U[N,K], V[K,N], C[K,K], P[N,M], Q[M,N], "
    "u[N], v[N], r; assume A invertible; assume B invertible; assume C invertible; assume S spd; "
    "assume O orthogonal"
)

CASES = Path(__file__).parents[1] / "cases" / "algebra" / "operator_identities.txt"
TRUE = {
    name: (left, right)
    for name, left, right in re.findall(r"# (.*)\n(.*)\n== (.*)\n", CASES.read_text("utf-8"))
}

# fmt: off
FALSE = {
    "factor turned":         ("cholesky(S).T @ cholesky(S)", "S"),
    "not symmetric":         ("cholesky(G) @ cholesky(G).T", "G"),
    "sum of inverses":       ("inv(A + B)", "inv(A) + inv(B)"),
    "product of inverses":   ("inv(A @ B)", "inv(A) @ inv(B)"),
    "no commuting":          ("A @ inv(A + B) @ B", "A @ B @ inv(A + B)"),
    "one-sided":             ("P @ inv(P.T @ P) @ P.T", "eye(N)"),
    "other extent":          ("trace(P @ inv(P.T @ P) @ P.T)", "N"),
    "det of a sum":          ("det(A + B)", "det(A) + det(B)"),
    "other ones":            ("det(eye(N) + P @ ones(M, N))", "det(eye(M) + ones(M, N) @ P) + 1"),
    "entry by entry":        ("inv(A * B)", "inv(A) * inv(B)"),
    "only the diagonal":     ("inv(A)", "diag(1 / diag(A))"),
    "no fact":               ("inv(G @ A @ G.T)", "G @ inv(A) @ G.T"),
    "log of any factor":     ("logdet(G)", "2 * sum(log(diag(cholesky(G))))"),
}
# fmt: on


def spoilt(text: str) -> Iterator[str]:
    """``text`` with one sign changed, or with its first inverse left out."""
    for sign in re.finditer(r" \+ | - ", text):
        other = " - " if sign.group() == " + " else " + "
        yield text[: sign.start()] + other + text[sign.end() :]
    found = re.search(r"inv\((\w)\)", text)
    if found is not None:
        yield text[: found.start()] + found.group(1) + text[found.end() :]


@pytest.mark.parametrize("name", sorted(TRUE))
def test_proved(name: str) -> None:
    assert isinstance(decide(*both(*TRUE[name], GIVEN)), Equal)


@pytest.mark.parametrize("name", sorted(FALSE))
def test_not_proved_and_refuted(name: str) -> None:
    sides = both(*FALSE[name], GIVEN)
    assert prove(*sides) is None
    assert isinstance(decide(*sides), Different)


@pytest.mark.parametrize("name", sorted(TRUE))
def test_no_spoilt_version_is_proved(name: str) -> None:
    left, right = TRUE[name]
    for other in spoilt(right):
        assert prove(*both(left, other, GIVEN)) is None, other


def test_equations_have_their_consequences_and_no_others() -> None:
    n, one = extent_symbol("N"), Integer(1)
    a, b, z = (Letter(x, n, n) for x in "abz")
    rules = Rules(lambda steps: None)
    rules.suppose({(a, z): one, (): -one})  # a z = 1 and z b = 1, so a = b
    rules.suppose({(z, b): one, (): -one})
    assert rules.reduced({(a,): one, (b,): -one}) != {}
    for _ in rules.complete():
        pass
    assert rules.reduced({(a,): one, (b,): -one}) == {}
    assert rules.reduced({(z, a): one, (): -one}) == {}
    assert rules.reduced({(a, b): one, (b, z): -one}) != {}
