"""Where a statement of NumPy code can be edited, and the small trees that edits are made of."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.checking.execution import Frame, loose
from symbackprop.checking.execution_values import Array
from symbackprop.ir.terms import Shape, same_shape


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` replaced by ``new`` in a statement; ``said`` quotes them as ``{old}`` and
    ``{new}``.
    """

    category: str
    old: ast.expr
    new: ast.expr
    cost: float
    said: str


@dataclass(frozen=True, slots=True)
class Place:
    """An expression inside a statement: how deep, what holds it, and the arrays in sight."""

    node: ast.expr
    depth: int
    parents: tuple[ast.AST, ...]
    arrays: Mapping[str, Array]
    wanted: Shape
    dims: tuple[str, ...]
    softmaxes: frozenset[str] = frozenset()

    def like(self, name: str) -> list[str]:
        """The names of other arrays of the same shape."""
        here = self.arrays.get(name)
        if here is None:
            return []
        return [n for n, a in self.arrays.items() if n != name and same_shape(a.shape, here.shape)]

    def shaped(self, shape: Shape) -> list[str]:
        """The names of arrays of this shape."""
        return [n for n, a in self.arrays.items() if same_shape(a.shape, shape)]

    @property
    def scalars(self) -> list[str]:
        return [n for n, a in self.arrays.items() if not a.axes]


def arrays_in_frame(frame: Frame) -> dict[str, Array]:
    """The arrays that local names hold."""
    found = ((n, loose(v)) for n, v in frame.items())
    return {n: v for n, v in found if isinstance(v, Array) and not v.boolean}


def places(
    root: ast.expr, arrays: Mapping[str, Array], wanted: Shape, dims: tuple[str, ...],
    softmaxes: frozenset[str],
) -> Iterator[Place]:  # fmt: skip
    """The expressions of a tree at which edits are made, the whole first."""
    pending: list[tuple[ast.expr, int, tuple[ast.AST, ...]]] = [(root, 0, ())]
    while pending:
        node, depth, parents = pending.pop(0)
        yield Place(node, depth, parents, arrays, wanted, dims, softmaxes)
        for child in below(node):
            pending.append((child, depth + 1, (node, *parents)))


def below(node: ast.expr) -> list[ast.expr]:
    """The operands of an expression; not the function that is called, nor an axis."""
    if isinstance(node, ast.Call):
        own = [node.func.value] if isinstance(node.func, ast.Attribute) and is_array(node) else []
        return own + list(node.args)
    if isinstance(node, ast.Attribute):
        return [node.value] if node.attr == "T" else []
    if isinstance(node, ast.Subscript):
        return [node.value, node.slice] if not isinstance(node.slice, ast.Constant) else []
    if isinstance(node, ast.Slice):
        return []
    return [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]


def is_array(node: ast.Call) -> bool:
    """Whether a call is of a method of an array, not of a function of a module."""
    func = node.func
    return isinstance(func, ast.Attribute) and not (
        isinstance(func.value, ast.Name) and func.value.id in ("np", "numpy", "scipy")
    )


def swapped(root: Any, old: ast.AST, new: ast.AST) -> Any:
    """A copy of a tree in which one node is replaced; nodes are told apart by identity."""
    if root is old:
        return new
    if isinstance(root, list):
        return [swapped(each, old, new) for each in root]
    if not isinstance(root, ast.AST):
        return root
    if not any(each is old for each in ast.walk(root)):
        return root
    twin = copy.copy(root)
    for name, value in ast.iter_fields(root):
        setattr(twin, name, swapped(value, old, new))
    return twin


def parsed(text: str, **parts: ast.expr) -> ast.expr:
    """A small tree from a pattern, in which names are replaced by trees."""
    tree = bare(ast.parse(text, mode="eval").body)
    if isinstance(tree, ast.Name) and tree.id in parts:
        return parts[tree.id]
    for node in list(ast.walk(tree)):
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.Name) and value.id in parts:
                setattr(node, name, parts[value.id])
            elif isinstance(value, list):
                setattr(node, name, [
                    parts[v.id] if isinstance(v, ast.Name) and v.id in parts else v for v in value
                ])  # fmt: skip
    return tree


def bare(tree: ast.expr) -> ast.expr:
    """A tree without places, since it stands nowhere in the writer's text."""
    for node in ast.walk(tree):
        for place in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if place in node.__dict__:
                delattr(node, place)
    return tree


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def called(node: ast.AST) -> str:
    """The last name of what a call calls: ``sum`` of ``np.sum`` and of ``x.sum``."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)


def factors(node: ast.expr) -> list[ast.expr]:
    """The factors of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return factors(node.left) + factors(node.right)
    return [node]
