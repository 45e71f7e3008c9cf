r"""What stands around the mathematics of a whole file and is none: in LaTeX the preamble, listings,
pictures and references; in Markdown front matter and code fences.

Each function takes a text and gives one of the same length, in which that is blank, so that places
stay. Nothing is read here, and no file that a document names is opened.
"""

from __future__ import annotations

import re

BEGIN, END = r"\begin{document}", r"\end{document}"
_SILENT = (
    "tikzpicture pgfpicture verbatim verbatim* Verbatim lstlisting minted comment thebibliography "
    "filecontents filecontents* algorithmic"
).split()
_SILENT_PART = re.compile(
    r"\\begin\{(" + "|".join(map(re.escape, _SILENT)) + r")\}.*?\\end\{\1\}", re.DOTALL
)
_OFF = re.compile(r"\\iffalse(?![A-Za-z]).*?\\fi(?![A-Za-z])", re.DOTALL)
_VERB = re.compile(r"\\(?:verb|lstinline)\*?([^A-Za-z\s*{\[])[^\n]*?\1")
_LINK = re.compile(r"\\(?:url|href|path)\s*\{[^{}\n]*\}")
_ELSEWHERE = re.compile(
    r"\\(?:includegraphics|includesvg|includepdf|input|include|subfile|usepackage|"
    r"lstinputlisting|verbatiminput|inputminted|bibliography|addbibresource)(?![A-Za-z])\*?"
    r"\s*(?:\[[^\]]*\]\s*)?(?:\{[^{}]*\}\s*)?(?:\[[^\]]*\]|\{[^{}]*\})?"
)
_FRONT = re.compile(r"\A\ufeff?(?:---|\+\+\+)[ \t]*\n.*?^(?:---|\+\+\+|\.\.\.)[ \t]*$", re.M | re.S)
_FENCE = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<tag>[\w+#-]*)[^\n`]*\n.*?"
    r"(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_MATHEMATICAL = frozenset(("", "math", "latex", "tex", "text", "txt", "plain", "plaintext"))
_RELATION = re.compile(r"[^\s=]\s*=\s*[^\s=]")


def is_whole(text: str) -> bool:
    """Whether a LaTeX text is a whole document."""
    return BEGIN in text


def body(text: str) -> str:
    r"""A LaTeX document between ``\begin{document}`` and ``\end{document}``, without what is
    shown as it is written, drawn, or fetched from elsewhere; a fragment as it is.
    """
    if not is_whole(text):
        return text
    first = text.find(BEGIN) + len(BEGIN)
    last = text.find(END, first) if END in text[first:] else len(text)
    text = _blanks(text[:first]) + text[first:last] + _blanks(text[last:])
    for pattern in (_SILENT_PART, _OFF, _VERB, _LINK, _ELSEWHERE):
        text = pattern.sub(lambda part: _blanks(part[0]), text)
    return text


def verbatim(text: str) -> str:
    """A LaTeX text without links and words shown as they are written, in which a ``%`` begins no
    comment.
    """
    for pattern in (_VERB, _LINK):
        text = pattern.sub(lambda part: _blanks(part[0]), text)
    return text


def prose(text: str) -> str:
    """A text in Markdown without its front matter, and without code in programming languages where
    something else says that things are equal.
    """
    text = _FRONT.sub(lambda part: _blanks(part[0]), text)
    rest = _FENCE.sub(_silenced, text)
    return rest if _RELATION.search(rest) else text


def _silenced(fence: re.Match[str]) -> str:
    """A fence of code as blanks; one of mathematics or plain text stays."""
    return fence[0] if fence["tag"].lower() in _MATHEMATICAL else _blanks(fence[0])


def _blanks(text: str) -> str:
    """As many blanks, with the ends of lines where they were."""
    return re.sub(r"[^\n]", " ", text)
