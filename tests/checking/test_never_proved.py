"""Documents and programs whose mistake a benevolent reading might hide: none of them is proved.

Two errors that cancel, symbols defined so that what is wrong fits, circles, relations that claim no
equality, other derivatives than the gradient, what is struck out or hidden, code that changes
things behind the reader's back.
"""

from __future__ import annotations

import pytest

from symbackprop.checking.judge import verify
from symbackprop.checking.truth import gradients, with_library
from symbackprop.errors import Malformed
from tests.checking.fixtures import cases, written

# fmt: off
MODELS = {
    "lin":   "dims N, D\ndata X[N, D], y[N]\nparam w[D], b\n"
             "z = X @ w + b\nr = z - y\nL = sum(r**2) / N\n",
    "mlp":   "dims N, D, H, K\ndata X[N, D], Y[N, K]\nparam V[D, H], W[H, K]\n"
             "S = tanh(X @ V)\nP = S @ W\nL = sum((P - Y)**2) / N\n",
    "sq":    "dims D\ndata x[D]\nparam W[D, D]\nz = W @ x\nL = sum(z**2)\n",
    "soft":  "dims N, D, K\ndata X[N, D], Y[N, K]\nparam W[D, K]\nassume Y onehot\n"
             "Z = X @ W\nP = softmax(Z, axis=1)\nL = -sum(Y * log(P)) / N\n",
    "form":  "dims D\ndata A[D, D]\nparam x[D]\nL = x @ A @ x\n",
    "cubes": "param w\nL = w**3\n",
    "twice": "dims N, D\ndata X[N, D]\nparam W[D, D]\n"
             "H = tanh(X @ W)\nZ = X @ W + H @ W\nL = sum(Z**2)\n",
    "relu":  "dims N, D\ndata X[N, D]\nparam W[D, D]\nZ = X @ W\nH = relu(Z)\nL = sum(H**2)\n",
}
BEGIN = "def f(X, y, w, b):\n    N = X.shape[0]\n    r = X @ w + b - y\n"
END = "    return 2/N * X.T @ r, 2/N * r.sum()\n"
INSIDE = (  # what stands between the two
    "r = r / N", "g = r\n    g /= N", "s = r.view()\n    s *= 3", "s = r.T\n    s *= 3",
    "s = r.reshape(-1)\n    s[0] = 1", "s = {'r': r}\n    s['r'] *= 3", "for s in (r,): s *= 3",
    "for row in X: row *= 0", "for row, k in zip(X, y): row[0] = k", "exec('r = 2*r')",
    "X = X - X.mean(0)", "X[:, 0] = 1", "r = r[::-1]", "r.sort()", "np.negative(r, r)",
    "np.copyto(r, y)", "np.random.shuffle(r)", "r.flat[0] = 0", "r[r > 10] = 0", "N = len(w)",
    "N = X.size", "N = 64", "if N > 3: r = 2*r", "if N > 3: return r, r",
    "while N > 5: N -= 1", "for x in X: N = N + 1", "for k in range(1, N): return k, k",
    "try: r = r / 0\n    except ValueError: r = 2*r", "yield 1", "N = N // 2 * 2",
    "N += 1e-12", "np.add.at(r, 0, 5)",
    "r = np.round(r, 6)", "r = r.astype(int)", "r = np.clip(r, -9, 9)",
    "def g():\n        nonlocal N\n        N = 1\n    g()", "match N:\n        case 5: r = 2*r",
    "def g(a, k=[]):\n        k.append(1)\n        return len(k) * a\n    g(r)\n    r = g(r)",
)
OUTSIDE = (  # what stands before and after the function
    ("@twice\n", ""), ("@np.vectorize\n", ""), ("", "f = lambda X, y, w, b: (w, b)\n"),
    ("", "if True:\n    def f(X, y, w, b): return w, b\n"),
)
MIDDLE = (  # the whole function, after the import
    "k = 1\nk += 1\n" + BEGIN + "    return 2*k/N * X.T @ r, 2*k/N * r.sum()\n",
    "k = 1\nfor i in range(3): k = 2\n" + BEGIN + "    return 2*k/N * X.T @ r, 2*k/N * r.sum()\n",
    "k = 2\ndef g():\n    global k\n    k = 5\n" + BEGIN
    + "    g()\n    return k/N * X.T @ r, k/N * r.sum()\n",
    "from numpy import mean as sum\n" + BEGIN + "    return 2/N * X.T @ r, 2/N * sum(r)\n",
    "np.sum = np.mean\n" + BEGIN + "    return 2/N * X.T @ r, 2/N * np.sum(r)\n",
    "def sum(a): return a[0]\n" + BEGIN + "    return 2/N * X.T @ r, 2/N * sum(r)\n",
    BEGIN + "    return 2//N * X.T @ r, 2/N * r.sum()\n",
    BEGIN + "    return 2/N * r.sum(), 2/N * X.T @ r\n",
    BEGIN + "    return 2/N * X.T @ r, 2/N * r.sum(), 3\n",
)
STRAIGHT = (  # straight-line code, from dz on
    "dz[0] = 0", "s = dz.reshape(1, -1)\ns *= 2", "for s in [dz]: s *= 2",
    "dw = X.T @ dz\ndw -= 0.1",
    "dz *= 2\ndw = X.T @ (2 * r / N)", "dz *= 2\ndw = X.T @ dz / 2\ndb = dz.sum()",
    "dz *= -1\ndw = -X.T @ dz", "dz = dz + 1\ndw = X.T @ (dz - 1)",
)
# fmt: on
PROGRAMS = [
    *(f"{BEGIN}    {inside}\n{END}" for inside in INSIDE),
    *(f"{before}{BEGIN}{END}{after}" for before, after in OUTSIDE),
    *MIDDLE,
]


