"""The verifier reads the notes that the tool writes: every relation of every shipped model's."""

from __future__ import annotations

import pytest

from symbackprop import pipeline
from symbackprop.backends.latex.notes import notes_source
from symbackprop.checking.judge import verify
from symbackprop.checking.report import Report
from symbackprop.pipeline.compilation import program_of
from tests.models.resnet import resnet

# Too dear for every run; smaller models of their kinds are read back below. What was proved of
# their notes by hand: rnn 93 of 93 relations, lstm 162 of 162, resnet18 1606 of 1606, gpt2 3160 of
# 3160.
TOO_LARGE = ("gpt2", "resnet18", "rnn", "lstm")
SHIPPED = [name for name, _ in pipeline.models() if name not in TOO_LARGE]
# How many relations the notes on some models have at least.
LINES = {
    "conv1d": 40, "cnn": 70, "lenet": 100, "three-layer": 40, "three-layer-scalar": 35,
    "softmax-regression": 28, "tanh-neuron": 20,
}  # fmt: skip


def read_back(name: str, **options: object) -> Report:
    model = pipeline.load(name)
    record = pipeline.derive(model, **options).record  # type: ignore[arg-type]
    return verify(program_of(model), notes_source(record, title=name), explain=False)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_relation_is_proved(name: str) -> None:
    report = read_back(name)
    assert [s.text for s in report.steps if s.verdict != "proved"] == []
    assert report.verdict == "proved"
    assert len(report.steps) >= LINES.get(name, 6)
    assert len(report.left_out) == 1  # conventions and chain rule, which are about any network


def test_notes_on_a_language_model_are_proved() -> None:
    model = pipeline.parse(TOKENS)
    tex = notes_source(pipeline.derive(model).record)
    report = verify(program_of(model), tex, explain=False)
    assert [s.text for s in report.steps if s.verdict != "proved"] == []
    assert report.verdict == "proved"
    assert len(report.steps) > 100


def test_derivatives_by_everything_are_read_back() -> None:
    assert read_back("three-layer", wrt="all").verdict == "proved"


def test_a_slip_in_the_notes_is_found() -> None:
    model = pipeline.load("three-layer")
    tex = notes_source(pipeline.derive(model).record)
    wrong = tex.replace(r"H^{\sbT} \nabla_{\hat{y}} L", r"H \nabla_{\hat{y}} L")
    assert wrong != tex
    assert verify(program_of(model), wrong, explain=False).verdict == "refuted"


@pytest.mark.parametrize("name", ["gaussian-mixture", "gradient-penalty"])
def test_a_sum_along_another_axis_is_found(name: str) -> None:
    model = pipeline.load(name)
    tex = notes_source(pipeline.derive(model).record)
    wrong = tex.replace(r"\mathrm{axis}\,1", r"\mathrm{axis}\,0")
    assert wrong != tex
    report = verify(program_of(model), wrong, explain=False)
    assert report.verdict == "refuted"
    # What is defined along the other axis is no slip; each use of it is.
    used = [s for s in report.steps if "mathrm{axis}" in s.text and s.kind != "definition"]
    assert [s.verdict for s in used] == ["refuted"]


