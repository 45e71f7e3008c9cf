r"""Over what the letters of a formula run, as far as the arrays on which they stand show it.

In ``\delta_{ik} \delta_{jn} F_{ji}`` the letters of F tell which of all extents the δ's are about;
nothing else does where the left side is only being defined. What is shown is a preference: which
reading holds is decided by comparing values.
"""

from __future__ import annotations

from sympy import Expr

from symbackprop.checking.read import read
from symbackprop.checking.readings import Unreadable
from symbackprop.checking.scope import Scope
from symbackprop.checking.spellings import is_letter, item_text, scripts_of
from symbackprop.notation.written import Bracket, Mark, Name, Node, Number, Script, walk


def shown_extents(node: Node, scope: Scope) -> dict[str, Expr]:
    """The extents of letters on arrays, and of those that a δ makes equal to them."""
    scripted = [n for n in walk(node) if isinstance(n, Script) and n.subs]
    pairs = [n.subs for n in scripted if _is_delta(n)]
    if len(pairs) < 2:
        return {}
    shown: dict[str, Expr] = {}
    for here in scripted:
        if not _is_delta(here) and all(map(is_letter, here.subs)):
            for letter, extent in zip(here.subs, _shape(here, scope), strict=False):
                shown.setdefault(item_text(letter), extent)
    for pair in pairs:
        i, j = map(item_text, pair)
        for known, other in ((i, j), (j, i)):
            if known in shown and other:
                shown.setdefault(other, shown[known])
    return shown


def _is_delta(node: Script) -> bool:
    base = node.base
    return isinstance(base, Name) and base.text == "delta" and len(node.subs) == 2


def _shape(node: Script, scope: Scope) -> tuple[Expr, ...]:
    """The shape of the array on which letters stand; nothing if it has not as many axes."""
    base = scripts_of(node).base
    if isinstance(base, Mark | Number) or not isinstance(base, Name | Bracket):
        return ()
    try:
        found = read(base, scope)[0]
    except Unreadable:
        return ()
    return found.shape if found.rank == len(node.subs) else ()
