"""Names, literals, operators and subscripts of array notation, with shapes worked out.

The dispatch ``elaborate`` is defined here; ``elaborate_calls`` and ``elaborate_entries`` register
further nodes, and the module ``elaborate`` is its face. A shape error underlines the operands and
tells the remedy in the user's own names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

from sympy import Integer, Rational

from symbackprop.errors import Malformed, Span
from symbackprop.ir import terms
from symbackprop.ir.terms import ShapeError, Term, show_shape
from symbackprop.notation import syntax as s
from symbackprop.notation.extents import LARGEST_EXTENT_POWER, extent
from symbackprop.notation.numbers import check_power, division_by_zero, show_number
from symbackprop.notation.scope import Scope, unknown
from symbackprop.notation.words import CONSTANTS, ELEMENTWISE, REDUCTIONS

ZERO = Integer(0)
CHECK_SHAPES = "check the shapes on the `data` and `param` lines; axes count from 0"


@singledispatch
def elaborate(tree: s.Tree, scope: Scope) -> Term:
    """The term that ``tree`` means in ``scope``."""
    raise Malformed(
        "an array or a number",
        "something else",
        tree.span,
        "write an expression such as X @ W.T + b",
    )


def quoted(tree: s.Tree) -> str:
    """The words of the user."""
    return " ".join(tree.span.text[tree.span.start : tree.span.end].split())


def source_of(tree: s.Tree) -> str:
    """The words of the user, bracketed where an operator may follow."""
    text = quoted(tree)
    compound = isinstance(tree, (s.Binary, s.Unary, s.Comparison))
    return f"({text})" if compound and not _is_bracketed(text) else text


def _is_bracketed(text: str) -> bool:
    """Whether one pair of brackets encloses the whole text."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[0] == "(" and at == len(text) - 1
    return False


def checked(
    span: Span, build: Callable[..., Term], *args: object, hint: str = "", **options: object
) -> Term:
    """``build(*args)``; a shape error gets its place."""
    try:
        return build(*args, **options)
    except ShapeError as problem:
        remedy = hint or problem.hint or CHECK_SHAPES
        raise Malformed(problem.expected, problem.got, span, remedy) from None


def shape_phrase(tree: s.Tree, term: Term) -> str:
    """``X is N×D``, for messages."""
    return f"{quoted(tree)} is {show_shape(term.shape) if term.shape else 'a scalar'}"


@elaborate.register
def _(tree: s.Number, scope: Scope) -> Term:
    plain = terms.number(tree.value)
    return (
        plain
        if show_number(tree.value) == tree.text
        else Term("number", (), (), (tree.value, tree.text))
    )


@elaborate.register
def _(tree: s.Name, scope: Scope) -> Term:
    if tree.text in scope.bound:
        return scope.bound[tree.text]
    if tree.text in scope.unfinished:
        raise Malformed(
            f"a member of {tree.text}, such as {tree.text}[l-1]",
            f"the whole of {tree.text}, which is not yet known",
            tree.span,
            "name the step in brackets",
        )
    if tree.text in scope.shapes:
        return terms.name(tree.text, scope.shapes[tree.text])
    if tree.text in scope.dims:
        return terms.dim(scope.dims[tree.text])
    if tree.text in scope.indices:
        raise Malformed(
            "an array or a number",
            f"the index {tree.text}",
            tree.span,
            "indices stand in brackets: X[n,d]",
        )
    if tree.text in CONSTANTS:
        return terms.constant(tree.text)
    if scope.calls(tree.text) or tree.text in ELEMENTWISE or tree.text in REDUCTIONS:
        raise Malformed(
            "an array or a number",
            f"the function {tree.text}",
            tree.span,
            f"call it: {tree.text}(x)",
        )
    raise unknown(tree.text, tree.span, scope)


@elaborate.register
def _(tree: s.Unary, scope: Scope) -> Term:
    if tree.op == "+":
        return elaborate(tree.operand, scope)
    inner = elaborate(tree.operand, scope)
    if isinstance(tree.operand, s.Number):
        value, *text = inner.attrs
        return Term("number", (), (), (-value, *(f"-{t}" for t in text)))
    return terms.neg(inner)


_ELEMENTWISE = {"+": terms.add, "-": terms.sub, "*": terms.mul, "/": terms.div, "**": terms.power}


@elaborate.register
def _(tree: s.Binary, scope: Scope) -> Term:
    if tree.op in ("//", "%"):
        return terms.dim(extent(tree, scope))
    a, b = elaborate(tree.left, scope), elaborate(tree.right, scope)
    if tree.op == "@":
        return _product(tree, a, b)
    if tree.op in ("/", "**"):
        simple = _numbers(tree, a, b)
        if simple is not None:
            return simple
    if _is_extent(a, b, tree.op):
        return terms.dim(extent(tree, scope))
    return _broadcast(tree, a, b, _ELEMENTWISE[tree.op])


def _is_extent(a: Term, b: Term, op: str) -> bool:
    """Whether dims and whole numbers are combined to an extent: ``H - R + 1``, ``N*M``,
    ``N**2``.
    """
    operands = [
        t
        for t in (a, b)
        if t.op == "dim" or (t.op == "number" and t.attrs[0].q == 1 and len(t.attrs) == 1)
    ]
    if len(operands) < 2 or not any(t.op == "dim" for t in operands):
        return False
    return op in ("+", "-", "*") or (
        op == "**" and b.op == "number" and 0 <= b.attrs[0] <= LARGEST_EXTENT_POWER
    )


def _product(tree: s.Binary, a: Term, b: Term) -> Term:
    try:
        return terms.matmul(a, b)
    except ShapeError as problem:
        got = f"{shape_phrase(tree.left, a)} and {shape_phrase(tree.right, b)}"
        left, right = source_of(tree.left), source_of(tree.right)
        ways = (
            (f"{left} @ {right}.T", lambda: terms.matmul(a, terms.transpose(b))),
            (f"{left}.T @ {right}", lambda: terms.matmul(terms.transpose(a), b)),
            (f"{right} @ {left}", lambda: terms.matmul(b, a)),
        )
        if not a.rank or not b.rank:
            raise Malformed(
                problem.expected, got, tree.span, f"did you mean `{left} * {right}`?"
            ) from None
        raise Malformed(
            problem.expected, got, tree.span, _first_that_fits(ways) or problem.hint or CHECK_SHAPES
        ) from None


def _broadcast(tree: s.Tree, a: Term, b: Term, build: Callable[[Term, Term], Term]) -> Term:
    try:
        return build(a, b)
    except ShapeError as problem:
        assert isinstance(tree, (s.Binary, s.Comparison)), "only these have a left and a right side"
        left, right, op = source_of(tree.left), source_of(tree.right), tree.op
        column = (slice(None), None)
        ways: tuple[tuple[str, Callable[[], Term]], ...] = (
            (f"{left} {op} {right}[:, None]", lambda: build(a, terms.index(b, column))),
            (f"{left}[:, None] {op} {right}", lambda: build(terms.index(a, column), b)),
            (f"{left} {op} {right}.T", lambda: build(a, terms.transpose(b))),
            (f"{left} @ {right}", lambda: terms.matmul(a, b)),
        )
        offered = ways if op == "*" else ways[:3]
        got = f"{shape_phrase(tree.left, a)} and {shape_phrase(tree.right, b)}"
        raise Malformed(
            problem.expected,
            got,
            tree.span,
            _first_that_fits(offered) or problem.hint or CHECK_SHAPES,
        ) from None


def _first_that_fits(ways: tuple[tuple[str, Callable[[], Term]], ...]) -> str:
    for text, build in ways:
        try:
            build()
        except ShapeError:
            continue
        return f"did you mean `{text}`?"
    return ""


def _numbers(tree: s.Binary, a: Term, b: Term) -> Term | None:
    """``1/2`` of two whole literals is one exact number; powers of numbers stay, but not enormous
    ones.
    """
    left, right = constant_value(a), constant_value(b)
    if tree.op == "/" and right == 0:
        raise division_by_zero(tree.span)
    if left is None or right is None:
        return None
    if tree.op == "**":
        check_power(left, right, tree.span)
        return None
    literal = all(t.op == "number" and t.attrs[0].q == 1 and len(t.attrs) == 1 for t in (a, b))
    value = left / right
    return terms.number(value) if literal and show_number(value) == f"{left}/{right}" else None


def constant_value(term: Term) -> Rational | None:
    """The exact value of a term of literals, where it is rational; None for any other."""
    if term.op == "number":
        return term.attrs[0]
    if term.op not in ("neg", "add", "sub", "mul", "div", "pow"):
        return None
    values = [constant_value(a) for a in term.args]
    if any(v is None for v in values):
        return None
    return _calculate(term.op, *(v for v in values if v is not None))


def _calculate(op: str, a: Rational, b: Rational = ZERO) -> Rational | None:
    if op == "pow":
        return a**b if b.q == 1 and not (a == 0 and b < 0) else None
    if op == "div":
        return a / b if b != 0 else None
    return {"neg": -a, "add": a + b, "sub": a - b, "mul": a * b}[op]


@elaborate.register
def _(tree: s.Comparison, scope: Scope) -> Term:
    def build(a: Term, b: Term) -> Term:
        return terms.compare(tree.op, a, b)

    return _broadcast(tree, elaborate(tree.left, scope), elaborate(tree.right, scope), build)


@elaborate.register
def _(tree: s.Transpose, scope: Scope) -> Term:
    return checked(tree.span, terms.transpose, elaborate(tree.operand, scope))


@elaborate.register
def _(tree: s.Literal, scope: Scope) -> Term:
    if tree.text in ("True", "False"):
        return terms.number(int(tree.text == "True"))
    raise Malformed(
        "an array or a number", tree.text, tree.span, "it stands inside brackets only: x[:, None]"
    )
