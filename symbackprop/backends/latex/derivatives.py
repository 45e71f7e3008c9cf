r"""The sections on the derivatives: each by entries with reasons, then as a formula in a box.

Takes a record, gives flat items for the template. A gradient that is an outer product gets the step
by columns, one that is a Jacobian's transpose times the gradient of its consumer gets the step that
says so, and where adjoints are short the formula in forward quantities is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Mul

from symbackprop.backends.latex.abbreviations import Abbreviator
from symbackprop.backends.latex.arithmetic import scalar_content
from symbackprop.backends.latex.display import broken, width
from symbackprop.backends.latex.equations import (
    GRADIENT,
    derivative_entry,
    derivative_name,
    latex_form,
)
from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.reasons import typeset_reason
from symbackprop.backends.latex.recurrences import after_comma
from symbackprop.backends.latex.rows import (
    LINE,
    WIDE_LEFT,
    Line,
    Row,
    set_definitions,
    set_rows,
)
from symbackprop.backends.latex.shapes import (
    fact_sentence,
    forward_label,
    label_key,
    shape_text,
    space_text,
)
from symbackprop.backends.latex.symbols import ADJOINT, Notation
from symbackprop.backends.latex.terms import latex_term
from symbackprop.ir.derivation import DerivationRecord, Derivative
from symbackprop.ir.expressions import (
    Entry,
    IndexMax,
    IndexProduct,
    IndexSum,
    Partial,
    entry_names,
    substitute,
)
from symbackprop.ir.families import split_member
from symbackprop.ir.program import Equation
from symbackprop.ir.replacement import replace_entries
from symbackprop.ir.terms import Term, names_in, size, transpose
from symbackprop.matrix.substitution import draw_out_scale, replace_names

# A formula in a box, a formula in the table, and an adjoint that is put into others, at most.
BOXED = 55.0
TABLED = 40.0
TABLE = 56.0  # a formula in the table and the widest shape beside it
# The entry in forward quantities, and a formula beside a reason.
ENTRY = 36.0
REASONED = 40.0
SHORT = 12


ARRAYS = {1: "a vector", 2: "a matrix"}
# What a derivative of each kind is called in a heading.
WORDS = {
    GRADIENT: "Gradient",
    "jacobian": "Jacobian",
    "hessian": "Hessian",
    "hvp": "Hessian along a direction",
    "jvp": "Derivative along a direction",
    "vjp": "Pulled-back direction",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One derivative as the template prints it."""

    key: str
    title: str
    opening: str
    rows: tuple[Row, ...]
    row_definitions: tuple[Row, ...]
    lifting: str
    matrix_rows: tuple[Row, ...]
    boxed: str
    definitions: tuple[Row, ...]
    space: str
    label: str
    closing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A line of the table at the end."""

    left: str
    right: str
    shape: str
    label: str


class Writer:
    """Writes the derivatives of one record; remembers which adjoints are short enough to put in."""

    def __init__(
        self, record: DerivationRecord, notation: Notation, steps: Mapping[str, str]
    ) -> None:
        self.record, self.notation, self.steps = record, notation, steps
        self.abbreviator = Abbreviator(notation)
        self.short: dict[str, Term] = {}
        self.entries: dict[str, Equation] = {}
        for derivative in record.derivatives:
            self._remember(derivative)

    def _remember(self, derivative: Derivative) -> None:
        closed = self._closed(derivative.equation.term)
        adjoints = any(n.startswith(ADJOINT) for n in names_in(closed))
        if derivative.kind == GRADIENT and size(closed) <= SHORT and not adjoints:
            self.short[derivative.equation.name] = closed
        entry = self._closed_entry(derivative.equation.rhs)
        plain = not entry.has(IndexSum, IndexMax, IndexProduct)
        if plain and not any(n.startswith(ADJOINT) for n in entry_names(entry)):
            self.entries[derivative.equation.name] = replace(derivative.equation, rhs=entry)

    def _closed_entry(self, entry: Expr) -> Expr:
        """The entry with short adjoints put in; none of them binds an index, so none captures."""

        def value(equation: Equation) -> Callable[[Entry], Expr]:
            return lambda e: substitute(
                equation.rhs, dict(zip(equation.indices, e.indices, strict=True))
            )

        return replace_entries(entry, {n: value(e) for n, e in self.entries.items()})

    def _closed(self, term: Term) -> Term:
        used = {n: self.short[n] for n in names_in(term) if n in self.short}
        return draw_out_scale(replace_names(term, used)) if used else term

    def section(self, derivative: Derivative) -> Section:
        """The section on one derivative."""
        key = derivative_key(derivative)
        rows, row_definitions = self._rows(derivative, key)
        boxed, definitions = self._boxed(derivative)
        return Section(
            key=key,
            title=self._title(derivative),
            opening=self._opening(derivative),
            rows=rows,
            row_definitions=row_definitions,
            lifting=_lifting(derivative),
            matrix_rows=self._matrix_rows(derivative, f"eq:sb:{key}"),
            boxed=boxed,
            definitions=set_definitions(definitions),
            space=space_text(derivative.shape, self.notation),
            label=f"eq:sb:{key}",
            closing=self._closing(derivative),
        )

    def summary(self, derivatives: Sequence[Derivative]) -> list[SummaryRow]:
        """The table of all derivatives; formulas that leave no room for the shapes are left out."""
        shapes = [shape_text(d.shape, self.notation) for d in derivatives]
        room = min(TABLED, TABLE - max(map(width, shapes), default=0.0))
        rows = []
        for derivative, shape in zip(derivatives, shapes, strict=True):
            term = latex_term(derivative.equation.term, self.notation)
            formula = f"${term}$" if width(term) <= room else "see the equation"
            label = f"eq:sb:{derivative_key(derivative)}"
            rows.append(SummaryRow(self._name(derivative), formula, shape, label))
        return rows

    def _title(self, derivative: Derivative) -> str:
        """The heading, and the same without mathematics for the outline of the PDF."""
        of = self.notation.of if derivative.kind == GRADIENT else derivative.of
        plain = f"{label_key(derivative.of)} by {' and '.join(map(label_key, derivative.wrt))}"
        by = " and ".join(f"${self.notation.name(n)}$" for n in derivative.wrt)
        symbols = f"${self.notation.name(of)}$ by {by}"
        return rf"{WORDS[derivative.kind]} of \texorpdfstring{{{symbols}}}{{{plain}}}"

    def _opening(self, derivative: Derivative) -> str:
        program, wrt = self.record.program, derivative.wrt[0]
        symbol = self.notation.name(wrt)
        space = space_text(
            derivative.shape if wrt.endswith("]") else program.shape_of(wrt), self.notation
        )
        single = split_member(wrt)
        if single is not None and wrt not in self.steps:
            return rf"${symbol} \in {space}$ stands at an end of the recurrence."
        users = list(dict.fromkeys(e.name for e in program.equations if _is_used(wrt, e)))
        where = _enumerated([rf"\eqref{{{forward_label(u)}}}" for u in users])
        noun = "equation" if len(users) == 1 else "equations"
        return rf"${symbol} \in {space}$ is used in {noun}~{where}." if users else ""

    def _rows(self, derivative: Derivative, key: str) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """The lines by entries, without those that repeat what stands above; then definitions."""
        of_rank = len(self.record.program.shape_of(derivative.of))
        directions = self.record.directions
        left = derivative_entry(derivative, of_rank, self.notation, directions)
        lines: list[Line] = []
        definitions: list[str] = []
        gradient: tuple[Row, ...] = ()
        above, before = left, None
        for step in derivative.steps:
            if isinstance(step.form, Term) or self._unnamed(step.form):
                continue
            # The first step to a Hessian is the gradient, which is not yet equal to the result.
            if derivative.kind == "hessian" and step is derivative.steps[0]:
                gradient = self._gradient(derivative, step.form, key)
                continue
            room = LINE - (width(left) if width(left) <= WIDE_LEFT else 4.0)
            formula, named = self.abbreviator.entry(step.form, room, derivative.equation.indices)
            if formula != above:
                definitions += named
                reason = typeset_reason(step.because, self.notation.names, self.notation)
                reason += self._slope(before, step.form, derivative)
                lines.append(Line(formula, reason, f"eq:sb:{key}:{len(lines) + 1}"))
                above = formula
            before = step.form
        lines += self._in_forward_quantities(derivative, above, f"eq:sb:{key}:{len(lines) + 1}")
        return (*gradient, *set_rows(left, lines)), set_definitions(definitions)

    def _gradient(self, derivative: Derivative, form: Expr, key: str) -> tuple[Row, ...]:
        """The line from which a second derivative starts: the gradient, by entries."""
        wrt = derivative.wrt[0]
        rank = len(self.record.program.shape_of(wrt))
        entry = Entry(ADJOINT + wrt, *derivative.equation.indices[:rank])
        line = Line(self._entry(form, derivative), "the gradient", f"eq:sb:{key}:0")
        return set_rows(self._entry(entry, derivative), [line])

    def _in_forward_quantities(self, derivative: Derivative, above: str, label: str) -> list[Line]:
        """The line with no adjoint left, where it is short."""
        entry = derivative.equation.rhs
        used = [n for n in sorted(entry_names(entry)) if n in self.entries]
        formula = self._entry(drawn_out(self._closed_entry(entry)), derivative)
        if not used or formula == above or width(formula) > ENTRY:
            return []
        put_in = ", ".join(self._slashed(self.entries[n], derivative) for n in used)
        return [Line(formula, f"put in ${put_in}$", label)]

    def _slashed(self, adjoint: Equation, derivative: Derivative) -> str:
        """What was put in: a gradient, or what changes along a direction."""
        if not adjoint.name.startswith(ADJOINT):
            return self._entry(Entry(adjoint.name, *adjoint.indices), derivative)
        below = Entry(adjoint.name.removeprefix(ADJOINT), *adjoint.indices)
        above = self.notation.name(self.notation.of)
        return rf"\partial {above} / \partial {self._entry(below, derivative)}"

    def _unnamed(self, form: Expr) -> bool:
        """Whether a line mentions the adjoint of a subexpression that bears no name."""
        made = (n.removeprefix(ADJOINT) for n in entry_names(form))
        return any(n.startswith("_") and n not in self.notation.spelling for n in made)

    def _slope(self, before: Expr | None, after: Expr, derivative: Derivative) -> str:
        """What one derivative of a line became in the next: ``∂Z_ni/∂W_md = X_nd δ_im``."""
        taken = slope_taken(before, after) if before is not None else None
        if taken is None:
            return ""
        partial, slope = taken
        above, below = (self._entry(e, derivative) for e in partial.args)
        sign = self.notation.partial(*(e.name for e in partial.args))
        formula = rf"{sign} {above} / \partial {below} = {self._entry(slope, derivative)}"
        return f": ${formula}$" if width(formula) <= REASONED else ""

    def _entry(self, form: Expr, derivative: Derivative) -> str:
        return latex_entry(form, self.notation, free=derivative.equation.indices)

    def _name(self, derivative: Derivative) -> str:
        return derivative_name(derivative, self.notation, self.record.directions)

    def _matrix_rows(self, derivative: Derivative, label: str) -> tuple[Row, ...]:
        ways = (self._by_jacobian(derivative), self._by_columns(derivative))
        lines = [way for way in ways if way is not None]
        left = self._name(derivative)
        return set_rows(left, [replace(w, label=f"{label}:{w.label}") for w in lines])

    def _by_jacobian(self, derivative: Derivative) -> Line | None:
        """``∇_θ L = (∂ŷ/∂θ)ᵀ ∇_ŷ L`` where the gradient is a matrix times an adjoint vector."""
        term = derivative.equation.term
        if derivative.kind != GRADIENT or term.op != "matmul" or len(derivative.shape) != 1:
            return None
        matrix, adjoint = term.args
        if adjoint.op != "name" or adjoint.rank != 1 or not adjoint.attrs[0].startswith(ADJOINT):
            return None
        of = adjoint.attrs[0].removeprefix(ADJOINT)
        above, sign = self.notation.name(of), self.notation.partial(of, derivative.wrt[0])
        jacobian = rf"\frac{{{sign} {above}}}{{\partial {self.notation.name(derivative.wrt[0])}}}"
        value = latex_term(transpose(matrix), self.notation)
        if matrix.op == "transpose":
            value = latex_term(matrix.args[0], self.notation)
        formula = (
            rf"\left( {jacobian} \right)^{{{self.notation.transpose}}} "
            f"{latex_term(adjoint, self.notation)}"
        )
        slashed = rf"{sign} {above} / \partial {self.notation.name(derivative.wrt[0])}"
        return Line(formula, rf"chain rule; the Jacobian ${slashed}$ is ${value}$", "jacobian")

    def _by_columns(self, derivative: Derivative) -> Line | None:
        """An outer product by its columns, which stand side by side: ``[θ_1 u, …, θ_M u]``."""
        term = derivative.equation.term
        if term.op != "outer":
            return None
        u, v = (latex_form(a, self.notation) for a in term.args)
        name = term.args[0].attrs[0] if term.args[0].op == "name" else ""
        if name.startswith(ADJOINT):
            by = self.notation.name(name.removeprefix(ADJOINT))
            u = rf"\frac{{\partial {self.notation.name(self.notation.of)}}}{{\partial {by}}}"
        elif term.args[0].op != "name":
            u = f"({u})"
        base = v if term.args[1].op == "name" and "_" not in v else f"({v})"
        last = latex_entry(derivative.shape[1], self.notation)
        formula = rf"\left[ {base}_{{1}} {u},\ \dots,\ {base}_{{{last}}} {u} \right]"
        return Line(formula, "the columns, side by side", "columns")

    def _boxed(self, derivative: Derivative) -> tuple[str, tuple[str, ...]]:
        """The relation for the box, broken where it is long, and definitions of what it names."""
        left, term = self._name(derivative), derivative.equation.term
        room = BOXED - min(width(left), BOXED / 2)
        whole, definitions = self.abbreviator.term(term, room)
        closed = latex_term(self._closed(term), self.notation)
        steps = after_comma(self.steps.get(derivative.equation.name, ""))
        both = f"{left} = {whole} = {closed}{steps}"
        if not definitions and closed != whole and width(both) <= BOXED:
            return both, ()
        if width(f"{left} = {whole}{steps}") <= BOXED:
            return f"{left} = {whole}{steps}", definitions
        first, *more = broken(whole, room)
        lines = [f"{left} &= {first}", *(rf"&\qquad {line}" for line in more)]
        if steps:
            lines.append(rf"&\qquad {self.steps[derivative.equation.name]}")
        rows = r" \\ ".join(lines)
        return rf"\begin{{aligned}} {rows} \end{{aligned}}", definitions

    def _closing(self, derivative: Derivative) -> tuple[str, ...]:
        facts = dict.fromkeys(fact_sentence(f, self.notation) for f in derivative.facts)
        return (f"Here it was used that {_enumerated(list(facts))}.",) if facts else ()


def _is_used(wrt: str, equation: Equation) -> bool:
    """Whether an equation uses a quantity; of a family, the member at some step."""
    own = split_member(wrt)
    if own is None:
        return wrt in entry_names(equation.rhs)
    for name in entry_names(equation.rhs):
        other = split_member(name)
        if other is not None and other[0] == own[0] and (name == wrt or equation.step):
            return True
    return False


def derivative_key(derivative: Derivative) -> str:
    """The part of labels that tells one derivative from another."""
    return ":".join(label_key(n) for n in derivative.wrt)


def _lifting(derivative: Derivative) -> str:
    rank = len(derivative.shape)
    if rank == 0:
        return "The result is a number:"
    return f"All entries together form {ARRAYS.get(rank, 'an array')}:"


def _enumerated(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if items[1:] else items)


def drawn_out(e: Expr) -> Expr:
    """``Σ 2 a → 2 Σ a``: numbers and extents in front of the outermost sum."""
    if not isinstance(e, IndexSum):
        return e
    content = scalar_content(e.body)
    return Mul(content, IndexSum(e.body / content, *e.bound), evaluate=False)


def slope_taken(before: Expr, after: Expr) -> tuple[Partial, Expr] | None:
    """``Σ u ∂q`` and ``Σ u s`` → ``∂q, s``: the derivative that was worked out, and its value.

    None where the lines hold more than one derivative, or have no common factor ``u``.
    """
    partials = before.atoms(Partial)
    if len(partials) != 1 or after.atoms(Partial):
        return None
    partial = partials.pop()
    if isinstance(before, IndexSum) and isinstance(after, IndexSum):
        if before.bound != after.bound:
            return None
        before, after = before.body, after.body
    upper = before / partial
    factors = {f.as_base_exp()[0] for f in Mul.make_args(upper)}
    slope = after / upper
    left_over = any(f.as_base_exp()[0] in factors for f in Mul.make_args(slope))
    # Without a factor the line itself says what the derivative is.
    return None if upper == 1 or left_over or slope.has(IndexSum) else (partial, slope)
