"""Whole files: only the mathematics of the body counts, and everything keeps its place."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import Malformed
from symbackprop.notation.segment import statements, unmarked
from symbackprop.notation.surroundings import body, prose

MODEL = """
dims N, D
data X[N, D], t[N]
param w[D]
p = X @ w
J = sum((p - t)**2) / 2
"""
FILE = r"""\documentclass[11pt]{article}
\usepackage{amsmath,graphicx} % \input{x}
\newcommand{\dd}[2]{\frac{\partial #1}{\partial #2}}
\input{preamble}
\title{The gradient $w = 3$}
\begin{document}
\maketitle
\section{The line}
% $p = 2$
\begin{figure}
\includegraphics[width=0.5\textwidth]{net.png}
\caption{The line}
\begin{tikzpicture}\node {$p = 7$};\end{tikzpicture}
\end{figure}
\begin{theorem}\label{t}
\begin{equation} \dd{J}{p} = p - t \end{equation}
\end{theorem}
\begin{itemize}
\item see \url{http://a.org/b%20c} and \verb|$p = 5$|: $\dd{J}{w} = X^\top \dd{J}{p}$
\end{itemize}
\begin{lstlisting}
p = $4
\end{lstlisting}
\bibliography{refs}
\begin{thebibliography}{9}\bibitem{a} $w = 4$\end{thebibliography}
\end{document}
$p = 9$
"""
NOTE = """---
title: w = 3
---
The **gradient** of the line:

**dp = p - t**

- __dw__ = X.T @ `dp`

```python
w = 4
```
"""


def test_a_latex_file() -> None:
    report = sb.verify(sb.parse(MODEL), FILE)
    assert [s.text for s in report.steps] == [
        r"\dd{J}{p} = p - t",
        r"\dd{J}{w} = X^\top \dd{J}{p}",
    ]
    assert report.verdict == "proved"
    assert [s.line for s in report.steps] == [16, 19]


def test_a_wrong_line_of_a_latex_file() -> None:
    report = sb.verify(sb.parse(MODEL), FILE.replace("= p - t", "= t - p"))
    assert (report.verdict, report.steps[0].verdict) == ("refuted", "refuted")


def test_a_file_of_prose_alone_has_no_mathematics() -> None:
    text = "\\documentclass{article}\n\\begin{document}\nWe set p = q.\n\\end{document}\n"
    assert statements(text, "latex", frozenset()) == ()


@pytest.mark.parametrize("command", [r"\write18{ls}", r"\immediate\openout3=x", r"\directlua{x}"])
def test_commands_that_act_are_refused_in_the_body(command: str) -> None:
    with pytest.raises(Malformed):
        sb.verify(sb.parse(MODEL), FILE.replace(r"\maketitle", command))


def test_a_note_in_markdown() -> None:
    report = sb.verify(sb.parse(MODEL), NOTE)
    assert [(s.text, s.line) for s in report.steps] == [
        ("dp = p - t", 6),
        ("dw = X.T @ dp", 8),
    ]
    assert report.verdict == "proved"
    assert set(report.read_as) <= {"dp", "dw"}


@pytest.mark.parametrize("text", [FILE, NOTE, "x**2 + y**2", "a ** b", "", "__a__ = 2**3**2"])
def test_lengths_and_lines_stay(text: str) -> None:
    for made in (body(text), prose(text), unmarked(text)):
        assert len(made) == len(text)
        assert [k for k, c in enumerate(made) if c == "\n"] == [
            k for k, c in enumerate(text) if c == "\n"
        ]


@pytest.mark.parametrize("text", ["x**2 + y**2", "a ** b ** c", "1 - A1**2", "(x)**(y) * z**2"])
def test_powers_are_no_emphasis(text: str) -> None:
    assert unmarked(text) == text
