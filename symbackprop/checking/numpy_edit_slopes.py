"""Edits of slopes, masks and names: what an activation's backward pass gets wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symbackprop.checking.numpy_sites import Edit, Place, called, factors, name, parsed
from symbackprop.ir.terms import Shape

SLOPES = ("(a > 0)", "a * (1 - a)", "(1 - a ** 2)", "(1 - np.tanh(a) ** 2)", "np.cos(a)", "2 * a")


def slope_trees(p: Place, shape: Shape) -> Iterator[tuple[ast.expr, str]]:
    """Slopes of the usual activations at the arrays of this shape, with the array's name."""
    for other in p.shaped(shape):
        for text in SLOPES:
            yield parsed(text, a=name(other)), other


def slopes(p: Place) -> Iterator[Edit]:
    """A slope that is missing: from the whole, or from a name on the way."""
    node = p.node
    if p.depth == 0:
        for slope, _ in slope_trees(p, p.wanted):
            new = parsed("(a) * s", a=node, s=slope)
            said = f"the slope {ast.unparse(slope)} is missing"
            yield Edit("missing-slope", node, new, 1.5, said)
    elif isinstance(node, ast.Name) and node.id in p.arrays and p.arrays[node.id].axes:
        for slope, other in slope_trees(p, p.arrays[node.id].shape):
            if other != node.id:
                new = parsed("(a * s)", a=node, s=slope)
                said = f"the slope {ast.unparse(slope)} is missing after {node.id}"
                yield Edit("missing-slope", node, new, 1.8, said)


def slope_kinds(p: Place) -> Iterator[Edit]:
    """The slope of another activation."""
    node = p.node
    if called(node) in ("maximum", "clip") and isinstance(node, ast.Call) and len(node.args) >= 2:
        inner = next((a for a in node.args if not isinstance(a, ast.Constant)), node.args[0])
        new = parsed("(a > 0)", a=inner)
        yield Edit("wrong-slope", node, new, 1.2, "{old} is the function, its slope is {new}")
        for other in _same(inner, p):
            new = parsed("(a * (b > 0))", a=inner, b=name(other))
            said = "{old} is no slope of relu; it should be {new}"
            yield Edit("wrong-slope", node, new, 1.3, said)
    if _is_factor(p) and _looks_like_slope(node):
        inside = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in p.arrays]
        shapes = [p.arrays[n].shape for n in inside if p.arrays[n].axes]
        for slope, _ in slope_trees(p, shapes[0] if shapes else p.wanted):
            yield Edit("wrong-slope", node, slope, 1.7, "the slope is {new}, not {old}")


def logistic_slopes(p: Place) -> Iterator[Edit]:
    """``a * (1 - a)`` among the factors: one slope too many, or that of another activation."""
    node = p.node
    chain = _product(node)
    if len(chain) < 2 or (p.parents and _is_chain(p.parents[0])):
        return
    for a in chain:
        text = ast.unparse(a)
        for b in chain:
            if a is not b and ast.unparse(b) == f"1 - {text}":
                rest = [f for f in chain if f is not a and f is not b]
                pair = f"{text} * (1 - {text})"
                if rest:
                    said = f"the slope {pair} is too many"
                    yield Edit("extra-slope", node, _times(rest), 1.3, said)
                shapes = [p.arrays[text].shape] if text in p.arrays else [p.wanted]
                for slope, _ in slope_trees(p, shapes[0]):
                    said = f"the slope is {ast.unparse(slope)}, not {pair}"
                    yield Edit("wrong-slope", node, _times([*rest, slope]), 1.6, said)


def _is_chain(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _product(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _product(node.left) + _product(node.right)
    return [node]


def _times(parts: list[ast.expr]) -> ast.expr:
    out = parts[0]
    for part in parts[1:]:
        out = ast.BinOp(out, ast.Mult(), part)
    return out


def _same(node: ast.expr, p: Place) -> list[str]:
    if isinstance(node, ast.Name) and node.id in p.arrays:
        return p.like(node.id)
    return p.shaped(p.wanted)


def _is_factor(p: Place) -> bool:
    parent = p.parents[0] if p.parents else None
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div)


def _looks_like_slope(node: ast.expr) -> bool:
    """``1 - …``, a mask, or a call."""
    if isinstance(node, ast.Compare | ast.Call):
        return True
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Pow)


def slope_points(p: Place) -> Iterator[Edit]:
    """A slope taken at the activation where its argument is meant, or the other way round."""
    node = p.node
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        inner = node.args[0]
        if called(node) in ("tanh", "sigmoid", "exp", "relu", "log"):
            said = "the slope is taken at the wrong point: {old} should be {new}"
            yield Edit("slope-point", node, inner, 1.3, said)
    if isinstance(node, ast.Name) and node.id in p.arrays and _in_slope(p):
        for function in ("np.tanh(a)", "1 / (1 + np.exp(-a))"):
            said = "the slope is taken at the wrong point: {old} should be {new}"
            yield Edit("slope-point", node, parsed(function, a=node), 1.9, said)


def _in_slope(p: Place) -> bool:
    """Whether a name stands in ``1 - a**2``, ``1 - a``, or is an operand of a function."""
    for parent in p.parents[:3]:
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Sub):
            return isinstance(parent.left, ast.Constant)
        if isinstance(parent, ast.Call) and called(parent) in ("tanh", "sigmoid", "exp"):
            return True
    return False


def masks(p: Place) -> Iterator[Edit]:
    """A mask of the wrong array, or turned round."""
    node = p.node
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return
    left, right = node.left, node.comparators[0]
    for op in (ast.Gt, ast.Lt, ast.LtE, ast.GtE):
        if not isinstance(node.ops[0], op):
            new = ast.Compare(left, [op()], [right])
            yield Edit("mask", node, new, 1.2, "the mask {old} should be {new}")
    for side, build in ((left, 0), (right, 1)):
        if isinstance(side, ast.Name):
            for other in p.like(side.id):
                pair = (name(other), right) if build == 0 else (left, name(other))
                new = ast.Compare(pair[0], node.ops, [pair[1]])
                said = f"the mask is taken from {side.id}, not from {other}"
                yield Edit("mask", node, new, 1.1, said)


def other_names(p: Place) -> Iterator[Edit]:
    """Another array of the same shape."""
    node = p.node
    if not isinstance(node, ast.Name) or node.id not in p.arrays:
        return
    if any(isinstance(parent, ast.Compare) for parent in p.parents[:2]):
        return
    category = "slope-point" if _in_slope(p) else "wrong-name"
    said = "{old} should be {new}"
    for other in p.like(node.id):
        yield Edit(category, node, name(other), 1.5, said)


def softmax_jacobian(p: Place) -> Iterator[Edit]:
    """The slope of a softmax taken entry by entry."""
    if p.depth > 1 or (p.depth and len(factors(p.node)) < 2):
        return
    said = "softmax mixes the classes: its Jacobian is no elementwise slope"
    if any(called(n) == "sum" for n in ast.walk(p.node)):
        return  # the classes are mixed here, though not as they should be
    for s in p.shaped(p.wanted):
        for d in p.shaped(p.wanted):
            if s != d:
                inner = parsed("np.sum(d * s, axis=-1, keepdims=True)", d=name(d), s=name(s))
                new = parsed("s * (d - i)", s=name(s), d=name(d), i=inner)
                cost = 1.1 if s in p.softmaxes else 2.6
                yield Edit("softmax-elementwise", p.node, new, cost, said)
