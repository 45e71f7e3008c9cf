"""Single edits of NumPy code that undo the mistakes people make: one row for each kind.

Each row takes one place of a statement and gives what might have been meant there, with the
category of the mistake, a sentence and a price. Nothing is judged here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from symbackprop.checking.numpy_edit_slopes import (
    logistic_slopes,
    masks,
    other_names,
    slope_kinds,
    slope_points,
    slopes,
    softmax_jacobian,
)
from symbackprop.checking.numpy_edit_windows import flips, turned
from symbackprop.checking.numpy_sites import (
    Edit,
    Place,
    called,
    is_array,
    name,
    parsed,
    places,
    swapped,
)

REDUCTIONS = ("sum", "mean", "max", "min")


def transposes(p: Place) -> Iterator[Edit]:
    """A transpose too many or too few."""
    node = p.node
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield Edit("transpose", node, node.value, 1.0, "{old} should not be transposed")
        return
    if p.depth == 0:
        outer = called(node) == "outer" or _columns_and_row(node)
        category = "outer-transposed" if outer else "layout"
        said = "the outer product is transposed" if outer else "this is the transpose"
        yield Edit(category, node, parsed("(a).T", a=node), 2.5, said)
    elif isinstance(node, ast.Name | ast.Subscript | ast.Call | ast.BinOp):
        if p.parents and (_is_product(p.parents[0]) or len(p.parents) <= 1):
            cost = 1.9 if p.parents and called(p.parents[0]) in REDUCTIONS else 1.1
            yield Edit("transpose", node, parsed("a.T", a=node), cost, "{old} is not transposed")


def _is_product(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    return called(node) in ("dot", "matmul")


def _columns_and_row(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and "None" in ast.unparse(node)


def signs(p: Place) -> Iterator[Edit]:
    """A sign."""
    node = p.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        new = ast.BinOp(node.left, other, node.right)
        yield Edit("sign", node, new, 1.0, "the sign between the two terms of {old}")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield Edit("sign", node, node.operand, 1.0, "{old} should not be negative")
    elif p.depth == 0 or (p.parents and _is_sum(p.parents[0])):
        yield Edit("sign", node, parsed("-(a)", a=node), 1.2, "the sign of {old}")


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def sides(p: Place) -> Iterator[Edit]:
    """The order of a product, with transposes."""
    node = p.node
    left, right = _operands(node)
    if left is None or right is None:
        return
    for text, category in (
        ("b @ a", "side-of-product"), ("b.T @ a", "side-of-product"),
        ("b @ a.T", "side-of-product"),
        ("a.T @ b", "transpose"), ("a @ b.T", "transpose"), ("a.T @ b.T", "transpose"),
        ("b.T @ a.T", "layout"), ("a * b", "other"),
    ):  # fmt: skip
        said = "{old} should be {new}"
        yield Edit(category, node, parsed(text, a=left, b=right), 1.6, said)


def _operands(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return node.left, node.right
    if isinstance(node, ast.Call) and called(node) in ("dot", "matmul"):
        if is_array(node) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            return node.func.value, node.args[0]
        if len(node.args) == 2:
            return node.args[0], node.args[1]
    return None, None


def scales(p: Place) -> Iterator[Edit]:
    """A factor that is missing from the whole or from a term."""
    if p.depth and not _is_sum(p.parents[0]):
        return
    node = p.node
    cost = 1.3 if p.depth == 0 else 1.5
    for text in ("2 * a", "a / 2", "a * 4", "a / 4"):
        said = "a constant factor: {old} should be {new}"
        yield Edit("factor", node, parsed(text, a=node), cost, said)
    for dim in p.dims:
        for text in ("(a) / n", "n * (a)"):
            new = parsed(text, a=node, n=name(dim))
            yield Edit("mean-for-sum", node, new, cost + 0.1, "a factor: {old} should be {new}")
    for scalar in p.scalars:
        if scalar not in p.dims:
            for text in ("s * (a)", "(a) / s", "s * 2 * (a)"):
                new = parsed(text, a=node, s=name(scalar))
                yield Edit("factor", node, new, cost + 0.3, "a factor: {old} should be {new}")


def drops(p: Place) -> Iterator[Edit]:
    """A factor or a term too many."""
    node = p.node
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, ast.Mult | ast.Div):
        kept = [(node.left, node.right)]
        if isinstance(node.op, ast.Mult):
            kept.append((node.right, node.left))
        for rest, gone in kept:
            category = _dropped(gone, p)
            yield Edit(category, node, rest, 1.4, f"the factor {ast.unparse(gone)} is too many")
    elif isinstance(node.op, ast.Add | ast.Sub):
        yield Edit("other", node, node.left, 1.8, f"the term {ast.unparse(node.right)} is too many")
        yield Edit("other", node, node.right, 1.8, f"the term {ast.unparse(node.left)} is too many")


def _dropped(gone: ast.expr, p: Place) -> str:
    text = ast.unparse(gone)
    if isinstance(gone, ast.Constant):
        return "factor"
    if "shape" in text or text.startswith("len(") or text in p.scalars:
        return "mean-for-sum"
    return "extra-slope"


def constants(p: Place) -> Iterator[Edit]:
    """Another number."""
    node = p.node
    if not isinstance(node, ast.Constant) or not isinstance(node.value, int | float):
        return
    if isinstance(node.value, bool):
        return
    parent = p.parents[0] if p.parents else None
    power = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow)
    category = "power" if power and getattr(parent, "right", None) is node else "factor"
    for value in (node.value * 2, node.value / 2, -node.value, node.value + 1, node.value - 1):
        new: ast.expr = ast.Constant(abs(value))
        if value < 0:
            new = ast.UnaryOp(ast.USub(), new)
        kind = "sign" if value == -node.value and category == "factor" else category
        yield Edit(kind, node, new, 1.5, "{old} should be {new}")
    if category == "power" and isinstance(parent, ast.BinOp):
        yield Edit("power", parent, parent.left, 1.5, "{old} should be {new}")


def powers(p: Place) -> Iterator[Edit]:
    """A square or a root that is missing or too many."""
    node = p.node
    if isinstance(node, ast.Name) and node.id in p.arrays and p.depth:
        yield Edit("power", node, parsed("a ** 2", a=node), 2.4, "{old} should be squared")
    if called(node) in ("sqrt", "square") and isinstance(node, ast.Call) and node.args:
        yield Edit("power", node, node.args[0], 1.7, "{old} should be {new}")


def axes(p: Place) -> Iterator[Edit]:
    """A sum over the wrong axis, or over all."""
    node = p.node
    if not isinstance(node, ast.Call) or called(node) not in REDUCTIONS:
        return
    for axis in (0, 1, -1):
        for keep in (False, True):
            new = reduced(node, axis, keep)
            if ast.unparse(new) != ast.unparse(node):
                yield Edit("axis", node, new, 1.2 + 0.05 * keep, "the axis: {old} should be {new}")


def reduced(node: ast.Call, axis: int, keep: bool) -> ast.Call:
    """The same reduction over another axis."""
    given = node.args[: 0 if is_array(node) else 1]
    value: ast.expr = ast.Constant(abs(axis))
    if axis < 0:
        value = ast.UnaryOp(ast.USub(), value)
    words = [ast.keyword("axis", value)]
    if keep:
        words.append(ast.keyword("keepdims", ast.Constant(True)))
    return ast.Call(node.func, list(given), words)


def all_axes(p: Place) -> Iterator[Edit]:
    """All reductions of the statement over the same wrong axis."""
    if p.depth:
        return
    found = [n for n in ast.walk(p.node) if isinstance(n, ast.Call) and called(n) in REDUCTIONS]
    if len(found) < 2:
        return
    for axis in (0, 1):
        for keep in (False, True):
            tree: Any = p.node
            for _ in found:
                todo = [n for n in ast.walk(tree) if isinstance(n, ast.Call)
                        and called(n) in REDUCTIONS and not _at_axis(n, axis, keep)]  # fmt: skip
                if not todo:
                    break
                tree = swapped(tree, todo[-1], reduced(todo[-1], axis, keep))
            yield Edit("axis", p.node, tree, 1.9, f"the sums should be over axis {axis}")


def _at_axis(node: ast.Call, axis: int, keep: bool) -> bool:
    return ast.unparse(node) == ast.unparse(reduced(node, axis, keep))


def means(p: Place) -> Iterator[Edit]:
    """A mean for a sum, or a sum for a mean."""
    node = p.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    other = {"mean": "sum", "sum": "mean"}.get(node.func.attr)
    if other is not None:
        func = ast.Attribute(node.func.value, other, ast.Load())
        new = ast.Call(func, node.args, node.keywords)
        yield Edit("mean-for-sum", node, new, 1.0, "{old} should be {new}")


def sums(p: Place) -> Iterator[Edit]:
    """A bias whose gradient is not summed over the samples."""
    if p.depth:
        return
    for axis in (0, 1):
        for keep in ("", ", keepdims=True"):
            new = parsed(f"np.sum(a, axis={axis}{keep})", a=p.node)
            said = "it is not summed over the samples"
            yield Edit("bias-not-summed", p.node, new, 1.2, said)


def additions(p: Place) -> Iterator[Edit]:
    """A path or a regulariser that is left out."""
    if p.depth:
        return
    for other in p.shaped(p.wanted):
        new = parsed("a + b", a=p.node, b=name(other))
        yield Edit("missing-path", p.node, new, 1.6, f"the path that brings {other} is left out")
        for scalar in p.scalars:
            for text in ("a + s * b", "a + 2 * s * b", "a + s * b / 2"):
                new = parsed(text, a=p.node, b=name(other), s=name(scalar))
                yield Edit("regulariser", p.node, new, 2.0, "the regulariser's term is left out")


def arrays(p: Place) -> Iterator[Edit]:
    """An array that is a factor and left out: a gate, a scale, a mask of the model."""
    if p.depth:
        return
    for other in p.shaped(p.wanted) if p.wanted else ():
        said = f"the factor {other} is missing"
        yield Edit("factor", p.node, parsed("(a) * b", a=p.node, b=name(other)), 1.7, said)


def indices(p: Place) -> Iterator[Edit]:
    """Another place of a list or array."""
    node = p.node
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
        return
    k = node.slice.value
    if isinstance(k, int) and not isinstance(k, bool):
        for other in (k - 1, k + 1):
            if other >= 0:
                new = ast.Subscript(node.value, ast.Constant(other), ast.Load())
                yield Edit("wrong-index", node, new, 1.4, "{old} should be {new}")


Row = Callable[[Place], Iterator[Edit]]
EDITS: tuple[Row, ...] = (
    transposes, signs, means, axes, sums, scales, drops, slope_points, masks, slope_kinds,
    logistic_slopes,
    softmax_jacobian, slopes, sides, constants, additions, other_names, all_axes, powers, indices,
    arrays, flips, turned,
)  # fmt: skip


def edits(place: Place) -> list[Edit]:
    """All single edits of the expression that a place is the whole of, the likeliest first."""
    out: list[Edit] = []
    every = places(place.node, place.arrays, place.wanted, place.dims, place.softmaxes)
    for each in every:
        for row in EDITS:
            out.extend(replace(e, cost=e.cost + 0.05 * each.depth) for e in row(each))
    return sorted(out, key=lambda e: e.cost)
