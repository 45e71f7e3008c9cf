"""A room per question, one way through: what each room may import, and no ring in the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symbackprop"

MAY_IMPORT = {
    "errors":   "",
    "ir":       "errors",
    "matrix":   "errors ir",
    "algebra":  "errors ir",
    "notation": "errors ir matrix",
    "library":  "errors ir notation",
    "network":  "errors ir notation library",
    "calculus": "errors ir algebra",
    "checking": "errors ir matrix notation library algebra calculus",
    "backends": "errors ir matrix notation library algebra calculus checking",
    "pipeline": "errors ir matrix notation library network algebra calculus checking backends",
    "cli":      "errors pipeline",
    "__init__": "errors ir network pipeline",
    "__main__": "cli",
}  # fmt: skip

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """The room of a file: the folder below the package, or the file itself at the top."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Every module imported, wherever the import stands: in functions, under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides which room it enters"
            module = node.module or ""
            # `from symbackprop import x` names a room in x.
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant))


def rooms_imported(path: Path) -> set[str]:
    """The rooms of the package that a file imports, its own left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    parts = [name.split(".") for name in imported_modules(tree)]
    return {p[1] for p in parts if p[0] == "symbackprop" and len(p) > 1} - {room_of(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"the room {room} is not in the table"
    # A dunder of the package itself (`from symbackprop import __version__`) enters no room.
    upwards = {r for r in rooms_imported(path) if not r.startswith("__version")}
    upwards -= set(MAY_IMPORT[room].split())
    assert not upwards, f"{room} may not import {', '.join(sorted(upwards))}"


def test_every_room_of_the_table_stands() -> None:
    assert {room_of(path) for path in FILES} == set(MAY_IMPORT)


def test_the_table_has_no_ring() -> None:
    order = {room: lower.split() for room, lower in MAY_IMPORT.items()}
    assert len(list(TopologicalSorter(order).static_order())) == len(order)


def test_hidden_imports_are_seen() -> None:
    source = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from symbackprop.ir.terms import Term
def f():
    import symbackprop.matrix.lower
    importlib.import_module("symbackprop.algebra")
"""
    names = set(imported_modules(ast.parse(source)))
    assert {"symbackprop.ir.terms.Term", "symbackprop.matrix.lower", "symbackprop.algebra"} <= names
