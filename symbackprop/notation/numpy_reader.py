r"""Python source as a syntax tree that is only read: functions, methods and the straight-line code
around them.

Takes the text of a file that computes gradients with NumPy; gives a :class:`Source`, from which
:mod:`symbackprop.checking.execution` follows a call. Nothing is ever compiled or run. Refuses, with
the place, text that is no Python, that is longer than 1 MB or nested deeper than 200 levels.

>>> read_source("def double(x):\n    return 2 * x").functions["double"].name
'double'
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.errors import Malformed, Span
from symbackprop.notation.tokens import MOST_TEXT

MOST_DEEP = 200


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its functions by name, its classes with their methods, and what stands outside."""

    text: str
    name: str
    functions: Mapping[str, ast.FunctionDef]
    classes: Mapping[str, Mapping[str, ast.FunctionDef]]
    body: tuple[ast.stmt, ...]

    def span(self, node: ast.AST) -> Span:
        """Where a node stands."""
        start, end = extent(node, self.text)
        return Span(self.name, self.text, start, end)

    def written(self, node: ast.AST) -> str:
        """A node as the writer wrote it."""
        start, end = extent(node, self.text)
        return self.text[start:end]


def read_source(text: str, source: str = "<derivation>") -> Source:
    """The functions, classes and statements of a Python file.

    Raises
    ------
    Malformed
        If the text is no Python, too long or too deep.
    """
    if len(text) > MOST_TEXT:
        raise Malformed(
            "code of at most 1 MB",
            f"{len(text):,} characters",
            Span(source, text[:200], 0, 1),
            "verify it in parts",
        )
    tree = _parsed(text, source)
    if not isinstance(tree, ast.Module):
        raise Malformed("a Python file", "an expression", Span(source, text, 0, 1))
    _refuse_depth(tree, text, source)
    functions: dict[str, ast.FunctionDef] = {}
    classes: dict[str, dict[str, ast.FunctionDef]] = {}
    body: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            functions[statement.name] = statement
        elif isinstance(statement, ast.ClassDef):
            classes[statement.name] = {
                s.name: s for s in statement.body if isinstance(s, ast.FunctionDef)
            }
        else:
            body.append(statement)
    return Source(text, source, functions, classes, tuple(body))


def read_call(text: str, source: str = "<call>") -> ast.expr:
    """One Python expression, such as the call of a function.

    Raises
    ------
    Malformed
        If the text is no Python expression.
    """
    tree = _parsed(text.strip(), source, "eval")
    if not isinstance(tree, ast.Expression):
        raise Malformed("an expression", text[:100], Span(source, text, 0, 1))
    _refuse_depth(tree, text, source)
    return tree.body


def extent(node: ast.AST, text: str) -> tuple[int, int]:
    """Start and end of a node in characters; a node that was made, not written, has none."""
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    last, stop = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    if line is None or column is None or last is None or stop is None:
        return 0, 0
    return _offset(text, line, column), _offset(text, last, stop)


def _offset(text: str, line: int, column: int) -> int:
    """A place given by line and column of UTF-8 bytes, as ``ast`` counts, in characters."""
    lines = text.split("\n")
    if line > len(lines):
        return len(text)
    before = sum(len(each) + 1 for each in lines[: line - 1])
    inside = lines[line - 1].encode("utf-8", "replace")[:column].decode("utf-8", "replace")
    return min(before + len(inside), len(text))


def _parsed(text: str, source: str, mode: str = "exec") -> ast.AST:
    try:
        with warnings.catch_warnings():
            # What Python thinks of an odd escape is the writer's business.
            warnings.simplefilter("ignore")
            return ast.parse(text, mode=mode)
    except SyntaxError as error:
        at = _offset(text, error.lineno or 1, 0) + max(0, (error.offset or 1) - 1)
        span = Span(source, text, min(at, max(0, len(text) - 1)), at + 1)
        raise Malformed("Python code", str(error.msg), span) from None
    except (ValueError, UnicodeError) as error:
        raise Malformed("Python code", str(error), Span(source, text[:200], 0, 1)) from None
    except (RecursionError, MemoryError):
        raise Malformed(
            f"code nested at most {MOST_DEEP} levels",
            "deeper nesting",
            Span(source, text[:200], 0, 1),
            "name the inner parts",
        ) from None


def _refuse_depth(tree: ast.AST, text: str, source: str) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(MOST_DEEP + 2):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise Malformed(
        f"code nested at most {MOST_DEEP} levels",
        "deeper nesting",
        Span(source, text, *extent(level[0], text)),
        "name the inner parts",
    )
