"""Expressions up to the names of their arrays: how repeated blocks of a network are recognised.

``anonymous(e, names)`` spells an expression with its arrays numbered in the order in which they are
met, so that two layers of one kind spell alike; ``rename`` and ``rename_term`` carry what was
worked out for one layer over to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sympy import Add, Basic, Expr, Mul

from symbackprop.ir.expressions import Entry, Index
from symbackprop.ir.ordering import order_key
from symbackprop.ir.terms import Term


@lru_cache(maxsize=1 << 16)
def _nameless(e: Basic) -> str:
    """A spelling of ``e`` in which all arrays look alike; sums and products in an order that it
    alone decides.
    """
    if isinstance(e, Index) or not e.args:
        return order_key(e)
    parts = [_nameless(a) for a in (e.args[1:] if isinstance(e, Entry) else e.args)]
    if isinstance(e, Add | Mul):
        parts.sort()
    return f"{type(e).__name__}({','.join(parts)})"


def anonymous(e: Basic, names: dict[str, int]) -> tuple[str, tuple[int, ...]]:
    """A spelling of ``e`` with arrays as numbers; ``names`` is extended by those met for the first
    time.
    """
    text, own = pattern(e)
    return text, tuple(names.setdefault(name, len(names)) for name in own)


@lru_cache(maxsize=1 << 13)
def pattern(e: Basic) -> tuple[str, tuple[str, ...]]:
    """A spelling of ``e`` with its arrays numbered as they are met, and their names in order."""
    names: dict[str, int] = {}
    return _numbered(e, names), tuple(names)


def _numbered(e: Basic, names: dict[str, int]) -> str:
    if isinstance(e, Index) or not e.args:
        return order_key(e)
    if isinstance(e, Entry):
        number = names.setdefault(e.name, len(names))
        return f"@{number}({','.join(_numbered(i, names) for i in e.indices)})"
    args = sorted(e.args, key=_nameless) if isinstance(e, Add | Mul) else e.args
    return f"{type(e).__name__}({','.join(_numbered(a, names) for a in args)})"


def rename(e: Expr, names: Mapping[str, str]) -> Expr:
    """``e`` with arrays called otherwise."""
    if isinstance(e, Entry):
        name = names.get(e.name)
        if name is None and not any(i.args for i in e.indices):
            return e
        return Entry(name or e.name, *(rename(i, names) if i.args else i for i in e.indices))
    if isinstance(e, Index) or not e.args:
        return e
    return e.func(*(rename(a, names) if a.args else a for a in e.args))


def rename_term(term: Term, names: Mapping[str, str]) -> Term:
    """``term`` with arrays called otherwise."""
    if term.op == "name":
        name = names.get(term.attrs[0])
        return term if name is None else Term("name", (), term.shape, (name,))
    if term.op == "entries":
        indices, body = term.attrs
        return Term("entries", (), term.shape, (indices, rename(body, names)))
    args = tuple(rename_term(a, names) for a in term.args)
    return Term(term.op, args, term.shape, term.attrs) if args else term