def verdict(model: str, text: str, **options: str) -> str:
    program = with_library(written(MODELS[model]))
    try:
        return verify(program, text, adjoints=gradients(program), explain=False, **options).verdict
    except Malformed:
        return "malformed"


@pytest.mark.parametrize("model", MODELS)
def test_no_document_is_proved(model: str) -> None:
    texts = [c.text for c in cases("never-proved") if c.model == model]
    assert texts
    assert not [t for t in texts if verdict(model, t) == "proved"]


def test_no_program_is_proved() -> None:
    call = {"format": "numpy", "call": "f(X, y, w, b)", "returns": "w,b"}
    assert verdict("lin", f"import numpy as np\n{BEGIN}{END}", **call) == "proved"
    judged = {p: verdict("lin", f"import numpy as np\n{p}", **call) for p in PROGRAMS}
    assert not [p for p, v in judged.items() if v == "proved"]


def test_straight_code_claims_what_is_held_in_the_end() -> None:
    begin = "import numpy as np\ndz = 2 * r / N\n"
    judged = {s: verdict("lin", f"{begin}{s}\n", format="numpy") for s in STRAIGHT}
    assert not [s for s, v in judged.items() if v == "proved"]
    for right in (
        "dz = r.copy()\ndz *= 2 / N",
        "dz = 2 * r\ndz /= N",
        "dz *= N\ndw = X.T @ dz / N",
    ):
        assert verdict("lin", f"{begin}{right}\n", format="numpy") == "proved"


def test_what_is_supposed_is_neither_proved_nor_refuted() -> None:
    right, wrong = r"$\nabla_w L = 2 X^\top r$", r"$\nabla_w L = 3 X^\top r$"
    for said in ("Let $N = 1$. {}", "{} where $N = 1$", "For $N = 1$ we get {}"):
        assert verdict("lin", said.format(right)) == "undecided"
        assert verdict("lin", said.format(wrong)) == "refuted"
    assert verdict("lin", r"With $b = 0$, $\nabla_w L = \frac2N X^\top(Xw - y)$") == "undecided"
    assert verdict("lin", r"With $b = 0$, $\nabla_w L = \frac2N X^\top(Xw + y)$") == "refuted"
    assert verdict("lin", r"With $b = 1$, $\nabla_w L = \frac2N X^\top(Xw - y)$") == "refuted"


def test_what_is_right_is_still_proved() -> None:
    code = (
        "import numpy as np\nSCALE = 2\ndef g(a, k=()):\n    return a\n@np.jit\n"
        f"{BEGIN}    vars = {{}}\n    for x, k in zip(X, y):\n        x = 2 * x\n{END}"
        "if __name__ == '__main__':\n    SCALE = 3\n"
    )
    assert verdict("lin", code, format="numpy", call="f(X, y, w, b)", returns="w,b") == "proved"
    for text in (
        r"$\nabla_w L = \frac{2\cancel{N}}{N\cancel{N}} X^\top r$",
        r"$\nabla_w L = \frac2N X^\top (r \cancel{+ y} \cancel{- y})$",
        r"$\nabla_X L = \nabla_z L\left(w^\top\right)$",
    ):
        assert verdict("lin", text) == "proved"
