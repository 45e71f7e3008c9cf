"""Calls: ``f(Z)``, ``sum(X, axis=0)``, ``softmax(Z, axis=1)``, ``ones(N, M)`` and formulas that
expand.

One row of ``FORMS`` a family. A declared name shadows a function; calling it then is an error that
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from sympy import Expr, Integer

from symbackprop.errors import Malformed
from symbackprop.ir import array_terms, terms
from symbackprop.ir.terms import ShapeError, Term, same_extent, show_shape
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate_operators import (
    CHECK_SHAPES,
    checked,
    elaborate,
    quoted,
    shape_phrase,
)
from symbackprop.notation.extents import extent
from symbackprop.notation.integers import is_integral
from symbackprop.notation.scope import Scope, unknown
from symbackprop.notation.words import ALONG, ELEMENTWISE, REDUCTIONS


@elaborate.register
def call(tree: s.Call, scope: Scope) -> Term:
    """The term of a call, by the family of its function."""
    name = tree.function.text
    if scope.declares(name):
        raise Malformed(
            "a function before (",
            f"{name}, which is declared as a quantity here",
            tree.function.span,
            f"write * to multiply; to use the function {name}, rename the quantity"
            if callable_name(name, scope)
            else "write * to multiply",
        )
    if scope.calls(name):
        return elementwise(tree, scope, 1, ())
    if name in scope.expansions:
        return _expand(tree, scope)
    if name in FORMS:
        return FORMS[name](tree, scope)
    raise unknown_function(tree, scope)


def callable_name(name: str, scope: Scope) -> bool:
    """Whether the language has a function of that name."""
    return name in FORMS or name in scope.expansions


def unknown_function(tree: s.Call, scope: Scope) -> Malformed:
    """The error for a name that is called and is no function."""
    name = tree.function.text
    known = (*FORMS, *scope.expansions, *scope.functions)
    problem = unknown(name, tree.function.span, scope, "a known function", known)
    if not problem.hint.startswith("declare"):
        return problem
    hint = f"declare it by `function {name}` if any function may stand there"
    if name.startswith("_"):
        hint = "the functions are those of the language: exp, tanh, sum, softmax, …"
    return Malformed(problem.expected, problem.got, problem.span, hint)


def arguments(
    tree: s.Call, names: Sequence[str], required: int, options: Sequence[str] = ()
) -> dict[str, s.Tree]:
    """The trees of a call's arguments by name; ``names`` may be given in order or by keyword,
    ``options`` by keyword.
    """
    given = dict(zip(names, tree.arguments, strict=False))
    signature = f"{tree.function.text}({', '.join((*names, *(o + '=' for o in options)))})"
    if len(tree.arguments) > len(names):
        surplus = tree.arguments[len(names)]
        raise Malformed(
            signature, f"{len(tree.arguments)} arguments", surplus.span, "remove this argument"
        )
    for keyword in tree.keywords:
        if keyword.name not in (*names, *options) or keyword.name in given:
            raise Malformed(
                signature, f"the argument {keyword.name}=", keyword.span, "remove or rename it"
            )
        given[keyword.name] = keyword.value
    for name in names[:required]:
        if name not in given:
            raise Malformed(signature, f"no argument {name}", tree.span, f"write {signature}")
    return given


def elementwise(tree: s.Call, scope: Scope, count: int, defaults: tuple[Expr, ...]) -> Term:
    """A scalar function entry by entry."""
    names = ("x", "alpha") if count == 2 and defaults else ("a", "b") if count == 2 else ("x",)
    given = arguments(tree, names[:count], count - len(defaults))
    operands = [elaborate(given[n], scope) for n in names if n in given]
    operands += (
        [terms.number(d) for d in defaults[len(operands) - count :]]
        if len(operands) < count
        else []
    )
    try:
        return terms.apply(tree.function.text, *operands)
    except ShapeError as problem:
        got = " and ".join(shape_phrase(given[n], o) for n, o in zip(given, operands, strict=False))
        raise Malformed(problem.expected, got, tree.span, problem.hint or CHECK_SHAPES) from None


def _elementwise(tree: s.Call, scope: Scope) -> Term:
    return elementwise(tree, scope, *ELEMENTWISE[tree.function.text])


def _reduction(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "axis"), 1, ("keepdims",))
    operand = elaborate(given["x"], scope)
    axes = axes_of(given["axis"]) if "axis" in given else None
    keep = _flag(given["keepdims"]) if "keepdims" in given else False
    span = given["axis"].span if "axis" in given else tree.span
    return checked(span, terms.reduce, REDUCTIONS[tree.function.text], operand, axes, keep)


def _along(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("x", "axis"), 1)
    operand = elaborate(given["x"], scope)
    axis = whole_number(given["axis"]) if "axis" in given else -1
    return checked(tree.span, terms.along, tree.function.text, operand, axis)


def axes_of(tree: s.Tree) -> tuple[int, ...] | int | None:
    if isinstance(tree, s.Literal) and tree.text == "None":
        return None
    return (
        tuple(whole_number(i) for i in tree.items)
        if isinstance(tree, s.Group)
        else whole_number(tree)
    )


def whole_number(tree: s.Tree) -> int:
    match tree:
        case s.Number(value=value) if value.q == 1:
            return int(value)
        case s.Unary(op="-", operand=operand):
            return -whole_number(operand)
    raise Malformed(
        "a whole number", "something else", tree.span, "write for example axis=0 or axis=(0, 1)"
    )


def _flag(tree: s.Tree) -> bool:
    if isinstance(tree, s.Literal) and tree.text in ("True", "False"):
        return tree.text == "True"
    raise Malformed("True or False", "something else", tree.span, "write keepdims=True")


def _operands(tree: s.Call, scope: Scope, *names: str) -> list[Term]:
    given = arguments(tree, names, len(names))
    return [elaborate(given[n], scope) for n in names]


def _dot(tree: s.Call, scope: Scope) -> Term:
    a, b = _operands(tree, scope, "a", "b")
    # NumPy's dot of matrices is their product; it is kept as one, so that it prints as @.
    build = terms.dot if a.rank == b.rank == 1 else terms.matmul
    return _two_vectors(tree, build, a, b)


def _outer(tree: s.Call, scope: Scope) -> Term:
    return _two_vectors(tree, terms.outer, *_operands(tree, scope, "a", "b"))


def _two_vectors(tree: s.Call, build: Callable[[Term, Term], Term], a: Term, b: Term) -> Term:
    try:
        return build(a, b)
    except ShapeError as problem:
        got = " and ".join(shape_phrase(t, x) for t, x in zip(tree.arguments, (a, b), strict=False))
        raise Malformed(
            problem.expected, got or problem.got, tree.span, problem.hint or CHECK_SHAPES
        ) from None


def _diag(tree: s.Call, scope: Scope) -> Term:
    return checked(tree.span, terms.diag, *_operands(tree, scope, "x"))


def _trace(tree: s.Call, scope: Scope) -> Term:
    return checked(tree.span, terms.trace, *_operands(tree, scope, "x"))


def _where(tree: s.Call, scope: Scope) -> Term:
    return checked(tree.span, terms.where, *_operands(tree, scope, "c", "a", "b"))


def _eq(tree: s.Call, scope: Scope) -> Term:
    return checked(tree.span, terms.compare, "==", *_operands(tree, scope, "a", "b"))


def _filled(tree: s.Call, scope: Scope) -> Term:
    items: tuple[s.Tree, ...] = tree.arguments
    if len(items) == 1 and isinstance(items[0], s.Group):
        items = items[0].items
    if tree.keywords:
        raise Malformed(
            f"{tree.function.text}(N, M)", "a keyword", tree.keywords[0].span, "give extents alone"
        )
    build = {"ones": terms.ones, "zeros": terms.zeros}[tree.function.text]
    return build(*(extent(i, scope) for i in items))


def _eye(tree: s.Call, scope: Scope) -> Term:
    given = arguments(tree, ("n", "m"), 1)
    return terms.eye(*(extent(given[n], scope) for n in ("n", "m") if n in given))


def _arange(tree: s.Call, scope: Scope) -> Term:
    n = extent(arguments(tree, ("n",), 1)["n"], scope)
    return Term("arange", (), (n,), (n,))


def _einsum(tree: s.Call, scope: Scope) -> Term:
    if not tree.arguments or not isinstance(tree.arguments[0], s.Text) or tree.keywords:
        raise Malformed(
            'einsum("nd,md->nm", X, W)',
            "no subscripts first",
            tree.span,
            "write the subscripts as a string",
        )
    subscripts = tree.arguments[0].value.replace(" ", "")
    operands = [elaborate(a, scope) for a in tree.arguments[1:]]
    left, arrow, right = subscripts.partition("->")
    inputs = left.split(",")
    if (
        not arrow
        or not (left + right).replace(",", "").isalpha()
        or len(inputs) != len(operands)
        or len(set(right)) < len(right)
    ):
        raise Malformed(
            "letters for each operand and an arrow, as in nd,md->nm",
            subscripts,
            tree.arguments[0].span,
            f"{len(operands)} operands need {len(operands)} groups of letters",
        )
    extents: dict[str, Expr] = {}
    for letters, operand, argument in zip(inputs, operands, tree.arguments[1:], strict=True):
        if len(letters) != operand.rank:
            raise Malformed(
                f"{operand.rank} letters for {show_shape(operand.shape)}",
                letters,
                argument.span,
                "a letter an axis",
            )
        for letter, size in zip(letters, operand.shape, strict=True):
            if not same_extent(extents.setdefault(letter, size), size):
                raise Malformed(
                    f"one extent for {letter}",
                    f"{extents[letter]} and {size}",
                    argument.span,
                    "use two letters",
                )
    if set(right) - extents.keys():
        raise Malformed(
            "letters of the operands right of ->",
            right,
            tree.arguments[0].span,
            "drop the further letters",
        )
    return Term("einsum", tuple(operands), tuple(extents[c] for c in right), (subscripts,))


def _expand(tree: s.Call, scope: Scope) -> Term:
    rule = scope.expansions[tree.function.text]
    required = len(rule.parameters) - len(rule.defaults)
    given = arguments(tree, rule.parameters, required)
    bound = {
        p: terms.number(Integer(d))
        for p, d in zip(rule.parameters[required:], rule.defaults, strict=True)
    }
    bound |= {p: elaborate(t, scope) for p, t in given.items()}
    rows, labels = bound[rule.parameters[0]], bound.get(rule.labels)
    if labels is not None and labels.rank == rows.rank - 1 and is_integral(labels, scope):
        bound[rule.labels] = array_terms.onehot(labels, rows.shape[-1])
    inner = replace(scope, bound=bound, shapes={}, dims={}, indices={}, functions=())
    try:
        return elaborate(rule.body, inner)
    except Malformed as problem:
        shapes = " and ".join(shape_phrase(given[p], bound[p]) for p in given)
        signature = f"{rule.name}({', '.join(rule.parameters)})"
        hint = f"{signature} stands for {quoted(rule.body)}"
        raise Malformed(f"operands that fit {signature}", shapes, tree.span, hint) from problem


def _not_callable(tree: s.Call, scope: Scope) -> NoReturn:
    raise Malformed(
        "a function before (",
        f"the constant {tree.function.text}",
        tree.function.span,
        "write * to multiply",
    )


FORMS: dict[str, Callable[[s.Call, Scope], Term]] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(ALONG, _along),
    "dot": _dot,
    "outer": _outer,
    "diag": _diag,
    "trace": _trace,
    "where": _where,
    "eq": _eq,
    "ones": _filled,
    "zeros": _filled,
    "eye": _eye,
    "arange": _arange,
    "einsum": _einsum,
    "pi": _not_callable,
    "inf": _not_callable,
}
