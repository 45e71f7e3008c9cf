"""Wrong derivations that nobody had in mind when the edits were written: are the kinds named?"""

from __future__ import annotations

from functools import cache

from symbackprop import pipeline
from symbackprop.checking.report import CATEGORIES, Report
from symbackprop.network.model import Model
from tests.checking.fixtures import Case, cases

# fmt: off
SMALL = {
    "ridge":  "dims N, D\ndata X[N, D], y[N], lam\nparam w[D]\n"
              "L = sum((X @ w - y)**2) + lam * sum(w**2)\n",
    "cubes":  "param w\nL = w**3\n",
    "matvec": "dims M, D\nparam A[M, D], x[D]\ny = A @ x\noutput y\n",
    "twice":  "dims N, D\ndata X[N, D]\nparam W[D, D]\n"
              "H = tanh(X @ W)\nZ = X @ W + H @ W\nL = sum(Z**2)\n",
    "swap":   "param x\nL = x * sigmoid(x)\n",
    "ratio":  "param x\nL = x / (1 + x**2)\n",
    "relus":  "dims N, D\ndata Y[N, D]\nparam X[N, D], W[D, D]\n"
              "Z = X @ W\nH = relu(Z)\nL = sum((H - Y)**2)\n",
    "form":   "dims D\ndata A[D, D]\nparam x[D]\nL = x @ A @ x\n",
    "two": "dims N, D, H, K\ndata X[N, D], Y[N, K]\n"
              "param A[D, H], a[H], B[H, K], c[K]\nassume Y onehot\nU = X @ A + a\n"
              "V = tanh(U)\nS = V @ B + c\nP = softmax(S, axis=1)\n"
              "J = -sum(Y * log(P)) / N\n",
    "gauss": "dims N\ndata x[N]\nparam m, v\nassume v positive\nr = x - m\n"
              "L = sum(r**2) / (2*v) + N * log(v) / 2\n",
    "siam": "dims D, M\ndata x[D], v[D], t\nparam W[M, D]\na = W @ x\nb = W @ v\n"
              "s = a @ b\nL = (s - t)**2\n",
    "bil": "dims D, M\ndata x[D], y[M], t\nparam W[D, M]\ns = x @ W @ y\n"
              "p = sigmoid(s)\nL = -t * log(p) - (1 - t) * log(1 - p)\n",
    "lasso": "dims N, D\ndata X[N, D], y[N], lam\nparam w[D], b\nr = X @ w + b - y\n"
              "L = sum(r**2) / (2*N) + lam * sum(w**2) / 2\n",
    "attn": "dims T, D\ndata Y[T, D]\nparam Q[T, D], K[T, D], V[T, D]\n"
              "S = Q @ K.T / sqrt(D)\nA = softmax(S, axis=1)\nO = A @ V\n"
              "L = sum((O - Y)**2)\n",
    "resid": "dims N, D\ndata X[N, D], Y[N, D]\nparam W[D, D], V[D, D]\nZ = X @ W\n"
              "H = tanh(Z)\nO = X + H @ V\nL = sum((O - Y)**2)\n",
    "ae2": "dims N, D, H\ndata X[N, D]\nparam E[D, H], e[H], F[H, D], f0[D]\n"
              "Z = X @ E + e\nC = relu(Z)\nR = C @ F + f0\n"
              "L = sum((R - X)**2) / (N*D)\n",
    "chain": "param x\ndata k\nu = exp(k * x)\nv = sin(u)\nL = v**2\n",
    "softmaxed": "dims K\ndata y[K], T\nparam z[K]\nassume y onehot\nassume T positive\n"
              "q = softmax(z / T)\nL = -sum(y * log(q))\n",
    "svm": "dims N, D\ndata X[N, D], y[N], C\nparam w[D], b\n"
              "m = 1 - y * (X @ w + b)\nL = sum(w**2)/2 + C * sum(relu(m))\n",
    "pca": "dims N, D, K\ndata X[N, D]\nparam U[D, K]\nC = X @ U\nXr = C @ U.T\n"
              "L = sum((X - Xr)**2) / N\n",
    "unit": "dims D\ndata t[D]\nparam x[D]\nr = sqrt(sum(x**2))\nu = x / r\n"
              "L = sum((u - t)**2)\n",
    "net": "dims N, D, H\ndata X[N, D], y[N]\n"
              "param W[H, D], b[H], V[H, H], c[H], t[H]\nZ1 = X @ W.T + b\n"
              "A1 = relu(Z1)\nZ2 = A1 @ V.T + c\nA2 = tanh(Z2)\nyhat = A2 @ t\n"
              "L = sum((yhat - y)**2) / N\n",
}
# fmt: on


@cache
def model(name: str) -> Model:
    return pipeline.parse(SMALL[name]) if name in SMALL else pipeline.load(name)


def judged(case: Case) -> Report:
    format = "numpy" if case.text.startswith("import") else None
    return pipeline.verify(model(case.model), case.text, format=format)


def test_kinds_are_named() -> None:
    wrong, missed, best = cases("wrong-derivations"), [], 0
    for case in wrong:
        report = judged(case)
        assert report.verdict == "refuted", f"{case}\n{report}"
        assert report.first_wrong_step is not None
        found = report.steps[report.first_wrong_step].diagnosis
        said = found.category if found else ""
        best += said == case.expected[0]
        if said not in case.expected:
            missed.append(f"{said}: {case}")
    assert len(missed) <= 0.1 * len(wrong), "\n".join(missed)
    assert best >= 0.75 * len(wrong), best


def test_every_kind_occurs() -> None:
    assert {c.expected[0] for c in cases("wrong-derivations")} >= set(CATEGORIES) - {"other"}
