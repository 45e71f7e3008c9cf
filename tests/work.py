"""How much work a derivation is, by counts of what it calls: the same on every machine.

Counted are steps that remember nothing beyond one derivation, so that a count does not depend on
what was derived before.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import wraps
from typing import Any
from unittest.mock import patch

import symbackprop as sb
from symbackprop.algebra import normalise, products
from symbackprop.matrix import lift, lift_contractions, lift_networks
from symbackprop.pipeline import presentation

COUNTED: dict[str, Callable[..., Any]] = {
    "normal forms": normalise._normalise,
    "products under sums": products.collapse,
    "forms lifted": lift.Lifter.lift,
    "forms believed": presentation.FormMaker.says_the_same,
    "networks searched": lift_networks.Network.solve,
    "merged contractions": lift_contractions._product,
}
CLASSES = (lift.Lifter, presentation.FormMaker, lift_networks.Network)


def work(source: str, **kw: Any) -> dict[str, int]:
    """What was called how often while the model was derived, closed forms apart."""
    model = sb.parse(source)
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        for name, function in COUNTED.items():
            counted = _counted(function, name, counts)
            for place, attribute in tuple(_places(function)):
                stack.enter_context(patch.object(place, attribute, counted))
        sb.derive(model, **kw)
    return {name: counts[name] for name in COUNTED}


def _counted(f: Callable[..., Any], name: str, counts: Counter[str]) -> Callable[..., Any]:
    @wraps(f)
    def call(*args: Any, **kw: Any) -> Any:
        counts[name] += 1
        return f(*args, **kw)

    return call


def _places(function: Callable[..., Any]) -> Iterator[tuple[Any, str]]:
    """Where a function goes by a name: modules that import it, or its class."""
    modules = [m for n, m in sys.modules.items() if n.startswith("symbackprop.")]
    for place in (*modules, *CLASSES):
        for attribute, value in vars(place).items():
            if value is function:
                yield place, attribute
