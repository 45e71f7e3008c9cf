"""The section on the functions of the neurons: definition, slope, value at 0, and the proofs.

Takes the program, gives one item for each function that occurs in it, in the order met.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr, fraction

from symbackprop.backends.latex.equations import latex_form
from symbackprop.backends.latex.index import latex_entry
from symbackprop.backends.latex.proofs import DEFINITIONS, Identity, softmax_slope
from symbackprop.backends.latex.reasons import typeset_reason
from symbackprop.backends.latex.rows import Line, Row, set_rows
from symbackprop.backends.latex.symbols import Notation, escape_text, function_name
from symbackprop.backends.latex.terms import latex_term
from symbackprop.ir.expressions import Apply, Entry, Index, IndexSum, substitute
from symbackprop.ir.functions import PRIMITIVES, FunctionRule
from symbackprop.ir.program import Program
from symbackprop.ir.terms import Term
from symbackprop.library.activations import ACTIVATIONS, REMARKS

# Functions that every reader knows, and the operations that are functions of a whole vector.
KNOWN = frozenset({"exp", "log", "sqrt", "abs", "sign", "step", "maximum", "minimum", "sin", "cos"})
TITLES = {
    "sigmoid": "Sigmoid",
    "tanh": "Hyperbolic tangent",
    "relu": "Rectified linear unit",
    "softplus": "Softplus",
    "softmax": "Softmax layer",
}
VECTOR_FUNCTIONS = ("softmax", "log_softmax")


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as the template prints it."""

    title: str
    rows: tuple[Row, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class Neuron:
    """A function as the template prints it; ``definition`` may be empty (an abstract function)."""

    title: str
    text: str
    definition: str
    label: str
    proofs: tuple[Proof, ...]


def describe_functions(
    program: Program, terms: Sequence[Term], identities: Sequence[Identity], notation: Notation
) -> tuple[Neuron, ...]:
    """An item for each function that the terms apply, except those that every reader knows."""
    used: dict[str, None] = {}
    for term in terms:
        _collect(term, used)
    return tuple(
        _abstract(name)
        if name in program.functions
        else _neuron(name, program, identities, notation)
        for name in used
        if name not in KNOWN
    )


def _collect(term: Term, used: dict[str, None]) -> None:
    for a in term.args:
        _collect(a, used)
    if term.op == "apply":
        used[term.attrs[0]] = None
    elif term.op in VECTOR_FUNCTIONS:
        used["softmax"] = None
    elif term.op == "entries":
        for node in term.attrs[1].atoms(Apply):
            used[node.name] = None


def _abstract(name: str) -> Neuron:
    f = function_name(name)
    text = (
        rf"${f}$ is any differentiable function of one variable, applied entry by entry; "
        rf"its slope is written ${f}'$."
    )
    return Neuron(f"The function ${f}$", text, "", "", ())


def _neuron(
    name: str, program: Program, identities: Sequence[Identity], notation: Notation
) -> Neuron:
    if name in program.functions:
        return _abstract(name)
    label = f"eq:sb:function:{name.replace('_', '-')}"
    if name == "softmax":
        return _softmax(program, notation, label)
    proofs = tuple(_proof(p, notation) for p in identities if p.function == name)
    rule = program.rules.get(name) or PRIMITIVES[name].rule
    text = _remark(name)
    if rule.at_zero:
        text += f" {_at_zero(rule, notation)}"
    return Neuron(TITLES.get(name, escape_text(name)), text, _definition(rule), label, proofs)


def _at_zero(rule: FunctionRule, notation: Notation) -> str:
    """The convention at a kink, as a sentence."""
    if rule.name == "relu":
        return "By convention its slope at~$0$ is~$0$."
    sentence = typeset_reason(rule.at_zero, frozenset({"alpha"}), notation)
    return f"By convention {sentence}."


def _remark(name: str) -> str:
    known = {a.name: a.remark for a in ACTIVATIONS} | REMARKS
    remark = known.get(name, "")
    # A lone figure at the start of a line looks lost: it is tied to the word before it.
    tied = re.sub(r" (?=\d)", "~", escape_text(remark))
    return f"{tied[0].upper()}{tied[1:]}." if tied else ""


def _definition(rule: FunctionRule) -> str:
    """``σ(z) = … = …, σ'(z) = …``."""
    left = latex_entry(Apply(rule.name, *rule.parameters))
    forms: tuple[Expr, ...] = DEFINITIONS.get(rule.name, ())
    if not forms and rule.definition is not None:
        forms = (rule.definition,)
    slope = latex_entry(Apply(f"{rule.name}_prime", *rule.parameters))
    chain = " = ".join([left, *(latex_entry(f) for f in forms)])
    return rf"{chain}, \qquad {slope} = {latex_entry(rule.slopes[0])}"


def _softmax(program: Program, notation: Notation, label: str) -> Neuron:
    """Softmax, in the letters of one in the network, the one with the fewest axes."""
    ours = [e for e in program.equations if e.term.op == "softmax"]
    equation = min(ours, key=lambda e: len(e.indices))
    axis = equation.term.attrs[0]
    extent = equation.indices[axis].extent
    (below,) = (a.operands[0] for a in fraction(equation.rhs)[0].atoms(Apply))

    def h(i: Index) -> Expr:
        return substitute(Entry(equation.name, *equation.indices), {equation.indices[axis]: i})

    def z(i: Index) -> Expr:
        return substitute(below, {equation.indices[axis]: i})

    j, k = Index("j", extent), Index("k", extent)
    weight = Apply("exp", z(j)) / IndexSum(Apply("exp", z(k)), k)
    definition = f"{latex_entry(h(j), notation)} = {latex_entry(weight, notation)}"
    if equation.term.args[0].op == "name":
        whole = latex_term(equation.term, notation)
        definition += rf", \qquad {notation.name(equation.name)} = {whole}"
    proof = _proof(softmax_slope(h, z, extent), notation)
    return Neuron(TITLES["softmax"], _remark("softmax"), definition, label, (proof,))


def _proof(identity: Identity, notation: Notation) -> Proof:
    names = frozenset({"z", "h"})
    lines = [
        Line(
            latex_form(step.form, notation),
            typeset_reason(step.because, names, notation),
            f"eq:sb:{identity.key}:{k}",
        )
        for k, step in enumerate(identity.steps, start=1)
    ]
    title = typeset_reason(identity.title, names, notation)
    remark = typeset_reason(identity.remark, names, notation)
    return Proof(title, set_rows(latex_form(identity.left, notation), lines), remark)
