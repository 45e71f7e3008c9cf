"""Kinks: found in nodes and through definitions; ties of maxima; smooth expressions have none."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr

from symbackprop.algebra.kinks import at_kink, kinks
from symbackprop.ir.evaluate import Point
from symbackprop.ir.expressions import (
    Apply,
    Compare,
    Entry,
    Index,
    IndexMax,
    IndexSum,
    extent_symbol,
)
from tests.small_programs import RULES

n = Index("n", extent_symbol("N"))
v, z = Entry("v", n), Entry("z")
largest = IndexMax(v, n)

# fmt: off
TABLE = (
    (Apply("abs", z),                      (z,)),
    (Apply("relu", z - 1),                 (z - 1,)),
    (Apply("maximum", z, v),               (z - v,)),
    (Compare("<", z, 2),                   (z - 2,)),
    (Compare("==", z, 2),                  ()),
    (largest + IndexSum(v**2, n),          (largest,)),
    (Apply("exp", Apply("sigmoid", z)),    ()),
    (Apply("softlog", z),                  (z - 1,)),
)
# fmt: on


@pytest.mark.parametrize(("e", "expected"), TABLE, ids=[str(e) for e, _ in TABLE])
def test_kinks_of(e: Expr, expected: tuple[Expr, ...]) -> None:
    assert kinks([e], RULES) == expected


@pytest.mark.parametrize("exact", [False, True], ids=["floating", "exact"])
def test_points_on_kinks_and_off(exact: bool) -> None:
    values = {"v": np.array([1.0, 3.0, 3.0]), "z": np.asarray(3.0)}
    point = Point({"N": 3}, values, exact=exact)
    assert at_kink([largest], point)
    assert at_kink([z - v], point)
    assert not at_kink([z - 1, v], point)
    assert not at_kink([IndexMax(-v, n)], point)
