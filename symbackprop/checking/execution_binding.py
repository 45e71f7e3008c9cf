"""How the parameters of a function get their values."""

from __future__ import annotations

from symbackprop.checking.execution import (
    Frame,
    Machine,
)
from symbackprop.checking.execution_effects import changed_defaults
from symbackprop.checking.execution_values import (
    Routine,
    Unfollowed,
    Value,
)
from symbackprop.checking.execution_worth import worth


def bind(
    routine: Routine, given: list[Value], named: dict[str, Value], m: Machine, frame: Frame
) -> None:
    """Give the parameters their values."""
    args = routine.node.args
    plain = [*args.posonlyargs, *args.args]
    if routine.owner is not None:
        frame[plain[0].arg if plain else "self"] = routine.owner
        plain = plain[1:]
    if args.vararg is not None:
        frame[args.vararg.arg] = tuple(given[len(plain) :])
        given = given[: len(plain)]
    if len(given) > len(plain):
        raise Unfollowed(f"{len(given)} operands for {len(plain)} parameters", routine.node)
    for each, value in zip(plain, given, strict=False):
        frame[each.arg] = m.held(value)
    missing = [p.arg for p in plain[len(given) :]]
    defaults = dict(
        zip([p.arg for p in plain][len(plain) - len(args.defaults) :], args.defaults, strict=False)
    )
    for each, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        missing.append(each.arg)
        if default is not None:
            defaults[each.arg] = default
    for name in missing:
        if name in named:
            frame[name] = m.held(named.pop(name))
        elif name in changed_defaults(routine.node):
            raise Unfollowed(f"a default of {name} that calls change", routine.node)
        elif name in defaults:
            frame[name] = m.held(worth(defaults[name], m, dict(routine.outer)))
        else:
            raise Unfollowed(f"no value for the parameter {name}", routine.node)
    if args.kwarg is not None:
        frame[args.kwarg.arg] = named
    elif named:
        raise Unfollowed(f"no parameter {', '.join(sorted(named))}", routine.node)
