"""Wrong or hostile texts: a four-part error and status 2, never a traceback, nothing run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

NET = """\
dims N, D, M
data X[N, D], y[N]
param W[M, D], b[M], theta[M]
Z = X @ W.T + b
yhat = tanh(Z) @ theta
L = sum((yhat - y)**2)
"""

# fmt: off
MODELS = [  # what is wrong, what is replaced in NET, by what, what the message must name
    ("unknown name",       "X @ W.T",        "X @ V.T",            "V"),
    ("used before",        "X @ W.T",        "X @ yhat.T",         "yhat"),
    ("defined by itself",  "X @ W.T",        "Z @ W.T",            "Z"),
    ("wrong shape",        "X @ W.T",        "X @ W",              "W.T"),
    ("dims clash",         "dims N, D, M",   "dims N, D, M, X",    "X"),
    ("doubled equation",   "L = ",           "Z = X @ W.T\nL = ",  "Z"),
    ("unclosed bracket",   "sum((yhat",      "sum(((yhat",         "expected"),
    ("brackets crossed",   "sum((yhat - y)", "sum((yhat - y]",     "]"),
    ("no number",          "**2",            "**",                 "expected"),
    ("deep nest",          "yhat - y",       "(" * 10_000 + "yhat - y" + ")" * 10_000, "200"),
    ("deep minus",         "yhat - y",       "yhat " + "-" * 10_000 + "y",             "200"),
    ("long text",          "dims",           "# " + "x" * 2_000_000 + "\ndims",        "1 MB"),
    ("call of a module",   "tanh(Z)",        "__import__('os')",   "expected"),
    ("unknown function",   "tanh(Z)",        "tahn(Z)",            "tanh"),
    ("lambda as code",     "tanh(Z)",        "(lambda: Z)()",      "expected"),
    ("attribute",          "W.T",            "W.__class__",        "__class__"),
    ("chained comparison", "tanh(Z)",        "(0 < Z < 1)",        "expected"),
    ("reserved prefix",    "yhat = ",        "grad_Z = ",          "grad_"),
    ("zero byte",          "tanh(Z)",        "tanh(Z\0)",          "expected"),
    ("empty",              NET,              "",                   "expected"),
]
# fmt: on


def assert_four_parts(status: int, out: str, err: str) -> None:
    assert status == 2, (status, out, err)
    assert out == ""
    assert err.startswith("expected ")
    assert "\ngot " in err
    assert "Traceback" not in err
    assert len(err) < 4000


@pytest.mark.parametrize(
    ("old", "new", "named"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS]
)
def test_a_wrong_model(run: Callable, old: str, new: str, named: str) -> None:
    assert old in NET
    done = run("derive", "-", stdin=NET.replace(old, new, 1))
    assert_four_parts(done.status, done.out, done.err)
    assert named in done.err


@pytest.mark.parametrize("what", ["unknown name", "wrong shape", "unclosed bracket"])
def test_the_place_is_shown_with_a_caret(run: Callable, what: str) -> None:
    old, new = next((row[1], row[2]) for row in MODELS if row[0] == what)
    done = run("derive", "-", stdin=NET.replace(old, new, 1))
    assert "\nat " in done.err
    assert "^" in done.err


@pytest.mark.parametrize("word", ["lambda", "forward", "backward", "np", "E", "I", "S", "class"])
def test_names_that_mean_something_elsewhere_are_names_here(
    run: Callable, word: str, tmp_path: Path
) -> None:
    net = NET.replace("theta", word)
    done = run("derive", "-", stdin=net)
    assert done.status == 0, done.err
    assert f"grad_{word}" in done.out
    assert run("kernel", "-", "-o", str(tmp_path / "net.py"), stdin=net).status == 0
    compile((tmp_path / "net.py").read_text(), "net.py", "exec")


# fmt: off
DERIVATIONS = [  # a hostile derivation
    ("write18",     "\\write18{touch owned}\n\\nabla_W L = X"),
    ("input",       "\\input{/etc/passwd}"),
    ("import",      "grad_W = __import__('os').system('touch owned')"),
    ("deep nest",   "grad_W = " + "(" * 10_000 + "X" + ")" * 10_000),
    ("deep braces", "\\nabla_W L = " + "{" * 10_000 + "X" + "}" * 10_000),
    ("long text",   "x" * 2_000_000),
    ("not UTF-8",   b"\\nabla_W L = \xff\xfe"),
    ("unclosed",    "grad_W = grad_Z.T @ (X"),
    ("unclosed tex", "\\nabla_W L = \\left( X"),
]
# fmt: on


@pytest.mark.parametrize("text", [row[1] for row in DERIVATIONS], ids=[d[0] for d in DERIVATIONS])
def test_a_hostile_derivation_is_never_proved_and_never_run(
    run: Callable, text: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("verify", "three-layer", "-", stdin=text)
    assert done.status in (2, 3), done.out
    assert "Traceback" not in done.err
    if done.status == 2:
        assert_four_parts(done.status, done.out, done.err)
    assert list(tmp_path.iterdir()) == []


# fmt: off
IDENTITIES = [
    "", "==", "x ==", "x = x", "x == y == z", "__import__('os') == 1", "(" * 10_000 + " == 1",
    "x" * 2_000_000 + " == 1", "eval('1') == 1", "\\write18{ls} == 1",
]
# fmt: on


@pytest.mark.parametrize("text", IDENTITIES, ids=lambda t: t[:20] or "empty")
def test_a_wrong_identity(run: Callable, text: str) -> None:
    done = run("prove", text)
    assert_four_parts(done.status, done.out, done.err)


def test_names_that_do_not_exist_come_with_suggestions(run: Callable) -> None:
    # fmt: off
    cases = [
        (("derive", "tree-layer"),                     "three-layer"),
        (("derive", "three-layer", "--wrt", "thetta"), "theta"),
        (("derive", "three-layer", "--of", "yhta"),    "yhat"),
        (("explain", "sigmoidd"),                      "sigmoid"),
        (("derive", "three-layer.nett"),               "three-layer"),
    ]
    # fmt: on
    for words, near in cases:
        done = run(*words)
        assert_four_parts(done.status, done.out, done.err)
        assert near in done.err


def test_on_an_error_the_old_file_stays(run: Callable, tmp_path: Path) -> None:
    for command, name in (("kernel", "net.py"), ("notes", "net.tex")):
        target = tmp_path / name
        target.write_text("old")
        done = run(command, "-", "-o", str(target), stdin=NET.replace("X @ W.T", "X @ W"))
        assert done.status == 2
        assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


# fmt: off
FAR_OUT = [  # words, standard input, status: numbers beyond every float neither crash nor hang
    (("prove", "x**10000000 == 1"),                     "",                                    1),
    (("prove", "(a + b + c)**2000 == 1"),               "",                                    1),
    (("prove", "10**10**10 == 1"),                      "",                                    2),
    (("prove", "exp(exp(exp(exp(x)))) == 1"),           "",                                    1),
    (("verify", "three-layer", "-"),                    "grad_c = exp(exp(exp(exp(c + 9))))",  3),
    (("derive", "-", "--check"),                        "param x\nL = x**x**x",                0),
    (("derive", "-", "--json"),                         "param x\nL = x**10000000",            0),
]
# fmt: on


@pytest.mark.parametrize(
    ("words", "stdin", "status"), FAR_OUT, ids=[r[0][1] + r[1] for r in FAR_OUT]
)
def test_numbers_far_out_are_bounded(
    run: Callable, words: tuple[str, ...], stdin: str, status: int
) -> None:
    assert run(*words, stdin=stdin).status == status
