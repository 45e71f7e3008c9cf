"""Sums of products of arrays, contracted factor by factor instead of over all axes at once.

``Σ_{c,u,v} X[n,c,i+u,j+v] w[o,c,u,v]`` has eight axes and few entries in each factor. What the
product would be is not changed: an indicator that is 0 shields what it multiplies, and where
anything is not finite there is no contraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from symbackprop.ir.arithmetic import Array
from symbackprop.ir.expressions import Index

Named = tuple[Array, tuple[Index, ...]]
WORTHWHILE = 1 << 14  # entries of the whole product


def contracted(
    factors: Sequence[Named], guards: Sequence[bool], bound: Sequence[Index]
) -> Named | None:
    """The sum of a product of floating-point arrays over ``bound``; None where it is small, or
    where something in it is not finite. ``guards`` says which factors are indicators.
    """
    extents = {i: n for a, axes in factors for i, n in zip(axes, a.shape, strict=True)}
    if prod(extents.values()) < WORTHWHILE or not extents.keys() >= set(bound):
        return None
    shields = [f for f, guard in zip(factors, guards, strict=True) if guard]
    plain = [_shielded(f, shields) for f, guard in zip(factors, guards, strict=True) if not guard]
    if not all(np.isfinite(a).all() for a, _ in plain):
        return None
    numbers = {i: k for k, i in enumerate(extents)}
    kept = tuple(i for i in extents if i not in bound)
    operands: list[Any] = []
    for array, axes in (*shields, *plain):
        operands += [array, [numbers[i] for i in axes]]
    result: Array = np.einsum(*operands, [numbers[i] for i in kept], optimize="greedy")
    return result, kept


def _shielded(factor: Named, shields: Sequence[Named]) -> Named:
    """A factor with 0 where an indicator with the same axes, or fewer, is 0."""
    array, axes = factor
    for guard, own in shields:
        if set(own) <= set(axes):
            order = sorted(range(len(own)), key=lambda k: axes.index(own[k]))
            turned = np.transpose(guard, order)
            shape = [n if i in own else 1 for i, n in zip(axes, array.shape, strict=True)]
            array = np.where(turned.reshape(shape) == 0, 0.0, array)
    return array, axes
