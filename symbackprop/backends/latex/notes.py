r"""A derivation as a document: lecture notes in LaTeX, assembled from flat items by a template.

Takes a record (and what the record does not hold: title, statements as they were written, proofs to
print), gives the source of a document, or of a fragment to be included in one. The same input gives
the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.backends.latex.derivatives import Writer
from symbackprop.backends.latex.display import width
from symbackprop.backends.latex.equations import GRADIENT, notation_for
from symbackprop.backends.latex.graph import draw_network
from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.neurons import describe_functions
from symbackprop.backends.latex.proofs import IDENTITIES, Identity
from symbackprop.backends.latex.recurrences import (
    after_comma,
    notation_over_members,
    steps_of,
)
from symbackprop.backends.latex.rows import LINE, Line, Row, set_rows
from symbackprop.backends.latex.shapes import (
    ROLES,
    fact_sentence,
    forward_label,
    shape_text,
    space_text,
)
from symbackprop.backends.latex.symbols import Notation, escape_text
from symbackprop.backends.latex.terms import latex_term
from symbackprop.backends.templates import environment, version
from symbackprop.ir.derivation import DerivationRecord
from symbackprop.ir.expressions import Entry, entry_names
from symbackprop.ir.members import as_members
from symbackprop.ir.program import Equation, Program
from symbackprop.ir.terms import Term

MACROS = {
    "transpose": r"\sbT",
    "hadamard": r"\sbhad",
    "divide": r"\sbdiv",
    "ones": r"\sbones",
}


PLURALS = {
    GRADIENT: "gradients",
    "jacobian": "Jacobians",
    "hessian": "Hessians",
    "hvp": "Hessians along a direction",
    "jvp": "derivatives along a direction",
    "vjp": "pulled-back directions",
}


IMMEDIATE = (
    r"$\partial^{+} a / \partial b$ is the \emph{immediate} derivative: by the equation of $a$ "
    r"alone, every other quantity in it held constant. It is written where $b$ reaches $a$ also in "
    r"other ways, so that $\partial a / \partial b$, which counts all of them, is more."
)

# Signs on a line that has a statement and, beside it, the same by entries.
FORWARD = LINE - 6


@dataclass(frozen=True, slots=True)
class Symbol:
    """A row of the table of symbols."""

    symbol: str
    space: str
    role: str


STACKS = (
    "An array with more than two axes is a stack of matrices, which its last two axes make up: "
    "products and transposes are taken matrix by matrix, and an array with fewer axes stands for "
    "each part of the stack."
)
REARRANGED = (
    r"$\operatorname{swap}$ exchanges two axes, which count from $0$; $\operatorname{reshape}$ "
    "lists the entries in the same order, the last axis running fastest, in another shape."
)


LOOKED_UP = (
    "Whole numbers that are places count from $1$, as indices do: "
    r"$\operatorname{take}_{\mathrm{axis}\,0}(A, t)$ holds the rows of $A$ at the places in $t$, "
    r"$\operatorname{onehot}_{V}(t)$ has a row for each of them, with $1$ there and $0$ elsewhere."
)


def notes_source(
    record: DerivationRecord,
    *,
    title: str = "",
    statements: Sequence[tuple[str, Term]] | None = None,
    identities: Sequence[Identity] = IDENTITIES,
    fragment: bool = False,
) -> str:
    """LaTeX source of the notes on a derivation.

    Parameters
    ----------
    record : DerivationRecord
        What was derived, each derivative with its steps.
    title : str
        The model's name; any text, it is escaped.
    statements : sequence of (name, Term), optional
        The forward pass as it was written; by default the terms of the record's equations.
    identities : sequence of Identity
        Proofs, printed where their function occurs.
    fragment : bool
        Leave out preamble and ``document`` environment.
    """
    template = "notes-fragment.tex.jinja" if fragment else "notes.tex.jinja"
    return (
        environment("tex")
        .get_template(template)
        .render(contents(record, title, statements, identities))
    )


def contents(
    record: DerivationRecord,
    title: str,
    statements: Sequence[tuple[str, Term]] | None,
    identities: Sequence[Identity],
) -> dict[str, Any]:
    """Everything that the templates insert, as strings and flat items."""
    notation = notation_for(record, **MACROS)
    ranges = steps_of(record, notation)
    record = as_members(record)
    program = record.program
    written = dict(statements or [(e.name, e.term) for e in program.visible()])
    if ranges:
        notation = notation_over_members(notation, program)
    writer = Writer(record, notation, ranges)
    gradients = record.kind == GRADIENT
    plural = PLURALS[record.kind]
    return {
        "version": version(),
        "title": _title(title, record.kind),
        "opening": _opening(program, notation),
        "symbols": _symbols(program, notation, ranges),
        "facts": [f"{_capital(fact_sentence(f, notation))}." for f in program.facts],
        "picture": None if ranges else draw_network(program, notation, _shapes(program, notation)),
        "picture_caption": _caption(gradients),
        "forward": _forward(program, written, notation, ranges),
        "unnamed": _unnamed(program, notation),
        "neurons": describe_functions(program, tuple(written.values()), identities, notation),
        "further_conventions": _further_conventions(program, record, notation),
        "chain_rule": _chain_rule(record, notation),
        "derivatives_title": f"The {plural}",
        "derivatives": [writer.section(d) for d in record.derivatives],
        "summary_head": "gradient" if gradients else "derivative",
        "summary": writer.summary(record.derivatives),
        "summary_caption": f"All {plural}.",
        **_training(record, notation),
    }


def _title(title: str, kind: str) -> str:
    subject = "Backpropagation" if kind == GRADIENT else _capital(PLURALS[kind])
    return f"{subject}: {escape_text(title)}" if title else subject


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _shapes(program: Program, notation: Notation) -> dict[str, str]:
    return {e.name: shape_text(e.shape, notation) for e in program.visible()}


def _opening(program: Program, notation: Notation) -> str:
    dims = ", ".join(notation.name(d.name) for d in program.dims)
    text = "The network is the list of equations in Section~\\ref{sec:sb:forward}; "
    text += "Table~\\ref{tab:sb:symbols} lists what occurs in them."
    if dims:
        noun = "extents" if len(program.dims) > 1 else "extent"
        text += f" The {noun} ${dims}$ may be any whole number from $1$ on."
    if program.functions:
        several = "functions" if len(program.functions) > 1 else "function"
        names = ", ".join(notation.name(f) for f in program.functions)
        text += f" The {several} ${names}$ may be any differentiable function of one variable."
    return text


def _symbols(program: Program, notation: Notation, ranges: Mapping[str, str]) -> list[Symbol]:
    def at(name: str) -> str:
        return f", ${ranges[name]}$" if name in ranges else ""

    rows = [
        Symbol(notation.name(q.name), space_text(q.shape, notation), ROLES[q.role] + at(q.name))
        for q in program.inputs
    ]
    for equation in program.equations:
        what = "output, computed" if equation.name == program.output else "computed"
        role = rf"{what} by \eqref{{{forward_label(equation.name)}}}{at(equation.name)}"
        space = space_text(equation.shape, notation)
        rows.append(Symbol(notation.name(equation.name), space, role))
    return rows


def _caption(gradients: bool) -> str:
    text = "What each equation uses: parameters above, data below."
    if gradients:
        text += " The gradients run along the same arrows, backwards."
    return text


def _unnamed(program: Program, notation: Notation) -> str:
    symbols = [f"${notation.name(e.name)}$" for e in program.equations if e.hidden]
    if not symbols:
        return ""
    listed = symbols[0] if len(symbols) == 1 else rf"{symbols[0]}, \dots, {symbols[-1]}"
    verb = "is a subexpression" if len(symbols) == 1 else "are subexpressions"
    return f" Here {listed} {verb} to which the model gives no name."


def _forward(
    program: Program, written: dict[str, Term], notation: Notation, ranges: Mapping[str, str]
) -> list[Row]:
    """Each statement in matrix form, and by entries: beside it where the columns leave room."""
    lines = [
        _forward_line(e, written.get(e.name, e.term), notation, ranges.get(e.name, ""))
        for e in program.equations
    ]
    beside = [line for line in lines if line.entry and line.width <= FORWARD]
    while beside and max(x.left for x in beside) + max(x.right for x in beside) > FORWARD:
        beside.remove(max(beside, key=lambda line: line.width))
    return [row for line in lines for row in _forward_rows(line, line in beside)]


@dataclass(frozen=True, slots=True)
class _ForwardLine:
    """A statement and its entry, both as the two sides of a relation; the entry may be empty."""

    whole: tuple[str, str]
    entry: tuple[str, str] | tuple[()]
    label: str

    @property
    def left(self) -> float:
        return width(" = ".join(self.whole))

    @property
    def right(self) -> float:
        return width(" = ".join(self.entry))

    @property
    def width(self) -> float:
        return self.left + self.right


def _forward_line(equation: Equation, term: Term, notation: Notation, steps: str) -> _ForwardLine:
    label = forward_label(equation.name)
    left = latex_entry(Entry(equation.name, *equation.indices), notation)
    entry = left, latex_entry(equation.rhs, notation, free=equation.indices)
    if term.op == "entries":
        return _ForwardLine((entry[0], entry[1] + after_comma(steps)), (), label)
    whole = notation.name(equation.name), latex_term(term, notation) + after_comma(steps)
    return _ForwardLine(whole, () if entry == whole else entry, label)


def _forward_rows(line: _ForwardLine, beside: bool) -> list[Row]:
    name, whole = line.whole
    if beside:
        entry = " = ".join(line.entry)
        return [Row(name, "=", whole, rf"{entry} \quad", rf"\label{{{line.label}}}")]
    rows = [*set_rows(name, [Line(whole, "", line.label)])]
    if line.entry:
        left, right = line.entry
        rows += set_rows(left, [Line(right, "")])
    return rows


def _further_conventions(
    program: Program, record: DerivationRecord, notation: Notation
) -> list[str]:
    out = []
    ops: set[str] = set()
    for equation in program.visible():
        _operations(equation.term, ops)
    if ops & {"softmax", "log_softmax"}:
        out.append(
            r"$\operatorname{softmax}$ of a matrix acts on each row by itself, unless an axis is "
            "given."
        )
    if any(len(e.shape) > 2 for e in program.visible()) and "matmul" in ops:
        out.append(STACKS)
    if ops & {"swap", "reshape"}:
        out.append(REARRANGED)
    if ops & {"take", "onehot", "gather"}:
        out.append(LOOKED_UP)
    if notation.immediate:
        out.append(IMMEDIATE)
    if ops & {"max", "min", "var", "prod", "logsumexp"}:
        out.append("Axes of an operation count from $0$, the rows.")
    if record.layout == "jacobian" and record.kind == GRADIENT:
        out.append(
            "In these notes derivatives by a matrix are transposed: they have the shape of a row."
        )
    if notation.of not in {q.name for q in program.inputs} | {e.name for e in program.equations}:
        out.append(
            rf"${notation.name(notation.of)}$ is any scalar that depends on "
            rf"${notation.name(record.of)}$ and on nothing else of the network directly."
        )
    return out


def _operations(term: Term, found: set[str]) -> None:
    found.add(term.op)
    for a in term.args:
        _operations(a, found)


def _chain_rule(record: DerivationRecord, notation: Notation) -> dict[str, str]:
    names = dict.fromkeys(n for d in record.derivatives for n in d.wrt)
    order = ", ".join(f"${notation.name(n)}$" for n in names)
    opening = (
        r"Let a number $\ell$ depend on $\theta \in \mathbb{R}^{M}$ through $h \in \mathbb{R}^{N}$ "
        "alone. Then"
    )
    formula = (
        r"\frac{\partial \ell}{\partial \theta_k} = \sum_{i=1}^{N} "
        r"\frac{\partial \ell}{\partial h_i} \frac{\partial h_i}{\partial \theta_k}, "
        r"\qquad \text{that is,} \qquad "
        r"\nabla_{\theta} \ell = \Bigl( \frac{\partial h}{\partial \theta} \Bigr)^{\sbT} "
        r"\nabla_{h} \ell ."
    )
    closing = (
        "Where several equations use a quantity, the contributions of all of them are added. "
        "The derivatives by what stands last in the forward pass come directly from its formula; "
        f"from there the chain runs back, here in the order {order}."
    )
    return {"opening": opening, "formula": formula, "closing": closing}


def _is_objective(program: Program, of: str) -> bool:
    """Whether a scalar is there to be made small: it looks at data, or there are targets.

    The output of a single neuron is a number too, but nobody descends along it.
    """
    used = entry_names(program.equation(of).rhs)
    return bool(used & set(program.data)) or len(program.data) > 1


def _training(record: DerivationRecord, notation: Notation) -> dict[str, str]:
    """The step of gradient descent for every parameter with a gradient; none, no section."""
    program = record.program
    rate = r"\alpha" if "alpha" not in notation.names else r"\eta"
    derived = {d.wrt[0] for d in record.derivatives if d.kind == GRADIENT}
    names = [notation.name(p) for p in program.params if p in derived]
    if program.shape_of(record.of) or not names or not _is_objective(program, record.of):
        return {"updates": "", "rate": rate, "training_remark": ""}
    of = notation.name(record.of)
    steps = [rf"{p} \leftarrow {p} - {rate} \nabla_{{{p}}} {of}" for p in names]
    lines = [r", \qquad ".join(steps[k : k + 3]) for k in range(0, len(steps), 3)]
    updates = r", \\ ".join(lines) + " ."
    remark = (
        "With all samples at once this is gradient descent; with one sample, or a few, drawn anew "
        "for each step, it is stochastic gradient descent."
    )
    body = rf"\begin{{gathered}} {updates} \end{{gathered}}" if len(lines) > 1 else updates
    return {"updates": body, "rate": rate, "training_remark": remark}
