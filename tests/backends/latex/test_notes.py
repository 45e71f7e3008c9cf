"""Notes: golden documents, what they must say, the same bytes each time, and hostile names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from symbackprop import pipeline
from symbackprop.backends.latex.display import width
from symbackprop.backends.latex.notes import notes_source
from tests.models.whole import SINGLE

SHIPPED = SINGLE
HOSTILE = """
dims N, lambda_x
data input[N, lambda_x], délta[N]
param write18[lambda_x], x_1, x1, immediate
function forward

hidden__layer = forward(input @ write18 + x_1 * x1)
loss_ = sum((hidden__layer * immediate - délta)**2)
"""


@cache
def source(name: str, fragment: bool = False, **flags: str) -> str:
    derivation = pipeline.derive(pipeline.load(name), **flags)
    return notes_source(derivation.record, title=name, fragment=fragment)


@pytest.mark.parametrize("name", ["three-layer", "softmax-regression", "tanh-neuron"])
def test_golden_documents(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"notes/{name}.tex", source(name))


def test_golden_fragment(golden: Callable[[str, str], None]) -> None:
    golden("notes/relu-neuron-fragment.tex", source("relu-neuron", fragment=True))


@pytest.mark.parametrize("name", SHIPPED)
def test_references_and_labels_agree(name: str) -> None:
    tex = source(name)
    labels = Counter(re.findall(r"\\label\{([^}]*)\}", tex))
    assert [label for label, times in labels.items() if times > 1] == []
    assert set(re.findall(r"\\(?:eq)?ref\{([^}]*)\}", tex)) <= set(labels)


@pytest.mark.parametrize("name", SHIPPED)
def test_documents_are_balanced_and_ascii(name: str) -> None:
    tex = source(name)
    assert tex.isascii()
    begun = Counter(re.findall(r"\\begin\{([^}]*)\}", tex))
    assert begun == Counter(re.findall(r"\\end\{([^}]*)\}", tex))
    assert "<<" not in tex
    assert "<%" not in tex


@pytest.mark.parametrize("name", SHIPPED)
def test_no_line_is_too_long(name: str) -> None:
    for row in re.findall(r"\\quad .*? &.*? (.*?) && ", source(name)):
        assert width(row) <= 90, row


def test_the_notes_say_what_the_handwritten_ones_say() -> None:
    tex = source("three-layer")
    assert r"\theta_{1} \frac{\partial L}{\partial \hat{y}},\ \dots,\ \theta_{M}" in tex
    assert r"\nabla_{\theta} L = H^{\sbT} \nabla_{\hat{y}} L = 2 H^{\sbT} (\hat{y} - y)" in tex
    assert r"\nabla_{c} L = \sbones_{N}^{\sbT} \nabla_{\hat{y}} L" in tex
    assert r"\nabla_{H} L = (\nabla_{\hat{y}} L) \, \theta^{\sbT}" in tex
    assert r"\nabla_{W} L = (\nabla_{Z} L)^{\sbT} X" in tex
    assert r"\partial Z_{ni} / \partial W_{md} = X_{nd} \delta_{im}" in tex
    assert r"W \leftarrow W - \alpha \nabla_{W} L" in tex
    assert r"\label{eq:sb:W:3}" in tex


def test_the_scalar_net_ends_in_forward_quantities() -> None:
    assert r"2 x_{i} \theta_{j} f'(z_{j}) (\hat{y} - y)" in source("three-layer-scalar")


def test_facts_that_were_used_are_named() -> None:
    tex = source("softmax-regression")
    assert "Here it was used that each row of $Y$ is one-hot" in tex


def test_slopes_are_proved_where_functions_occur() -> None:
    tex = source("sigmoid-neuron")
    assert r"\label{eq:sb:sigmoid-slope:3}" in tex
    assert r"\label{eq:sb:sigmoid-tanh:1}" in tex
    assert r"\label{eq:sb:tanh-sigmoid:4}" in source("tanh-neuron")
    assert "By convention its slope at~$0$ is~$0$." in source("relu-neuron")
    assert r"\paragraph{Sigmoid" not in source("three-layer")


def test_a_neuron_is_not_trained() -> None:
    assert r"\section{Training}" not in source("relu-neuron")
    assert r"\section{Training}" in source("logistic-regression")


def test_an_array_is_differentiated_through_any_scalar() -> None:
    assert r"\nabla_{z} \ell" in source("softmax-layer")


@pytest.mark.parametrize(
    ("name", "flags", "says"),
    [
        ("three-layer", {"kind": "jacobian", "of": "yhat", "wrt": "theta"}, r"} = H \;}"),
        ("softmax-layer", {"kind": "jacobian", "of": "h", "wrt": "z"}, r"- h h^{\sbT}"),
        ("linear-neuron", {"kind": "hessian"}, r"\frac{\partial^2 h}{\partial w^2}"),
    ],
)
def test_other_kinds(name: str, flags: dict[str, str], says: str) -> None:
    assert says in source(name, **flags)


def test_same_input_same_bytes() -> None:
    derivation = pipeline.derive(pipeline.load("mlp"))
    again = pipeline.derive(pipeline.load("mlp"))
    assert notes_source(derivation.record, title="mlp") == notes_source(again.record, title="mlp")


def test_a_fragment_names_its_packages_and_has_no_preamble() -> None:
    tex = source("three-layer", fragment=True)
    assert tex.splitlines()[1].startswith("% To be included by \\input; needs the packages")
    assert r"\documentclass" not in tex
    assert r"\begin{document}" not in tex


def hostile() -> str:
    derivation = pipeline.derive(pipeline.parse(HOSTILE))
    return notes_source(derivation.record, title=r"\write18{rm} % $ \input{x} 名")


def test_hostile_names_stay_names() -> None:
    tex = hostile()
    assert tex.isascii()
    assert not re.search(r"\\(write|immediate|input|forward)", tex)
    assert r"\textbackslash{}write18\{rm\}" in tex
    assert r"\mathit{x1}" in tex


def test_templates_are_short_and_only_insert() -> None:
    folder = Path(__file__).parents[3] / "templates"
    for path in [*folder.glob("*.tex.jinja"), *folder.glob("notes/*.jinja")]:
        assert len(path.read_text("utf-8").splitlines()) <= 60, path.name
