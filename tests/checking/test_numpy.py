"""NumPy code: known functions, the same functions mutated and run, and code that makes no sense."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

import symbackprop as sb
from symbackprop.checking.judge import verify
from symbackprop.errors import Malformed
from tests.checking.fixtures import shipped
from tests.checking.numpy_cases import Section, judged, mutants, runs_right, sections

SECTIONS = sections()
MUTANTS = 3
SCRAMBLED = 40


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_known_functions(section: Section) -> None:
    report = judged(section)
    found = [report.verdict]
    if report.verdict == "refuted":
        assert report.first_wrong_step is not None
        step = report.steps[report.first_wrong_step]
        assert step.diagnosis is not None
        assert step.line > 0
        found += [step.of, step.diagnosis.category]
    assert found[: len(section.expected)] == list(section.expected), str(report)


@pytest.mark.parametrize(
    "section", [s for s in SECTIONS if s.expected[0] == "proved"][::3], ids=str
)
def test_a_random_edit_is_judged_by_what_it_computes(section: Section) -> None:
    if not runs_right(section, section.code):
        pytest.skip("it needs a forward pass that the call does not make")
    for code in mutants(section.code, random.Random(str(section)), MUTANTS):
        right = runs_right(section, code)
        verdict = judged(section, code, explain=False).verdict
        assert verdict != ("refuted" if right else "proved"), code


def test_random_text_is_refused_or_judged() -> None:
    rng = random.Random(5)
    section = SECTIONS[0]
    for _ in range(SCRAMBLED):
        text = list(section.code)
        for _ in range(rng.randint(1, 6)):
            text[rng.randrange(len(text))] = rng.choice("()[]{}:,.=+-*/@ \n\x00σ\"'01xW#\\")
        with suppress(Malformed):
            assert judged(section, "".join(text), explain=False).verdict


@pytest.mark.parametrize(
    "line",
    [
        "k = N[np.arange(N), y]",
        "k = np.sum(X.shape[0][1])",
        "k = X[:, :, 0]",
        "k = w.T @ X",
        "a, b, c = X.shape",
        "k = 1 + None",
        "k = y.reshape(N, 2)",
        "k = X.sum(axis=2)",
        "k = {'a': N}['b']",
        "k = [N, N][5]",
        "for i in range(3):\n        k = X @ X",
        "k = helper(N)",
    ],
)
def test_of_code_that_cannot_be_run_nothing_is_proved(line: str) -> None:
    """Not even where the line takes no part in what is returned."""
    model = sb.parse("dims N, D\ndata X[N, D], y[N]\nparam w[D]\nL = sum((X @ w - y)**2)")
    code = (
        f"def helper(n):\n    return n[0]\ndef f(X, y, w):\n    N = X.shape[0]\n    {line}\n"
        "    return 2 * X.T @ (X @ w - y)\n"
    )
    apart = code.replace(line, "k = elsewhere(X)")
    report, other = (
        sb.verify(model, text, format="numpy", call="f(X, y, w)", returns="w")
        for text in (code, apart)
    )
    assert report.verdict == "undecided"
    assert any("cannot be run" in why for why in report.read_as.values())
    assert other.verdict == "proved"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = " + "(" * 300 + "1" + ")" * 300, "nested"),
        ("x = " + "-" * 5000 + "1", "nested"),
        ("def f(:\n", "Python"),
        ("x = 1\0", "Python"),
    ],
)
def test_what_is_no_python_is_refused(code: str, expected: str) -> None:
    with pytest.raises(Malformed) as error:
        verify(shipped("three-layer"), code, format="numpy")
    assert expected in str(error.value)


@pytest.mark.parametrize(
    "code",
    [
        "def f(X):\n    return f(X)\n",
        "def f(X):\n    for k in range(10**9):\n        X = X @ X.T\n    return X\n",
        "def f(X):\n    x = 9**9**9\n    return x\n",
        "def f(X):\n" + "    X = X * X + X\n" * 300 + "    return X\n",
        "def f(X):\n    while True:\n        X = X + 1\n    return X\n",
        "def f(X):\n    import os\n    os.system('true')\n    return X\n",
    ],
    ids=["recursion", "range", "power", "squares", "while", "system"],
)
def test_endless_or_huge_work_is_left_undecided(code: str) -> None:
    report = verify(shipped("three-layer"), code, call="f(X)", returns="X")
    assert report.verdict != "proved"


def test_a_guess_proves_but_never_refutes() -> None:
    model = shipped("three-layer")
    right = "def backward(x, dz):\n    dW = dz.T @ x\n    return dW\n"
    wrong = "def backward(x, dz):\n    dW = 2 * dz.T @ x\n    return dW\n"
    assert verify(model, right, format="numpy", returns="W").verdict == "proved"
    report = verify(model, wrong, format="numpy", returns="W")
    assert report.verdict == "undecided"
    assert "guess" in " ".join(report.read_as.values())


def test_straight_line_code_is_judged_by_its_names() -> None:
    report = verify(
        shipped("three-layer"),
        "import numpy as np\ndyhat = 2 * (yhat - y)\ndtheta = H.T @ dyhat\ndc = dyhat.sum()\n",
    )
    assert report.verdict == "proved"
    assert set(report.claims) == {"yhat", "theta", "c"}


def test_what_is_not_followed_is_named_with_its_line() -> None:
    code = "def backward(X, grad_Z):\n    Q = mystery(X)\n    dW = grad_Z.T @ Q\n    return dW\n"
    report = verify(shipped("three-layer"), code, call="backward(X, grad_Z)", returns="W")
    assert report.verdict == "undecided"
    assert "line 2" in " ".join(report.read_as) + " ".join(report.steps[0].notes)


def test_a_call_or_name_that_does_not_fit_is_an_error() -> None:
    code = "def backward(X):\n    return X\n"
    with pytest.raises(Malformed, match="call"):
        verify(shipped("three-layer"), code, call="forward(X)", returns="X")
    with pytest.raises(Malformed, match="names"):
        verify(shipped("three-layer"), code, call="backward(X)", returns="Q")


def test_branches_that_nobody_knows_are_joined_only_where_that_is_safe() -> None:
    model = "dims N\nparam x[N]\nparam a[N]\nL = sum(where(x > 0, a*x, 2*a*x))"
    start = "def f(x, a):\n    dx = a.copy()\n    for i in range(x.shape[0]):\n"
    turns = (
        ("proved", "dx[i] = a[i] if x[i] > 0 else 2*a[i]"),
        ("proved", "if x[i] <= 0:", " dx[i] += a[i]"),
        ("proved", "if x[i] > 0:", " continue", "dx[i] = 2*a[i]"),
        ("proved", "if x[i] > 0:", " pass", "elif x[i] <= 0:", " dx[i] *= 2"),
        ("proved", "if x[i] <= 0:", " k = 2", "else:", " k = 1", "dx[i] = k*a[i]"),
        ("undecided", "if x[i] <= 0:", " k = 2", "dx[i] = k*a[i]"),
        ("undecided", "if x[i] <= 0:", " b = dx", "else:", " b = a", "b[i] = 2*a[i]"),
        ("undecided", "if x[i] <= 0:", " b = dx", "b[i] = 2*a[i]"),
        ("proved", "if x[i] <= 0:", " b = a[i:i+1]", " dx[i:i+1] += b"),
        ("refuted", "if x[i] > 0:", " dx[i] += a[i]"),
        ("refuted", "if x[i] <= 0:", " continue", "dx[i] = 2*a[i]"),
        ("undecided", "if x[i] > 0:", " break", "dx[i] = 2*a[i]"),
    )
    for expected, *lines in turns:
        code = start + "".join(f"        {line}\n" for line in lines) + "    return dx\n"
        found = sb.verify(sb.parse(model), code, format="numpy", call="f(x, a)", returns="x")
        assert found.verdict == expected, code


def test_labels_have_no_gradient_that_a_local_array_could_be() -> None:
    model = "dims N, C\nindex y[N] < C\nparam S[N, C]\nL = sum(S**2)/2 - sum(S[arange(N), y])"
    code = "def f(S, y):\n    n = S.sum(axis=1) * 0 + 1\n    dS = S + n[:, None]\n    return dS\n"
    found = sb.verify(sb.parse(model), code, format="numpy", call="f(S, y)", returns="S")
    assert found.verdict == "refuted"
    with pytest.raises(Malformed):
        sb.verify(sb.parse(model), code, format="numpy", call="f(S, y)", returns="y")


def test_a_range_of_a_quantity_is_not_followed() -> None:
    """How often such a loop runs is no extent of the model."""
    model = "dims N\ndata m\nparam x[N]\nL = m*sum(x**2)"
    loop = "    for i in range(m):\n        dx += 0*x\n"
    code = f"def f(x, m):\n    dx = 2*m*x\n{loop}    return dx\n"
    found = sb.verify(sb.parse(model), code, format="numpy", call="f(x, m)", returns="x")
    assert found.verdict == "undecided"


def test_what_is_returned_and_no_gradient_is_no_claim() -> None:
    """Whatever else the function returns; nor is how often a loop runs always a length."""
    model = sb.parse("dims N\nparam x[N]\nL = sum(x**2)")
    two = "def f(x):\n    return 2*x, x\n"
    found = sb.verify(model, two, format="numpy", call="f(x)", returns="-")
    assert (found.verdict, dict(found.claims)) == ("undecided", {})
    loop = "for i in range(np.exp(x[0])):\n        dx += 0*x"
    turns = f"def f(x):\n    dx = 2*x\n    {loop}\n    return dx\n"
    assert sb.verify(model, turns, format="numpy", call="f(x)", returns="x").verdict == "undecided"
