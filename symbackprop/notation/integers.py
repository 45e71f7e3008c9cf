"""Arrays of integers: which terms may stand between brackets as look-ups, ``E[t]``,
``P[arange(N), t]``.
"""

from __future__ import annotations

from symbackprop.errors import Malformed
from symbackprop.ir.families import split_member
from symbackprop.ir.terms import Term, names_in
from symbackprop.notation import syntax as s
from symbackprop.notation.scope import Scope

#: Operations whose value is integer where their operands are.
KEEPING = frozenset({
    "add", "sub", "mul", "neg", "index", "reshape", "swap", "flip", "take", "gather", "concat",
    "stack", "repeat", "transpose", "where", "compare", "broadcast", "onehot",
})  # fmt: skip


def is_integral(term: Term, scope: Scope) -> bool:
    """Whether every entry of ``term`` is an integer by what was declared."""
    if term.op == "name":
        parts = split_member(term.attrs[0])
        return (parts[0] if parts else term.attrs[0]) in scope.integers
    if term.op == "number":
        return bool(term.attrs[0].is_integer)
    if term.op in ("dim", "arange", "ones", "zeros", "eye"):
        return True
    return term.op in KEEPING and all(is_integral(a, scope) for a in term.args)


def require_integers(term: Term, tree: s.Tree, scope: Scope) -> Term:
    """``term``, if it may be used to look up entries."""
    if is_integral(term, scope):
        return term
    real = sorted(n for n in names_in(term) if n not in scope.integers)
    got = f"{', '.join(real)}, which is real" if real else "real numbers"
    hint = f"declare integer data: index {real[0] if real else 't'}[N] < K"
    raise Malformed("integers to look entries up by", got, tree.span, hint)
