"""A page about a few papers that try to break it, made once."""

from __future__ import annotations

from functools import cache

from symbackprop import pipeline
from symbackprop.pipeline import Paper

HOSTILE = '</code></pre><script>alert("x")</script> & <b>'
TEXTS = {
    "right.tex": r"$\nabla_W L = (\nabla_Z L)^\top X$",
    "wrong.tex": "\\newcommand{\\err}{\\nabla_{\\hat y} L}\n" + "prose\n" * 9
    + "\\begin{align}\n\\err &= 2(\\hat y - y)\\\\\n\\nabla_H L &= \\theta \\err^\\top\n"
    + "\\end{align}\n" + HOSTILE + "\n",
    "open.txt": "grad_W = mystery @ X",
    f"{HOSTILE}.txt": "grad_c = sum(grad_yhat)",
    "code.py": "def backward(X, grad_Z):\n    dW = grad_Z @ X.T  # <i>\n    return dW\n",
}  # fmt: skip


@cache
def papers() -> tuple[Paper, ...]:
    model = pipeline.load("three-layer")
    out = []
    for path, text in TEXTS.items():
        code = {"returns": "W", "format": "numpy"} if path.endswith(".py") else {}
        out.append(Paper(path, text, pipeline.verify(model, text, source=path, **code)))
    return (
        *out,
        Paper("none.tex", problem=f"expected {HOSTILE}"),
        Paper("slow.tex", overtime=True),
    )


@cache
def page() -> str:
    return pipeline.html_page(papers(), pipeline.load("three-layer"))
