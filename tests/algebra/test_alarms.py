"""Test the tester: each pass of the algebra is spoilt in turn, and some check must notice."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from sympy import Add, Integer, Mul

from symbackprop.algebra import (
    affine,
    arguments,
    candidates,
    cases,
    comparisons,
    context,
    declared,
    domain,
    elementary,
    expand,
    exponents,
    extrema,
    fold,
    inverses,
    knowledge,
    naming,
    normalise,
    products,
    rational,
    recognition,
    reflection,
    settled,
    signs,
    whole_matrices,
)
from symbackprop.ir.expressions import Apply, IndexMax
from tests.algebra.alarms import alarms

Spoil = Callable[[Any], Any]


def always(value: Any) -> Spoil:
    return lambda right: lambda *args, **kw: value


def after(change: Callable[[Any], Any]) -> Spoil:
    """The right result, changed."""
    return lambda right: lambda *args, **kw: change(right(*args, **kw))


def _forget_factor(right: Any) -> Any:
    def spoilt(p: Any, *rest: Any) -> Any:
        if len(p.factors) > 1 and p.bound:
            p.factors = p.factors[1:]
        return right(p, *rest)

    return spoilt


def _forget_extent(right: Any) -> Any:
    def spoilt(p: Any, given: Any) -> Any:
        p.bound = [v for v in p.bound if any(v in f.free_symbols for f in p.factors)]
        return right(p, given)

    return spoilt


def _last_term(e: Any) -> Any:
    return Add(*e.args[:-1]) if isinstance(e, Add) else e


def _first_term(found: Any) -> Any:
    return found[:1] if found else found


def _forget_index(right: Any) -> Any:
    """Two bound indices of one extent become one."""

    def spoilt(factors: Any, bound: Any, given: Any) -> Any:
        for order in right(factors, bound, given):
            same = {v.extent: v for v in order}
            factors[:] = [f.xreplace({v: same[v.extent] for v in order}) for f in factors]
            yield order

    return spoilt


def _swap(pair: Any) -> Any:
    return pair[1], pair[0]


def _unsigned(pair: Any) -> Any:
    return abs(pair[0]), pair[1]


def _any_meeting(a: Any, b: Any, k: Any, given: Any) -> Any:
    outer = [[i for i in getattr(x, "indices", ()) if i != k] for x in (a, b)]
    return iter([(outer[0][0], outer[1][0])] if all(len(o) == 1 for o in outer) else [])


def _one_more(found: Any) -> Any:
    return (found[0], found[1] + 1) if found else found


SPOILT: tuple[tuple[ModuleType, str, str, Spoil], ...] = (
    (reflection, "_reflected", "the opposite of everything", after(lambda e: -e)),
    (naming, "_orders", "indices lose their place", _forget_index),
    (products, "_sum_by_fact", "every entry's sums vanish from products", _forget_factor),
    (products, "_close", "an unused index does not count", _forget_extent),
    (products, "_power_by_fact", "powers grow by one", after(_one_more)),
    (naming, "primitive", "the sign of a sum is lost", after(_unsigned)),
    (products, "known_value", "known values are halved", after(lambda e: e / 2)),
    (naming, "_resigned", "a sign is lost in renaming", after(lambda x: (Integer(1), x[1]))),
    (products, "_covers", "every index covers every other", always(True)),
    (normalise, "_where", "the second branch is taken", lambda right: lambda c, a, b: b),
    (
        normalise,
        "_other_binder",
        "maxima lose their sign",
        after(lambda e: e if not isinstance(e, IndexMax) else -IndexMax(-e.body, *e.bound)),
    ),
    (
        settled,
        "_turned",
        "every matrix is symmetric",
        lambda right: (
            lambda e, given: len(e.indices) == 2 and str(e.indices[1]) < str(e.indices[0])
        ),
    ),
    (affine, "_decided", "indices that differ are equal", always(Integer(1))),
    (inverses, "_meetings", "any two matrices are inverse", lambda right: _any_meeting),
    (
        fold,
        "_remove",
        "what is folded stays",
        lambda right: lambda factors, instance, times: list(factors),
    ),
    (
        knowledge,
        "constant_sums",
        "every sum is the extent",
        after(
            lambda facts: [type(f)(f.name, f.kind, f.axis, Integer(7), f.derived) for f in facts]
        ),
    ),
    (context, "is_nonnegative", "nothing is negative", always(True)),
    (
        expand,
        "_distribute",
        "the last term is lost",
        after(lambda terms: terms[:-1] if terms else terms),
    ),
    (expand, "numerator", "terms are lost", after(_last_term)),
    (candidates, "_merge_sums", "sums are lost", after(_first_term)),
    (
        recognition,
        "_sigmoids",
        "the opposite sigmoid",
        after(
            lambda e: e.replace(
                lambda x: isinstance(x, Apply) and x.name == "sigmoid",
                lambda x: Apply("sigmoid", -x.operands[0]),
            )
        ),
    ),
    (elementary, "step_of", "steps the other way", after(lambda e: 1 - e)),
    (elementary, "_by_values", "values exchanged", after(lambda e: None if e is None else 1 - e)),
    (comparisons, "_distributed", "branches turned", after(lambda e: None if e is None else 1 - e)),
    (comparisons, "_by_label", "labels turned", after(lambda e: None if e is None else 1 - e)),
    (
        elementary,
        "_exponents",
        "differences of exponentials turned",
        after(lambda pair: pair and _swap(pair)),
    ),
    (elementary, "_divides_by_cases", "no branch is guarded", always(False)),
    (signs, "vanishes_by_accident", "every kink is an accident", always(True)),
    (signs, "moves_freely", "discrete data move", always(True)),
    (signs, "is_positive", "all is positive", always(True)),
    (exponents, "_log_of_positive", "logarithms doubled", after(lambda e: 2 * e)),
    (exponents, "draw_out", "what is drawn out is lost", after(lambda pair: (Integer(1), pair[1]))),
    (exponents, "_circle", "sine and cosine exchanged", after(_swap)),
    (
        exponents,
        "reduce_powers",
        "cubes are kept, squares halved",
        after(lambda e: e / 2 if isinstance(e, Mul) else e),
    ),
    (
        extrema,
        "draw_out_of_extrema",
        "a maximum of the opposite",
        after(lambda e: e.replace(lambda x: isinstance(x, IndexMax), lambda x: -x)),
    ),
    (declared, "_relate", "a term too many", after(lambda e: 2 * e)),
    (declared, "_picked", "another array is picked", after(lambda p: p and (p[0], 2 * p[1], p[2]))),
    (cases, "_can_occur", "no case can occur", always(False)),
    (cases, "_multiple", "all is a multiple of 0", always(True)),
    (rational, "_sum_vanishes", "all sums vanish", always(True)),
    (rational, "cancel_shares", "shares are lost", after(_last_term)),
    (
        rational,
        "_split_sum",
        "coefficients are lost",
        after(lambda x: (x[0], x[1], x[2].as_coeff_Mul()[1])),
    ),
    (domain, "known_nonnegative", "everything is ≥ 0", always(lambda e: True)),
    (
        whole_matrices,
        "_of_product",
        "a product inverted in its order",
        after(lambda e: 2 * e if e is not None else e),
    ),
    (
        whole_matrices,
        "_renamed",
        "every matrix is the first",
        lambda right: lambda e, bodies: type(e)(e.args[0], min(bodies), *e.args[2:]),
    ),
    (arguments, "unify_arguments", "all arguments are equal", always(Integer(0))),
)


def spoil(monkeypatch: pytest.MonkeyPatch, room: ModuleType, name: str, change: Spoil) -> None:
    """Put a spoilt function wherever the right one was imported."""
    right = getattr(room, name)
    wrong = change(right)
    for module in list(sys.modules.values()):
        if module.__name__.startswith(("symbackprop.", "tests.")):
            for bound in [k for k, v in vars(module).items() if v is right]:
                monkeypatch.setattr(module, bound, wrong)


def test_nothing_is_wrong_as_it_is() -> None:
    assert next(alarms(), None) is None


@pytest.mark.parametrize(
    ("room", "name", "change"),
    [(room, name, change) for room, name, _, change in SPOILT],
    ids=[f"{name}: {what}" for _, name, what, _ in SPOILT],
)
def test_a_spoilt_pass_is_noticed(
    monkeypatch: pytest.MonkeyPatch, room: ModuleType, name: str, change: Spoil
) -> None:
    spoil(monkeypatch, room, name, change)
    try:
        noticed = next(alarms(), None)
    except (
        AssertionError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        KeyError,
    ) as error:
        noticed = f"it breaks: {error!r}"
    assert noticed is not None
