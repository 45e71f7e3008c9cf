"""Reading text: the tree as written, its places, its limits, and errors in four parts."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from sympy import Rational

from symbackprop.errors import Malformed, SymbackpropError
from symbackprop.network.model import parse
from symbackprop.notation import syntax as s
from symbackprop.notation import text_reader
from symbackprop.notation.spelling import spell
from symbackprop.notation.text_reader import read_expression, read_model

CASES = (Path(__file__).parents[1] / "cases" / "notation" / "errors.txt").read_text("utf-8")
HEAD = "dims N, D, M\ndata X[N, D], y[N]\nparam W[M, D], b[M], v[N]\nfunction f\n"


def bracketed(tree: s.Tree) -> str:
    """The tree with every operation in brackets."""
    match tree:
        case s.Binary(op=op, left=a, right=b) | s.Comparison(op=op, left=a, right=b):
            return f"({bracketed(a)} {op} {bracketed(b)})"
        case s.Unary(op=op, operand=a):
            return f"({op}{bracketed(a)})"
        case s.Transpose(operand=a):
            return f"{bracketed(a)}.T"
        case s.Subscript(base=a, items=items):
            return f"{bracketed(a)}[{','.join(bracketed(i) for i in items)}]"
        case s.Slice(start=a, stop=b, step=c):
            return ":".join(bracketed(p) if p else "" for p in (a, b, c))
        case s.Call(function=f, arguments=plain, keywords=named):
            return f"{f.text}({','.join(bracketed(a) for a in (*plain, *named))})"
        case s.Keyword(name=name, value=value):
            return f"{name}={bracketed(value)}"
        case s.Group(items=items):
            return f"<{','.join(bracketed(i) for i in items)}>"
        case s.Reduction(word=word, indices=indices, body=body):
            return f"{word}[{','.join(i.text for i in indices)}]({bracketed(body)})"
        case s.Name(text=text) | s.Number(text=text) | s.Literal(text=text):
            return text
        case s.Text(value=value):
            return repr(value)
    raise AssertionError(tree)


# fmt: off
TREES = {
    "-x**2": "(-(x ** 2))", "2**-x": "(2 ** (-x))", "a**b**c": "(a ** (b ** c))",
    "a @ b * c / d": "(((a @ b) * c) / d)", "a - b - c": "((a - b) - c)", "-a * b": "((-a) * b)",
    "a + b * c": "(a + (b * c))", "(a + b) * c": "((a + b) * c)", "a + b < c": "((a + b) < c)",
    "a <= b": "(a <= b)", "a != b - 1": "(a != (b - 1))", "a // b % c": "((a // b) % c)",
    "-a.T[0]": "(-a.T[0])", "f(x).T": "f(x).T", "X[:, None, ..., 1:-1]": "X[::,None,...,1:(-1):]",
    "X[::2]": "X[::2]", "sum(X, axis=(0, 1), keepdims=True)": "sum(X,axis=<0,1>,keepdims=True)",
    "concat([a, b], axis=1)": "concat(<a,b>,axis=1)", "f()": "f()", "f(a,)": "f(a)",
    "sum[c,u](X[n,c,i+u] * K[k])": "sum[c,u]((X[n,c,(i + u)] * K[k]))",
    'einsum("nd,md->nm", X, W)': "einsum('nd,md->nm',X,W)", ".5 + 1e-3": "(.5 + 1e-3)",
    "lambda + e * E * I * N": "(lambda + (((e * E) * I) * N))", "forward @ __import__":
    "(forward @ __import__)", "(a\n + b)": "(a + b)",
    "(a # first\n + b)": "(a + b)", "+a": "(+a)", "--a": "(-(-a))", "a[b](c)": "a[b](c)",
}
STATEMENTS = {
    "dims N = 64, D": "Dims", "data X[N,\n  D], y": "Declaration", "param c": "Declaration",
    "param W[l in 1..K][M, M], b[l in 1..K][M]": "Declaration", "function f, g": "Functions",
    "assume Y onehot": "AssumeKind", "assume sum(Y, axis=1) == 1": "AssumeRelation",
    "assume K <= L": "AssumeRelation", "index t[N] < V": "IndexData", "output L": "Output",
    "Z = X @ W.T": "Equation", "Y[n,k,i] = sum[c](X[n,c,i]*K[k,c]) for i in 0..H-R": "Equation",
    "H[l] = tanh(H[l-1] @ W[l].T + b[l]) for l in 1..K": "Equation", "H[0] = X": "Equation",
}
NAMES = {
    "θ": "theta", "σ": "sigma", "ŷ": "yhat", "y\u0302": "yhat", "x̄": "xbar", "h₁": "h1",
    "Θ": "Theta",
    "λ": "lambda", "dŷ": "dyhat", "é": "é", "e\u0301": "é", "权重": "权重",
    "W_1": "W_1", "α2": "alpha2",
}
# fmt: on


@pytest.mark.parametrize("text", TREES)
def test_precedence(text: str) -> None:
    assert bracketed(read_expression(text)) == TREES[text]


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(text: str) -> None:
    (tree,) = read_model(f"\n# a comment\n{text}   # another\n\n")
    assert type(tree).__name__ == STATEMENTS[text]


def test_ranges_and_families() -> None:
    declaration, equation = read_model("param W[l in 1..K][M, M]\nH[l] = H[l-1] for l in 1..K")
    assert isinstance(declaration, s.Declaration)
    assert isinstance(equation, s.Equation)
    family = declaration.items[0].family
    assert family is not None
    assert (family.index.text, len(declaration.items[0].shape)) == ("l", 2)
    assert equation.ranges[0].index.text == "l"


@pytest.mark.parametrize("text", NAMES)
def test_names_are_spelled_in_ascii(text: str) -> None:
    assert spell(text) == NAMES[text]
    tree = read_expression(text)
    assert tree == s.Name(tree.span, NAMES[text])


def test_numbers_are_exact() -> None:
    tree = read_expression("0.1")
    assert isinstance(tree, s.Number)
    assert tree.value == Rational(1, 10)
    assert tree.text == "0.1"


def test_every_node_knows_its_place() -> None:
    text = "Z = (X @ W.T)[0] + f(b)\nL = sum[n](Z[n])"
    _, second = read_model(text)
    assert isinstance(second, s.Equation)
    stack: list[tuple[s.Tree, s.Tree]] = [(t, t) for t in read_model(text)]
    while stack:
        parent, tree = stack.pop()
        assert parent.span.start <= tree.span.start < tree.span.end <= parent.span.end
        stack.extend((tree, c) for c in s.children(tree))
    assert second.span.line == 2
    assert text[second.value.span.start : second.value.span.end] == "sum[n](Z[n])"


@pytest.mark.parametrize("block", CASES.strip().split("\n\n"), ids=lambda b: b.split("\n")[0][2:])
def test_errors(block: str) -> None:
    """Title, then what stands below the declarations of ``HEAD``, then the message."""
    given, _, expected = block.partition("\n=>\n")
    text = given.partition("\n")[2]
    with pytest.raises(SymbackpropError) as caught:
        parse(HEAD + ("" if text == "# nothing" else text), "net")
    kind, _, message = expected.partition("\n")
    assert (type(caught.value).__name__, str(caught.value)) == (kind, message)
    assert caught.value.hint
    assert caught.value.span is not None
    assert caught.value.exit_status == 2


DEEP = {
    "brackets": "(" * 10_000 + "x" + ")" * 10_000,
    "unclosed": "[" * 10_000,
    "signs": "-" * 10_000 + "x",
    "powers": "**".join("x" * 10_000),
    "sums": "+".join("x" * 10_000),
    "calls": "f(" * 201 + "x" + ")" * 201,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="200 levels"):
        read_expression(text)


def test_what_is_not_too_deep_is_read() -> None:
    model = "data x\nL = " + "tanh(" * 195 + "x" + ")" * 195
    assert parse(model).output == "L"


@pytest.mark.parametrize("letter", ["x", "\n", "é", "#", "("])
def test_long_texts_are_refused_before_they_are_looked_at(
    letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_reader, "_parser", None)
    monkeypatch.setattr(text_reader, "_PIECES", None)
    with pytest.raises(Malformed, match="1 MB"):
        read_model(letter * 2_000_000)


def test_a_text_just_short_enough_is_read() -> None:
    assert read_model("# " + "x" * 999_000 + "\nL = 1") == read_model("L = 1")


@pytest.mark.parametrize("text", ["", "   ", "# nothing"])
def test_an_empty_expression_is_an_error(text: str) -> None:
    with pytest.raises(Malformed, match="an expression"):
        read_expression(text)


def test_any_bytes_give_an_expression_or_an_error() -> None:
    pieces = re.findall(
        r"\S+|\s", "Z = f ( X @ W . T ) [ 0 , : ] ** - 2 .. 1..N for in \\ ' \" # é ² $ \0"
    )
    for k in range(len(pieces)):
        for step in (1, 3, 7, 11):
            text = " ".join(pieces[k::step] + pieces[:k:step])
            for read in (read_expression, read_model):
                with contextlib.suppress(SymbackpropError):
                    read(text)


def test_the_parser_is_built_once() -> None:
    assert text_reader._parser() is text_reader._parser()
