"""A derivation does as much work for many blocks as for two, and no more than it did.

Seconds depend on the machine and on what else runs there; these counts do not. A search that merges
axes of matrices once made ResNet ten times slower, and nothing but the length of a test run told.
"""

from __future__ import annotations

import pytest

import symbackprop as sb
from tests.models.gpt import gpt
from tests.models.resnet import resnet
from tests.models.transformers import transformer
from tests.work import COUNTED, work

KINDS = (
    "normal forms", "products under sums", "forms lifted", "forms believed",
    "networks searched", "merged contractions",
)  # fmt: skip
CHAIN = """
dims  N, D
param X[N, D]
data  C[N, N], B[N, N]
assume C spd
y = trace(inv(X.T @ C @ X) @ (X.T @ B @ X))
output y
"""
# fmt: off
NETS = {                       # blocks of a kind, more of them, and the work that they were
    "gpt":         (gpt(2),                 gpt(3),         (551, 419, 63, 40, 106,  81)),
    "transformer": (transformer(2),         transformer(3), (657, 512, 89, 39, 281, 654)),
    "resnet":      (resnet(1, 2),           resnet(1, 3),   (447, 300, 52, 34,  57,  11)),
    "chain":       (CHAIN,                  None,           ( 48,  43,  6,  6,  14, 200)),
    "lstm":        (sb.load("lstm").source, None,           (386, 316, 70, 29, 118, 192)),
}
MARGIN = 1.25
# fmt: on


@pytest.mark.parametrize("net", sorted(NETS))
def test_more_blocks_are_no_more_work_and_all_is_no_more_than_before(net: str) -> None:
    few, many, before = NETS[net]
    found = work(few)
    assert tuple(COUNTED) == KINDS
    limits = {kind: MARGIN * count for kind, count in zip(KINDS, before, strict=True)}
    assert all(found[kind] <= limits[kind] for kind in KINDS), found
    assert many is None or work(many) == found
