"""Reading formulas as written: the tree, printing it back, places, refusals instead of crashes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from symbackprop.errors import Malformed, NotSupported
from symbackprop.notation.latex_tokens import lex_latex
from symbackprop.notation.segment import Statement, detect_format, statements
from symbackprop.notation.text_tokens import lex_text
from symbackprop.notation.written import Node, bare, children, same_text, walk
from symbackprop.notation.written_printer import write
from symbackprop.notation.written_reader import read_formula

FOLDER = Path(__file__).parents[1] / "cases"


def latex(text: str) -> Node:
    return read_formula(lex_latex(text), text)


def text(source: str, *declared: str) -> Node:
    return read_formula(lex_text(source, frozenset(declared)), source)


def sketch(node: Node) -> str:
    """The tree in brackets: kinds and what the leaves say."""
    below = " ".join(sketch(c) for c in children(node))
    said = getattr(node, "text", "") or getattr(node, "op", "") or getattr(node, "sign", "")
    return f"({type(node).__name__} {said} {below})".replace("  ", " ").replace(" )", ")")


BLOCKS = (FOLDER / "notation" / "written.txt").read_text("utf-8").strip().split("\n\n")


@pytest.mark.parametrize("block", [b for b in BLOCKS if "=>" in b], ids=lambda b: b.split("\n")[0])
def test_trees(block: str) -> None:
    given, _, expected = block.partition("\n=>\n")
    kind, _, source = given.partition(": ")
    node = latex(source) if kind == "latex" else text(source, "X", "W", "dY", "H")
    assert sketch(node) == " ".join(expected.split())


def formulas() -> list[str]:
    """Every formula of the fixtures of the verifier."""
    lines = (FOLDER / "checking" / "notes-lines.txt").read_text("utf-8").splitlines()
    lines += (FOLDER / "checking" / "notes-mutations.txt").read_text("utf-8").splitlines()
    parts = [line.rpartition("=>")[0].partition(":")[2] for line in lines]
    return [p.strip() for p, line in zip(parts, lines, strict=True) if line and line[0] != "#"]


@pytest.mark.parametrize("source", formulas())
def test_printing_inverts_reading(source: str) -> None:
    tree = latex(source)
    printed = write(bare(tree), "", latex=True)
    assert same_text(latex(printed), tree), printed
    assert write(tree, source, latex=True) == source


@pytest.mark.parametrize("source", formulas()[:60])
def test_every_node_stands_where_its_place_says(source: str) -> None:
    tree = latex(source)
    for node in walk(tree):
        assert 0 <= node.start < node.end <= len(source)
        for child in children(node):
            assert node.start <= child.start
            assert child.end <= node.end


def read(document: str, **options: str) -> tuple[Statement, ...]:
    form = options.get("format") or detect_format(document)
    return statements(document, form, frozenset({"X", "W"}))


def test_mathematics_is_found_in_prose() -> None:
    document = (
        "Let $a = b$, so\n\\[ c = d \\]\n"
        "\\begin{align} e &= f \\\\ &= g \\end{align} 故 \\(h = i\\)。"
    )
    found = read(document)
    assert [s.text for s in found] == ["a = b", "c = d", "e &= f \\\\ &= g", "h = i"]
    assert [document[s.start : s.end] for s in found] == [s.text for s in found]


def test_formulas_split_outside_brackets_only() -> None:
    found = read(
        r"a = f(b, c), \quad d = e;\; g = h \text{ and } i = j \Rightarrow k = l", format="latex"
    )
    assert [s.text for s in found] == ["a = f(b, c)", "d = e", "g = h", "i = j", "k = l"]


def test_macros_are_expanded() -> None:
    (found,) = read(r"\newcommand{\g}[2]{\frac{\partial #1}{\partial #2}} $\g{L}{W} = 0$")
    assert found.tree is not None
    assert same_text(found.tree, latex(r"\frac{\partial L}{\partial W} = 0"))


def test_lines_of_plain_text() -> None:
    found = read("dX = dY W'\ndW = X' dY; db = sum(dY,\n  axis=0)\n# a remark")
    assert [s.text for s in found] == ["dX = dY W'", "dW = X' dY", "db = sum(dY,\n  axis=0)"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [("(a + b", "closing )"), (r"\frac{a}", "a name"), ("a + ", "a name"), ("a)", "an operator")],
)
def test_refusals_say_what_was_expected(source: str, expected: str) -> None:
    with pytest.raises(Malformed) as caught:
        latex(source)
    assert expected in caught.value.expected
    assert caught.value.span is not None


def test_code_is_recognised() -> None:
    assert detect_format("import numpy as np\ndef f(x):\n    return x") == "numpy"
    with pytest.raises(NotSupported):
        read("def f(x):\n    return x")


PIECES = [
    "\\frac", "{", "}", "(", ")", "^", "_", "\\hat", "\\partial", "\\nabla", "L", "W", "x", "1",
    "2.5", "+", "-", "=", "\\sum", "&", "\\\\", "\\top", "'", "|", "\\|", "\\left", "\\right", ".",
    ",", "\\begin{align}", "\\end{align}", "\\begin{bmatrix}", "\\mathbf", "\\text{if}", "$", "\\(",
    "\\)", "\\tanh", "\\odot", "\\newcommand{\\a}{b}", "\\a", "%", "\\in", "\\dots", "ŷ", "其",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_random_tokens_are_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    document = " ".join(rng.choices(PIECES, k=60))
    for form in ("latex", "text"):
        try:
            found = read(document, format=form)
        except Malformed as refusal:
            found = ()
            str(refusal)
        for statement in found:
            assert statement.tree is None or list(walk(statement.tree))
