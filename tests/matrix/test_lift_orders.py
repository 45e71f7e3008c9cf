"""Written orders: sums and products are lifted in the order of the forward equations."""

from __future__ import annotations

import pytest

from symbackprop.ir.expressions import Entry
from symbackprop.matrix.lift_orders import learn
from tests.matrix.relifted import relifted
from tests.small_programs import program

# fmt: off
WRITTEN = (
    ("r = a - b",        "-b + a",           "a - b"),
    ("r = b - a",        "a - b",            "a - b"),
    ("r = a - b",        "2 * (b - a) * c",  "2 * (b - a) * c"),
    ("r = c + b + a",    "a + b + c",        "c + b + a"),
    ("r = c * b * a",    "a * b * c",        "c * b * a"),
    ("r = b + W @ c",    "W @ c + b",        "b + W @ c"),
)
# fmt: on


@pytest.mark.parametrize(("forward", "formula", "expected"), WRITTEN)
def test_the_forward_order_is_kept(forward: str, formula: str, expected: str) -> None:
    assert relifted("data a[N], b[N], c[N], W[N,N]", forward, formula) == expected


def test_sums_with_the_same_names_twice_are_not_learnt() -> None:
    given = program("data A[N,N]", "B = A + A.T")
    orders = learn(e.term for e in given.equations)
    assert orders.of_sum([Entry("A"), Entry("A")]) is None
