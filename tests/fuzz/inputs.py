"""Inputs that nobody would write: random bytes, random tokens, and hand derivations with damage.

The n-th input of a seed is always the same, whatever ran before it, so that a finding can be told
by its number alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.checking.numpy_cases import sections
from tests.test_hand_corpus import scorer

CORPUS = Path(__file__).parents[1] / "corpus" / "hand.jsonl"
READERS = ("latex", "text", "numpy")
KINDS = ("bytes", "tokens", "mutated")
MODELS = ("three-layer", "logistic-regression", "softmax-regression", "mlp")
LABELLED = """dims N, D, C
data X[N, D]
index y[N] < C
param W[D, C]
data reg
S = X @ W
L = sum(logsumexp(S, axis=1) - S[arange(N), y])/N + reg*sum(W**2)
"""
LONGEST = 3_000
RARELY = 50_000  # the length that one input of fifty may reach

NAMES = "X Y y W b Z H theta c L yhat N M D n m d i j k x z w a l t p P E J f".split()
TEX = r"""
\frac \dfrac { } { } { } ( ) [ ] \left( \right) \left. \right| ^ _ ^T ^\top ^{-1} ^{(l)} ^{[l]}
_{ij} _i _n \partial \nabla \delta \sigma \hat \bar \tilde \mathbf \mathcal \boldsymbol \mathrm
\text \operatorname \sum \sum_{i=1}^N \prod \int \lim \max \odot \circ * \cdot \otimes \times + - =
= = & & \\ \\ := \approx \Rightarrow \in \mathbb{R} , ; : . ! | \| ' \prime \dot $ $ $$ \[ \] \(
\) \begin{align} \end{align} \begin{cases} \end{cases} \begin{bmatrix} \end{bmatrix} \label \tag
\newcommand \def \foo #1 % \quad \, \; \underbrace \overbrace \color \boxed \sqrt \log \exp \tanh
\diag \mathrm{tr} \lVert \rVert \langle \rangle 1 2 0 1/2 \frac12 3.14 10^{9} 𝟙 \mathbb{1} α é 梯度
dW dZ dX dL \partial_W \frac{\partial L}{\partial W} \nabla_W L
""".split()
TEXT = """
( ) [ ] { } ' .T ^T ^2 ** * @ .* / + - = = = := == ; , : . _ _i _ij ^ | || ∂ ∇ δ σ Σ ∑ ⊙ ∘ · ² ᵀ ₁ √
≤ sum mean exp log tanh sigmoid softmax diag trace norm2 relu max sum_n sum[i] dW dZ dX dy dL dL/dW
dL/dz grad_W grad_Z f' f_prime 1 2 0.5 1e9 1e400 10 transpose dot outer einsum("nd,md->nm" where = #
% $ $$ \\frac \\ " ' ` ~ é 梯度 1/N 1/m 2/N
""".split()
PYTHON = """
def class return for in range ( ) ( ) [ ] { } : : , , . = = += -= *= /= @= == != < > <= >= + - *
/ // ** @ % not and or is if else elif while lambda yield try except with assert pass break
continue del global import from as None True False self cache grads np np.dot np.sum np.zeros
np.zeros_like np.exp np.maximum np.where np.outer np.einsum np.newaxis np.add.at axis=0 axis=1
keepdims=True .T .sum .dot .reshape .shape [0] [:, None] [0] [-1] 0 1 2 -1 0.5 1e-8 9**9 10**9
"W" 'ij,jk->ik' f"W{i}" enumerate zip reversed len sorted dict list tuple backward forward dout
dX dW db dZ := ~ \\ # é
""".split()
WORDS = {"latex": TEX, "text": TEXT, "numpy": PYTHON}


@dataclass(frozen=True)
class Trial:
    """One input and how it is put to the tool."""

    number: int
    reader: str
    kind: str
    model: str  # a name that ships, or a model's text
    text: str
    options: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def trial(seed: int, reader: str, kind: str, number: int) -> Trial:
    """The input of that number."""
    rng = random.Random(f"{seed} {reader} {kind} {number}")
    if kind == "all":
        kind = rng.choice(KINDS)
    return MAKERS[kind](rng, reader, number)


def noise(rng: random.Random, reader: str, number: int) -> Trial:
    """Random bytes, decoded in one of the ways in which files are."""
    raw = rng.randbytes(_length(rng))
    if rng.random() < 0.5:  # mostly what a keyboard has
        raw = bytes(b % 95 + 32 if b % 20 else 10 for b in raw)
    code, errors = rng.choice((("utf-8", "replace"), ("latin-1", "strict"), ("utf-8", "ignore"),
                               ("utf-16-le", "replace"), ("utf-8", "surrogateescape")))  # fmt: skip
    return Trial(number, reader, "bytes", rng.choice((*MODELS, LABELLED)), raw.decode(code, errors))


def tokens(rng: random.Random, reader: str, number: int) -> Trial:
    """Random tokens of the language; for code in lines, indented at random."""
    count = max(1, _length(rng) // 5)
    words = [rng.choice(NAMES if rng.random() < 0.4 else WORDS[reader]) for _ in range(count)]
    depth, parts = 0, []
    for word in words:
        parts.append(word)
        if rng.random() < 0.12:
            depth = max(0, depth + rng.choice((-1, 0, 0, 1)))
            parts.append("\n" + (" " * 4 * depth if reader == "numpy" else ""))
        else:
            parts.append(rng.choice((" ", " ", "")))
    text = "".join(parts)
    if reader == "latex" and rng.random() < 0.6:
        text = f"$${text}$$"
    if reader == "numpy" and rng.random() < 0.6:
        lines = "\n".join("    " + line for line in text.split("\n"))
        text = f"def backward(X, W, dout):\n{lines}\n    return dW\n"
    return Trial(number, reader, "tokens", rng.choice((*MODELS, LABELLED)), text)


def mutated(rng: random.Random, reader: str, number: int) -> Trial:
    """An item of the corpus, cut, doubled, spliced and sprinkled."""
    item = rng.choice(_items(reader))
    text = item["text"]
    for _ in range(rng.choice((1, 1, 2, 3, 5, 10, 30))):
        text = _damaged(text, rng, reader)
    options: dict[str, Any] = {}
    if reader == "numpy" and rng.random() < 0.9:
        options = {"call": item["call"], "returns": item["returns"]}
        if rng.random() < 0.1:
            options["call"] = _damaged(options["call"], rng, reader)
    elif reader != "numpy":
        options["layout"] = rng.choice(("gradient", "jacobian", "auto"))
        symbols = item.get("symbols") or {}
        if rng.random() < 0.1:
            symbols = {
                _damaged(k, rng, reader): _damaged(v, rng, "text") for k, v in symbols.items()
            }
        options["symbols"] = symbols if rng.random() < 0.7 else {}
    model = item.get("model") or scorer().model_text(item)
    return Trial(number, reader, "mutated", model, text, options)


MAKERS: dict[str, Callable[[random.Random, str, int], Trial]] = {
    "bytes": noise,
    "tokens": tokens,
    "mutated": mutated,
}


def _length(rng: random.Random) -> int:
    longest = RARELY if rng.random() < 0.02 else LONGEST
    return int(longest ** rng.random())


@cache
def _items(reader: str) -> list[dict[str, Any]]:
    form = {"text": "ascii"}.get(reader, reader)
    items = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    found = [item for item in items if item["format"] == form]
    if reader == "numpy":  # of recurrent and convolutional code the corpus has little
        found += [
            {"text": s.code, "call": s.call, "returns": s.returns, "model": s.model}
            for s in sections()
        ]
    return found


def _damaged(text: str, rng: random.Random, reader: str) -> str:
    """The text with one random wound."""
    at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    end = min(end, at + rng.choice((1, 2, 5, 20, 200)))
    piece = text[at:end]
    other = rng.choice(_items(reader))["text"]
    start = rng.randrange(len(other))
    return rng.choice((
        lambda: text[:at] + text[end:],
        lambda: text[:at] + piece * rng.choice((2, 2, 3, 40)) + text[end:],
        lambda: text[:at] + rng.choice(WORDS[reader]) + text[end:],
        lambda: text[:at] + " " + rng.choice(WORDS[reader]) + " " + text[at:],
        lambda: text[:at] + rng.choice(NAMES) + text[end:],
        lambda: text[:at] + chr(rng.choice((0, 9, 10, 34, 92, 123, 955, 8722, 65533, 0x1D400)))
        + text[at:],
        lambda: text[:at] + other[start : start + rng.choice((5, 30, 300))] + text[end:],
        lambda: text[end:] + piece + text[:at],
    ))()  # fmt: skip
