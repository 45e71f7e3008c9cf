"""The printer inverts the reader; what it writes is what a person would write."""

from __future__ import annotations

from random import Random

import pytest
from sympy import Integer, Rational, pi, sqrt

from symbackprop.errors import Malformed
from symbackprop.ir import terms
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Delta,
    Entry,
    FloorDiv,
    Index,
    IndexMax,
    IndexSum,
    InRange,
    Modulo,
    Partial,
    Where,
    extent_symbol,
)
from symbackprop.ir.program import Equation
from symbackprop.notation.elaborate import elaborate
from symbackprop.notation.numbers import show_number
from symbackprop.notation.text_printer import (
    show,
    show_entry,
    show_equation,
    show_extent,
    show_index_equation,
)
from symbackprop.notation.text_reader import read_expression
from tests.notation.random_terms import SCOPE, SHAPES, D, M, N, random_term

# fmt: off
# Read and printed again, these stay as they are: no bracket is lost, none is added.
AS_WRITTEN = (
    "X @ W.T + b", "2 * (y - c)", "sum((y - c)**2)", "-c**2", "(-c)**2", "2**-c", "c**2**c",
    "(c**2)**c", "-(c + 1)", "-c * 2", "-(c * 2)", "c - (c - 1)", "c - c - 1", "c / (c / 2)",
    "c / c * 2", "c * (c / 2)", "1/2 + tanh(c / 2) / 2", "c**(1/2)", "0.5 * c", "0.044715 * c**3",
    "X @ W.T @ W", "X @ (W.T @ W)", "(X + 1).T", "X.T.T",
    "sum(X, axis=0)", "mean(X, axis=(0, 1))", "X - max(X, axis=1, keepdims=True)",
    "softmax(X, axis=1)", "softmax(y)", "log_softmax(X, axis=0)", "logsumexp(X, axis=1)",
    "diag(y) - outer(y, y)", "dot(y, y)", "trace(A)", "eye(N)", "eye(N, M)", "ones(N, M)",
    "zeros(N)", "arange(N)", "where(X > 0, X, -X)", "X == 0", "(X > 0) * X", "maximum(X, 0)",
    "leaky_relu(X)", "leaky_relu(X, 0.2)", "elu(X)", "gelu(X)", "f_prime(X)", "f_pprime(X)",
    "X[:, None]", "X[0]", "X[0, 1]", "X[1:]", "X[:, 1:D-1]", "X[None]",
    "y[:, None] * X", "(X + 1)[0]",
    'einsum("nd,md->nm", X, W)', "c / N", "c / (M*N)", "sqrt(D)", "pi * c", "c * 2",
    "var(X, axis=0)", "norm2(y)", "norm1(y)", "prod(y)", "min(y)", "inf",
    "grad_X * f_prime(X)", "sum[n](y[n])", "sum[n,d](X[n,d]**2) / 2",
)
# What is written otherwise is printed in the one way.
NORMAL_FORM = {
    "norm(y)": "norm2(y)", "+c": "c", "((c))": "c", "X[-1]": "X[N-1]", "X[..., 0]": "X[:, 0]",
    "eq(X, 0)": "X == 0", "dot(X, W.T)": "X @ W.T", "ones((N, M))": "ones(N, M)",
    "mean(X, axis=-1)": "mean(X, axis=1)", "N*M": "M*N", "c/2": "c / 2", "2/4": "2 / 4",
    "leaky_relu(X, 0.01)": "leaky_relu(X)", "sum(X, axis=None)": "sum(X)", "1e-3 * c": "1e-3 * c",
}
# fmt: on


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_prints_what_was_written(text: str) -> None:
    assert show(elaborate(read_expression(text), SCOPE)) == text


@pytest.mark.parametrize("text", NORMAL_FORM)
def test_prints_one_form(text: str) -> None:
    shown = show(elaborate(read_expression(text), SCOPE))
    assert shown == NORMAL_FORM[text]
    again = elaborate(read_expression(shown), SCOPE)
    assert again == elaborate(read_expression(text), SCOPE)


def test_reading_inverts_printing() -> None:
    random = Random(20)
    shapes = list(SHAPES.values())
    for _ in range(1500):
        term = random_term(random, random.choice(shapes), random.randrange(1, 5))
        text = show(term)
        assert elaborate(read_expression(text), SCOPE) == term, text


def test_brackets_are_needed() -> None:
    """Every pair of brackets that groups is there for a reason: without it the term differs."""
    random = Random(21)
    for _ in range(150):
        term = random_term(random, (N, D), 3)
        text = show(term)
        for begin, end in _groups(text):
            bare = text[:begin] + " " + text[begin + 1 : end] + " " + text[end + 1 :]
            try:
                other = elaborate(read_expression(bare), SCOPE)
            except Malformed:  # The bare text is no expression at all.
                continue
            assert other != term, (text, bare)


