"""Facts and conditions: what ``assume`` lines say, and which of them cannot hold together."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from symbackprop.errors import Malformed, NotSupported
from symbackprop.ir.program import DECLARABLE_FACTS, Fact
from symbackprop.ir.terms import Term, same_extent, show_shape
from symbackprop.notation import syntax as s
from symbackprop.notation.elaborate import Scope, elaborate
from symbackprop.notation.elaborate_operators import constant_value
from symbackprop.notation.extents import extent
from symbackprop.notation.scope import close_to, unknown

SQUARE = ("symmetric", "spd", "invertible", "orthogonal", "causal")
ROWS = ("onehot", "simplex")
# fmt: off
#: Pairs that cannot hold together, with the reason.
CLASHES = {
    frozenset({"onehot", "sign"}):       "entries of one-hot rows are 0 or 1, signs are -1 or 1",
    frozenset({"binary", "sign"}):       "binary entries are 0 or 1, signs are -1 or 1",
    frozenset({"onehot", "positive"}):   "one-hot rows contain 0",
    frozenset({"simplex", "sign"}):      "entries of a simplex are not negative and sum to 1",
    frozenset({"unit", "sign"}):         "signs are -1 or 1, not between 0 and 1",
    frozenset({"unit", "binary"}):       "binary entries are 0 or 1, not between them",
    frozenset({"unit", "onehot"}):       "entries of one-hot rows are 0 or 1, not between them",
    frozenset({"sign", "nonnegative"}):  "signs are -1 or 1",
    frozenset({"sign", "positive"}):     "signs are -1 or 1",
    frozenset({"causal", "positive"}):   "a causal mask contains 0",
    frozenset({"causal", "symmetric"}):  "a causal mask is triangular",
    frozenset({"causal", "spd"}):        "a causal mask is triangular",
    frozenset({"causal", "sign"}):       "a causal mask contains 0",
}
#: Facts that say what the rows (of a vector: all entries) sum to.
UNIT_SUMS = ("onehot", "simplex")
# fmt: on


def declared_fact(tree: s.AssumeKind, scope: Scope, facts: Sequence[Fact]) -> Fact:
    """``assume Y onehot``."""
    kind, name = tree.kind.text, tree.name.text
    if kind not in DECLARABLE_FACTS:
        near = close_to(kind, DECLARABLE_FACTS)
        hint = f"did you mean {near}?" if near else "one of " + " ".join(DECLARABLE_FACTS)
        raise Malformed("a fact that the language knows", kind, tree.kind.span, hint)
    if name not in scope.shapes:
        raise unknown(name, tree.name.span, scope, "an array")
    shape = scope.shapes[name]
    if kind in SQUARE and (len(shape) != 2 or not same_extent(*shape)):
        raise Malformed(
            f"a square matrix to be {kind}",
            f"{name} is {show_shape(shape)}",
            tree.span,
            "check its shape",
        )
    if kind in ROWS and not shape:
        raise Malformed(
            f"an array with rows to be {kind}", f"{name} is a scalar", tree.span, "check its shape"
        )
    for fact in facts:
        if fact.name == name:
            _check_clash(fact, kind, tree)
    return Fact(name, kind)


def _check_clash(fact: Fact, kind: str, tree: s.AssumeKind) -> None:
    if fact.kind == kind:
        raise Malformed("each fact once", f"{fact} twice", tree.span, "remove one of the two lines")
    reason = CLASHES.get(frozenset({fact.kind, kind}), "")
    if fact.kind == "sum" and kind in UNIT_SUMS and fact.value != 1 and fact.axis == -1:
        reason = f"rows of a {kind} array sum to 1, not to {fact.value}"
    if reason:
        raise Malformed(
            "facts that can hold together", f"{fact} and {tree.name.text} {kind}", tree.span, reason
        )


def sum_fact(tree: s.AssumeRelation, scope: Scope, facts: Sequence[Fact]) -> Fact | None:
    """``assume sum(Y, axis=1) == 1``; None for any other relation."""
    match tree.relation:
        case s.Comparison(
            op="==",
            left=s.Call(function=s.Name(text="sum"), arguments=arguments) as call,
            right=right,
        ):
            pass
        case _:
            return None
    term, value = elaborate(call, scope), elaborate(right, scope)
    if (
        len(arguments) < 1
        or not isinstance(arguments[0], s.Name)
        or arguments[0].text not in scope.shapes
    ):
        raise NotSupported(
            "a sum over an array by its name",
            "a sum over an expression",
            call.span,
            "give it a name",
        )
    name, axes = arguments[0].text, term.attrs[0]
    amount = term_extent(value)
    if amount is None:
        raise NotSupported(
            "a sum with a fixed value",
            "a further expression",
            right.span,
            "write a number or an extent",
        )
    if axes is not None and len(axes) != 1:
        raise NotSupported(
            "a sum over one axis or all", f"axes {axes}", call.span, "state it for one axis"
        )
    axis = None if axes is None or len(scope.shapes[name]) == 1 else axes[0]
    fact = Fact(name, "sum", axis, amount)
    _check_sums(fact, scope, facts, tree)
    return fact


def term_extent(value: Term) -> Expr | None:
    """A number or an extent as an expression; None for any other term."""
    return value.attrs[0] if value.op == "dim" else constant_value(value)


def _check_sums(fact: Fact, scope: Scope, facts: Sequence[Fact], tree: s.AssumeRelation) -> None:
    last = len(scope.shapes[fact.name]) - 1
    for other in facts:
        if other.name != fact.name:
            continue
        rows = fact.axis == last or (fact.axis is None and last == 0)
        clash = other.kind == "sum" and other.axis == fact.axis and other.value != fact.value
        clash |= other.kind in UNIT_SUMS and rows and fact.value != 1
        clash |= (
            other.kind in ("positive", "spd")
            and fact.value is not None
            and bool(fact.value.is_nonpositive)
            and other.kind != "spd"
        )
        if clash:
            raise Malformed(
                "facts that can hold together",
                f"{other} and {fact}",
                tree.span,
                "remove one of the two lines",
            )


def condition(
    tree: s.AssumeRelation, scope: Scope, conditions: Sequence[tuple[Expr, str, Expr]]
) -> tuple[Expr, str, Expr]:
    """``assume K <= L``, a relation between extents."""
    relation = tree.relation
    left, right = extent(relation.left, scope), extent(relation.right, scope)
    gap = right - left
    never = {
        "<": gap.is_nonpositive, "<=": gap.is_negative,
        ">": gap.is_nonnegative, ">=": gap.is_positive,
        "==": gap.is_nonzero, "!=": gap.is_zero,
    }[relation.op]  # fmt: skip
    if never:
        raise Malformed(
            "a condition that can hold",
            f"{left} {relation.op} {right}",
            tree.span,
            "extents are at least 1",
        )
    return left, relation.op, right