# A language model in small, of the kind of gpt2: look-ups, a tied embedding, heads taken apart.
TOKENS = """
dims N, T, V, D, A, E
index t[N, T] < V
index u[N, T] < V
data C[T, T]
param Wte[V, D], Wpe[T, D], Wq[D, A*E], bq[A, E], Wk[D, A*E], Wv[D, A*E], Wo[A*E, D]
assume C causal
X = Wte[t] + Wpe
Q = swap(reshape(X @ Wq, N, T, A, E) + bq, 1, 2)
K = swap(reshape(X @ Wk, N, T, A, E), 1, 2)
U = swap(reshape(X @ Wv, N, T, A, E), 1, 2)
P = softmax(Q @ swap(K, 2, 3) / sqrt(E) + C, axis=3)
O = reshape(swap(P @ U, 1, 2), N, T, A*E)
H = X + O @ Wo
Z = H @ Wte.T
L = cross_entropy(Z, u)
"""
# Back-propagation through time in small: two shared parameters, a sum over steps in the loss.
STEPS = """
dims T, N, M
data X[t in 1..T][N, M]
param U[M, M], v[M]
h[0] = zeros(N, M)
a[t] = h[t-1] @ U.T + X[t] for t in 1..T
h[t] = tanh(a[t])           for t in 1..T
y[t] = h[t] @ v             for t in 1..T
loss[t] = sum(y[t]**2)      for t in 1..T
L = sum[t](loss[t]) / N
"""
# fmt: off
STEP_SLIPS = {
    r"\frac{1}{N} \sum_{t=1}^{T} \mathit{loss}^{(t)}": r"\sum_{t=1}^{T} \mathit{loss}^{(t)}",
    r"= \mathbf{0}_{N \times M} &": r"= \mathbf{0}_{M \times N} &",
    r"h^{(t-1)} \;} \;": r"h^{(t)} \;} \;",
    r"\frac{2}{N} (h^{(t)})^{\sbT} y^{(t)} \;": r"\frac{2}{N} (h^{(t)})^{\sbT} y^{(T)} \;",
    r"y^{(t)}_{n}} h^{(t)}_{nm} &": r"y^{(t)}_{n}} h^{(t)}_{nm} + U_{mm} &",
    r"a^{(t)}_{nj}} h^{(t-1)}_{ni} \delta_{jm}": r"a^{(t)}_{nj}} h^{(t-1)}_{ni} \delta_{ij}",
    r"a^{(t+1)}} L) \, U + (\nabla_{y^{(t)}} L) \, v^{\sbT},":
        r"a^{(t)}} L) \, U + (\nabla_{y^{(t)}} L) \, v^{\sbT},",
    r"(\nabla_{y^{(T)}} L) \, v^{\sbT} \;": r"(\nabla_{y^{(t)}} L) \, v^{\sbT} \;",
}
# fmt: on

# Of the kind of resnet18, in small: a strided convolution, batch norm over images, a downsampling
# shortcut; padded maxima stand alone.
IMAGES = """
dims N, C, H, W, D
data X[N, C, H, W], eps
param K[D, C, 3, 3], g[D], h[D], J[D, C, 1, 1]
assume eps positive
Z = conv2d(X, K, stride=2, padding=1)
m = mean(Z, axis=(0, 2, 3), keepdims=True)
s = sqrt(mean((Z - m)**2, axis=(0, 2, 3), keepdims=True) + eps)
B = (Z - m) / s
S = conv2d(X, J, stride=2)
A = relu(g[:, None, None] * B + h[:, None, None] + S)
F = mean(A, axis=(2, 3))
L = sum(F**2)
"""
MAXIMA = """
dims N, D, H, W
param A[N, D, H, W]
P = maxpool2d(A, 3, stride=2, padding=1)
L = sum(P**3)
"""
# What such notes say, and what a slip makes of a part of it.
FLOOR = r"\lfloor (H + 1) / 2 \rfloor"
PADDED = (
    r"P_{ndij} = \max_{1 \le k \le 3,\, 1 \le l \le 3} \left( \begin{cases} "
    r"A_{n,d,2 i + k - 3,2 j + l - 3} & \text{if } 1 \le 2 i + k - 3 \le H @ "
    r"1 \le 2 j + l - 3 \le W \\ -\infty & \text{otherwise} \end{cases} \right)"
).replace("@", r"\text{ and }")
# fmt: off
IMAGE_LINES = (
    (IMAGES, r"S_{ndij} = \sum_{c=1}^{C} X_{n,c,2 i - 1,2 j - 1} J_{dc11}", "2 i - 1", "i"),
    (IMAGES, r"B_{ndij} = \frac{Z_{ndij} - m_{1d11}}{s_{1d11}}", "{s_{1d11}}", "{m_{1d11}}"),
    (IMAGES, r"m_{1d11} = \frac{1}{N @ \lfloor (W + 1) / 2 \rfloor} \sum_{n=1}^{N} \sum_{p=1}^{@} "
             r"\sum_{q=1}^{\lfloor (W + 1) / 2 \rfloor} Z_{ndpq}".replace("@", FLOOR),
     rf"N {FLOOR}", r"N \lfloor H / 2 \rfloor"),
    (MAXIMA, PADDED, r"-\infty", "0"),
    (MAXIMA, PADDED, "A_{n,d,2 i + k - 3", "A_{n,d,i + k - 2"),
    (MAXIMA, PADDED, r"\text{ and } 1 \le 2 j + l - 3 \le W", ""),
    (MAXIMA, PADDED, r"\text{ and }", r"\text{ or }"),
)
# fmt: on


