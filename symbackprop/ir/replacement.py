"""Entries replaced by other expressions, and what must be renamed before.

The values of :func:`replace_entries` are put where the entries stand, below binders too; what they
mention must have been renamed apart first (:func:`rename_apart`), or a binder captures it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Expr

from symbackprop.ir.expressions import (
    Binder,
    Entry,
    Index,
    entry_names,
    free_indices,
    fresh_index,
    substitute,
)


def rename_apart(e: Expr, taken: Iterable[Index]) -> Expr:
    """``e`` with every bound index that bears the name of one in ``taken`` renamed, at every depth.

    Needed before anything that mentions ``taken`` is put inside ``e``, such as the deltas of a
    tangent.
    """
    taken = frozenset(taken)
    if not e.args or not taken:
        return e
    if isinstance(e, Binder):
        names = {t.name for t in taken}
        renaming = {
            b: fresh_index(b, taken | free_indices(e.body) | set(e.bound))
            for b in e.bound
            if b.name in names
        }
        body = substitute(e.body, renaming)
        return e.func(rename_apart(body, taken), *(renaming.get(b, b) for b in e.bound))
    return e.func(*(rename_apart(a, taken) if a.args else a for a in e.args))


def replace_entries(e: Expr, rule: Mapping[str, Any]) -> Expr:
    """``e`` with each entry whose name is in ``rule`` replaced by ``rule[name](entry)``.

    The value may mention the entry's own index expressions; bound indices of ``e`` that it mentions
    stay bound where they were, since the replacement is made in place. Bodies that bind indices
    must come through :func:`substitute`, which renames them apart.
    """
    if not (entry_names(e) & rule.keys()):
        return e
    if isinstance(e, Entry) and e.name in rule:
        return rule[e.name](e)
    return e.func(*(replace_entries(a, rule) if a.args else a for a in e.args))
