"""Reverse mode: cost linear in equations, blocks derived once, and the answer the same either
way.
"""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.algebra import knowledge
from symbackprop.algebra.knowledge import working_context
from symbackprop.calculus import reverse as reverse_module
from symbackprop.calculus.reverse import reverse
from symbackprop.ir.derivation import Step
from symbackprop.network.model import parse
from symbackprop.pipeline.compilation import derive, program_of


def tanh_net(layers: int) -> str:
    lines = ["dims N, M", "data X[N, M], Y[N, M]"]
    lines += [f"param W{k}[M, M], b{k}[M]" for k in range(1, layers + 1)]
    before = "X"
    for k in range(1, layers + 1):
        lines += [f"Z{k} = {before} @ W{k}.T + b{k}", f"H{k} = tanh(Z{k})"]
        before = f"H{k}"
    return "\n".join([*lines, f"L = sum(({before} - Y)**2)"]) + "\n"


def test_every_adjoint_stands_after_those_it_uses() -> None:
    program = program_of(parse(tanh_net(3)))
    seen: set[str] = set()
    for adjoint in reverse(program, "L", list(program.params)):
        assert set(adjoint.consumers) <= seen | {"L"}
        seen.add(adjoint.of)


def test_equal_layers_are_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = reverse_module._adjoint
    monkeypatch.setattr(reverse_module, "_adjoint", lambda *a: calls.append(a[1]) or original(*a))
    program = program_of(parse(tanh_net(40)))
    reverse(program, "L", list(program.params))
    assert len(calls) < 12, calls


def normed_net(blocks: int) -> str:
    lines, before = ["dims N, M", "data X[N, M], Y[N, M]"], "X"
    lines.append(f"param {', '.join(f'W{k}[M, M]' for k in range(1, blocks + 1))}")
    for k in range(1, blocks + 1):
        lines += [f"Z{k} = {before} @ W{k}.T", f"m{k} = mean(Z{k}, axis=0)"]
        lines += [f"C{k} = Z{k} - m{k}", f"P{k} = softmax(C{k})"]
        before = f"P{k}"
    return "\n".join([*lines, f"L = sum(({before} - Y)**2)"]) + "\n"


def test_equal_layers_are_summed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = knowledge.constant_sums
    monkeypatch.setattr(
        knowledge, "constant_sums", lambda *a: calls.append(a[0].name) or original(*a)
    )
    context = working_context(program_of(parse(normed_net(20))))
    assert len(calls) < 20, calls
    assert all(context.sums_of(f"C{k}") == ((0, 0),) for k in range(1, 21))
    assert all(context.sums_of(f"P{k}") == ((1, 1),) for k in range(1, 21))


def test_what_is_carried_over_is_what_would_be_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    model = parse(tanh_net(4))
    carried = {d.name: d.text for d in derive(model).derivatives}
    steps = {d.name: d.steps for d in derive(model).derivatives}
    monkeypatch.setattr(
        reverse_module,
        "_like_one_before",
        lambda names, name, consumers, values, context, met: reverse_module._adjoint(
            names, name, consumers, values, context
        ),
    )
    derived = derive(model)
    assert carried == {d.name: d.text for d in derived.derivatives}
    for d in derived.derivatives:
        assert [s.because for s in d.steps] == [s.because for s in steps[d.name]]
        assert all(isinstance(s, Step) for s in d.steps)


def test_layers_with_other_facts_are_not_taken_for_equal() -> None:
    text = """dims N, M
data X[N, M], S[N, M]
assume S sign
param T[N, M]
A = X * T
B = sum(A * S * S)
C = sum(X * T * X * X)
L = B + C
"""
    derivation = derive(parse(text), wrt=["T"])
    assert derivation["T"].checked.passed


def test_facts_used_are_told() -> None:
    program = program_of(
        parse("dims N, K\nparam Z[N, K]\ndata Y[N, K]\nassume Y onehot\nL = sum(Y * Z)\n")
    )
    context = working_context(program)
    assert context.knows("Y", "binary")
    assert [str(f) for f in context.used] == ["Y onehot"]


def test_a_use_in_two_places_adds_up() -> None:
    derivation = derive(parse("dims N\nparam x[N]\na = sin(x)\nb = x * a\nL = sum(b)\n"))
    assert derivation["x"].checked.passed
    assert np.isfinite(derivation["x"].checked.max_error)