def test_notes_on_a_small_residual_net_are_proved() -> None:
    """A stem with a padded maximum and one block, of resnet18."""
    model = pipeline.parse(resnet(stages=1, blocks=1))
    tex = notes_source(pipeline.derive(model).record)
    report = verify(program_of(model), tex, explain=False)
    assert [s.text for s in report.steps if s.verdict != "proved"] == []
    assert len(report.steps) > 250


def test_notes_on_strided_convolutions_are_proved() -> None:
    model = pipeline.parse(IMAGES)
    tex = notes_source(pipeline.derive(model).record)
    report = verify(program_of(model), tex, explain=False)
    assert [s.text for s in report.steps if s.verdict != "proved"] == []
    assert len(report.steps) > 70
    assert "X_{:,:,::2,::2}" in tex


def test_lines_on_strided_convolutions_are_proved_and_slips_in_them_are_not() -> None:
    programs = {net: program_of(pipeline.parse(net)) for net in (IMAGES, MAXIMA)}
    for net, line, right, slip in IMAGE_LINES:
        assert right in line
        verdicts = []
        for text in (line, line.replace(right, slip)):
            report = verify(programs[net], f"$${text}$$", format="latex", explain=False)
            (step,) = report.steps
            verdicts.append(step.verdict)
        assert verdicts[0] == "proved", line
        assert verdicts[1] != "proved", (line, slip)


SLIPS = {
    r"\delta_{in} \delta_{jm} \delta_{tl}": r"\delta_{in} \delta_{jm} \delta_{t,l + 1}",
    r"W^{(t)}_{jm} \delta_{in} \delta_{t,l + 1}": r"W^{(t)}_{jm} \delta_{in} \delta_{tl}",
    r"H^{(t-1)}_{ni} \delta_{jm} \delta_{tl}": r"H^{(t)}_{ni} \delta_{jm} \delta_{tl}",
    r"\delta_{im} \delta_{tl}": r"\delta_{im} \delta_{t,l + 7}",
    r"\frac{\partial^{+} L}{\partial H^{(K)}": r"2 \frac{\partial^{+} L}{\partial H^{(K)}",
}


def test_notes_on_a_recurrence_are_proved_and_slips_in_them_are_not() -> None:
    model = pipeline.parse(STEPS)
    tex = notes_source(pipeline.derive(model).record)
    wrong: set[int] = set()
    for right, slip in STEP_SLIPS.items():
        assert tex.count(right) == 1, right
        wrong.add(tex.count("\n", 0, tex.index(right)) + 1)
        tex = tex.replace(right, slip)
    report = verify(program_of(model), tex, explain=False)
    unproved = {s.line for s in report.steps if s.verdict != "proved"}
    assert unproved == wrong
    assert len(report.steps) > 55


def test_slips_in_sums_over_layers_are_no_proofs() -> None:
    model = pipeline.load("deep-net")
    tex = notes_source(pipeline.derive(model).record)
    for right, wrong in SLIPS.items():
        assert tex.count(right) == 1, right
        tex = tex.replace(right, wrong)
    report = verify(program_of(model), tex, explain=False)
    assert len([s for s in report.steps if s.verdict != "proved"]) == len(SLIPS)
