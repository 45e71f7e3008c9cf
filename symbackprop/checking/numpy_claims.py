"""What a followed function claims: which returned value is whose gradient, and whether it is.

Values returned are named by the caller (``returns``), by the keys of a returned dict, or by the
names in the return statement. An array of another shape than the variable's is refuted, but for
axes of extent 1 of a vector, which are noted.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr

from symbackprop.checking.execution import describe, loose
from symbackprop.checking.execution_builtins import elements
from symbackprop.checking.execution_values import (
    Array,
    Labels,
    Misfit,
    Unfollowed,
    Unknown,
    Value,
    array,
)
from symbackprop.checking.numpy_follow import Outcome
from symbackprop.checking.numpy_names import quantity_meant, with_gradients
from symbackprop.checking.numpy_setting import Setting, is_open
from symbackprop.ir.expressions import substitute
from symbackprop.ir.terms import same_shape, show_shape

SKIPPED = ("_", "-")  # in the place of what is returned and is no gradient
SQUEEZED = "a vector written with an axis of extent 1"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on an array as the gradient of a quantity; ``left`` and ``right`` are entries
    (claimed, true) at the same indices, where the shapes fit.
    """

    verdict: str
    why: str = ""
    left: Expr | None = None
    right: Expr | None = None
    shapes: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A returned value as the gradient of ``of``; ``label`` is what the code calls it."""

    of: str
    value: Value
    label: str
    node: ast.AST | None


def claims_of(
    outcome: Outcome,
    returns: Sequence[str],
    setting: Setting,
    aliases: Mapping[str, str],
    straight: bool,
) -> tuple[list[Claim], str]:
    """The claims, and what could not be told of them; those for a family are claims for each of
    its members.
    """
    claims, problem = _claims(outcome, returns, setting, aliases, straight)
    asked = [c for c in claims if c.of not in (*SKIPPED, setting.forward.output)]
    return [c for claim in asked for c in _of_members(claim, setting)], problem


def _of_members(claim: Claim, setting: Setting) -> list[Claim]:
    names = setting.members.get(claim.of)
    if names is None:
        return [claim]
    held = loose(claim.value)
    parts: list[Value] = [held] * len(names)
    if isinstance(held, list | tuple | Array):
        try:
            parts = elements(held)
        except Unfollowed as error:
            parts = [Unknown(error.message, 0)] * len(names)
    elif not isinstance(held, Unknown):
        parts = [Unknown(f"the gradient of {claim.of} is {describe(held)}", 0)] * len(names)
    if len(parts) != len(names):
        said = f"{len(parts)} gradients for {len(names)} members of {claim.of}"
        parts = [Unknown(said, 0)] * len(names)
    return [replace(claim, of=of, value=loose(part)) for of, part in zip(names, parts, strict=True)]


def _claims(
    outcome: Outcome,
    returns: Sequence[str],
    setting: Setting,
    aliases: Mapping[str, str],
    straight: bool,
) -> tuple[list[Claim], str]:
    if straight:
        return _of_names(outcome, setting, aliases), ""
    result = loose(outcome.result)
    node = outcome.returned.value if outcome.returned is not None else None
    parts, nodes = _parts(result, node)
    dicts = [p for p in parts if isinstance(p, dict)]
    if dicts:
        return _of_dict(dicts, returns, setting, aliases, node)
    if result is None:
        kept = [c for c in _of_names(outcome, setting, aliases) if "." in c.label or not returns]
        missing = [r for r in returns if r not in {c.of for c in kept}]
        nothing = Unknown("nothing is returned", 0)
        return kept + [Claim(r, nothing, r, node) for r in missing], ""
    if returns:
        if len(returns) != len(parts):
            if not isinstance(result, Unknown):
                said = f"it returns {len(parts)} values, not the {len(returns)} that are named"
                return [Claim(r, Unknown(said, 0), r, node) for r in returns], said
            parts, nodes = [result] * len(returns), [node] * len(returns)
        return [
            Claim(of, part, ast.unparse(n) if n is not None else of, n)
            for of, part, n in zip(returns, parts, nodes, strict=True)
        ], ""
    out = []
    for part, n in zip(parts, nodes, strict=True):
        label = ast.unparse(n) if n is not None else ""
        of = quantity_meant(label, aliases, setting.forward)
        if of is not None:
            out.append(Claim(of, part, label, n))
    return out, "" if out else "whose gradients are returned is not said"


def _parts(result: Value, node: ast.expr | None) -> tuple[list[Value], list[ast.expr | None]]:
    """The values returned, and where each is written."""
    if not isinstance(result, tuple | list):
        return [result], [node]
    written = node.elts if isinstance(node, ast.Tuple | ast.List) else []
    nodes: list[ast.expr | None] = (
        list(written) if len(written) == len(result) else [node] * len(result)
    )
    parts: list[Value] = []
    places: list[ast.expr | None] = []
    for part, n in zip(result, nodes, strict=True):
        inner = loose(part)
        if isinstance(inner, tuple | list):
            more, where = _parts(inner, n)
            parts.extend(more)
            places.extend(where)
        else:
            parts.append(inner)
            places.append(n)
    return parts, places


def _of_dict(
    dicts: list[dict[str, Value]],
    returns: Sequence[str],
    setting: Setting,
    aliases: Mapping[str, str],
    node: ast.expr | None,
) -> tuple[list[Claim], str]:
    names = [*with_gradients(setting.forward), *setting.members]
    found: dict[str, tuple[str, Value]] = {}
    for each in dicts:
        for key, value in each.items():
            of = key if key in names else quantity_meant(key, aliases, setting.forward)
            if of is None and key.lower() in {n.lower() for n in names}:
                of = next(n for n in names if n.lower() == key.lower())
            if of is not None:
                found.setdefault(of, (key, loose(value)))
    wanted = [r for r in returns if r not in SKIPPED] or list(found)
    out = []
    for of in wanted:
        key, value = found.get(of, (of, Unknown(f"nothing is returned for {of}", 0)))
        out.append(Claim(of, value, f"[{key!r}]", node))
    return out, "" if out else "whose gradients are returned is not said"


def _of_names(outcome: Outcome, setting: Setting, aliases: Mapping[str, str]) -> list[Claim]:
    """Straight-line code claims what its variables are called, with what they hold in the end."""
    last: dict[str, Claim] = {}
    for event in outcome.events:
        of = quantity_meant(event.label, aliases, setting.forward)
        if of is not None:
            value = outcome.frame.get(event.label, event.value)
            last[of] = Claim(of, value, event.label, event.target)
    return list(last.values())


def judge(value: Value, of: str, setting: Setting, prove: bool = True) -> Judged:
    """Whether a value is the gradient of a quantity."""
    true = setting.entry(f"grad_{of}")
    value = loose(value)
    if isinstance(value, Misfit):
        if value.guessed:
            return Judged("undecided", f"line {value.line}: {value.why}; {_guess(value.guessed)}")
        shapes = (" and ".join(value.shapes), show_shape(true.shape))
        return Judged("refuted", f"line {value.line}: {value.why}", shapes=shapes)
    if isinstance(value, Unknown):
        at = f"line {value.line}: " if value.line else ""
        return Judged("undecided", f"not followed: {at}{value.why}")
    if isinstance(value, Labels) or not isinstance(value, Array):
        return Judged("undecided", "what stands here is no array")
    note = ""
    if not same_shape(value.shape, true.shape):
        x, y = _squeezed(value), _squeezed(true)
        vector = len(y.axes) <= 1
        if not (vector and same_shape(x.shape, y.shape)):
            return _other_shape(value, true)
        value, true, note = x, y, SQUEEZED
    left = substitute(value.expr, dict(zip(value.axes, true.axes, strict=True)))
    if is_open(left):
        return Judged("undecided", "part of it is never written, or not followed")
    right = true.expr
    if setting.values.agree(left, right):
        if not prove or setting.proved(left, right):
            return Judged("proved", note, left, right)
        return Judged("undecided", "equal at every point tried, but no proof was found")
    if value.guessed:
        return Judged("undecided", f"it differs, but {_guess(value.guessed)}", left, right)
    return Judged("refuted", note, left, right)


def _other_shape(value: Array, true: Array) -> Judged:
    shapes = show_shape(value.shape), show_shape(true.shape)
    if value.guessed:
        return Judged("undecided", f"its shape differs, but {_guess(value.guessed)}")
    why = f"its shape is {shapes[0]}, the gradient's {shapes[1]}"
    return Judged("refuted", why, shapes=shapes)


def _guess(names: frozenset[str]) -> str:
    return f"{', '.join(sorted(names))} is a guess at what was meant"


def _squeezed(a: Array) -> Array:
    return array(a.expr, [i for i in a.axes if i.extent != 1], (a,))
