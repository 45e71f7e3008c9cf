"""Our nodes as opaque symbols: SymPy's rational algebra works on what lies between them."""

from __future__ import annotations

from sympy import Add, Dummy, Expr, Integer, Mul, Pow, Tuple, together

from symbackprop.ir.expressions import Index


def hide_atoms(u: Expr) -> tuple[Expr, dict[Dummy, Expr]]:
    """``u`` as a rational function of symbols that stand for our nodes, and what each stands
    for.
    """
    atoms: dict[Expr, Dummy] = {}

    def hide(x: Expr) -> Expr:
        if isinstance(x, Add | Mul | Tuple) or (isinstance(x, Pow) and x.exp.is_Integer):
            return x.func(*(hide(a) for a in x.args))
        if not x.args and not isinstance(x, Index):
            return x
        return atoms.setdefault(x, Dummy(f"a{len(atoms)}"))

    return hide(u), {d: a for a, d in atoms.items()}


def together_atoms(u: Expr) -> Expr:
    """SymPy's ``together`` with our nodes as opaque symbols."""
    if not isinstance(u, Add | Mul | Pow):
        return u
    hidden, shown = hide_atoms(u)
    return together(hidden).xreplace(shown)


def base_and_exponent(f: Expr) -> tuple[Expr, Expr]:
    """A factor as base and exponent."""
    return (f.base, f.exp) if isinstance(f, Pow) else (f, Integer(1))