def _groups(text: str) -> list[tuple[int, int]]:
    """Brackets that group: those that no name stands before."""
    opened, found = [], []
    for at, letter in enumerate(text):
        if letter == "(":
            opened.append(at)
        elif letter == ")":
            begin = opened.pop()
            groups = begin == 0 or not (text[begin - 1].isalnum() or text[begin - 1] in "_]=")
            if groups and "," not in text[begin:at]:
                found.append((begin, at))
    return found


def test_broadcast_reads_as_its_shape() -> None:
    for inner in (terms.number(2), terms.name("c"), terms.add(terms.name("c"), terms.number(1))):
        text = show(terms.broadcast(inner, (N, M)))
        assert elaborate(read_expression(text), SCOPE).shape == (N, M), text
    assert show(terms.broadcast(terms.number(1), (N,))) == "ones(N)"
    assert show(terms.broadcast(terms.name("c"), (N,))) == "c * ones(N)"


n, m, d, i = Index("n", N), Index("m", M), Index("d", D), Index("_b1_0_D", D)
j, k = Index("_b1_1_D", D), Index("_b2_0_N", N)
X, Wmd, y, yhat = Entry("X", n, d), Entry("W", m, d), Entry("y", n), Entry("yhat", n)
p = extent_symbol("p")
# fmt: off
ENTRIES = (
    (IndexSum(Entry("X", n, i) * Entry("W", m, i), i) + Entry("b", m),
     "sum[d](X[n,d]*W[m,d]) + b[m]"),
    (2 * yhat - 2 * y, "2*(yhat[n] - y[n])"),
    (yhat / N - y / N, "(yhat[n] - y[n])/N"),
    (-2 * (y - yhat) / N, "2*(yhat[n] - y[n])/N"),
    (IndexSum(Entry("X", n, i) * Entry("X", n, j) * Entry("A", i, j), i, j),
     "sum[d,i](X[n,d]*X[n,i]*A[d,i])"),
    (IndexSum(Entry("d", n) * Entry("X", n, i), i), "sum[i](X[n,i]*d[n])"),
    (1 - Entry("h", m) ** 2, "1 - h[m]**2"),
    (Apply("exp", Entry("Z", n, m)) / IndexSum(Apply("exp", Entry("Z", n, i)), i),
     "exp(Z[n,m])/sum[d](exp(Z[n,d]))"),
    (1 / sqrt(Entry("v")), "1/sqrt(v)"),
    (Entry("a") ** Rational(3, 2), "a**(3/2)"),
    (Entry("a") / (Entry("b") * N), "a/(N*b)"),
    (-Entry("a"), "-a"),
    (-(Entry("a") ** 2), "-a**2"),
    (-Entry("a") - Entry("b"), "-a - b"),
    (Entry("a") * (Entry("b") - 1), "a*(b - 1)"),
    (Entry("a") / 2 + Rational(1, 2), "(a + 1)/2"),
    (Entry("a") * Rational(1, 1000), "0.001*a"),
    (Delta(n, i) * Entry("y", n), "y[n]*eq(n, _b1_0_D)"),
    (Where(Compare(">", y, 0), y, Integer(0)), "where(y[n] > 0, y[n], 0)"),
    (Compare(">", y, 0) * y, "y[n]*(y[n] > 0)"),
    (Entry("X", FloorDiv(n, p), Modulo(n + 1, p)), "X[n//p,(n+1)%p]"),
    (IndexMax(Entry("X", n, i), i), "max[d](X[n,d])"),
    (InRange(n + 1, N), "(0 <= n + 1)*(n + 1 < N)"),
    (Apply("leaky_relu", y, Rational(1, 100)), "leaky_relu(y[n])"),
    (pi * y, "pi*y[n]"),
    (Partial(Entry("L"), X), "d(L)/d(X[n,d])"),
    (IndexSum(IndexSum(Entry("X", k, i), i) * Entry("y", k), k), "sum[i](y[i]*sum[d](X[i,d]))"),
)
# fmt: on


@pytest.mark.parametrize(("e", "text"), ENTRIES, ids=[t for _, t in ENTRIES])
def test_index_notation(e: object, text: str) -> None:
    assert show_entry(e, (n, m)) == text  # type: ignore[arg-type]


def test_equations() -> None:
    term = elaborate(read_expression("X @ W.T"), SCOPE)
    rhs = IndexSum(Entry("X", n, d) * Entry("W", m, d), d)
    equation = Equation("Z", (n, m), rhs, term)
    assert show_equation(equation) == "Z = X @ W.T"
    assert show_index_equation(equation) == "Z[n,m] = sum[d](X[n,d]*W[m,d])"


def test_extents_are_written_close() -> None:
    assert show_extent(N - D + 1) == "N-D+1"
    assert show_extent(FloorDiv(N - D, 2) + 1) == "(N-D)//2+1"


@pytest.mark.parametrize(
    ("value", "text"),
    [((1, 2), "1/2"), ((-3, 1), "-3"), ((44715, 10**6), "0.044715"), ((1, 3), "1/3"),
     ((-1, 1000), "-0.001"), ((1, 777), "1/777"), ((12345, 100), "2469/20")],
)  # fmt: skip
def test_numbers(value: tuple[int, int], text: str) -> None:
    assert show_number(Rational(*value)) == text
