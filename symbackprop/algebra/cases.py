"""Case analysis over steps: an expression vanishes if it does in every case that can occur.

A case says of each ``step(u)`` whether u > 0. Whether it can occur is decided for the linear
inequalities alone, monomials taken as independent variables: a case that cannot occur linearly
cannot occur at all. Inequalities are eliminated by the method of Fourier and Motzkin, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from sympy import Add, Expr, Integer, Mul, Rational, Tuple, reduced

from symbackprop.algebra.atoms import hide_atoms
from symbackprop.algebra.context import Context, is_nonnegative
from symbackprop.algebra.expand import expand
from symbackprop.algebra.exponents import reduce_powers
from symbackprop.algebra.signs import is_positive, vanishes_by_accident
from symbackprop.ir.expressions import Apply
from symbackprop.ir.ordering import order_key

STEP_LIMIT = 6
ROW_LIMIT = 120
Row = tuple[dict[Expr, Rational], bool]  # Σ c m > 0 (True) or ≥ 0; the monomial 1 is the constant


def vanishes_by_cases(e: Expr, context: Context) -> bool:
    """Whether ``e`` is 0 in every case of the steps among its factors that can occur."""
    steps = _steps(e)
    if not steps or len(steps) > STEP_LIMIT:
        return False
    for case in product((Integer(0), Integer(1)), repeat=len(steps)):
        chosen = dict(zip(steps, case, strict=True))
        if _can_occur(chosen, context):
            value = expand(reduce_powers(e.xreplace(chosen)), context)
            if value != 0 and not _multiple(value, _zeros(chosen, context)):
                return False
    return True


def _zeros(case: dict[Apply, Integer], context: Context) -> list[Expr]:
    """What is 0 in this case, since it is neither above nor below."""
    off = [s.operands[0] for s, v in case.items() if v == 0]
    turned = {expand(-u, context) for u in off}
    return [u for u in off if u in turned]


def _multiple(e: Expr, zeros: list[Expr]) -> bool:
    """Whether ``e`` is a combination of these polynomials."""
    if not zeros:
        return False
    hidden, _ = hide_atoms(Tuple(e, *zeros))
    if any(not h.is_polynomial() for h in hidden):
        return False
    return bool(reduced(hidden[0], list(hidden[1:]))[1] == 0)


def _steps(e: Expr) -> tuple[Apply, ...]:
    """Steps among the factors of the terms of ``e``, and those in their arguments, inner ones
    first.
    """
    found: dict[Apply, None] = {}

    def visit(x: Expr) -> None:
        for t in Add.make_args(x):
            for f in Mul.make_args(t):
                if isinstance(f, Apply) and f.name == "step":
                    visit(f.operands[0])
                    found[f] = None

    visit(e)
    return tuple(sorted(found, key=lambda s: (len(order_key(s)), order_key(s))))


def _can_occur(case: dict[Apply, Integer], context: Context) -> bool:
    rows: list[Row] = []
    for step, value in case.items():
        inner = {s: v for s, v in case.items() if s != step}
        u = expand(step.operands[0].xreplace(inner), context)
        if u.is_Number:
            if (u > 0) != (value == 1):
                return False
            continue
        # Away from accidental zeros, u is below 0 where its step is 0.
        strict = value == 1 or vanishes_by_accident(u, context)
        rows.append((_linear(u if value == 1 else -u), strict))
    rows += list(_known(rows, context))
    return _feasible(rows)


def _linear(u: Expr) -> dict[Expr, Rational]:
    out: dict[Expr, Rational] = {}
    for t in Add.make_args(u):
        c, m = t.as_coeff_Mul()
        if not c.is_Rational:
            c, m = Integer(1), t
        out[m] = out.get(m, Integer(0)) + c
    return out


def _known(rows: list[Row], context: Context) -> Iterator[Row]:
    """Signs of the monomials that are known."""
    for m in {m: None for row, _ in rows for m in row}:
        if m != 1 and is_nonnegative(m, context):
            yield {m: Integer(1)}, is_positive(m, context)


def _feasible(rows: list[Row]) -> bool:
    """Whether these inequalities have a solution; True where that is too long to find out."""
    unknowns = sorted({m for row, _ in rows for m in row if m != 1}, key=order_key)
    for m in unknowns:
        above = [r for r in rows if r[0].get(m, 0) > 0]
        below = [r for r in rows if r[0].get(m, 0) < 0]
        rows = [r for r in rows if r[0].get(m, 0) == 0]
        rows += [_combined(a, b, m) for a in above for b in below]
        if len(rows) > ROW_LIMIT:
            return True
    one = Integer(1)
    return all(row.get(one, 0) > 0 or (row.get(one, 0) == 0 and not strict) for row, strict in rows)


def _combined(a: Row, b: Row, m: Expr) -> Row:
    """The sum of multiples of two inequalities in which ``m`` cancels."""
    p, q = a[0][m], -b[0][m]
    out: dict[Expr, Rational] = {}
    for row, factor in ((a[0], q), (b[0], p)):
        for k, c in row.items():
            out[k] = out.get(k, Integer(0)) + c * factor
    del out[m]
    return out, a[1] or b[1]
