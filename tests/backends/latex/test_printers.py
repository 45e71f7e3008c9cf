"""Names, terms and entries in LaTeX: text cases, and that nothing of a user reaches TeX raw."""

from __future__ import annotations

import re

import pytest

from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.symbols import Notation, escape_text, spell_name
from symbackprop.backends.latex.terms import RULES, latex_term
from symbackprop.ir import terms as t
from symbackprop.ir.expressions import Delta, Entry, Index, IndexSum, extent_symbol
from symbackprop.ir.vocabulary import VOCABULARY
from tests.backends.latex.cases import INDICES, N, blocks, entry_latex, term_latex

COMMAND = re.compile(r"\\([A-Za-z]+|.)")


@pytest.mark.parametrize(("name", "expected"), blocks("latex-names.txt"))
def test_names(name: str, expected: str) -> None:
    assert spell_name(name) == expected


@pytest.mark.parametrize(("text", "expected"), blocks("latex-terms.txt"))
def test_terms(text: str, expected: str) -> None:
    assert term_latex(text) == expected


@pytest.mark.parametrize(("text", "expected"), blocks("latex-entries.txt"))
def test_entries(text: str, expected: str) -> None:
    assert entry_latex(text) == expected


def test_every_operation_of_the_vocabulary_has_a_rule() -> None:
    assert set(RULES) == set(VOCABULARY)


@pytest.mark.parametrize(
    "text", [r"\write18{id}", r"\input{x}", "a%b", "#1", "$x$", "~^_&", "a{b}c", "名é\x00\n"]
)
def test_text_is_escaped(text: str) -> None:
    safe = escape_text(text)
    assert safe.isascii()
    commands = {m[1] for m in COMMAND.finditer(safe)}
    assert commands <= {"textbackslash", "textasciicircum", "textasciitilde", *"{}$&#%_"}
    assert not re.search(r"(?<!\\)[$&#%_^~]", safe)


@pytest.mark.parametrize("name", ["write18", "input", "x_", "_1", "lambda", "__class__", "e\u0301"])
def test_names_hold_no_command_of_their_own(name: str) -> None:
    commands = {m[1] for m in COMMAND.finditer(spell_name(name))}
    assert commands <= {"mathit", "mathrm", "lambda", "_"}


def test_made_indices_take_letters_that_are_free() -> None:
    n, made = INDICES["n"], Index("_b1_0_n", N)
    assert latex_entry(IndexSum(Entry("X", made, n), made)) == r"\sum_{i=1}^{N} X_{in}"
    used = Notation(names=frozenset({"i"}))
    assert latex_entry(IndexSum(Entry("X", made, n), made), used) == r"\sum_{j=1}^{N} X_{jn}"


def test_indices_that_clash_by_name_are_told_apart() -> None:
    inner = IndexSum(Entry("X", Index("n", extent_symbol("D"))), Index("n", extent_symbol("D")))
    assert latex_entry(Entry("y", INDICES["n"]) * inner) == r"y_{n} \sum_{d=1}^{D} X_{d}"


def test_delta_gives_way_to_a_quantity_of_that_name() -> None:
    e = Delta(INDICES["n"], INDICES["i"]) * Entry("delta", INDICES["n"])
    assert latex_entry(e) == r"\delta_{n} \mathbf{1}[n = i]"


def test_exponential_gives_way_to_a_quantity_called_e() -> None:
    e = t.apply("exp", t.name("e"))
    assert latex_term(e) == r"\exp(e)"


def test_macros_are_used_in_documents() -> None:
    macros = Notation(transpose=r"\sbT", ones=r"\sbones")
    assert latex_term(t.reduce("sum", t.name("y", (N,))), macros) == r"\sbones_{N}^{\sbT} y"
